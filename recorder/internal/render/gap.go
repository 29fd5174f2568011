package render

import (
	"cmp"
	"math"
	"slices"
	"time"
)

const (
	// edge is how much before a stop may be gone with what was withheld: packets
	// that come after a stop are kept only if they are sure to be older.
	edge = 500 * time.Millisecond
	// grain is the shortest late start, and pause the shortest lack of packets
	// between epochs, that is worth a name.
	grain = 20 * time.Millisecond
	pause = 500 * time.Millisecond
)

// A ledger collects what a stream lacks.
type ledger struct {
	permitted []Interval
	lost      uint64
	withheld  []Interval
	gone      []Interval // lost
	opaque    []Interval // undecodable
}

// result is what the survey found, told on the timeline.
func (v *survey) result(timeline Interval) StreamResult {
	cal := v.calendar(timeline.From)
	permitted := union(v.stream.Permitted)
	l := ledger{permitted: permitted, lost: v.lost}
	l.withheld = subtract([]Interval{timeline}, permitted)
	for _, h := range v.holes {
		if h.joined && v.epochs[h.epoch].before < 0 {
			l.lost += uint64(h.missing) // how long that was is not known
			continue
		}
		when := cal.interval(h.epoch, h.from, h.to)
		if h.cause == CauseUndecodable {
			l.opaque = append(l.opaque, when)
			continue
		}
		l.lose(when, h.missing, span(h.length, v.epochs[h.epoch].clock))
	}
	r := StreamResult{
		ID: v.stream.ID, Received: v.lineup.received, Lost: l.lost, Late: v.lineup.late,
		Duplicate: v.lineup.duplicate, First: v.first, Last: v.last,
		Codecs: v.codecs, Undecoded: v.undecoded, MoreGaps: v.more, Beyond: v.beyond, Digits: v.pressedDigits(),
	}
	var sum time.Duration
	var steps int64
	for _, e := range v.epochs {
		if e.before < 0 {
			r.Epochs++
		}
		sum, steps = sum+e.jitter.sum, steps+e.jitter.steps
		r.PeakJitter = max(r.PeakJitter, e.jitter.peak)
	}
	for _, e := range v.epochs {
		if math.Abs(e.drift) > math.Abs(r.Drift) {
			r.Drift = e.drift
		}
	}
	if steps > 0 {
		r.Jitter = sum / time.Duration(steps)
	}
	r.Gaps = l.gaps(timeline, cal.coverage())
	return r
}

// lose books missing packets. Those within a part that was withheld were not
// lost but not kept.
func (l *ledger) lose(when Interval, missing int64, each time.Duration) {
	var found int64
	for _, p := range intersect([]Interval{when}, within(l.permitted, when)) {
		if p == when {
			l.lost += uint64(missing)
			l.gone = append(l.gone, when)
			return
		}
		sure := p
		if p.To < when.To {
			sure.To -= edge
		}
		if p.From > when.From {
			sure.From += each
		}
		if each <= 0 || sure.To-sure.From < each {
			l.withheld = append(l.withheld, p)
			continue
		}
		found += int64((sure.To - sure.From) / each)
		l.gone = append(l.gone, sure)
		l.withheld = append(l.withheld, Interval{p.From, sure.From}, Interval{sure.To, p.To})
	}
	l.lost += uint64(min(found, missing))
}

// coverage is where the stream's epochs are.
func (c *calendar) coverage() []Interval {
	var out []Interval
	for i, e := range c.epochs {
		out = append(out, c.interval(i, e.first, e.end))
	}
	return union(out)
}

// gaps lists what was booked, in order.
func (l *ledger) gaps(timeline Interval, coverage []Interval) []Gap {
	whole := union([]Interval{timeline})
	audible := intersect(l.permitted, whole)
	var out []Gap
	add := func(cause string, is, limit []Interval) {
		for _, i := range intersect(union(is), limit) {
			out = append(out, Gap{i, cause})
		}
	}
	add(CauseWithheld, l.withheld, whole)
	add(CauseLost, l.gone, audible)
	add(CauseUndecodable, l.opaque, audible)
	for _, i := range audible {
		out = append(out, uncovered(i, coverage)...)
	}
	slices.SortStableFunc(out, func(a, b Gap) int { return cmp.Compare(a.From, b.From) })
	return out
}

// uncovered lists the parts of a permitted interval in which nothing came.
func uncovered(i Interval, coverage []Interval) []Gap {
	here := within(coverage, i)
	if len(here) == 0 {
		return []Gap{{i, CauseNoPackets}}
	}
	var out []Gap
	for _, u := range subtract([]Interval{i}, here) {
		switch {
		case here[0] == coverage[0] && u.To <= coverage[0].From:
			if u.To-u.From >= grain {
				out = append(out, Gap{u, CauseLateStart})
			}
		case u.To-u.From >= pause:
			out = append(out, Gap{u, CauseNoPackets})
		}
	}
	return out
}
