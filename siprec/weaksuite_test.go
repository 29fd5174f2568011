package siprec

import (
	"testing"
	"time"

	"github.com/siprecd/siprecd/siprec/internal/sdp"
)

// TestWeakSuite: an SRC whose suites are configured gets none of the others, though it
// offers no better one (RFC 7866 §12.2).
// Shows 7866-12.2-04.
func TestWeakSuite(t *testing.T) {
	const weak, strong = "AES_CM_128_HMAC_SHA1_32", "AEAD_AES_256_GCM"
	for _, tt := range []struct {
		name     string
		accepted []string
		offered  string
		want     sdp.Suite // empty: the stream is refused
	}{
		{"only a weak one", []string{strong}, cryptoLine(t, 1, 1, weak), ""},
		{"a strong one behind", []string{strong}, cryptoLine(t, 1, 1, weak) + cryptoLine(t, 2, 2, strong), strong},
		{"nothing configured", nil, cryptoLine(t, 1, 1, weak), weak},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := newNegotiator(t, nil)
			n.terms = (&SRC{SRTPSuites: tt.accepted}).terms()
			next, err := n.answer(parsed(t, savp(tt.offered)), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if next.acceptable() != (tt.want != "") {
				t.Fatalf("acceptable %v", next.acceptable())
			}
			if tt.want != "" {
				if _, c := answeredCrypto(t, next.body); c.Suite != tt.want {
					t.Errorf("suite %s", c.Suite)
				}
			}
			n.commit(next, discard)
			n.close()
		})
	}
}
