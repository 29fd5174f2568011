package rfc3550

import (
	"context"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// section8 are the cases of sources that change or meet.
func section8() []check.Case {
	return []check.Case{
		{
			ID: "rfc3550/8.2/1", Section: "RFC 3550 §8.2, RFC 7866 §8.1.3", Level: check.Must, Needs: rtcp(),
			Shows:       []string{"7866-8.1.3-01"},
			Requirement: "When the source changes its SSRC, reports are about the new one, and count it from its beginning.",
			Run: func(ctx context.Context, t *check.T) {
				st := stream(ctx, t)
				t.Check(st.Script(ctx, script(st.SSRC(), 100, func(int, *src.ScriptPacket) {})), "send RTP")
				received(ctx, t, st, script(st.SSRC()+1, 40000, func(int, *src.ScriptPacket) {}), 0)
			},
		},
		{
			ID: "rfc3550/8.2/2", Section: "RFC 3550 §6.6, §8.2, RFC 7866 §8.1.3", Level: check.Derived, Needs: rtcp(),
			Shows:       []string{"7866-8.1.3-01"},
			Requirement: "A source that leaves by BYE and comes back as another one is received.",
			Run: func(ctx context.Context, t *check.T) {
				st := stream(ctx, t)
				t.Check(st.Script(ctx, script(st.SSRC(), 100, func(int, *src.ScriptPacket) {})), "send RTP")
				t.Check(st.Goodbye(st.SSRC()), "send BYE")
				received(ctx, t, st, script(st.SSRC()+1, 100, func(int, *src.ScriptPacket) {}), 0)
			},
		},
		{
			ID: "rfc3550/8.2/3", Section: "RFC 7866 §8.3.2, RFC 3550 §8.2", Level: check.Must, Needs: rtcp(),
			Shows:       []string{"7866-8.3.2-01", "7866-8.3.1-03"},
			Requirement: "Two streams with one SSRC are two sources: each is reported by itself.",
			Run: func(ctx context.Context, t *check.T) {
				t.OverUDP()
				d := t.Open(ctx, src.Request{})
				t.Answer(d)
				const ssrc = 4711
				lossy := script(ssrc, 100, func(i int, p *src.ScriptPacket) {
					if i > count/2 {
						p.Header.SequenceNumber += 5
					}
				})
				t.Check(d.Stream(0).Script(ctx, lossy), "send RTP")
				received(ctx, t, d.Stream(1), script(ssrc, 30000, func(int, *src.ScriptPacket) {}), 0)
				if r := t.Reception(ctx, d.Stream(0)); r.Lost != 5 {
					t.Errorf("%d packets of the first stream are reported as lost, 5 were not sent", r.Lost)
				}
			},
		},
	}
}
