package recorder

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// An acting is an actor whose turns note what they were told.
type acting struct {
	actor
	turns, rings, lates int
}

func newActing() *acting { return &acting{actor: newActor()} }

func (a *acting) begin() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.turn = func() {
		a.turns++
		for {
			j, rang, late, ok := a.next()
			if !ok {
				return
			}
			if j.do != nil {
				j.do()
				j.done <- true
			}
			if rang {
				a.rings++
			}
			if late {
				a.lates++
			}
		}
	}
	a.wakeLocked()
}

// What many hand in at a time is done one after the other, each once; what was handed in
// before the beginning at the beginning, and nothing after the end.
func TestActor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newActing()
		done, inside := 0, 0
		hand := func(n int) *sync.WaitGroup {
			var all sync.WaitGroup
			for range n {
				all.Go(func() {
					if !a.do(func() { inside++; done += inside; time.Sleep(time.Millisecond); inside-- }) {
						t.Error("not done")
					}
				})
			}
			return &all
		}
		early := hand(3)
		synctest.Wait()
		if done != 0 {
			t.Error("done before the beginning")
		}
		a.begin()
		early.Wait()
		hand(100).Wait()
		synctest.Wait()
		if done != 103 || a.turns != 2 || a.busy {
			t.Errorf("%d done in %d turns, busy %v", done, a.turns, a.busy)
		}
		first := make(chan bool)
		go func() { first <- a.do(func() { time.Sleep(time.Second) }) }()
		synctest.Wait()
		second := make(chan bool)
		go func() { second <- a.do(func() { t.Error("done after the end") }) }()
		synctest.Wait()
		a.end()
		if <-second || !<-first {
			t.Error("what waited at the end was done, or what went on was not")
		}
		<-a.over
		if a.do(func() {}) {
			t.Error("done after the end")
		}
		a.wake()
		synctest.Wait()
	})
}

// The bell rings at its time and not once it was changed; the grace time is over once, and
// not when it was ended before; who stops has it looked at once, even during a turn.
func TestActorTimers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newActing()
		a.begin()
		want := func(rings, lates, turns int) {
			t.Helper()
			synctest.Wait()
			if a.rings != rings || a.lates != lates || a.turns != turns {
				t.Errorf("%d rings, %d lates, %d turns", a.rings, a.lates, a.turns)
			}
		}
		want(0, 0, 1)
		a.ringAt(time.Second, true)
		time.Sleep(time.Second)
		want(1, 0, 2)
		a.ringAt(time.Second, true)
		a.ringAt(2*time.Second, true)
		time.Sleep(time.Second)
		want(1, 0, 2)
		a.ringAt(0, false)
		time.Sleep(2 * time.Second)
		want(1, 0, 2)

		ctx, stop := context.WithCancel(t.Context())
		a.waitFor(ctx, time.Second)
		a.waitFor(ctx, time.Minute) // it has begun
		time.Sleep(time.Second)
		want(1, 1, 3)
		a.waitNoMore()
		a.waitNoMore()
		a.waitFor(ctx, time.Second)
		a.waitNoMore()
		time.Sleep(time.Minute)
		want(1, 1, 3)

		a.waitFor(ctx, time.Hour)
		release := make(chan struct{})
		go a.do(func() { <-release })
		synctest.Wait()
		stop()
		synctest.Wait()
		a.mu.Lock()
		woken := a.woken
		a.mu.Unlock()
		if !woken {
			t.Error("who stops during a turn is forgotten")
		}
		close(release)
		want(1, 1, 4)
		a.waitNoMore()
		a.end()
	})
}
