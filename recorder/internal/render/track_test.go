package render

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/codec"
	"github.com/siprecd/siprecd/recorder/internal/capture"
)

// linear sends n packets of 20 ms of L16 at a rate, a constant sample.
func (s *sender) linear(n, rate int, value int16) {
	for range n {
		var b []byte
		for range rate / 50 {
			b = append(b, byte(uint16(value)>>8), byte(value))
		}
		s.send(b, rate/50)
	}
}

// Shows 7866-8.2.1.2-01.
func TestPayloadTypeChanges(t *testing.T) {
	var ps []capture.Packet
	s := newSender(0, &ps)
	u := s.count(10)
	s.pt = 8
	a := s.count(10)
	s.pt = 96
	s.linear(10, 8000, 1234)
	job := jobFor(t, ps, 600*ms, 0)
	job.Streams[0].Formats = []Format{
		{PayloadType: 0, Name: "PCMU", ClockRate: 8000, Channels: 1},
		{PayloadType: 8, Name: "PCMA", ClockRate: 8000, Channels: 1},
		{PayloadType: 96, Name: "L16", ClockRate: 8000, Channels: 1},
	}
	res, pcm := track(t, job)
	want := slices.Concat(decode(t, "PCMU", 8000, u), decode(t, "PCMA", 8000, a), slices.Repeat([]int16{1234}, 1600))
	equal(t, pcm, want)
	if r := res.Streams[0]; !slices.Equal(r.Codecs, []string{"PCMU", "PCMA", "L16"}) || r.Epochs != 1 {
		t.Errorf("%+v", r)
	}
}

// A payload type means what the latest offer before its packet says.
func TestFormatFrom(t *testing.T) {
	var ps []capture.Packet
	s := newSender(0, &ps)
	s.pt = 100
	u, a := s.count(5), s.count(5)
	job := jobFor(t, ps, 200*ms, 0)
	job.Streams[0].Formats = []Format{
		{From: 100 * ms, PayloadType: 100, Name: "PCMA", ClockRate: 8000},
		{From: 50 * ms, PayloadType: 100, Name: "PCMU", ClockRate: 8000}, // early packets count, too
	}
	_, pcm := track(t, job)
	equal(t, pcm, slices.Concat(decode(t, "PCMU", 8000, u), decode(t, "PCMA", 8000, a)))
}

// A change to a higher rate raises what was before it, and samples stay where
// and what they are.
func TestRateIsRaised(t *testing.T) {
	for _, c := range []struct{ rate, factor int }{{16000, 2}, {48000, 6}} {
		var ps []capture.Packet
		s := newSender(0, &ps)
		u := decode(t, "PCMU", 8000, s.count(10))
		s.pt, s.clock = 96, c.rate
		s.linear(10, c.rate, 1234)
		job := jobFor(t, ps, 400*ms, 0)
		job.Streams[0].Formats = []Format{{PayloadType: 96, Name: "L16", ClockRate: c.rate}}
		res, pcm := track(t, job)
		if res.Tracks[0].Rate != c.rate {
			t.Fatalf("rate %d, want %d", res.Tracks[0].Rate, c.rate)
		}
		for i, s := range u {
			if pcm[i*c.factor] != s {
				t.Fatalf("%d Hz: sample %d is %d, want %d", c.rate, i, pcm[i*c.factor], s)
			}
		}
		for i := len(u) * c.factor; i < len(pcm); i++ {
			if pcm[i] != 1234 {
				t.Fatalf("%d Hz: sample %d is %d", c.rate, i, pcm[i])
			}
		}
	}
}

// G722 has 16000 samples a second under a clock of 8000 (RFC 3551 §4.5.2).
func TestG722Place(t *testing.T) {
	var ps []capture.Packet
	s := newSender(0, &ps)
	s.pt, s.delay = 9, 100*ms
	octets := s.count(20)
	s.seq, s.ts, s.now = s.seq+1, s.ts+160, s.now+20*ms
	more := s.count(20)
	res, pcm := track(t, jobFor(t, ps, time.Second, 0))
	if res.Tracks[0].Rate != 16000 {
		t.Fatalf("rate %d", res.Tracks[0].Rate)
	}
	all := decode(t, "G722", 8000, slices.Concat(octets, more))
	equal(t, pcm, lay(16000, laid{1600, all[:6400]}, laid{1600 + 6400 + 320, all[6400:]}))
}

