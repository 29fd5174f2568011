package render

import "time"

const (
	// maxShift is how much D may differ between two epochs for them to be one:
	// a burst after a stall, or a restart of sequence numbers only.
	maxShift = 60 * time.Millisecond
	// atOnce is how long a source may still come when another took over without
	// both being live at the same time.
	atOnce = 200 * time.Millisecond
)

// join makes one of epochs that go on evenly: the later takes before and offset
// of the first of them; before is -1 in those that stand for themselves.
func (v *survey) join() {
	for i := range v.epochs {
		e := &v.epochs[i]
		if e.before < 0 {
			continue
		}
		root, offset := e.before, e.offset
		if b := v.epochs[root]; b.before >= 0 {
			root, offset = b.before, offset+b.offset
		}
		delay := e.delay - span(offset, e.clock)
		shift := delay - v.epochs[root].delay
		if max(shift, -shift) > maxShift {
			e.before = -1
			continue
		}
		e.before, e.offset = root, offset
		v.epochs[root].delay = min(v.epochs[root].delay, delay)
	}
}

// origins gives for each epoch the place of its tick 0, in samples of rate since
// the beginning of the timeline. D is rounded here, once. An epoch that
// follows others begins no earlier than they end.
func origins(epochs []epoch, from time.Duration, rate int) []int64 {
	at := make([]int64, len(epochs))
	for i, e := range epochs {
		if e.before >= 0 {
			at[i] = at[e.before] + rescale(e.offset, e.clock, rate)
			continue
		}
		at[i] = ticksNear(e.delay-from, rate)
		start := at[i] + rescale(e.first, e.clock, rate)
		for j, f := range epochs[:i] {
			end := at[j] - rescale(-f.end, f.clock, rate) // rounded up
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

// A calendar tells ticks of epochs as times.
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
	clock := c.epochs[epoch].clock
	return Interval{
		From: c.from + span(c.at[epoch]+rescale(first, clock, c.rate), c.rate),
		To:   c.from + span(c.at[epoch]+rescale(end, clock, c.rate), c.rate),
	}
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
