package security

import (
	"context"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// spoofing are the cases of requests that somebody else writes.
func spoofing() []check.Case {
	return []check.Case{
		bye(1, "another To tag", func(r *src.Request) { r.ToTag = "forged-to" }),
		bye(2, "another From tag", func(r *src.Request) { r.FromTag = "forged-from" }),
		bye(3, "another Call-ID", func(r *src.Request) { r.CallID = "forged-" + r.CallID }),
		bye(4, "no To tag", func(r *src.Request) { r.ToTag, r.NoToTag = "", true }),
		offer(5, "INVITE"),
		offer(6, "UPDATE"),
		{
			ID: "security/spoofing/7", Section: "RFC 3261 §9.2", Level: check.Must,
			Requirement: "A CANCEL of another transaction is answered 481, and the recording session goes on.",
			Run: func(ctx context.Context, t *check.T) {
				c := t.Client(ctx)
				d := openBy(ctx, t, c, src.Request{})
				before := t.Answer(d)
				r := forged(d)
				r.CSeq, r.ToTag, r.NoToTag, r.Branch = 1, "", true, "z9hG4bKforged"+d.CallID()[:8]
				if m := t.Do(ctx, c, "CANCEL", r); m.Status != 481 {
					t.Errorf("CANCEL with another branch was answered %d, expected 481", m.Status)
				}
				lives(ctx, t, d, before, "a forged CANCEL")
			},
		},
		{
			ID: "security/spoofing/8", Section: "RFC 3261 §9.2", Level: check.Must,
			Requirement: "A CANCEL that comes after the 200 does not end the recording session.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				before := t.Answer(d)
				m, err := d.Cancel(ctx)
				t.Check(err, "CANCEL")
				t.Status(m, 200, 481)
				lives(ctx, t, d, before, "a CANCEL that was late")
			},
		},
		{
			ID: "security/spoofing/9", Section: "RFC 3261 §26.1.4", Level: check.Derived, Needs: []string{"bound"},
			Requirement: "A BYE with the right tags from an address that is not the SRC's is refused, and the recording session goes on.",
			Run: func(ctx context.Context, t *check.T) {
				c := t.Client(ctx)
				stranger := elsewhere(ctx, t, c)
				d := openBy(ctx, t, c, src.Request{})
				before := t.Answer(d)
				if m := t.Do(ctx, stranger, "BYE", forged(d)); m.Status < 400 {
					t.Errorf("BYE from %s was answered %d", stranger.Local(), m.Status)
				}
				lives(ctx, t, d, before, "a BYE of a stranger")
			},
		},
	}
}

// bye is the case of a BYE that is wrong in one place.
func bye(n int, what string, spoil func(*src.Request)) check.Case {
	return check.Case{
		ID: id("spoofing", n), Section: "RFC 3261 §12.2.2, §15.1.2", Level: check.Must,
		Requirement: "A BYE with " + what + " is answered 481, and the recording session goes on.",
		Run: func(ctx context.Context, t *check.T) {
			c := t.Client(ctx)
			d := openBy(ctx, t, c, src.Request{})
			before := t.Answer(d)
			r := forged(d)
			spoil(&r)
			if m := t.Do(ctx, c, "BYE", r); m.Status != 481 {
				t.Errorf("BYE with %s was answered %d, expected 481", what, m.Status)
			}
			lives(ctx, t, d, before, "a BYE with "+what)
		},
	}
}

// offer is the case of an offer in a request with a wrong To tag, which would have
// the streams withheld.
func offer(n int, method string) check.Case {
	c := check.Case{
		ID: id("spoofing", n), Section: "RFC 3261 §12.2.2", Level: check.Must,
		Requirement: "An " + method + " with another To tag is answered 481, and changes no stream.",
		Run: func(ctx context.Context, t *check.T) {
			c := t.Client(ctx)
			d := openBy(ctx, t, c, src.Request{})
			before := t.Answer(d)
			r := forged(d)
			r.ToTag, r.Streams = "forged-to", d.WithDirection(src.Inactive)
			if m := t.Do(ctx, c, method, r); m.Status != 481 {
				t.Errorf("%s with another To tag was answered %d, expected 481", method, m.Status)
			}
			lives(ctx, t, d, before, "a forged "+method)
		},
	}
	if method == "UPDATE" {
		c.Needs = []string{"update"}
	}
	return c
}
