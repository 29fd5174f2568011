package media

import "time"

const (
	shortestSweep = 20 * time.Millisecond
	longestSweep  = 200 * time.Millisecond
	// sweepShare is how many times as long as a sweep the time between two begins
	// is: what each sweep costs beside its datagrams is then a fortieth of a
	// processor at most.
	sweepShare = 40
	// roomShare is the part of a receive buffer, one in so many, that may fill up
	// between two sweeps.
	roomShare = 4
	// leastNap is how long a reader sleeps at least, so that others come to their
	// turn.
	leastNap = time.Millisecond
)

// findings are what one sweep found.
type findings struct {
	datagrams int
	took      time.Duration
	// fullest is the share of its receive buffer that the fullest socket had used;
	// above 1 when more came while it was read.
	fullest float64
	dropped bool // a receive buffer was full
	// due is how long it is until a receiver wants to be woken; below 0 for none.
	due time.Duration
}

// pace decides when the next sweep begins. Few sockets are swept often, as that costs
// little; many are swept rarely, as each system call then brings more; and none is
// left alone for as long as would fill its receive buffer.
type pace struct{ interval time.Duration }

// next is how long to sleep.
func (p *pace) next(f findings) time.Duration {
	interval := sweepShare * f.took
	if f.datagrams == 0 {
		interval = max(interval, 2*p.interval)
	}
	interval = min(max(interval, shortestSweep), longestSweep)
	if f.fullest*roomShare > 1 {
		interval = min(interval, time.Duration(float64(p.interval)/(f.fullest*roomShare)))
	}
	if f.dropped {
		interval = shortestSweep
	}
	p.interval = max(interval, shortestSweep)
	nap := p.interval - f.took
	if f.due >= 0 {
		nap = min(nap, f.due)
	}
	return max(nap, leastNap)
}
