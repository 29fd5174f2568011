package rfc3261

import (
	"context"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

func section8() []check.Case {
	return []check.Case{
		{
			ID: "rfc3261/8.2.2.3/1", Section: "RFC 3261 §8.2.2.3", Level: check.Must,
			Shows:       []string{"DRV3261-8.2.2.3-01"},
			Requirement: "An unknown option in Require is refused with 420, and Unsupported lists it and nothing that is known.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Invite(ctx, t.Client(ctx), src.Request{
					Streams: src.TwoParties(), Require: []string{"siprec", "x-unheard-of"},
				})
				t.Status(d.Final(), 420)
				if !d.Final().Lists("Unsupported", "x-unheard-of") {
					t.Errorf("Unsupported does not list the unknown option")
				}
				if d.Final().Lists("Unsupported", "siprec") {
					t.Errorf("Unsupported lists siprec")
				}
			},
		},
		{
			ID: "rfc3261/8.2.3/1", Section: "RFC 3261 §8.2.3", Level: check.Must,
			Shows:       []string{"DRV3261-8.2.3-01"},
			Requirement: "A body of unknown type is refused with 415, and Accept lists application/sdp.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Invite(ctx, t.Client(ctx), src.Request{
					Body: []byte("\x89PNG"), ContentType: "image/png",
				})
				t.Status(d.Final(), 415)
				if !d.Final().Lists("Accept", "application/sdp") {
					t.Errorf("Accept of the 415 does not list application/sdp")
				}
			},
		},
	}
}

func section9() []check.Case {
	return []check.Case{{
		ID: "rfc3261/9.2/2", Section: "RFC 3261 §9.2", Level: check.Should,
		Shows:       []string{"3261-9.2-01"},
		Requirement: "A CANCEL that matches no INVITE is refused with 481.",
		Run: func(ctx context.Context, t *check.T) {
			t.Status(t.Do(ctx, t.Client(ctx), "CANCEL", src.Request{}), 481)
		},
	}, {
		ID: "rfc3261/9.2/1", Section: "RFC 3261 §9.2", Level: check.Must,
		Shows:       []string{"DRV3261-9-01"},
		Requirement: "A CANCEL of an INVITE is answered 200, and the INVITE with 487, or with 200 when that was on its way.",
		Run: func(ctx context.Context, t *check.T) {
			d := t.Start(ctx, t.Client(ctx), src.Request{Streams: src.TwoParties()})
			m, err := d.Cancel(ctx)
			t.Check(err, "CANCEL")
			final, err := d.Wait(ctx)
			t.Check(err, "INVITE after CANCEL")
			t.Status(final, 200, 487)
			// A CANCEL that overtook its INVITE, or came after a transaction
			// that 200 ended, matches nothing (RFC 3261 §9.2).
			if final.Status == 487 {
				t.Status(m, 200)
			} else {
				t.Status(m, 200, 481)
			}
		},
	}}
}

func section11() []check.Case {
	return []check.Case{{
		ID: "rfc3261/11.2/1", Section: "RFC 3261 §11.2", Level: check.Should,
		Shows:       []string{"3261-11.2-01"},
		Requirement: "OPTIONS is answered 200 with Allow and Accept, which list what a recording session needs.",
		Run: func(ctx context.Context, t *check.T) {
			m := t.Do(ctx, t.Client(ctx), "OPTIONS", src.Request{})
			t.Status(m, 200)
			for _, method := range []string{"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS"} {
				if !m.Lists("Allow", method) {
					t.Errorf("Allow does not list %s", method)
				}
			}
			if !m.Lists("Accept", "application/sdp") {
				t.Errorf("Accept does not list application/sdp")
			}
			if !m.Lists("Accept", src.TypeMetadata) {
				t.Errorf("Accept does not list %s", src.TypeMetadata)
			}
		},
	}}
}
