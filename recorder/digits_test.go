package recorder

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/siprecd/siprecd/siprec"
	"github.com/siprecd/siprecd/siprec/media"
)

// eventCodecs are what the offers of these tests name.
func eventCodecs() []siprec.Codec {
	return []siprec.Codec{
		{PayloadType: 0, Name: "PCMU", ClockRate: 8000, Channels: 1}, {PayloadType: 101, Name: "telephone-event", ClockRate: 8000},
		{PayloadType: 102, Name: "tone", ClockRate: 8000},
	}
}

// told is one packet of an event: its code, whether the end, and its duration in ticks.
func toldBy(code uint8, end bool, ticks uint16) []byte {
	b := []byte{code, 10, 0, 0}
	if end {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], ticks)
	return b
}

// A pressing sends what a telephone does: audio, and events in its place.
type pressing struct {
	track *Track
	out   *kept
	seq   uint16
}

// newPressing has a permit from the beginning on.
func newPressing(t *testing.T) *pressing {
	t.Helper()
	out := &kept{}
	tr := newTrack("r", "s", 3, t0, out)
	tr.announce(eventCodecs())
	p := &pressing{track: tr, out: out}
	p.allow(t, 0)
	tr.keepDigits("r", true)
	return p
}

func (p *pressing) allow(t testing.TB, at time.Duration) {
	t.Helper()
	if err := p.track.Allow(permitFor(t, "r", "s", t0.Add(at)), 1); err != nil {
		t.Fatal(err)
	}
}

func (p *pressing) stop(at time.Duration) { p.track.Stop("r", t0.Add(at)) }

// packet sends one, whose RTP time is that of an instant, and that arrives at another.
func (p *pressing) packet(pt uint8, sent, arrival time.Duration, payload []byte) {
	p.track.WriteRTP(&media.Packet{
		Header:  &rtp.Header{Version: 2, PayloadType: pt, SequenceNumber: p.seq, Timestamp: uint32(sent / time.Millisecond * 8), SSRC: 7},
		Payload: payload, Arrival: t0.Add(arrival),
	})
	p.seq++
}

// talk sends audio from an instant to another.
func (p *pressing) talk(from, to time.Duration) {
	for at := from; at < to; at += 20 * ms {
		p.packet(0, at, at, []byte(tone))
	}
}

// press sends a digit that is pressed from an instant on for a time, and its end twice
// more, the last time 40 ms later. Each packet arrives at the time it tells of.
func (p *pressing) press(code uint8, from, lasts time.Duration) {
	for at := 20 * ms; at < lasts; at += 40 * ms {
		p.packet(101, from, from+at, toldBy(code, false, uint16(at/time.Millisecond*8)))
	}
	for i := range 3 {
		p.packet(101, from, from+lasts+time.Duration(i)*20*ms, toldBy(code, true, uint16(lasts/time.Millisecond*8)))
	}
}

// digits are those that the keeper has, with from when to when.
func (k *kept) digits() (out []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, p := range k.packets {
		if d, ok := p.Digit(); ok {
			from := p.Arrival - d.Before
			out = append(out, fmt.Sprintf("%s %v+%v", digitName(d.Event), from, d.Duration))
		}
	}
	return out
}

