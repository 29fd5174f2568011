package capture

import (
	"errors"
	"fmt"
	"slices"
	"sync"
)

// The sizes of slots, in octets. The first takes 0.3 s of G.711 in packets of 20 ms and one
// that comes early: most pages are such, and what they do not fill is lost a hundred times
// a second. The second takes as much in packets of 10 ms, or seven of 20 ms that come
// early; the last every packet that UDP can bring.
const (
	slotSmall  = 2944
	slotRoomy  = 4 << 10
	slotMiddle = 16 << 10
	slotLarge  = 68 << 10
	classes    = 4

	// chunkSize is what is asked of the system at a time: whole slots of each
	// size fit into it but for the rest.
	chunkSize = 1 << 20
	// chunksSpare is how many chunks' worth of slots of a size stay free before
	// one goes back to the system.
	chunksSpare = 2
)

func slotSize(class int) int {
	return [classes]int{slotSmall, slotRoomy, slotMiddle, slotLarge}[class]
}

// classOf is the smallest class whose slots hold n octets; classes when none does.
func classOf(n int) int {
	for c := range classes {
		if n <= slotSize(c) {
			return c
		}
	}
	return classes
}

// An arena gives out slots for pages. They lie outside the heap that the garbage
// collector looks after where the system can do that, so that thousands of calls
// do not make the heap grow by twice what they hold; are left out of core dumps
// there; and are overwritten when they come back.
type arena struct {
	most int // octets

	mu    sync.Mutex
	size  int // octets asked of the system
	used  int // octets given out
	kinds [classes]kind
}

// A kind is the slots of one size.
type kind struct {
	chunks []*chunk
	open   []*chunk // those with free slots
	free   int      // slots that are not given out
}

// A chunk is cut into slots of one size.
type chunk struct {
	memory []byte
	free   []int32 // slots that are not given out
	slots  int
}

// A slot is room for one page.
type slot struct {
	memory []byte
	chunk  *chunk
	index  int32
	class  int32
}

func newArena(most int) *arena { return &arena{most: most} }

// take gives a slot of a class, or reports that there is no memory for it.
func (a *arena) take(class int) (slot, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	k := &a.kinds[class]
	if len(k.open) == 0 && !a.grow(class) {
		return slot{}, false
	}
	c := k.open[len(k.open)-1]
	n := len(c.free) - 1
	i := c.free[n]
	c.free = c.free[:n]
	k.free--
	if n == 0 {
		k.open = k.open[:len(k.open)-1]
	}
	size := slotSize(class)
	a.used += size
	at := int(i) * size
	return slot{memory: c.memory[at : at+size : at+size], chunk: c, index: i, class: int32(class)}, true
}

// grow asks the system for a chunk.
func (a *arena) grow(class int) bool {
	if a.size+chunkSize > a.most {
		return false
	}
	memory, err := mapMemory(chunkSize)
	if err != nil {
		return false
	}
	c := &chunk{memory: memory, slots: chunkSize / slotSize(class)}
	for i := range c.slots {
		c.free = append(c.free, int32(c.slots-1-i))
	}
	k := &a.kinds[class]
	k.chunks, k.open, k.free = append(k.chunks, c), append(k.open, c), k.free+c.slots
	a.size += chunkSize
	return true
}

// give takes a slot back. Its first octets, as many as were used, are overwritten.
func (a *arena) give(s slot, used int) {
	clear(s.memory[:used])
	a.mu.Lock()
	defer a.mu.Unlock()
	k := &a.kinds[s.class]
	a.used -= len(s.memory)
	k.free++
	s.chunk.free = append(s.chunk.free, s.index)
	switch len(s.chunk.free) {
	case 1:
		k.open = append(k.open, s.chunk)
	case s.chunk.slots:
		if k.free >= (chunksSpare+1)*s.chunk.slots {
			a.shrink(k, s.chunk)
		}
	}
}

// shrink gives a chunk that is free as a whole back to the system. One that is not
// taken stays in use.
func (a *arena) shrink(k *kind, c *chunk) {
	if err := unmapMemory(c.memory); err != nil {
		return
	}
	other := func(x *chunk) bool { return x == c }
	k.chunks, k.open = slices.DeleteFunc(k.chunks, other), slices.DeleteFunc(k.open, other)
	k.free -= c.slots
	a.size -= chunkSize
}

// usage is how many octets are given out, and how many were asked of the system.
func (a *arena) usage() (used, size int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.used, a.size
}

// roomy reports whether a quarter of all that may be used is free.
func (a *arena) roomy() bool {
	used, _ := a.usage()
	return used < a.most/4*3
}

// close gives everything back. No slot may be out.
func (a *arena) close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.used > 0 {
		return fmt.Errorf("%d octets of pages are still in use", a.used)
	}
	var err error
	for i := range a.kinds {
		for _, c := range a.kinds[i].chunks {
			err = errors.Join(err, unmapMemory(c.memory))
			a.size -= chunkSize
		}
		a.kinds[i] = kind{}
	}
	return err
}
