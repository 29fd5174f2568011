package recorder

import (
	"math"
	"slices"
	"time"
)

const (
	// lateLag and lateRests bound what may be kept of a packet that arrives
	// after the end of a stream.
	lateLag   = 500 * time.Millisecond
	lateRests = 50
)

// open marks the end of an interval that was not stopped yet.
const open = time.Duration(math.MaxInt64)

// A span is a time in which audio is permitted: from is in it, to is not. Times
// are since the zero of the capture.
type span struct{ from, to time.Duration }

func (s span) has(t time.Duration) bool { return s.from <= t && t < s.to }

// A gate says which packets are covered by a permit. It is the arithmetic of a
// [Track] without clock, lock or packet. The zero gate lets nothing through.
type gate struct {
	spans []span // in order, without overlap; only the last may be open
	// ends are where spans end because the stream was over, and nothing was
	// withheld: what was still under way belongs to them.
	ends []time.Duration
	// floor is the latest instant from which audio was withheld: no permit
	// reaches back before it.
	floor time.Duration
	// begun says that floor is set.
	begun bool
}

// allow opens a span. While one is open it changes nothing.
func (g *gate) allow(from time.Duration) {
	if n := len(g.spans); n > 0 && g.spans[n-1].to == open {
		return
	}
	if g.begun && from < g.floor {
		from = g.floor
	}
	if n := len(g.spans); n > 0 && g.spans[n-1].to == from {
		g.spans[n-1].to = open // nothing was withheld in between
		return
	}
	g.spans = append(g.spans, span{from, open})
}

// end closes the open span because the stream is over.
func (g *gate) end(at time.Duration) {
	n := len(g.spans)
	if n > 0 && g.spans[n-1].to == open && g.spans[n-1].from < at {
		g.ends = append(g.ends, at)
	}
	g.stop(at)
}

// stop withholds everything from at on, in spans that are closed already too.
func (g *gate) stop(at time.Duration) {
	if !g.begun || at > g.floor {
		g.floor, g.begun = at, true
	}
	for n := len(g.spans); n > 0 && g.spans[n-1].to > at; n-- {
		if g.spans[n-1].from < at {
			g.spans[n-1].to = at
			return
		}
		g.spans = g.spans[:n-1]
	}
}

// keep judges a packet. Both its instants have to lie in one span: one that was
// sent while audio was withheld is dropped whenever it arrives, and so is one
// that arrives then, for the RTP clock of a sender may be behind and say that it
// was sent before. An edge is short, never long. Only the end of a stream has a
// tail: what was sent before it, as enough packets say, and arrives a little late.
func (g *gate) keep(i instant) bool {
	// Before the recording began nothing was withheld: what then came out of
	// order or in a burst was sent at its begin at the earliest.
	i.Media = max(i.Media, 0)
	sent, ok := g.at(i.Media)
	if !ok {
		return false
	}
	return sent.has(i.Arrival) || i.Rests >= lateRests && i.lag() <= lateLag && slices.Contains(g.ends, sent.to)
}

// at finds the span that an instant lies in, the latest first: nearly every
// packet belongs there.
func (g *gate) at(t time.Duration) (span, bool) {
	for n := len(g.spans) - 1; n >= 0; n-- {
		if g.spans[n].from <= t {
			return g.spans[n], t < g.spans[n].to
		}
	}
	return span{}, false
}
