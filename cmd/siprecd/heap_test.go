package main

import (
	"runtime/debug"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestHeapGrowth(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	for _, c := range []struct {
		gogc string
		want int
	}{{"", heapGrowth}, {"200", 100}} {
		t.Setenv("GOGC", c.gogc)
		debug.SetGCPercent(100)
		stop := limitHeap()
		if got := debug.SetGCPercent(100); got != c.want {
			t.Errorf("GOGC=%q: the heap grows by %d %%, want %d", c.gogc, got, c.want)
		}
		stop()
	}
}

// TestHeapIsTended: the heap is collected when it is loose and little is allocated, and
// never otherwise.
func TestHeapIsTended(t *testing.T) {
	const mib = 1 << 20
	still := slices.Repeat([]heapUse{{0, 80 * mib, 85 * mib}}, heapSettled+3)
	twice := make([]bool, heapSettled+2)
	twice[0], twice[heapSettled-1] = true, true
	for _, c := range []struct {
		name string
		use  []heapUse // at each look
		want []bool    // that it was tidied after it, from the second look on
	}{
		{"idle and small", []heapUse{{0, mib, 7 * mib}, {0, mib, 7 * mib}}, []bool{false}},
		{"busy", []heapUse{{0, 80 * mib, 110 * mib}, {20 * mib, 80 * mib, 115 * mib}}, []bool{false}},
		{"quiet and loose", []heapUse{{0, 80 * mib, 110 * mib}, {4 * mib, 80 * mib, 110 * mib}, {8 * mib, 80 * mib, 85 * mib}}, []bool{true, false}},
		{"quiet and loose once more", []heapUse{{0, 80 * mib, 85 * mib}, {4 * mib, 80 * mib, 85 * mib}, {8 * mib, 80 * mib, 85 * mib}, {12 * mib, 80 * mib, 95 * mib}}, []bool{true, false, true}},
		{"busy, then quiet", []heapUse{{0, 80 * mib, 110 * mib}, {90 * mib, 80 * mib, 110 * mib}, {94 * mib, 80 * mib, 110 * mib}}, []bool{false, true}},
		{"settled", still, twice},
		{"less than was live", []heapUse{{0, 80 * mib, 70 * mib}, {0, 80 * mib, 70 * mib}, {0, 80 * mib, 70 * mib}}, []bool{true, false}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var looks, tidied atomic.Int32
				look := func() heapUse { return c.use[looks.Add(1)-1] }
				over, done := make(chan struct{}), make(chan struct{})
				go func() {
					defer close(done)
					tendHeap(over, look, func() { tidied.Add(1) }, func(int) {})
				}()
				synctest.Wait()
				for i, want := range c.want {
					before := tidied.Load()
					time.Sleep(heapLook)
					synctest.Wait()
					if got := tidied.Load() > before; got != want {
						t.Errorf("look %d: tidied is %v, want %v", i+1, got, want)
					}
				}
				close(over)
				<-done
				if n := int(looks.Load()); n != len(c.use) {
					t.Errorf("looked %d times, want %d", n, len(c.use))
				}
			})
		})
	}
}

// TestHeapMayUseWhatIsThere: while less and less lives the heap may grow into what is
// resident, by 100 at most, and not while more does.
func TestHeapMayUseWhatIsThere(t *testing.T) {
	const mib = 1 << 20
	synctest.Test(t, func(t *testing.T) {
		uses := []heapUse{
			{0, 80 * mib, 100 * mib},
			{20 * mib, 90 * mib, 120 * mib},  // more live
			{40 * mib, 80 * mib, 120 * mib},  // some have ended
			{60 * mib, 78 * mib, 117 * mib},  // more of them: the same growth is told once
			{80 * mib, 40 * mib, 110 * mib},  // half: 175 %
			{100 * mib, 39 * mib, 40 * mib},  // hardly anything is free
			{120 * mib, 39 * mib, 80 * mib},  // as many as before
			{140 * mib, 0, 80 * mib},         // nothing is known to live
			{160 * mib, 60 * mib, 110 * mib}, // they begin again
		}
		var looks int
		var told []int
		look := func() heapUse { looks++; return uses[looks-1] }
		over, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			tendHeap(over, look, func() {}, func(percent int) { told = append(told, percent) })
		}()
		time.Sleep(time.Duration(len(uses)-1) * heapLook)
		synctest.Wait()
		close(over)
		<-done
		if want := []int{50, 100, heapGrowth}; looks != len(uses) || !slices.Equal(told, want) {
			t.Errorf("%d looks: told %v, want %v", looks, told, want)
		}
	})
}

// TestUseOfHeap: what is allocated and what is live of it are seen.
func TestUseOfHeap(t *testing.T) {
	before := useOfHeap()
	kept := make([]byte, 32<<20)
	debug.FreeOSMemory()
	after := useOfHeap()
	if after.allocated-before.allocated < uint64(len(kept)) || after.live < uint64(len(kept)) || after.resident < uint64(len(kept)) {
		t.Errorf("before %+v, with %d octets more %+v", before, len(kept), after)
	}
	kept[0] = 1 // live until here
}
