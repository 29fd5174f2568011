package render

import (
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/capture"
)

// Known octets are found as known samples in known places.
func TestSampleExact(t *testing.T) {
	for _, c := range []struct {
		name, codec string
		pt          uint8
		seq         uint16
		ts          uint32
		delay       time.Duration
	}{
		{"PCMU", "PCMU", 0, 100, 5000, 0},
		{"PCMA", "PCMA", 8, 100, 5000, 0},
		{"later", "PCMU", 0, 0, 0, 1234567 * time.Microsecond},
		{"off the sample grid", "PCMU", 0, 0, 0, 10*ms + 61*time.Microsecond},
		{"sequence wraps", "PCMU", 0, 65533, 0, 0},
		{"timestamp wraps", "PCMA", 8, 7, 1<<32 - 160*5, 0},
		{"both wrap", "PCMU", 0, 65535, 1<<32 - 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var ps []capture.Packet
			s := newSender(0, &ps)
			s.pt, s.seq, s.ts, s.delay = c.pt, c.seq, c.ts, c.delay
			octets := s.count(50)
			res, pcm := track(t, jobFor(t, ps, 4*time.Second, 0))
			equal(t, pcm, lay(32000, laid{int(ticksNear(c.delay, 8000)), decode(t, c.codec, 8000, octets)}))
			r := res.Streams[0]
			if r.Received != 50 || r.Lost+r.Late+r.Duplicate != 0 || r.Epochs != 1 {
				t.Errorf("%+v", r)
			}
			if r.Codecs[0] != c.codec || r.First != c.delay || r.Last != c.delay+49*20*ms {
				t.Errorf("%+v", r)
			}
		})
	}
}

// Jitter moves nothing: the packet that was fastest places all others.
func TestJitterMovesNothing(t *testing.T) {
	var ps []capture.Packet
	s := newSender(0, &ps)
	var octets []byte
	for i := range 200 {
		s.delay = 40*ms + time.Duration(i*7919%60)*ms // reorders, too
		if i == 150 {
			s.delay = 30 * ms // the fastest comes late
		}
		octets = append(octets, s.count(1)...)
	}
	sortByArrival(ps)
	res, pcm := track(t, jobFor(t, ps, 5*time.Second, 0))
	equal(t, pcm, lay(40000, laid{240, decode(t, "PCMU", 8000, octets)}))
	if r := res.Streams[0]; r.Late == 0 || r.Lost != 0 || r.Epochs != 1 {
		t.Errorf("%+v", r)
	}
}

// Shows 7866-8.2.1.1-03.
func TestDisorder(t *testing.T) {
	for _, c := range []struct {
		name                  string
		shuffle               func([]capture.Packet) []capture.Packet
		lost, late, duplicate uint64
	}{
		{"first two swapped", func(p []capture.Packet) []capture.Packet {
			p[0], p[1] = p[1], p[0]
			return p
		}, 0, 1, 0},
		{"one late by 60", func(p []capture.Packet) []capture.Packet {
			moved := p[10]
			copy(p[10:], p[11:71])
			moved.Arrival = p[69].Arrival // by 1.2 s: no restart of its clock
			p[70] = moved
			return p
		}, 0, 1, 0},
		{"each twice", func(p []capture.Packet) []capture.Packet {
			var out []capture.Packet
			for i := range p {
				out = append(out, p[i], p[i])
			}
			return out
		}, 0, 0, 100},
		{"one again much later", func(p []capture.Packet) []capture.Packet {
			again := p[3]
			again.Arrival = p[80].Arrival
			return append(p[:80:80], append([]capture.Packet{again}, p[80:]...)...)
		}, 0, 0, 1},
		{"backwards in tens", func(p []capture.Packet) []capture.Packet {
			for i := 0; i < 100; i += 10 {
				for k := range 5 {
					p[i+k], p[i+9-k] = p[i+9-k], p[i+k]
				}
			}
			return p
		}, 0, 90, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var ps []capture.Packet
			octets := newSender(0, &ps).count(100)
			for i := range ps {
				ps[i].Arrival += time.Second // so that arrivals may be moved back
			}
			ps = c.shuffle(ps)
			res, pcm := track(t, jobFor(t, ps, 4*time.Second, 0))
			equal(t, pcm, lay(32000, laid{8000, decode(t, "PCMU", 8000, octets)}))
			if r := res.Streams[0]; r.Received != 100 || r.Epochs != 1 || r.Lost != c.lost || r.Late != c.late || r.Duplicate != c.duplicate {
				t.Errorf("%+v", r)
			}
		})
	}
}

