// Package rfc5761 checks RTP and RTCP on one port (RFC 5761).
package rfc5761

import (
	"context"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// Cases lists the cases in the order of the sections.
func Cases() []check.Case {
	return []check.Case{{
		ID: "rfc5761/5.1.1/1", Section: "RFC 5761 §5.1.1", Level: check.Must,
		Shows:       []string{"DRV5761-5.1.1-01", "7866-8.1.8-02"},
		Requirement: "a=rtcp-mux stands in the answer only where it was offered.",
		Run: func(ctx context.Context, t *check.T) {
			offer := src.TwoParties()
			offer[0].Attributes = []string{"rtcp-mux"}
			answer := t.Answer(t.Open(ctx, src.Request{Streams: offer}))
			if _, mux := answer.Media[1].Attribute("rtcp-mux"); mux {
				t.Errorf("m-line 1 is answered with a=rtcp-mux, which was not offered")
			}
			if answer.Media[0].Port == 0 || answer.Media[1].Port == 0 {
				t.Errorf("an audio m-line is refused")
			}
		},
	}}
}
