package rfc3261

import (
	"context"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

func section7() []check.Case {
	return []check.Case{
		{
			ID: "rfc3261/7.3.1/1", Section: "RFC 3261 §7.3.1", Level: check.Must,
			Shows:       []string{"3261-7.3.1-01", "DRV8068-examples-01"},
			Requirement: "A header field that is folded over several lines is one field.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Invite(ctx, t.Client(ctx), src.Request{
					Streams: src.TwoParties(), Metadata: check.Conversation().Complete(), Quirks: src.Quirks{Folded: true},
					Require: []string{"siprec,\r\n\tx-unheard-of"},
				})
				t.Status(d.Final(), 420)
				d = t.Invite(ctx, t.Client(ctx), src.Request{
					Streams: src.TwoParties(), Metadata: check.Conversation().Complete(), Quirks: src.Quirks{Folded: true},
				})
				t.Status(d.Final(), 200)
			},
		},
		{
			ID: "rfc3261/7.3.1/2", Section: "RFC 3261 §7.3.1", Level: check.Must,
			Shows:       []string{"3261-7.3.1-01"},
			Requirement: "A list in several header fields of one name is one list.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Invite(ctx, t.Client(ctx), src.Request{
					Streams: src.TwoParties(), Headers: []src.Header{{Name: "Require", Value: "x-unheard-of"}},
				})
				t.Status(d.Final(), 420)
				if !d.Final().Lists("Unsupported", "x-unheard-of") {
					t.Errorf("Unsupported does not list what the second Require asks for")
				}
			},
		},
		{
			ID: "rfc3261/7.3.3/1", Section: "RFC 3261 §7.3.3", Level: check.Must,
			Shows:       []string{"3261-7.3.3-01"},
			Requirement: "Compact names of header fields are understood.",
			Run: func(ctx context.Context, t *check.T) {
				compact := src.Quirks{Compact: true}
				d := t.Open(ctx, src.Request{Metadata: check.Conversation().Complete(), Quirks: compact})
				t.Answer(d)
				m, err := d.Bye(ctx, src.Request{Quirks: compact})
				t.Check(err, "BYE")
				t.Status(m, 200)
			},
		},
	}
}