func TestPermittedOnly(t *testing.T) {
	var ps []capture.Packet
	octets := newSender(0, &ps).count(100)
	all := decode(t, "PCMU", 8000, octets)
	us := time.Microsecond
	job := jobFor(t, ps, 2*time.Second, 0)
	job.Streams[0].Permitted = []Interval{{10*ms + 10*us, 500 * ms}, {700 * ms, 705*ms + 60*us}, {2 * time.Second, 3 * time.Second}}
	res, pcm := track(t, job)
	// An edge within a sample leaves the sample out. The packet that begins at
	// 700 ms is heard to its end, the one after it not at all.
	equal(t, pcm, lay(16000, laid{81, all[81:4000]}, laid{5600, all[5600:5760]}))
	wantGaps(t, res.Streams[0].Gaps,
		Gap{Interval{0, 10*ms + 10*us}, CauseWithheld},
		Gap{Interval{500 * ms, 700 * ms}, CauseWithheld},
		Gap{Interval{705*ms + 60*us, 2 * time.Second}, CauseWithheld})
}

// What is said last is spoken before it is sent: the files are as much longer.
func TestLastPacketIsHeardWhole(t *testing.T) {
	var ps []capture.Packet
	octets := newSender(0, &ps).count(10)
	all := decode(t, "PCMU", 8000, octets)
	job := jobFor(t, ps, 181*ms, 0) // the tenth packet arrives at 180 ms
	job.Streams[0].Permitted = []Interval{{0, 181 * ms}}
	res, pcm := track(t, job)
	if want := (Interval{0, 200 * ms}); res.Timeline != want {
		t.Errorf("timeline %v, want %v", res.Timeline, want)
	}
	equal(t, pcm, all)
	// One that begins where the permit ends is not heard.
	job.Timeline.To, job.Streams[0].Permitted[0].To = 180*ms, 180*ms
	_, pcm = track(t, job)
	if i := slices.IndexFunc(pcm[min(len(pcm), 1440):], func(s int16) bool { return s != 0 }); i >= 0 {
		t.Errorf("sample %d of a packet that begins after the permit is heard", i)
	}
	equal(t, pcm[:1440], all[:1440])
}

// What arrives after a permit is not heard, whatever its timestamp says: the clock
// of the sender may be behind. Only a stream that is over has a tail.
func TestArrivalDecidesAtTheEnd(t *testing.T) {
	var ps []capture.Packet
	octets := newSender(0, &ps).count(20)
	all := decode(t, "PCMU", 8000, octets)
	for i := range ps[10:] {
		ps[10+i].Arrival += 100 * ms // the eleventh, sent at 200 ms, comes at 300 ms
	}
	for _, over := range []bool{false, true} {
		job := jobFor(t, ps, time.Second, 0)
		job.Streams[0].Permitted = []Interval{{0, 250 * ms}, {600 * ms, time.Second}}
		want := lay(8000, laid{0, all[:1600]})
		if over {
			job.Streams[0].Ends = []time.Duration{250 * ms}
			want = lay(8000, laid{0, all[:2080]}) // those that begin before 250 ms
		}
		_, pcm := track(t, job)
		equal(t, pcm, want)
	}
}

// A first packet that came late shows so by the quicker ones after it. It is
// heard from its begin where nothing was withheld before, and cut elsewhere.
func TestFirstPacketIsHeardWhole(t *testing.T) {
	var ps []capture.Packet
	octets := newSender(0, &ps).count(10)
	all := decode(t, "PCMU", 8000, octets)
	for i := range ps {
		ps[i].Arrival += 10 * ms
	}
	ps[0].Arrival += 5*ms + 300*time.Microsecond
	for _, fromStart := range []bool{true, false} {
		job := jobFor(t, ps, 300*ms, 0)
		job.Timeline.From = 15 * ms
		job.Tracks[0].Sources[0].From = 15 * ms
		job.Streams[0].Permitted = []Interval{{15 * ms, 300 * ms}}
		job.Streams[0].FromStart = fromStart
		res, pcm := track(t, job)
		if !fromStart {
			equal(t, pcm, lay(2280, laid{0, all[40:]}))
			continue
		}
		// D is 10 ms: the first packet was sent 5 ms before the permit; the
		// timeline is rounded to a millisecond.
		if res.Timeline.From != 9*ms {
			t.Errorf("timeline begins at %v", res.Timeline.From)
		}
		equal(t, pcm, lay(2328, laid{8, all}))
	}
}

