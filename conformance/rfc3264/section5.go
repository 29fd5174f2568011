package rfc3264

import (
	"context"
	"slices"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

func section5() []check.Case {
	return []check.Case{
		{
			ID: "rfc3264/5/1", Section: "RFC 3264 §5, RFC 3261 §13.3.1", Level: check.Derived,
			Shows:       []string{"DRV3264-5-01"},
			Requirement: "A first INVITE without an offer gets one in the 200, which never sends, or is refused with a 4xx.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Invite(ctx, t.Client(ctx), src.Request{Metadata: check.Conversation().Complete()})
				if s := d.Final().Status; s >= 400 && s < 500 {
					return
				}
				t.Status(d.Final(), 200)
				offer, err := d.Final().SDP()
				if err != nil || offer == nil {
					t.Fatalf("the 200 has no offer that can be read: %v", err)
				}
				for i, m := range offer.Media {
					if dir := offer.DirectionOf(i); m.Port != 0 && dir != src.RecvOnly && dir != src.Inactive {
						t.Errorf("m-line %d is offered %s", i, dir)
					}
				}
			},
		},
	}
}

// unknown are the cases of formats that nobody knows.
func unknown() []check.Case {
	return []check.Case{
		{
			ID: "rfc3264/6/2", Section: "RFC 3264 §6", Level: check.Must,
			Shows:       []string{"DRV3264-6-01", "3264-6.1-01"},
			Requirement: "A stream in a format that nobody knows is refused, or answered with that format; the stream beside it is taken.",
			Run: func(ctx context.Context, t *check.T) {
				offer := src.TwoParties()
				offer[0].Codecs = []src.Codec{{Name: "X-UNHEARD-OF", PayloadType: 121, ClockRate: 16000}}
				answer := t.Answer(t.Open(ctx, src.Request{Streams: offer}))
				if m := answer.Media[0]; m.Port != 0 && !slices.Contains(m.Formats, "121") {
					t.Errorf("m-line 0 is answered with the formats %v", m.Formats)
				}
				if answer.Media[1].Port == 0 {
					t.Errorf("the m-line of G.711 is refused")
				}
			},
		},
	}
}
