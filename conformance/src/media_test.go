package src

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/go-audio/audio"
	"github.com/go-audio/wav"
	"github.com/pion/rtp"
)

// goertzel is the share of the power of samples at one frequency, 0 to 1.
func goertzel(pcm []int16, hz float64) float64 {
	var s1, s2, total float64
	w := 2 * math.Cos(2*math.Pi*hz/sampleRate)
	for _, x := range pcm {
		v := float64(x)
		s1, s2 = v+w*s1-s2, s1
		total += v * v
	}
	return 2 * (s1*s1 + s2*s2 - w*s1*s2) / (total*float64(len(pcm)) + 1)
}

func samples(s Source, from int64, n int) []int16 {
	out := make([]int16, n)
	return out[:s.Samples(from, out)]
}

func TestTone(t *testing.T) {
	pcm := samples(Tone(440, false), 3600*sampleRate, sampleRate)
	if p := goertzel(pcm, 440); p < 0.99 {
		t.Errorf("share of 440 Hz is %.3f", p)
	}
	if p := goertzel(pcm, 880); p > 0.01 {
		t.Errorf("share of 880 Hz is %.3f", p)
	}
	clicked := samples(Tone(440, true), 0, 3*sampleRate)
	for second := range 3 {
		if clicked[second*sampleRate] != 31000 || clicked[second*sampleRate+8] > 16000 {
			t.Errorf("no click of 1 ms at second %d", second)
		}
	}
}

func TestSourcesAreTheSameAtEveryPlace(t *testing.T) {
	for name, s := range map[string]Source{
		"tone": Tone(300, true), "silence": Silence(), "deep": Voice(Deep), "bright": Voice(Bright),
		"counter": Counter(PCMA()), "L16 counter": Counter(L16(96)),
	} {
		whole := samples(s, 70000, 640)
		if len(whole) != 640 || !slices.Equal(whole[160:320], samples(s, 70160, 160)) {
			t.Errorf("%s depends on how it is read", name)
		}
	}
}

func TestVoicesCanBeToldApart(t *testing.T) {
	deep, bright := samples(Voice(Deep), 0, 6*sampleRate), samples(Voice(Bright), 0, 6*sampleRate)
	if a, b := pitch(deep), pitch(bright); a < 85 || a > 135 || b < 170 || b > 260 {
		t.Errorf("pitches are %.0f and %.0f Hz", a, b)
	}
	for name, v := range map[string][]int16{"deep": deep, "bright": bright} {
		if top := slices.Max(v); top < 8000 {
			t.Errorf("%s is too quiet: %d", name, top)
		}
		silent := 0
		for _, x := range v {
			if x == 0 {
				silent++
			}
		}
		if silent < len(v)/50 || silent > len(v)/2 {
			t.Errorf("%s has %d silent samples of %d", name, silent, len(v))
		}
		if again := samples(Voice(map[string]VoiceKind{"deep": Deep, "bright": Bright}[name]), 0, len(v)); !slices.Equal(v, again) {
			t.Errorf("%s differs from itself", name)
		}
	}
}

// pitch is the median, over voiced frames of 50 ms, of the frequency between 70
// and 350 Hz at whose period a frame resembles itself most.
func pitch(v []int16) float64 {
	const frame, longest = sampleRate / 20, sampleRate / 70
	var found []float64
	for start := longest; start+frame <= len(v); start += frame {
		best, at := 0.5, 0
		for lag := sampleRate / 350; lag <= longest; lag++ {
			var cross, now, before float64
			for i := start; i < start+frame; i++ {
				x, y := float64(v[i]), float64(v[i-lag])
				cross, now, before = cross+x*y, now+x*x, before+y*y
			}
			if c := cross / (math.Sqrt(now*before) + 1); c > best {
				best, at = c, lag
			}
		}
		if at > 0 {
			found = append(found, sampleRate/float64(at))
		}
	}
	if len(found) == 0 {
		return 0
	}
	slices.Sort(found)
	return found[len(found)/2]
}

