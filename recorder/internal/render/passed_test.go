package render

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/capture"
)

// pass sends n packets that are not kept, one every 20 ms from now on, under an RTP time
// that stands still.
func (s *sender) pass(n int) {
	for range n {
		*s.out = append(*s.out, capture.NewPassed(s.stream, s.now+s.delay, s.ssrc, s.seq))
		s.seq++
		s.skip(20 * ms)
	}
}

// miss sends n packets of 20 ms that do not arrive, or that a pause withholds.
func (s *sender) miss(n int) {
	s.seq += uint16(n)
	s.skip(time.Duration(n) * 20 * ms)
}

// What came and is not kept is not lost, nor is what was withheld beside it; what did not
// come is, before, among and after it.
func TestPassed(t *testing.T) {
	lost := func(from, to time.Duration) Gap { return Gap{Interval{from, to}, CauseLost} }
	for _, c := range []struct {
		name     string
		act      func(s *sender) // between 200 ms of audio and 200 ms more
		withheld []Interval
		lost     uint64
		gaps     []Gap
	}{
		{"all came", func(s *sender) { s.pass(50) }, nil, 0, nil},
		{"out of order", func(s *sender) {
			s.pass(50)
			a := *s.out
			a[30].Sequence, a[31].Sequence = a[31].Sequence, a[30].Sequence
		}, nil, 0, nil},
		{"twice", func(s *sender) {
			s.pass(25)
			*s.out = append(*s.out, (*s.out)[len(*s.out)-1])
		}, nil, 0, nil},
		{"one missing before", func(s *sender) { s.miss(1); s.pass(20) }, nil, 1, []Gap{lost(200*ms, 220*ms)}},
		{"one missing among them", func(s *sender) { s.pass(10); s.miss(1); s.pass(10) }, nil, 1, []Gap{lost(400*ms, 420*ms)}},
		{"one missing after", func(s *sender) { s.pass(20); s.miss(1) }, nil, 1, []Gap{lost(600*ms, 620*ms)}},
		{"three, each elsewhere", func(s *sender) { s.miss(1); s.pass(10); s.miss(1); s.pass(10); s.miss(1) }, nil, 3,
			[]Gap{lost(200*ms, 220*ms), lost(420*ms, 440*ms), lost(640*ms, 660*ms)}},
		{"a pause while it goes on", func(s *sender) { s.pass(50); s.miss(100); s.pass(50) }, []Interval{{1200 * ms, 3200 * ms}}, 0,
			[]Gap{{Interval{1200 * ms, 3200 * ms}, CauseWithheld}}},
		{"a pause in which it began", func(s *sender) { s.miss(100); s.pass(50) }, []Interval{{200 * ms, 2200 * ms}}, 0,
			[]Gap{{Interval{200 * ms, 2200 * ms}, CauseWithheld}}},
		{"a pause in which it ended", func(s *sender) { s.pass(50); s.miss(100) }, []Interval{{1200 * ms, 3200 * ms}}, 0,
			[]Gap{{Interval{1200 * ms, 3200 * ms}, CauseWithheld}}},
		{"a pause, and one missing later", func(s *sender) { s.pass(50); s.miss(100); s.pass(50); s.miss(1); s.pass(50) },
			[]Interval{{1200 * ms, 3200 * ms}}, 1, []Gap{{Interval{1200 * ms, 3200 * ms}, CauseWithheld}, lost(4200*ms, 4220*ms)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var ps []capture.Packet
			s := newSender(0, &ps)
			before := s.count(10)
			c.act(s)
			at := int(ticks(s.now, 8000))
			after := s.count(10)
			job := jobFor(t, ps, s.now, 0)
			job.Streams[0].Permitted = subtract(job.Streams[0].Permitted, c.withheld)
			res, pcm := track(t, job)
			equal(t, pcm, lay(at+1600, laid{0, decode(t, "PCMU", 8000, before)}, laid{at, decode(t, "PCMU", 8000, after)}))
			r := res.Streams[0]
			if r.Received != 20 || r.Lost != c.lost || r.Late != 0 || r.Duplicate != 0 || r.Epochs != 1 || len(r.Codecs) != 1 {
				t.Errorf("%+v", r)
			}
			wantGaps(t, r.Gaps, c.gaps...)
		})
	}
}

// The end of a stream that is not kept is no loss, and what is missing in it is; what comes
// before its first packet that is kept, or of another source, makes no stream.
func TestPassedAtTheEdges(t *testing.T) {
	var ps []capture.Packet
	s := newSender(0, &ps)
	s.pass(10)
	s.miss(5) // before the first that is kept: nobody knows whether it was sent
	s.count(10)
	s.pass(10)
	s.miss(2)
	s.pass(3)
	s.ssrc = 77
	s.pass(10)
	res, _ := track(t, jobFor(t, ps, s.now, 0))
	if r := res.Streams[0]; r.Received != 10 || r.Lost != 2 || r.Epochs != 1 || r.First != 300*ms {
		t.Errorf("%+v", r)
	}
}

// Packets that are kept and not heard, of redundant audio that the answer left out, of a
// payload type that was never announced, and of comfort noise, are not lost either; what
// is missing among them is.
func TestNotHeardIsNotLost(t *testing.T) {
	for _, c := range []struct {
		name      string
		pt        uint8
		payload   string
		undecoded string
	}{
		{"redundant audio", 121, "\x80\x05\x00\x0a\x00" + strings.Repeat("s", 170), "RED"},
		{"never announced", 77, strings.Repeat("u", 160), "PT 77"},
		{"comfort noise", 13, "\x28", ""},
	} {
		for missing := range 3 {
			t.Run(fmt.Sprintf("%s, %d missing", c.name, missing), func(t *testing.T) {
				var ps []capture.Packet
				s := newSender(0, &ps)
				s.count(10)
				s.pt = c.pt
				for i := range 20 {
					if i == 10 {
						s.miss(missing)
					}
					s.send([]byte(c.payload), 160)
				}
				s.pt = 0
				s.count(10)
				job := jobFor(t, ps, s.now, 0)
				job.Streams[0].Formats = []Format{{PayloadType: 121, Name: "red", ClockRate: 8000}}
				res, _ := track(t, job)
				r := res.Streams[0]
				if r.Received != 40 || r.Lost != uint64(missing) || strings.Join(r.Undecoded, " ") != c.undecoded {
					t.Errorf("%+v", r)
				}
			})
		}
	}
}
