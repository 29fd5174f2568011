package capture

import (
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// memory is a disk that can be stopped and that can fail.
type memory struct {
	gate chan struct{} // a write waits for it when not nil
	fail func(page int) error

	mu     sync.Mutex
	writes int
	data   []byte
	synced bool
	closed bool
}

func (m *memory) WriteAt(b []byte, off int64) (int, error) {
	if m.gate != nil {
		<-m.gate
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
	return n, err
}

func (m *memory) Truncate(size int64) error { m.data = m.data[:size]; return nil }
func (m *memory) Sync() error               { m.synced = true; return nil }
func (m *memory) Close() error              { m.closed = true; return nil }

// written is how many pages were written.
func (m *memory) written() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.writes
}

// packets counts what a reader would find.
func (m *memory) packets(t *testing.T) int {
	t.Helper()
	n, number := 0, uint64(0)
	for rest := m.data[fileHeader:]; len(rest) > 0; number++ {
		length := int(rest[0]) | int(rest[1])<<8 | int(rest[2])<<16
		page := append([]byte(nil), rest[:pageHeader+length]...)
		finishPage(page, number)
		if string(page) != string(rest[:len(page)]) {
			t.Fatalf("page %d is not sound", number)
		}
		var p Packet
		for body, ok := page[pageHeader:], true; len(body) > 0; n++ {
			if body, ok = takePacket(&p, body); !ok {
				t.Fatalf("page %d holds no packets", number)
			}
		}
		rest = rest[len(page):]
	}
	return n
}

func TestPageAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{data: appendFileHeader(nil)}
		w := newWriter(m, Options{PageAge: 300 * time.Millisecond})
		begin := time.Now()
		p := numbered(1)
		w.Append(&p)
		synctest.Wait()
		if m.written() != 0 {
			t.Fatal("a young page was written")
		}
		later := time.NewTimer(299 * time.Millisecond)
		<-later.C
		w.Append(&p)
		synctest.Wait()
		if m.written() != 0 {
			t.Fatalf("written after %v", time.Since(begin))
		}
		later.Reset(time.Millisecond)
		<-later.C
		synctest.Wait()
		if m.written() != 1 || m.packets(t) != 2 {
			t.Fatalf("%d writes, %d packets after %v", m.writes, m.packets(t), time.Since(begin))
		}
		later.Reset(time.Hour) // nothing to write: the timer rests
		<-later.C
		if m.written() != 1 {
			t.Errorf("%d writes without packets", m.writes)
		}
		if err := w.Close(); err != nil || !m.synced || !m.closed {
			t.Errorf("close: %v, synced %v, closed %v", err, m.synced, m.closed)
		}
	})
}

func TestStalledDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{data: appendFileHeader(nil), gate: make(chan struct{})}
		var told []error
		w := newWriter(m, Options{OnError: func(err error) { told = append(told, err) }})
		const packets = 40_000
		p := Packet{Payload: make([]byte, 160)}
		for range packets { // would deadlock here if Append waited
			w.Append(&p)
		}
		dropped := w.Dropped()
		kept := (packets - int(dropped)) * (packetHeader + 160)
		if kept < maxQueued*9/10 || kept > maxQueued+2*defaultPageBytes {
			t.Errorf("%d octets kept in memory", kept)
		}
		if len(told) != 1 || !errors.Is(told[0], ErrBehind) {
			t.Errorf("told %v", told)
		}
		close(m.gate)
		synctest.Wait()
		w.Append(&p)
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if got := m.packets(t); got != packets+1-int(dropped) || w.Dropped() != dropped {
			t.Errorf("%d packets on disk, %d dropped of %d", got, w.Dropped(), packets)
		}
	})
}

func TestFailedPageIsOverwritten(t *testing.T) {
	full := errors.New("no space")
	synctest.Test(t, func(t *testing.T) {
		m := &memory{data: appendFileHeader(nil), fail: func(n int) error {
			if n == 2 || n == 3 || n == 6 {
				return full
			}
			return nil
		}}
		told := 0
		w := newWriter(m, Options{PageBytes: 1, OnError: func(error) { told++ }})
		for range 6 {
			w.Append(&Packet{Payload: []byte{1, 2, 3}})
			synctest.Wait()
		}
		if err := w.Close(); !errors.Is(err, full) {
			t.Errorf("close: %v", err)
		}
		if err := w.Close(); !errors.Is(err, full) {
			t.Errorf("second close: %v", err)
		}
		if got := m.packets(t); got != 3 || w.Dropped() != 3 || told != 1 {
			t.Errorf("%d packets on disk, %d dropped, told %d times", got, w.Dropped(), told)
		}
	})
}

func TestAppendDoesNotAllocate(t *testing.T) {
	w, err := Create(filepath.Join(t.TempDir(), "c"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	p := Packet{Payload: make([]byte, 160)}
	w.Append(&p)
	if n := testing.AllocsPerRun(50, func() { w.Append(&p) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAppend(b *testing.B) {
	w, err := Create(filepath.Join(b.TempDir(), "c"), Options{})
	if err != nil {
		b.Fatal(err)
	}
	p := Packet{Payload: make([]byte, 160)}
	b.ReportAllocs()
	for b.Loop() {
		w.Append(&p)
	}
	b.ReportMetric(float64(w.Dropped())/float64(b.N), "dropped/op")
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
}
