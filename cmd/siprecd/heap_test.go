package main

import (
	"runtime/debug"
	"testing"
)

func TestHeapGrowth(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	for _, c := range []struct {
		gogc string
		want int
	}{{"", heapGrowth}, {"200", 100}} {
		t.Setenv("GOGC", c.gogc)
		debug.SetGCPercent(100)
		limitHeap()
		if got := debug.SetGCPercent(100); got != c.want {
			t.Errorf("GOGC=%q: the heap grows by %d %%, want %d", c.gogc, got, c.want)
		}
	}
}
