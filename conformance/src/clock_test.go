package src

import (
	"testing"
	"time"

	"github.com/pion/rtp"
)

// TestTimestampsKeepToTheClock: over plays and pauses of any length the timestamp is
// never behind the clock, never a frame before it, and does not drift.
func TestTimestampsKeepToTheClock(t *testing.T) {
	const ptime, frame = 20 * time.Millisecond, 160
	begin := time.Unix(1000, 0)
	st := &Stream{next: rtp.Header{Timestamp: 4000}}
	now := begin
	for i, pause := range []time.Duration{0, 0, time.Millisecond, 19 * time.Millisecond, 20 * time.Millisecond, 21 * time.Millisecond, time.Second, 333 * time.Millisecond} {
		now = now.Add(pause)
		p := newPlan(PlayOptions{Ptime: ptime, Interval: ptime, Count: 10}, st.next, nil, frame)
		st.begin(p, now)
		ahead := time.Duration(p.state.Timestamp-4000)*time.Second/8000 - now.Sub(begin)
		if (p.state.Timestamp-4000)%frame != 0 || ahead < 0 || ahead >= ptime {
			t.Errorf("play %d begins with timestamp %d, %v before the clock", i, p.state.Timestamp, ahead)
		}
		p.index, p.state.Timestamp = 10, p.state.Timestamp+10*frame
		st.resumeAfter(p, &player{finished: true})
		now = now.Add(10 * ptime)
	}
}

// TestTimestampsAtOnce: what follows at once, before the last frame is over, follows
// without a gap; a timestamp that was asked for is kept.
func TestTimestampsAtOnce(t *testing.T) {
	start := time.Unix(1000, 0)
	st := &Stream{next: rtp.Header{Timestamp: 7}, nextAt: start.Add(19 * time.Millisecond)}
	opt := PlayOptions{Ptime: 20 * time.Millisecond}
	p := newPlan(opt, st.next, nil, 160)
	if st.begin(p, start); p.state.Timestamp != 7 {
		t.Errorf("timestamp %d", p.state.Timestamp)
	}
	wanted := uint32(99)
	opt.Timestamp = &wanted
	p = newPlan(opt, rtp.Header{Timestamp: wanted}, nil, 160)
	if st.begin(p, start.Add(time.Hour)); p.state.Timestamp != 99 {
		t.Errorf("timestamp %d", p.state.Timestamp)
	}
	st.resumeAfter(&plan{}, &player{}) // one that never began
	if st.next.Timestamp != 7 {
		t.Errorf("goes on with timestamp %d", st.next.Timestamp)
	}
}
