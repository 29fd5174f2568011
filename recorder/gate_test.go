package recorder

import (
	"testing"
	"time"
)

const ms = time.Millisecond

// packetAt is one packet and what should become of it.
type packetAt struct {
	arrival time.Duration
	ssrc    uint32
	seq     uint16
	ts      uint32
	rate    int
	media   time.Duration // expected
}

// steady returns n packets of 20 ms at 8000 Hz, each arriving delay after it was
// sent; the first was sent at from.
func steady(n int, ssrc uint32, seq uint16, ts uint32, from, delay time.Duration) []packetAt {
	var out []packetAt
	for i := range n {
		sent := from + time.Duration(i)*20*ms
		out = append(out, packetAt{sent + delay, ssrc, seq + uint16(i), ts + uint32(i)*160, 8000, sent + delay})
	}
	return out
}

// Shows 7866-8.1.3-01, 3550-A.1-01.
func TestMediaClock(t *testing.T) {
	join := func(lists ...[]packetAt) []packetAt {
		var out []packetAt
		for _, l := range lists {
			out = append(out, l...)
		}
		return out
	}
	tests := []struct {
		name    string
		packets []packetAt
	}{
		{"the first packet is taken at its arrival", []packetAt{{7 * ms, 1, 1, 99, 8000, 7 * ms}}},
		{"even arrivals", steady(100, 1, 0, 0, 0, 10*ms)},
		{"timestamp wrap", steady(100, 1, 0, 1<<32-160*50, 0, 0)},
		{"sequence wrap", steady(100, 1, 65500, 0, 0, 0)},
		{"a late packet was sent when its timestamp says", join(steady(10, 1, 0, 0, 0, 0),
			[]packetAt{{500 * ms, 1, 10, 1600, 8000, 200 * ms}})},
		{"D falls with the quickest packet", []packetAt{
			{100 * ms, 1, 0, 0, 8000, 100 * ms}, // 100 ms under way
			{120 * ms, 1, 1, 160, 8000, 120 * ms},
			{40 * ms, 1, 2, 320, 8000, 40 * ms}, // at once
			{90 * ms, 1, 3, 480, 8000, 60 * ms},
			{100 * ms, 1, 0, 0, 8000, 0},
		}},
		{"a new SSRC is a new epoch", join(steady(10, 1, 0, 0, 0, 0), steady(10, 2, 500, 77777, 200*ms, 300*ms))},
		{"a straggler of the old SSRC is judged by its own epoch", join(steady(10, 1, 0, 0, 0, 0), steady(5, 2, 500, 77777, 200*ms, 0),
			[]packetAt{{400 * ms, 1, 9, 1440, 8000, 180 * ms}})},
		{"another clock rate is another epoch", join(steady(10, 1, 0, 0, 0, 0),
			[]packetAt{{200 * ms, 1, 10, 1600, 16000, 200 * ms}, {240 * ms, 1, 11, 1920, 16000, 220 * ms}})},
		{"a leap forward is a new epoch", join(steady(10, 1, 0, 0, 0, 0),
			[]packetAt{{200 * ms, 1, 10, 900000, 8000, 200 * ms}, {230 * ms, 1, 11, 900160, 8000, 220 * ms}})},
		{"silence suppression is no jump", join(steady(10, 1, 0, 0, 0, 0),
			[]packetAt{{time.Hour, 1, 10, 3600 * 8000, 8000, time.Hour}})},
		{"a stalled network is no new epoch", join(steady(10, 1, 0, 0, 0, 0),
			[]packetAt{{3000 * ms, 1, 10, 1600, 8000, 200 * ms}, {3001 * ms, 1, 11, 1760, 8000, 220 * ms}, {3002 * ms, 1, 12, 24000, 8000, 3000 * ms}})},
		{"a source that restarts in step with itself is a new epoch at its second packet", join(steady(10, 1, 0, 1_000_000, 0, 0),
			[]packetAt{{200 * ms, 1, 30000, 980_000, 8000, -2500 * ms}, {220 * ms, 1, 30001, 980_160, 8000, 220 * ms}, {240 * ms, 1, 30002, 980_320, 8000, 240 * ms}})},
		{"a duplicate from long ago is no restart", join(steady(60, 1, 0, 0, 0, 0),
			[]packetAt{{1200 * ms, 1, 1, 160, 8000, 20 * ms}, {1201 * ms, 1, 2, 320, 8000, 40 * ms}})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var c mediaClock
			for i, p := range tt.packets {
				got := c.observe(p.ssrc, p.seq, p.ts, p.rate, p.arrival)
				if got.Media != p.media || got.Arrival != p.arrival {
					t.Fatalf("packet %d: media %v, want %v", i, got.Media, p.media)
				}
			}
		})
	}
}