// What comes after the window is counted, and its place stays silent.
func TestTooLate(t *testing.T) {
	var ps []capture.Packet
	octets := newSender(0, &ps).count(300)
	late := ps[20]
	late.Arrival = ps[299].Arrival
	ps = append(append(ps[:20:20], ps[21:]...), late)
	res, pcm := track(t, jobFor(t, ps, 6*time.Second, 0))
	want := lay(48000, laid{0, decode(t, "PCMU", 8000, octets)})
	clear(want[20*160 : 21*160])
	equal(t, pcm, want)
	r := res.Streams[0]
	if r.Received != 300 || r.Lost != 1 || r.Late != 1 {
		t.Errorf("%+v", r)
	}
	wantGaps(t, r.Gaps, Gap{Interval{400 * ms, 420 * ms}, CauseLost})
}

// Shows 7866-8.2.1.1-03, 7866-8.2.1.2-03, 7866-8.2.2-03.
func TestLossAndSilenceSuppression(t *testing.T) {
	for _, c := range []struct {
		name string
		act  func(s *sender)
		lost uint64
		gaps []Gap
	}{
		{"three lost", func(s *sender) { s.seq += 3; s.skip(60 * ms) }, 3,
			[]Gap{{Interval{200 * ms, 260 * ms}, CauseLost}}},
		{"silence suppressed", func(s *sender) { s.skip(3 * time.Second) }, 0, nil},
		{"comfort noise", func(s *sender) {
			s.pt = 13
			s.send([]byte{40}, 0)
			s.skip(500 * ms)
			s.send([]byte{41}, 0)
			s.skip(500 * ms)
			s.pt = 0
		}, 0, nil},
		{"comfort noise, one update lost", func(s *sender) {
			s.pt = 13
			s.send([]byte{40}, 0)
			s.seq++
			s.skip(time.Second)
			s.pt = 0
		}, 1, []Gap{{Interval{1180 * ms, 1200 * ms}, CauseLost}}},
		{"numbers without time", func(s *sender) { s.seq += 2 }, 2, nil},
		{"a long outage", func(s *sender) { s.seq += 5000; s.skip(100 * time.Second) }, 5000,
			[]Gap{{Interval{200 * ms, 100200 * ms}, CauseLost}}},
		{"a key was pressed", func(s *sender) {
			s.pt = 101
			at := s.now
			for range 60 { // RFC 4733 §2.5.1.2: the timestamp stands still
				s.send([]byte{1, 10, 0, 0}, 0)
				s.now += 20 * ms
			}
			s.now = at
			s.skip(1200 * ms)
			s.pt = 0
		}, 0, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var ps []capture.Packet
			s := newSender(0, &ps)
			before := s.count(10)
			c.act(s)
			at := int(ticks(s.now, 8000))
			after := s.count(10)
			job := jobFor(t, ps, s.now, 0)
			job.Streams[0].Formats = []Format{{PayloadType: 101, Name: "telephone-event", ClockRate: 8000}}
			res, pcm := track(t, job)
			equal(t, pcm, lay(at+1600,
				laid{0, decode(t, "PCMU", 8000, before)}, laid{at, decode(t, "PCMU", 8000, after)}))
			r := res.Streams[0]
			if r.Lost != c.lost || r.Epochs != 1 || len(r.Undecoded) != 0 {
				t.Errorf("%+v", r)
			}
			wantGaps(t, r.Gaps, c.gaps...)
		})
	}
}

// Shows 3550-A.1-01.
func TestEpochs(t *testing.T) {
	for _, c := range []struct {
		name   string
		act    func(s *sender)
		at     int // of what comes after, in samples
		epochs int
	}{
		{"new SSRC", func(s *sender) { s.ssrc, s.seq, s.ts = 7, 9, 1e9 }, 1600, 2},
		{"new SSRC after a second", func(s *sender) { s.ssrc, s.seq, s.ts, s.now = 7, 9, 1e9, s.now+time.Second }, 9600, 2},
		{"new SSRC that is faster", func(s *sender) { s.ssrc, s.seq, s.ts, s.delay = 7, 9, 1e9, 10*ms }, 1600, 2},
		{"same SSRC restarts", func(s *sender) { s.seq, s.ts = 40000, 77 }, 1600, 2},
		{"timestamp restarts", func(s *sender) { s.ts = 3e9 }, 1600, 2},
		{"clock stood still for 5 s", func(s *sender) { s.now += 5 * time.Second }, 41600, 2},
		{"sequence restarts alone", func(s *sender) { s.seq = 40000 }, 1600, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var ps []capture.Packet
			s := newSender(0, &ps)
			s.delay = 50 * ms
			before := s.count(10)
			c.act(s)
			after := s.count(10)
			res, pcm := track(t, jobFor(t, ps, 6*time.Second, 0))
			equal(t, pcm, lay(48000, laid{400, decode(t, "PCMU", 8000, before)},
				laid{400 + c.at, decode(t, "PCMU", 8000, after)}))
			if r := res.Streams[0]; r.Epochs != c.epochs || r.Lost != 0 || r.Received != 20 {
				t.Errorf("%+v", r)
			}
		})
	}
}

