package render

import (
	"math"
	"slices"
	"time"
)

const (
	// agreed is how far from arrivals sender reports may put a stream.
	agreed = 200 * time.Millisecond
	// shared is how many reports two streams need while both of them come, and
	// interlude how far from one of the other stream each may be.
	shared    = 3
	interlude = 30 * time.Second
)

// A part of a stream that may be moved: an epoch, with those that are joined to it, of
// whose CNAME there are reports.
type movable struct {
	survey *survey
	root   int // its place in the epochs of survey
	epoch  *epoch
	clock  string // the CNAME
	// ahead is how much later than arrivals say it was sent, beside the first of
	// those that it is linked with.
	ahead time.Duration
}

// align moves the streams of one CNAME that are apart by more than 20 ms, by their
// sender reports. The network only delays: the quickest of them stays, the others
// become earlier.
func align(streams []Stream, surveys map[int]*survey) {
	var all []*movable
	for _, s := range streams {
		all = append(all, surveys[s.ID].movables()...)
	}
	for len(all) > 0 {
		var linked []*movable
		linked, all = link(all)
		settle(linked)
	}
	for _, s := range streams {
		surveys[s.ID].follow()
		surveys[s.ID].yield()
	}
}

func (v *survey) movables() (out []*movable) {
	for i := range v.epochs {
		e := &v.epochs[i]
		if e.before >= 0 || len(e.told) < shared || e.told[0].cname == "" {
			continue
		}
		// Reports that call one SSRC now this and now that are of no use.
		if !slices.ContainsFunc(e.told, func(t told) bool { return t.cname != e.told[0].cname }) {
			out = append(out, &movable{survey: v, root: i, epoch: e, clock: e.told[0].cname})
		}
	}
	return out
}

// link takes the first of the movables, those that its reports tie to it, those that
// theirs tie to them, and so on.
func link(all []*movable) (linked, rest []*movable) {
	linked, rest = all[:1:1], all[1:]
	for i := 0; i < len(linked); i++ {
		a := linked[i]
		rest = slices.DeleteFunc(slices.Clone(rest), func(b *movable) bool {
			if b.clock != a.clock || b.survey == a.survey {
				return false
			}
			apart, ok := a.apart(b)
			if ok {
				b.ahead = a.ahead + apart
				linked = append(linked, b)
			}
			return ok
		})
	}
	return linked, rest
}

// apart is by how much later b was sent than arrivals say, beside a. When that is known
// and not to be believed, it is told of both.
func (a *movable) apart(b *movable) (d time.Duration, ok bool) {
	var all []time.Duration
	for i := range b.epoch.told {
		t := &b.epoch.told[i]
		if off, ok := a.epoch.offAt(t.arrival); ok {
			all = append(all, since(a.epoch.told[0].ntp, b.epoch.told[0].ntp)+b.epoch.off(t)-off)
		}
	}
	if len(all) < shared {
		return 0, false
	}
	steady := gathered(all, tolerated)
	d = median(all)
	switch {
	case !steady:
		a.ignore(b, WhyUnsteady, d)
	case max(d, -d) > agreed:
		a.ignore(b, WhyOffset, d)
	default:
		return d, true
	}
	return 0, false
}

func (a *movable) ignore(b *movable, why string, d time.Duration) {
	a.survey.reports.ignored = append(a.survey.reports.ignored, Ignored{why, b.survey.stream.ID, -d})
	b.survey.reports.ignored = append(b.survey.reports.ignored, Ignored{why, a.survey.stream.ID, d})
}

// off is how far the sender's clock, since the first report, is from the place of a
// report by arrival.
func (e *epoch) off(t *told) time.Duration {
	return since(e.told[0].ntp, t.ntp) - e.delay - t.at - seconds(e.drift*t.at.Seconds())
}

// offAt is off at an instant, between the reports before and after it, or beside one of
// them; not ok when there is none near.
func (e *epoch) offAt(arrival time.Duration) (time.Duration, bool) {
	i, _ := slices.BinarySearchFunc(e.told, arrival, func(t told, at time.Duration) int { return int(min(max(t.arrival-at, -1), 1)) })
	before := i > 0 && arrival-e.told[i-1].arrival <= interlude
	after := i < len(e.told) && e.told[i].arrival-arrival <= interlude
	switch {
	case before && after:
		a, b := &e.told[i-1], &e.told[i]
		share := float64(arrival-a.arrival) / float64(b.arrival-a.arrival)
		return e.off(a) + time.Duration(math.Round(share*float64(e.off(b)-e.off(a)))), true
	case before:
		return e.off(&e.told[i-1]), true
	case after:
		return e.off(&e.told[i]), true
	}
	return 0, false
}