func TestTrackDigits(t *testing.T) {
	five := []string{"5 1s+100ms"}
	for _, tt := range []struct {
		name string
		act  func(t *testing.T, p *pressing)
		want []string
	}{
		{"permitted", func(_ *testing.T, p *pressing) { p.press(5, time.Second, 100*ms) }, five},
		{"two at once", func(_ *testing.T, p *pressing) {
			p.press(5, time.Second, 100*ms)
			p.press(11, 1200*ms, 60*ms)
		}, []string{"5 1s+100ms", "# 1.2s+60ms"}},
		{"not said by the policy", func(_ *testing.T, p *pressing) {
			p.track.keepDigits("r", false)
			p.press(5, time.Second, 100*ms)
		}, nil},
		{"not said any more while it is pressed", func(_ *testing.T, p *pressing) {
			p.packet(101, time.Second, 1040*ms, toldBy(5, false, 160))
			p.track.keepDigits("r", false)
			p.track.keepDigits("r", true)
			p.press(5, time.Second, 100*ms)
		}, nil},
		{"said while it is pressed", func(_ *testing.T, p *pressing) {
			p.track.keepDigits("r", false)
			p.packet(101, time.Second, 1040*ms, toldBy(5, false, 160))
			p.track.keepDigits("r", true)
			p.press(5, time.Second, 100*ms)
		}, nil},
		{"while audio is withheld", func(t *testing.T, p *pressing) {
			p.stop(900 * ms)
			p.press(5, time.Second, 100*ms)
			p.allow(t, 1300*ms)
		}, nil},
		{"its end comes while audio is withheld", func(t *testing.T, p *pressing) {
			p.packet(101, time.Second, 1040*ms, toldBy(5, false, 160))
			p.stop(1050 * ms)
			p.press(5, time.Second, 100*ms)
			p.allow(t, 1300*ms)
		}, nil},
		{"its middle comes while audio is withheld", func(t *testing.T, p *pressing) {
			p.packet(101, time.Second, 1040*ms, toldBy(5, false, 160))
			p.stop(1050 * ms)
			p.packet(101, time.Second, 1060*ms, toldBy(5, false, 320))
			p.allow(t, 1070*ms)
			p.packet(101, time.Second, 1120*ms, toldBy(5, true, 800))
		}, nil},
		{"it begins while audio is withheld", func(t *testing.T, p *pressing) {
			p.stop(900 * ms)
			p.packet(101, time.Second, 1040*ms, toldBy(5, false, 160))
			p.allow(t, 1050*ms)
			p.press(5, time.Second, 100*ms)
		}, nil},
		{"pressed while audio is withheld, and its first packets are lost", func(t *testing.T, p *pressing) {
			p.stop(900 * ms)
			p.allow(t, 1050*ms)
			p.packet(101, time.Second, 1120*ms, toldBy(5, true, 800))
		}, nil},
		{"pressed then, and the network keeps it back", func(t *testing.T, p *pressing) {
			p.stop(900 * ms)
			p.allow(t, 1500*ms)
			p.packet(101, time.Second, 3*time.Second, toldBy(5, true, 800))
		}, nil},
		{"its audio is withheld back to before it", func(_ *testing.T, p *pressing) {
			p.press(5, time.Second, 100*ms)
			p.talk(1200*ms, 3*time.Second)
			p.stop(900 * ms)
		}, nil},
		{"back to its middle", func(_ *testing.T, p *pressing) {
			p.press(5, time.Second, 100*ms)
			p.talk(1200*ms, 3*time.Second)
			p.stop(1100 * ms)
		}, nil},
		{"back to after it", func(_ *testing.T, p *pressing) {
			p.press(5, time.Second, 100*ms)
			p.talk(1200*ms, 3*time.Second)
			p.stop(1141 * ms)
		}, five},
		{"withheld while its end may come again", func(_ *testing.T, p *pressing) {
			p.press(5, time.Second, 100*ms)
			p.stop(1300 * ms)
		}, nil},
		{"withheld when its end comes no more", func(_ *testing.T, p *pressing) {
			p.press(5, time.Second, 100*ms)
			p.stop(1360 * ms)
		}, five},
		{"withheld while it is pressed, as far as is known", func(_ *testing.T, p *pressing) {
			p.packet(101, time.Second, 1120*ms, toldBy(5, false, 800))
			p.stop(5 * time.Second)
		}, nil},
		{"the stream ends while it is pressed", func(_ *testing.T, p *pressing) {
			p.packet(101, time.Second, 1120*ms, toldBy(5, false, 800))
			p.track.End("r", t0.Add(1130*ms))
			p.packet(101, time.Second, 1140*ms, toldBy(5, false, 960))
		}, nil},
		{"the stream ends while it is pressed, told after that", func(_ *testing.T, p *pressing) {
			p.packet(101, time.Second, 1120*ms, toldBy(5, false, 800))
			p.packet(101, time.Second, 1140*ms, toldBy(5, false, 960))
			p.track.End("r", t0.Add(1130*ms))
		}, nil},
		{"the stream ends and its end is lost", func(_ *testing.T, p *pressing) {
			p.packet(101, time.Second, 1120*ms, toldBy(5, false, 800))
			p.track.End("r", t0.Add(1300*ms))
		}, five},
		{"the stream ends, its end is lost, and a pause is told late", func(_ *testing.T, p *pressing) {
			p.packet(101, time.Second, 1120*ms, toldBy(5, false, 800))
			p.track.End("r", t0.Add(1300*ms))
			p.stop(1200 * ms)
		}, nil},
		{"the end is lost and the track is closed", func(_ *testing.T, p *pressing) {
			p.packet(101, time.Second, 1120*ms, toldBy(5, false, 800))
		}, five},
		{"the stream ends just after it", func(_ *testing.T, p *pressing) {
			p.packet(101, time.Second, 1120*ms, toldBy(5, true, 800))
			p.track.End("r", t0.Add(1130*ms))
			p.packet(101, time.Second, 1140*ms, toldBy(5, true, 800))
		}, five},
		{"the end is lost and another digit follows", func(_ *testing.T, p *pressing) {
			p.packet(101, time.Second, 1120*ms, toldBy(5, false, 800))
			p.press(6, 1500*ms, 40*ms)
		}, []string{"5 1s+100ms", "6 1.5s+40ms"}},
		{"the end is lost and only audio follows", func(_ *testing.T, p *pressing) {
			p.packet(101, time.Second, 1120*ms, toldBy(5, false, 800))
			p.talk(1120*ms, 11*time.Second)
			p.stop(11 * time.Second)
		}, five},
		{"a copy that is late is of none that follows", func(_ *testing.T, p *pressing) {
			p.press(5, time.Second, 100*ms)
			p.packet(101, 1500*ms, 1540*ms, toldBy(6, false, 160))
			p.packet(101, time.Second, 1541*ms, toldBy(5, true, 800))
			p.packet(101, 1500*ms, 1580*ms, toldBy(6, true, 320))
		}, []string{"5 1s+100ms", "6 1.5s+40ms"}},
		{"longer than a packet can tell", func(_ *testing.T, p *pressing) {
			p.packet(101, time.Second, 9192*ms, toldBy(5, false, 0xffff))
			p.track.WriteRTP(&media.Packet{
				Header:  &rtp.Header{Version: 2, PayloadType: 101, SequenceNumber: 9, Timestamp: 8000 + 0xffff, SSRC: 7},
				Payload: toldBy(5, true, 801), Arrival: t0.Add(9300 * ms),
			})
		}, []string{"5 1s+8.292s"}},
		{"two in one packet", func(_ *testing.T, p *pressing) {
			p.packet(101, time.Second, 1200*ms, append(toldBy(5, true, 800), toldBy(7, true, 320)...))
		}, []string{"5 1s+100ms", "7 1.1s+40ms"}},
		{"a key that is no digit", func(_ *testing.T, p *pressing) { p.press(16, time.Second, 100*ms) }, nil},
		{"a tone", func(_ *testing.T, p *pressing) { p.packet(102, time.Second, 1120*ms, toldBy(5, true, 800)) }, nil},
		{"what looks like one", func(_ *testing.T, p *pressing) { p.packet(110, time.Second, 1120*ms, toldBy(5, true, 800)) }, nil},
		{"what is too short", func(_ *testing.T, p *pressing) { p.packet(101, time.Second, 1120*ms, []byte{5, 0x8a, 1}) }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPressing(t)
			p.talk(0, time.Second)
			tt.act(t, p)
			p.track.close()
			if got := p.out.digits(); !slices.Equal(got, tt.want) {
				t.Errorf("kept %q, want %q", got, tt.want)
			}
		})
	}
}

