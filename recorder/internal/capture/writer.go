package capture

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Options says how a [Writer] works. The zero value is good.
type Options struct {
	// PageBytes is the size at which a page is handed to the disk, in octets;
	// 0 means 16 KiB, at most 512 KiB. A page is larger only when one packet is.
	PageBytes int
	// PageAge is the age of its first packet at which a page is handed to the
	// disk; 0 means 300 ms.
	PageAge time.Duration
	// OnError is told the first failure to write and, at most once, that
	// packets are dropped because the disk does not keep up. It is called from
	// Append or from the writer's goroutine, perhaps at once from both; it must
	// not block and must not call the Writer. It may be nil.
	OnError func(error)
}

// ErrBehind is told to Options.OnError when packets are dropped because the disk
// does not keep up.
var ErrBehind = errors.New("disk does not keep up, packets are dropped")

const (
	defaultPageBytes = 16 << 10
	maxPageBytes     = maxPage / 2
	defaultPageAge   = 300 * time.Millisecond

	// maxQueued bounds the octets that wait for the disk: some minutes of two
	// G.711 streams.
	maxQueued = 4 << 20
)

// output is the file as the writer needs it.
type output interface {
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Close() error
}

// A Writer appends packets to a capture. Its methods may be called from several
// goroutines.
type Writer struct {
	out     output
	bytes   int
	age     time.Duration
	onError func(error)
	timer   *time.Timer   // runs since the current page holds a packet
	wake    chan struct{} // pages are queued, or the writer is closed
	done    chan struct{} // closed when run has ended

	mu      sync.Mutex
	current page
	queue   []page
	queued  int // octets in queue and in the page being written
	free    []byte
	closed  bool
	behind  bool // ErrBehind was told
	dropped uint64
	err     error // first failure

	// Owned by the goroutine of run.
	offset int64  // where the next page goes
	number uint64 // of the next page
}

// page is a page on its way; buf has room for the header in front.
type page struct {
	buf     []byte
	packets uint64
}

// Create makes a new capture. The file must not exist.
func Create(path string, opt Options) (*Writer, error) {
	if opt.PageBytes < 0 || opt.PageBytes > maxPageBytes || opt.PageAge < 0 {
		return nil, fmt.Errorf("create capture: page of %d octets, %v out of range", opt.PageBytes, opt.PageAge)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create capture: %w", err)
	}
	if _, err := f.WriteAt(appendFileHeader(nil), 0); err != nil {
		return nil, errors.Join(fmt.Errorf("create capture: %w", err), f.Close(), os.Remove(path))
	}
	return newWriter(f, opt), nil
}

// newWriter starts a writer on a file that holds its header.
func newWriter(out output, opt Options) *Writer {
	w := &Writer{
		out:     out,
		bytes:   opt.PageBytes,
		age:     opt.PageAge,
		onError: opt.OnError,
		wake:    make(chan struct{}, 1),
		done:    make(chan struct{}),
		offset:  fileHeader,
	}
	if w.bytes == 0 {
		w.bytes = defaultPageBytes
	}
	if w.age == 0 {
		w.age = defaultPageAge
	}
	if w.onError == nil {
		w.onError = func(error) {}
	}
	w.timer = time.NewTimer(w.age)
	w.timer.Stop()
	go w.run()
	return w
}

// Append copies p to the current page. It never waits for the disk: a packet
// for which there is no room is dropped and counted, as is one after Close.
func (w *Writer) Append(p *Packet) {
	w.mu.Lock()
	tell := w.add(p)
	w.mu.Unlock()
	if tell {
		w.onError(ErrBehind)
	}
}

// add is Append under the lock; it reports whether ErrBehind is to be told.
func (w *Writer) add(p *Packet) (tell bool) {
	if w.closed || !p.fits() {
		w.dropped++
		return false
	}
	need := packetHeader + len(p.Payload)
	if w.current.packets > 0 && len(w.current.buf)-pageHeader+need > w.bytes {
		if w.queued+len(w.current.buf) > maxQueued {
			w.dropped++
			tell, w.behind = !w.behind, true
			return tell
		}
		w.handOver()
		w.signal()
	}
	if w.current.packets == 0 {
		w.open()
	}
	w.current.buf = appendPacket(w.current.buf, p)
	w.current.packets++
	return false
}

// open begins a page.
func (w *Writer) open() {
	buf := w.free
	w.free = nil
	if buf == nil {
		buf = make([]byte, 0, pageHeader+w.bytes)
	}
	w.current = page{buf: buf[:pageHeader]}
	w.timer.Reset(w.age)
}

// handOver puts the current page, if it holds anything, in the queue.
func (w *Writer) handOver() {
	if w.current.packets == 0 {
		return
	}
	w.queue = append(w.queue, w.current)
	w.queued += len(w.current.buf)
	w.current = page{}
}

func (w *Writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default: // it is awake already
	}
}

// run writes pages until the writer is closed and nothing is left.
func (w *Writer) run() {
	defer close(w.done)
	for {
		aged := false
		select {
		case <-w.wake:
		case <-w.timer.C:
			aged = true
		}
		if closed := w.drain(aged); closed {
			break
		}
	}
	w.timer.Stop()
	w.finish()
}

// drain writes what is queued; when aged or closed, the current page too.
func (w *Writer) drain(aged bool) (closed bool) {
	for {
		w.mu.Lock()
		closed = w.closed
		if aged || closed {
			w.handOver()
			aged = false
		}
		if len(w.queue) == 0 {
			w.mu.Unlock()
			return closed
		}
		next := w.queue[0]
		n := copy(w.queue, w.queue[1:])
		w.queue[n] = page{}
		w.queue = w.queue[:n]
		w.mu.Unlock()

		w.settle(next, w.write(next.buf))
	}
}

// write puts a page behind the last one that was written whole: what a failed
// write left of another is overwritten.
func (w *Writer) write(buf []byte) error {
	finishPage(buf, w.number)
	if _, err := w.out.WriteAt(buf, w.offset); err != nil {
		return fmt.Errorf("write page %d of capture: %w", w.number, err)
	}
	w.offset += int64(len(buf))
	w.number++
	return nil
}

// settle accounts for a page that was written or failed.
func (w *Writer) settle(p page, err error) {
	w.mu.Lock()
	w.queued -= len(p.buf)
	if w.free == nil && cap(p.buf) <= pageHeader+w.bytes {
		w.free = p.buf
	}
	tell := false
	if err != nil {
		w.dropped += p.packets
		tell = w.err == nil
		w.note(err)
	}
	w.mu.Unlock()
	if tell {
		w.onError(err)
	}
}

// note keeps the first failure.
func (w *Writer) note(err error) {
	if w.err == nil {
		w.err = err
	}
}

// finish makes the file durable and closes it.
func (w *Writer) finish() {
	err := w.out.Truncate(w.offset) // drops the rest of a page that failed
	if err != nil {
		err = fmt.Errorf("truncate capture: %w", err)
	}
	if e := w.out.Sync(); e != nil && err == nil {
		err = fmt.Errorf("sync capture: %w", e)
	}
	if e := w.out.Close(); e != nil && err == nil {
		err = fmt.Errorf("close capture: %w", e)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.note(err)
	}
}

// Close writes what is left, makes the file durable and waits for the writer's
// goroutine. It returns the first failure of the writer's life, also when it is
// called again.
func (w *Writer) Close() error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.signal()
	<-w.done
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Dropped is the number of packets that will not be found in the file: for want
// of room, after a failed write, or after Close.
func (w *Writer) Dropped() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dropped
}
