package render

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/codec"
	"github.com/siprecd/siprecd/recorder/internal/capture"
)

// power is that of one frequency in pcm (Goertzel).
func power(pcm []int16, rate int, hz float64) float64 {
	k := 2 * math.Cos(2*math.Pi*hz/float64(rate))
	var a, b float64
	for _, s := range pcm {
		a, b = float64(s)+k*a-b, a
	}
	return (a*a + b*b - k*a*b) / float64(len(pcm))
}

// tone is a second of a frequency, with a click at its beginning.
func tone(hz float64) []int16 {
	out := make([]int16, 8000)
	for i := range out {
		out[i] = int16(4000 * math.Sin(2*math.Pi*hz*float64(i)/8000))
	}
	for i := range 80 {
		out[i] = int16(30000 - 60000*(i%2))
	}
	return out
}

// clicks gives where loud parts begin.
func clicks(pcm []int16) (at []int) {
	for i, s := range pcm {
		if max(s, -s) > 25000 && (len(at) == 0 || i-at[len(at)-1] > 4000) {
			at = append(at, i)
		}
	}
	return at
}

// Two parties over a bad network for a minute: each tone in its own file, of the
// right length, clicks in step.
func TestTonesOverBadNetwork(t *testing.T) {
	const seconds = 60
	rnd := rand.New(rand.NewPCG(1, 2))
	var ps []capture.Packet
	for id, hz := range []float64{440, 880} {
		s := newSender(id, &ps)
		s.ts, s.seq = rnd.Uint32(), uint16(rnd.Uint32())
		second := codec.EncodePCMU(nil, tone(hz))
		for i := range seconds * 50 {
			frame := second[i%50*160 : (i%50+1)*160]
			s.delay = time.Duration(20+rnd.ExpFloat64()*5) * ms // most are prompt
			if rnd.IntN(20) == 0 {
				s.delay += time.Duration(rnd.IntN(90)) * ms // reordered
			}
			switch {
			case rnd.IntN(50) == 0 && i%50 != 0: // lost, but no click
				s.seq++
				s.skip(20 * ms)
			default:
				s.send(frame, 160)
				if rnd.IntN(40) == 0 {
					ps = append(ps, ps[len(ps)-1])
				}
			}
		}
	}
	sortByArrival(ps)
	job := jobFor(t, ps, seconds*time.Second+20*ms, 0, 1)
	res := run(t, job)
	var found [2][]int
	for id, hz := range []float64{440, 880} {
		pcm, rate, _ := readWAV(t, filepath.Join(job.Dir, res.Tracks[id].File))
		if rate != 8000 || len(pcm) != seconds*8000+160 {
			t.Fatalf("%d samples at %d Hz", len(pcm), rate)
		}
		if own, other := power(pcm, rate, hz), power(pcm, rate, 1320-hz); own < 1000*other {
			t.Errorf("file %d: %g at %v Hz, %g at the other's", id, own, hz, other)
		}
		found[id] = clicks(pcm)
		r := res.Streams[id]
		if r.Lost < 20 || r.Received+r.Lost != seconds*50 || r.Late == 0 || r.Duplicate == 0 || r.Epochs != 1 {
			t.Errorf("stream %d: %d received, %d lost, %d late, %d twice, %d epochs",
				id, r.Received, r.Lost, r.Late, r.Duplicate, r.Epochs)
		}
		var silent time.Duration
		for _, g := range r.Gaps {
			if g.Cause == CauseLost {
				silent += g.To - g.From
			}
		}
		if want := time.Duration(r.Lost) * 20 * ms; silent > want || silent < want-20*ms {
			t.Errorf("stream %d: %d lost in %v", id, r.Lost, silent)
		}
	}
	if len(found[0]) != seconds || len(found[1]) != seconds {
		t.Fatalf("%d and %d clicks", len(found[0]), len(found[1]))
	}
	for i := range found[0] {
		if d := found[0][i] - found[1][i]; max(d, -d) > 160 {
			t.Errorf("click %d is %d samples out of step", i, d)
		}
		if d := found[0][i] - found[0][0] - i*8000; max(d, -d) > 1 {
			t.Errorf("click %d of the first file is %d samples off", i, d)
		}
	}
}

