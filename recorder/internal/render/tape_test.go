package render

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/codec"
	"github.com/siprecd/siprecd/recorder/internal/capture"
)

func needFFmpeg(t testing.TB) *codec.FFmpeg {
	t.Helper()
	f, err := codec.FindFFmpeg(t.Context(), "ffmpeg")
	if err == nil {
		return f
	}
	if os.Getenv("SIPRECD_CI") != "" {
		t.Fatal(err)
	}
	t.Skipf("needs ffmpeg (Debian package ffmpeg): %v", err)
	return nil
}

// gsm is seconds of a tone that grows, in frames of GSM, with its samples.
func gsm(t testing.TB, seconds int) (frames [][]byte, pcm []int16) {
	t.Helper()
	var in []byte
	for i := range seconds * 8000 {
		s := int16((4000 + 8000*float64(i%8000)/8000) * math.Sin(2*math.Pi*440*float64(i)/8000))
		pcm = append(pcm, s)
		in = binary.LittleEndian.AppendUint16(in, uint16(s))
	}
	cmd := exec.CommandContext(t.Context(), "ffmpeg", "-loglevel", "error", "-f", "s16le", "-ar", "8000", "-ac", "1", "-i", "pipe:0", "-c:a", "libgsm", "-f", "gsm", "pipe:1")
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(slices.Chunk(out, 33)), pcm
}

var gsmFormat = Format{PayloadType: 3, Name: "GSM", ClockRate: 8000, Channels: 1}

// near is how far apart samples are, as dB below the first.
func near(want, got []int16) float64 {
	power, noise := 0.0, 1e-9
	for i := range want {
		d := float64(want[i]) - float64(got[i])
		power, noise = power+float64(want[i])*float64(want[i]), noise+d*d
	}
	return 10 * math.Log10(power/noise)
}

// What ffmpeg decodes lies where its packets say: lost ones are silence of their
// length, and neither a change of encoding, nor a restart, nor the end of a stretch
// moves anything.
// Shows 7866-8.2.1.2-01.
func TestForeignPlace(t *testing.T) {
	f := needFFmpeg(t)
	const seconds = 70 // more than a stretch
	frames, pcm := gsm(t, seconds)
	var ps []capture.Packet
	s := newSender(0, &ps)
	want := slices.Clone(pcm)
	var lost, between []int
	for i, frame := range frames {
		at := i * 160
		switch {
		case i%50 == 20 || i%50 == 21: // lost
			lost = append(lost, i)
			s.seq++
			s.ts += 160
			s.now += 20 * ms
		case i/100 == 7: // two seconds of PCMU
			s.pt = 0
			b := counting(i, 160)
			s.send(b, 160)
			copy(want[at:], decode(t, "PCMU", 8000, b))
			between = append(between, i)
		case i == 2500: // another source
			s.ssrc, s.seq, s.ts = 77, 9, 1234
			fallthrough
		default:
			s.pt = 3
			s.send(frame, 160)
		}
	}
	job := jobFor(t, ps, seconds*time.Second, 0)
	job.Streams[0].Formats, job.FFmpeg = []Format{gsmFormat}, f
	res, got := track(t, job)
	if r := res.Streams[0]; len(r.Undecoded) != 0 || int(r.Lost) != len(lost) || r.Epochs != 2 || len(r.Codecs) != 2 {
		t.Errorf("%+v", r)
	}
	for _, i := range lost {
		if !slices.Equal(got[i*160:(i+1)*160], make([]int16, 160)) {
			t.Fatalf("packet %d was lost and is heard", i)
		}
		clear(want[i*160 : (i+1)*160])
	}
	for _, i := range between {
		equal(t, got[i*160:(i+1)*160], want[i*160:(i+1)*160])
	}
	for sec := range seconds {
		if dB := near(want[sec*8000:(sec+1)*8000], got[sec*8000:(sec+1)*8000]); dB < 7 {
			t.Errorf("second %d: %.1f dB", sec, dB)
		}
	}
	if again := run(t, job); again.Tracks[0].SHA256 != res.Tracks[0].SHA256 {
		t.Errorf("again: %+v, first %+v", again.Tracks[0], res.Tracks[0])
	}
}

