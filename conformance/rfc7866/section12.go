package rfc7866

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// section12 are the cases of SIP over TLS; over other transports they are skipped.
func section12() []check.Case {
	return []check.Case{
		{
			ID: "rfc7866/12/1", Section: "RFC 7866 §12, RFC 3261 §26.2", Level: check.Must, Needs: []string{"tls"},
			Shows:       []string{"7866-12-01", "7866-12.3-01", "7865-10-01"},
			Requirement: "A recording session over TLS is accepted, and the Contact of the server is reached by TLS.",
			Run: func(ctx context.Context, t *check.T) {
				overTLS(t)
				uri := contactURI(t, t.Open(ctx, src.Request{Metadata: check.Conversation().Complete()}).Final())
				if !strings.HasPrefix(uri, "sips:") && !strings.Contains(strings.ToLower(uri)+";", ";transport=tls;") {
					t.Errorf("Contact is %s", uri)
				}
			},
		},
		{
			ID: "rfc7866/12/2", Section: "RFC 7866 §12, RFC 3261 §12.1.1", Level: check.Must, Needs: []string{"tls"},
			Shows:       []string{"7866-12-03"},
			Requirement: "An INVITE to a sips URI is answered with a sips URI in Contact.",
			Run: func(ctx context.Context, t *check.T) {
				overTLS(t)
				m := t.Open(ctx, src.Request{RequestURI: "sips:srs@" + t.Address()}).Final()
				if uri := contactURI(t, m); !strings.HasPrefix(uri, "sips:") {
					t.Errorf("Contact is %s", uri)
				}
			},
		},
		{
			ID: "rfc7866/12/3", Section: "RFC 7866 §12, RFC 8996 §4", Level: check.Must, Needs: []string{"tls"},
			Shows:       []string{"7866-12-02"},
			Requirement: "Versions of TLS below 1.2 are not spoken.",
			Run: func(ctx context.Context, t *check.T) {
				overTLS(t)
				old := t.TLS()
				old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
				c, err := src.New(ctx, src.Config{Target: t.Address(), Transport: "tls", TLS: old})
				if err == nil {
					t.Errorf("TLS 1.1 is spoken")
					t.Check(c.Close(), "close SRC")
				} else if errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("TLS 1.1 is not refused: %v", err)
				}
			},
		},
	}
}

func overTLS(t *check.T) {
	if t.Transport() != "tls" {
		t.Skipf("this is %s", t.Transport())
	}
}

// contactURI is the URI in the Contact of a response.
func contactURI(t *check.T, m *src.Message) string {
	a, err := src.ParseAddr(m.Get("Contact"))
	if err != nil {
		t.Fatalf("Contact cannot be read: %v", err)
	}
	return a.URI
}