// The filter that raises the rate must not smear what was withheld.
func TestWithheldIsNotSmeared(t *testing.T) {
	var ps []capture.Packet
	quiet, loud := newSender(0, &ps), newSender(1, &ps)
	quiet.pt, quiet.clock = 96, 16000
	quiet.linear(50, 16000, 0)
	loud.pt = 97
	loud.linear(25, 8000, 0)
	loud.linear(25, 8000, 30000)
	job := jobFor(t, ps, time.Second, 0, 1)
	job.Streams[0].Formats = []Format{{PayloadType: 96, Name: "L16", ClockRate: 16000}}
	job.Streams[1].Formats = []Format{{PayloadType: 97, Name: "L16", ClockRate: 8000}}
	job.Streams[1].Permitted = []Interval{{0, 500 * ms}}
	job.Tracks[0].Sources = append(job.Tracks[0].Sources, job.Tracks[1].Sources...)
	_, pcm := track(t, job)
	equal(t, pcm, make([]int16, 16000))
}

// The recorder does not keep what is withheld, so that its numbers are missing:
// they were not lost.
func TestWithheldIsNotLost(t *testing.T) {
	for _, length := range []int{200, 5000} { // beyond MAX_DROPOUT, too
		var ps []capture.Packet
		s := newSender(0, &ps)
		s.count(100)
		s.seq += uint16(length)
		s.skip(time.Duration(length) * 20 * ms)
		s.count(50)
		s.seq += 2
		s.skip(40 * ms)
		s.count(50)
		pauseEnd := time.Duration(100+length) * 20 * ms
		job := jobFor(t, ps, s.now, 0)
		// The edges are short: 60 ms before the stop were not kept.
		job.Streams[0].Permitted = []Interval{{0, 2*time.Second + 60*ms}, {pauseEnd - 10*ms, s.now}}
		r := run(t, job).Streams[0]
		if r.Lost != 2 || r.Epochs != 1 {
			t.Errorf("%d withheld: %+v", length, r)
		}
		wantGaps(t, r.Gaps, Gap{Interval{2 * time.Second, pauseEnd}, CauseWithheld},
			Gap{Interval{pauseEnd + time.Second, pauseEnd + 1040*ms}, CauseLost})
	}
}

// A true loss right before and after a pause is told apart from it.
func TestLossNextToWithheld(t *testing.T) {
	var ps []capture.Packet
	s := newSender(0, &ps)
	s.count(50)
	s.seq += 300
	s.skip(6 * time.Second)
	s.count(50)
	job := jobFor(t, ps, s.now, 0)
	job.Streams[0].Permitted = []Interval{{0, 3 * time.Second}, {5 * time.Second, s.now}}
	r := run(t, job).Streams[0]
	if r.Lost != 75+99 {
		t.Errorf("%d lost", r.Lost)
	}
	wantGaps(t, r.Gaps, Gap{Interval{time.Second, 2500 * ms}, CauseLost},
		Gap{Interval{2500 * ms, 5020 * ms}, CauseWithheld}, Gap{Interval{5020 * ms, 7 * time.Second}, CauseLost})
}

func TestNothingCame(t *testing.T) {
	var ps []capture.Packet
	s := newSender(0, &ps)
	s.now = 3 * time.Second
	s.count(50)
	s.now, s.ssrc = 6*time.Second, 7
	s.count(50)
	job := jobFor(t, ps, 10*time.Second, 0, 1)
	job.Streams[0].Permitted = []Interval{{0, time.Second}, {2 * time.Second, 9 * time.Second}}
	res := run(t, job)
	wantGaps(t, res.Streams[0].Gaps,
		Gap{Interval{0, time.Second}, CauseNoPackets},
		Gap{Interval{time.Second, 2 * time.Second}, CauseWithheld},
		Gap{Interval{2 * time.Second, 3 * time.Second}, CauseLateStart},
		Gap{Interval{4 * time.Second, 6 * time.Second}, CauseNoPackets},
		Gap{Interval{7 * time.Second, 9 * time.Second}, CauseNoPackets},
		Gap{Interval{9 * time.Second, 10 * time.Second}, CauseWithheld})
	wantGaps(t, res.Streams[1].Gaps, Gap{Interval{0, 10 * time.Second}, CauseNoPackets})
	if !res.Tracks[0].Heard || res.Tracks[1].Heard {
		t.Errorf("%+v", res.Tracks)
	}
}

