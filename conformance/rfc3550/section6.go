package rfc3550

import (
	"context"
	"slices"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// section6 are the cases of when reports come and what else they hold.
func section6() []check.Case {
	return []check.Case{
		{
			ID: "rfc3550/6.1/1", Section: "RFC 3550 §6.1", Level: check.Should, Needs: rtcp(),
			Shows:       []string{"3550-6.1-02"},
			Requirement: "Packets of RTCP of unknown types are passed over, and the report in front of them counts.",
			Run: func(ctx context.Context, t *check.T) {
				st := stream(ctx, t)
				unheard := []byte{0x80, 210, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2}
				application := []byte{0x80, 204, 0, 3, 0, 0, 0, 1, 'T', 'E', 'S', 'T', 0, 0, 0, 0}
				echoed(ctx, t, st, unheard, application)
			},
		},
		{
			ID: "rfc3550/6.2/1", Section: "RFC 3550 §6.2, §6.5.1", Level: check.Must, Needs: rtcp(), Timeout: patience,
			Shows:       []string{"3550-6.2-01", "7866-8.1.5.1-01"},
			Requirement: "Reports go on while the recording session lasts, under one SSRC and one CNAME.",
			Run: func(ctx context.Context, t *check.T) {
				st := stream(ctx, t)
				first, second := t.Report(ctx, st), t.Report(ctx, st)
				if first.Sender != second.Sender || first.CNAME != second.CNAME {
					t.Errorf("reports come from SSRC %d as %q, then from %d as %q", first.Sender, first.CNAME, second.Sender, second.CNAME)
				}
			},
		},
		{
			ID: "rfc3550/6.3.7/1", Section: "RFC 3550 §6.3.7, §6.6", Level: check.Should, Needs: rtcp(), Timeout: patience,
			Shows:       []string{"3550-6.2-01"},
			Requirement: "When the recording session ends, the server leaves by a BYE of RTCP.",
			Run: func(ctx context.Context, t *check.T) {
				t.OverUDP()
				d := t.Open(ctx, src.Request{})
				t.Answer(d)
				st := d.Stream(0)
				reporter := t.Report(ctx, st).Sender
				m, err := d.Bye(ctx, src.Request{})
				t.Check(err, "BYE")
				t.Status(m, 200)
				for range 3 {
					if slices.Contains(t.Report(ctx, st).Byes, reporter) {
						return
					}
				}
				t.Errorf("three reports came after the end, and no BYE of SSRC %d", reporter)
			},
		},
		{
			ID: "rfc3550/6.5.1/1", Section: "RFC 3550 §6.5.1", Level: check.Should, Needs: rtcp(),
			Shows:       []string{"3550-6.5.1-01"},
			Requirement: "The streams of a recording session are reported on under one CNAME.",
			Run: func(ctx context.Context, t *check.T) {
				t.OverUDP()
				d := t.Open(ctx, src.Request{})
				t.Answer(d)
				if first, second := t.Report(ctx, d.Stream(0)).CNAME, t.Report(ctx, d.Stream(1)).CNAME; first != second {
					t.Errorf("the first stream is reported on as %q, the second as %q", first, second)
				}
			},
		},
	}
}

// echoed sends a sender report with further packets behind it, then RTP, and fails unless
// a report tells of the sender report.
func echoed(ctx context.Context, t *check.T, st *src.Stream, further ...[]byte) src.ReceptionReport {
	ntp, err := st.Report(0, 0, further...)
	t.Check(err, "send RTCP")
	t.Check(st.Burst(ctx, src.Silence(), count, src.PlayOptions{}), "send RTP")
	r := t.Reception(ctx, st)
	if want := uint32(ntp >> 16); r.LastSR != want {
		t.Errorf("the time of the last sender report is given as %08x, it was %08x", r.LastSR, want)
	}
	return r
}
