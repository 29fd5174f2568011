package capture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// memory is a disk that can be stopped and that can fail.
type memory struct {
	gate chan struct{} // a write waits for it when not nil
	slow func()        // is called by each write when not nil
	fail func(write int) error
	// stuck says that the file cannot be made shorter or durable.
	stuck func() bool

	mu     sync.Mutex
	writes int
	data   []byte
	synced int
	closed bool
	// seen is told what the disk holds after each write.
	seen func(m *memory)
}

func (m *memory) WriteAt(b []byte, off int64) (int, error) {
	if m.gate != nil {
		<-m.gate
	}
	if m.slow != nil {
		m.slow()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes++
	n, err := len(b), error(nil)
	if m.fail != nil {
		if err = m.fail(m.writes); err != nil {
			n = len(b) / 2 // a torn page
		}
	}
	if need := int(off) + n; need > len(m.data) {
		m.data = append(m.data, make([]byte, need-len(m.data))...)
	}
	copy(m.data[off:], b[:n])
	if m.seen != nil {
		m.seen(m)
	}
	return n, err
}

func (m *memory) ReadAt(b []byte, off int64) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return bytes.NewReader(m.data).ReadAt(b, off)
}

func (m *memory) Truncate(size int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stuck != nil && m.stuck() {
		return syscall.EIO
	}
	m.data = m.data[:size]
	return nil
}

func (m *memory) Sync() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stuck != nil && m.stuck() {
		return syscall.EIO
	}
	m.synced++
	return nil
}

func (m *memory) Close() error { m.closed = true; return nil }

// written is how many writes there were.
func (m *memory) written() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.writes
}

// packets reads what is on the disk.
func (m *memory) packets(t testing.TB, secret Secret) []Packet {
	t.Helper()
	m.mu.Lock()
	b := bytes.Clone(m.data)
	m.mu.Unlock()
	path := filepath.Join(t.TempDir(), "m")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := read(t, path, secret)
	return out
}