// Without ffmpeg, or when it fails, an encoding costs itself and no other stream.
func TestForeignFails(t *testing.T) {
	real := needFFmpeg(t)
	frames, _ := gsm(t, 1)
	script := filepath.Join(t.TempDir(), "ffmpeg")
	if err := os.WriteFile(script, []byte(`#!/bin/sh
case $1 in
-version) echo "ffmpeg version 1 Copyright";;
*) case $2 in -decoders) echo " A....D gsm  GSM";; *) echo cannot >&2; exit 1;; esac;; esac
`), 0o700); err != nil {
		t.Fatal(err)
	}
	broken, err := codec.FindFFmpeg(t.Context(), script)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		ffmpeg *codec.FFmpeg
		want   []string
		said   bool
	}{{"there", real, nil, false}, {"absent", nil, []string{"GSM"}, false}, {"broken", broken, []string{"GSM"}, true}} {
		t.Run(tt.name, func(t *testing.T) {
			var ps []capture.Packet
			a, b := newSender(0, &ps), newSender(1, &ps)
			a.pt = 3
			for _, frame := range frames {
				a.send(frame, 160)
			}
			octets := b.count(50)
			sortByArrival(ps)
			job := jobFor(t, ps, time.Second, 0, 1)
			job.Streams[0].Formats, job.FFmpeg = []Format{gsmFormat}, tt.ffmpeg
			res := run(t, job)
			r := res.Streams[0]
			if !slices.Equal(r.Undecoded, tt.want) || (len(r.Failed) > 0) != tt.said || res.Tracks[0].Heard != (tt.want == nil) {
				t.Errorf("%+v, %+v", r, res.Tracks[0])
			}
			if tt.said && !strings.Contains(r.Failed[0], "GSM") {
				t.Errorf("said %q", r.Failed)
			}
			if tt.want != nil {
				wantGaps(t, r.Gaps, Gap{Interval{0, time.Second}, CauseUndecodable})
			}
			pcm, _, _ := readWAV(t, filepath.Join(job.Dir, res.Tracks[1].File))
			equal(t, pcm, decode(t, "PCMU", 8000, octets))
		})
	}
}

// What is kept for the second reading cannot be read by others, and comes back from
// any of its parts.
func TestScratchFile(t *testing.T) {
	s, err := createScratch(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	pcm := decode(t, "PCMU", 8000, counting(0, 1001))
	var at [3]int64
	for i := range at {
		if at[i], err = s.append(pcm); err != nil {
			t.Fatal(err)
		}
	}
	got := make([]int16, len(pcm))
	for _, a := range at {
		if err := s.read(got, a); err != nil {
			t.Fatal(err)
		}
		equal(t, got, pcm)
	}
	raw, err := os.ReadFile(s.f.Name())
	if err != nil || bytes.Contains(raw, appendSamples(make([]byte, 0, 64), pcm[100:110])) {
		t.Errorf("%d octets in the clear, %v", len(raw), err)
	}
	if err := s.read(got, at[2]+4000); err == nil {
		t.Error("read beyond the end")
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
}

// What a Run that was killed left is gone after the next; other files stay.
func TestLeftovers(t *testing.T) {
	var ps []capture.Packet
	newSender(0, &ps).count(50)
	job := jobFor(t, ps, time.Second, 0)
	left := []string{".samples.123", ".a.wav.456"}
	stay := []string{".b.wav.1", ".samplesx", "notes"}
	for _, name := range slices.Concat(left, stay) {
		if err := os.WriteFile(filepath.Join(job.Dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	for _, name := range left {
		if _, err := os.Stat(filepath.Join(job.Dir, name)); !os.IsNotExist(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range append(stay, "a.wav") {
		if _, err := os.Stat(filepath.Join(job.Dir, name)); err != nil {
			t.Error(err)
		}
	}
}
