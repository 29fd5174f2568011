// Package rfc3311 checks the UPDATE method (RFC 3311).
package rfc3311

import (
	"context"
	"strings"

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
			Run: check.TwoSpeak(func(ctx context.Context, a *check.Audio) {
				d := a.Dialog()
				a.Say(ctx, 25, src.PlayOptions{})
				a.Update(ctx, d.WithDirection(src.Inactive))
				a.SayUnheard(ctx, 25, src.PlayOptions{})
				a.Update(ctx, d.WithDirection(src.SendOnly))
				a.Say(ctx, 25, src.PlayOptions{})
			}),
		},
		{
			ID: "rfc3311/5.2/4", Section: "RFC 3311 §5.2", Level: check.Must, Needs: []string{"update"},
			Shows:       []string{"3311-5.2-03"},
			Requirement: "An UPDATE whose description cannot be read is refused with a 4xx, and the recording session goes on as it was.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				before := t.Answer(d)
				m, err := d.Update(ctx, src.Request{Body: []byte("v=0\r\nthis is no description\r\n"), ContentType: "application/sdp"})
				t.Check(err, "UPDATE")
				if m.Status < 400 || m.Status > 499 {
					t.Errorf("it is answered %d %s", m.Status, m.Reason)
				}
				m, err = d.Update(ctx, src.Request{Streams: d.Offers()})
				t.Check(err, "UPDATE after it")
				t.Status(m, 200)
				for i, line := range t.Answer(d).Media {
					if line.Port != before.Media[i].Port {
						t.Errorf("m-line %d went from port %d to %d", i, before.Media[i].Port, line.Port)
					}
				}
			},
		},
		{
			ID: "rfc3311/5.2/5", Section: "RFC 3311 §5.2, RFC 3261 §12.2.2", Level: check.Must, Needs: []string{"update"},
			Shows:       []string{"3261-12.2.2-01"},
			Requirement: "An UPDATE of a dialog that does not exist is refused with 481.",
			Run: func(ctx context.Context, t *check.T) {
				t.Status(t.Do(ctx, t.Client(ctx), "UPDATE", src.Request{ToTag: "never-was"}), 481)
			},
		},
		{
			ID: "rfc3311/5.2/6", Section: "RFC 3311 §5.2, RFC 3261 §12.2.2", Level: check.Must, Needs: []string{"update", "snapshot"},
			Shows:       []string{"3261-12.2.2-03"},
			Requirement: "An UPDATE with another Contact moves the target: requests of the server go there.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				m, err := d.Update(ctx, src.Request{Metadata: check.Conversation().Hold(0), Edit: func(text string) string {
					return strings.Replace(text, "\r\nContact: <sip:src@", "\r\nContact: <sip:moved@", 1)
				}})
				t.Check(err, "UPDATE")
				t.Status(m, 200)
				own, err := d.NextRequest(ctx, "UPDATE")
				if err != nil {
					t.Fatalf("no UPDATE of the server came: %v", err)
				}
				if !strings.HasPrefix(own.RequestURI, "sip:moved@") {
					t.Errorf("Request-URI is %s", own.RequestURI)
				}
			},
		},
	}
}
