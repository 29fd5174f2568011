package siprec

import (
	"slices"
	"sync"
	"time"
)

// A fakeClock moves only when it is told to.
type fakeClock struct {
	mu      sync.Mutex
	changed *sync.Cond
	now     time.Time
	timers  map[*fakeTimer]bool
}

type fakeTimer struct {
	clock *fakeClock
	at    time.Time
	call  func()
}

func newFakeClock() *fakeClock {
	c := &fakeClock{now: time.Now(), timers: make(map[*fakeTimer]bool)}
	c.changed = sync.NewCond(&c.mu)
	return c
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) AfterFunc(d time.Duration, f func()) Timer {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &fakeTimer{clock: c, at: c.now.Add(d), call: f}
	c.timers[t] = true
	c.changed.Broadcast()
	return t
}

func (t *fakeTimer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	pending := t.clock.timers[t]
	delete(t.clock.timers, t)
	t.clock.changed.Broadcast()
	return pending
}

// advance moves the clock and makes the calls that are due, in their order.
func (c *fakeClock) advance(d time.Duration) {
	c.mu.Lock()
	end := c.now.Add(d)
	for {
		var next *fakeTimer
		for t := range c.timers {
			if !t.at.After(end) && (next == nil || t.at.Before(next.at)) {
				next = t
			}
		}
		if next == nil {
			break
		}
		delete(c.timers, next)
		c.now = next.at
		c.mu.Unlock()
		next.call()
		c.mu.Lock()
	}
	c.now = end
	c.mu.Unlock()
}

// await waits until just these calls are pending, given by when they are due
// from now.
func (c *fakeClock) await(due ...time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.pending(due) {
		c.changed.Wait()
	}
}

func (c *fakeClock) pending(due []time.Duration) bool {
	if len(c.timers) != len(due) {
		return false
	}
	for t := range c.timers {
		if !slices.Contains(due, t.at.Sub(c.now)) {
			return false
		}
	}
	return true
}

// awaitWithin waits until just one call is pending that is due within a time, and
// returns when.
func (c *fakeClock) awaitWithin(most time.Duration) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		for t := range c.timers {
			if due := t.at.Sub(c.now); len(c.timers) == 1 && due <= most {
				return due
			}
		}
		c.changed.Wait()
	}
}
