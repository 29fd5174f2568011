package rfc3550

import (
	"context"
	"fmt"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// section11 are the cases of ports.
func section11() []check.Case {
	return []check.Case{
		{
			ID: "rfc3550/11/1", Section: "RFC 3550 §11", Level: check.Should,
			Shows:       []string{"3550-11-01"},
			Requirement: "RTP is received on an even port, and RTCP on the next.",
			Run: func(ctx context.Context, t *check.T) {
				for i, m := range t.Answer(t.Open(ctx, src.Request{})).Media {
					if m.Port%2 != 0 {
						t.Errorf("m-line %d is answered with the odd port %d", i, m.Port)
					}
				}
			},
		},
		{
			ID: "rfc3550/11/2", Section: "RFC 3605 §2.1", Level: check.Derived, Needs: rtcp(), Timeout: patience,
			Shows:       []string{"3550-11-01"},
			Requirement: "Reports go to the port that a=rtcp names.",
			Run: func(ctx context.Context, t *check.T) {
				t.OverUDP()
				d := t.Open(ctx, src.Request{})
				t.Answer(d)
				offer := d.Offers()
				offer[0].Attributes = []string{fmt.Sprintf("rtcp:%d", d.Stream(1).Local().Port()+1)}
				offer[1].Port = src.PortZero
				m, err := d.Reinvite(ctx, src.Request{Streams: offer})
				t.Check(err, "re-INVITE")
				t.Status(m, 200)
				t.Answer(d)
				want := d.Stream(0).ControlRemote()
				for range 3 { // one or two of the second stream may be under way
					_, from, err := d.Stream(1).ReadRTCP(ctx)
					if err != nil {
						t.Fatalf("no RTCP came to the port of a=rtcp: %v", err)
					}
					if from == want {
						return
					}
				}
				t.Errorf("no RTCP of %v came to the port of a=rtcp", want)
			},
		},
	}
}