// A clock that stood still while nothing was sent goes on as a new epoch, but
// only once the packets are seen to come at their own pace.
func TestMediaClockStoodStill(t *testing.T) {
	var c mediaClock
	for _, p := range steady(100, 1, 0, 0, 0, 0) {
		c.observe(1, p.seq, p.ts, 8000, p.arrival)
	}
	var first int
	for i, p := range steady(100, 1, 100, 16000, 60*time.Second, 0) {
		if got := c.observe(1, p.seq, p.ts, 8000, p.arrival); got.Media == got.Arrival {
			first = i
			break
		} else if want := 2*time.Second + time.Duration(i)*20*ms; got.Media != want {
			t.Fatalf("packet %d: media %v, want %v", i, got.Media, want)
		}
	}
	if want := 25; first != want {
		t.Errorf("new epoch at packet %d, want %d", first, want)
	}
}

// What D rests on is counted in the epoch, so that no late packet is kept on
// the word of a few.
func TestMediaClockRests(t *testing.T) {
	var c mediaClock
	var last instant
	for _, p := range steady(60, 1, 0, 0, 0, 0) {
		last = c.observe(1, p.seq, p.ts, 8000, p.arrival)
	}
	if last.Rests != 60 {
		t.Errorf("rests on %d, want 60", last.Rests)
	}
	if got := c.observe(2, 0, 0, 8000, 1300*ms); got.Rests != 1 {
		t.Errorf("new SSRC rests on %d, want 1", got.Rests)
	}
	if got := c.observe(1, 60, 5_000_000, 8000, 1320*ms); got.Rests != 1 {
		t.Errorf("after a leap rests on %d, want 1", got.Rests)
	}
}

// The oldest epoch makes room.
func TestMediaClockForgetsTheOldest(t *testing.T) {
	var c mediaClock
	for ssrc := range uint32(epochsKept + 1) {
		c.observe(ssrc+1, 0, 0, 8000, time.Duration(ssrc)*20*ms)
	}
	if got := c.observe(2, 1, 0, 8000, 500*ms); got.Media != 20*ms {
		t.Errorf("kept epoch: media %v, want 20ms", got.Media)
	}
	if got := c.observe(1, 1, 0, 8000, 500*ms); got.Media != 500*ms {
		t.Errorf("forgotten epoch: media %v, want a new one", got.Media)
	}
}

// A sender whose clock is slow is followed, so that its media time stays near the
// truth for hours; one that the network delays for a while is not taken for slow.
func TestMediaClockFollowsASlowClock(t *testing.T) {
	for _, ppm := range []int64{-200, 200} { // above 0: the sender's clock is slow
		var c mediaClock
		var worst time.Duration
		for i := range int64(3 * 3600 * 50) {
			spoken := time.Duration(i) * 20 * ms
			sent := spoken + spoken/1_000_000*time.Duration(ppm)
			delay := 30*ms + time.Duration(i*7919%40)*ms
			got := c.observe(1, uint16(i), uint32(i*160), 8000, sent+delay)
			// Known but for the 30 ms that all packets take.
			if off := (got.Media - sent - 30*ms).Abs(); i > 0 && off > worst {
				worst = off
			}
		}
		if worst > 45*ms { // the first is not the quickest: 40 ms of jitter
			t.Errorf("%d ppm: media time is up to %v off in three hours", ppm, worst)
		}
	}
	var c mediaClock
	for i := range int64(60 * 50) {
		late := time.Duration(0)
		if i > 10*50 {
			late = 300 * ms // a slower way, for 50 s
		}
		at := time.Duration(i) * 20 * ms
		if got := c.observe(1, uint16(i), uint32(i*160), 8000, at+late); got.Media > at+15*ms {
			t.Fatalf("packet sent at %v has media time %v: the network passed for a slow clock", at, got.Media)
		}
	}
}

// What was on hold for an hour under a slow clock is known again soon after.
func TestMediaClockAfterALongHold(t *testing.T) {
	var c mediaClock
	const hold = time.Hour
	observe := func(spoken time.Duration, seq uint16) time.Duration {
		sent := spoken + spoken/10_000 // 100 ppm
		return sent - c.observe(1, seq, uint32(spoken/time.Millisecond*8), 8000, sent).Media
	}
	for i := range 1000 {
		observe(time.Duration(i)*20*ms, uint16(i))
	}
	var off time.Duration
	for i := range 600 {
		off = observe(hold+time.Duration(i)*20*ms, uint16(1000+i))
	}
	if off > 5*ms {
		t.Errorf("12 s after a hold of an hour media time is %v behind", off)
	}
}

