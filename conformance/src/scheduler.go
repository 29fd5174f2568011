package src

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// player is one source on its way: what comes next, and when.
type player struct {
	stream *Stream
	next   func() (emission, bool)
	begin  func(start time.Time) // sees the start before the first emission; may be nil
	start  time.Time
	due    emission
	err    error
	done   chan struct{}
	place  int // in the heap; -1 when it is in none
	// finished says that everything was sent.
	finished bool
}

// scheduler sends the packets of one dialog by one absolute timetable, in one
// goroutine that starts with the first player and ends with close.
type scheduler struct {
	now    func() time.Time
	add    chan []*player
	cancel chan []*player
	stop   chan struct{}
	done   chan struct{}
	mu     sync.Mutex
	state  schedulerState
}

type schedulerState int

const (
	idle schedulerState = iota
	running
	stopped
)

func newScheduler(now func() time.Time) *scheduler {
	return &scheduler{
		now: now, add: make(chan []*player), cancel: make(chan []*player),
		stop: make(chan struct{}), done: make(chan struct{}),
	}
}

// run plays until all players ended, or until ctx.
func (s *scheduler) run(ctx context.Context, players []*player) error {
	if !s.begin() {
		return ErrClosed
	}
	for _, p := range players {
		p.done = make(chan struct{})
	}
	select {
	case s.add <- players:
	case <-s.done:
		return ErrClosed
	}
	for _, p := range players {
		select {
		case <-p.done:
		case <-ctx.Done():
			select {
			case s.cancel <- players:
			case <-s.done:
			}
			return ctx.Err()
		}
		if p.err != nil {
			select {
			case s.cancel <- players:
			case <-s.done:
			}
			return p.err
		}
	}
	return nil
}

func (s *scheduler) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == idle {
		s.state = running
		go s.loop()
	}
	return s.state == running
}

// close ends the goroutine and waits for it; players end with ErrClosed.
func (s *scheduler) close() {
	s.mu.Lock()
	was := s.state
	s.state = stopped
	s.mu.Unlock()
	switch was {
	case running:
		close(s.stop)
		<-s.done
	case idle:
		close(s.done)
	case stopped:
		<-s.done
	}
}

func (s *scheduler) loop() {
	var queue timetable
	timer := time.NewTimer(time.Hour)
	defer close(s.done)
	defer timer.Stop()
	for {
		wait := time.Hour
		if len(queue) > 0 {
			wait = queue[0].at().Sub(s.now())
		}
		timer.Reset(max(wait, 0))
		select {
		case <-s.stop:
			for _, p := range queue {
				p.end(ErrClosed)
			}
			return
		case players := <-s.add:
			start := s.now()
			for _, p := range players {
				p.start = start
				if p.begin != nil {
					p.begin(start)
				}
				queue.enter(p)
			}
		case players := <-s.cancel:
			for _, p := range players {
				queue.drop(p)
			}
		case <-timer.C:
			queue.send(s.now)
		}
	}
}

func (p *player) at() time.Time { return p.start.Add(p.due.offset) }

func (p *player) end(err error) {
	p.err, p.place = err, -1
	close(p.done)
}

// timetable is a heap of players by the instant of their next packet.
type timetable []*player

func (t timetable) Len() int           { return len(t) }
func (t timetable) Less(i, j int) bool { return t[i].at().Before(t[j].at()) }
func (t timetable) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].place, t[j].place = i, j
}

// Push is for container/heap.
func (t *timetable) Push(x any) {
	p := x.(*player)
	p.place = len(*t)
	*t = append(*t, p)
}

// Pop is for container/heap.
func (t *timetable) Pop() any {
	last := len(*t) - 1
	p := (*t)[last]
	*t = (*t)[:last]
	return p
}

func (t *timetable) enter(p *player) {
	var ok bool
	if p.due, ok = p.next(); !ok {
		p.finished = true
		p.end(nil)
		return
	}
	heap.Push(t, p)
}

// drop removes a player that was cancelled; it may have ended meanwhile.
func (t *timetable) drop(p *player) {
	if p.place < 0 || p.place >= len(*t) || (*t)[p.place] != p {
		return
	}
	heap.Remove(t, p.place)
	p.end(context.Canceled)
}

// send sends everything that is due.
func (t *timetable) send(now func() time.Time) {
	for len(*t) > 0 && !(*t)[0].at().After(now()) {
		p := (*t)[0]
		err := p.stream.send(p.due, now)
		var ok bool
		if p.due, ok = p.next(); ok && err == nil {
			heap.Fix(t, 0)
			continue
		}
		heap.Pop(t)
		p.finished = !ok
		p.end(err)
	}
}
