package rfc7866

import (
	"context"
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

func section7() []check.Case {
	cases := []check.Case{
		direction("rfc7866/7.2/1", "A stream offered sendonly is answered recvonly, or inactive until the server is ready for it.", src.SendOnly, "", src.RecvOnly, "7866-7.2-01", "7866-7.1.1-01"),
		direction("rfc7866/7.2/2", "A stream offered sendrecv is answered recvonly, or inactive until the server is ready for it.", src.SendRecv, "", src.RecvOnly, "7866-7.1.1-01"),
		direction("rfc7866/7.2/3", "A stream offered without a direction is answered recvonly, or inactive until the server is ready for it.", src.None, "", src.RecvOnly, "7866-7.1.1-01"),
		direction("rfc7866/7.2/4", "A stream offered inactive is answered inactive.", src.Inactive, "", src.Inactive, "7866-7.1.1-01"),
		direction("rfc7866/7.2/5", "A stream offered with the address 0.0.0.0 is answered inactive.", src.SendOnly, "0.0.0.0", src.Inactive, "7866-7.1.1-01"),
	}
	return append(cases, check.Case{
		ID: "rfc7866/7.2/6", Section: "RFC 7866 §7.2", Level: check.Should,
		Shows:       []string{"7866-7.2-04", "4574-4-01"},
		Requirement: "The answer repeats each a=label as it was offered.",
		Run: func(ctx context.Context, t *check.T) {
			offer := src.TwoParties()
			offer[0].Label, offer[1].Label = "leg-B", "16777227"
			answer := t.Answer(t.Open(ctx, src.Request{Streams: offer}))
			for i, m := range answer.Media {
				if m.Label != offer[i].Label {
					t.Errorf("m-line %d has label %q, offered %q", i, m.Label, offer[i].Label)
				}
			}
		},
	}, check.Case{
		ID: "rfc7866/7.2/7", Section: "RFC 7866 §7.2", Level: check.Must,
		Shows:       []string{"7866-7.2-06", "DRV3261-14.2-02"},
		Requirement: "In its offer, here in the 200 to a re-INVITE without one, the SRS adds no m-line.",
		Run: func(ctx context.Context, t *check.T) {
			d := t.Open(ctx, src.Request{})
			m, err := d.Reinvite(ctx, src.Request{})
			t.Check(err, "re-INVITE without an offer")
			t.Status(m, 200)
			sdp, err := m.SDP()
			if err != nil || sdp == nil {
				t.Fatalf("200 to a re-INVITE without an offer holds no SDP that can be read: %v", err)
			}
			if len(sdp.Media) != len(d.Offers()) {
				t.Errorf("offer of the SRS has %d m-lines, %d were negotiated", len(sdp.Media), len(d.Offers()))
			}
		},
	}, check.Case{
		ID: "rfc7866/7.1.2/1", Section: "RFC 7866 §7.1.2", Level: check.Derived,
		Shows:       []string{"7866-6.1.2-01", "7866-7.1.2-01", "7866-7.1.3-01"},
		Requirement: "a=record and a=recordpref belong to the communication session; in the recording session they are ignored, and the answer has neither.",
		Run: func(ctx context.Context, t *check.T) {
			offer := src.TwoParties()
			offer[0].Attributes = []string{"record:on"}
			offer[1].Attributes = []string{"recordpref:off"}
			answer := t.Answer(t.Open(ctx, src.Request{Streams: offer}))
			for i, m := range answer.Media {
				for _, a := range m.Attributes {
					if strings.HasPrefix(a, "record") {
						t.Errorf("m-line %d is answered with a=%s", i, a)
					}
				}
				if answer.DirectionOf(i) != src.RecvOnly {
					t.Errorf("m-line %d is answered %s", i, answer.DirectionOf(i))
				}
			}
		},
	})
}

// direction offers two streams of which the second has the given direction and
// address, and the first is an ordinary one.
func direction(id, requirement, offered, address, want string, shows ...string) check.Case {
	return check.Case{
		ID: id, Shows: shows, Section: "RFC 7866 §7.2", Level: check.Must, Requirement: requirement,
		Run: func(ctx context.Context, t *check.T) {
			offer := src.TwoParties()
			offer[1].Direction, offer[1].Address = offered, address
			d := t.Open(ctx, src.Request{Streams: offer})
			answer := t.Answer(d)
			if answer.DirectionOf(0) == src.Inactive {
				answer = ready(ctx, t, d, len(offer))
			}
			if got := answer.DirectionOf(0); got != src.RecvOnly {
				t.Errorf("m-line 0, offered sendonly, is answered %s", got)
			}
			if got := answer.DirectionOf(1); got != want {
				t.Errorf("m-line 1 is answered %s, expected %s", got, want)
			}
			if answer.Media[0].Port == 0 || answer.Media[1].Port == 0 {
				t.Errorf("an audio m-line is refused with port 0")
			}
		},
	}
}

// ready is the offer by which a server that was not ready, and answered inactive, asks for
// the streams when it is (RFC 7866 §7.2).
func ready(ctx context.Context, t *check.T, d *src.Dialog, streams int) *src.SDP {
	for {
		m, err := d.NextRequest(ctx, "")
		if err != nil {
			t.Fatalf("the streams are answered inactive, and no offer to receive them came: %v", err)
		}
		if offer, err := m.SDP(); err == nil && offer != nil && len(offer.Media) == streams && offer.DirectionOf(0) != src.Inactive {
			return offer
		}
	}
}
