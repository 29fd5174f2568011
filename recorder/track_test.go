package recorder

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/siprecd/siprecd/recorder/internal/capture"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
	"github.com/siprecd/siprecd/siprec/media"
)

var t0 = time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)

// kept is a keeper that remembers what it was given.
type kept struct {
	mu      sync.Mutex
	packets []capture.Packet
}

func (k *kept) Append(p *capture.Packet) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c := *p
	c.Payload = append([]byte(nil), p.Payload...)
	k.packets = append(k.packets, c)
}

func (k *kept) Cut(stream int, from time.Duration) (time.Duration, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.packets = slices.DeleteFunc(k.packets, func(p capture.Packet) bool { return p.Stream == stream && p.Arrival >= from })
	return from, nil
}

// permitFor gets a permit the only way there is.
func permitFor(t testing.TB, r rules.RecordingID, s rules.StreamID, from time.Time) rules.Permit {
	t.Helper()
	c := rules.Open(rules.RecordAll(), r)
	c.Apply(rules.Event{At: from, Kind: rules.InteractionStarted})
	d := c.Apply(rules.Event{At: from, Kind: rules.StreamAdded, Stream: s})
	if len(d) != 1 || d[0].Verdict != rules.Record {
		t.Fatalf("no permit: %v", d)
	}
	return d[0].Permit
}

func packet(seq uint16, ts uint32, pt uint8, at time.Duration, payload string) *media.Packet {
	return &media.Packet{
		Header:  &rtp.Header{Version: 2, PayloadType: pt, SequenceNumber: seq, Timestamp: ts, SSRC: 7},
		Payload: []byte(payload), Arrival: t0.Add(at),
	}
}

func TestTrackAllow(t *testing.T) {
	mine := permitFor(t, "r", "s", t0)
	for _, tt := range []struct {
		name   string
		permit rules.Permit
		closed bool
		want   error
	}{
		{"its own", mine, false, nil},
		{"another stream's", permitFor(t, "r", "x", t0), false, ErrForeignPermit},
		{"another recording's", permitFor(t, "x", "s", t0), false, ErrForeignPermit},
		{"the zero permit", rules.Permit{}, false, ErrForeignPermit},
		{"after close", mine, true, ErrTrackClosed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out := &kept{}
			tr := newTrack("r", "s", 3, t0, out)
			if tt.closed {
				tr.close()
			}
			if err := tr.Allow(tt.permit, 0); !errors.Is(err, tt.want) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			tr.WriteRTP(packet(1, 0, 0, ms, "audio"))
			if got, want := len(out.packets), map[bool]int{true: 1}[tt.want == nil]; got != want {
				t.Errorf("kept %d packets, want %d", got, want)
			}
		})
	}
}

func TestZeroTrackPermitOfNothing(t *testing.T) {
	tr := newTrack("", "", 0, t0, &kept{})
	if err := tr.Allow(rules.Permit{}, 0); !errors.Is(err, ErrForeignPermit) {
		t.Errorf("a track without names takes the zero permit: %v", err)
	}
}

func TestTrackKeepsWhatIsPermitted(t *testing.T) {
	out := &kept{}
	tr := newTrack("r", "s", 3, t0, out)
	tr.announce([]siprec.Codec{{PayloadType: 0, Name: "PCMU", ClockRate: 8000, Channels: 1}, {PayloadType: 101, Name: "TELEPHONE-EVENT", ClockRate: 8000}})
	tr.WriteRTP(packet(1, 160, 0, 20*ms, "before"))
	if err := tr.Allow(permitFor(t, "r", "s", t0.Add(30*ms)), 0); err != nil {
		t.Fatal(err)
	}
	tr.WriteRTP(packet(1, 160, 0, 35*ms, "late")) // sent before the permit
	tr.WriteRTP(packet(2, 320, 0, 40*ms, "one"))
	tr.WriteRTP(packet(3, 480, 101, 60*ms, "\x05\x0a\x00\xa0"))
	tr.WriteRTP(packet(4, 480, 110, 60*ms, "\x06\x0a\x00\xa0")) // a digit that nobody announced
	tr.WriteRTP(packet(5, 640, 110, 80*ms, "unannounced"))
	tr.Stop("r", t0.Add(100*ms))
	tr.WriteRTP(packet(6, 800, 0, 99*ms, "read late"))
	tr.WriteRTP(packet(7, 800, 0, 100*ms, "after"))
	var got []string
	var passed []uint16
	for _, p := range out.packets {
		if p.IsPassed() {
			passed = append(passed, p.Sequence)
			continue
		}
		got = append(got, string(p.Payload))
	}
	if !slices.Equal(passed, []uint16{3, 4}) {
		t.Errorf("the digits came as %v", passed)
	}
	if want := []string{"one", "unannounced", "read late"}; !equal(got, want) {
		t.Errorf("kept %q, want %q", got, want)
	}
	if p := out.packets[0]; p.Stream != 3 || p.Arrival != 40*ms || p.SSRC != 7 || p.Timestamp != 320 || p.Sequence != 2 {
		t.Errorf("kept as %+v", p)
	}
	if got, want := tr.count("r"), (trackCounts{Received: 8, Withheld: 3, Events: 2}); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
}

