// Package rfc3311 checks the UPDATE method (RFC 3311).
package rfc3311

import (
	"context"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// Cases lists the cases in the order of the sections.
func Cases() []check.Case {
	return []check.Case{
		{
			ID: "rfc3311/4/1", Section: "RFC 3311 §4", Level: check.Derived, Needs: []string{"update"},
			Shows:       []string{"DRV3311-4-01"},
			Requirement: "The 200 to an INVITE lists UPDATE in Allow, without which no SRC may use it.",
			Run: func(ctx context.Context, t *check.T) {
				if !t.Open(ctx, src.Request{}).Final().Lists("Allow", "UPDATE") {
					t.Errorf("Allow does not list UPDATE")
				}
			},
		},
		{
			ID: "rfc3311/5.2/1", Section: "RFC 3311 §5.2", Level: check.Must, Needs: []string{"update"},
			Shows:       []string{"3311-5.2-02", "7866-7.1.1.1-03"},
			Requirement: "An UPDATE with an offer is answered 200 with an answer to it.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				m, err := d.Update(ctx, src.Request{Streams: d.WithDirection(src.Inactive)})
				t.Check(err, "UPDATE with an offer")
				t.Status(m, 200)
				sdp, err := m.SDP()
				if sdp == nil || err != nil {
					t.Fatalf("200 to an UPDATE with an offer holds no SDP that can be read: %v", err)
				}
				answer := t.Answer(d)
				for i := range answer.Media {
					if got := answer.DirectionOf(i); got != src.Inactive {
						t.Errorf("m-line %d, offered inactive, is answered %s", i, got)
					}
				}
			},
		},
		{
			ID: "rfc3311/5.2/2", Section: "RFC 3311 §5.2", Level: check.Must, Needs: []string{"update"},
			Shows:       []string{"3311-5.2-02"},
			Requirement: "An UPDATE without a body is answered 200, without one and with a Contact.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				m, err := d.Update(ctx, src.Request{})
				t.Check(err, "UPDATE without a body")
				t.Status(m, 200)
				if len(m.Body) > 0 || !m.Has("Contact") {
					t.Errorf("the 200 has a body of %d octets and the Contact %q", len(m.Body), m.Get("Contact"))
				}
			},
		},
		{
			ID: "rfc3311/5.2/3", Section: "RFC 3311 §5.2, RFC 7866 §7.1.1.1", Level: check.Derived, Needs: []string{"update", check.Files},
			Shows:       []string{"3311-5.2-02", "7866-7.1.1.1-03"},
			Requirement: "An UPDATE that makes the streams inactive ends what is kept, and one that makes them sendonly begins it again.",
			Run: func(ctx context.Context, t *check.T) {
				a := t.Audio("Nora", "Desk")
				d := a.Open(ctx, src.Request{})
				a.Say(ctx, 25, src.PlayOptions{}, a.Speaker(0), a.Speaker(1))
				a.Update(ctx, d.WithDirection(src.Inactive))
				a.SayUnheard(ctx, 25, src.PlayOptions{}, a.Speaker(0), a.Speaker(1))
				a.Update(ctx, d.WithDirection(src.SendOnly))
				a.Say(ctx, 25, src.PlayOptions{}, a.Speaker(0), a.Speaker(1))
				a.Stored(ctx)
			},
		},
	}
}
