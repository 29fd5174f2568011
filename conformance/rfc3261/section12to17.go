package rfc3261

import (
	"bytes"
	"context"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

func section12() []check.Case {
	return []check.Case{
		{
			ID: "rfc3261/12.2.2/1", Section: "RFC 3261 §12.2.2", Level: check.Must,
			Shows:       []string{"3261-12.2.2-01"},
			Requirement: "A request with a To tag that matches no dialog is refused with 481, and the dialog goes on.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				missing(ctx, t, d, src.Request{ToTag: "not-this-one"})
				m, err := d.Reinvite(ctx, src.Request{Streams: d.Offers()})
				t.Check(err, "re-INVITE")
				t.Status(m, 200)
			},
		},
		{
			ID: "rfc3261/12.2.2/2", Section: "RFC 3261 §12.2.2", Level: check.Must,
			Shows:       []string{"DRV3261-12.2.2-01", "7866-9.2-01"},
			Requirement: "A new request with a lower CSeq than the last is refused with 500.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				m, err := d.Reinvite(ctx, src.Request{Streams: d.Offers()})
				t.Check(err, "re-INVITE")
				t.Status(m, 200)
				m, err = d.Update(ctx, src.Request{Metadata: check.Conversation().Complete(), CSeq: 1})
				t.Check(err, "UPDATE with an old CSeq")
				t.Status(m, 500)
			},
		},
	}
}

func section13() []check.Case {
	return []check.Case{{
		ID: "rfc3261/13.3.1.4/1", Section: "RFC 3261 §13.3.1.4", Level: check.Must,
		Shows:       []string{"DRV3261-13.3.1.4-01"},
		Requirement: "The 200 to an INVITE is sent again until its ACK comes, over any transport.",
		Run: func(ctx context.Context, t *check.T) {
			d := t.Open(ctx, src.Request{WithholdACK: true})
			if n, err := d.AwaitRepeats(ctx, 2); err != nil {
				t.Errorf("200 without ACK was repeated %d times only: %v", n, err)
			}
			t.Check(d.Ack(), "ACK")
		},
	}}
}

func section15() []check.Case {
	return []check.Case{
		{
			ID: "rfc3261/15.1.2/1", Section: "RFC 3261 §15.1.2", Level: check.Should,
			Shows:       []string{"DRV3261-15.1.2-01"},
			Requirement: "A BYE of a dialog that does not exist is refused with 481.",
			Run: func(ctx context.Context, t *check.T) {
				t.Status(t.Do(ctx, t.Client(ctx), "BYE", src.Request{ToTag: "never-was"}), 481)
			},
		},
		{
			ID: "rfc3261/15.1.2/2", Section: "RFC 3261 §15.1.2", Level: check.Must,
			Shows:       []string{"DRV3261-15.1.2-01"},
			Requirement: "A BYE is answered 200 and ends the dialog: a later request is refused with 481.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				m, err := d.Bye(ctx, src.Request{})
				t.Check(err, "BYE")
				t.Status(m, 200)
				missing(ctx, t, d, src.Request{})
			},
		},
	}
}

func section17() []check.Case {
	return []check.Case{{
		ID: "rfc3261/17.2.1/1", Section: "RFC 3261 §17.2.1, §13.3.1.4", Level: check.Must, Needs: []string{"udp"},
		Shows:       []string{"3261-17.2.1-01"},
		Requirement: "A retransmitted INVITE opens nothing new: the same 200 comes again.",
		Run: func(ctx context.Context, t *check.T) {
			if t.Transport() != "udp" {
				t.Skipf("nothing is retransmitted over %s", t.Transport())
			}
			c := t.Client(ctx)
			d := t.Invite(ctx, c, src.Request{Streams: src.TwoParties(), WithholdACK: true})
			t.Status(d.Final(), 200)
			t.Check(d.Resend(), "INVITE again")
			_, err := d.AwaitRepeats(ctx, 1)
			if err != nil {
				t.Fatalf("no response to the retransmitted INVITE: %v", err)
			}
			for _, m := range d.Repeated() {
				if !bytes.Equal(m.Body, d.Final().Body) || m.Get("To") != d.Final().Get("To") || m.Status != d.Final().Status {
					t.Errorf("a retransmitted INVITE got another answer")
				}
			}
			t.Check(d.Ack(), "ACK")
		},
	}}
}
