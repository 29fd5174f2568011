package render

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/capture"
)

// fixed is a time as a difference of NTP stamps.
func fixed(d time.Duration) uint64 {
	s := d / time.Second
	if d%time.Second < 0 {
		s--
	}
	return uint64(s)<<32 + uint64(d-s*time.Second)<<32/uint64(time.Second)
}

// ntpNow is the instant 0 of the captures on the senders' clocks.
const ntpNow = 0xee000000 << 32

// A reporting sender sends 20 ms each with a click every 2 s, and a report every 5 s.
type reporting struct {
	sender
	cname string
	// clock is what the sender's clock shows at an instant.
	wall func(sent time.Duration) uint64
	// slow is by how many seconds a second of its RTP clock is too short.
	slow   float64
	jitter time.Duration
}

func newReporting(stream int, delay time.Duration, cname string) *reporting {
	r := &reporting{sender: *newSender(stream, nil), cname: cname}
	r.delay = delay
	r.ts -= 10_000 // wraps while it sends
	r.wall = func(sent time.Duration) uint64 { return ntpNow + fixed(sent) }
	return r
}

// sent sends from one instant to another.
func (r *reporting) sent(from, to time.Duration) (out []capture.Packet) {
	random := rand.New(rand.NewPCG(3, uint64(r.stream)))
	begin := r.ts
	for i := 0; ; i++ {
		sent := from + time.Duration(float64(i)*float64(20*ms)*(1+r.slow))
		if sent >= to {
			return out
		}
		late := r.delay
		if r.jitter > 0 {
			late += time.Duration(random.Int64N(int64(r.jitter)))
		}
		payload := slices.Repeat([]byte{0xff}, 160)
		if i%100 == 50 {
			payload[0] = 0x00 // full scale
		}
		out = append(out, capture.Packet{
			Stream: r.stream, Arrival: sent + late, SSRC: r.ssrc, Timestamp: begin + uint32(i)*160, Sequence: uint16(i), Payload: payload,
		})
		if i%250 == 125 {
			// In the middle of a packet, as a clock that runs freely tells it.
			at := sent + 7*ms
			out = append(out, capture.NewReport(r.stream, at+late, r.ssrc, begin+uint32(i)*160+56, capture.Report{NTP: r.wall(at), CNAME: r.cname}))
		}
	}
}

// clicksIn are the places of the clicks in a file of 8000 Hz, on the timeline.
func clicksIn(t *testing.T, job Job, res Result, name string) (out []time.Duration) {
	t.Helper()
	pcm := quickly(t, filepath.Join(job.Dir, name))
	for i, s := range pcm {
		if s < -20000 || s > 20000 {
			out = append(out, res.Timeline.From+span(int64(i), 8000))
		}
	}
	return out
}

// furthest is the largest distance between the clicks of two files.
func furthest(t *testing.T, a, b []time.Duration) (by time.Duration) {
	t.Helper()
	if len(a) != len(b) || len(a) < 5 {
		t.Fatalf("%d and %d clicks", len(a), len(b))
	}
	for i := range a {
		if d := b[i] - a[i]; max(d, -d) > max(by, -by) {
			by = d
		}
	}
	return by
}

