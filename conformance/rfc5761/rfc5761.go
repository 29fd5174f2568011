// Package rfc5761 checks RTP and RTCP on one port (RFC 5761).
package rfc5761

import (
	"context"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// muxing offers two streams, the first with a=rtcp-mux.
func muxing() src.Request {
	offer := src.TwoParties()
	offer[0].Attributes = []string{"rtcp-mux"}
	return src.Request{Streams: offer}
}

// Cases lists the cases in the order of the sections.
func Cases() []check.Case {
	return []check.Case{
		{
			ID: "rfc5761/4/1", Section: "RFC 5761 §4", Level: check.Must, Needs: []string{"rtcp"},
			Shows:       []string{"5761-4-01"},
			Requirement: "On a shared port RTCP is told from RTP by its packet type: a sender report is heard, and no packet of the stream.",
			Run: func(ctx context.Context, t *check.T) {
				t.OverUDP()
				d := t.Open(ctx, muxing())
				if _, mux := t.Answer(d).Media[0].Attribute("rtcp-mux"); !mux {
					t.Skipf("the server does not agree to share a port")
				}
				st := d.Stream(0)
				ntp, err := st.Report(0, 0)
				t.Check(err, "send RTCP")
				t.Check(st.Burst(ctx, src.Silence(), 40, src.PlayOptions{}), "send RTP")
				if r := t.Reception(ctx, st); r.LastSR != uint32(ntp>>16) || r.Lost != 0 {
					t.Errorf("the last sender report is said to be of %08x, it was of %08x; %d packets are said to be lost", r.LastSR, uint32(ntp>>16), r.Lost)
				}
			},
		},
		{
			ID: "rfc5761/5.1.1/1", Section: "RFC 5761 §5.1.1", Level: check.Must,
			Shows:       []string{"DRV5761-5.1.1-01", "7866-8.1.8-02"},
			Requirement: "a=rtcp-mux stands in the answer only where it was offered.",
			Run: func(ctx context.Context, t *check.T) {
				answer := t.Answer(t.Open(ctx, muxing()))
				if _, mux := answer.Media[1].Attribute("rtcp-mux"); mux {
					t.Errorf("m-line 1 is answered with a=rtcp-mux, which was not offered")
				}
				if answer.Media[0].Port == 0 || answer.Media[1].Port == 0 {
					t.Errorf("an audio m-line is refused")
				}
			},
		},
		{
			ID: "rfc5761/5.1.1/2", Section: "RFC 5761 §5.1.1, RFC 7866 §8.1.8", Level: check.Must, Needs: []string{"rtcp"},
			Shows:       []string{"DRV5761-5.1.1-01", "7866-8.1.8-01", "7866-8.1.8-02"},
			Requirement: "Where the answer has a=rtcp-mux, RTCP leaves from the port of RTP for that of RTP; elsewhere from one of its own.",
			Run: func(ctx context.Context, t *check.T) {
				t.OverUDP()
				d := t.Open(ctx, muxing())
				t.Answer(d)
				for i := range 2 { // each has to come from its port
					t.Report(ctx, d.Stream(i))
				}
			},
		},
	}
}
