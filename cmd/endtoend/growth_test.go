package endtoend

import (
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/recorder/store"
)

// TestNoGrowth has many recording sessions one after the other, eight at a time. When
// all are over the server holds what it held before: heap, goroutines and file
// descriptors. SIPRECD_TEST_SEQUENCE says how many; 2,000 otherwise.
func TestNoGrowth(t *testing.T) {
	total := 2000
	if testing.Short() {
		total = 200
	}
	if s := os.Getenv("SIPRECD_TEST_SEQUENCE"); s != "" {
		var err error
		if total, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	l := newLab(t, "127.0.0.1", nil)
	before := l.held()
	l.sequence(total)
	after := l.settled(before)
	t.Logf("before: %+v, after %d: %+v", before, total, after)
	for _, m := range l.manifests() {
		for _, s := range m.Streams {
			if m.Verdict != store.OK || s.Packets.Kept != 5 {
				t.Errorf("recording %s: %s, %v, %+v", m.Recording, m.Verdict, m.Reasons, s.Packets)
			}
		}
	}
}

// sequence has so many recording sessions, of two streams and five packets each.
func (l *lab) sequence(total int) {
	l.t.Helper()
	turns, done := make(chan int), make(chan error)
	const atATime = 8
	for range atATime {
		go func() { done <- l.someOf(turns) }()
	}
	for i := range total {
		select {
		case turns <- i:
		case err := <-done:
			l.t.Fatal(err)
		}
	}
	close(turns)
	for range atATime {
		if err := <-done; err != nil {
			l.t.Fatal(err)
		}
	}
}

// someOf has a recording session for each turn, through an SRC of its own.
func (l *lab) someOf(turns <-chan int) error {
	c, err := src.New(l.t.Context(), src.Config{Target: l.address("tcp"), Transport: "tcp"})
	if err != nil {
		return err
	}
	for range turns {
		if err := live(l.t, c); err != nil {
			return err
		}
	}
	return c.Close()
}

// holding is what a process has: octets, and numbers.
type holding struct {
	heap                    int64
	goroutines, descriptors int
}

func (l *lab) held() holding {
	l.t.Helper()
	return holding{heap: heap(), goroutines: runtime.NumGoroutine(), descriptors: descriptors(l.t)}
}

// settled waits until the process holds no more than before, but for pools, tables and
// buffers that are made when they are needed first, and gives what it holds.
func (l *lab) settled(before holding) holding {
	l.t.Helper()
	const pools = 2 << 20
	look := time.NewTicker(time.Second)
	defer look.Stop()
	patience := time.After(60 * time.Second) // transactions are kept for 32 s (RFC 6026 §7.1)
	for {
		now := l.held()
		idle := l.server.Up() == 0
		if idle && now.heap <= before.heap+pools && now.goroutines <= before.goroutines && now.descriptors <= before.descriptors {
			return now
		}
		select {
		case <-look.C:
		case <-patience:
			l.t.Errorf("%+v is held, %+v before; %d recording sessions are up", now, before, l.server.Up())
			return now
		}
	}
}

// descriptors is how many file descriptors the process has open; 0 where the system
// does not say.
func descriptors(tb testing.TB) int {
	tb.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if os.IsNotExist(err) {
		return 0
	}
	if err != nil {
		tb.Fatal(err)
	}
	return len(entries)
}
