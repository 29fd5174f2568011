package codec

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// needFFmpeg finds the program or skips the test.
func needFFmpeg(t testing.TB) *FFmpeg {
	t.Helper()
	f, err := FindFFmpeg(t.Context(), "ffmpeg")
	if err == nil {
		return f
	}
	if os.Getenv("SIPRECD_CI") != "" {
		t.Fatalf("%v", err)
	}
	t.Skipf("needs ffmpeg (Debian package ffmpeg): %v", err)
	return nil
}

// voice is a second and more of something like speech: harmonics of a gliding pitch
// under two formants, in syllables. It is what the files of testdata were made
// from; see testdata/README.md.
func voice(rate, samples int) []int16 {
	out := make([]int16, samples)
	phase := 0.0
	for i := range out {
		at := float64(i) / float64(rate)
		pitch := 130 + 25*math.Sin(2*math.Pi*0.7*at)
		phase += 2 * math.Pi * pitch / float64(rate)
		loud := 0.15 + 0.85*math.Pow(math.Sin(math.Pi*2.1*at), 2)
		sum := 0.0
		for h := 1.0; h*pitch < 3400; h++ {
			f := h * pitch
			near := 1/(1+math.Pow((f-500)/150, 2)) + 0.5/(1+math.Pow((f-1400)/250, 2))
			sum += near * math.Sin(h*phase)
		}
		out[i] = int16(4500 * loud * sum)
	}
	return out
}

// snr is how much louder a signal is than the difference of another from it, in
// dB, at the delay of at most most samples at which they agree best.
func snr(signal, got []int16, most int) float64 {
	best := math.Inf(-1)
	for lag := 0; lag <= most; lag++ {
		power, noise := 0.0, 1e-9
		for i, s := range signal {
			if i+lag >= len(got) {
				break
			}
			d := float64(s) - float64(got[i+lag])
			power, noise = power+float64(s)*float64(s), noise+d*d
		}
		best = max(best, 10*math.Log10(power/noise))
	}
	return best
}

// encode runs ffmpeg the other way round.
func encode(t *testing.T, pcm []int16, rate int, args ...string) []byte {
	t.Helper()
	var in []byte
	for _, s := range pcm {
		in = binary.LittleEndian.AppendUint16(in, uint16(s))
	}
	all := append([]string{"-hide_banner", "-loglevel", "error", "-f", "s16le", "-ar", fmt.Sprint(rate), "-ac", "1", "-i", "pipe:0"}, args...)
	cmd := exec.CommandContext(t.Context(), "ffmpeg", append(all, "pipe:1")...)
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	return out
}

// cut divides octets into payloads of one length.
func cut(b []byte, n int) (out [][]byte) {
	for ; len(b) >= n; b = b[n:] {
		out = append(out, b[:n])
	}
	return out
}

// unpage gives the packets of an Ogg file.
func unpage(t *testing.T, b []byte) (out [][]byte) {
	t.Helper()
	var packet []byte
	for len(b) >= 27 && string(b[:4]) == "OggS" {
		n := int(b[26])
		lengths, body := b[27:27+n], b[27+n:]
		for _, l := range lengths {
			packet, body = append(packet, body[:l]...), body[l:]
			if l < 255 {
				out, packet = append(out, packet), nil
			}
		}
		b = body
	}
	if len(out) < 2 {
		t.Fatal("no Ogg file")
	}
	return out[2:]
}