// bubble runs a test of a spool and one writer on a disk of the test.
func bubble(t *testing.T, opt Options, m *memory, test func(s *Spool, w *Writer, secret Secret)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		opt.Dir = t.TempDir()
		s, err := NewSpool(opt)
		if err != nil {
			t.Fatal(err)
		}
		s.sync = func(_ *os.File, files []output) error { return syncEach(files) }
		secret := newSecret(t)
		m.data = appendFileHeader(nil)
		w, err := s.newWriter(m, secret, time.Now(), nil)
		if err != nil {
			t.Fatal(err)
		}
		test(s, w, secret)
		if err := w.Close(); err != nil && m.fail == nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// after lets time pass in a bubble.
func after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// spoken sends a packet every 20 ms on each of two streams, for a time.
func spoken(w *Writer, from, to time.Duration) {
	for at := from; at < to; at += 20 * ms {
		for s := range 2 {
			w.Append(&Packet{Stream: s, Arrival: at, Sequence: uint16(at / (20 * ms)), Payload: make([]byte, 160)})
		}
		after(20 * ms)
	}
}

// A page goes to the disk when its span is over and the hold-back too, and not before.
func TestHoldBack(t *testing.T) {
	for _, hold := range []time.Duration{0, time.Second, MaxHoldBack} {
		t.Run(hold.String(), func(t *testing.T) {
			var m memory
			bubble(t, Options{HoldBack: hold}, &m, func(s *Spool, w *Writer, secret Secret) {
				p := numbered(0)
				w.Append(&p)
				after(100 * ms)
				p = numbered(3)
				p.Arrival = 100 * ms
				w.Append(&p)
				due := 300*ms + hold
				after(due - 100*ms - ms)
				if m.written() != 0 {
					t.Fatalf("written before %v", due)
				}
				after(tick + ms)
				if m.written() != 1 || len(m.packets(t, secret)) != 2 {
					t.Fatalf("%d writes, %d packets after %v", m.written(), len(m.packets(t, secret)), due+tick)
				}
				after(time.Hour)
				if m.written() != 1 || m.synced > 1 {
					t.Errorf("%d writes, %d syncs without packets", m.written(), m.synced)
				}
			})
		})
	}
}

// The pages of all streams end together, whenever their packets come, and are written
// with one call.
func TestPagesEndTogether(t *testing.T) {
	var m memory
	bubble(t, Options{HoldBack: time.Second}, &m, func(s *Spool, w *Writer, secret Secret) {
		const length = 6 * time.Second
		for at := time.Duration(0); at < length; at += 20 * ms {
			for stream, phase := range []time.Duration{0, 7 * ms, 13 * ms} {
				if at += phase; at > time.Duration(stream)*110*ms { // each begins at another time
					w.Append(&Packet{Stream: stream, Arrival: at, Payload: make([]byte, 160)})
				}
				at -= phase
			}
			after(20 * ms)
		}
		after(2 * time.Second)
		if got, want := m.written(), int(length/defaultSpan); got != want {
			t.Errorf("%d writes for %v of three streams, want %d", got, length, want)
		}
	})
}

// What is lost when the process is killed at the worst moment is what was not
// written by then.
func TestAtRisk(t *testing.T) {
	const sweep = 200 * ms // of the ports, at the slowest
	var m memory
	var worst time.Duration
	bubble(t, Options{HoldBack: time.Second}, &m, func(s *Spool, w *Writer, secret Secret) {
		begin := time.Now()
		oldest := func() time.Duration { // arrival of the oldest packet that is not written
			w.mu.Lock()
			defer w.mu.Unlock()
			out := time.Since(begin)
			for _, p := range slices.Concat(w.queue, w.flying) {
				out = min(out, p.first)
			}
			for _, st := range w.streams {
				if st.page != nil {
					out = min(out, st.page.first)
				}
			}
			return out
		}
		for at := time.Duration(0); at < 30*time.Second; at += sweep {
			for range sweep / (10 * ms) {
				after(10 * ms)
				// What came since at waits in the port.
				worst = max(worst, time.Since(begin)-min(at, oldest()))
			}
			for got := at; got < at+sweep; got += 20 * ms {
				w.Append(&Packet{Arrival: got, Payload: make([]byte, 160)})
			}
		}
	})
	t.Logf("at risk on kill -9 by default: %v of each stream (sweep %v, page %v, hold-back %v, tick %v); a power cut adds the commit interval of %v",
		worst, sweep, defaultSpan, time.Second, tick, defaultCommit)
	if worst > 1500*ms || worst < time.Second {
		t.Errorf("at risk: %v", worst)
	}
}

// No page reaches the disk before the line that permits it is durable; and when
// it is, nothing was lost meanwhile.
func TestRelease(t *testing.T) {
	var m memory
	bubble(t, Options{}, &m, func(s *Spool, w *Writer, secret Secret) {
		for i := range 100 {
			w.Append(&Packet{Arrival: time.Duration(i) * 20 * ms, Decision: 1 + uint64(i/50), Payload: []byte{byte(i)}})
		}
		after(10 * time.Second)
		if m.written() != 0 {
			t.Fatal("written without leave")
		}
		w.Release(1)
		after(time.Second)
		if got := m.packets(t, secret); len(got) != 50 {
			t.Fatalf("%d packets after the first line", len(got))
		}
		w.Release(2)
		w.Release(1)
		after(time.Second)
		if got := m.packets(t, secret); len(got) != 100 || w.Dropped() != 0 {
			t.Fatalf("%d packets after the second line, %d dropped", len(got), w.Dropped())
		}
	})
}

// A capture that is closed while a line is not durable does not hold what the line
// permits, and says so.
func TestCloseWithoutLeave(t *testing.T) {
	secret := newSecret(t)
	w, path := create(t, newSpool(t, Options{}), secret)
	w.Append(&Packet{Payload: []byte{1}})
	w.Append(&Packet{Decision: 1, Payload: []byte{2}})
	if err := w.Close(); err == nil || w.Dropped() != 1 {
		t.Errorf("close: %v, %d dropped", err, w.Dropped())
	}
	if got, _ := read(t, path, secret); len(got) != 1 || got[0].Payload[0] != 1 {
		t.Errorf("in the file: %v", got)
	}
}

// A disk that stalls blocks nobody: packets wait in bounded memory, beyond it they
// are dropped and counted, and all others are there in the end.
func TestStalledDisk(t *testing.T) {
	var m memory
	var told []string
	opt := Options{Memory: MinMemory, OnDisk: func(err error) { told = append(told, fmt.Sprint(err)) }}
	bubble(t, opt, &m, func(s *Spool, w *Writer, secret Secret) {
		m.gate = make(chan struct{})
		const packets = 40_000
		p := Packet{Payload: make([]byte, 160)}
		for range packets { // would deadlock here if Append waited
			w.Append(&p)
		}
		synctest.Wait()
		dropped := int(w.Dropped())
		kept := (packets - dropped) * (packetHeader + 160)
		if used, size := s.arena.usage(); kept < maxHeld/2 || size > MinMemory || used > size {
			t.Errorf("%d octets kept, %d of %d in use", kept, used, size)
		}
		if !s.Failing() {
			t.Error("the disk is said to be well")
		}
		after(time.Second)
		close(m.gate)
		after(time.Second)
		if s.Failing() {
			t.Error("the disk is said to fail still")
		}
		p.Arrival = 3 * time.Second
		w.Append(&p)
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if got := len(m.packets(t, secret)); got != packets+1-dropped || int(w.Dropped()) != dropped {
			t.Errorf("%d packets on disk, %d dropped of %d", got, w.Dropped(), packets)
		}
	})
	if want := []string{ErrBehind.Error(), "<nil>"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

// A disk on which each tenth write takes a second costs none of many captures a
// packet, and is no failure.
func TestSlowDisk(t *testing.T) {
	const captures, length = 20, 20 * time.Second
	synctest.Test(t, func(t *testing.T) {
		s, err := NewSpool(Options{Dir: t.TempDir(), OnDisk: func(err error) { t.Errorf("told %v", err) }})
		if err != nil {
			t.Fatal(err)
		}
		s.sync = func(*os.File, []output) error { return nil }
		var writes atomic.Int64
		var disks [captures]memory
		var writers [captures]*Writer
		var secrets [captures]Secret
		for i := range writers {
			secrets[i] = newSecret(t)
			disks[i].data = appendFileHeader(nil)
			disks[i].slow = func() {
				if writes.Add(1)%10 == 0 {
					<-time.After(time.Second)
				}
			}
			if writers[i], err = s.newWriter(&disks[i], secrets[i], time.Now(), nil); err != nil {
				t.Fatal(err)
			}
		}
		for at := time.Duration(0); at < length; at += 20 * ms {
			for _, w := range writers {
				for stream := range 2 {
					w.Append(&Packet{Stream: stream, Arrival: at, Sequence: uint16(at / (20 * ms)), Payload: make([]byte, 160)})
				}
			}
			after(20 * ms)
		}
		for i, w := range writers {
			if err := w.Close(); err != nil {
				t.Error(err)
			}
			if got := len(disks[i].packets(t, secrets[i])); got != 2*int(length/(20*ms)) || w.Dropped() > 0 {
				t.Errorf("capture %d: %d packets, %d dropped", i, got, w.Dropped())
			}
		}
		if n := writes.Load(); n < 100 {
			t.Errorf("%d writes: the disk was hardly slow", n)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Who floods one capture takes no memory from the others, and no alarm is raised
// for the disk.
func TestFlood(t *testing.T) {
	var m memory
	bubble(t, Options{HoldBack: MaxHoldBack}, &m, func(s *Spool, w *Writer, secret Secret) {
		told := 0
		w.onError = func(error) { told++ }
		p := Packet{Payload: make([]byte, 1400)}
		for range 10_000 {
			w.Append(&p)
		}
		if used, _ := s.arena.usage(); used > maxHeld || told != 1 || s.Failing() || w.Dropped() == 0 {
			t.Errorf("%d octets in use, told %d times, failing %v, %d dropped", used, told, s.Failing(), w.Dropped())
		}
	})
}

// A full disk costs nothing while memory lasts: what failed is written again when
// there is room, and the alarm is raised and lifted.
func TestFullDisk(t *testing.T) {
	m := memory{fail: func(n int) error {
		if n >= 3 && n < 12 {
			return syscall.ENOSPC
		}
		return nil
	}}
	var told []string
	opt := Options{OnDisk: func(err error) { told = append(told, fmt.Sprint(err)) }}
	bubble(t, opt, &m, func(s *Spool, w *Writer, secret Secret) {
		spoken(w, 0, 10*time.Second)
		if err := w.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		got := sorted(m.packets(t, secret))
		if len(got) != 1000 || w.Dropped() != 0 {
			t.Fatalf("%d packets on disk, %d dropped", len(got), w.Dropped())
		}
		for i, p := range got {
			if p.Arrival != time.Duration(i/2)*20*ms {
				t.Fatalf("packet %d is of %v", i, p.Arrival)
			}
		}
	})
	if want := []string{"write capture: no space left on device", "<nil>"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

// A disk that stays full keeps what is there, and the loss is told.
func TestDiskStaysFull(t *testing.T) {
	m := memory{fail: func(n int) error {
		if n >= 3 {
			return syscall.ENOSPC
		}
		return nil
	}}
	bubble(t, Options{}, &m, func(s *Spool, w *Writer, secret Secret) {
		told := 0
		w.onError = func(error) { told++ }
		spoken(w, 0, 3*time.Second)
		for range 2 {
			if err := w.Close(); !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("close: %v", err)
			}
		}
		got := len(m.packets(t, secret))
		if got == 0 || got+int(w.Dropped()) != 300 || told != 1 || s.Failing() {
			t.Errorf("%d packets on disk, %d dropped, told %d times, failing %v", got, w.Dropped(), told, s.Failing())
		}
	})
}

// A recording that ends while the disk is full is written when there is room again,
// or given up when nobody waits any longer.
func TestFinishOnAFullDisk(t *testing.T) {
	for _, wait := range []time.Duration{time.Minute, 2 * time.Second} {
		var began time.Time
		m := memory{fail: func(int) error {
			if time.Since(began) < 10*time.Second {
				return syscall.ENOSPC
			}
			return nil
		}}
		bubble(t, Options{HoldBack: time.Second}, &m, func(s *Spool, w *Writer, secret Secret) {
			began = time.Now()
			spoken(w, 0, 3*time.Second)
			ctx, cancel := context.WithTimeout(context.Background(), wait)
			defer cancel()
			err := w.Finish(ctx, func() bool { return false })
			got := len(m.packets(t, secret))
			if wait > 10*time.Second {
				if took := time.Since(began); err != nil || got != 300 || w.Dropped() != 0 || took > 11*time.Second {
					t.Errorf("%d packets, %d dropped after %v: %v", got, w.Dropped(), took, err)
				}
			} else if !errors.Is(err, syscall.ENOSPC) || got+int(w.Dropped()) != 300 {
				t.Errorf("%d packets, %d dropped: %v", got, w.Dropped(), err)
			}
		})
	}
}

// What was written is made durable once in an interval, and a commit that fails is
// told.
func TestCommit(t *testing.T) {
	var m memory
	var told []string
	opt := Options{Commit: 2 * time.Second, OnDisk: func(err error) { told = append(told, fmt.Sprint(err)) }}
	bubble(t, opt, &m, func(s *Spool, w *Writer, secret Secret) {
		spoken(w, 0, 10*time.Second)
		after(3 * time.Second)
		if m.synced != 5 {
			t.Errorf("%d syncs in 10 s", m.synced)
		}
		after(time.Hour)
		if m.synced != 5 || s.Failing() {
			t.Errorf("%d syncs without a packet, failing %v", m.synced, s.Failing())
		}
		var well atomic.Bool
		s.sync = func(*os.File, []output) error {
			if well.Load() {
				return nil
			}
			return syncEach([]output{broken{}, &m})
		}
		w.Append(&Packet{})
		after(3 * time.Second)
		if m.synced != 6 || !s.Failing() {
			t.Errorf("%d syncs, failing %v", m.synced, s.Failing())
		}
		well.Store(true)
		after(3 * time.Second) // nothing more is written
		if s.Failing() {
			t.Error("the disk is said to fail still")
		}
	})
	if want := []string{"input/output error", "<nil>"}; !slices.Equal(told, want) {
		t.Errorf("told %q", told)
	}
}

// broken is a file on a disk that has failed.
type broken struct{}

func (broken) WriteAt([]byte, int64) (int, error) { return 0, syscall.EIO }
func (broken) ReadAt([]byte, int64) (int, error)  { return 0, syscall.EIO }
func (broken) Truncate(int64) error               { return syscall.EIO }
func (broken) Sync() error                        { return syscall.EIO }
func (broken) Close() error                       { return syscall.EIO }

// Whatever a page is given, it gives back only that, in order of each stream.
func TestPageSizes(t *testing.T) {
	var m memory
	bubble(t, Options{HoldBack: time.Second}, &m, func(s *Spool, w *Writer, secret Secret) {
		sent := 0
		for i, size := range []int{160, 640, 1920, 160, 65000, 0} {
			for n := range 100 {
				at := time.Duration(i*100+n) * 20 * ms
				w.Append(&Packet{Arrival: at, Payload: make([]byte, size)})
				if size == 65000 && n > 20 {
					break
				}
				sent++
				after(20 * ms)
			}
		}
		if got := w.streams[0].class; got != 0 {
			t.Errorf("pages of small packets are of class %d", got)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got := m.packets(t, secret); len(got) != sent+1 || w.Dropped() != 0 {
			t.Errorf("%d packets of %d, %d dropped", len(got), sent+1, w.Dropped())
		}
	})
}

// What a 2-stream G.711 recording session holds in pages at the default hold-back.
func TestMemoryOfPages(t *testing.T) {
	var m memory
	most := 0
	bubble(t, Options{HoldBack: time.Second}, &m, func(s *Spool, w *Writer, secret Secret) {
		for at := time.Duration(0); at < 10*time.Second; at += 200 * ms {
			spoken(w, at, at+200*ms)
			used, _ := s.arena.usage()
			most = max(most, used)
		}
	})
	t.Logf("pages of a recording session of 2 G.711 streams: %d KiB", most>>10)
	if most > 48<<10 {
		t.Errorf("%d KiB", most>>10)
	}
}

// No growth: what was given back is used again, and goes back to the system.
func TestArena(t *testing.T) {
	a := newArena(64 << 20)
	for range 20 {
		var out []slot
		for i := range 3000 {
			s, ok := a.take(i % 2)
			if !ok {
				t.Fatal("no memory")
			}
			for _, b := range s.memory[:8] {
				if b != 0 {
					t.Fatal("a slot is not wiped")
				}
			}
			copy(s.memory, "secret!!")
			out = append(out, s)
		}
		for _, s := range out {
			a.give(s, 8)
		}
		if used, size := a.usage(); used != 0 || size > 2*(chunksSpare+1)*chunkSize {
			t.Fatalf("%d octets used, %d kept", used, size)
		}
	}
	s, _ := a.take(classOf(5000))
	if len(s.memory) != slotMiddle || classOf(slotLarge+1) != classes {
		t.Errorf("a slot of %d octets", len(s.memory))
	}
	if err := a.close(); err == nil {
		t.Error("closed with a slot out")
	}
	a.give(s, 0)
	if err := a.close(); err != nil || a.size != 0 {
		t.Errorf("close: %v, %d octets left", err, a.size)
	}
	full := newArena(MinMemory)
	n := 0
	for ; ; n++ {
		if _, ok := full.take(0); !ok {
			break
		}
	}
	if n != MinMemory/chunkSize*(chunkSize/slotSmall) {
		t.Errorf("%d slots", n)
	}
	full.used = 0
	if err := full.close(); err != nil {
		t.Error(err)
	}
}

// Many captures come and go; what they took is there for the next.
func TestMemoryOfManyCaptures(t *testing.T) {
	s := newSpool(t, Options{Memory: 16 << 20})
	dir := t.TempDir()
	secret := newSecret(t)
	for i := range 300 {
		path := filepath.Join(dir, fmt.Sprint(i))
		w, err := s.Create(path, secret, time.Now(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 100 {
			w.Append(&Packet{Stream: n % 2, Payload: make([]byte, 160)})
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if used, size := s.arena.usage(); used != 0 || size > 4*chunkSize {
		t.Errorf("%d octets used, %d kept", used, size)
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	w, _ := create(t, newSpool(t, Options{HoldBack: MaxHoldBack}), newSecret(t))
	defer w.Close()
	p := Packet{Payload: make([]byte, 160)}
	w.Append(&p)
	if n := testing.AllocsPerRun(15, func() { w.Append(&p) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkAppend is a packet's way into its page.
func BenchmarkAppend(b *testing.B) {
	w, _ := create(b, newSpool(b, Options{HoldBack: MaxHoldBack}), newSecret(b))
	p := Packet{Payload: make([]byte, 160)}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if i++; i%10_000 == 0 {
			if _, err := w.Cut(0, 0); err != nil {
				b.Fatal(err)
			}
		}
		w.Append(&p)
	}
	b.ReportMetric(float64(w.Dropped())/float64(b.N), "dropped/op")
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkCapture is its whole way: into the page, sealed, and written to a file.
// Pages are written in the benchmark's goroutine, so ns/op is all the work.
func BenchmarkCapture(b *testing.B) {
	for _, streams := range []int{1, 2} {
		b.Run(fmt.Sprintf("streams=%d", streams), func(b *testing.B) {
			s := newSpool(b, Options{})
			w, path := create(b, s, newSecret(b))
			w.listed = true // the benchmark looks after it
			scratch := make([]byte, 0, scratchSize)
			payload := make([]byte, 160)
			b.ReportAllocs()
			var n int
			for b.Loop() {
				at := time.Duration(n/streams) * 20 * ms
				w.Append(&Packet{Stream: n % streams, Arrival: at, Payload: payload})
				if n++; n%(15*streams) == 0 {
					w.disk.lock()
					w.flush(&scratch, w.zero.Add(at+defaultSpan), false)
					w.disk.unlock()
				}
			}
			if err := w.Close(); err != nil || w.Dropped() > 0 {
				b.Fatal(err, w.Dropped())
			}
			if info, err := os.Stat(path); err == nil {
				b.ReportMetric(float64(info.Size())/float64(n), "octets/op")
			}
		})
	}
}

var _ io.ReaderAt = (*memory)(nil)
