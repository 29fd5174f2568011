package capture

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/seal"
)

const (
	// maxHeld bounds what one capture may keep in memory, in octets: who floods
	// one recording session takes nothing from the others. It is some minutes of
	// two G.711 streams.
	maxHeld = 4 << 20
	// retryAfter is how long a capture rests after a failed write.
	retryAfter = 250 * time.Millisecond
	// sparePages is how many descriptions of pages are kept for the next ones.
	sparePages = 4
	// nowhere is the latest arrival of what is not there.
	nowhere = time.Duration(math.MinInt64)
)

// output is the file as the writer needs it.
type output interface {
	io.WriterAt
	io.ReaderAt
	Truncate(size int64) error
	Sync() error
	Close() error
}

// A turn is had by one at a time.
type turn chan struct{}

func (t turn) lock()   { t <- struct{}{} }
func (t turn) unlock() { <-t }

// try reports whether the turn was free, and takes it then.
func (t turn) try() bool {
	select {
	case t <- struct{}{}:
		return true
	default:
		return false
	}
}

// A Writer appends packets to a capture. Its methods may be called from several
// goroutines.
type Writer struct {
	spool   *Spool
	shard   *shard
	zero    time.Time // instant of arrival 0
	onError func(error)

	// disk is held while the file is used, and taken before mu.
	disk   turn
	out    output // nil before Begin
	sealer sealer // of the epoch that is written now
	offset int64  // where the next page goes
	number uint64 // of the next page
	// residue says that behind offset stands something of a write that failed, of
	// packets that came until residueLast.
	residue     atomic.Bool
	residueLast time.Duration
	doomed      []place // pages that are to be overwritten
	shut        bool    // out is closed

	mu       sync.Mutex
	streams  []streamPages
	queue    []*page // closed pages, in the order in which they were closed
	flying   []*page // being written
	spare    []*page
	held     int    // octets of slots
	released uint64 // the latest decision whose line is durable
	listed   bool   // the shard looks after it
	retryAt  time.Time
	closed   bool
	behind   bool // ErrBehind was told
	dropped  uint64
	err      error // first failure

	failing atomic.Bool
	dirty   bool // owned by the commit of the spool
}

// streamPages is what a writer knows of one stream.
type streamPages struct {
	stream int
	page   *page         // takes packets; nil for none
	class  int           // of the next page
	last   time.Duration // latest arrival on disk; nowhere for none
}

// Create makes a new capture, whose arrivals count from zero. The file must not
// exist. onError is told the first failure to write and, at most once, that
// packets are dropped; it must not block and must not call the Writer. It may be
// nil.
func (s *Spool) Create(path string, secret Secret, zero time.Time, onError func(error)) (*Writer, error) {
	w, err := s.Prepare(secret, zero, onError)
	if err == nil {
		err = w.Begin(path)
	}
	if err != nil {
		return nil, err
	}
	return w, nil
}

// Prepare is Create without the file: packets wait in memory until [Writer.Begin].
func (s *Spool) Prepare(secret Secret, zero time.Time, onError func(error)) (*Writer, error) {
	w, err := s.newWriter(nil, secret, zero, onError)
	if err != nil {
		return nil, fmt.Errorf("create capture: %w", err)
	}
	return w, nil
}

// Begin makes the file of a writer that has none, or anew where nothing was written
// to it. The file must not exist.
func (w *Writer) Begin(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("create capture: %w", err)
	}
	if _, err := f.WriteAt(appendFileHeader(nil), 0); err != nil {
		return errors.Join(fmt.Errorf("create capture: %w", err), f.Close(), os.Remove(path))
	}
	w.disk.lock()
	defer w.disk.unlock()
	old := w.out
	w.out = f
	if old != nil {
		return old.Close()
	}
	return nil
}

// newWriter makes a writer for a file that holds its header and nothing else, or
// for none yet.
func (s *Spool) newWriter(out output, secret Secret, zero time.Time, onError func(error)) (*Writer, error) {
	w := &Writer{
		spool: s, disk: make(turn, 1), shard: s.shards[int(s.next.Add(1))%len(s.shards)], zero: zero, onError: onError,
		out: out, sealer: sealer{secret: secret}, offset: fileHeader,
	}
	if w.onError == nil {
		w.onError = func(error) {}
	}
	var epoch [seal.EpochSize]byte
	if _, err := io.ReadFull(rand.Reader, epoch[:]); err != nil {
		return nil, err
	}
	return w, w.sealer.use(epoch)
}