func decodeForeign(t *testing.T, f *FFmpeg, name string, clock, channels int, params string, payloads [][]byte) []int16 {
	t.Helper()
	d, err := f.New(name, clock, channels, params)
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.Decode(t.Context(), nil, payloads, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := 0
	for _, p := range payloads {
		want += d.Samples(p)
	}
	if len(got) != want || want == 0 {
		t.Fatalf("%d samples, the payloads say %d", len(got), want)
	}
	return got
}

// What ffmpeg encodes comes back as it was spoken.
func TestFFmpegDecodes(t *testing.T) {
	f := needFFmpeg(t)
	g726 := func(bits int, format string) func(t *testing.T, pcm []int16) [][]byte {
		return func(t *testing.T, pcm []int16) [][]byte {
			b := encode(t, pcm, 8000, "-c:a", format, "-code_size", fmt.Sprint(bits), "-f", format)
			return cut(b, 20*bits) // 20 ms
		}
	}
	opusOf := func(args ...string) func(*testing.T, []int16) [][]byte {
		return func(t *testing.T, pcm []int16) [][]byte {
			return unpage(t, encode(t, pcm, 48000, append(append([]string{"-c:a", "libopus"}, args...), "-f", "ogg")...))
		}
	}
	for _, tt := range []struct {
		name        string
		clock, rate int
		params      string
		make        func(*testing.T, []int16) [][]byte
		least       float64 // dB
	}{
		{"G726-16", 8000, 8000, "", g726(2, "g726le"), 6},
		{"G726-24", 8000, 8000, "", g726(3, "g726le"), 12},
		{"G726-32", 8000, 8000, "", g726(4, "g726le"), 18},
		{"G726-40", 8000, 8000, "", g726(5, "g726le"), 22},
		{"AAL2-G726-16", 8000, 8000, "", g726(2, "g726"), 6},
		{"AAL2-G726-24", 8000, 8000, "", g726(3, "g726"), 12},
		{"AAL2-G726-32", 8000, 8000, "", g726(4, "g726"), 18},
		{"AAL2-G726-40", 8000, 8000, "", g726(5, "g726"), 22},
		{"gsm", 8000, 8000, "", func(t *testing.T, pcm []int16) [][]byte {
			return cut(encode(t, pcm, 8000, "-c:a", "libgsm", "-f", "gsm"), 33)
		}, 8},
		{"G723", 8000, 8000, "", func(t *testing.T, pcm []int16) [][]byte {
			return cut(encode(t, pcm, 8000, "-c:a", "g723_1", "-b:a", "6300", "-f", "data", "-map", "0:a"), 24)
		}, 4},
		{"opus", 48000, 48000, "", opusOf("-b:a", "48k"), 12},
		{"opus", 48000, 48000, "stereo=1", opusOf("-af", "pan=stereo|c0=c0|c1=c0", "-b:a", "64k"), 12},
		{"opus", 48000, 48000, "useinbandfec=1", opusOf("-b:a", "24k", "-application", "voip", "-frame_duration", "60"), 6},
		{"opus", 48000, 48000, "", opusOf("-b:a", "64k", "-application", "lowdelay", "-frame_duration", "2.5"), 10},
	} {
		t.Run(tt.name+" "+tt.params, func(t *testing.T) {
			pcm := voice(tt.rate, tt.rate*6/5)
			got := decodeForeign(t, f, tt.name, tt.clock, 1, tt.params, tt.make(t, pcm))
			if s := snr(pcm, got, 700); s < tt.least {
				t.Errorf("%.1f dB, want %v at least", s, tt.least)
			} else {
				t.Logf("%.1f dB", s)
			}
		})
	}
}

// Our own decoder of G.722 gives what the encoder of ffmpeg was given.
func TestG722Encoded(t *testing.T) {
	needFFmpeg(t)
	pcm := voice(16000, 16000)
	d, err := New("G722", 8000, 1, "")
	if err != nil {
		t.Fatal(err)
	}
	var got []int16
	for _, p := range cut(encode(t, pcm, 16000, "-c:a", "g722", "-f", "g722"), 160) {
		got = d.Decode(got, p)
	}
	if s := snr(pcm, got, 60); s < 20 || len(got) != len(pcm) {
		t.Errorf("%.1f dB, %d samples of %d", s, len(got), len(pcm))
	}
}

// What ffmpeg cannot encode comes from files that other encoders made of the same
// signal (testdata/README.md).
func TestFFmpegDecodesFixtures(t *testing.T) {
	f := needFFmpeg(t)
	for _, tt := range []struct {
		name, file string
		rate       int
		params     string
		cut        func([]byte) [][]byte
		least      float64
	}{
		{"G729", "voice.g729", 8000, "", func(b []byte) [][]byte { return cut(b, 20) }, 5},
		{"iLBC", "voice.ilbc20", 8000, "mode=20", func(b []byte) [][]byte { return cut(b, 2*ilbc20) }, 6.5},
		{"iLBC", "voice.ilbc30", 8000, "mode=30", func(b []byte) [][]byte { return cut(b, ilbc30) }, 6.5},
		{"AMR", "voice.amr", 8000, "octet-align=1", func(b []byte) [][]byte { return alignedAMR(b[6:], &narrowband) }, 7},
		{"AMR", "voice.amr", 8000, "", func(b []byte) [][]byte { return packedAMR(b[6:], &narrowband) }, 7},
		{"AMR-WB", "voice.awb", 16000, "octet-align=1", func(b []byte) [][]byte { return alignedAMR(b[9:], &wideband) }, 8},
		{"AMR-WB", "voice.awb", 16000, "", func(b []byte) [][]byte { return packedAMR(b[9:], &wideband) }, 8},
		// A sender that packs in the other way than it says.
		{"AMR-WB", "voice.awb", 16000, "octet-align=0", func(b []byte) [][]byte { return alignedAMR(b[9:], &wideband) }, 8},
	} {
		t.Run(tt.name+" "+tt.params, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join("testdata", tt.file))
			if err != nil {
				t.Fatal(err)
			}
			got := decodeForeign(t, f, tt.name, tt.rate, 1, tt.params, tt.cut(b))
			// Frames of 30 ms end 10 ms before the second does.
			pcm := voice(tt.rate, min(tt.rate, len(got)))
			if s := snr(pcm, got, 400); s < tt.least {
				t.Errorf("%.1f dB, want %v at least", s, tt.least)
			} else {
				t.Logf("%.1f dB", s)
			}
		})
	}
}

