package siprec

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A ledger notes the metadata that reached the handler, by Call-ID.
type ledger struct {
	mu    sync.Mutex
	lines map[string][]string
}

func (l *ledger) ServeRecording(ctx context.Context, rs *RecordingSession) {
	for {
		ev, err := rs.Next(ctx)
		if err != nil {
			return
		}
		l.mu.Lock()
		for _, doc := range ev.Metadata {
			l.lines[rs.CallID()] = append(l.lines[rs.CallID()], string(doc))
		}
		if ev.Kind == Ended {
			l.lines[rs.CallID()] = append(l.lines[rs.CallID()], string(ev.Reason))
		}
		l.mu.Unlock()
	}
}

// A step is one request that is sent without waiting for answers.
type step struct {
	method string
	cseq   int
	doc    string
}

// stepsOf is what dialog i sends behind its INVITE, and what should reach the
// handler. Some dialogs have their ACK late, some two requests the wrong way
// round, some a BYE before the ACK.
func stepsOf(i int) (steps []step, want []string, refused int) {
	ack, update, first, second, bye := step{"ACK", 1, ""}, step{"UPDATE", 2, "u"}, step{"INFO", 3, "a"}, step{"INFO", 4, "b"}, step{"BYE", 5, "z"}
	switch i % 5 {
	case 0:
		return []step{ack, update, second, first, bye}, []string{"u", "b", "z", "bye"}, 1
	case 1:
		return []step{update, ack, first, second, bye}, []string{"u", "a", "b", "z", "bye"}, 0
	case 2:
		return []step{update, first, second, bye, ack}, []string{"u", "a", "b", "z", "bye"}, 0
	case 3:
		return []step{ack, second, update, first, bye}, []string{"b", "z", "bye"}, 2
	}
	return []step{ack, update, first, second, bye}, []string{"u", "a", "b", "z", "bye"}, 0
}

// TestInterleavedDialogs plays 50 recording sessions over one TCP connection, all
// requests behind each other in a random order that keeps that of each dialog. In
// some dialogs requests come the wrong way round: the lower CSeq is answered 500
// and its metadata reaches nobody (RFC 3261 §12.2.2, RFC 7866 §9.2).
// Shows 7866-9.2-01.
func TestInterleavedDialogs(t *testing.T) {
	const dialogs = 50
	book := &ledger{lines: make(map[string][]string)}
	d := newDesk(t, nil, func(c *Config) {
		c.Listen = append(c.Listen, Endpoint{Network: "tcp", Address: "127.0.0.1:0"})
		c.Handler = book
	})
	c := newBareSRC(t, "tcp", d.server.Endpoints()[1].Address, 100)
	id := func(i int) string { return fmt.Sprintf("interleaved%d", i) }
	order := rand.New(rand.NewPCG(7, 7))
	tags := make([]string, dialogs)
	var burst []byte
	for _, i := range order.Perm(dialogs) {
		burst = append(burst, c.text("INVITE", id(i), "", 1, bareSDP)...)
	}
	if _, err := c.conn.Write(burst); err != nil {
		t.Fatal(err)
	}
	for range dialogs {
		m, err := c.final("INVITE")
		if err != nil {
			t.Fatal(err)
		}
		var i int
		if _, err := fmt.Sscanf(field(m, "Call-ID"), "interleaved%d", &i); err != nil {
			t.Fatal(err)
		}
		tags[i] = tagOf(m)
	}

	burst = nil
	left, total, refusals := make([][]step, dialogs), 0, 0
	for i := range left {
		steps, _, refused := stepsOf(i)
		left[i], total, refusals = steps, total+len(steps), refusals+refused
	}
	for total > 0 {
		i := order.IntN(dialogs)
		if len(left[i]) == 0 {
			continue
		}
		s := left[i][0]
		left[i], total = left[i][1:], total-1
		burst = append(burst, c.note(s, id(i), tags[i])...)
	}
	written := make(chan error, 1)
	go func() { _, err := c.conn.Write(burst); written <- err }()
	statuses := make(map[string]int)
	for range 4 * dialogs { // every request but the ACKs is answered
		m, err := c.next()
		if err != nil {
			t.Fatal(err)
		}
		_, method, _ := strings.Cut(field(m, "CSeq"), " ")
		if method == "INVITE" {
			t.Fatalf("a 200 was repeated: %s", m)
		}
		statuses[method+m[7:11]]++
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
	if statuses["BYE 200"] != dialogs || statuses["UPDATE 500"]+statuses["INFO 500"] != refusals || len(statuses) != 5 {
		t.Errorf("answers are %v, want %d refusals", statuses, refusals)
	}
	if err := d.server.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range dialogs {
		_, want, _ := stepsOf(i)
		if got := book.lines[id(i)][1:]; !slices.Equal(got, want) {
			t.Errorf("dialog %d: %v reached the handler, want %v", i, got, want)
		}
	}
}

// note writes a request within a dialog whose metadata is a word.
func (c *bareSRC) note(s step, callID, tag string) []byte {
	text := string(c.text(s.method, callID, tag, s.cseq, ""))
	if s.doc == "" {
		return []byte(text)
	}
	return []byte(strings.Replace(text, "Content-Length: 0\r\n\r\n",
		fmt.Sprintf("Content-Type: application/rs-metadata+xml\r\nContent-Length: %d\r\n\r\n%s", len(s.doc), s.doc), 1))
}
