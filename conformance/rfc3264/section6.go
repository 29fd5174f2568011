package rfc3264

import (
	"context"
	"fmt"
	"slices"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

func section6() []check.Case {
	return []check.Case{
		{
			ID: "rfc3264/6/1", Section: "RFC 3264 §6", Level: check.Must,
			Shows:       []string{"3264-6-02", "7866-7.1-01"},
			Requirement: "An m-line offered with port 0 is answered with port 0.",
			Run: func(ctx context.Context, t *check.T) {
				offer := src.TwoParties()
				offer[0].Port = src.PortZero
				answer := t.Answer(t.Open(ctx, src.Request{Streams: offer}))
				if answer.Media[0].Port != 0 {
					t.Errorf("m-line with port 0 is answered with port %d", answer.Media[0].Port)
				}
				if answer.Media[1].Port == 0 {
					t.Errorf("the other m-line is refused")
				}
			},
		},
		{
			ID: "rfc3264/6.1/1", Section: "RFC 3264 §6.1", Level: check.Must,
			Shows:       []string{"3264-6.1-01", "7866-7.1-01"},
			Requirement: "An accepted m-line names at least one of the formats that were offered.",
			Run: func(ctx context.Context, t *check.T) {
				offer := src.TwoParties()
				offer[0].Codecs = []src.Codec{src.PCMU(), src.TelephoneEvent(101)}
				offer[1].Codecs = []src.Codec{src.PCMA()}
				answer := t.Answer(t.Open(ctx, src.Request{Streams: offer}))
				for i, m := range answer.Media {
					if m.Port == 0 {
						t.Errorf("m-line %d of G.711 is not accepted", i)
					}
					if !slices.ContainsFunc(offer[i].Codecs, func(c src.Codec) bool { return slices.Contains(m.Formats, fmt.Sprint(c.PayloadType)) }) {
						t.Errorf("m-line %d is answered with the formats %v, of which none was offered", i, m.Formats)
					}
				}
			},
		},
	}
}