func equal(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// The payload types of one stream may run at different rates, and change in
// mid-stream.
func TestTrackCodecChange(t *testing.T) {
	out := &kept{}
	tr := newTrack("r", "s", 0, t0, out)
	tr.announce([]siprec.Codec{{PayloadType: 0, Name: "PCMU", ClockRate: 8000}, {PayloadType: 96, Name: "L16", ClockRate: 16000}})
	if err := tr.Allow(permitFor(t, "r", "s", t0.Add(40*ms)), 0); err != nil {
		t.Fatal(err)
	}
	tr.WriteRTP(packet(0, 0, 0, 0, "w"))
	tr.WriteRTP(packet(1, 1000, 96, 20*ms, "w"))
	tr.WriteRTP(packet(2, 1320, 96, 60*ms, "sent at 40 ms"))
	tr.WriteRTP(packet(3, 160, 0, 60*ms, "sent at 20 ms"))
	if len(out.packets) != 1 || string(out.packets[0].Payload) != "sent at 40 ms" {
		t.Errorf("kept %v", out.packets)
	}
	// The offer no longer names PCMU: its packets that are under way are still
	// judged at its rate.
	tr.announce([]siprec.Codec{{PayloadType: 96, Name: "L16", ClockRate: 16000}})
	tr.WriteRTP(packet(4, 480, 0, 80*ms, "sent at 60 ms"))
	if len(out.packets) != 2 {
		t.Error("an old payload type is forgotten")
	}
}

// After Stop returned, no packet sent later passes, whatever runs beside it.
func TestTrackStopRace(t *testing.T) {
	out := &kept{}
	tr := newTrack("r", "s", 0, t0, out)
	if err := tr.Allow(permitFor(t, "r", "s", t0), 0); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	started := make(chan struct{})
	wg.Go(func() {
		for i := range 2000 {
			if i == 500 {
				close(started)
			}
			tr.WriteRTP(packet(uint16(i), uint32(i)*160, 0, time.Duration(i)*20*ms, "x"))
		}
	})
	<-started
	stop := 600 * 20 * ms
	tr.Stop("r", t0.Add(stop))
	tr.mu.Lock()
	atStop := len(out.packets)
	tr.mu.Unlock()
	wg.Wait()
	for _, p := range out.packets[atStop:] {
		if p.Arrival >= stop {
			t.Fatalf("packet of %v passed after the stop at %v", p.Arrival, stop)
		}
	}
}

type discard struct{}

func (discard) Append(*capture.Packet) {}

func (discard) Cut(_ int, from time.Duration) (time.Duration, error) { return from, nil }

func TestTrackDoesNotAllocate(t *testing.T) {
	tr := newTrack("r", "s", 0, t0, discard{})
	if err := tr.Allow(permitFor(t, "r", "s", t0), 0); err != nil {
		t.Fatal(err)
	}
	p := packet(0, 0, 0, 0, "some audio of which there is a little")
	if n := testing.AllocsPerRun(1000, func() {
		p.Header.SequenceNumber++
		p.Header.Timestamp += 160
		p.Arrival = p.Arrival.Add(20 * ms)
		tr.WriteRTP(p)
	}); n != 0 {
		t.Errorf("%v allocations per packet", n)
	}
}

func BenchmarkTrackWriteRTP(b *testing.B) {
	for _, allowed := range []bool{true, false} {
		b.Run(map[bool]string{true: "permitted", false: "withheld"}[allowed], func(b *testing.B) {
			tr := newTrack("r", "s", 0, t0, discard{})
			if allowed {
				if err := tr.Allow(permitFor(b, "r", "s", t0), 0); err != nil {
					b.Fatal(err)
				}
			}
			p := packet(0, 0, 0, 0, string(make([]byte, 160)))
			b.ReportAllocs()
			for b.Loop() {
				p.Header.SequenceNumber++
				p.Header.Timestamp += 160
				p.Arrival = p.Arrival.Add(20 * ms)
				tr.WriteRTP(p)
			}
		})
	}
}

// Digits are stored under no payload type and in no wrapping; audio of the same
// shape is.
func TestDigitsAreNeverStored(t *testing.T) {
	const digit = "\x05\x8a\x03\x20"
	announced := []siprec.Codec{
		{PayloadType: 0, Name: "PCMU", ClockRate: 8000, Channels: 1}, {PayloadType: 18, Name: "G729", ClockRate: 8000, Channels: 1},
		{PayloadType: 101, Name: "telephone-event", ClockRate: 8000}, {PayloadType: 102, Name: "TELEPHONE-EVENT", ClockRate: 48000},
		{PayloadType: 72, Name: "tone", ClockRate: 8000}, {PayloadType: 121, Name: "red", ClockRate: 8000, Params: "101/101"},
		{PayloadType: 99, Name: "telephone-event", ClockRate: 8000},
	}
	again := []siprec.Codec{{PayloadType: 99, Name: "OPUS", ClockRate: 48000, Channels: 2}}
	for _, tt := range []struct {
		name    string
		pt      uint8
		payload string
		kept    bool
	}{
		{"announced", 101, digit, false},
		{"announced at another rate", 102, digit, false},
		{"a tone below the dynamic types", 72, "\x01\x02\x03\x04\x05\x06\x07\x08", false},
		{"announced, of any form", 101, rep("x", 33), false},
		{"unannounced", 110, digit, false},
		{"unannounced and several at once", 110, digit + digit, false},
		{"unannounced below the dynamic types", 40, digit, false},
		{"in redundant audio", 121, "\xe5\x00\x00\x04\x65" + digit + digit, false},
		{"in redundant audio beside speech", 121, "\xe5\x00\x00\x04\x00" + digit + rep("s", 160), false},
		{"alone in redundant audio", 121, "\x65" + digit, false},
		{"in redundant audio that was not announced", 122, "\xe5\x00\x00\x04\x65" + digit + digit, false},
		{"unannounced in unannounced redundant audio", 122, "\xee\x00\x00\x04\x6e" + digit + digit, false},
		{"under way when its type got another meaning", 99, digit, false},
		{"of the new meaning", 99, rep("o", 60), true},
		{"redundant speech", 121, "\x80\x05\x00\x0a\x00" + rep("s", 170), true},
		{"broken redundant audio", 121, "\xe5\x00\x03\xff\x00" + digit, true},
		{"redundant headers without end", 121, rep("\x80\x00\x00\x00", 9), true},
		{"a short packet of PCMU", 0, digit, true},
		{"two frames of G.729 and silence", 18, rep("g", 20), true},
		{"static and not announced", 8, rep("a", 160), true},
		{"audio that was not announced", 110, rep("a", 160), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out := &kept{}
			tr := newTrack("r", "s", 0, t0, out)
			tr.announce(announced)
			tr.announce(again)
			if err := tr.Allow(permitFor(t, "r", "s", t0), 0); err != nil {
				t.Fatal(err)
			}
			tr.WriteRTP(packet(1, 0, tt.pt, ms, tt.payload))
			got := len(out.packets) == 1 && out.packets[0].IsRTP()
			if !tt.kept && (len(out.packets) != 1 || !out.packets[0].IsPassed() || len(out.packets[0].Payload)+int(out.packets[0].Timestamp) != 0) {
				t.Errorf("more is kept than that it came: %+v", out.packets)
			}
			if got != tt.kept || (tr.count("r").Events == 1) == tt.kept {
				t.Errorf("kept %v, want %v; counts %+v", got, tt.kept, tr.count("r"))
			}
		})
	}
}
