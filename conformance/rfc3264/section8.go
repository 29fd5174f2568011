package rfc3264

import (
	"context"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// again offers once more and returns the new answer.
func again(ctx context.Context, t *check.T, d *src.Dialog, offer []src.StreamOffer) *src.SDP {
	m, err := d.Reinvite(ctx, src.Request{Streams: offer})
	t.Check(err, "re-INVITE")
	t.Status(m, 200)
	return t.Answer(d)
}

func section8() []check.Case { return append(versions(), slots()...) }

// versions are the cases of the o= line.
func versions() []check.Case {
	return []check.Case{
		{
			ID: "rfc3264/8/1", Section: "RFC 3264 §8", Level: check.Must,
			Shows:       []string{"DRV3264-8-01", "7866-7.1-01"},
			Requirement: "In a changed description the o= line is the same but for its version, which is higher.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				first := t.Answer(d)
				second := again(ctx, t, d, d.WithDirection(src.Inactive))
				if second.OriginID != first.OriginID {
					t.Errorf("o= id changed from %q to %q", first.OriginID, second.OriginID)
				}
				if second.Version <= first.Version {
					t.Errorf("o= version went from %d to %d", first.Version, second.Version)
				}
			},
		},
		{
			ID: "rfc3264/8/2", Section: "RFC 3264 §8", Level: check.Should,
			Shows:       []string{"DRV3264-8-01"},
			Requirement: "A description that did not change keeps its o= version.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				first := t.Answer(d)
				second := again(ctx, t, d, d.Offers())
				if second.Origin != first.Origin {
					t.Errorf("o= line went from %q to %q", first.Origin, second.Origin)
				}
			},
		},
	}
}

// slots are the cases of added and removed m-lines.
func slots() []check.Case {
	return []check.Case{
		{
			ID: "rfc3264/8.1/1", Section: "RFC 3264 §8.1", Level: check.Must,
			Shows:       []string{"3264-8-02", "7866-7.1.1.1-02"},
			Requirement: "A stream added by a re-INVITE is answered after the others, which keep their ports.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				first := t.Answer(d)
				second := again(ctx, t, d, append(d.Offers(), src.StreamOffer{Label: "3", Direction: src.SendOnly}))
				for i, m := range first.Media {
					if second.Media[i].Port != m.Port {
						t.Errorf("m-line %d moved from port %d to %d", i, m.Port, second.Media[i].Port)
					}
				}
				if second.Media[2].Port == 0 {
					t.Errorf("the added audio stream is refused")
				}
			},
		},
		{
			ID: "rfc3264/8.2/1", Section: "RFC 3264 §8.2", Level: check.Must,
			Shows:       []string{"3264-8-02", "7866-7.1.1.1-01"},
			Requirement: "A stream removed with port 0 keeps its m-line in the answer, with port 0.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				offer := d.Offers()
				offer[1].Port = src.PortZero
				answer := again(ctx, t, d, offer)
				if answer.Media[1].Port != 0 {
					t.Errorf("removed m-line is answered with port %d", answer.Media[1].Port)
				}
				if answer.Media[0].Port == 0 {
					t.Errorf("the other m-line is removed too")
				}
			},
		},
	}
}
