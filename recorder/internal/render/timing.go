package render

import (
	"slices"
	"time"
)

const (
	// maxStep is the change in transit time from one packet to the next that
	// begins a new epoch: a clock that was set, or stood still while the sender
	// was on hold.
	maxStep = 500 * time.Millisecond
	// maxEpochs bounds memory; no sender restarts as often.
	maxEpochs = 4096
	// maxClocks is how many SSRCs are remembered for their return.
	maxClocks = 8
)

// A timing divides the packets of a stream into epochs, in each of which the RTP
// timestamps (RFC 3550 §5.1) of one SSRC run evenly at one clock rate. It turns
// timestamps into ticks without wrap.
type timing struct {
	clocks []clock // the one used last stands last
	epochs int
}

// A clock is the RTP clock of one SSRC at its last packet.
type clock struct {
	ssrc      uint32
	run       int
	rate      int
	epoch     int
	timestamp uint32
	at        int64 // ticks since the epoch's first packet
	sent      time.Duration
}

// An instant is the place of a packet in its epoch.
type instant struct {
	epoch int   // -1 when there are too many
	at    int64 // ticks since the epoch's first packet
	// begins says that this packet is the first of its epoch. Then before is the
	// epoch of the same SSRC and clock rate that it may continue, or -1, and
	// offset is the place it would have there.
	begins bool
	before int
	offset int64
}

// place finds the place of a packet that has a time.
func (t *timing) place(a *arrival) instant {
	if n := len(t.clocks); n > 0 {
		if c := &t.clocks[n-1]; c.ssrc == a.SSRC && c.run == a.run && c.rate == a.coding.ClockRate {
			if at, ok := c.goesOn(a); ok {
				return instant{epoch: c.epoch, at: at}
			}
		}
	}
	return t.change(a)
}

// guess finds the place of a packet without a time of its own, by when it came: in the
// epoch that its SSRC is in. It is not ok when there is none.
func (t *timing) guess(a *arrival) (epoch int, at int64, ok bool) {
	for _, c := range t.clocks {
		if c.ssrc == a.SSRC && c.run == a.run && c.epoch >= 0 {
			return c.epoch, c.at + ticks(a.sent-c.sent, c.rate), true
		}
	}
	return 0, 0, false
}

// goesOn takes a packet of the same clock, unless it begins a new epoch.
func (c *clock) goesOn(a *arrival) (at int64, ok bool) {
	step := int64(int32(a.Timestamp - c.timestamp))
	transit := a.sent - c.sent - span(step, c.rate)
	if max(transit, -transit) > maxStep {
		return 0, false
	}
	c.timestamp, c.sent, c.at = a.Timestamp, a.sent, c.at+step
	return c.at, true
}

// change finds the place of a packet that does not go on with the clock used last.
func (t *timing) change(a *arrival) instant {
	c := clock{ssrc: a.SSRC, run: a.run, rate: a.coding.ClockRate, timestamp: a.Timestamp, sent: a.sent}
	in := instant{begins: true, before: -1}
	i := slices.IndexFunc(t.clocks, func(c clock) bool { return c.ssrc == a.SSRC })
	if i >= 0 {
		last := t.clocks[i]
		t.clocks = slices.Delete(t.clocks, i, i+1)
		if last.rate == c.rate { // RFC 7160 §4: another rate is another timeline
			in.before, in.offset = last.epoch, last.at+int64(int32(c.timestamp-last.timestamp))
			if at, ok := last.goesOn(a); ok && last.run == c.run {
				in = instant{epoch: last.epoch, at: at}
			}
		}
	}
	if in.begins {
		if t.epochs == maxEpochs {
			in.epoch = -1
			return in
		}
		in.epoch = t.epochs
		t.epochs++
	}
	c.epoch, c.at = in.epoch, in.at
	if len(t.clocks) == maxClocks {
		t.clocks = slices.Delete(t.clocks, 0, 1)
	}
	t.clocks = append(t.clocks, c)
	return in
}
