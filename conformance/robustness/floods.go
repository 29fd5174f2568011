package robustness

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// How much a flood is, and how long it may take.
const (
	invites  = 2000
	requests = 2000
	repeats  = 1000
	garbage  = 10000
	again    = 40
	wave     = 50 // INVITEs at a time
	rising   = 8 * time.Second
	flooding = 2 * time.Minute
)

// flood makes a case that runs alone. A recording session is open beside it.
func flood(n int, section string, level check.Level, requirement string, run func(ctx context.Context, t *check.T)) check.Case {
	return check.Case{
		ID: fmt.Sprintf("robustness/flood/%d", n), Section: section, Level: level, Requirement: requirement,
		Shows: []string{"4475-3-01"}, Alone: true, Timeout: flooding,
		Run: func(ctx context.Context, t *check.T) {
			before := open(ctx, t, t.Client(ctx))
			run(ctx, t)
			goesOn(ctx, t, before)
			recovers(ctx, t)
		},
	}
}

// recovers opens a proper recording session once the server has drawn breath: one that
// is full says so by 503 for a while.
func recovers(ctx context.Context, t *check.T) {
	c := t.Client(ctx)
	for {
		d := t.Invite(ctx, c, src.Request{Streams: src.TwoParties()})
		if final := d.Final(); final.Status != 503 {
			t.Status(final, 200)
			return
		}
		select {
		case <-time.After(patience / 4):
		case <-ctx.Done():
			t.Fatalf("no recording session is taken after the flood")
		}
	}
}

// plain is an offer of one stream that is never sent.
func plain(n int) src.Request {
	return src.Request{
		ContentType: "application/sdp", WithholdACK: true,
		Body: fmt.Appendf(nil, "v=0\r\no=- %d 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\na=sendonly\r\na=label:1\r\n", n),
	}
}

// floods are more messages than a server has reason to expect, and no more than any
// machine can send.
func floods() []check.Case {
	const section = "RFC 3261 §26.3.2.4"
	return []check.Case{
		flood(1, section, check.Derived, "INVITEs that are never acknowledged, up to two thousand, are each answered, and keep out nobody after they have ended.", unacknowledged),
		flood(2, section, check.Derived, "Two thousand OPTIONS at once cost nothing.", func(ctx context.Context, t *check.T) {
			c := t.Client(ctx)
			for i := range requests {
				put(t, c, strings.ReplaceAll(message(t, c, "OPTIONS", i), "{length}", "0"))
			}
		}),
		flood(3, "RFC 3261 §17.2.1", check.Must, "A thousand repetitions of one INVITE are one recording session.", func(ctx context.Context, t *check.T) {
			d := t.Invite(ctx, t.Client(ctx), src.Request{Streams: src.TwoParties(), WithholdACK: true})
			t.Status(d.Final(), 200)
			for range repeats {
				t.Check(d.Resend(), "repeat the INVITE")
			}
			t.Check(d.Ack(), "acknowledge")
			goesOn(ctx, t, d)
			for _, m := range d.Repeated() {
				if m.Status != 200 || m.Get("To") != d.Final().Get("To") {
					t.Fatalf("a repetition was answered %d for %s, the first one 200 for %s", m.Status, m.Get("To"), d.Final().Get("To"))
				}
			}
		}),
		flood(4, "RFC 3261 §9.2", check.Derived, "Three hundred INVITEs that are cancelled at once cost nothing.", func(ctx context.Context, t *check.T) {
			c := t.Client(ctx)
			for i := range 300 {
				r := plain(i)
				r.WithholdACK = false
				d := t.Start(ctx, c, r)
				if _, err := d.Cancel(ctx); err != nil {
					t.Check(err, "CANCEL")
				}
			}
		}),
		flood(5, "RFC 3261 §14.2, RFC 3311 §5.2", check.Derived, "Forty re-INVITEs that do not wait for each other are each answered.", func(ctx context.Context, t *check.T) {
			d := t.Invite(ctx, t.Client(ctx), src.Request{Streams: src.TwoParties()})
			t.Status(d.Final(), 200)
			done := make(chan error, again)
			for range again {
				go func() {
					_, err := d.Reinvite(ctx, src.Request{Streams: d.Offers()})
					done <- err
				}()
			}
			for range again {
				t.Check(<-done, "re-INVITE")
			}
			goesOn(ctx, t, d)
		}),
		flood(6, section, check.Derived, "Ten thousand datagrams of garbage cost nothing.", func(ctx context.Context, t *check.T) {
			if t.Transport() != "udp" {
				t.Skipf("this is about datagrams")
			}
			c := t.Client(ctx)
			for i := range garbage {
				put(t, c, octets(1+i%1400, uint64(i)))
			}
		}),
		flood(7, section, check.Derived, "Three hundred connections, one after the other, cost nothing.", func(ctx context.Context, t *check.T) {
			if t.Transport() == "udp" {
				t.Skipf("this is about connections")
			}
			for i := range 300 {
				w := dial(ctx, t)
				w.put(w.options(t, i))
				w.answers(t, 1)
				_ = w.Close() // the server may have been first
			}
		}),
	}
}

// unacknowledged floods with INVITEs, some at a time, for as long as a flood may rise.
func unacknowledged(ctx context.Context, t *check.T) {
	c := t.Client(ctx)
	var dialogs []*src.Dialog
	for end := time.Now().Add(rising); len(dialogs) < invites && time.Now().Before(end); {
		first := len(dialogs)
		for i := range wave {
			r := plain(first + i)
			r.RequestURI = t.RequestURI()
			d, err := c.Start(ctx, r)
			t.Check(err, "INVITE")
			t.Cleanup(d.Close)
			dialogs = append(dialogs, d)
		}
		for _, d := range dialogs[first:] {
			_, err := d.Wait(ctx)
			t.Check(err, fmt.Sprintf("one of the INVITEs %d to %d", first+1, len(dialogs)))
		}
	}
	t.Figure("INVITEs without ACK", fmt.Sprint(len(dialogs)))
	leave(ctx, dialogs)
}

// leave ends what a flood has opened, some at a time. A BYE that fails is not of interest:
// the server may have ended the dialog before.
func leave(ctx context.Context, dialogs []*src.Dialog) {
	next := make(chan *src.Dialog)
	done := make(chan struct{})
	for range 16 {
		go func() {
			for d := range next {
				if final := d.Final(); final != nil && final.Status < 300 {
					_ = d.Ack()
					_, _ = d.Bye(ctx, src.Request{})
				}
				d.Close()
			}
			done <- struct{}{}
		}()
	}
	for _, d := range dialogs {
		next <- d
	}
	close(next)
	for range 16 {
		<-done
	}
}
