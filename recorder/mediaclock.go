package recorder

import (
	"slices"
	"time"
)

const (
	// jump is how far an RTP timestamp may be off its epoch's mapping before
	// the mapping itself is in doubt.
	jump = 500 * time.Millisecond
	// settlePackets and settleTime say how long every packet must have been
	// late by more than jump before that is a new epoch and not a stalled
	// network, which catches up.
	settlePackets = 25
	settleTime    = 500 * time.Millisecond
	// catchUp is how much less late than the first of them one may be: what a
	// stalled network held back comes quicker than it was sent.
	catchUp = 10 * time.Millisecond
	// agePackets and ageTime say from how many packets of how long a time it is
	// judged whether the sender's clock is slow.
	agePackets = 50
	ageTime    = 10 * time.Second
	// slowest is how much a sender's clock may lose on ours in a second. Clocks of
	// devices are within 200 parts in a million.
	slowest = 300 * time.Microsecond
	// epochsKept is how many epochs of one stream are known at a time, so that
	// stragglers of the last SSRC are judged by their own epoch.
	epochsKept = 4
)

// An instant is what is known of when a packet was sent. Times are since the
// zero of the capture.
type instant struct {
	Arrival time.Duration
	// Media is the packet's RTP time on the clock of arrivals: RTP time + D,
	// where D is the smallest (arrival - RTP time) seen in the epoch, aged by what
	// a slow clock loses. It is never later than Arrival.
	Media time.Duration
	// Rests is the number of packets of the epoch that D rests on.
	Rests int
	// Settled says that with this packet a doubt was settled: the clock had
	// stood still or restarted, and a new epoch began.
	Settled bool
}

// lag is how much later than the quickest packet of its epoch this one came.
func (i instant) lag() time.Duration { return i.Arrival - i.Media }

// A mediaClock maps the RTP timestamps of one stream to media time
// (RFC 3550 §5.1: they start at random, wrap, and run at the clock rate of
// their payload type). An epoch is one SSRC at one clock rate between two jumps
// of the timestamp. The zero mediaClock is ready for use.
type mediaClock struct {
	epochs []epoch // at most epochsKept
	turn   uint64  // counts packets, to find the epoch that was not used for longest
}

// An epoch is one unbroken run of timestamps.
type epoch struct {
	ssrc uint32
	rate int    // Hz
	used uint64 // turn of the last packet

	// A packet with the timestamp quickTS arrives at quickAt at best: this pair
	// is D. It is replaced as a whole, so that no rounding error grows.
	quickTS uint32
	quickAt time.Duration
	rests   int
	nextSeq uint16 // sequence number that follows the latest packet in step

	recent recent
	aged   time.Duration // arrival of the packet on which D rests

	doubt doubt
}

// recent is the quickest packet in step of the last while.
type recent struct {
	packets int
	since   time.Duration // arrival of the first
	least   time.Duration // smallest lag among them
	leastTS uint32        // and the packet that had it
	leastAt time.Duration
}

// doubt collects the packets that are late beyond jump.
type doubt struct {
	packets int
	since   time.Duration // arrival of the first
	base    time.Duration // lag of the first
	least   time.Duration // smallest lag among them
	leastTS uint32        // and the packet that had it
	leastAt time.Duration
	nextSeq uint16
}

// observe learns from the header of a packet and says when it was sent. rate is
// the clock rate of its payload type in Hz, above 0.
func (c *mediaClock) observe(ssrc uint32, seq uint16, ts uint32, rate int, arrival time.Duration) instant {
	c.turn++
	e, fresh := c.epoch(ssrc, rate)
	e.used = c.turn
	if fresh {
		e.begin(seq, ts, arrival)
		return instant{Arrival: arrival, Media: arrival, Rests: 1}
	}
	lag := e.lag(ts, arrival)
	settled := false
	switch {
	case lag < -jump:
		// The timestamp leapt forward.
		e.begin(seq, ts, arrival)
		lag = 0
	case lag > jump:
		if settled = e.doubted(seq, ts, arrival, lag); settled {
			lag = e.lag(ts, arrival)
		}
	default:
		e.doubt = doubt{}
		e.rests++
		e.nextSeq = seq + 1
		if lag < 0 {
			e.quickTS, e.quickAt, e.aged, e.recent, lag = ts, arrival, arrival, recent{}, 0
		}
		e.age(ts, arrival, lag)
	}
	return instant{arrival, arrival - lag, e.rests, settled}
}

