package media

import "time"

// clockStep is how far wall clock and monotonic clock may drift apart between
// two reads before the wall clock counts as stepped. A slewed clock drifts by at
// most 0.5 ms in a second.
const clockStep = 10 * time.Millisecond

// arrivals turns the kernel's stamps, which are in wall clock time, into
// instants of the monotonic clock, for the packets of one socket.
type arrivals struct {
	floor time.Time     // nothing arrived before
	drift time.Duration // wall minus monotonic clock at the last read
}

// at returns the arrival of a packet that was read at now, when the system's
// clocks showed wall and mono, and that the kernel stamped at stamp. All but now
// count from the same instant; stamped is false when there is no stamp.
//
// The result is neither after now nor before the packet read before it. When the
// wall clock was stepped since then, a stamp may be of either side of the step:
// the packet counts as arrived when it was read, and those still queued not
// earlier. So no step of the clock carries a packet into the past.
func (a *arrivals) at(now time.Time, wall, mono, stamp time.Duration, stamped bool) time.Time {
	drift := wall - mono
	stepped := (drift - a.drift).Abs() > clockStep
	a.drift = drift

	arrival := now
	if age := wall - stamp; stamped && !stepped && age > 0 {
		arrival = now.Add(-age)
	}
	if arrival.Before(a.floor) {
		arrival = a.floor
		if now.Before(arrival) {
			arrival = now
		}
	}
	a.floor = arrival
	return arrival
}
