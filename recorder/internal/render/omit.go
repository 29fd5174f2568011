package render

import "time"

// keptParts is what of the timeline a file holds when gaps are left out: where at
// least one of its streams is heard, or would be if its sender were not silent.
func keptParts(ps []part, from time.Duration, length time.Duration) []Interval {
	timeline := Interval{from, from + length}
	var kept []Interval
	for _, p := range ps {
		var gaps []Interval
		for _, g := range p.survey.result(timeline).Gaps {
			gaps = append(gaps, g.Interval)
		}
		heard := p.heard
		for _, i := range p.heard {
			if i.To >= timeline.To-maxOverhang { // the last packet is heard to its end
				heard = append(heard[:len(heard):len(heard)], Interval{i.To, timeline.To})
			}
		}
		for _, i := range subtract(union(heard), union(gaps)) {
			kept = append(kept, p.survey.moveInterval(i, timeline))
		}
	}
	return union(kept)
}

// keptSamples is keptParts in samples of a file that held the whole timeline.
func keptSamples(parts []Interval, from time.Duration, rate int, total int64) []samples {
	var out []samples
	for _, p := range parts {
		s := samples{from: ticksNear(p.From-from, rate), to: min(ticksNear(p.To-from, rate), total)}
		if s.from < s.to {
			out = append(out, s)
		}
	}
	return out
}

func countSamples(parts []samples) (n int64) {
	for _, p := range parts {
		n += p.to - p.from
	}
	return n
}
