package render

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/capture"
)

// drifting is an hour of a sender whose seconds last 1+rate seconds, over a network
// that adds up to jitter. Each minute begins with a packet of full scale, whose
// instants are given; the last second of every quietEvery is silent.
func drifting(rate float64, jitter time.Duration, length time.Duration, quietEvery int) (ps []capture.Packet, marks []time.Duration) {
	voice, mark, hush := make([]byte, 160), make([]byte, 160), make([]byte, 160)
	for i := range voice {
		voice[i], mark[i], hush[i] = 0x40, 0x00, 0xff
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range int(length / (20 * ms)) {
		sent := time.Duration(float64(i) * float64(20*ms) * (1 + rate))
		p := capture.Packet{SSRC: 5, Sequence: uint16(i), Timestamp: uint32(i) * 160, Arrival: sent, Payload: voice}
		if jitter > 0 {
			p.Arrival += time.Duration(random.Int64N(int64(jitter)))
		}
		second := i / 50
		switch {
		case i%3000 == 0:
			p.Payload, marks = mark, append(marks, sent)
		case quietEvery > 0 && second%quietEvery == quietEvery-1:
			p.Payload = hush
		}
		ps = append(ps, p)
	}
	sortByArrival(ps)
	return ps, marks
}

// Over an hour each packet stays within 20 ms of its instant, whichever way the clock
// drifts and whatever the network adds, and corrections are made in silence where
// there is some.
func TestDrift(t *testing.T) {
	for _, tt := range []struct {
		ppm    float64
		jitter time.Duration
		quiet  int
		length time.Duration
	}{
		{200, 0, 0, time.Hour}, {-200, 500 * ms, 5, time.Hour},
		{-200, 0, 0, 10 * time.Minute}, {200, 60 * ms, 5, 10 * time.Minute}, {50, 20 * ms, 10, 20 * time.Minute}, {-30, 20 * ms, 0, 20 * time.Minute},
	} {
		t.Run(fmt.Sprint(tt.ppm, tt.jitter, tt.quiet), func(t *testing.T) {
			if testing.Short() && tt.length > 10*time.Minute {
				t.Skip("short: one goroutine does it all")
			}
			rate := tt.ppm * 1e-6
			ps, marks := drifting(rate, tt.jitter, tt.length, tt.quiet)
			job := jobFor(t, ps, tt.length+2*time.Second, 0)
			res, err := Run(t.Context(), job)
			if err != nil {
				t.Fatal(err)
			}
			pcm := quickly(t, filepath.Join(job.Dir, "a.wav"))
			r := res.Streams[0]
			if off := r.Drift*1e6 - tt.ppm; off > 5 || off < -5 {
				t.Errorf("drift of %.1f ppm found", r.Drift*1e6)
			}
			at, worst := 0, time.Duration(0)
			for _, want := range marks {
				for ; at < len(pcm) && pcm[at] > -30000; at++ {
				}
				off := span(int64(at), 8000) - want
				worst = max(worst, off, -off)
				at += 800
			}
			if worst > 20*ms+tt.jitter/100 {
				t.Errorf("a mark is %v away", worst)
			}
			total := time.Duration(0)
			for _, c := range r.Corrections {
				total += c.By
				if second := int(c.At / time.Second); tt.quiet > 0 && second%tt.quiet != tt.quiet-1 && (second+1)%tt.quiet != tt.quiet-1 && second%tt.quiet != 0 {
					t.Errorf("corrected by %v at %v, where there is speech", c.By, c.At)
				}
			}
			whole := seconds(rate * tt.length.Seconds())
			if d := total - whole; d > 20*ms || d < -20*ms || len(r.Corrections) == 0 {
				t.Errorf("%d corrections of %v, the drift is %v", len(r.Corrections), total, whole)
			}
			t.Logf("at most %v away, %d corrections, %.1f ppm", worst, len(r.Corrections), r.Drift*1e6)
		})
	}
}

// quickly reads a file: an hour of samples is long for a reader that is not ours.
func quickly(t *testing.T, path string) []int16 {
	t.Helper()
	r, err := openWAV(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	pcm, err := r.read(nil, int(r.samples))
	if err != nil {
		t.Fatal(err)
	}
	return pcm
}

// Without a drift that comes to 20 ms nothing is changed by a sample, whatever the
// network does: jitter, a route that is longer for a while or from then on.
func TestNoDriftNoChange(t *testing.T) {
	if testing.Short() {
		t.Skip("short: one goroutine does it all")
	}
	for name, delay := range map[string]func(i int) time.Duration{
		"still":          func(int) time.Duration { return 0 },
		"jitter":         func(i int) time.Duration { return time.Duration(i*7919%400) * ms },
		"longer a while": func(i int) time.Duration { return time.Duration(min(1, i/8000%2)) * 55 * ms },
		"longer since":   func(i int) time.Duration { return time.Duration(i/14000) * 60 * ms },
		"slightly":       func(i int) time.Duration { return time.Duration(i) * 20 * ms / 40000 }, // 10 ms in all
	} {
		t.Run(name, func(t *testing.T) {
			var ps []capture.Packet
			s := newSender(0, &ps)
			octets := s.count(20000) // 400 s
			for i := range ps {
				ps[i].Arrival += delay(i)
			}
			sortByArrival(ps)
			job := jobFor(t, ps, 401*time.Second, 0)
			res := run(t, job)
			pcm := quickly(t, filepath.Join(job.Dir, "a.wav"))
			if r := res.Streams[0]; r.Drift != 0 || len(r.Corrections) != 0 {
				t.Errorf("drift %.1f ppm, corrections %v", r.Drift*1e6, r.Corrections)
			}
			equal(t, pcm[:len(octets)], decode(t, "PCMU", 8000, octets))
		})
	}
}

// A drift is found through an epoch that was joined, and moves what is in the files
// at a raised rate too.
func TestDriftAtARaisedRate(t *testing.T) {
	if testing.Short() {
		t.Skip("short: one goroutine does it all")
	}
	ps, marks := drifting(400e-6, 0, 10*time.Minute, 0)
	last := len(ps) - 1
	for i := 20000; i < len(ps); i++ { // numbers begin anew: a restart on paper only
		ps[i].Sequence += 31000
	}
	ps[last].PayloadType, ps[last].Payload = 96, make([]byte, 640)
	job := jobFor(t, ps, 10*time.Minute+time.Second, 0)
	job.Streams[0].Formats = []Format{{PayloadType: 96, Name: "L16", ClockRate: 8000, Channels: 2}, {PayloadType: 97, Name: "L16", ClockRate: 16000, Channels: 1}}
	ps[last].PayloadType = 97
	job.Capture = writeCapture(t, ps)
	res := run(t, job)
	pcm := quickly(t, filepath.Join(job.Dir, "a.wav"))
	if res.Tracks[0].Rate != 16000 || res.Streams[0].Epochs > 2 {
		t.Fatalf("%+v", res)
	}
	at := 0
	for _, want := range marks {
		for ; at < len(pcm) && pcm[at] > -30000; at++ {
		}
		if off := span(int64(at), 16000) - want; off > 20*ms || off < -20*ms {
			t.Errorf("the mark of %v is %v away", want, off)
		}
		at += 1600
	}
}
