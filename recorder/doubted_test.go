package recorder

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestDoubted holds a stream for a minute, or stalls its network, and looks at
// what is kept once packets come again.
func TestDoubted(t *testing.T) {
	const before, hold = 60, 60 * time.Second // packets of 20 ms
	resumed := before*20*ms + hold
	// One packet after the hold: when it comes, which number and RTP time it has.
	type late struct {
		at  time.Duration
		seq uint16
		ts  uint32
	}
	steadily := func(n int, ts uint32) (out []late) {
		for i := range n {
			out = append(out, late{resumed + time.Duration(i)*20*ms, uint16(before + i), ts + uint32(i)*160})
		}
		return out
	}
	stood := uint32(before * 160)                                 // the clock stood still
	went := stood + uint32(hold/time.Second)*8000                 // it went on
	flush := func(n int, every time.Duration, ts uint32) []late { // a stalled network lets go
		out := steadily(n, ts)
		for i := range out {
			out[i].at = resumed + time.Duration(i)*every
		}
		return out
	}
	jittered := func(out []late) []late {
		for i := range out {
			out[i].at += time.Duration(i*7%4) * 6 * ms
		}
		return out
	}
	for _, tt := range []struct {
		name string
		sent []late
		keep []int // of sent
		stop int   // before this one comes; 0 for never
	}{
		{"the clock went on", steadily(60, went), numbers(0, 60), 0},
		{"the clock stood still", steadily(60, stood), numbers(0, 60), 0},
		{"the clock stood still, on a bad network", jittered(steadily(60, stood)), numbers(0, 60), 0},
		{"what the network held back over the hold, at once", slices.Concat(flush(40, ms, went-8000*5), steadily(60, went)[40:]), numbers(40, 60), 0},
		{"what the network held back over the hold, slowly", flush(40, 15*ms, went-8000*50), nil, 0},
		{"the clock stood still, and the hold comes again before that is clear", steadily(20, stood), nil, 10},
		{"the clock stood still, and the recording ends before that is clear", steadily(20, stood), nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out := &kept{}
			tr := newTrack("r", "s", 0, t0, out)
			if err := tr.Allow(permitFor(t, "r", "s", t0), 0); err != nil {
				t.Fatal(err)
			}
			for i := range before {
				tr.WriteRTP(packet(uint16(i), uint32(i)*160, 0, time.Duration(i)*20*ms, "before"))
			}
			tr.Stop("r", t0.Add(before*20*ms))
			if err := tr.Allow(permitFor(t, "r", "s", t0.Add(resumed)), 0); err != nil {
				t.Fatal(err)
			}
			for i, p := range tt.sent {
				if i == tt.stop && i > 0 {
					tr.Stop("r", t0.Add(p.at))
				}
				tr.WriteRTP(packet(p.seq, p.ts, 0, p.at, fmt.Sprint(i)))
			}
			tr.close()
			var got []int
			for _, p := range out.packets[before:] {
				var n int
				if _, err := fmt.Sscan(string(p.Payload), &n); err != nil {
					t.Fatal(err)
				}
				got = append(got, n)
			}
			if !slices.Equal(got, tt.keep) {
				t.Errorf("kept %v, want %v", got, tt.keep)
			}
			c := tr.count("r")
			if c.Received != uint64(before+len(tt.sent)) || c.Withheld != uint64(len(tt.sent)-len(got)) || len(tr.ways[0].doubted.list) != 0 {
				t.Errorf("counts %+v, %d wait", c, len(tr.ways[0].doubted.list))
			}
		})
	}
}

// numbers counts from one number to another.
func numbers(from, to int) (out []int) {
	for i := from; i < to; i++ {
		out = append(out, i)
	}
	return out
}

// What is wiped is gone from memory, and what waits is bounded.
func TestDoubtedIsWiped(t *testing.T) {
	out := &kept{}
	tr := newTrack("r", "s", 0, t0, out)
	if err := tr.Allow(permitFor(t, "r", "s", t0.Add(time.Hour)), 0); err != nil {
		t.Fatal(err)
	}
	tr.WriteRTP(packet(0, 1_000_000_000, 0, time.Hour-ms, "x"))
	for i := range 3 * doubtedKept {
		// Each at the same instant: nothing settles.
		tr.WriteRTP(packet(uint16(i), uint32(i), 0, time.Hour, "marker"))
	}
	if n := len(tr.ways[0].doubted.list); n != doubtedKept {
		t.Fatalf("%d wait, want %d", n, doubtedKept)
	}
	held := tr.ways[0].doubted.list
	tr.Stop("r", t0.Add(2*time.Hour))
	for _, p := range held {
		if strings.Trim(string(p.Payload), "\x00") != "" {
			t.Fatalf("%q is left in memory", p.Payload)
		}
	}
	if len(out.packets) != 0 {
		t.Errorf("kept %d packets", len(out.packets))
	}
}
