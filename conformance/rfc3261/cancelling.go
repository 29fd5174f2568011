package rfc3261

import (
	"context"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// cancelling are further cases of CANCEL (RFC 3261 §9.2).
func cancelling() []check.Case {
	return []check.Case{
		{
			ID: "rfc3261/9.2/3", Section: "RFC 3261 §9.2", Level: check.Must,
			Shows:       []string{"3261-9.2-02"},
			Requirement: "A CANCEL of an INVITE that was answered changes nothing: the recording session goes on.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				before := t.Answer(d)
				m, err := d.Cancel(ctx)
				t.Check(err, "CANCEL")
				t.Status(m, 200, 481)
				m, err = d.Reinvite(ctx, src.Request{Streams: d.Offers()})
				t.Check(err, "re-INVITE after it")
				t.Status(m, 200)
				unchanged(t, before, t.Answer(d))
			},
		},
		{
			ID: "rfc3261/9.2/4", Section: "RFC 3261 §9.2", Level: check.Should, Needs: []string{"100rel"},
			Shows:       []string{"3261-9.2-02"},
			Requirement: "The responses to a CANCEL and to its INVITE have one tag in the To.",
			Run: func(ctx context.Context, t *check.T) {
				d, _ := ringing(ctx, t)
				m, err := d.Cancel(ctx)
				t.Check(err, "CANCEL")
				t.Status(m, 200)
				final, err := d.Wait(ctx)
				t.Check(err, "INVITE after CANCEL")
				t.Status(final, 487)
				if a, b := tagOf(t, m.Get("To")), tagOf(t, final.Get("To")); a != b {
					t.Errorf("the tag is %q to the CANCEL and %q to the INVITE", a, b)
				}
			},
		},
	}
}