// Streams of one CNAME are in step by their sender reports where these agree with
// arrivals to 200 ms, whatever their clock shows; the quickest stays. All else goes by
// arrival, and the manifest is told.
//
// Shows 7866-8.1.1-02.
func TestAlignedByReports(t *testing.T) {
	const length = 100 * time.Second
	late := func(by time.Duration) func(*reporting) {
		return func(r *reporting) {
			r.wall = func(sent time.Duration) uint64 { return ntpNow + fixed(sent+by) }
		}
	}
	jump := func(at, by time.Duration) func(*reporting) {
		return func(r *reporting) {
			r.wall = func(sent time.Duration) uint64 {
				if sent > at {
					sent += by
				}
				return ntpNow + fixed(sent)
			}
		}
	}
	uptime := func(r *reporting) { r.wall = func(sent time.Duration) uint64 { return fixed(sent + time.Hour) } }
	none := func(r *reporting) { r.wall = func(time.Duration) uint64 { return 0 } }
	wrap := func(r *reporting) { r.wall = func(sent time.Duration) uint64 { return fixed(sent - time.Minute) } }
	for _, tt := range []struct {
		name    string
		delay   time.Duration // of the second, the first has 30 ms
		cname   string
		change  []func(*reporting) // of the second
		both    []func(*reporting)
		apart   time.Duration // of what is heard
		ignored string
	}{
		{name: "80 ms", delay: 110 * ms, cname: "a"},
		{name: "quicker", delay: 2 * ms, cname: "a"},
		{name: "within 20 ms", delay: 48 * ms, cname: "a", apart: 18 * ms},
		{name: "another CNAME", delay: 110 * ms, cname: "b", apart: 80 * ms},
		{name: "no CNAME", delay: 110 * ms, both: []func(*reporting){func(r *reporting) { r.cname = "" }}, apart: 80 * ms},
		{name: "no clock", delay: 110 * ms, cname: "a", both: []func(*reporting){none}, apart: 80 * ms},
		{name: "seconds since it was started", delay: 110 * ms, cname: "a", both: []func(*reporting){uptime}},
		{name: "the era ends", delay: 110 * ms, cname: "a", both: []func(*reporting){wrap}},
		{name: "3 s off", delay: 110 * ms, cname: "a", change: []func(*reporting){late(3 * time.Second)}, apart: 80 * ms, ignored: WhyOffset},
		{name: "another epoch", delay: 110 * ms, cname: "a", change: []func(*reporting){uptime}, apart: 80 * ms, ignored: WhyOffset},
		{name: "a clock set for both", delay: 110 * ms, cname: "a", both: []func(*reporting){jump(50*time.Second, time.Hour)}},
		{name: "a clock set for one", delay: 110 * ms, cname: "a", change: []func(*reporting){jump(50*time.Second, time.Second)}, apart: 80 * ms, ignored: WhyUnsteady},
		{name: "set for one at the end", delay: 110 * ms, cname: "a", change: []func(*reporting){jump(90*time.Second, -time.Second)}},
		{name: "far apart", delay: 400 * ms, cname: "a", apart: 370 * ms, ignored: WhyOffset},
		{name: "jitter", delay: 110 * ms, cname: "a", both: []func(*reporting){func(r *reporting) { r.jitter = 40 * ms }}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, b := newReporting(0, 30*ms, "a"), newReporting(1, tt.delay, tt.cname)
			for _, f := range tt.both {
				f(a)
				f(b)
			}
			for _, f := range tt.change {
				f(b)
			}
			ps := append(a.sent(0, length), b.sent(0, length)...)
			sortByArrival(ps)
			job := jobFor(t, ps, length+time.Second, 0, 1)
			for i := range job.Streams {
				job.Streams[i].FromStart = true
			}
			res := run(t, job)
			by := furthest(t, clicksIn(t, job, res, "a.wav"), clicksIn(t, job, res, "b.wav"))
			if d := by - tt.apart; d > 2*ms || d < -2*ms {
				t.Errorf("heard %v apart, want %v", by, tt.apart)
			}
			ra, rb := res.Streams[0].Reports, res.Streams[1].Reports
			want := tt.apart - (tt.delay - 30*ms)
			moved := rb.Moves
			if tt.delay < 30*ms {
				moved, want = ra.Moves, -want
			}
			if want == 0 && len(ra.Moves)+len(rb.Moves) > 0 {
				t.Errorf("moves %v, %v", ra.Moves, rb.Moves)
			}
			if want != 0 && (len(ra.Moves)+len(rb.Moves) != 1 || len(moved) != 1 || moved[0].By-want > 2*ms || want-moved[0].By > 2*ms) {
				t.Errorf("moves %v, %v, want one by %v", ra.Moves, rb.Moves, want)
			}
			for i, r := range []Reports{ra, rb} {
				if tt.ignored == "" && len(r.Ignored) == 0 {
					continue
				}
				if len(r.Ignored) != 1 || r.Ignored[0].Why != tt.ignored || r.Ignored[0].With != 1-i {
					t.Errorf("stream %d: ignored %v, want %q", i, r.Ignored, tt.ignored)
				}
			}
			if tt.name == "3 s off" {
				if by := rb.Ignored[0].By - 2920*ms; by > ms || by < -ms || ra.Ignored[0].By != -rb.Ignored[0].By {
					t.Errorf("told %v and %v", ra.Ignored, rb.Ignored)
				}
			}
		})
	}
}

