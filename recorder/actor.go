package recorder

import (
	"fmt"
	"time"

	"go.uber.org/zap"
)

// An actor is the goroutine that owns an interaction. What others want of it they hand
// to it, and wait until it is done.
type actor struct {
	work chan job
	over chan struct{} // closed when the goroutine takes nothing any more
}

type job struct {
	do   func()
	done chan struct{}
}

func newActor() actor {
	return actor{work: make(chan job), over: make(chan struct{})}
}

// do has something done and returns when it is. It is false when the interaction is
// over, and nothing was done.
func (a *actor) do(f func()) bool {
	j := job{f, make(chan struct{})}
	select {
	case a.work <- j:
		<-j.done
		return true
	case <-a.over:
		return false
	}
}

// run owns the interaction until all its recording sessions are gone, and no other came
// in the grace time after that.
func (in *interaction) run() {
	defer close(in.over)
	defer in.recorder.live.remove(in)
	defer func() { in.recorder.links.leave(in, in.leaves()) }()
	var grace *time.Timer
	for !in.allGone() || !in.concluded {
		var late <-chan time.Time
		var stopping <-chan struct{}
		switch {
		case !in.allGone():
			grace = nil
		case !in.awaits():
			in.safely(in.conclude)
			continue
		case grace == nil:
			grace = time.NewTimer(in.recorder.cfg.Grace)
			defer grace.Stop()
			fallthrough
		default:
			late, stopping = grace.C, in.recorder.stopping.Done()
		}
		due, let := in.bell()
		select {
		case j := <-in.work:
			aside(func() { in.safely(j.do) })
			close(j.done)
		case <-late:
			aside(func() { in.safely(in.conclude) })
		case <-due:
			aside(func() { in.safely(func() { in.ring(in.recorder.cfg.Now()) }) })
		case <-stopping:
		}
		let()
	}
}

// aside has something done by a goroutine of its own, and returns when it is. It is for
// who waits for hours between two steps that need a deep stack: that of the one who waits
// stays small, for a stack that has grown shrinks by little and seldom.
func aside(do func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	<-done
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

// start has the interaction live on a goroutine of its own to its end, and its files
// made then. It can be found at once.
func (in *interaction) start() {
	r := in.recorder
	r.live.add(in)
	r.working.Go(func() {
		in.run()
		r.finaliseAll(in)
	})
}
