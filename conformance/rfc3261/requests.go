package rfc3261

import (
	"context"
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// requests are the cases of how any request is looked at (RFC 3261 §8.1.1, §8.2).
func requests() []check.Case { return append(inspected(), refusedBodies()...) }

func inspected() []check.Case {
	return []check.Case{
		{
			ID: "rfc3261/8.1.1.6/1", Section: "RFC 3261 §8.1.1.6, §16.3", Level: check.Must,
			Shows:       []string{"3261-8.1.1.6-01"},
			Requirement: "A request whose Max-Forwards is 0 has arrived: it is not refused with 483.",
			Run: func(ctx context.Context, t *check.T) {
				t.Open(ctx, src.Request{MaxForwards: "0"})
			},
		},
		{
			ID: "rfc3261/8.2.1/1", Section: "RFC 3261 §8.2.1, §21.5.2", Level: check.Must,
			Shows:       []string{"3261-8.2.1-01"},
			Requirement: "A method that nobody knows is refused with 405, and Allow lists those that are supported, or with 501.",
			Run: func(ctx context.Context, t *check.T) {
				m := t.Do(ctx, t.Client(ctx), "UNHEARD", src.Request{})
				t.Status(m, 405, 501)
				if m.Status == 405 && !m.Lists("Allow", "INVITE") || m.Lists("Allow", "UNHEARD") {
					t.Errorf("Allow of the %d is %q", m.Status, m.Get("Allow"))
				}
			},
		},
		{
			ID: "rfc3261/8.2.1/2", Section: "RFC 3261 §8.2.1, §21.5.2", Level: check.Must,
			Shows:       []string{"3261-8.2.1-01"},
			Requirement: "A method that nobody knows is refused within a dialog too, which goes on.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				m, err := d.Do(ctx, "UNHEARD", src.Request{})
				t.Check(err, "UNHEARD")
				t.Status(m, 405, 501)
				m, err = d.Reinvite(ctx, src.Request{Streams: d.Offers()})
				t.Check(err, "re-INVITE")
				t.Status(m, 200)
			},
		},
		{
			ID: "rfc3261/8.2.6.2/1", Section: "RFC 3261 §8.2.6.2", Level: check.Must,
			Shows:       []string{"3261-8.2.6.2-01"},
			Requirement: "A response repeats From, Call-ID and CSeq as they were sent, and its To has a tag.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{CallID: "one(of){many}<%41>?@example.com", From: "sip:the%20src@example.com"})
				m := d.Final()
				local, remote := d.Tags()
				if got := m.Get("Call-ID"); got != d.CallID() {
					t.Errorf("Call-ID is %q, sent %q", got, d.CallID())
				}
				from, err := src.ParseAddr(m.Get("From"))
				if tag, _ := from.Param("tag"); err != nil || tag != local || from.URI != "sip:the%20src@example.com" {
					t.Errorf("From is %q", m.Get("From"))
				}
				if n, method := m.CSeq(); n != d.LastCSeq() || method != "INVITE" {
					t.Errorf("CSeq is %q", m.Get("CSeq"))
				}
				if remote == "" {
					t.Errorf("To has no tag: %q", m.Get("To"))
				}
			},
		},
	}
}

func refusedBodies() []check.Case {
	return []check.Case{
		{
			ID: "rfc3261/8.2.2.3/2", Section: "RFC 3261 §8.2.2.3", Level: check.Must,
			Shows:       []string{"DRV3261-8.2.2.3-01"},
			Requirement: "Require is minded in OPTIONS too; siprec is understood there.",
			Run: func(ctx context.Context, t *check.T) {
				c := t.Client(ctx)
				m := t.Do(ctx, c, "OPTIONS", src.Request{Require: []string{"x-unheard-of"}})
				t.Status(m, 420)
				t.Status(t.Do(ctx, c, "OPTIONS", src.Request{Require: []string{"siprec"}}), 200)
			},
		},
		{
			ID: "rfc3261/8.2.2.3/3", Section: "RFC 3261 §8.2.2.3, §14.2", Level: check.Must,
			Shows:       []string{"DRV3261-8.2.2.3-01", "3261-14.2-03"},
			Requirement: "A re-INVITE that requires an unknown option is refused with 420, and the dialog goes on as it was.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				before := t.Answer(d)
				m, err := d.Reinvite(ctx, src.Request{Streams: d.WithDirection(src.Inactive), Require: []string{"x-unheard-of"}})
				t.Check(err, "re-INVITE")
				t.Status(m, 420)
				m, err = d.Reinvite(ctx, src.Request{Streams: d.WithDirection(src.SendOnly)})
				t.Check(err, "re-INVITE")
				t.Status(m, 200)
				for i, line := range t.Answer(d).Media {
					if line.Port != before.Media[i].Port || line.Direction != before.Media[i].Direction {
						t.Errorf("m-line %d is answered %d %s, before it was %d %s", i, line.Port, line.Direction, before.Media[i].Port, before.Media[i].Direction)
					}
				}
			},
		},
		{
			ID: "rfc3261/8.2.3/2", Section: "RFC 3261 §8.2.3", Level: check.Must,
			Shows:       []string{"DRV3261-8.2.3-02"},
			Requirement: "A body in an unknown encoding is refused with 415, and Accept-Encoding says what is understood.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Invite(ctx, t.Client(ctx), src.Request{
					Streams: src.TwoParties(), Headers: []src.Header{{Name: "Content-Encoding", Value: "x-unheard-of"}},
				})
				t.Status(d.Final(), 415)
				if !d.Final().Has("Accept-Encoding") || strings.Contains(d.Final().Get("Accept-Encoding"), "x-unheard-of") {
					t.Errorf("Accept-Encoding of the 415 is %q", d.Final().Get("Accept-Encoding"))
				}
			},
		},
	}
}
