package render

import (
	"slices"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/capture"
)

const (
	// A packet is waited for until windowPackets later ones or windowOctets of
	// them are held, or the first of these is windowTime old.
	windowPackets = 512
	windowOctets  = 1 << 20
	windowTime    = 2 * time.Second

	// historyPackets is how far back a duplicate is known as one.
	historyPackets = 4096

	// maxDropout is the step in sequence numbers that needs no other evidence
	// to be taken for loss (RFC 3550 §A.1, MAX_DROPOUT).
	maxDropout = 3000
)

// An arrival is a packet on its way into sequence.
type arrival struct {
	capture.Packet
	coding *coding
	run    int   // which SSRC, and which restart of it, within the stream
	seq    int64 // sequence number without wrap
	// missing numbers directly before it did not come.
	missing int64
	// sent bounds when it was sent: its arrival or that of an earlier packet of
	// higher number.
	sent time.Duration
	late bool
}

// An order puts the packets of one SSRC in the order of their sequence numbers.
type order struct {
	ssrc    uint32
	run     int
	begun   bool  // next is valid
	next    int64 // the number to be given on next
	highest int64 // the highest that came
	seen    history
	held    []arrival // by seq
	octets  int
	mark    mark
	stray   *arrival // does not fit; two of them in sequence are a restart
	last    time.Duration
}

// A mark is the time of the highest packet.
type mark struct {
	valid     bool
	timestamp uint32
	arrival   time.Duration
	clock     int
}

// drift is how much more time passed in RTP than on arrival since m; unknown
// when there is no mark of the same clock.
func (m mark) drift(a *arrival) (d time.Duration, known bool) {
	if !m.valid || a.coding.kind == events || a.coding.ClockRate != m.clock {
		return 0, false
	}
	rtp := span(int64(int32(a.Timestamp-m.timestamp)), m.clock)
	return rtp - (a.Arrival - m.arrival), true
}

// A fit says where a packet belongs.
type fit int

const (
	fits fit = iota + 1
	strays
)

// judge decides as RFC 3550 §A.1 does whether a packet continues its source,
// with the RTP time as further evidence: a long outage keeps it, a restart
// does not. It extends the sequence number.
func (o *order) judge(a *arrival) fit {
	step := int64(int16(a.Sequence - uint16(o.highest)))
	a.seq = o.highest + step
	drift, known := o.mark.drift(a)
	drift = max(drift, -drift)
	switch {
	case step > 0 && step <= 16:
		return fits
	case step > 0 && step < maxDropout && drift <= 10*time.Second:
		return fits
	case step > 0 && known && drift <= time.Second:
		return fits
	case step <= 0 && step > -historyPackets && drift <= 10*time.Second:
		return fits
	}
	return strays
}

// reset begins a new run with a packet.
func (o *order) reset(run int, a *arrival) {
	*o = order{ssrc: a.SSRC, run: run, held: o.held[:0]}
	// Room below for packets that were overtaken by the first.
	a.seq = 1<<16 + int64(a.Sequence)
	o.highest = a.seq - 1
}

// history knows which of the last sequence numbers came.
type history [historyPackets / 64]uint64

func (h *history) has(seq int64) bool {
	i := uint64(seq) % historyPackets
	return h[i/64]&(1<<(i%64)) != 0
}

func (h *history) set(seq int64) {
	i := uint64(seq) % historyPackets
	h[i/64] |= 1 << (i % 64)
}

// forget makes room for the numbers above from, up to and with to.
func (h *history) forget(from, to int64) {
	if to-from >= historyPackets {
		*h = history{}
		return
	}
	for s := from + 1; s <= to; s++ {
		i := uint64(s) % historyPackets
		h[i/64] &^= 1 << (i % 64)
	}
}

// note takes a fitting packet into the books; it reports whether it is new.
func (o *order) note(a *arrival) bool {
	if a.seq <= o.highest {
		if o.seen.has(a.seq) {
			return false
		}
		a.late = true
	} else {
		o.seen.forget(o.highest, a.seq)
		o.highest = a.seq
		if a.coding.kind != events {
			o.mark = mark{true, a.Timestamp, a.Arrival, a.coding.ClockRate}
		}
	}
	o.seen.set(a.seq)
	o.last = max(o.last, a.Arrival)
	return true
}

// hold keeps a packet, whose payload it owns from now on, in its place.
func (o *order) hold(a arrival) {
	i, _ := slices.BinarySearchFunc(o.held, a.seq, func(h arrival, seq int64) int {
		return int(h.seq - seq)
	})
	o.held = slices.Insert(o.held, i, a)
	o.octets += len(a.Payload)
}

// ripe is how many held packets may be given on at an instant; with all set,
// everything is.
func (o *order) ripe(now time.Duration, all bool) int {
	n, next, begun, octets := 0, o.next, o.begun, o.octets
	for n < len(o.held) {
		h := &o.held[n]
		inTurn := begun && h.seq == next
		full := len(o.held)-n >= windowPackets || octets > windowOctets
		if !inTurn && !full && !all && now-h.Arrival <= windowTime {
			break
		}
		next, begun = h.seq+1, true
		octets -= len(h.Payload)
		n++
	}
	return n
}

// turn prepares a packet to be given on: the numbers before it are missing for
// good.
func (o *order) turn(a *arrival, behind []arrival) {
	a.run, a.missing, a.sent = o.run, 0, a.Arrival
	if o.begun {
		a.missing = a.seq - o.next
	}
	o.begun, o.next = true, a.seq+1
	if a.late {
		for i := range behind {
			a.sent = min(a.sent, behind[i].Arrival)
		}
	}
}