func TestUndecodable(t *testing.T) {
	var ps []capture.Packet
	s := newSender(0, &ps)
	a := s.count(10)
	s.pt = 96
	for range 10 {
		s.send([]byte{1, 2, 3}, 160)
	}
	s.pt = 0
	b := s.count(10)
	other := newSender(1, &ps)
	other.pt = 77
	other.send([]byte{1}, 160)
	job := jobFor(t, ps, 600*ms, 0, 1)
	job.Streams[0].Formats = []Format{{PayloadType: 96, Name: "iLBC", ClockRate: 8000}}
	res, pcm := track(t, job)
	equal(t, pcm, lay(4800, laid{0, decode(t, "PCMU", 8000, a)}, laid{3200, decode(t, "PCMU", 8000, b)}))
	r := res.Streams[0]
	if !slices.Equal(r.Undecoded, []string{"ILBC"}) || !slices.Equal(r.Codecs, []string{"PCMU", "ILBC"}) || r.Lost != 0 {
		t.Errorf("%+v", r)
	}
	wantGaps(t, r.Gaps, Gap{Interval{200 * ms, 400 * ms}, CauseUndecodable})
	if res.Tracks[1].Heard || !slices.Equal(res.Streams[1].Undecoded, []string{"PT 77"}) {
		t.Errorf("%+v %+v", res.Tracks[1], res.Streams[1])
	}
}

// Shows 7866-8.3.2-01.
func TestTwoSources(t *testing.T) {
	var ps []capture.Packet
	a := decode(t, "PCMU", 8000, newSender(0, &ps).count(100))
	loud := newSender(1, &ps)
	loud.pt = 96
	loud.linear(100, 8000, -30000)
	job := jobFor(t, ps, 2*time.Second, 0, 1)
	job.Streams[1].Formats = []Format{{PayloadType: 96, Name: "L16", ClockRate: 8000}}
	// The participant moves from stream 0 to stream 1, overlapping for 0.5 s,
	// and back; 0 is named twice for a part.
	job.Tracks = []Track{{File: "p.wav", Sources: []Source{
		{0, Interval{0, time.Second}}, {0, Interval{500 * ms, time.Second}},
		{1, Interval{500 * ms, 1500 * ms}}, {0, Interval{1500 * ms, time.Hour}},
	}}}
	_, pcm := track(t, job)
	want := make([]int16, 16000)
	mix(want[:8000], a[:8000])
	mix(want[4000:12000], slices.Repeat([]int16{-30000}, 8000))
	mix(want[12000:], a[12000:])
	equal(t, pcm, want)
	if !slices.Contains(pcm, -32768) {
		t.Error("nothing was clipped: the overlap is not tested")
	}
}

func TestTimelineCuts(t *testing.T) {
	var ps []capture.Packet
	a := decode(t, "PCMA", 8000, func() []byte { s := newSender(0, &ps); s.pt = 8; return s.count(100) }())
	job := jobFor(t, ps, 2*time.Second, 0)
	job.Timeline = Interval{333 * ms, 1777 * ms}
	_, pcm := track(t, job)
	equal(t, pcm, a[2664:14216])
}

func TestEmptyCapture(t *testing.T) {
	job := jobFor(t, nil, time.Minute, 0)
	res := run(t, job)
	r := res.Streams[0]
	if res.Tracks[0].Heard || r.Received != 0 || r.Epochs != 0 || res.Torn {
		t.Errorf("%+v", res)
	}
	wantGaps(t, r.Gaps, Gap{Interval{0, time.Minute}, CauseNoPackets})
}

func TestTornCapture(t *testing.T) {
	var ps []capture.Packet
	octets := newSender(0, &ps).count(500) // several pages
	job := jobFor(t, ps, 10*time.Second, 0)
	info, err := os.Stat(job.Capture)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(job.Capture, info.Size()-5); err != nil {
		t.Fatal(err)
	}
	res, pcm := track(t, job)
	n := int(res.Streams[0].Received)
	if !res.Torn || n < 300 || n == 500 {
		t.Fatalf("torn %v, %d received", res.Torn, n)
	}
	equal(t, pcm, lay(80000, laid{0, decode(t, "PCMU", 8000, octets[:n*160])}))
}