// storedAMR gives the frames of a storage file: their type and their speech bits.
func storedAMR(b []byte, kind *amrKind, each func(kind byte, speech []byte, bits int)) {
	for len(b) > 0 {
		k := b[0] >> 3 & 15
		n := kind.bits[k]
		if k == kind.noise {
			n = kind.noiseBits
		}
		each(k, b[1:1+(n+7)/8], n)
		b = b[1+(n+7)/8:]
	}
}

// alignedAMR packs two frames in a payload, octet-aligned (RFC 4867 §4.4).
func alignedAMR(b []byte, kind *amrKind) (out [][]byte) {
	var toc, speech []byte
	storedAMR(b, kind, func(k byte, s []byte, _ int) {
		toc, speech = append(toc, k<<3|1<<2), append(speech, s...)
		if len(toc) == 2 {
			toc[0] |= 0x80
			out = append(out, append(append([]byte{0xf0}, toc...), speech...))
			toc, speech = nil, nil
		}
	})
	return out
}

// packedAMR packs a frame in a payload, bandwidth-efficient (§4.3).
func packedAMR(b []byte, kind *amrKind) (out [][]byte) {
	storedAMR(b, kind, func(k byte, s []byte, n int) {
		text := fmt.Sprintf("1111"+"0%04b1", k)
		for _, o := range s {
			text += fmt.Sprintf("%08b", o)
		}
		text = text[:10+n]
		text += strings.Repeat("0", (8-len(text)%8)%8)
		var p []byte
		for ; text != ""; text = text[8:] {
			var o byte
			fmt.Sscanf(text[:8], "%b", &o)
			p = append(p, o)
		}
		out = append(out, p)
	})
	return out
}

// Any frame of iLBC is a sound, and both modes have to come out as ffmpeg decodes a storage
// file (RFC 3952 §4) as a whole, once it is in step.
func TestILBC(t *testing.T) {
	f := needFFmpeg(t)
	for mode, octets := range map[int]int{20: ilbc20, 30: ilbc30} {
		var stored []byte
		for i := range 50 * octets {
			stored = append(stored, byte(i*i*31+i*7)&^byte(i%octets/(octets-1))) // the last bit is 0 (§3.8)
		}
		cmd := exec.CommandContext(t.Context(), "ffmpeg", "-loglevel", "error", "-f", "ilbc", "-i", "pipe:0", "-f", "s16le", "pipe:1")
		lead := append(stored[:octets:octets], stored[:octets]...)
		cmd.Stdin = bytes.NewReader(append(append(fmt.Appendf(nil, "#!iLBC%d\n", mode), lead...), stored...))
		want, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		want = want[2*2*mode*8:]
		got := decodeForeign(t, f, "iLBC", 8000, 1, fmt.Sprintf("mode=%d", mode), cut(stored, 2*octets))
		if !equalSamples(got, samplesOf(want)) || len(got) != 50*mode*8 || silence(got) {
			t.Errorf("mode %d: %d samples, the file has %d", mode, len(got), len(want)/2)
		}
		// Both modes in one stretch, whatever the offer said.
		mixed := append(cut(stored, octets)[:3:3], make([]byte, ilbc20+ilbc30-octets))
		if n := len(decodeForeign(t, f, "iLBC", 8000, 1, "", mixed)); n != 3*mode*8+(50-mode)*8 {
			t.Errorf("both modes: %d samples", n)
		}
	}
}

func silence(pcm []int16) bool {
	for _, s := range pcm {
		if s != 0 {
			return false
		}
	}
	return true
}

