package render

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	goaudio "github.com/go-audio/audio"
	"github.com/go-audio/wav"

	"github.com/siprecd/siprecd/recorder/internal/capture"
)

// The header of a file changes where its size no longer fits in 32 bits, and says
// the true size on both sides (EBU Tech 3306 §3).
func TestHeaderBeyondRIFF(t *testing.T) {
	le := binary.LittleEndian
	for _, octets := range []int64{0, 2, maxRIFF - wavHeader - 1, maxRIFF - wavHeader, maxRIFF - wavHeader + 1, 5 << 30, 4 << 40} {
		octets &^= 1
		b := appendWAVHeader(nil, 48000, 1, octets, maxRIFF)
		path := filepath.Join(t.TempDir(), "a.wav")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := openWAV(path, nil)
		if err != nil {
			t.Fatalf("%d octets: %v", octets, err)
		}
		if err := r.close(); err != nil {
			t.Fatal(err)
		}
		if r.samples != octets/2 || r.rate != 48000 || r.begin != int64(len(b)) {
			t.Errorf("%d octets: read %d samples at %d Hz from %d", octets, r.samples, r.rate, r.begin)
		}
		long := octets+wavHeader > math.MaxUint32
		if got := string(b[:4]) == "RF64"; got != long {
			t.Errorf("%d octets: RF64 is %v", octets, got)
		}
		riff, data := uint64(le.Uint32(b[4:])), uint64(le.Uint32(b[len(b)-4:]))
		if long {
			if riff != math.MaxUint32 || data != math.MaxUint32 || string(b[12:16]) != "ds64" {
				t.Errorf("%d octets: 32-bit sizes %x, %x", octets, riff, data)
			}
			riff, data = le.Uint64(b[20:]), le.Uint64(b[28:])
		}
		if riff != uint64(octets)+uint64(len(b))-8 || data != uint64(octets) {
			t.Errorf("%d octets: the header says %d in all, %d of samples", octets, riff, data)
		}
	}
}

// A file of more than 4 GiB lies on disk as what is heard in it; the silence is a
// hole. What is heard at its end is found there.
func TestBeyondFourGigabytes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "long.wav")
	const samples = 1<<31 + 1000
	w, err := createWAV(path, nil, 48000, 1, samples, maxRIFF)
	if err != nil {
		t.Fatal(err)
	}
	voice := []int16{1, -2, 3, math.MaxInt16, math.MinInt16}
	if err := w.write(voice); err != nil {
		t.Fatal(err)
	}
	if err := w.flush(); err != nil {
		t.Fatal(err)
	}
	// As if the silence between had been written: to do so takes seconds.
	skipped := int64(samples - 2*len(voice))
	w.at, w.left = w.at+2*skipped, w.left-skipped
	if err := w.write(voice); err != nil {
		t.Fatal(err)
	}
	if err := w.flush(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.f.End(w.size), w.f.Commit()); err != nil {
		t.Fatal(err)
	}
	r, err := openWAV(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	if r.samples != samples || r.begin != rf64Header {
		t.Fatalf("%d samples from %d", r.samples, r.begin)
	}
	got, err := r.read(nil, len(voice))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, voice)
	size := r.f.Size()
	if size != rf64Header+2*samples {
		t.Fatalf("%d octets", size)
	}
	var last [10]byte
	if _, err := r.f.ReadAt(last[:], size-10); err != nil {
		t.Fatal(err)
	}
	equal(t, decode(t, "L16", 48000, swapped(last[:])), voice)
}

// swapped turns little endian into network byte order.
func swapped(b []byte) []byte {
	out := make([]byte, len(b))
	for i := range b {
		out[i^1] = b[i]
	}
	return out
}

