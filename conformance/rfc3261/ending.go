package rfc3261

import (
	"context"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// changes are further cases of re-INVITE and BYE (RFC 3261 §14.2, §15.1).
func changes() []check.Case {
	return []check.Case{
		{
			ID: "rfc3261/14.2/2", Section: "RFC 3261 §14.2", Level: check.Must,
			Shows:       []string{"3261-14.2-03"},
			Requirement: "A re-INVITE whose description cannot be read is refused with a 4xx, and the recording session goes on as it was.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				before := t.Answer(d)
				m, err := d.Reinvite(ctx, src.Request{Body: []byte("v=0\r\nthis is no description\r\n"), ContentType: "application/sdp"})
				t.Check(err, "re-INVITE")
				if m.Status < 400 || m.Status > 499 {
					t.Errorf("it is answered %d %s", m.Status, m.Reason)
				}
				m, err = d.Reinvite(ctx, src.Request{Streams: d.Offers()})
				t.Check(err, "re-INVITE after it")
				t.Status(m, 200)
				unchanged(t, before, t.Answer(d))
			},
		},
		{
			ID: "rfc3261/15/1", Section: "RFC 3261 §15", Level: check.Must,
			Shows:       []string{"DRV3261-15.1.2-01"},
			Requirement: "A BYE that comes before the ACK of the INVITE ends the dialog.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{WithholdACK: true})
				m, err := d.Bye(ctx, src.Request{})
				t.Check(err, "BYE")
				t.Status(m, 200)
				missing(ctx, t, d, src.Request{})
			},
		},
		{
			ID: "rfc3261/12.2.2/7", Section: "RFC 3261 §12.2.2, §15.1.2", Level: check.Must,
			Shows:       []string{"DRV3261-12.2.2-01"},
			Requirement: "A BYE with a lower CSeq than the last request is refused with 500, and the recording session goes on.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				for range 2 {
					m, err := d.Reinvite(ctx, src.Request{Streams: d.Offers()})
					t.Check(err, "re-INVITE")
					t.Status(m, 200)
				}
				m, err := d.Bye(ctx, src.Request{CSeq: 2})
				t.Check(err, "BYE with an old CSeq")
				t.Status(m, 500)
				m, err = d.Reinvite(ctx, src.Request{Streams: d.Offers()})
				t.Check(err, "re-INVITE after it")
				t.Status(m, 200)
			},
		},
	}
}
