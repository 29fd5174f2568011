package robustness

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// patience is how long an answer is waited for.
const patience = 2 * time.Second

// A probe is one message, and the answers to it that are right.
type probe struct {
	id, section string
	level       check.Level
	requirement string
	method      string // default INVITE
	request     src.Request
	want        []int // statuses; below 10 all of that class
	silent      bool  // no answer is right too
	lines       int   // m-lines that the answer has to have when it is 200; 0: any
	datagram    bool  // for UDP only
	// unframed is what leaves open where the next message begins, so that a stream is
	// of no more use.
	unframed bool
}

func (p probe) asCase() check.Case {
	return check.Case{
		ID: p.id, Section: p.section, Level: p.level, Requirement: p.requirement, Shows: []string{"4475-3-01"},
		Run: func(ctx context.Context, t *check.T) { p.run(ctx, t) },
	}
}

// run sends the message beside a recording session, looks at the answer, and then at the
// recording session and at a new one.
func (p probe) run(ctx context.Context, t *check.T) {
	if p.datagram && t.Transport() != "udp" {
		t.Skipf("this is about datagrams")
	}
	c := t.Client(ctx)
	mine := c
	if p.unframed && t.Transport() != "udp" {
		mine = t.Client(ctx)
	}
	before := open(ctx, t, mine)
	p.judge(t, p.exchange(ctx, t, c))
	goesOn(ctx, t, before)
	open(ctx, t, mine)
}

// judge looks at the answer; nil is none.
func (p probe) judge(t *check.T, m *src.Message) {
	switch {
	case m == nil && !p.silent:
		t.Errorf("%s was not answered", cmp.Or(p.method, "INVITE"))
	case m == nil:
	case !slices.ContainsFunc(p.want, func(w int) bool { return m.Status == w || m.Status/100 == w }):
		t.Errorf("%s was answered %d %s, expected %s", cmp.Or(p.method, "INVITE"), m.Status, m.Reason, statuses(p.want))
	case p.lines > 0 && m.Status == 200:
		if sdp, err := m.SDP(); err != nil || sdp == nil || len(sdp.Media) != p.lines {
			t.Errorf("the answer has not %d m-lines: %v", p.lines, err)
		}
	}
}

func statuses(want []int) string {
	var out []string
	for _, w := range want {
		if w < 10 {
			out = append(out, fmt.Sprintf("%dxx", w))
		} else {
			out = append(out, fmt.Sprint(w))
		}
	}
	return strings.Join(out, " or ")
}

// exchange sends the message and waits for the answer to it; nil is none. An answer need
// not belong to a transaction: a server repeats what it could read.
func (p probe) exchange(ctx context.Context, t *check.T, c *src.SRC) *src.Message {
	wait := p.send(ctx, t, c)
	bounded, cancel := context.WithTimeout(ctx, patience)
	if p.silent {
		cancel()
		bounded, cancel = context.WithTimeout(ctx, patience/8)
	}
	defer cancel()
	found := make(chan *src.Message, 2)
	go func() { found <- wait(bounded) }()
	go func() {
		m, _ := c.AwaitUnexpected(bounded, func(m *src.Message) bool { return m.Status >= 200 })
		if m != nil {
			settle(c, m)
		}
		found <- m
	}()
	for range 2 {
		if m := <-found; m != nil {
			return m
		}
	}
	return nil
}

// send sends the message, and returns what waits for the answer of its transaction.
func (p probe) send(ctx context.Context, t *check.T, c *src.SRC) func(ctx context.Context) *src.Message {
	r := p.request
	if p.method == "" {
		if r.Streams == nil && r.Body == nil {
			r.Streams = src.TwoParties()
		}
		d := t.Start(ctx, c, r)
		return func(ctx context.Context) *src.Message {
			m, err := d.Wait(ctx)
			if err != nil {
				return nil
			}
			return m
		}
	}
	r.RequestURI = t.RequestURI()
	return func(ctx context.Context) *src.Message {
		m, err := c.Do(ctx, p.method, r)
		if err != nil {
			return nil
		}
		return m
	}
}

// settle ends the dialog that a 200 opened without a transaction of ours.
func settle(c *src.SRC, m *src.Message) {
	n, method := m.CSeq()
	contact, err := src.ParseAddr(m.Get("Contact"))
	if m.Status >= 300 || method != "INVITE" || err != nil {
		return
	}
	transport, _, _ := strings.Cut(strings.TrimPrefix(m.Get("Via"), "SIP/2.0/"), " ")
	for i, method := range []string{"ACK", "BYE"} {
		// Whether it comes back is not of interest.
		_ = c.Send(fmt.Appendf(nil, "%s %s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bKsettle%d%s;rport\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nContent-Length: 0\r\n\r\n",
			method, contact.URI, transport, c.Local(), n, method, m.Get("From"), m.Get("To"), m.Get("Call-ID"), int(n)+i, method))
	}
}

// open opens a proper recording session.
func open(ctx context.Context, t *check.T, c *src.SRC) *src.Dialog {
	d := t.Invite(ctx, c, src.Request{Streams: src.TwoParties(), Metadata: check.Conversation().Complete()})
	t.Status(d.Final(), 200)
	for i, m := range t.Answer(d).Media {
		if m.Port == 0 {
			t.Errorf("m-line %d of a proper recording session is refused", i)
		}
	}
	return d
}

// goesOn fails unless a recording session is there as before.
func goesOn(ctx context.Context, t *check.T, d *src.Dialog) {
	m, err := d.Reinvite(ctx, src.Request{Streams: d.Offers()})
	t.Check(err, "re-INVITE of the recording session beside it")
	t.Status(m, 200)
}

// survival is the case that sends all messages of a class in a row, without waiting, and
// then looks at the recording session beside them, and at a new one.
func (c class) survival() check.Case {
	return check.Case{
		ID: "robustness/survival/" + c.name, Section: "RFC 4475 §3", Level: check.Derived, Shows: []string{"4475-3-01"},
		Requirement: fmt.Sprintf("All the %s in a row cost neither the recording session beside them nor the next one.", c.what),
		Run: func(ctx context.Context, t *check.T) {
			mine := t.Client(ctx)
			before := open(ctx, t, mine)
			for _, p := range c.probes {
				if p.datagram && t.Transport() != "udp" {
					continue
				}
				other := mine
				if p.unframed && t.Transport() != "udp" {
					other = t.Client(ctx)
				}
				wait := p.send(ctx, t, other)
				if p.method != "" {
					ended, cancel := context.WithCancel(ctx)
					go func() {
						defer cancel()
						wait(ended)
					}()
					t.Cleanup(cancel)
				}
			}
			goesOn(ctx, t, before)
			open(ctx, t, mine)
		},
	}
}
