package render

import (
	"slices"
	"time"
)

const (
	// maxSources is how many SSRCs of one stream are followed at a time.
	maxSources = 4
	// maxArrival is more than any capture lasts; later arrivals are damage.
	maxArrival = 10_000 * time.Hour
)

// A lineup puts the packets of one stream in sequence and gives them on. Given
// the same packets it gives on the same arrivals.
type lineup struct {
	give   func(*arrival) // Payload is valid during the call
	orders []*order       // the one used last stands last
	runs   int
	now    time.Duration
	spare  [][]byte
	work   *workspace // may be nil

	received, late, duplicate uint64 // without those that were not kept
}

// take takes the next packet of the stream, of which Packet and coding are filled in; it
// is not kept.
func (l *lineup) take(a *arrival) {
	if a.Arrival < 0 || a.Arrival > maxArrival {
		return
	}
	a.late = false
	l.now = max(l.now, a.Arrival)
	if a.IsPassed() && !l.follows(a.SSRC) {
		return // it says that nothing is missing, and nothing would be
	}
	o, known := l.source(a.SSRC)
	if !known {
		l.begin(o, a)
	}
	switch fit := o.judge(a); {
	case fit == fits:
		l.accept(o, a)
	case !a.IsPassed():
		l.stray(o, a)
	}
	for _, o := range l.orders {
		if len(o.held) > 0 {
			l.release(o, false)
		}
	}
}

// follows reports whether packets of an SSRC came lately.
func (l *lineup) follows(ssrc uint32) bool {
	return slices.ContainsFunc(l.orders, func(o *order) bool { return o.ssrc == ssrc })
}

// source finds the order of an SSRC or makes room for it.
func (l *lineup) source(ssrc uint32) (o *order, known bool) {
	if n := len(l.orders); n > 0 && l.orders[n-1].ssrc == ssrc {
		return l.orders[n-1], true
	}
	for i, o := range l.orders {
		if o.ssrc == ssrc {
			l.orders = append(slices.Delete(l.orders, i, i+1), o)
			return o, true
		}
	}
	if len(l.orders) == maxSources {
		o = l.orders[0]
		l.finish(o)
		l.orders = slices.Delete(l.orders, 0, 1)
	} else {
		o = l.work.order()
	}
	l.orders = append(l.orders, o)
	return o, false
}

// begin starts a run with a packet.
func (l *lineup) begin(o *order, a *arrival) {
	o.reset(l.runs, a)
	l.runs++
}

func (l *lineup) accept(o *order, a *arrival) {
	isNew := o.note(a)
	if !a.IsPassed() {
		l.count(a, isNew)
	}
	if !isNew {
		return
	}
	switch {
	case o.begun && a.seq < o.next: // too late: its place is gone
	case o.begun && a.seq == o.next && len(o.held) == 0:
		o.turn(a, nil)
		l.give(a)
	default:
		o.hold(l.keep(a))
	}
}

// count counts a packet that is kept.
func (l *lineup) count(a *arrival, isNew bool) {
	switch {
	case !isNew:
		l.duplicate++
	case a.late:
		l.received++
		l.late++
	default:
		l.received++
	}
}

// stray takes a packet that does not continue its source. A second one in
// sequence proves a restart (RFC 3550 §A.1); a single one is left out.
func (l *lineup) stray(o *order, a *arrival) {
	first := o.stray
	restart := false
	if first != nil {
		step := a.Sequence - first.Sequence
		restart = step >= 1 && step <= 16 && a.Arrival-first.Arrival <= windowTime
	}
	if !restart {
		l.received++
		kept := l.keep(a)
		if first != nil {
			l.drop(first)
		}
		o.stray = &kept
		return
	}
	l.finish(o)
	l.begin(o, first)
	l.received-- // it was counted when it strayed
	l.accept(o, first)
	l.drop(first)
	o.judge(a) // extends its number
	l.accept(o, a)
}

// finish gives on what an order holds and ends its run.
func (l *lineup) finish(o *order) {
	l.release(o, true)
}

// release gives on what need not wait any longer.
func (l *lineup) release(o *order, all bool) {
	n := o.ripe(l.now, all)
	for i := range n {
		a := &o.held[i]
		o.turn(a, o.held[i+1:])
		l.give(a)
		o.octets -= len(a.Payload)
		l.drop(a)
	}
	if n > 0 {
		o.held = slices.Delete(o.held, 0, n)
	}
}

// flush gives on everything.
func (l *lineup) flush() {
	for _, o := range l.orders {
		l.finish(o)
	}
}

// close gives back what it worked with.
func (l *lineup) close() {
	if l.work == nil {
		return
	}
	l.work.shelve(l.orders)
	l.orders = nil
}

// keep copies the payload so that it outlives the call.
func (l *lineup) keep(a *arrival) arrival {
	var buf []byte
	if spare := l.payloads(); len(*spare) > 0 {
		buf = pop(spare)
	}
	kept := *a
	kept.Payload = append(buf[:0], a.Payload...)
	return kept
}

// drop takes the room of a kept payload back.
func (l *lineup) drop(a *arrival) {
	if spare := l.payloads(); len(*spare) < windowPackets && cap(a.Payload) <= 4096 {
		*spare = append(*spare, a.Payload)
	}
	a.Payload = nil
}

// payloads is the room of payloads that are not kept any more.
func (l *lineup) payloads() *[][]byte {
	if l.work != nil {
		return &l.work.payloads
	}
	return &l.spare
}
