package rfc7866

import (
	"context"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// reports are the cases of RTCP (RFC 7866 §8.1).
func reports() []check.Case {
	return []check.Case{{
		ID: "rfc7866/8.1.1/1", Section: "RFC 7866 §8.1.1, RFC 3550 §6", Level: check.Must, Needs: []string{"rtcp"},
		Shows: []string{"7866-8.1.1-01", "7866-8.1.5.1-01", "7866-8.1.7-01", "7866-8.1.2-02", "7866-8.1.8-01",
			"7866-8.2.1.1-01", "3550-6.1-01", "3550-A.3-01"},
		Requirement: "Lost packets show in a report to the SRC: compound, with a CNAME, without feedback messages, from the RTCP port.",
		Run: func(ctx context.Context, t *check.T) {
			t.OverUDP()
			d := t.Open(ctx, src.Request{})
			t.Answer(d)
			st := d.Stream(0)
			const sent, lost = 40, 10
			gap := src.Faults{Changes: []src.Change{{At: sent / 2, Sequence: lost}}}
			t.Check(st.Burst(ctx, src.Silence(), sent, src.PlayOptions{Faults: gap}), "send RTP")
			if r := t.Reception(ctx, st); r.Lost != lost {
				t.Errorf("the report says %d packets lost, it were %d", r.Lost, lost)
			}
			for _, kind := range t.Report(ctx, d.Stream(1)).Types {
				if kind == src.RTCPRTPFeedback || kind == src.RTCPMediaFeedback {
					t.Errorf("a feedback message is sent under RTP/AVP")
				}
			}
		},
	}}
}
