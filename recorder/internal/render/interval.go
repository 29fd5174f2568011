package render

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// union puts intervals in order and joins those that touch. Empty ones vanish.
func union(in []Interval) []Interval {
	sorted := slices.DeleteFunc(slices.Clone(in), func(i Interval) bool { return i.From >= i.To })
	slices.SortFunc(sorted, func(a, b Interval) int { return cmp.Compare(a.From, b.From) })
	var out []Interval
	for _, i := range sorted {
		if n := len(out); n > 0 && i.From <= out[n-1].To {
			out[n-1].To = max(out[n-1].To, i.To)
			continue
		}
		out = append(out, i)
	}
	return out
}

// intersect gives the parts that are in both; a and b are as union gives them.
func intersect(a, b []Interval) []Interval {
	var out []Interval
	for len(a) > 0 && len(b) > 0 {
		if i := (Interval{max(a[0].From, b[0].From), min(a[0].To, b[0].To)}); i.From < i.To {
			out = append(out, i)
		}
		if a[0].To < b[0].To {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return out
}

// subtract gives the parts of a that are not in b; both are as union gives them.
func subtract(a, b []Interval) []Interval {
	var out []Interval
	for _, i := range a {
		for len(b) > 0 && b[0].To <= i.From {
			b = b[1:]
		}
		for k := 0; k < len(b) && b[k].From < i.To; k++ {
			if i.From < b[k].From {
				out = append(out, Interval{i.From, b[k].From})
			}
			i.From = max(i.From, b[k].To)
		}
		if i.From < i.To {
			out = append(out, i)
		}
	}
	return out
}

// within gives the part of b that may touch i, so that a walk over many
// intervals need not begin at the first.
func within(b []Interval, i Interval) []Interval {
	from, _ := slices.BinarySearchFunc(b, i.From, func(e Interval, t time.Duration) int {
		if e.To <= t {
			return -1
		}
		return 1
	})
	to := from
	for to < len(b) && b[to].From < i.To {
		to++
	}
	return b[from:to]
}

// ticks is how many ticks of a clock pass in d, rounded down.
func ticks(d time.Duration, clock int) int64 {
	s := int64(d / time.Second)
	rest := int64(d % time.Second)
	if rest < 0 {
		s, rest = s-1, rest+int64(time.Second)
	}
	return s*int64(clock) + rest*int64(clock)/int64(time.Second)
}

// ticksUp is ticks rounded up.
func ticksUp(d time.Duration, clock int) int64 { return -ticks(-d, clock) }

// ticksNear is ticks rounded to the nearest.
func ticksNear(d time.Duration, clock int) int64 {
	return ticks(d+time.Second/time.Duration(2*clock), clock)
}

// span is how long n ticks of a clock last, rounded down.
func span(n int64, clock int) time.Duration {
	c := int64(clock)
	if n >= 0 && n <= math.MaxInt64/int64(time.Second) { // the usual, for one division
		return time.Duration(n * int64(time.Second) / c)
	}
	s, rest := floorDiv(n, c), n-floorDiv(n, c)*c
	return time.Duration(s)*time.Second + time.Duration(rest*int64(time.Second)/c)
}

// rescale turns ticks of one clock into those of another, rounded down.
func rescale(n int64, from, to int) int64 {
	if from == to {
		return n
	}
	f, t := int64(from), int64(to)
	whole := floorDiv(n, f)
	return whole*t + (n-whole*f)*t/f
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// lateEnd is how much after the end of a stream a packet of it may arrive.
const lateEnd = 500 * time.Millisecond

// admits reports whether a packet that arrived at an instant came before the end of
// the permit that began last, or in the tail of a stream that was over. What came
// before the first permit is cut by its samples.
func (s *Stream) admits(arrival time.Duration) bool {
	for _, i := range slices.Backward(s.Permitted) {
		if arrival < i.From {
			continue
		}
		return arrival < i.To || arrival-i.To <= lateEnd && slices.Contains(s.Ends, i.To)
	}
	return true
}