func TestResampler(t *testing.T) {
	for _, c := range []struct{ from, to int }{{8000, 16000}, {8000, 48000}, {16000, 48000}, {8000, 44100}, {44100, 48000}, {11025, 48000}} {
		in := make([]int16, c.from)
		for i := range in {
			in[i] = int16(10000 * math.Sin(2*math.Pi*1000*float64(i)/float64(c.from)))
		}
		r := &resampler{kernel: newKernel(c.from, c.to)}
		r.begin()
		var out []int16
		for part := range slices.Chunk(in, 77) {
			out = r.push(out, part)
		}
		out = r.flush(out)
		if len(out) != c.to {
			t.Fatalf("%d to %d: %d samples", c.from, c.to, len(out))
		}
		worst := 0.0
		for i := c.to / 100; i < c.to*99/100; i++ { // away from the ends of the run
			want := 10000 * math.Sin(2*math.Pi*1000*float64(i)/float64(c.to))
			worst = max(worst, math.Abs(float64(out[i])-want))
		}
		if worst > 10 { // -60 dB
			t.Errorf("%d to %d: off by %v", c.from, c.to, worst)
		}
	}
}

// file writes a mono file.
func file(t *testing.T, dir, name string, rate int, pcm []int16) string {
	t.Helper()
	path := filepath.Join(dir, name)
	w, err := createWAV(path, nil, rate, 1, int64(len(pcm)), maxRIFF)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.write(pcm); err != nil {
		t.Fatal(err)
	}
	if _, err := w.commit(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMix(t *testing.T) {
	dir := t.TempDir()
	constant := func(n int, v int16) []int16 { return slices.Repeat([]int16{v}, n) }
	a := file(t, dir, "a", 8000, constant(20000, 20000))
	b := file(t, dir, "b", 8000, constant(12000, 20000))
	c := file(t, dir, "c", 16000, constant(24000, -5000))
	empty := file(t, dir, "e", 8000, nil)
	for _, m := range []struct {
		name         string
		left, right  []string
		rate, frames int
		l, r         []int16 // at 0.5 s and 1 s and 2 s
	}{
		{"one each", []string{a}, []string{b}, 8000, 20000, []int16{20000, 20000, 20000}, []int16{20000, 20000, 0}},
		{"sum is clipped", []string{a, b}, nil, 8000, 20000, []int16{32767, 32767, 20000}, []int16{0, 0, 0}},
		{"rates differ", []string{a}, []string{c, empty}, 16000, 40000, []int16{20000, 20000, 20000}, []int16{-5000, -5000, 0}},
	} {
		t.Run(m.name, func(t *testing.T) {
			out := filepath.Join(dir, "mix.wav")
			if err := Mix(context.Background(), out, nil, plain(m.left...), plain(m.right...)); err != nil {
				t.Fatal(err)
			}
			pcm, rate, channels := readWAV(t, out)
			if rate != m.rate || channels != 2 || len(pcm) != 2*m.frames {
				t.Fatalf("%d frames of %d at %d Hz", len(pcm)/2, channels, rate)
			}
			for i, at := range []int{rate / 2, rate, 2 * rate} {
				if pcm[2*at] != m.l[i] || pcm[2*at+1] != m.r[i] {
					t.Errorf("sample %d: %v", at, pcm[2*at:2*at+2])
				}
			}
		})
	}
}

func TestMixRefuses(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out.wav")
	good := file(t, dir, "good", 8000, make([]int16, 800))
	if err := Mix(context.Background(), out, nil, plain(good), plain(good)); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	bad := func(name string, change func([]byte) []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, change(slices.Clone(whole)), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if err := os.Remove(out); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		files []string
	}{
		{"no files", nil},
		{"missing", []string{filepath.Join(dir, "none")}},
		{"not WAV", []string{bad("x", func(b []byte) []byte { b[0] = 'X'; return b })}},
		{"stereo", []string{bad("s", func(b []byte) []byte { b[22] = 2; return b })}},
		{"cut", []string{good, bad("c", func(b []byte) []byte { return b[:len(b)-1] })}},
		{"no rate", []string{bad("r", func(b []byte) []byte { clear(b[24:28]); return b })}},
	} {
		if err := Mix(context.Background(), out, nil, plain(c.files...), nil); err == nil {
			t.Errorf("%s: no error", c.name)
		}
		if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: a file was made: %v", c.name, err)
		}
	}
}

// plain are inputs of a mix that begin where it does.
func plain(paths ...string) (out []MixFile) {
	for _, p := range paths {
		out = append(out, MixFile{Path: p})
	}
	return out
}