func TestMediaClockLongRun(t *testing.T) {
	const rate = 48000
	var c mediaClock
	c.observe(1, 0, 5, rate, 0)
	at := 30 * 24 * time.Hour
	ticks := int64(at/time.Second)*rate + 5
	if got := c.observe(1, 1, uint32(ticks), rate, at); got.Media != at {
		t.Errorf("after 30 days: media %v, want %v", got.Media, at)
	}
}

func TestGate(t *testing.T) {
	type op func(*gate)
	allow := func(at time.Duration) op { return func(g *gate) { g.allow(at) } }
	stop := func(at time.Duration) op { return func(g *gate) { g.stop(at) } }
	end := func(at time.Duration) op { return func(g *gate) { g.end(at) } }
	in := func(arrival, media time.Duration, rests int) instant {
		return instant{Arrival: arrival, Media: media, Rests: rests}
	}
	paused := []op{allow(1000 * ms), stop(2000 * ms), allow(3000 * ms)}
	over := []op{allow(1000 * ms), end(2000 * ms)}
	tests := []struct {
		name string
		ops  []op
		in   instant
		keep bool
	}{
		{"nothing without a permit", nil, in(5, 5, 100), false},
		{"sent before the recording began, which permitted it from there", []op{allow(0)}, in(5*ms, -35*ms, 1), true},
		{"sent before the recording began, which withheld it from there", []op{stop(0), allow(1000 * ms)}, in(1005*ms, -35*ms, 1), false},
		{"before the permit", paused, in(999*ms, 999*ms, 100), false},
		{"first instant", paused, in(1000*ms, 1000*ms, 1), true},
		{"inside", paused, in(1500*ms, 1490*ms, 1), true},
		{"sent before the permit, arrives in it", paused, in(1010*ms, 999*ms, 100), false},
		{"the end is not in it", paused, in(2000*ms, 2000*ms, 100), false},
		{"sent while withheld", paused, in(2500*ms, 2400*ms, 100), false},
		{"sent while withheld, arrives when allowed again", paused, in(3010*ms, 2990*ms, 100), false},
		{"allowed again", paused, in(3010*ms, 3000*ms, 100), true},
		{"late over the end, well known", over, in(2400*ms, 1950*ms, 50), true},
		{"late over the end, 50 packets are needed", over, in(2400*ms, 1950*ms, 49), false},
		{"late over the end by 500 ms", over, in(2499*ms, 1999*ms, 50), true},
		{"late over the end by more", over, in(2500*ms, 1999*ms, 50), false},
		{"sent after the end", over, in(2400*ms, 2000*ms, 50), false},
		{"a pause has no tail: the clock of the sender may be behind", paused, in(2001*ms, 1999*ms, 100), false},
		{"nor has one that was long over when the stream ended", []op{allow(0), stop(1000 * ms), end(2000 * ms)}, in(1001*ms, 999*ms, 100), false},
		{"an end before the permit leaves nothing", []op{allow(1000 * ms), end(500 * ms)}, in(1200*ms, 1200*ms, 100), false},
		{"late over a whole pause", paused, in(3001*ms, 1999*ms, 100), false},
		{"read late, judged by its own instants", paused, in(1990*ms, 1980*ms, 1), true},
		{"a second allow changes nothing", []op{allow(1000 * ms), allow(1500 * ms)}, in(1200*ms, 1200*ms, 1), true},
		{"an allow does not reach before the stop", []op{allow(1000 * ms), stop(2000 * ms), allow(1500 * ms)}, in(1900*ms, 1900*ms, 1), true},
		{"nor into what was withheld", []op{stop(2000 * ms), allow(1500 * ms)}, in(1900*ms, 1900*ms, 1), false},
		{"a stop before the permit leaves nothing", []op{allow(1000 * ms), stop(500 * ms)}, in(1200*ms, 1200*ms, 1), false},
		{"a stop in the past cuts what was permitted", append(paused, stop(1500*ms)), in(1600*ms, 1600*ms, 1), false},
		{"and leaves what was before", append(paused, stop(1500*ms)), in(1400*ms, 1400*ms, 1), true},
		{"and closes what is open", append(paused, stop(1500*ms)), in(4000*ms, 4000*ms, 1), false},
		{"a stop twice", append(paused, stop(4000*ms), stop(5000*ms)), in(4500*ms, 4500*ms, 100), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var g gate
			for _, o := range tt.ops {
				o(&g)
			}
			if got := g.keep(tt.in); got != tt.keep {
				t.Errorf("keep = %v, want %v; spans %v", got, tt.keep, g.spans)
			}
		})
	}
}

// oracle is the gate said as simply as can be: for each millisecond, whether
// audio is permitted.
type oracle struct {
	permitted [4096]bool
	floor     int
	begun     bool
}

