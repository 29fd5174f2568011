package capture

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// arrivals are when the packets of a stream came, in order.
func arrivals(ps []Packet, stream int) (out []time.Duration) {
	for _, p := range ps {
		if p.Stream == stream {
			out = append(out, p.Arrival)
		}
	}
	slices.Sort(out)
	return out
}

// every gives instants 20 ms apart.
func every(from, to time.Duration) (out []time.Duration) {
	for at := from; at < to; at += 20 * ms {
		out = append(out, at)
	}
	return out
}

// found reports whether a marker is in any memory of the arena.
func (a *arena) found(marker []byte) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.kinds {
		for _, c := range a.kinds[i].chunks {
			if bytes.Contains(c.memory, marker) {
				return true
			}
		}
	}
	return false
}

// TestCut takes back, at 5 s, what came since an instant: what is in memory and
// what is on disk, of one stream and not of the other; and what comes later is
// kept.
func TestCut(t *testing.T) {
	marker := []byte("forbidden")
	for _, tt := range []struct {
		name  string
		from  time.Duration
		syncs int // before Cut returns
	}{
		{"in memory", 4900 * ms, 0},
		{"in memory, at the edge of the hold-back", 4100 * ms, 0},
		{"on disk, within a page", 1910 * ms, 3},
		{"on disk, between pages", 1800 * ms, 3},
		{"on disk, all of it", -time.Second, 3},
		{"nothing", time.Hour, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var m memory
			bubble(t, Options{HoldBack: time.Second, Commit: time.Hour}, &m, func(s *Spool, w *Writer, secret Secret) {
				for at := time.Duration(0); at < 5*time.Second; at += 20 * ms {
					for stream := range 2 {
						p := Packet{Stream: stream, Arrival: at, Payload: []byte("permitted")}
						if stream == 0 && at >= tt.from {
							p.Payload = marker
						}
						w.Append(&p)
					}
					after(20 * ms)
				}
				if !s.arena.found(marker) && tt.from < 5*time.Second {
					t.Fatal("the marker is not found where it is")
				}
				absent, err := w.Cut(0, tt.from)
				if err != nil || absent != tt.from {
					t.Fatalf("absent from %v: %v", absent, err)
				}
				if s.arena.found(marker) {
					t.Error("the marker is left in memory")
				}
				if m.synced != tt.syncs {
					t.Errorf("%d syncs, want %d", m.synced, tt.syncs)
				}
				for _, p := range m.packets(t, secret) {
					if bytes.Equal(p.Payload, marker) {
						t.Fatalf("the marker of %v is left on disk", p.Arrival)
					}
				}
				spoken(w, 5*time.Second, 8*time.Second)
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				got := m.packets(t, secret)
				if want := every(0, 8*time.Second); !slices.Equal(arrivals(got, 1), want) {
					t.Errorf("the other stream has %d packets, want %d", len(arrivals(got, 1)), len(want))
				}
				want := slices.Concat(every(0, max(0, min(tt.from, 5*time.Second))), every(5*time.Second, 8*time.Second))
				if !slices.Equal(arrivals(got, 0), want) {
					t.Errorf("the stream has %v", arrivals(got, 0))
				}
			})
		})
	}
}