func equalSamples(a, b []int16) bool {
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

// Comfort noise and missing frames are silence of their own length, in the middle
// of what is decoded.
func TestSilentFrames(t *testing.T) {
	f := needFFmpeg(t)
	g729, err := os.ReadFile(filepath.Join("testdata", "voice.g729"))
	if err != nil {
		t.Fatal(err)
	}
	amr, err := os.ReadFile(filepath.Join("testdata", "voice.amr"))
	if err != nil {
		t.Fatal(err)
	}
	speech := alignedAMR(amr[6:], &narrowband)
	for _, tt := range []struct {
		name     string
		payloads [][]byte
		each     int // samples of the silence
	}{
		{"G729", [][]byte{g729[:20], {1, 2}, g729[20:40]}, 80},
		{"AMR", [][]byte{speech[0], {0xf0, 8<<3 | 4, 1, 2, 3, 4, 5}, speech[1]}, 160},
		{"AMR", [][]byte{speech[0], {0xf0, 15<<3 | 4}, speech[1]}, 160},
	} {
		got := decodeForeign(t, f, tt.name, 8000, 1, "octet-align=1", tt.payloads)
		without := decodeForeign(t, f, tt.name, 8000, 1, "octet-align=1", [][]byte{tt.payloads[0], tt.payloads[2]})
		half := len(without) / 2
		if len(got) != len(without)+tt.each || !silence(got[half:half+tt.each]) ||
			!equalSamples(got[:half], without[:half]) || !equalSamples(got[half+tt.each:], without[half:]) {
			t.Errorf("%s: %d samples, %d without the silence", tt.name, len(got), len(without))
		}
	}
}

// Packets before a stretch bring the decoder into step and give no samples: what
// follows is as if all had been decoded in one.
func TestWarm(t *testing.T) {
	f := needFFmpeg(t)
	pcm := voice(8000, 8000)
	payloads := cut(encode(t, pcm, 8000, "-c:a", "libgsm", "-f", "gsm"), 33)
	whole := decodeForeign(t, f, "GSM", 8000, 1, "", payloads)
	d, err := f.New("GSM", 8000, 1, "")
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.Decode(t.Context(), []int16{7}, payloads, 10)
	if err != nil || got[0] != 7 || !equalSamples(got[1:], whole[1600:]) {
		t.Errorf("%d samples, %v", len(got), err)
	}
}

// A frame that cannot be decoded costs itself; octets that are none of the encoding
// cost their stream, in bounded time.
func TestDamagedFrames(t *testing.T) {
	f := needFFmpeg(t)
	pcm := voice(48000, 48000)
	payloads := unpage(t, encode(t, pcm, 48000, "-c:a", "libopus", "-b:a", "48k", "-f", "ogg"))
	whole := decodeForeign(t, f, "opus", 48000, 2, "", payloads)
	broken := append([][]byte(nil), payloads...)
	broken[20] = []byte{payloads[20][0]&^3 | 2, 251} // two frames, of which one has no end
	d, err := f.New("opus", 48000, 2, "")
	if err != nil {
		t.Fatal(err)
	}
	if d.Samples(broken[20]) != 2*d.Samples(payloads[20]) {
		t.Fatalf("%d samples in the damaged packet", d.Samples(broken[20]))
	}
	got, err := d.Decode(t.Context(), nil, broken, 0)
	if err != nil || len(got) != len(whole)+960 || !silence(got[20*960:22*960]) {
		t.Fatalf("%d samples of %d, %v", len(got), len(whole)+960, err)
	}
	// The stretches about it were decoded from fresh states.
	if a, b := snr(whole[:20*960], got[:20*960], 0), snr(whole[21*960:], got[22*960:], 0); a < 8 || b < 8 {
		t.Errorf("%.1f dB before the damage, %.1f after it", a, b)
	}
	all := make([][]byte, 200)
	for i := range all {
		all[i] = broken[20]
	}
	if _, err := d.Decode(t.Context(), nil, all, 0); !errors.Is(err, ErrDecoding) {
		t.Errorf("nothing but damage: %v", err)
	}
}

func TestForeignRefuses(t *testing.T) {
	f := &FFmpeg{decoders: []string{"amrnb", "opus", "g726", "g726le", "g729", "ilbc"}}
	for _, tt := range []struct {
		name            string
		clock, channels int
		params          string
		fine            bool
	}{
		{"opus", 48000, 2, "", true}, {"OPUS", 8000, 1, "", false},
		{"AMR", 8000, 1, "octet-align=1; mode-set=0,7", true}, {"AMR", 8000, 1, "crc=1", false},
		{"AMR", 8000, 1, "interleaving=4", false}, {"AMR", 8000, 1, "robust-sorting=1", false}, {"AMR", 8000, 1, "channels=2", false},
		{"AMR", 8000, 2, "", false}, {"AMR-WB", 16000, 1, "", false}, // not in this ffmpeg
		{"G726-32", 8000, 1, "", true}, {"G726-48", 8000, 1, "", false}, {"AAL2-G726-40", 8000, 0, "", true},
		{"SPEEX", 8000, 1, "", false}, {"G729", 16000, 1, "", false}, {"iLBC", 8000, 1, "mode=20", true},
	} {
		if _, err := f.New(tt.name, tt.clock, tt.channels, tt.params); (err == nil) != tt.fine || err != nil && !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s/%d/%d %q: %v", tt.name, tt.clock, tt.channels, tt.params, err)
		}
	}
	var none *FFmpeg
	if _, err := none.New("opus", 48000, 2, ""); !errors.Is(err, ErrUnsupported) {
		t.Errorf("without ffmpeg: %v", err)
	}
}