// settle moves what is linked.
func settle(linked []*movable) {
	first, last := linked[0], linked[0]
	for _, m := range linked {
		if m.ahead > first.ahead {
			first = m
		}
		if m.ahead < last.ahead {
			last = m
		}
	}
	switch whole := first.ahead - last.ahead; {
	case whole <= tolerated:
		return
	case whole > agreed:
		first.ignore(last, WhyOffset, last.ahead-first.ahead)
		return
	}
	for _, m := range linked {
		if m != first {
			m.survey.move(m.root, m.ahead-first.ahead, first.survey.stream.ID)
		}
	}
}

// follow moves epochs about which there are too few reports, as after a short hold, with
// another of their SSRC: they came the same way.
func (v *survey) follow() {
	for _, m := range slices.Clone(v.reports.moves) {
		ssrc := v.epochs[m.root].ssrc
		for i := range v.epochs {
			if e := &v.epochs[i]; e.before < 0 && e.ssrc == ssrc && e.moved == 0 && len(e.told) < shared {
				v.move(i, m.By, m.With)
			}
		}
	}
}

// move lays an epoch, and those joined to it, elsewhere.
func (v *survey) move(root int, by time.Duration, with int) {
	for i := range v.epochs {
		if e := &v.epochs[i]; i == root || e.before == root {
			e.moved = by
		}
	}
	v.reports.moves = append(v.reports.moves, Move{By: by, With: with, root: root})
}

// yield moves each epoch no further than to the end of those that it follows, and tells
// what the moves came to. An epoch stays by arrival where it was without moves: else
// the permits would judge its packets by when others of the stream were sent.
func (v *survey) yield() {
	if len(v.reports.moves) == 0 {
		return
	}
	still := slices.Clone(v.epochs)
	for i := range still {
		still[i].moved = 0
	}
	rate := v.rate()
	was := origins(still, 0, rate)
	for i, at := range origins(v.epochs, 0, rate) {
		if over := at - was[i]; over > 0 {
			e := &v.epochs[i]
			e.moved = min(0, e.moved+span(over+1, rate)) // a sample more: places are rounded
		}
	}
	v.tell()
}

// tell fills in the moves, without those that came to nothing.
func (v *survey) tell() {
	v.reports.moves = slices.DeleteFunc(v.reports.moves, func(m Move) bool { return v.epochs[m.root].moved == 0 })
	c := v.calendar(0)
	for k := range v.reports.moves {
		m := &v.reports.moves[k]
		m.By, m.Interval = v.epochs[m.root].moved, Interval{math.MaxInt64, math.MinInt64}
		for i := range v.epochs {
			if e := &v.epochs[i]; i == m.root || e.before == m.root {
				is := c.interval(i, e.first, e.end)
				m.From, m.To = min(m.From, is.From+m.By), max(m.To, is.To+m.By)
			}
		}
	}
}

// movedBefore is how much before an instant something is heard that was moved.
func (v *survey) movedBefore(from time.Duration) (by time.Duration) {
	if len(v.stream.Permitted) == 0 || len(v.reports.moves) == 0 {
		return 0
	}
	c := v.calendar(from)
	for i, e := range v.epochs {
		begin := max(c.interval(i, e.first, e.end).From, v.stream.Permitted[0].From) + e.moved
		by = max(by, from-begin)
	}
	if by == 0 {
		return 0
	}
	return by.Truncate(time.Millisecond) + time.Millisecond
}

// moveInterval is where a part of a stream lies that is at i by arrival. What reaches
// to an end of the timeline still does.
func (v *survey) moveInterval(i, timeline Interval) Interval {
	if len(v.reports.moves) == 0 {
		return i
	}
	c := v.calendar(timeline.From)
	if i.From > timeline.From {
		i.From = max(timeline.From, i.From+c.movedAt(i.From))
	}
	if i.To < timeline.To {
		i.To = min(timeline.To, i.To+c.movedAt(i.To))
	}
	return i
}

// movedAt is by how much the epoch is moved that is at an instant, or the nearest to it.
func (c *calendar) movedAt(at time.Duration) (by time.Duration) {
	nearest := time.Duration(math.MaxInt64)
	for i, e := range c.epochs {
		is := c.interval(i, e.first, e.end)
		if away := max(is.From-at, at-is.To, 0); away < nearest {
			nearest, by = away, e.moved
		}
	}
	return by
}

// moveGaps is moveInterval for gaps.
func (v *survey) moveGaps(gaps []Gap, timeline Interval) []Gap {
	for i := range gaps {
		gaps[i].Interval = v.moveInterval(gaps[i].Interval, timeline)
	}
	return slices.DeleteFunc(gaps, func(g Gap) bool { return g.From >= g.To })
}
