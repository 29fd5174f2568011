package security

import (
	"context"
	"errors"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// echoWait is how long a case waits for a response that a right server does not send.
const echoWait = 700 * time.Millisecond

// replay are the cases of messages that are sent again by somebody who overheard them.
func replay() []check.Case {
	return []check.Case{
		{
			ID: "security/replay/1", Section: "RFC 3261 §17.2.3, RFC 6026 §7.1", Level: check.Must,
			Requirement: "An INVITE that comes again, octet by octet, after the recording session ended opens no other.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				_, tag := d.Tags()
				m, err := d.Bye(ctx, src.Request{})
				t.Check(err, "BYE")
				t.Status(m, 200)
				known := len(d.Repeated())
				t.Check(d.Resend(), "INVITE")
				waiting, cancel := context.WithTimeout(ctx, echoWait)
				defer cancel()
				if _, err := d.AwaitRepeats(waiting, known+1); err != nil && !errors.Is(err, context.DeadlineExceeded) {
					t.Check(err, "wait for a response")
				}
				for _, again := range d.Repeated()[known:] {
					to, err := src.ParseAddr(again.Get("To"))
					if got, _ := to.Param("tag"); again.Status < 300 && (err != nil || got != tag) {
						t.Errorf("the repeated INVITE was answered %d with To tag %q, the recording session had %q", again.Status, got, tag)
					}
				}
			},
		},
		old("security/replay/2", "A BYE whose CSeq is not above the last one's does not end the recording session.", "BYE", nil),
		old("security/replay/3", "An INVITE of the dialog whose CSeq is not above the last one's changes no stream.", "INVITE",
			func(d *src.Dialog) []src.StreamOffer { return d.WithDirection(src.Inactive) }),
		{
			ID: "security/replay/4", Section: "RFC 3261 §8.2.2.2", Level: check.Should,
			Requirement: "A copy of the INVITE under another branch opens no second recording session.",
			Run: func(ctx context.Context, t *check.T) {
				c := t.Client(ctx)
				d := openBy(ctx, t, c, src.Request{})
				local, _ := d.Tags()
				copied := t.Invite(ctx, c, src.Request{CallID: d.CallID(), FromTag: local, CSeq: d.LastCSeq(), Streams: src.TwoParties()})
				if m := copied.Final(); m.Status < 300 {
					t.Errorf("the copy of the INVITE was answered %d", m.Status)
				}
			},
		},
	}
}

// old is a case of a request within the dialog whose CSeq was there before; offer is what it
// offers, nil for nothing.
func old(id, requirement, method string, offer func(*src.Dialog) []src.StreamOffer) check.Case {
	return check.Case{
		ID: id, Section: "RFC 3261 §12.2.2", Level: check.Must, Requirement: requirement,
		Run: func(ctx context.Context, t *check.T) {
			c := t.Client(ctx)
			d := openBy(ctx, t, c, src.Request{})
			before := t.Answer(d)
			lives(ctx, t, d, before, "nothing")
			r := forged(d)
			r.CSeq = 1
			if offer != nil {
				r.Streams = offer(d)
			}
			if m := t.Do(ctx, c, method, r); m.Status < 400 {
				t.Errorf("%s with CSeq 1 was answered %d", method, m.Status)
			}
			lives(ctx, t, d, before, "an old "+method)
		},
	}
}