// A whole recording in RF64 form holds the samples of one in RIFF form, and a mix
// of both kinds is made.
func TestRunInRF64(t *testing.T) {
	var ps []capture.Packet
	a, b := newSender(0, &ps), newSender(1, &ps)
	a.count(100)
	b.count(100)
	sortByArrival(ps)
	job := jobFor(t, ps, 2*time.Second, 0, 1)
	want := run(t, job)
	riff, _, _ := readWAV(t, filepath.Join(job.Dir, want.Tracks[0].File))
	job.riff = 1000
	res := run(t, job)
	if res.Tracks[0].SHA256 == want.Tracks[0].SHA256 || res.Tracks[0].Samples != want.Tracks[0].Samples {
		t.Fatalf("%+v, want the same in another form as %+v", res.Tracks[0], want.Tracks[0])
	}
	path := filepath.Join(job.Dir, res.Tracks[0].File)
	r, err := openWAV(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	got, err := r.read(nil, int(r.samples))
	if err != nil || r.begin != rf64Header {
		t.Fatalf("%v, samples begin at %d", err, r.begin)
	}
	equal(t, got, riff)
	mixed := filepath.Join(job.Dir, "mix.wav")
	if err := Mix(context.Background(), mixed, nil, plain(path), nil); err != nil {
		t.Fatal(err)
	}
	stereo, _, channels := readWAV(t, mixed)
	if channels != 2 || len(stereo) != 2*len(riff) || stereo[2000] != riff[1000] || stereo[2001] != 0 {
		t.Errorf("%d samples in %d channels", len(stereo), channels)
	}
}

// Samples do not pass the end of a day: places are counted, not told in
// octets of 32 bits or hours of a clock.
func TestBeyondADay(t *testing.T) {
	if testing.Short() {
		t.Skip("short: one goroutine does it all")
	}
	var ps []capture.Packet
	s := newSender(0, &ps)
	octets := s.count(50)
	s.now += 25 * time.Hour
	s.ts += uint32(25 * 3600 * 8000 % (1 << 32))
	octets = append(octets, s.count(50)...)
	job := jobFor(t, ps, 25*time.Hour+2*time.Second, 0)
	res := run(t, job)
	want := int64(25*3600+2) * 8000
	if got := res.Tracks[0]; got.Samples != want {
		t.Fatalf("%d samples, want %d", got.Samples, want)
	}
	f, err := os.Open(filepath.Join(job.Dir, res.Tracks[0].File))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tail := make([]byte, 2*8000)
	if _, err := f.ReadAt(tail, wavHeader+2*(want-8000)); err != nil {
		t.Fatal(err)
	}
	equal(t, decode(t, "L16", 8000, swapped(tail)), decode(t, "PCMU", 8000, octets[8000:]))
}

// What changes on its way to the disk is found when the file is read back.
func TestVerify(t *testing.T) {
	for _, tt := range []struct {
		name   string
		damage func(t *testing.T, path string)
	}{
		{"nothing", nil},
		{"a sample", func(t *testing.T, path string) { write(t, path, 100, 1) }},
		{"the header", func(t *testing.T, path string) { write(t, path, 40, 1) }},
		{"its form", func(t *testing.T, path string) { write(t, path, 0, 'X') }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.wav")
			w, err := createWAV(path, nil, 8000, 1, 500, maxRIFF)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.write(make([]int16, 500)); err != nil {
				t.Fatal(err)
			}
			if err := w.flush(); err != nil {
				t.Fatal(err)
			}
			if tt.damage != nil {
				tt.damage(t, unnamed(t, path))
			}
			_, err = w.commit()
			if (err != nil) != (tt.damage != nil) {
				t.Errorf("commit: %v", err)
			}
			if entries, e := os.ReadDir(filepath.Dir(path)); e != nil || len(entries) != 0 != (err == nil) {
				t.Errorf("left %v, %v", entries, e)
			}
		})
	}
	if _, err := verify(strings.NewReader(""), 44, 0, make([]byte, bufferOctets)); !errors.Is(err, io.EOF) {
		t.Errorf("verify of nothing: %v", err)
	}
}

// unnamed is where a file lies that does not have its name yet.
func unnamed(t *testing.T, path string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	return found[0]
}

func write(t *testing.T, path string, at int64, b byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt([]byte{b}, at)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkWAV compares ways to write a minute of samples, fed a second at a time:
// ours and that of go-audio/wav (docs/decisions/0007). Both write to the same disk
// and neither makes it durable.
func BenchmarkWAV(b *testing.B) {
	second := make([]int16, 8000)
	for i := range second {
		second[i] = int16(i*7 - 20000)
	}
	perPacket := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/3000, "ns/20ms")
	}
	own := func(b *testing.B, name string) {
		path, key := filepath.Join(b.TempDir(), name), testSecret().Key
		b.ReportAllocs()
		for b.Loop() {
			w, err := createWAV(path, key, 8000, 1, 60*8000, maxRIFF)
			if err != nil {
				b.Fatal(err)
			}
			for range 60 {
				if err := w.write(second); err != nil {
					b.Fatal(err)
				}
			}
			if err := w.flush(); err != nil {
				b.Fatal(err)
			}
			if err := w.abort(); err != nil {
				b.Fatal(err)
			}
		}
		perPacket(b)
	}
	b.Run("own", func(b *testing.B) { own(b, "a.wav") })
	b.Run("sealed", func(b *testing.B) { own(b, "a.wav.sealed") })
	b.Run("go-audio", func(b *testing.B) {
		path := filepath.Join(b.TempDir(), "a.wav")
		b.ReportAllocs()
		for b.Loop() {
			f, err := os.Create(path)
			if err != nil {
				b.Fatal(err)
			}
			e := wav.NewEncoder(f, 8000, 16, 1, 1)
			buf := &goaudio.IntBuffer{Format: &goaudio.Format{NumChannels: 1, SampleRate: 8000}, SourceBitDepth: 16, Data: make([]int, len(second))}
			for range 60 {
				for i, s := range second {
					buf.Data[i] = int(s)
				}
				if err := e.Write(buf); err != nil {
					b.Fatal(err)
				}
			}
			if err := errors.Join(e.Close(), f.Close(), os.Remove(path)); err != nil {
				b.Fatal(err)
			}
		}
		perPacket(b)
	})
}
