package rfc4568

import (
	"context"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// section7 are the cases of later offers.
func section7() []check.Case {
	const section = "RFC 4568 §7.1.4"
	return []check.Case{
		{
			ID: "rfc4568/7.1.4/1", Section: section, Level: check.Must, Needs: []string{"rtcp"},
			Shows:       []string{"4568-7.1.4-01"},
			Requirement: "A later offer may have another key: what it protects is received.",
			Run: func(ctx context.Context, t *check.T) {
				t.OverUDP()
				d := t.Open(ctx, src.Request{Streams: secured(t)})
				t.Answer(d)
				offer := d.Offers()
				key, err := src.NewIDs(7).SRTPKey(everyone)
				t.Check(err, "key")
				offer[0].Keys = []src.SRTPKey{key}
				again(ctx, t, d, offer)
				heard(ctx, t, d.Stream(0))
			},
		},
		{
			ID: "rfc4568/7.1.4/2", Section: section + ", §6.4.1", Level: check.Must, Needs: []string{"rtcp"}, Timeout: 30 * time.Second,
			Shows:       []string{"4568-7.1.4-01"},
			Requirement: "An offer that repeats its keys leaves their rollover counters as they were.",
			Run: func(ctx context.Context, t *check.T) {
				t.OverUDP()
				d := t.Open(ctx, src.Request{Streams: secured(t)})
				t.Answer(d)
				st := d.Stream(0)
				nearWrap := uint16(65520)
				t.Check(st.Burst(ctx, src.Silence(), 40, src.PlayOptions{Sequence: &nearWrap}), "send SRTP")
				t.Reception(ctx, st) // all of it was read
				again(ctx, t, d, d.Offers())
				t.Check(st.Burst(ctx, src.Silence(), 40, src.PlayOptions{}), "send SRTP")
				if r := t.Reception(ctx, st); r.Lost != 0 || r.Highest != 1<<16+64-1 {
					t.Errorf("%d packets are reported as lost up to %d, none was up to %d", r.Lost, r.Highest, 1<<16+64-1)
				}
			},
		},
		{
			ID: "rfc4568/7.1.4/3", Section: section + ", RFC 3264 §8", Level: check.Derived,
			Shows:       []string{"4568-7.1.4-01", "DRV3264-8-01"},
			Requirement: "To an offer that repeats its keys the answer repeats its own.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{Streams: secured(t)})
				first := t.Answer(d)
				for i, m := range again(ctx, t, d, d.Offers()).Media {
					if was, is := strings.Join(cryptoOf(first.Media[i]), " "), strings.Join(cryptoOf(m), " "); was != is {
						t.Errorf("m-line %d has another a=crypto than before", i)
					}
				}
			},
		},
		{
			ID: "rfc4568/7.1.4/4", Section: section, Level: check.Must,
			Shows:       []string{"4568-7.1.4-01", "7866-12.2-03"},
			Requirement: "A later offer may give up SRTP, and one after it come back to it: the stream is refused, or answered as it is offered.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{Streams: secured(t)})
				t.Answer(d)
				keyed, plain := d.Offers(), d.Offers()
				plain[0].Keys = nil
				for want, offer := range [][]src.StreamOffer{plain, keyed} {
					m := again(ctx, t, d, offer).Media[0]
					if n := len(cryptoOf(m)); m.Port != 0 && n != want {
						t.Errorf("m-line 0 is answered %s with %d crypto attributes, expected %d", m.Proto, n, want)
					}
				}
			},
		},
	}
}

// again offers once more and returns the new answer.
func again(ctx context.Context, t *check.T, d *src.Dialog, offer []src.StreamOffer) *src.SDP {
	m, err := d.Reinvite(ctx, src.Request{Streams: offer})
	t.Check(err, "re-INVITE")
	t.Status(m, 200)
	return t.Answer(d)
}