// Append copies p to a page. It never waits for the disk: a packet for which
// there is no room is dropped and counted, as is one after Close.
func (w *Writer) Append(p *Packet) {
	w.mu.Lock()
	err, short := w.add(p)
	tell := err != nil && !w.behind
	w.behind = w.behind || err != nil
	w.mu.Unlock()
	if tell {
		w.onError(err)
	}
	if short {
		w.spool.trouble(&w.spool.short, err)
	}
}

// drop counts a packet for which there is no room.
func (w *Writer) drop() {
	w.dropped++
	w.spool.dropped.Add(1)
}

// add is Append under the lock. It returns ErrBehind when the packet was dropped
// for want of memory, and whether that is everybody's want.
func (w *Writer) add(p *Packet) (err error, everybody bool) {
	if w.closed || !p.fits() || p.room() > slotLarge {
		w.drop()
		return nil, false
	}
	s := w.stream(p.Stream)
	if s.page != nil {
		if s.page.decision == p.Decision && p.Arrival < s.page.end && s.page.add(p) {
			return nil, false
		}
	}
	end := w.end(s, p)
	if s.page != nil {
		w.enqueue(s, p.Arrival)
	}
	least := classOf(p.room())
	class := max(s.class, least)
	if w.held+slotSize(class) > maxHeld {
		w.drop()
		return ErrBehind, false
	}
	room, ok := w.spool.arena.take(class)
	for ; !ok && class > least; class-- { // a smaller one serves too, for less time
		room, ok = w.spool.arena.take(class - 1)
	}
	if !ok {
		w.drop()
		return ErrBehind, true
	}
	w.held += len(room.memory)
	s.page = w.fresh()
	s.page.begin(room, p, end)
	s.page.add(p)
	if !w.listed {
		w.listed = true
		w.shard.enlist(w)
	}
	return nil, false
}

// end is when the page ends that a packet begins. Those of all streams end together, so
// that they are written with one call. But one may be too small for its span: what is
// left of that would waste a page.
func (w *Writer) end(s *streamPages, p *Packet) time.Duration {
	span := w.spool.opt.PageSpan
	if s.page != nil && s.page.decision == p.Decision && p.Arrival < s.page.end {
		return p.Arrival + span
	}
	return (p.Arrival/span + 1) * span
}

// stream finds what is known of a stream.
func (w *Writer) stream(number int) *streamPages {
	for i := range w.streams {
		if w.streams[i].stream == number {
			return &w.streams[i]
		}
	}
	w.streams = append(w.streams, streamPages{stream: number, last: nowhere})
	return &w.streams[len(w.streams)-1]
}

// enqueue closes the page of a stream, for a packet of an arrival, and chooses the
// size of the next: one that took less than its time was too small.
func (w *Writer) enqueue(s *streamPages, arrival time.Duration) {
	p := s.page
	switch class := int(p.slot.class); {
	case arrival < p.end && p.used > len(p.slot.memory)/2:
		s.class = min(class+1, classes-1)
	case class > 0 && p.wouldFit(slotSize(class-1)):
		s.class = class - 1
	}
	w.queue = append(w.queue, p)
	s.page = nil
}

func (w *Writer) fresh() *page {
	n := len(w.spare)
	if n == 0 {
		return new(page)
	}
	p := w.spare[n-1]
	w.spare = w.spare[:n-1]
	return p
}

// forget wipes a page and gives its memory back.
func (w *Writer) forget(p *page) {
	w.held -= len(p.slot.memory)
	w.spool.arena.give(p.slot, len(p.slot.memory))
	*p = page{}
	if len(w.spare) < sparePages {
		w.spare = append(w.spare, p)
	}
}

// Release says that the lines of the journal are durable up to those of a
// decision: what it permits may reach the disk.
func (w *Writer) Release(decision uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.released = max(w.released, decision)
}

// Held is how much memory its pages take, in octets.
func (w *Writer) Held() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.held
}

// Dropped is the number of packets that will not be found in the file, though
// they were permitted: for want of room, after a failed write, or after Close.
func (w *Writer) Dropped() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dropped
}
