package capture

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// An entry of the oracle: what was kept, told by stream and sequence number.
type entry struct {
	stream  int
	seq     uint16
	arrival time.Duration
}

// TestAgainstOracle does what can be done to a capture in random order, on a disk
// that fails now and then: in the end, and whenever the disk has caught up, it holds
// what a list would hold, and never what was taken back or is not permitted yet.
func TestAgainstOracle(t *testing.T) {
	runs := 150
	if testing.Short() {
		runs = 20
	}
	for seed := range uint64(runs) {
		r := rand.New(rand.NewPCG(seed, 6))
		var failing atomic.Bool
		m := memory{}
		chance := rand.New(rand.NewPCG(seed, 7)) // of the disk's goroutines
		m.stuck = func() bool { return failing.Load() && chance.IntN(3) == 0 }
		m.fail = func(int) error {
			if m.stuck() {
				return syscall.EIO
			}
			return nil
		}
		opt := Options{HoldBack: time.Duration(r.IntN(4)) * 500 * ms, Commit: time.Hour}
		bubble(t, opt, &m, func(s *Spool, w *Writer, secret Secret) {
			s.sync = func(*os.File, []output) error { return nil }
			begin := time.Now()
			var want []entry
			// What a cut that failed may have taken, and may have left twice.
			doubtful := make(map[entry]bool)
			var decision, released uint64
			seq := uint16(0)
			check := func(what string, all bool) {
				t.Helper()
				held := make(map[entry]bool)
				for _, p := range m.packets(t, secret) {
					e := entry{p.Stream, p.Sequence, p.Arrival}
					if held[e] && !doubtful[e] {
						t.Fatalf("seed %d, %s: %v is there twice", seed, what, e)
					}
					held[e] = true
					if !slices.Contains(want, e) {
						t.Fatalf("seed %d, %s: %v is there and should not be", seed, what, e)
					}
				}
				for _, e := range want {
					if all && !held[e] && !doubtful[e] {
						t.Fatalf("seed %d, %s: %v of %d packets is not there", seed, what, e, len(want))
					}
				}
			}
			for range 60 {
				switch r.IntN(8) {
				case 0, 1, 2: // somebody speaks for a while
					stream, n := r.IntN(3), 1+r.IntN(40)
					for range n {
						p := Packet{Stream: stream, Sequence: seq, Arrival: time.Since(begin), Decision: decision, Payload: make([]byte, r.IntN(400))}
						w.Append(&p)
						want = append(want, entry{stream, seq, p.Arrival})
						seq++
						after(time.Duration(r.IntN(30)) * ms)
					}
				case 3:
					after(time.Duration(r.IntN(2000)) * ms)
				case 4, 5:
					stream, back := r.IntN(3), time.Duration(r.IntN(6000))*ms
					from := max(0, time.Since(begin)-back)
					absent, err := w.Cut(stream, from)
					if (err != nil) != (absent > from) || err != nil && !failing.Load() {
						t.Fatalf("seed %d: cut from %v: absent from %v, %v", seed, from, absent, err)
					}
					want = slices.DeleteFunc(want, func(e entry) bool { return e.stream == stream && e.arrival >= absent })
					for _, e := range want {
						if err != nil && e.stream == stream {
							doubtful[e] = true
						}
					}
					if err == nil {
						check("cut", false)
					}
				case 6:
					failing.Store(r.IntN(2) == 0)
					after(retryAfter)
				case 7:
					if r.IntN(2) == 0 {
						decision++
					} else {
						released = decision
						w.Release(released)
					}
				}
			}
			failing.Store(false)
			w.Release(decision)
			after(MaxHoldBack + time.Second)
			if n := w.pages(); n != 0 {
				t.Fatalf("seed %d: %d pages are left", seed, n)
			}
			check("written", true)
			if err := w.Close(); err != nil || w.Dropped() != 0 {
				t.Fatalf("seed %d: close: %v, %d dropped", seed, err, w.Dropped())
			}
			check("closed", true)
		})
		if t.Failed() {
			t.Fatal(fmt.Sprint("seed ", seed))
		}
	}
}
