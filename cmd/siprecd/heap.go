package main

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// heapGrowth is by how many parts in a hundred the heap may grow before it is
// collected. Almost all of it is the state of recording sessions, which live long and
// allocate little; audio lies elsewhere. What is free in between cannot be given back, for
// something that lives lies beside it: so the usual 100 would double the memory of each.
// The work is that of setting calls up: some 1.6 ms for each, 0.6 ms with 50, and none
// while they last. See [heapUse.growth] for when they end.
const heapGrowth = 20

// limitHeap sets heapGrowth and has the heap tended until stop is called, where the
// environment does not say otherwise by GOGC.
func limitHeap() (stop func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	debug.SetGCPercent(heapGrowth)
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tendHeap(over, useOfHeap, debug.FreeOSMemory, func(percent int) { debug.SetGCPercent(percent) })
	}()
	return func() {
		close(over)
		<-done
	}
}

const (
	// heapLook is how often is looked at the heap.
	heapLook = 5 * time.Second
	// heapSettled is after how many quiet looks the transactions of those recording
	// sessions are over too (RFC 3261 §17: 32 s).
	heapSettled = 8
	// heapSmall is the size, in octets, below which it is let alone.
	heapSmall = 8 << 20
)

// A heapUse is how the heap is used, in octets.
type heapUse struct {
	allocated uint64 // since the process began
	live      uint64 // that the last collection found
	resident  uint64 // objects, living and dead, and what is free and not given back
}

// quiet reports whether little was allocated since an earlier look, so that the heap does
// not grow again at once when it is collected.
func (u heapUse) quiet(before heapUse) bool {
	return u.resident > heapSmall && u.allocated-before.allocated < u.live/16
}

// loose reports whether more than an eighth of the heap is dead or free for all that the
// last collection knows.
func (u heapUse) loose() bool { return u.resident-min(u.live, u.resident) > u.live/8 }

// growth is by how many parts in a hundred the heap may grow from now on. While recording
// sessions end, less lives at each look: what they had is there already, and may be used
// before it is collected.
func (u heapUse) growth(before heapUse) int {
	if u.live == 0 || u.live >= before.live || u.resident <= u.live {
		return heapGrowth
	}
	return int(min(max((u.resident-u.live)*100/u.live, heapGrowth), 100))
}

// tendHeap collects the heap and gives what is free back to the system, once no recording
// sessions begin for a while: those that began have left garbage, and stacks that have
// grown and shrink only when the heap is collected. While many begin or end it does
// nothing; when it has become quiet, and when it has settled, it does so in any case, for what
// the last collection took for live is so no more. It tells how much the heap may grow
// when that changes. It returns when over is closed.
func tendHeap(over <-chan struct{}, look func() heapUse, tidy func(), grow func(percent int)) {
	ticks := time.NewTicker(heapLook)
	defer ticks.Stop()
	before, quiet, growth := look(), 0, heapGrowth
	for {
		select {
		case <-ticks.C:
		case <-over:
			return
		}
		now := look()
		if g := now.growth(before); g != growth {
			growth = g
			grow(g)
		}
		if now.quiet(before) {
			quiet++
		} else {
			quiet = 0
		}
		if quiet == 1 || quiet == heapSettled || quiet > 0 && now.loose() {
			tidy()
		}
		before = now
	}
}

// useOfHeap looks at the heap of this process.
func useOfHeap() heapUse {
	s := []metrics.Sample{
		{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(s)
	return heapUse{allocated: s[0].Value.Uint64(), live: s[1].Value.Uint64(), resident: s[2].Value.Uint64() + s[3].Value.Uint64()}
}
