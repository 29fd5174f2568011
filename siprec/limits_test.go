package siprec

import (
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
)

// TestStreamsOfAnSRC: one SRC has no more ports than it may; those of another are free,
// and what it gives back it may take again.
// Shows 3261-20.33-01.
func TestStreamsOfAnSRC(t *testing.T) {
	var name atomic.Value
	name.Store("a")
	d := newDesk(t, nil, func(c *Config) {
		c.Admit = func(Origin) (SRC, error) { return SRC{Name: name.Load().(string), MaxStreams: 3}, nil }
	})
	streams := func(n int) []src.StreamOffer {
		list := src.TwoParties(src.PCMU())
		for len(list) < n {
			list = append(list, list[0])
		}
		return list[:n]
	}
	busy := func(what string, m *src.Message) {
		t.Helper()
		if m.Status != 503 || !m.Has("Retry-After") || !strings.Contains(m.Get("Warning"), "as many streams") {
			t.Errorf("%s got %d %s", what, m.Status, m.Get("Warning"))
		}
	}
	first := d.invite(src.Request{Streams: streams(2)})
	if first.Final().Status != 200 {
		t.Fatalf("two streams got %d", first.Final().Status)
	}
	d.want(Offered)
	busy("a second INVITE", d.invite(src.Request{Streams: streams(2)}).Final())
	if f := d.invite(src.Request{Streams: streams(4)}).Final(); f.Status != 488 || !strings.Contains(f.Get("Warning"), "more streams than this client may have, 3") {
		t.Errorf("four streams at once got %d %s", f.Status, f.Get("Warning"))
	}
	if m, err := first.Update(t.Context(), src.Request{Streams: streams(3)}); err != nil || m.Status != 200 {
		t.Fatalf("a third stream got %v, %v", m, err)
	}
	if ev := d.want(Changed); len(ev.Streams) != 3 {
		t.Errorf("%d streams", len(ev.Streams))
	}
	busy("one stream more", d.invite(src.Request{Streams: streams(1)}).Final())
	name.Store("b")
	other := d.invite(src.Request{Streams: streams(2)})
	if other.Final().Status != 200 {
		t.Errorf("another SRC got %d", other.Final().Status)
	}
	d.want(Offered)
	m, err := other.Update(t.Context(), src.Request{Streams: streams(4)})
	if err != nil || m.Status != 488 {
		t.Errorf("a re-offer of too many got %v, %v", m, err)
	}
	name.Store("a")
	if m, err := first.Bye(t.Context(), src.Request{}); err != nil || m.Status != 200 {
		t.Fatalf("BYE: %v %v", m, err)
	}
	d.want(Ended)
	for d.server.Up() > 1 { // until its ports are given back
		runtime.Gosched()
	}
	if f := d.invite(src.Request{Streams: streams(3)}).Final(); f.Status != 200 {
		t.Errorf("after it all three got %d", f.Status)
	}
	d.want(Offered)
}

// TestPortsAreCountedBack: each way in which a stream ends gives its share back; closed
// m-lines have none.
func TestPortsAreCountedBack(t *testing.T) {
	n := newNegotiator(t, nil)
	n.share = share{&ports{taken: make(map[string]int)}, "a", 2}
	taken := func(want int) {
		t.Helper()
		if got := n.share.of.taken["a"]; got != want {
			t.Errorf("%d are taken, want %d", got, want)
		}
	}
	n.commit(mustAnswer(t, n, offerOf(t, "127.0.0.1", 4000)), discard)
	taken(1)
	n.undo(mustAnswer(t, n, offerOf(t, "127.0.0.1", 4000, 4002)))
	taken(1)
	if _, err := n.answer(offerOf(t, "127.0.0.1", 4000, 4002, 4004), time.Now()); err == nil {
		t.Error("three streams were taken")
	}
	taken(1)
	n.commit(mustAnswer(t, n, offerOf(t, "127.0.0.1", 0, 4002)), discard)
	taken(1)
	n.commit(mustAnswer(t, n, offerOf(t, "127.0.0.1", 4000, 4002)), discard)
	taken(2)
	n.commit(mustAnswer(t, n, offerOf(t, "127.0.0.1", 4000)), discard) // an m-line left out
	taken(1)
	n.close()
	n.close()
	taken(0)
}
