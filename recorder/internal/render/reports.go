package render

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/capture"
)

// A sender report says which instant of the sender's clock an RTP time is (RFC 3550
// §6.4.1). Whether that clock is right nobody knows, and a relay passes on those of
// others: so reports say by how much two streams of one CNAME are apart, and how fast
// an RTP clock runs, where that agrees with what the arrival of packets says. All else
// of them is left alone.

const (
	// maxReports bounds those of one stream that are kept.
	maxReports = 20_000
	// rateReports and rateTime are from how many reports of how long a time the rate
	// of a clock is taken.
	rateReports = 12
	rateTime    = 3 * time.Minute
)

// What sender reports say that is not believed.
const (
	// WhyRate: the clocks of the sender run apart as arrivals do not show.
	WhyRate = "the rate differs from that of arrivals"
	// WhyUnsteady: what they say of two streams changes: a clock was set.
	WhyUnsteady = "a clock was set, or is none"
	// WhyOffset: more than 200 ms from where arrivals put the stream.
	WhyOffset = "the place differs from that of arrivals"
)

// Reports is what sender reports did to the place of a stream.
type Reports struct {
	Count int // those in the capture, up to 20,000
	// Rate says that Drift of the stream, which is not 0 then, is by them.
	Rate    bool
	Moves   []Move
	Ignored []Ignored
}

// A Move laid a part of a stream By later, or earlier when below 0, than its arrivals
// say, to be in step with another stream of the same CNAME.
type Move struct {
	Interval
	By   time.Duration
	With int // the ID of the stream that stayed
	root int // the epoch
}

// An Ignored is something that sender reports say and that was not followed. By is how
// far it is from what arrivals say: about the place beside the stream With, or, when
// that is -1, about the rate over the length of the stream.
type Ignored struct {
	Why  string
	With int
	By   time.Duration
}

// A report is one as it stands in the capture.
type report struct {
	ssrc, timestamp uint32
	arrival         time.Duration
	ntp             uint64
	cname           string
}

// reports are those of one stream, in the order in which they came.
type reports struct {
	list    []report
	byRate  bool
	moves   []Move
	ignored []Ignored
}

// take takes a report of the capture. A sender without a clock says 0.
func (rs *reports) take(p *capture.Packet) {
	r, ok := p.Report()
	if !ok || r.NTP == 0 || len(rs.list) == maxReports || p.Arrival < 0 || p.Arrival > maxArrival {
		return
	}
	if n := len(rs.list); n > 0 && rs.list[n-1].cname == r.CNAME {
		r.CNAME = rs.list[n-1].cname // one string for all
	}
	rs.list = append(rs.list, report{p.SSRC, p.Timestamp, p.Arrival, r.NTP, r.CNAME})
}

// A told is a report about an epoch: RTP time since its first packet, and the sender's
// clock at that time.
type told struct {
	at      time.Duration
	arrival time.Duration
	ntp     uint64
	cname   string
}

// hear finds for each report the epoch that it is about, and its place there.
func (v *survey) hear() {
	for _, r := range v.reports.list {
		i := v.epochOf(&r)
		if i < 0 {
			continue
		}
		e := &v.epochs[i]
		// The arrival says how often the RTP time wrapped.
		about := ticks(r.arrival-e.delay, e.clock)
		tick := about + int64(int32(r.timestamp-e.timestamp-uint32(about)))
		if e.before >= 0 {
			tick += e.offset
			e = &v.epochs[e.before]
		}
		e.told = append(e.told, told{span(tick, e.clock), r.arrival, r.ntp, r.cname})
	}
}

// epochOf is the latest epoch of the SSRC of a report that had begun when it came, else
// the first; -1 when there is none.
func (v *survey) epochOf(r *report) int {
	best := -1
	for i := range v.epochs {
		if e := &v.epochs[i]; e.ssrc == r.ssrc && (best < 0 || e.opened <= r.arrival) {
			best = i
		}
	}
	return best
}

// since is the time from one instant of a sender's clock to another, at most 68 years.
func since(from, to uint64) time.Duration {
	d := int64(to - from)
	return time.Duration(d>>32)*time.Second + time.Duration((d&(1<<32-1))*int64(time.Second)>>32)
}

// rate is by how many seconds a second of the RTP clock is too short, by the clock of
// the sender; not ok when its reports are too few or not on a line.
func rate(ts []told) (r float64, ok bool) {
	n := len(ts)
	if n < rateReports || ts[n-1].at-ts[0].at < rateTime {
		return 0, false
	}
	off := func(i int) time.Duration { return since(ts[0].ntp, ts[i].ntp) - (ts[i].at - ts[0].at) }
	var slopes []float64
	for i := range n - n/2 {
		if a, b := i, i+n/2; ts[b].at > ts[a].at {
			slopes = append(slopes, (off(b)-off(a)).Seconds()/(ts[b].at-ts[a].at).Seconds())
		}
	}
	if len(slopes) == 0 {
		return 0, false
	}
	r = median(slopes)
	var rest []time.Duration
	for i := range ts {
		rest = append(rest, off(i)-seconds(r*(ts[i].at-ts[0].at).Seconds()))
	}
	return r, gathered(rest, nearLine)
}

// rateOf finds the drift of an epoch from its arrivals and from its reports; not ok
// when there is none that is worth a correction.
func (v *survey) rateOf(root *epoch, all trend) (s slope, ok bool) {
	s, steady := all.fit()
	length := all.length()
	told, known := rate(root.told)
	if !known || length < minTrend {
		return s, steady && matters(s.rate, length)
	}
	floor := all.floor(told)
	apart := seconds((told - s.rate) * length.Seconds())
	agrees := max(apart, -apart) <= tolerated
	if !steady { // the network hides the rate, and may not contradict another
		agrees = all.near(floor, maxShift)
	}
	if !agrees || math.Abs(told) > maxDrift {
		v.reports.ignored = append(v.reports.ignored, Ignored{WhyRate, -1, apart})
		return s, steady && matters(s.rate, length)
	}
	if !matters(told, length) {
		return s, false
	}
	v.reports.byRate = true
	return floor, true
}

// reported is what is told of the reports of a stream.
func (v *survey) reported() Reports {
	rs := &v.reports
	return Reports{len(rs.list), rs.byRate, rs.moves, rs.ignored}
}

// median is the middle of values, which it puts in order.
func median[T cmp.Ordered](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}

// gathered reports whether enough values lie within a distance of their median.
func gathered(values []time.Duration, distance time.Duration) bool {
	middle := median(values)
	near := 0
	for _, v := range values {
		if v >= middle-distance && v <= middle+distance {
			near++
		}
	}
	return float64(near) >= nearShare*float64(len(values))
}