func (o *oracle) set(from int, v bool) {
	for i := max(from, 0); i < len(o.permitted); i++ {
		o.permitted[i] = v
	}
}

func (o *oracle) allow(from int) {
	if o.permitted[len(o.permitted)-1] {
		return
	}
	if o.begun {
		from = max(from, o.floor)
	}
	o.set(from, true)
}

func (o *oracle) stop(at int) {
	if !o.begun || at > o.floor {
		o.floor, o.begun = at, true
	}
	o.set(at, false)
}

// FuzzGate feeds a gate with permits, stops and packets in any order and holds
// it to the oracle: a packet is kept if, and only if, audio was permitted from the
// instant it was sent to the instant it arrived.
func FuzzGate(f *testing.F) {
	f.Add([]byte{0, 10, 0, 2, 20, 1, 1, 30, 0, 2, 31, 9, 0, 40, 0, 2, 45, 200})
	f.Add([]byte{1, 0, 0, 0, 0, 0, 2, 0, 0})
	f.Add([]byte{0, 1, 0, 1, 200, 0, 2, 220, 60, 0, 100, 0, 1, 50, 0, 2, 60, 1})
	f.Fuzz(func(t *testing.T, ops []byte) {
		var g gate
		var o oracle
		ops = ops[:min(len(ops), 600)]
		for ; len(ops) >= 3; ops = ops[3:] {
			at, arg := int(ops[1])*10, int(ops[2])
			switch ops[0] % 3 {
			case 0:
				g.allow(time.Duration(at) * ms)
				o.allow(at)
			case 1:
				g.stop(time.Duration(at) * ms)
				o.stop(at)
			case 2:
				in := instant{Arrival: time.Duration(at) * ms, Media: time.Duration(at-4*arg) * ms, Rests: arg}
				want := true
				for i := max(at-4*arg, 0); i <= at; i++ {
					want = want && o.permitted[i]
				}
				if got := g.keep(in); got != want {
					t.Fatalf("keep(%+v) = %v, want %v; spans %v", in, got, want, g.spans)
				}
			}
			for i := 1; i < len(g.spans); i++ {
				if g.spans[i].from < g.spans[i-1].to || g.spans[i].from >= g.spans[i].to {
					t.Fatalf("spans overlap or are empty: %v", g.spans)
				}
			}
		}
	})
}

// FuzzGateWithSender sends packets at known instants through a network that
// delays, reorders and stalls, and holds clock and gate together to the promise:
// once the quickest packet was seen, nothing sent while audio was withheld is
// kept.
func FuzzGateWithSender(f *testing.F) {
	f.Add([]byte{0, 5, 0, 200, 3, 0, 0, 0, 90, 0, 0}, uint8(20), uint32(1<<32-4000))
	f.Add([]byte{255, 255, 255, 0, 0, 0, 255, 1, 2, 3}, uint8(3), uint32(0))
	f.Fuzz(func(t *testing.T, delays []byte, pause uint8, ts uint32) {
		var c mediaClock
		var g gate
		const step = 20 * ms
		type sent struct {
			i             int
			sent, arrival time.Duration
		}
		delays = delays[:min(len(delays), 400)]
		var flight []sent
		for i, d := range delays {
			delay := time.Duration(d) * 16 * ms
			if i == 0 {
				delay = 0 // the quickest
			}
			at := time.Duration(i) * step
			flight = append(flight, sent{i, at, at + delay})
		}
		stop := time.Duration(len(delays)/3) * step
		resume := stop + time.Duration(pause)*step
		withheld := func(at time.Duration) bool { return stop <= at && at < resume }
		g.allow(0)
		g.stop(stop)
		g.allow(resume)
		for tick := time.Duration(0); tick < time.Duration(len(delays))*step+5*time.Second; tick += step {
			for _, p := range flight {
				if p.arrival < tick || p.arrival >= tick+step {
					continue
				}
				in := c.observe(9, uint16(p.i), ts+uint32(p.i)*160, 8000, p.arrival)
				// A network that is late by more than jump for ever cannot be
				// told from a clock that stood still.
				if settled := c.epochs[0].quickAt != 0 || c.epochs[0].quickTS != ts; settled {
					return
				}
				if g.keep(in) && withheld(p.sent) {
					t.Fatalf("kept packet %d sent at %v; withheld from %v to %v", p.i, p.sent, stop, resume)
				}
			}
		}
	})
}

func BenchmarkMediaClockAndGate(b *testing.B) {
	var c mediaClock
	var g gate
	g.allow(0)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		g.keep(c.observe(1, uint16(i), uint32(i)*160, 8000, time.Duration(i)*20*ms))
	}
}
