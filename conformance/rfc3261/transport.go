package rfc3261

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// datagrams are the cases of messages over UDP (RFC 3261 §18).
func datagrams() []check.Case {
	const section = "RFC 3261 §18.3"
	return []check.Case{
		{
			ID: "rfc3261/18.1.1/1", Section: "RFC 3261 §18.1.1", Level: check.Must, Needs: []string{"udp"},
			Shows:       []string{"3261-18.1.1-01"},
			Requirement: "A message may fill a datagram: an INVITE of 60,000 octets is taken.",
			Run: func(ctx context.Context, t *check.T) {
				overUDP(t)
				t.Answer(t.Open(ctx, src.Request{Metadata: check.Conversation().Complete(), Quirks: src.Quirks{PadTo: 58000}}))
			},
		},
		{
			ID: "rfc3261/18.2.2/1", Section: "RFC 3261 §18.2.2", Level: check.Must, Needs: []string{"udp"},
			Shows:       []string{"3261-18.2.2-01"},
			Requirement: "Without rport, a response goes to the port that the Via names, whatever port the request came from.",
			Run: func(ctx context.Context, t *check.T) {
				overUDP(t)
				from, named := t.Client(ctx), t.Client(ctx)
				callID := "named-" + fmt.Sprint(named.Local().Port()) + "@example.com"
				d := t.Start(ctx, from, src.Request{CallID: callID, Require: []string{"x-unheard-of"}, Edit: func(text string) string {
					text = strings.Replace(text, ";rport", "", 1)
					return strings.Replace(text, "UDP "+from.Local().String(), "UDP "+named.Local().String(), 1)
				}})
				_, err := named.AwaitUnexpected(ctx, func(m *src.Message) bool { return m.Get("Call-ID") == callID })
				if err != nil {
					t.Errorf("no response came to the port of the Via: %v", err)
				}
				if m := d.Final(); m != nil {
					t.Errorf("a response came to the port of the request: %d", m.Status)
				}
			},
		},
		{
			ID: "rfc3261/18.3/1", Section: section, Level: check.Must, Needs: []string{"udp"},
			Shows:       []string{"3261-18.3-01"},
			Requirement: "Octets of a datagram behind the body are none of the message.",
			Run: func(ctx context.Context, t *check.T) {
				overUDP(t)
				answer := t.Answer(t.Open(ctx, src.Request{Edit: func(text string) string {
					_, body, _ := strings.Cut(text, "\r\n\r\n")
					return strings.Replace(text, "{length}", fmt.Sprint(len(body)), 1) + "a=inactive\r\n"
				}}))
				for i := range answer.Media {
					if got := answer.DirectionOf(i); got != src.RecvOnly {
						t.Errorf("m-line %d is answered %s: what stands behind the body was read", i, got)
					}
				}
			},
		},
		{
			ID: "rfc3261/18.3/2", Section: section, Level: check.Must, Needs: []string{"udp"},
			Shows:       []string{"3261-18.3-01"},
			Requirement: "Without Content-Length, the body goes to the end of the datagram.",
			Run: func(ctx context.Context, t *check.T) {
				overUDP(t)
				t.Answer(t.Open(ctx, src.Request{Edit: replaced("Content-Length: {length}\r\n", "")}))
			},
		},
		{
			ID: "rfc3261/18.3/3", Section: section, Level: check.Should, Needs: []string{"udp"},
			Shows:       []string{"3261-18.3-02"},
			Requirement: "A request whose body ends before its Content-Length is refused with 400.",
			Run: func(ctx context.Context, t *check.T) {
				overUDP(t)
				d := t.Invite(ctx, t.Client(ctx), src.Request{Streams: src.TwoParties(), Edit: replaced("{length}", "9000")})
				t.Status(d.Final(), 400)
			},
		},
	}
}

// pieces is the time between the parts of a message that comes in parts.
const pieces = 100 * time.Millisecond

