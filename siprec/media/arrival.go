package media

import "time"

const (
	// clockStep is how far wall clock and monotonic clock may drift apart between
	// two reads before the wall clock counts as stepped. A slewed clock drifts by at
	// most 0.5 ms in a second.
	clockStep = 10 * time.Millisecond
	// stepLasts is how long stamps of before a step are reckoned with: longer than
	// a datagram lies in a socket.
	stepLasts = time.Second
)

// An instant by all clocks.
type instant struct {
	now  time.Time     // of the plane
	wall time.Duration // of the system, since 1970
	mono time.Duration // of the system, since the plane was made
}

// arrivals turns the kernel's stamps, which are in wall clock time, into instants of
// the monotonic clock, for the packets of one socket. It is told of each read, and
// then of the packets that came with it.
type arrivals struct {
	floor time.Time     // nothing arrived before
	drift time.Duration // wall minus monotonic clock at the last read

	step    time.Duration // of the wall clock; 0 when there was none lately
	stepped time.Duration // when the step was noticed, by the monotonic clock
}

// newArrivals begins with a socket that is opened.
func newArrivals(i instant) arrivals {
	return arrivals{floor: i.now, drift: i.wall - i.mono}
}

// read notes that the socket is read, just now.
func (a *arrivals) read(i instant) {
	drift := i.wall - i.mono
	switch change := drift - a.drift; {
	case change.Abs() > clockStep:
		a.step, a.stepped = change, i.mono
	case a.step != 0 && i.mono-a.stepped > stepLasts:
		a.step = 0
	}
	a.drift = drift
}

// at returns the arrival of a packet that the read at i brought, and that the kernel
// stamped at stamp since 1970; stamped is false when there is no stamp.
//
// The result is neither after the read nor before the packet read before it.
func (a *arrivals) at(i instant, stamp time.Duration, stamped bool) time.Time {
	arrival := i.now
	if stamped {
		arrival = i.now.Add(-a.age(i, stamp))
	}
	if arrival.Before(a.floor) {
		arrival = a.floor
		if i.now.Before(arrival) {
			arrival = i.now
		}
	}
	a.floor = arrival
	return arrival
}

// age is how long before the read the stamp was made. Next to a step of the wall
// clock a stamp may be of either side of it. As a packet came after the one before it
// and before it was read, only one side is possible, but for steps shorter than the
// time between two reads: then the read that notices the step takes the later one.
func (a *arrivals) age(i instant, stamp time.Duration) time.Duration {
	age := i.wall - stamp
	if a.step != 0 {
		longest := i.now.Sub(a.floor)
		possible := func(d time.Duration) bool { return d >= 0 && d <= longest }
		before := age - a.step
		if possible(before) && (!possible(age) || a.stepped == i.mono && before < age) {
			return before
		}
	}
	return max(age, 0)
}
