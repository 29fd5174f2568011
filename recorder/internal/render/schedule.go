package render

import (
	"slices"
	"time"
)

const (
	// maxShift is how much D may differ between two epochs for them to be one:
	// a burst after a stall, or a restart of sequence numbers only.
	maxShift = 60 * time.Millisecond
	// atOnce is how long a source may still come when another took over without
	// both being live at the same time.
	atOnce = 200 * time.Millisecond
)

// maxDetours is how many epochs may have been late, one after the other, before
// a source is back in time.
const maxDetours = 16

// join makes one of epochs that go on evenly: the later takes before and offset
// of the first of them; before is -1 in those that stand for themselves.
//
// An epoch that comes later than the one before it may be a sender whose clock
// stood still, or one that was late for a while. It was late when a later epoch
// is in time again.
func (v *survey) join() {
	was := slices.Clone(v.epochs)
	for i := range v.epochs {
		if v.epochs[i].before >= 0 && !v.joinOne(i, was) {
			v.epochs[i].before = -1
		}
	}
}

// joinOne joins an epoch to the nearest of its predecessors with which it is in
// time, and those between with it.
func (v *survey) joinOne(i int, was []epoch) bool {
	e := &v.epochs[i]
	var between []int
	var offsets []int64 // of i in each of them
	offset, at := int64(0), i
	for len(between) <= maxDetours && was[at].before >= 0 && was[at].clock == e.clock {
		offset += was[at].offset
		at = was[at].before
		root, total := at, offset
		if b := v.epochs[at]; b.before >= 0 {
			root, total = b.before, offset+b.offset
		}
		delay := e.delay - span(total, e.clock)
		shift := delay - v.epochs[root].delay
		if max(shift, -shift) > maxShift && !e.catchesUp(shift) && !v.epochs[root].catchesUp(-shift) {
			between, offsets = append(between, at), append(offsets, offset)
			continue
		}
		e.before, e.offset = root, total
		v.epochs[root].delay = min(v.epochs[root].delay, delay)
		for k, late := range between {
			v.attach(late, root, total-offsets[k])
		}
		return true
	}
	return false
}

// catchesUp reports whether an epoch that is late by a shift was held back on its
// way: it came quicker than it was sent, and made up for most of the delay before it
// ended. A sender whose clock stood still does not.
func (e *epoch) catchesUp(shift time.Duration) bool {
	return shift > 0 && e.began-e.delay >= shift
}

// attach joins an epoch, and those that were joined to it, to another.
func (v *survey) attach(late, root int, offset int64) {
	if late == root {
		return
	}
	for j := range v.epochs {
		if e := &v.epochs[j]; e.before == late {
			e.before, e.offset = root, e.offset+offset
		}
	}
	v.epochs[late].before, v.epochs[late].offset = root, offset
}

// origins gives for each epoch the place of its tick 0, in samples of rate since
// the beginning of the timeline, by arrival: where it lies is that much further, by
// which the epoch is moved. D is rounded here, once. An epoch that follows others
// begins no earlier than they end.
func origins(epochs []epoch, from time.Duration, rate int) []int64 {
	at := make([]int64, len(epochs))
	for i, e := range epochs {
		if e.before >= 0 {
			at[i] = at[e.before] + rescale(e.offset, e.clock, rate)
			continue
		}
		at[i] = ticksNear(e.delay-from, rate)
		start := at[i] + rescale(e.first, e.clock, rate) + ticksNear(e.moved, rate)
		for j, f := range epochs[:i] {
			end := at[j] - rescale(-f.end, f.clock, rate) + epochs[j].lag(f.end, rate) + ticksNear(f.moved, rate) // rounded up
			if f.closed <= e.opened+atOnce && end > start {
				at[i] += end - start
				start = end
			}
		}
	}
	return at
}

// rate is the highest sampling rate of the stream, by which its times are told.
func (v *survey) rate() int {
	rate := 0
	for _, e := range v.epochs {
		for _, u := range e.uses {
			rate = max(rate, u.coding.rate)
		}
	}
	if rate == 0 {
		return 8000
	}
	return rate
}

// A calendar tells ticks of epochs as times, by arrival.
type calendar struct {
	epochs []epoch
	at     []int64
	from   time.Duration
	rate   int
}

func (v *survey) calendar(from time.Duration) *calendar {
	rate := v.rate()
	return &calendar{v.epochs, origins(v.epochs, from, rate), from, rate}
}

// interval is the time of a part of an epoch.
func (c *calendar) interval(epoch int, first, end int64) Interval {
	e := &c.epochs[epoch]
	place := func(tick int64) time.Duration {
		return c.from + span(c.at[epoch]+rescale(tick, e.clock, c.rate)+e.lag(tick, c.rate), c.rate)
	}
	return Interval{From: place(first), To: place(end)}
}

// highestRate is the highest rate of what is to be heard within intervals; 0
// when nothing is.
func (c *calendar) highestRate(heard []Interval) int {
	rate := 0
	for i, e := range c.epochs {
		for _, u := range e.uses {
			if u.coding.kind != audio {
				continue
			}
			if len(within(heard, c.interval(i, u.first, u.end))) > 0 {
				rate = max(rate, u.coding.rate)
			}
		}
	}
	return rate
}