// streams are the cases of messages over TCP and TLS, and of both (RFC 3261 §18).
func streams() []check.Case {
	return []check.Case{
		{
			ID: "rfc3261/7.5/1", Section: "RFC 3261 §7.5", Level: check.Should,
			Shows:       []string{"3261-7.5-01"},
			Requirement: "Empty lines before a message are passed over.",
			Run: func(ctx context.Context, t *check.T) {
				c := t.Client(ctx)
				t.Status(t.Do(ctx, c, "OPTIONS", src.Request{Edit: func(text string) string {
					return "\r\n\r\n" + strings.Replace(text, "{length}", "0", 1)
				}}), 200)
				t.Status(t.Do(ctx, c, "OPTIONS", src.Request{}), 200)
			},
		},
		{
			ID: "rfc3261/18.2.1/2", Section: "RFC 3261 §18.2.1", Level: check.Must,
			Shows:       []string{"3261-18.2.1-01"},
			Requirement: "When the Via names a host that is not the source address, the response says the source in received.",
			Run: func(ctx context.Context, t *check.T) {
				c := t.Client(ctx)
				own := c.Local().String()
				via := t.Do(ctx, c, "OPTIONS", src.Request{Edit: replaced(own+";branch", "src.example.com;branch")}).Get("Via")
				if !strings.Contains(via+";", ";received="+c.Local().Addr().String()+";") {
					t.Errorf("Via is %q, the request came from %s", via, own)
				}
			},
		},
		{
			ID: "rfc3261/18.2.2/2", Section: "RFC 3261 §18.2.2", Level: check.Derived,
			Shows:       []string{"3261-18.2.2-02"},
			Requirement: "A dialog is not bound to its connection: requests that come on another are of it.",
			Run: func(ctx context.Context, t *check.T) {
				overStream(t)
				next, c := t.Client(ctx), t.Client(ctx)
				d := t.Invite(ctx, c, src.Request{Streams: src.TwoParties()})
				t.Status(d.Final(), 200)
				before := t.Answer(d)
				d.Move(next)
				m, err := d.Reinvite(ctx, src.Request{Streams: d.Offers()})
				t.Check(err, "re-INVITE on another connection")
				t.Status(m, 200)
				unchanged(t, before, t.Answer(d))
			},
		},
		{
			ID: "rfc3261/18.3/4", Section: "RFC 3261 §18.3", Level: check.Must,
			Shows:       []string{"3261-18.3-01"},
			Requirement: "Two requests that come in one piece of a stream are two, by their Content-Length.",
			Run: func(ctx context.Context, t *check.T) {
				overStream(t)
				c := t.Client(ctx)
				first, second := newBranch(), newBranch()
				t.Check(c.Send([]byte(options(t, c, first)+options(t, c, second))), "send two OPTIONS")
				answered(ctx, t, c, first)
				answered(ctx, t, c, second)
			},
		},
		{
			ID: "rfc3261/18.3/5", Section: "RFC 3261 §18.3", Level: check.Must,
			Shows:       []string{"3261-18.3-01"},
			Requirement: "A request that comes in pieces of a stream is one.",
			Run: func(ctx context.Context, t *check.T) {
				overStream(t)
				c := t.Client(ctx)
				branch := newBranch()
				text := options(t, c, branch)
				for i, cuts := 0, []int{9, len(text) / 2, len(text) - 3, len(text)}; len(cuts) > 0; cuts = cuts[1:] {
					t.Check(c.Send([]byte(text[i:cuts[0]])), "send a piece")
					i = cuts[0]
					select {
					case <-time.After(pieces):
					case <-ctx.Done():
					}
				}
				answered(ctx, t, c, branch)
			},
		},
	}
}

// overStream skips a case over UDP.
func overStream(t *check.T) {
	if t.Transport() == "udp" {
		t.Skipf("UDP is no stream")
	}
}

// newBranch is that of a request of its own.
func newBranch() string { return fmt.Sprintf("z9hG4bK-raw-%d", time.Now().UnixNano()) }

// options is the text of an OPTIONS outside any dialog.
func options(t *check.T, c *src.SRC, branch string) string {
	return fmt.Sprintf("OPTIONS sip:%s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=%s;rport\r\nMax-Forwards: 70\r\n"+
		"From: <sip:src@example.com>;tag=raw\r\nTo: <sip:%s>\r\nCall-ID: %s\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
		t.Address(), strings.ToUpper(t.Transport()), c.Local(), branch, t.Address(), branch)
}

// answered fails unless an OPTIONS is answered with 200.
func answered(ctx context.Context, t *check.T, c *src.SRC, branch string) {
	m, err := c.AwaitUnexpected(ctx, func(m *src.Message) bool { return m.Branch() == branch })
	if err != nil {
		t.Fatalf("an OPTIONS is not answered: %v", err)
	}
	t.Status(m, 200)
}
