package main

import (
	"os"
	"runtime/debug"
)

// heapGrowth is by how many parts in a hundred the heap may grow before it is
// collected. Almost all of it is the state of recording sessions, which live long and
// allocate little; audio lies elsewhere. So the usual 100 would double the memory of
// each, and saves little work.
const heapGrowth = 50

// limitHeap sets heapGrowth, where the environment does not say otherwise by GOGC.
func limitHeap() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
}