func TestCounterWordsTellTheirPlace(t *testing.T) {
	// Any 512 octets in the first 65536 are found at one place only.
	seen := make(map[[512]byte]int)
	for i := range 65536 - 512 {
		var key [512]byte
		for k := range key {
			key[k] = CounterWord(int64(i + k))
		}
		if before, ok := seen[key]; ok {
			t.Fatalf("octets at %d are those at %d", i, before)
		}
		seen[key] = i
	}
	f, _, err := framesOf(Counter(L16(96)), L16(96), PlayOptions{Ptime: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	payload, _, _ := f(3)
	if got := binary.BigEndian.Uint16(payload); len(payload) != 320 || got != 480 {
		t.Errorf("frame 3 of L16 has %d octets and begins with %d", len(payload), got)
	}
}

func TestG711(t *testing.T) {
	// Values of the tables of ITU-T G.711, scaled to 16 bits.
	for _, c := range []struct {
		codec Codec
		pcm   int16
		word  byte
	}{
		{PCMU(), 0, 0xff}, {PCMU(), -32768, 0x00}, {PCMU(), 32767, 0x80}, {PCMU(), 1000, 0xce},
		{PCMA(), 0, 0xd5}, {PCMA(), -1, 0x55}, {PCMA(), 32767, 0xaa}, {PCMA(), -32768, 0x2a}, {PCMA(), 1000, 0xfa},
	} {
		got, err := Encode(c.codec, []int16{c.pcm})
		if err != nil || got[0] != c.word {
			t.Errorf("%s of %d is %#x, want %#x (%v)", c.codec.Name, c.pcm, got, c.word, err)
		}
	}
	for _, c := range []Codec{PCMU(), PCMA()} {
		for w := range 256 {
			pcm, err := Decode(c, []byte{byte(w)})
			if err != nil {
				t.Fatal(err)
			}
			again, err := Encode(c, pcm)
			if negativeZero := c.Name == "PCMU" && w == 0x7f; err != nil || again[0] != byte(w) && !negativeZero {
				t.Errorf("%s word %#x decodes to %d, which encodes to %#x", c.Name, w, pcm[0], again[0])
			}
		}
	}
	if _, err := Encode(Codec{Name: "G729"}, nil); err == nil {
		t.Error("G729 can be encoded")
	}
}

// planned is everything of a plan.
func planned(opt PlayOptions, f frames) []emission {
	if opt.Ptime == 0 {
		opt.Ptime = 20 * time.Millisecond
	}
	if opt.Interval == 0 {
		opt.Interval = opt.Ptime
	}
	p := newPlan(opt, rtp.Header{Version: 2, SSRC: 1, SequenceNumber: 65534, Timestamp: 100}, f, 160)
	var out []emission
	for e, ok := p.next(); ok; e, ok = p.next() {
		out = append(out, e)
	}
	return out
}

func endless(i int) ([]byte, bool, bool) { return []byte{byte(i)}, false, true }

func TestPlanWithoutFaults(t *testing.T) {
	for i, e := range planned(PlayOptions{Count: 5}, endless) {
		if e.index != i || e.offset != time.Duration(i)*20*time.Millisecond || e.header.SequenceNumber != 65534+uint16(i) ||
			e.header.Timestamp != 100+160*uint32(i) || e.header.Marker != (i == 0) || e.fault != "" {
			t.Errorf("packet %d is %+v", i, e)
		}
	}
	if n := len(planned(PlayOptions{Duration: 100 * time.Millisecond}, endless)); n != 5 {
		t.Errorf("%d packets in 100 ms", n)
	}
}

func TestFaultsAreDeterministicAndInProportion(t *testing.T) {
	opt := PlayOptions{Count: 2000, Faults: Faults{Seed: 5, Loss: 0.05, Reorder: 0.1, Duplicate: 0.02, Jitter: 5 * time.Millisecond}}
	first, second := planned(opt, endless), planned(opt, endless)
	same := slices.EqualFunc(first, second, func(a, b emission) bool {
		return a.offset == b.offset && a.index == b.index && a.fault == b.fault
	})
	if !same {
		t.Error("the same seed gives other faults")
	}
	opt.Faults.Seed = 6
	if slices.EqualFunc(first, planned(opt, endless), func(a, b emission) bool { return a.offset == b.offset }) {
		t.Error("another seed gives the same faults")
	}
	count := make(map[string]int)
	overtaken, highest := 0, -1
	for i, e := range first {
		count[e.fault]++
		if i > 0 && e.offset < first[i-1].offset {
			t.Fatalf("emission %d goes back in time", i)
		}
		if e.index < highest && e.fault == FaultReordered {
			overtaken++
		}
		highest = max(highest, e.index)
	}
	if n := count[FaultLost]; n < 70 || n > 130 {
		t.Errorf("%d of 2000 lost, want about 100", n)
	}
	if n := count[FaultReordered]; n < 150 || n > 240 || overtaken < n*9/10-10 {
		t.Errorf("%d of 2000 reordered, want about 190; %d were overtaken", n, overtaken)
	}
	if n := count[FaultDuplicate]; n < 20 || n > 60 {
		t.Errorf("%d of 2000 duplicated, want about 40", n)
	}
}

func TestChanges(t *testing.T) {
	ssrc := uint32(99)
	all := planned(PlayOptions{Count: 6, NoMarker: true, RTCP: 60 * time.Millisecond, Faults: Faults{Changes: []Change{
		{At: 2, SSRC: &ssrc, Sequence: 10, Timestamp: 8000, Marker: true}, {At: 4, NewSocket: true},
	}}}, endless)
	var packets []emission
	reports := 0
	for _, e := range all {
		if e.report {
			reports++
		} else {
			packets = append(packets, e)
		}
	}
	if reports != 2 || len(packets) != 6 {
		t.Fatalf("%d reports, %d packets", reports, len(packets))
	}
	h := packets[2].header
	before := packets[1].header
	if h.SSRC != 99 || h.SequenceNumber != before.SequenceNumber+11 || h.Timestamp != before.Timestamp+8160 || !h.Marker || before.Marker {
		t.Errorf("changed header %+v after %+v", h, before)
	}
	if packets[3].socket != 0 || packets[4].socket != 1 || packets[5].socket != 1 {
		t.Error("socket does not change before packet 4")
	}
}

func TestComfortNoise(t *testing.T) {
	f, n, err := framesOf(Limited(Silence(), 160*25), PCMU(), PlayOptions{Ptime: 20 * time.Millisecond, ComfortNoise: true})
	if err != nil {
		t.Fatal(err)
	}
	all := planned(PlayOptions{}, f)
	if n != 160 || len(all) != 3 {
		t.Fatalf("%d CN packets in 25 silent frames", len(all))
	}
	for i, e := range all {
		if e.header.PayloadType != 13 || e.header.Marker || e.header.Timestamp != 100+1600*uint32(i) || e.header.SequenceNumber != 65534+uint16(i) {
			t.Errorf("CN packet %d is %+v", i, e.header)
		}
	}
}

// writeWAV writes a file with one tone per channel.
func writeWAV(t *testing.T, rate, bits int, tones ...float64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "in.wav")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	e := wav.NewEncoder(f, rate, bits, len(tones), 1)
	buf := &audio.IntBuffer{Format: &audio.Format{NumChannels: len(tones), SampleRate: rate}, SourceBitDepth: bits}
	for i := range rate {
		for _, hz := range tones {
			buf.Data = append(buf.Data, int(10000*math.Sin(2*math.Pi*hz*float64(i)/float64(rate))))
		}
	}
	if err := e.Write(buf); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWAV(t *testing.T) {
	for _, rate := range []int{8000, 11025, 16000, 44100, 48000} {
		path := writeWAV(t, rate, 16, 500, 1200)
		for channel, hz := range []float64{500, 1200} {
			s, err := WAVChannel(path, channel)
			if err != nil {
				t.Fatal(err)
			}
			pcm := samples(s, 0, 2*sampleRate)
			if len(pcm) != sampleRate {
				t.Errorf("%d Hz: one second became %d samples", rate, len(pcm))
			}
			if p := goertzel(pcm[100:len(pcm)-100], hz); p < 0.98 {
				t.Errorf("%d Hz, channel %d: share of %.0f Hz is %.3f", rate, channel, hz, p)
			}
		}
		s, err := WAV(path)
		if err != nil {
			t.Fatal(err)
		}
		pcm := samples(s, 100, 7800)
		if a, b := goertzel(pcm, 500), goertzel(pcm, 1200); a < 0.4 || b < 0.4 {
			t.Errorf("%d Hz: mixed shares are %.2f and %.2f", rate, a, b)
		}
	}
	// What lies above 4 kHz must not fold back.
	s, err := WAV(writeWAV(t, 48000, 16, 7000))
	if err != nil {
		t.Fatal(err)
	}
	if top := slices.Max(samples(s, 100, 7000)); top > 300 {
		t.Errorf("7 kHz comes through with a level of %d", top)
	}
}

func TestWAVRefuses(t *testing.T) {
	text := filepath.Join(t.TempDir(), "x.wav")
	if err := os.WriteFile(text, []byte("RIFFxxxxWAVEhello"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := writeWAV(t, 8000, 16, 400)
	for name, open := range map[string]func() (Source, error){
		"absent":     func() (Source, error) { return WAV(filepath.Join(t.TempDir(), "none.wav")) },
		"not a WAV":  func() (Source, error) { return WAV(text) },
		"24 bits":    func() (Source, error) { return WAV(writeWAV(t, 8000, 24, 400)) },
		"no channel": func() (Source, error) { return WAVChannel(good, 1) },
		"channel -1": func() (Source, error) { return WAVChannel(good, -1) },
	} {
		if _, err := open(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestSenderReport(t *testing.T) {
	for _, cname := range []string{"abc", "abcd", "abcdef", "0123456789abcdef"} {
		b := senderReport(7, 8, 9, 10, time.Unix(0, 500_000_000), cname)
		if len(b)%4 != 0 || binary.BigEndian.Uint32(b[8:]) != 2208988800 || binary.BigEndian.Uint32(b[12:]) != 1<<31 {
			t.Errorf("%s: % x", cname, b)
		}
		sdes := b[28:]
		if want := 4 * (int(binary.BigEndian.Uint16(sdes[2:])) + 1); want != len(sdes) || sdes[len(sdes)-1] != 0 {
			t.Errorf("%s: SDES of %d octets says %d", cname, len(sdes), want)
		}
	}
}
