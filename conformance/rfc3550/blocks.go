package rfc3550

import (
	"context"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// blocks are the cases of what a report says of a source.
func blocks() []check.Case {
	const section = "RFC 3550 §6.4.1"
	return []check.Case{
		{
			ID: "rfc3550/6.4.1/1", Section: section, Level: check.Must, Needs: rtcp(),
			Shows:       []string{"3550-6.4.1-01", "7866-8.1.1-02"},
			Requirement: "A report has the time stamp of the last sender report, and the time since it came.",
			Run: func(ctx context.Context, t *check.T) {
				began := time.Now()
				r := echoed(ctx, t, stream(ctx, t))
				if delay := time.Duration(r.Delay) * time.Second / 65536; delay > time.Since(began) {
					t.Errorf("the sender report is said to be %v old, and was sent within the last %v", delay, time.Since(began))
				} else if r.Delay == 0 {
					t.Errorf("no time is said to have passed since the sender report")
				}
			},
		},
		{
			ID: "rfc3550/6.4.1/2", Section: section + ", A.3", Level: check.Must, Needs: rtcp(),
			Shows:       []string{"3550-A.3-01"},
			Requirement: "The fraction lost is that of the packets since the report before, in 1/256.",
			Run: func(ctx context.Context, t *check.T) {
				st := stream(ctx, t)
				const lost = 10
				// They are lost just before the last packet, so that the report about
				// this one is also about them. The fraction is least when it is the first.
				r := received(ctx, t, st, script(st.SSRC(), 100, func(i int, p *src.ScriptPacket) {
					if i == count-1 {
						p.Header.SequenceNumber += lost
					}
				}), lost)
				if least := lost * 256 / (count + lost); int(r.Fraction) < least {
					t.Errorf("the fraction lost is %d/256, of 50 packets 10 are %d/256", r.Fraction, least)
				}
			},
		},
		{
			ID: "rfc3550/6.4.1/3", Section: section, Level: check.Must, Needs: rtcp(),
			Shows:       []string{"3550-A.3-01"},
			Requirement: "Packets that come late or twice are received: they make the number of lost ones no higher.",
			Run: func(ctx context.Context, t *check.T) {
				st := stream(ctx, t)
				packets := script(st.SSRC(), 100, func(int, *src.ScriptPacket) {})
				for i := 5; i < 15; i += 2 { // late ones
					packets[i].Header, packets[i+1].Header = packets[i+1].Header, packets[i].Header
				}
				for i := 20; i < 26; i += 2 { // twice, where another is missing
					packets[i].Header.SequenceNumber--
				}
				received(ctx, t, st, packets, 0)
			},
		},
		{
			ID: "rfc3550/6.4.1/4", Section: section + ", A.8", Level: check.Must, Needs: rtcp(),
			Shows:       []string{"3550-A.3-01"},
			Requirement: "The jitter is given in units of RTP time.",
			Run: func(ctx context.Context, t *check.T) {
				st := stream(ctx, t)
				// Each packet is sent at once and says that it is 20 ms later: 160 units.
				r := received(ctx, t, st, script(st.SSRC(), 100, func(int, *src.ScriptPacket) {}), 0)
				if r.Jitter < 80 || r.Jitter > 1600 {
					t.Errorf("the jitter is given as %d, packets came some 160 units from their time", r.Jitter)
				}
			},
		},
		{
			ID: "rfc3550/6.4.1/5", Section: "RFC 7866 §8.2.1.2", Level: check.Must, Needs: rtcp(),
			Shows:       []string{"7866-8.2.1.2-02", "7866-8.2.1.2-03", "7866-8.2.1.1-03"},
			Requirement: "Behind a transcoder the counts of sender reports need not fit to what comes: loss is told by sequence numbers.",
			Run: func(ctx context.Context, t *check.T) {
				st := stream(ctx, t)
				_, err := st.Report(5000, 800000)
				t.Check(err, "send RTCP")
				received(ctx, t, st, script(st.SSRC(), 100, func(int, *src.ScriptPacket) {}), 0)
			},
		},
	}
}