// A digit leaves the gate as soon as it is whole, so that a killed server loses no more.
func TestDigitsDoNotWait(t *testing.T) {
	p := newPressing(t)
	p.press(5, time.Second, 100*ms) // the last packet arrives at 1.14 s
	p.talk(1140*ms, 1340*ms)
	if got := p.out.digits(); got != nil {
		t.Errorf("kept %q while a copy of its end may come", got)
	}
	p.talk(1340*ms, 1360*ms)
	if got := p.out.digits(); !slices.Equal(got, []string{"5 1s+100ms"}) {
		t.Errorf("kept %q", got)
	}
}

// TestDigitsAreWhole presses digits at random, while audio is withheld and permitted at
// random and often later than it holds: what is kept is what the simplest reading says.
func TestDigitsAreWhole(t *testing.T) {
	kept, dropped := 0, 0
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		p := newPressing(t)
		type digit struct{ from, last time.Duration }
		var pressed []digit
		var withheld []span // the last may be open
		now := time.Duration(0)
		for range 30 {
			switch open := len(withheld) > 0 && withheld[len(withheld)-1].to == open; r.IntN(4) {
			case 0:
				if !open {
					from := max(0, now-time.Duration(r.IntN(2500)-1000)*ms)
					from = min(from, now)
					withheld = append(withheld, span{from, 1<<63 - 1})
					p.stop(from)
				}
			case 1:
				if open {
					withheld[len(withheld)-1].to = now
					p.allow(t, now)
				}
			case 2:
				p.talk(now, now+500*ms)
				now += 520 * ms
			case 3:
				from, lasts := now, time.Duration(2+r.IntN(10))*20*ms
				p.press(uint8(len(pressed)%16), from, lasts)
				pressed = append(pressed, digit{from, from + lasts + 40*ms})
				now = from + lasts + 41*ms
			}
			now += time.Duration(r.IntN(100)) * ms
		}
		p.talk(now, now+time.Second)
		p.track.close()
		var got []time.Duration
		for _, k := range p.out.packets {
			if d, ok := k.Digit(); ok {
				got = append(got, k.Arrival-d.Before)
			}
		}
		for _, d := range pressed {
			withheldIn := func(from, to time.Duration) bool {
				return slices.ContainsFunc(withheld, func(w span) bool { return from < w.to && w.from < to })
			}
			is := slices.Contains(got, d.from)
			if is {
				kept++
			} else {
				dropped++
			}
			// In between it depends on whether more of it could still come.
			if is && withheldIn(d.from, d.last+1) || !is && !withheldIn(d.from, d.last+digitQuiet) {
				t.Errorf("seed %d: the digit of %v to %v is kept: %v; withheld %v", seed, d.from, d.last, is, withheld)
			}
		}
		if len(got) > len(pressed) {
			t.Errorf("seed %d: %d of %d digits are kept", seed, len(got), len(pressed))
		}
	}
	if kept < 300 || dropped < 300 {
		t.Errorf("kept %d and dropped %d: that shows little", kept, dropped)
	}
}

// A digit that begins in one permit and ends in the next is none of either.
func TestDigitOfTwoPermits(t *testing.T) {
	p := newPressing(t)
	p.talk(0, time.Second)
	p.packet(101, time.Second, 1040*ms, toldBy(5, false, 160))
	p.track.End("r", t0.Add(1050*ms))
	p.allow(t, 1060*ms)
	p.packet(101, time.Second, 1120*ms, toldBy(5, true, 800))
	p.track.close()
	for _, k := range p.out.packets {
		if d, ok := k.Digit(); ok && d.Duration > 20*ms {
			t.Errorf("kept %+v", d)
		}
	}
}
