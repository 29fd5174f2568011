package media

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// pollPairs is how many pairs are asked at once whether something came.
const pollPairs = 128

// sweeper reads all sockets of a plane by a few goroutines, each of which goes round
// its share. None runs while there is no receiver.
type sweeper struct {
	plane   *Plane
	rounds  []*rounds
	batches sync.Pool // of *batch
}

// newSweeper returns the simple reader where sweeping is not possible: in a sandbox.
func newSweeper(p *Plane) socketReader {
	if !canSweep() {
		p.cfg.Log.Warn("recvmmsg is not to be had: media is read in the simple way")
		return simpleReader{p}
	}
	s := &sweeper{plane: p, rounds: make([]*rounds, p.cfg.Threads)}
	s.batches.New = func() any { return newBatch() }
	for i := range s.rounds {
		s.rounds[i] = &rounds{sweeper: s, wake: make(chan struct{}, 1)}
	}
	return s
}

func (s *sweeper) bind(ip netip.Addr, port uint16) (pair, error) {
	listen := func(port uint16) (*rawSocket, error) {
		if port%2 != 0 {
			return listenRaw(ip, port, 0) // RTCP: what the system gives is plenty
		}
		return listenRaw(ip, port, s.plane.cfg.ReadBuffer)
	}
	rtp, rtcp, err := bindPair(listen, port)
	if err != nil {
		return nil, err
	}
	p := &sweptPair{sweeper: s, rtp: *rtp, rtcp: *rtcp}
	p.polls = [2]unix.PollFd{{Fd: int32(rtp.fd), Events: unix.POLLIN}, {Fd: int32(rtcp.fd), Events: unix.POLLIN}}
	i := s.plane.clock()
	p.rtp.arrivals, p.rtcp.arrivals = newArrivals(i), newArrivals(i)
	return p, nil
}

func (s *sweeper) close() {
	for _, r := range s.rounds {
		r.running.Wait()
	}
}

// assign gives a pair to the reader that has the fewest.
func (s *sweeper) assign(p *sweptPair) {
	least, fewest := s.rounds[0], -1
	for _, r := range s.rounds {
		if n := r.count(); fewest < 0 || n < fewest {
			least, fewest = r, n
		}
	}
	least.add(p)
}

// borrow lends a batch to who reads outside a round.
func (s *sweeper) borrow() *batch {
	b, _ := s.batches.Get().(*batch)
	return b
}

// rounds are the pairs that one goroutine sweeps.
type rounds struct {
	sweeper *sweeper
	wake    chan struct{} // what it waits for may have changed
	running sync.WaitGroup

	mu      sync.Mutex
	pairs   []*sweptPair
	changed bool // since the goroutine looked
	active  bool // there is a goroutine
}

func (r *rounds) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.pairs)
}

func (r *rounds) add(p *sweptPair) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p.rounds, p.place = r, len(r.pairs)
	r.pairs = append(r.pairs, p)
	r.changed = true
	if !r.active {
		r.active = true
		r.running.Go(r.run)
	}
}

func (r *rounds) remove(p *sweptPair) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.place < 0 {
		return
	}
	last := len(r.pairs) - 1
	r.pairs[p.place] = r.pairs[last]
	r.pairs[p.place].place = p.place
	r.pairs[last] = nil
	p.place = -1
	r.pairs = r.pairs[:last]
	r.changed = true
	if last == 0 {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
}

// refresh brings the circle of the goroutine up to date. It reports false, and the
// goroutine is to end, when nothing is in it.
func (r *rounds) refresh(c *circle) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.pairs) == 0 {
		r.active = false
		return false
	}
	if r.changed {
		r.changed = false
		c.fill(r.pairs)
	}
	return true
}

// run sweeps until there is nothing to sweep.
func (r *rounds) run() {
	b := r.sweeper.borrow()
	defer r.sweeper.batches.Put(b)
	timer := time.NewTimer(longestSweep)
	defer timer.Stop()
	pace := pace{interval: shortestSweep}
	var c circle
	for r.refresh(&c) {
		timer.Reset(pace.next(c.sweep(b)))
		select {
		case <-timer.C:
		case <-r.wake:
		}
	}
}

// A circle is what one sweep goes round. A pair in it may have been closed since, and
// another may have its descriptors: whether it is to be read is known under its lock.
type circle struct {
	pairs []*sweptPair
	polls []unix.PollFd // of RTP and RTCP, for each pair
}

func (c *circle) fill(pairs []*sweptPair) {
	clear(c.pairs)
	c.pairs = append(c.pairs[:0], pairs...)
	c.polls = c.polls[:0]
	for _, p := range pairs {
		c.polls = append(c.polls, p.polls[:]...)
	}
}

// sweep reads what has come to all of it.
func (c *circle) sweep(b *batch) findings {
	began := time.Now()
	f := findings{due: -1}
	for first := 0; first < len(c.pairs); first += pollPairs {
		last := min(first+pollPairs, len(c.pairs))
		polls := c.polls[2*first : 2*last]
		look(polls)
		for i, p := range c.pairs[first:last] {
			rtp, rtcp := polls[2*i].Revents != 0, polls[2*i+1].Revents != 0
			if rtp || rtcp || p.waits.Load() {
				p.sweep(b, rtp, rtcp, began, &f)
			}
		}
	}
	f.took = time.Since(began)
	return f
}

// look asks which sockets have something. One call for many costs a fraction of a read
// that finds nothing.
func look(polls []unix.PollFd) {
	if _, err := unix.Ppoll(polls, &unix.Timespec{}, nil); err != nil {
		for i := range polls {
			polls[i].Revents = unix.POLLIN // to be found out
		}
	}
}
