package capture

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Options says how a [Spool] works.
type Options struct {
	// Dir is a folder on the file system of the captures. It has to be there.
	Dir string
	// HoldBack is for how long after its latest packet a page waits in memory,
	// from 0 to [MaxHoldBack].
	HoldBack time.Duration
	// PageSpan is for how long a page takes packets; 0 means 300 ms, at most 1 s.
	PageSpan time.Duration
	// Commit is how often what was written is made durable; 0 means 1 s.
	Commit time.Duration
	// Memory bounds what pages may take, in octets; 0 means 512 MiB, at least
	// 4 MiB.
	Memory int
	// Writers is the number of goroutines that write; 0 means 2.
	Writers int
	// Now is the clock that pages grow old by; nil means time.Now. It has to be
	// that of the arrivals.
	Now func() time.Time
	// OnDisk is told when the disk begins to fail or does not keep up, and with
	// nil when it is well again. It must not block and must not call the Spool
	// or its writers. It may be nil.
	OnDisk func(error)
}

const (
	// MaxHoldBack is the longest hold-back.
	MaxHoldBack = 3 * time.Second
	// MinMemory is the least memory for pages, in octets.
	MinMemory = 4 << 20
)

// ErrBehind is told when packets are dropped because the disk does not keep up.
var ErrBehind = errors.New("disk does not keep up, packets are dropped")

const (
	defaultSpan    = 300 * time.Millisecond
	maxSpan        = time.Second
	defaultCommit  = time.Second
	defaultMemory  = 512 << 20
	defaultWriters = 2

	// tick is how often is looked for pages that are due, while there are any.
	tick = 50 * time.Millisecond
	// scratchSize is how much is written at a time: at least the largest page.
	scratchSize = 2 * slotLarge
	// closers is how many captures are closed or cut at a time.
	closers = 4
)

// A Spool writes the pages of many captures. What is at risk when the process is
// killed is PageSpan + HoldBack + one tick of 50 ms and the time of writing; when
// the machine fails, Commit more.
type Spool struct {
	opt   Options
	dir   *os.File
	arena *arena

	stop    chan struct{}
	working sync.WaitGroup
	shards  []*shard
	next    atomic.Uint32
	scratch chan []byte // for those who close and cut

	written chan struct{}
	sync    func(dir *os.File, files []output) error
	dirtyMu sync.Mutex
	dirty   []*Writer

	troubled    atomic.Int32 // how many writers fail, and which of these are so
	uncommitted atomic.Bool  // what was written cannot be made durable
	short       atomic.Bool  // there was no memory for a page
	dropped     atomic.Uint64
}

// A shard is one writing goroutine and the captures it looks after.
type shard struct {
	scratch []byte
	wake    chan struct{}
	mu      sync.Mutex
	list    []*Writer // those that hold pages
}

// NewSpool starts a spool. Close has to be called in the end.
func NewSpool(opt Options) (*Spool, error) {
	if opt.HoldBack < 0 || opt.HoldBack > MaxHoldBack {
		return nil, fmt.Errorf("capture: hold-back of %v is not from 0 to %v", opt.HoldBack, MaxHoldBack)
	}
	if opt.PageSpan < 0 || opt.PageSpan > maxSpan || opt.Commit < 0 || opt.Writers < 0 {
		return nil, fmt.Errorf("capture: page of %v, commit every %v or %d writers out of range", opt.PageSpan, opt.Commit, opt.Writers)
	}
	if opt.Memory != 0 && opt.Memory < MinMemory {
		return nil, fmt.Errorf("capture: %d octets for pages, at least %d are needed", opt.Memory, MinMemory)
	}
	opt = opt.filled()
	dir, err := os.Open(opt.Dir)
	if err != nil {
		return nil, fmt.Errorf("capture: %w", err)
	}
	s := &Spool{
		opt: opt, dir: dir, arena: newArena(opt.Memory),
		sync: commitFiles,
		stop: make(chan struct{}), written: make(chan struct{}, 1), scratch: make(chan []byte, closers),
	}
	for range closers {
		s.scratch <- nil // made when it is used first
	}
	s.working.Go(s.runCommit)
	for range opt.Writers {
		sh := &shard{scratch: make([]byte, 0, scratchSize), wake: make(chan struct{}, 1)}
		s.shards = append(s.shards, sh)
		s.working.Go(func() { s.run(sh) })
	}
	return s, nil
}

func (o Options) filled() Options {
	if o.PageSpan == 0 {
		o.PageSpan = defaultSpan
	}
	if o.Commit == 0 {
		o.Commit = defaultCommit
	}
	if o.Memory == 0 {
		o.Memory = defaultMemory
	}
	if o.Writers == 0 {
		o.Writers = defaultWriters
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.OnDisk == nil {
		o.OnDisk = func(error) {}
	}
	return o
}

// Failing reports whether the disk fails or does not keep up.
func (s *Spool) Failing() bool { return s.troubled.Load() > 0 }

// Dropped is how many packets of all captures were dropped.
func (s *Spool) Dropped() uint64 { return s.dropped.Load() }

// Held is how much memory the pages take that wait to be written, and how much they
// may, in octets.
func (s *Spool) Held() (now, most int) {
	s.arena.mu.Lock()
	defer s.arena.mu.Unlock()
	return s.arena.used, s.arena.most
}

// trouble notes how somebody fares with the disk, and tells when that makes a
// difference to the whole.
func (s *Spool) trouble(state *atomic.Bool, err error) {
	if state.Swap(err != nil) == (err != nil) {
		return
	}
	if err != nil {
		if s.troubled.Add(1) == 1 {
			s.opt.OnDisk(err)
		}
	} else if s.troubled.Add(-1) == 0 {
		s.opt.OnDisk(nil)
	}
}

// run writes what is due until the spool is closed.
func (s *Spool) run(sh *shard) {
	timer := time.NewTimer(tick)
	defer timer.Stop()
	for {
		select {
		case <-sh.wake:
		case <-s.stop:
			return
		}
		for more := true; more; {
			timer.Reset(tick)
			select {
			case <-timer.C:
			case <-s.stop:
				return
			}
			more = s.sweep(sh)
		}
	}
}

// sweep writes what is due of each capture of a shard and reports whether some
// hold pages still.
func (s *Spool) sweep(sh *shard) bool {
	sh.mu.Lock()
	list := sh.list
	sh.list = nil
	sh.mu.Unlock()
	kept := list[:0]
	for _, w := range list {
		if w.sweep(&sh.scratch) {
			kept = append(kept, w)
		}
	}
	clear(list[len(kept):])
	if s.short.Load() && s.arena.roomy() {
		s.trouble(&s.short, nil)
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.list = append(kept, sh.list...) // those that came meanwhile behind
	return len(sh.list) > 0
}

// enlist has the goroutine of a shard look after a capture that holds a page.
func (sh *shard) enlist(w *Writer) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.list = append(sh.list, w); len(sh.list) == 1 {
		signal(sh.wake)
	}
}

// borrow gives room to seal pages in, once some is free.
func (s *Spool) borrow() []byte {
	b := <-s.scratch
	if b == nil {
		b = make([]byte, 0, scratchSize)
	}
	return b
}

func (s *Spool) giveBack(b []byte) { s.scratch <- b[:0] }

// Close ends the goroutines of the spool and waits for them. Its writers have to
// be closed before.
func (s *Spool) Close() error {
	close(s.stop)
	s.working.Wait()
	if err := errors.Join(s.arena.close(), s.dir.Close()); err != nil {
		return fmt.Errorf("close captures: %w", err)
	}
	return nil
}
