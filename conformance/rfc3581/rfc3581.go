// Package rfc3581 checks symmetric response routing (RFC 3581).
package rfc3581

import (
	"context"
	"fmt"
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// Cases lists the cases in the order of the sections.
func Cases() []check.Case {
	return []check.Case{{
		ID: "rfc3581/4/1", Section: "RFC 3581 §4", Level: check.Must, Needs: []string{"rport", "udp"},
		Shows:       []string{"3581-4-01", "3261-18.2.1-01"},
		Requirement: "An empty rport in the Via comes back with the port that the request came from.",
		Run: func(ctx context.Context, t *check.T) {
			overUDP(t)
			c := t.Client(ctx)
			via := t.Do(ctx, c, "OPTIONS", src.Request{}).Get("Via")
			if !strings.Contains(via+";", fmt.Sprintf(";rport=%d;", c.Local().Port())) {
				t.Errorf("Via is %q, the request came from port %d", via, c.Local().Port())
			}
		},
	}, {
		ID: "rfc3581/4/2", Section: "RFC 3581 §4", Level: check.Must, Needs: []string{"rport", "udp"},
		Shows:       []string{"3581-4-01"},
		Requirement: "With rport, the response goes to the port that the request came from, whatever port the Via names.",
		Run: func(ctx context.Context, t *check.T) {
			overUDP(t)
			c := t.Client(ctx)
			t.Status(t.Do(ctx, c, "OPTIONS", src.Request{Edit: func(text string) string {
				return strings.Replace(text, c.Local().String()+";branch", c.Local().Addr().String()+":9;branch", 1)
			}}), 200)
		},
	}, {
		ID: "rfc3581/4/3", Section: "RFC 3581 §4", Level: check.Must, Needs: []string{"rport", "udp"},
		Shows:       []string{"3581-4-02"},
		Requirement: "With rport, the response has received too, even if the Via names the source address.",
		Run: func(ctx context.Context, t *check.T) {
			overUDP(t)
			c := t.Client(ctx)
			via := t.Do(ctx, c, "OPTIONS", src.Request{}).Get("Via")
			if !strings.Contains(via+";", ";received="+c.Local().Addr().String()+";") {
				t.Errorf("Via is %q, the request came from %s", via, c.Local())
			}
		},
	}}
}

// overUDP skips a case over streams.
func overUDP(t *check.T) {
	if t.Transport() != "udp" {
		t.Skipf("responses over %s use its connection", t.Transport())
	}
}