// epoch finds the epoch of an SSRC at a clock rate, or gives it the place of the
// one that was not used for longest.
func (c *mediaClock) epoch(ssrc uint32, rate int) (e *epoch, fresh bool) {
	var oldest *epoch
	for i := range c.epochs {
		e := &c.epochs[i]
		if e.rate == rate && e.ssrc == ssrc {
			return e, false
		}
		if oldest == nil || e.used < oldest.used {
			oldest = e
		}
	}
	if n := len(c.epochs); n < epochsKept {
		// Most streams have one: that is all there is room for.
		c.epochs = slices.Concat(c.epochs, make([]epoch, 1))
		oldest = &c.epochs[n]
	}
	*oldest = epoch{ssrc: ssrc, rate: rate}
	return oldest, true
}

func (e *epoch) begin(seq uint16, ts uint32, arrival time.Duration) {
	e.quickTS, e.quickAt, e.rests, e.nextSeq, e.doubt = ts, arrival, 1, seq+1, doubt{}
	e.aged, e.recent = arrival, recent{}
}

// age lets D follow a sender whose clock is slower than ours. Each packet of such
// a sender comes later than D says, by 0.7 s in an hour at 200 parts in a million,
// and would be taken for one that was sent that much earlier: the beginning of
// what is permitted again would be lost. So where even the quickest packet of a
// while was late, D becomes later by that, but by no more than slowest allows
// for: a network that is slower for a while must not pass for a clock.
func (e *epoch) age(ts uint32, arrival, lag time.Duration) {
	r := &e.recent
	if r.packets == 0 {
		r.since = arrival
	}
	if r.packets == 0 || lag < r.least {
		r.least, r.leastTS, r.leastAt = lag, ts, arrival
	}
	r.packets++
	if r.packets < agePackets || arrival-r.since < ageTime {
		return
	}
	step := min(r.least, (r.leastAt-e.aged)/time.Second*slowest)
	e.quickTS, e.quickAt = r.leastTS, r.leastAt-r.least+step
	e.aged, e.recent = r.leastAt, recent{}
}

// lag is how much later than D says the packet arrived; negative when it was
// quicker than any before. The timestamp that D predicts for this arrival is
// compared with the one sent in 32 bits, so wraps need no counting, however
// long nothing was sent.
func (e *epoch) lag(ts uint32, arrival time.Duration) time.Duration {
	since := arrival - e.quickAt
	rate := int64(e.rate)
	// Seconds and the rest apart: the product overflows after 53 h otherwise.
	ticks := int64(since/time.Second)*rate + int64(since%time.Second)*rate/int64(time.Second)
	late := int32(e.quickTS + uint32(ticks) - ts)
	return ticksToDuration(int64(late), rate)
}

// doubted takes note of a packet that is late beyond jump, and reports whether
// a new epoch began with it. Until then it is judged by the old mapping: what a
// stalled network held back was sent when the old mapping says.
func (e *epoch) doubted(seq uint16, ts uint32, arrival, lag time.Duration) bool {
	d := &e.doubt
	restarted := d.packets > 0 && seq == d.nextSeq && e.outOfStep(seq)
	if d.packets > 0 && lag < d.base-catchUp {
		// They catch up: the network held them back. Begin anew.
		d.packets = 0
	}
	if d.packets == 0 {
		d.since, d.base = arrival, lag
	}
	if d.packets == 0 || lag < d.least {
		d.least, d.leastTS, d.leastAt = lag, ts, arrival
	}
	d.packets++
	d.nextSeq = seq + 1
	settled := d.packets >= settlePackets && arrival-d.since >= settleTime
	if !settled && !restarted {
		return false
	}
	quickTS, quickAt, packets := d.leastTS, d.leastAt, d.packets
	e.begin(seq, ts, arrival)
	e.quickTS, e.quickAt, e.rests = quickTS, quickAt, packets
	return true
}

// outOfStep reports whether a sequence number can belong neither to a late
// packet nor to one after a loss: two such in a row are a source that restarted
// (RFC 3550 A.1, MAX_DROPOUT and MAX_MISORDER; the latter is widened to the
// 20 s that a stalled network may hold back).
func (e *epoch) outOfStep(seq uint16) bool {
	const maxDropout, maxMisorder = 3000, 1000
	delta := int16(seq - e.nextSeq)
	return delta >= maxDropout || delta < -maxMisorder
}

func ticksToDuration(ticks, rate int64) time.Duration {
	return time.Duration(ticks/rate)*time.Second + time.Duration(ticks%rate)*time.Second/time.Duration(rate)
}
