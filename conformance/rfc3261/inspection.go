package rfc3261

import (
	"context"
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// replaced changes one text of a request.
func replaced(old, replacement string) func(string) string {
	return func(text string) string { return strings.Replace(text, old, replacement, 1) }
}

// inspections are further cases of how a request is looked at (RFC 3261 §8.1.1, §8.2).
func inspections() []check.Case {
	return []check.Case{
		{
			ID: "rfc3261/8.1.1.5/1", Section: "RFC 3261 §8.1.1.5, RFC 4475 §3.1.2.17", Level: check.Derived,
			Shows:       []string{"3261-8.1.1.5-01"},
			Requirement: "A request whose CSeq names another method is refused with 400.",
			Run: func(ctx context.Context, t *check.T) {
				c := t.Client(ctx)
				d := t.Start(ctx, c, src.Request{Streams: src.TwoParties(), Edit: replaced("1 INVITE\r\n", "1 OPTIONS\r\n")})
				m, err := c.AwaitUnexpected(ctx, func(m *src.Message) bool { return m.Status >= 200 && m.Get("Call-ID") == d.CallID() })
				if err != nil {
					t.Fatalf("it gets no final response: %v", err)
				}
				t.Status(m, 400)
			},
		},
		{
			ID: "rfc3261/8.1.1.8/1", Section: "RFC 3261 §8.1.1.8, §12.1.1", Level: check.Derived,
			Shows:       []string{"3261-8.1.1.8-01"},
			Requirement: "An INVITE without Contact, which it must have, is taken or refused with 400.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Invite(ctx, t.Client(ctx), src.Request{Streams: src.TwoParties(), Edit: func(text string) string {
					before, rest, _ := strings.Cut(text, "\r\nContact: ")
					_, after, _ := strings.Cut(rest, "\r\n")
					return before + "\r\n" + after
				}})
				t.Status(d.Final(), 200, 400)
			},
		},
		{
			ID: "rfc3261/8.2.1/3", Section: "RFC 3261 §8.2.1, §21.5.2", Level: check.Must,
			Shows:       []string{"3261-8.2.1-01"},
			Requirement: "MESSAGE, SUBSCRIBE, PUBLISH and REFER are answered: taken, or refused as a method that is not supported.",
			Run: func(ctx context.Context, t *check.T) {
				c := t.Client(ctx)
				for _, method := range []string{"MESSAGE", "SUBSCRIBE", "PUBLISH", "REFER"} {
					if m := t.Do(ctx, c, method, src.Request{}); m.Status >= 500 && m.Status != 501 {
						t.Errorf("%s is answered %d %s", method, m.Status, m.Reason)
					}
				}
			},
		},
		{
			ID: "rfc3261/8.2.2.1/1", Section: "RFC 3261 §8.2.2.1", Level: check.Should,
			Shows:       []string{"3261-8.2.2.1-01"},
			Requirement: "A Request-URI of a scheme that is not supported is refused with 416.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Invite(ctx, t.Client(ctx), src.Request{
					Streams: src.TwoParties(), RequestURI: "unheard-of:srs", To: "sip:srs@example.com",
				})
				t.Status(d.Final(), 416)
			},
		},
		{
			ID: "rfc3261/8.2.2.1/2", Section: "RFC 3261 §8.2.2.1", Level: check.Should,
			Shows:       []string{"3261-8.2.2.1-01"},
			Requirement: "Whom the To names is no reason to refuse: a telephone number, or somebody of another domain.",
			Run: func(ctx context.Context, t *check.T) {
				for _, to := range []string{"tel:+12025550143", "sip:somebody@elsewhere.example.net"} {
					t.Open(ctx, src.Request{To: to})
				}
			},
		},
		{
			ID: "rfc3261/8.2.2.2/1", Section: "RFC 3261 §8.2.2.2", Level: check.Should,
			Shows:       []string{"3261-8.2.2.2-01"},
			Requirement: "An INVITE that comes on two ways opens one recording session; the second copy is refused with 482.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{WithholdACK: true})
				m, err := d.Do(ctx, "INVITE", src.Request{Streams: d.Offers(), NoToTag: true, CSeq: d.LastCSeq()})
				t.Check(err, "INVITE on another way")
				t.Status(m, 482)
				t.Check(d.Ack(), "ACK")
				m, err = d.Reinvite(ctx, src.Request{Streams: d.Offers()})
				t.Check(err, "re-INVITE")
				t.Status(m, 200)
			},
		},
		{
			ID: "rfc3261/8.2.2.3/4", Section: "RFC 3261 §8.2.2.3", Level: check.Must,
			Shows:       []string{"3261-8.2.2.3-02"},
			Requirement: "Require is not looked at in CANCEL, which is never refused with 420.",
			Run: func(ctx context.Context, t *check.T) {
				m := t.Do(ctx, t.Client(ctx), "CANCEL", src.Request{Headers: []src.Header{{Name: "Require", Value: "x-unheard-of"}}})
				t.Status(m, 481, 200)
			},
		},
		{
			ID: "rfc3261/8.2.2.3/5", Section: "RFC 3261 §20.29", Level: check.Derived,
			Shows:       []string{"3261-8.2.2.3-02"},
			Requirement: "Proxy-Require is for proxies: an unknown option in it is no reason to refuse.",
			Run: func(ctx context.Context, t *check.T) {
				t.Open(ctx, src.Request{Headers: []src.Header{{Name: "Proxy-Require", Value: "x-unheard-of"}}})
			},
		},
		{
			ID: "rfc3261/21.4.1/1", Section: "RFC 3261 §21.4.1, §8.1.1.5", Level: check.Derived,
			Shows:       []string{"3261-21.4.1-01"},
			Requirement: "An INVITE whose CSeq is no number is refused with 400.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Invite(ctx, t.Client(ctx), src.Request{Streams: src.TwoParties(), Edit: replaced("CSeq: 1 ", "CSeq: one ")})
				t.Status(d.Final(), 400)
			},
		},
	}
}