// What was overwritten is nowhere in the file, sealed or not.
func TestCutOverwrites(t *testing.T) {
	s := newSpool(t, Options{})
	secret := newSecret(t)
	w, path := create(t, s, secret)
	for i := range 10 {
		w.Append(&Packet{Arrival: time.Duration(i) * 20 * ms, Payload: bytes.Repeat([]byte{byte(i)}, 160)})
	}
	scratch := make([]byte, 0, scratchSize)
	w.disk.lock()
	w.flush(&scratch, time.Time{}, true)
	w.disk.unlock()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if absent, err := w.Cut(0, 100*ms); err != nil || absent != 100*ms {
		t.Fatalf("absent from %v, %v", absent, err)
	}
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sealed := before[fileHeader+pageHeader:]
	if len(bytes.Trim(after[fileHeader+pageHeader:][:len(sealed)], "\x00")) > 0 {
		t.Error("the page is not overwritten")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if absent, err := w.Cut(0, 50*ms); !errors.Is(err, ErrClosed) || absent != 80*ms+1 {
		t.Errorf("after close: absent from %v, %v", absent, err)
	}
	if absent, err := w.Cut(0, 100*ms); err != nil || absent != 100*ms {
		t.Errorf("nothing to cut after close: %v, %v", absent, err)
	}
	got, torn := read(t, path, secret)
	if torn || !slices.Equal(arrivals(got, 0), every(0, 100*ms)) {
		t.Errorf("%v, torn %v", arrivals(got, 0), torn)
	}
}

// A cut waits for a page that is being written, and takes that one back too; one
// that it does not concern, it does not wait for.
func TestCutWhileWriting(t *testing.T) {
	for _, fails := range []bool{false, true} {
		var m memory
		if fails {
			m.fail = func(n int) error {
				if n == 1 {
					return syscall.EIO
				}
				return nil
			}
		}
		bubble(t, Options{}, &m, func(s *Spool, w *Writer, secret Secret) {
			m.gate = make(chan struct{})
			for i := range 20 {
				w.Append(&Packet{Arrival: time.Duration(i) * 20 * ms, Payload: []byte{byte(i)}})
			}
			after(time.Second) // the disk stalls
			if _, err := w.Cut(1, 0); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Cut(0, 400*ms); err != nil {
				t.Fatal(err)
			}
			done := false
			go func() {
				if absent, err := w.Cut(0, 90*ms); err != nil || absent != 90*ms {
					t.Errorf("absent from %v, %v", absent, err)
				}
				done = true
			}()
			synctest.Wait()
			if done {
				t.Fatal("returned while the page was being written")
			}
			close(m.gate)
			synctest.Wait()
			if !done {
				t.Fatal("does not return")
			}
			if err := w.Close(); err != nil {
				t.Error(err)
			}
			if got := arrivals(m.packets(t, secret), 0); !slices.Equal(got, every(0, 100*ms)) {
				t.Errorf("left: %v", got)
			}
		})
	}
}

// A disk that does not let itself be overwritten is told, with the instant from
// which audio is absent all the same.
func TestCutFails(t *testing.T) {
	m := memory{fail: func(n int) error {
		if n >= 5 {
			return syscall.EROFS
		}
		return nil
	}}
	bubble(t, Options{HoldBack: time.Second}, &m, func(s *Spool, w *Writer, secret Secret) {
		spoken(w, 0, 2500*ms)
		w.disk.lock()
		written := w.onDisk(0)
		w.disk.unlock()
		absent, err := w.Cut(0, 310*ms)
		if !errors.Is(err, syscall.EROFS) || absent != written+1 || absent < time.Second {
			t.Errorf("absent from %v, %v; written up to %v", absent, err, written)
		}
	})
}

// A page that was marked before a crash and not overwritten is passed over, and
// overwritten when the capture is gone on with.
func TestErasingIsFinishedAfterACrash(t *testing.T) {
	secret := newSecret(t)
	path := write(t, 40, 100*ms, secret)
	whole, _ := read(t, path, secret)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var h header
	if !h.parse(b[fileHeader:]) {
		t.Fatal("no page")
	}
	b[fileHeader+kindAt] = kindErased
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	left, torn := read(t, path, secret)
	if torn || len(left) == 0 || len(left) >= len(whole) || !same(left[len(left)-1], whole[len(whole)-1]) {
		t.Fatalf("%d of %d packets, torn %v", len(left), len(whole), torn)
	}
	w, err := newSpool(t, Options{}).Reopen(path, secret, time.Now(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(path)
	if err != nil || len(after) != len(b) || len(bytes.Trim(after[fileHeader+pageHeader:][:h.length], "\x00")) > 0 {
		t.Errorf("the page is not overwritten: %v", err)
	}
	if again, torn := read(t, path, secret); torn || len(again) != len(left) {
		t.Errorf("%d packets, torn %v", len(again), torn)
	}
}
