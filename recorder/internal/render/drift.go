package render

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// The RTP clock of a sender runs at a rate of its own. Over an hour 200 ppm are 720 ms,
// by which its audio would be out of step with that of others. The smallest transit of
// each 10 s shows the rate: network delay only adds to it.

const (
	// trendWidth is the time of which the smallest transit is kept.
	trendWidth = 10 * time.Second
	// tolerated is how far a sender may be out of step before that is corrected. A
	// correction is made in a gap or in silence once it is due by softly, and
	// anywhere when it is due by hardly: after each packet a sample is within
	// tolerated of where the clocks say.
	tolerated = 20 * time.Millisecond
	softly    = 10 * time.Millisecond
	hardly    = 18 * time.Millisecond
	// minTrend is the shortest time that shows a rate.
	minTrend = time.Minute
	// maxDrift is more than any clock is wrong by: beyond it the rate is a mistake of
	// another kind, and is left alone.
	maxDrift = 1000e-6
	// A drift is believed when nearShare of the smallest transits lie within nearLine
	// of it: a route that changed is not a clock.
	nearLine  = 10 * time.Millisecond
	nearShare = 0.6
	// maxCorrections bounds what is kept of them for the manifest.
	maxCorrections = 10_000
)

// A Correction moved a stream by By from an instant of the timeline on: later when
// above 0.
type Correction struct {
	At, By time.Duration
}

// A trend is the smallest transit in each trendWidth of RTP time, in order.
type trend []lowest

type lowest struct {
	at      time.Duration // RTP time since the first packet of the epoch
	transit time.Duration // arrival less RTP time
}

// take takes the transit of a packet. One that is older than the present width is
// left out.
func (t *trend) take(at, transit time.Duration) {
	n := len(*t)
	if n == 0 || at/trendWidth > (*t)[n-1].at/trendWidth {
		*t = append(*t, lowest{at, transit})
		return
	}
	last := &(*t)[n-1]
	if at/trendWidth == last.at/trendWidth && transit < last.transit {
		*last = lowest{at, transit}
	}
}

// A line through the smallest transits: begin at 0, and slope, the seconds by which
// the transit grows in a second.
type slope struct {
	begin time.Duration
	rate  float64
}

// length is the time of which the trend tells.
func (t trend) length() time.Duration {
	if len(t) == 0 {
		return 0
	}
	return t[len(t)-1].at - t[0].at
}

// fit finds the line below all points that is nearest to them. steady says that it can
// be believed.
func (t trend) fit() (s slope, steady bool) {
	if len(t) < 3 || t.length() < minTrend {
		return s, false
	}
	mean := 0.0
	for _, p := range t {
		mean += p.at.Seconds() / float64(len(t))
	}
	hull := t.hull()
	i := 1
	for i < len(hull)-1 && hull[i].at.Seconds() < mean {
		i++
	}
	a, b := hull[i-1], hull[i]
	s.rate = (b.transit - a.transit).Seconds() / (b.at - a.at).Seconds()
	s.begin = a.transit - seconds(s.rate*a.at.Seconds())
	return s, t.near(s, nearLine)
}

// floor is the line of a rate below all points.
func (t trend) floor(rate float64) slope {
	s := slope{begin: math.MaxInt64, rate: rate}
	for _, p := range t {
		s.begin = min(s.begin, p.transit-seconds(rate*p.at.Seconds()))
	}
	return s
}

// near reports whether enough of the points lie within a distance of a line below them.
func (t trend) near(s slope, distance time.Duration) bool {
	near := 0
	for _, p := range t {
		if p.transit-s.begin-seconds(s.rate*p.at.Seconds()) <= distance {
			near++
		}
	}
	return float64(near) >= nearShare*float64(len(t))
}

// matters reports whether a rate over a time is a drift that is worth a correction,
// and one that a clock can have.
func matters(rate float64, length time.Duration) bool {
	return math.Abs(rate) <= maxDrift && math.Abs(rate)*length.Seconds() > tolerated.Seconds()
}

// hull is the lower convex hull of the points, from the first to the last.
func (t trend) hull() trend {
	var out trend
	for _, p := range t {
		for len(out) >= 2 {
			a, b := out[len(out)-2], out[len(out)-1]
			if (b.transit-a.transit).Seconds()*(p.at-a.at).Seconds() < (p.transit-a.transit).Seconds()*(b.at-a.at).Seconds() {
				break
			}
			out = out[:len(out)-1]
		}
		out = append(out, p)
	}
	return out
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// drifts finds the drift of each epoch that stands for itself, with those that were
// joined to it.
func (v *survey) drifts() {
	for i := range v.epochs {
		root := &v.epochs[i]
		if root.before >= 0 {
			continue
		}
		all := slices.Clone(root.trend)
		for j := range v.epochs {
			if e := &v.epochs[j]; e.before == i {
				offset := span(e.offset, e.clock)
				for _, p := range e.trend {
					// The transits of an epoch count from its own first packet.
					all = append(all, lowest{p.at + offset, p.transit - offset})
				}
			}
		}
		slices.SortFunc(all, func(a, b lowest) int { return cmp.Compare(a.at, b.at) })
		all = slices.CompactFunc(all, func(a, b lowest) bool { return a.at == b.at })
		s, ok := v.rateOf(root, all)
		if !ok {
			continue
		}
		root.delay, root.drift = s.begin, s.rate
		for j := range v.epochs {
			if e := &v.epochs[j]; e.before == i {
				e.drift = s.rate
			}
		}
	}
}

// lag is how much later than at the rate of its clock a tick of an epoch lies, in
// samples of rate.
func (e *epoch) lag(tick int64, rate int) int64 {
	if e.drift == 0 {
		return 0
	}
	if e.before >= 0 {
		tick += e.offset
	}
	return int64(math.Round(e.drift * float64(tick) / float64(e.clock) * float64(rate)))
}

// A step is what is corrected of the drift of an epoch so far.
type step struct{ applied int64 }

// correct says by how much a packet that would lie at place is moved, in samples of
// the track. The present correction stays while it is near enough; free says that the
// packet is a good place for another.
func (l *line) correct(in instant, place int64, free func() bool) (moved int64, stepped bool) {
	e := &l.epochs[in.epoch]
	if e.drift == 0 {
		return 0, false
	}
	root := in.epoch
	if e.before >= 0 {
		root = e.before
	}
	s := l.steps[root]
	if s == nil {
		s = new(step)
		l.steps[root] = s
	}
	want := e.lag(in.at, l.rate)
	off := span(want-s.applied, l.rate)
	off = max(off, -off)
	if off < softly || off < hardly && !free() {
		return s.applied, false
	}
	if len(l.corrections) < maxCorrections {
		l.corrections = append(l.corrections, Correction{l.from + span(place+want, l.rate) + e.moved, span(want-s.applied, l.rate)})
	}
	s.applied = want
	return want, true
}
