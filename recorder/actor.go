package recorder

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
)

// An actor has things done to an interaction, one after the other: each by a goroutine
// of the moment, which has its turn until nothing is left to be done. In between there is
// none, for an interaction waits for hours. What others want of it they hand to it, and
// wait until it is done.
type actor struct {
	over chan struct{} // closed when nothing is taken any more

	mu      sync.Mutex
	turn    func() // nil before it is started
	busy    bool   // a goroutine has its turn
	ended   bool
	work    []job
	woken   bool // since it was looked what there is to do
	rang    bool // the bell did
	late    bool // the grace time is over
	bell    *time.Timer
	grace   *time.Timer // nil while a recording session goes on
	period  int         // which grace time it is
	letWait func() bool // ends what wakes it when the recorder stops
}

type job struct {
	do   func()
	done chan bool // whether it was done
}

func newActor() actor { return actor{over: make(chan struct{})} }

// do has something done and returns when it is. It is false when the interaction is
// over, and nothing was done.
func (a *actor) do(f func()) bool {
	j := job{f, make(chan bool, 1)}
	a.mu.Lock()
	if a.ended {
		a.mu.Unlock()
		return false
	}
	a.work = append(a.work, j)
	a.wakeLocked()
	a.mu.Unlock()
	return <-j.done
}

// wake lets it look whether there is something to do.
func (a *actor) wake() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.wakeLocked()
}

func (a *actor) wakeLocked() {
	a.woken = true
	if a.turn != nil && !a.busy && !a.ended {
		a.busy = true
		go a.turn()
	}
}

// end takes nothing any more. What waits was not done.
func (a *actor) end() {
	a.mu.Lock()
	a.ended = true
	rest := a.work
	a.work = nil
	a.mu.Unlock()
	close(a.over)
	for _, j := range rest {
		j.done <- false
	}
}

// next gives what is to be done now, or ends the turn when that is nothing.
func (a *actor) next() (j job, rang, late, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	woken := a.woken
	rang, late = a.rang, a.late
	a.woken, a.rang, a.late = false, false, false
	if len(a.work) > 0 {
		j = a.work[0]
		a.work = slices.Delete(a.work, 0, 1)
	}
	if j.do == nil {
		a.work = nil
		a.busy = woken || rang || late
	}
	return j, rang, late, a.busy
}

// ringAt has the bell ring after a time, and not at any other.
func (a *actor) ringAt(after time.Duration, ring bool) {
	if a.bell != nil {
		a.bell.Stop()
		a.bell = nil
	}
	if ring {
		a.bell = time.AfterFunc(after, func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.rang = true
			a.wakeLocked()
		})
	}
}

// waitFor begins the grace time, unless it has begun. It is cut short when ctx is done.
func (a *actor) waitFor(ctx context.Context, grace time.Duration) {
	if a.grace != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.period++
	period := a.period
	a.grace = time.AfterFunc(grace, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.late = a.late || period == a.period
		a.wakeLocked()
	})
	a.letWait = context.AfterFunc(ctx, a.wake)
}

// waitNoMore ends the grace time, if it has begun.
func (a *actor) waitNoMore() {
	if a.grace == nil {
		return
	}
	a.grace.Stop()
	a.letWait()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.grace, a.letWait, a.late = nil, nil, false
	a.period++
}

// takeTurn is a turn: it does what is to be done until there is nothing. The interaction is
// over when all its recording sessions are gone, and no other came in the grace time after
// that; its files are made then.
func (in *interaction) takeTurn() {
	for !in.allGone() || !in.concluded {
		switch {
		case !in.allGone():
			in.waitNoMore()
		case !in.awaits():
			in.safely(in.conclude)
			continue
		default:
			in.waitFor(in.recorder.stopping, in.recorder.cfg.Grace)
		}
		in.ringAt(in.nextBell())
		j, rang, late, ok := in.next()
		if !ok {
			return
		}
		if j.do != nil {
			in.safely(j.do)
			j.done <- true
		}
		if rang {
			in.safely(func() { in.ring(in.recorder.cfg.Now()) })
		}
		if late && in.allGone() {
			in.safely(in.conclude)
		}
	}
	in.waitNoMore()
	in.ringAt(0, false)
	in.recorder.links.leave(in, in.leaves())
	in.recorder.live.remove(in)
	in.end()
	defer in.recorder.working.Done()
	in.recorder.finaliseAll(in)
}

// safely does something for the interaction. A failure of ours in it costs no other one
// anything: this one is broken off, as an engine in doubt records nothing.
func (in *interaction) safely(do func()) {
	defer func() {
		if v := recover(); v != nil {
			// The value may hold what came from the wire: only its type is told.
			in.log.Error("interaction is broken off", zap.String("type", fmt.Sprintf("%T", v)), zap.Stack("stack"))
			in.breakOff(in.recorder.cfg.Now())
		}
	}()
	do()
}

// allGone reports whether nothing comes any more of any of its recording sessions.
func (in *interaction) allGone() bool {
	for _, l := range in.legs {
		if !l.gone {
			return false
		}
	}
	return true
}

// awaits reports whether a further recording session may come when the last has ended:
// there is something by which it would find the interaction.
func (in *interaction) awaits() bool {
	return in.recorder.cfg.Grace > 0 && len(in.keys) > 0 && !in.broken && in.recorder.stopping.Err() == nil
}

// start has the interaction live to its end, and its files made then. It can be found at
// once.
func (in *interaction) start() {
	r := in.recorder
	r.live.add(in)
	r.working.Add(1)
	in.mu.Lock()
	defer in.mu.Unlock()
	in.turn = in.takeTurn
	in.wakeLocked()
}