// What is moved loses no sample at the edges of permits, nor at the begin of the files,
// and its gaps move with it.
func TestMovedWithItsPermits(t *testing.T) {
	for _, omit := range []bool{false, true} {
		t.Run(fmt.Sprint("omit ", omit), func(t *testing.T) {
			a, b := newReporting(0, 0, "a"), newReporting(1, 80*ms, "a")
			ps := append(a.sent(0, time.Minute), b.sent(0, time.Minute)...)
			sortByArrival(ps)
			permitted := []Interval{{10 * time.Second, 31 * time.Second}, {33 * time.Second, time.Minute}}
			ps = slices.DeleteFunc(ps, func(p capture.Packet) bool {
				return !slices.ContainsFunc(permitted, func(i Interval) bool { return i.From <= p.Arrival && p.Arrival < i.To })
			})
			for i := range ps {
				if p := &ps[i]; p.Stream == 1 && !p.IsReport() {
					for k := range p.Payload {
						p.Payload[k] = 0x10 // every sample is told from silence
					}
				}
			}
			job := jobFor(t, ps, time.Minute, 0, 1)
			job.OmitGaps = omit
			job.Timeline.From = permitted[0].From
			for i := range job.Streams {
				job.Streams[i].Permitted = permitted
			}
			res, err := Run(t.Context(), job)
			if err != nil {
				t.Fatal(err)
			}
			packets, samples := 0, 0
			for _, p := range ps {
				if p.Stream == 1 && !p.IsReport() {
					packets++
				}
			}
			for _, s := range quickly(t, filepath.Join(job.Dir, "b.wav")) {
				if s != 0 {
					samples++
				}
			}
			if len(res.Streams[1].Reports.Moves) != 1 || samples != packets*160 {
				t.Errorf("%d samples of %d packets, moves %v", samples, packets, res.Streams[1].Reports.Moves)
			}
			if res.Timeline.From > 9920*ms || res.Timeline.From < 9900*ms {
				t.Errorf("the files begin at %v", res.Timeline.From)
			}
			gaps := slices.DeleteFunc(slices.Clone(res.Streams[1].Gaps), func(g Gap) bool { return g.Cause != CauseWithheld })
			if len(gaps) != 1 || gaps[0].From != 30920*ms || gaps[0].To != 32920*ms {
				t.Errorf("gaps %v", res.Streams[1].Gaps)
			}
		})
	}
}

// A source that is back after a short hold is moved as before it, though there are too
// few reports about its new clock; another source of the stream is not.
func TestMovedAfterAHold(t *testing.T) {
	a, b := newReporting(0, 0, "a"), newReporting(1, 80*ms, "a")
	ps := append(a.sent(0, time.Minute), b.sent(0, 40*time.Second)...)
	b.ts += 1_000_000
	ps = append(ps, b.sent(42*time.Second, 49*time.Second)...)
	b.ssrc++
	ps = append(ps, b.sent(50*time.Second, time.Minute)...)
	sortByArrival(ps)
	job := jobFor(t, ps, time.Minute, 0, 1)
	res := run(t, job)
	var by []time.Duration
	for _, m := range res.Streams[1].Reports.Moves {
		by = append(by, m.By.Round(ms), m.From.Round(ms))
	}
	if want := []time.Duration{-80 * ms, 0, -80 * ms, 42 * time.Second}; res.Streams[1].Epochs != 3 || !slices.Equal(by, want) {
		t.Errorf("%d epochs, moved %v, want %v", res.Streams[1].Epochs, by, want)
	}
}