// The network stands still for 3 s and then gives everything at once.
func TestStallIsNoRestart(t *testing.T) {
	var ps []capture.Packet
	s := newSender(0, &ps)
	octets := s.count(500)
	for i := range ps {
		if a := &ps[i].Arrival; *a >= 4*time.Second && *a < 7*time.Second {
			*a = 7*time.Second + time.Duration(i)*100*time.Microsecond
		}
	}
	res, pcm := track(t, jobFor(t, ps, 10*time.Second, 0))
	equal(t, pcm, decode(t, "PCMU", 8000, octets))
	if r := res.Streams[0]; r.Epochs != 1 || r.Lost != 0 || len(r.Gaps) != 0 {
		t.Errorf("%+v", r)
	}
}

// A source that is late for a while, in several steps, was not restarted: when it
// is in time again, all lies where its timestamps say.
func TestLateForAWhile(t *testing.T) {
	var ps []capture.Packet
	s := newSender(0, &ps)
	octets := s.count(1500)
	for i := range ps {
		switch a := &ps[i].Arrival; {
		case *a >= 8*time.Second && *a < 12*time.Second:
			*a += 700 * ms
		case *a >= 12*time.Second && *a < 16*time.Second:
			*a += 1400 * ms
		}
	}
	for i := len(ps) - 2; i >= 0; i-- { // packets of one path come in order
		ps[i].Arrival = min(ps[i].Arrival, ps[i+1].Arrival)
	}
	res, pcm := track(t, jobFor(t, ps, 30*time.Second, 0))
	equal(t, pcm, decode(t, "PCMU", 8000, octets))
	if r := res.Streams[0]; r.Epochs != 1 || r.Lost != 0 {
		t.Errorf("%+v", r)
	}
}

// One that never comes back in time had a clock that stood still.
func TestLateForEver(t *testing.T) {
	var ps []capture.Packet
	octets := newSender(0, &ps).count(1000)
	for i := range ps[500:] {
		ps[500+i].Arrival += 3 * time.Second
	}
	res, pcm := track(t, jobFor(t, ps, 23*time.Second, 0))
	all := decode(t, "PCMU", 8000, octets)
	equal(t, pcm, lay(23*8000, laid{0, all[:80000]}, laid{13 * 8000, all[80000:]}))
	if r := res.Streams[0]; r.Epochs != 2 {
		t.Errorf("%d epochs, want 2", r.Epochs)
	}
}

// One packet that fits nowhere is left out and disturbs nothing.
func TestStray(t *testing.T) {
	var ps []capture.Packet
	octets := newSender(0, &ps).count(100)
	odd := capture.Packet{Stream: 0, SSRC: ps[0].SSRC, Sequence: 50000, Timestamp: 3e9,
		Arrival: ps[50].Arrival, Payload: counting(0, 160)}
	ps = append(ps[:50:50], append([]capture.Packet{odd}, ps[50:]...)...)
	res, pcm := track(t, jobFor(t, ps, 2*time.Second, 0))
	equal(t, pcm, decode(t, "PCMU", 8000, octets))
	if r := res.Streams[0]; r.Epochs != 1 || r.Lost != 0 || r.Received != 101 {
		t.Errorf("%+v", r)
	}
}

// Two SSRCs that are live at the same time on one stream are both heard.
func TestTwoLiveSources(t *testing.T) {
	var ps []capture.Packet
	one, two := newSender(0, &ps), newSender(0, &ps)
	two.ssrc, two.pt, two.ts = 99, 8, 77
	var a, b []byte
	for range 100 {
		a, b = append(a, one.count(1)...), append(b, two.count(1)...)
	}
	res, pcm := track(t, jobFor(t, ps, 2*time.Second, 0))
	want := decode(t, "PCMU", 8000, a)
	mix(want, decode(t, "PCMA", 8000, b))
	equal(t, pcm, want)
	if r := res.Streams[0]; r.Epochs != 2 || r.Lost != 0 {
		t.Errorf("%+v", r)
	}
}

// Of packets of one source that overlap, the earlier counts.
func TestOverlapWithinSource(t *testing.T) {
	var ps []capture.Packet
	s := newSender(0, &ps)
	a := s.count(10)
	s.ts, s.now = s.ts-80, s.now-10*ms
	b := s.count(10)
	_, pcm := track(t, jobFor(t, ps, 390*ms, 0))
	equal(t, pcm, append(decode(t, "PCMU", 8000, a), decode(t, "PCMU", 8000, b[80:])...))
}