// script makes a program of a few lines of shell.
func script(t *testing.T, lines string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ffmpeg")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+lines), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFindFFmpeg(t *testing.T) {
	if _, err := FindFFmpeg(t.Context(), filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no program: %v", err)
	}
	if _, err := FindFFmpeg(t.Context(), script(t, "echo something else\n")); err == nil {
		t.Error("a program that is not ffmpeg was taken")
	}
	if _, err := FindFFmpeg(t.Context(), script(t, "exit 3\n")); err == nil {
		t.Error("a program that fails was taken")
	}
	f, err := FindFFmpeg(t.Context(), script(t, `case $1 in
-version) echo "ffmpeg version 9.1-test Copyright";;
*) echo " A....D gsm  GSM"; echo " V....D gsmvideo  none";; esac
`))
	if err != nil || f.Version() != "9.1-test" || len(f.decoders) != 1 {
		t.Errorf("%+v, %v", f, err)
	}
}

// A program that writes too much or never ends is stopped, and gets nothing of our
// environment.
func TestFFmpegIsBounded(t *testing.T) {
	f := &FFmpeg{path: script(t, "yes\n"), slots: make(chan struct{}, 1)}
	out, err := f.run(t.Context(), nil, make([]byte, 1<<20), 1000)
	if err != nil || len(out) != 1000 {
		t.Errorf("%d octets, %v", len(out), err)
	}
	t.Setenv("SIPRECD_SECRET", "x")
	f.path = script(t, "env\n")
	if out, err := f.run(t.Context(), nil, nil, 1000); err != nil || strings.Contains(string(out), "SECRET") {
		t.Errorf("%q, %v", out, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	f.path = script(t, "echo begun; exec cat /dev/zero > /dev/null\n")
	done := make(chan error)
	go func() {
		_, err := f.run(ctx, nil, nil, 1000)
		done <- err
	}()
	cancel()
	if err := <-done; err == nil {
		t.Error("a run that was cancelled has no error")
	}
}

// FuzzSplit: any payload has a length, and frames that fit in it.
func FuzzSplit(f *testing.F) {
	f.Add(uint8(0), []byte{0xf0, 0x3c, 1, 2})
	f.Add(uint8(1), []byte{0xfc, 1, 2, 3})
	kinds := []packing{
		amr{&narrowband, true}, opus{}, amr{&narrowband, false}, amr{&wideband, true}, amr{&wideband, false},
		packingOf("G729", 8000, 1, nil), packingOf("GSM", 8000, 1, nil), ilbc{}, g723{}, g726{bits: 3}, g726{bits: 5, aal2: true},
	}
	f.Fuzz(func(t *testing.T, which uint8, payload []byte) {
		p := kinds[int(which)%len(kinds)]
		octets := 0
		frames := p.split(nil, payload)
		for _, fr := range frames {
			octets += len(fr.octets)
			if fr.samples <= 0 || fr.samples > 48000 && len(payload) < 1500 {
				t.Errorf("a frame of %d samples", fr.samples)
			}
		}
		if octets > len(payload)+len(frames)*2 {
			t.Errorf("%d octets in frames of %d", octets, len(payload))
		}
		if len(frames) > 0 && octets > 0 {
			_, coded := sameVariant(frames)
			p.wrap(nil, coded)
		}
	})
}