func TestHashAndRepeat(t *testing.T) {
	var ps []capture.Packet
	newSender(0, &ps).count(100)
	job := jobFor(t, ps, 3*time.Second, 0)
	first := run(t, job).Tracks[0]
	b, err := os.ReadFile(filepath.Join(job.Dir, first.File))
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != first.SHA256 {
		t.Errorf("hash of the file is %x, told %s", sum, first.SHA256)
	}
	if again := run(t, job).Tracks[0]; !reflect.DeepEqual(again, first) {
		t.Errorf("again: %+v, first %+v", again, first)
	}
}

func TestJobsRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Job)
		want   error
	}{
		{"path as a name", func(j *Job) { j.Tracks[0].File = "../a.wav" }, ErrJob},
		{"folder in a name", func(j *Job) { j.Tracks[0].File = "x/a.wav" }, ErrJob},
		{"no name", func(j *Job) { j.Tracks[0].File = "" }, ErrJob},
		{"the folder itself", func(j *Job) { j.Tracks[0].File = "." }, ErrJob},
		{"name twice", func(j *Job) { j.Tracks = append(j.Tracks, j.Tracks[0]) }, ErrJob},
		{"stream twice", func(j *Job) { j.Streams = append(j.Streams, j.Streams[0]) }, ErrJob},
		{"unknown stream", func(j *Job) { j.Tracks[0].Sources[0].Stream = 9 }, ErrJob},
		{"backwards", func(j *Job) { j.Timeline = Interval{time.Second, 0} }, ErrJob},
		{"no capture", func(j *Job) { j.Capture += "x" }, os.ErrNotExist},
		{"not a capture", func(j *Job) { j.Capture = "track_test.go" }, capture.ErrFormat},
	} {
		t.Run(c.name, func(t *testing.T) {
			var ps []capture.Packet
			newSender(0, &ps).count(10)
			job := jobFor(t, ps, time.Second, 0)
			c.change(&job)
			if _, err := Run(context.Background(), job); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if entries, err := os.ReadDir(job.Dir); err != nil || len(entries) != 0 {
				t.Errorf("left behind: %v, %v", entries, err)
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	var ps []capture.Packet
	newSender(0, &ps).count(10)
	job := jobFor(t, ps, time.Second, 0)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, job); !errors.Is(err, context.Canceled) {
		t.Errorf("run: %v", err)
	}
	if entries, err := os.ReadDir(job.Dir); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// Each rate, packet time and number of channels gives its samples in their places.
func TestRatesAndPacketTimes(t *testing.T) {
	for _, f := range []Format{
		{Name: "PCMU", ClockRate: 8000, Channels: 1}, {Name: "PCMA", ClockRate: 8000, Channels: 1}, {Name: "PCMU", ClockRate: 16000, Channels: 2},
		{Name: "L16", ClockRate: 16000, Channels: 1}, {Name: "L16", ClockRate: 48000, Channels: 1}, {Name: "L16", ClockRate: 48000, Channels: 2}, {Name: "G722", ClockRate: 8000, Channels: 1},
	} {
		for _, ptime := range []int{10, 20, 30, 40, 60} {
			t.Run(fmt.Sprintf("%s %d %d %d", f.Name, f.ClockRate, f.Channels, ptime), func(t *testing.T) {
				d, err := codec.New(f.Name, f.ClockRate, f.Channels, "")
				if err != nil {
					t.Fatal(err)
				}
				f.PayloadType = 96
				var ps []capture.Packet
				s := newSender(0, &ps)
				s.pt, s.clock = 96, f.ClockRate
				step := f.ClockRate * ptime / 1000
				octets := step * f.Channels
				if f.Name == "L16" {
					octets *= 2
				}
				var want []int16
				for i := range 600 / ptime {
					b := counting(i*3, octets)
					if i == 4 { // lost
						s.seq++
						s.skip(time.Duration(ptime) * ms)
						want = append(want, make([]int16, d.Rate()*ptime/1000)...)
						continue
					}
					s.send(b, step)
					want = d.Decode(want, b)
				}
				job := jobFor(t, ps, 600*ms, 0)
				job.Streams[0].Formats = []Format{f}
				res, pcm := track(t, job)
				if res.Tracks[0].Rate != d.Rate() || res.Streams[0].Lost != 1 {
					t.Errorf("%+v", res)
				}
				equal(t, pcm, want)
			})
		}
	}
}