// Reports show how fast a clock runs where arrivals do not contradict: also where the
// network hides it. What they say against arrivals is told and left alone.
func TestDriftByReports(t *testing.T) {
	const length = 10 * time.Minute
	for _, tt := range []struct {
		name     string
		ppm      float64
		walls    float64 // ppm by which the sender's clock runs ahead of ours
		longer   bool    // the route is longer by 45 ms from 4 min on
		silent   bool    // no reports
		want     float64
		byReport bool
		ignored  bool
	}{
		{name: "both", ppm: 200, want: 200, byReport: true},
		{name: "none", ppm: 10},
		{name: "the network hides it", ppm: -200, longer: true, want: -200, byReport: true},
		{name: "the network hides it, no reports", ppm: -200, longer: true, silent: true},
		{name: "the network hides it, the clock is wrong", ppm: -200, longer: true, walls: 500, ignored: true},
		{name: "the clock is wrong", ppm: 200, walls: 300, want: 200, ignored: true},
		{name: "the clock alone is wrong", walls: 300, ignored: true},
		{name: "the clock is mad", walls: 5000, ignored: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newReporting(0, 60*ms, "a")
			a.slow = tt.ppm * 1e-6
			a.wall = func(sent time.Duration) uint64 { return ntpNow + fixed(sent+seconds(sent.Seconds()*tt.walls*1e-6)) }
			ps := a.sent(0, length)
			for i := range ps {
				if tt.longer && ps[i].Arrival > 4*time.Minute {
					ps[i].Arrival += 45 * ms
				}
			}
			sortByArrival(ps)
			if tt.silent {
				ps = slices.DeleteFunc(ps, func(p capture.Packet) bool { return p.IsReport() })
			}
			job := jobFor(t, ps, length+time.Second, 0)
			res := run(t, job)
			r := res.Streams[0]
			if off := r.Drift*1e6 - tt.want; off > 3 || off < -3 || (tt.want == 0) != (r.Drift == 0) {
				t.Errorf("drift of %.1f ppm, want %.1f", r.Drift*1e6, tt.want)
			}
			if (len(r.Corrections) > 0) != (tt.want != 0) || r.Reports.Rate != tt.byReport {
				t.Errorf("%d corrections, reports %+v", len(r.Corrections), r.Reports)
			}
			if (len(r.Reports.Ignored) > 0) != tt.ignored || tt.ignored && (r.Reports.Ignored[0].Why != WhyRate || r.Reports.Ignored[0].With != -1) {
				t.Errorf("ignored %+v", r.Reports.Ignored)
			}
		})
	}
}

// A source that cannot be laid earlier, as another of its stream is still heard there,
// stays. Permits judge it all the same where its arrivals put it: nothing of it is lost
// before a hold, and nothing heard that came in one.
func TestMovedNoFurtherThanTheSourceBefore(t *testing.T) {
	const handover, end = 20 * time.Second, time.Minute
	permitted := []Interval{{0, 50 * time.Second}, {52 * time.Second, end}}
	for _, tt := range []struct {
		name  string
		pause time.Duration // between the sources
		by    time.Duration
	}{
		{"at once", 0, 0},
		{"30 ms later", 30 * ms, -30 * ms},
		{"100 ms later", 100 * ms, -80 * ms},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, b := newReporting(0, 0, "a"), newReporting(1, 80*ms, "a")
			b.cname = "" // of the first source nothing is known
			before := b.sent(0, handover)
			b.cname, b.ssrc = "a", b.ssrc+1
			after := b.sent(handover+tt.pause, end)
			want := 0
			for _, p := range after {
				for k := range p.Payload {
					if !p.IsReport() {
						p.Payload[k] = 0x10 // every sample is told from silence
					}
				}
				if !p.IsReport() && slices.ContainsFunc(permitted, func(i Interval) bool { return i.From <= p.Arrival && p.Arrival < i.To }) {
					want += 160
				}
			}
			for _, p := range before {
				if !p.IsReport() {
					p.Payload[0] = 0xff // no click
				}
			}
			ps := slices.Concat(a.sent(0, end), before, after)
			sortByArrival(ps)
			job := jobFor(t, ps, end, 0, 1)
			job.Streams[1].Permitted = permitted
			res := run(t, job)
			heard := 0
			for _, s := range quickly(t, filepath.Join(job.Dir, "b.wav")) {
				if s != 0 {
					heard++
				}
			}
			if heard != want {
				t.Errorf("%v are heard, want %v", span(int64(heard), 8000), span(int64(want), 8000))
			}
			var by time.Duration
			for _, m := range res.Streams[1].Reports.Moves {
				by += m.By
				if d := m.From - (handover + tt.pause + 80*ms + m.By); d < -ms || d > ms {
					t.Errorf("moved from %v on", m.From)
				}
			}
			if d := by - tt.by; d < -ms || d > ms || (tt.by == 0) != (by == 0) {
				t.Errorf("moved by %v, want %v", by, tt.by)
			}
		})
	}
}
