package recorder

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/siprecd/siprecd/recorder/codec"
	"github.com/siprecd/siprecd/recorder/internal/seal"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
	"github.com/siprecd/siprecd/siprec/media"
)

// payloads sends payloads of 20 ms at 8000 Hz from the beginning.
func payloads(index int, pt uint8, list [][]byte) func(*fake) *siprec.Event {
	return func(f *fake) *siprec.Event {
		for i, p := range list {
			f.sinks[index].WriteRTP(&media.Packet{
				Header:  &rtp.Header{Version: 2, PayloadType: pt, SequenceNumber: uint16(i), Timestamp: uint32(i) * 160, SSRC: uint32(index)},
				Payload: p, Arrival: sec(float64(i) / 50),
			})
			f.seq[index]++
		}
		return nil
	}
}

// recordWith records a script with a changed configuration.
func recordWith(t *testing.T, change func(*Config), script ...func(*fake) *siprec.Event) (store.Manifest, string) {
	t.Helper()
	cfg := Config{Dir: t.TempDir(), Policy: rules.RecordAll(), Now: func() time.Time { return sec(100) }}
	change(&cfg)
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.serve(t.Context(), newFake(t, script...))
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := store.List(cfg.Dir)
	if err != nil || len(list) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	m, err := store.Load(cfg.Dir, list[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	return m, cfg.Dir
}

// What could not be decoded stays in its capture, is told as partial, and becomes a
// file when ffmpeg is there; then the capture goes.
func TestRefinalise(t *testing.T) {
	ffmpeg, err := codec.FindFFmpeg(t.Context(), "ffmpeg")
	if err != nil {
		if os.Getenv("SIPRECD_CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("needs ffmpeg (Debian package ffmpeg): %v", err)
	}
	var in []byte
	for i := range 16000 {
		in = binary.LittleEndian.AppendUint16(in, uint16(int16(9000*math.Sin(2*math.Pi*440*float64(i)/8000))))
	}
	cmd := exec.CommandContext(t.Context(), "ffmpeg", "-loglevel", "error", "-f", "s16le", "-ar", "8000", "-ac", "1", "-i", "pipe:0", "-c:a", "libgsm", "-f", "gsm", "pipe:1")
	cmd.Stdin = bytes.NewReader(in)
	gsm, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	script := []func(*fake) *siprec.Event{
		offered(both, twoParties), payloads(0, 3, slices.Collect(slices.Chunk(gsm, 33))), talk(1, 2, 0, 2), ended(2),
	}
	m, dir := recordWith(t, func(*Config) {}, script...)
	folder, _ := store.Folder(dir, m.Recording)
	if m.Verdict != store.Partial || m.Capture != captureName || len(m.Files) != 1 || !slices.Contains(m.Flags, flagUndecodable) ||
		!strings.Contains(strings.Join(m.Reasons, "\n"), "GSM is in the capture") {
		t.Fatalf("%v %q, capture %q, %d files, %v", m.Verdict, m.Reasons, m.Capture, len(m.Files), m.Flags)
	}
	if again, err := Refinalise(t.Context(), dir, m.Recording, nil, nil); err != nil || again.Capture == "" || len(again.Files) != 1 || again.Verdict != store.Partial {
		t.Errorf("without ffmpeg: %v, %+v", err, again.Files)
	}
	want, _ := recordWith(t, func(c *Config) { c.FFmpeg = ffmpeg }, script...)
	if want.Verdict != store.OK || want.Capture != "" || len(want.Files) != 2 {
		t.Fatalf("with ffmpeg at once: %v %q, %d files", want.Verdict, want.Reasons, len(want.Files))
	}
	got, err := Refinalise(t.Context(), dir, m.Recording, ffmpeg, nil)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := store.Load(dir, m.Recording)
	if err != nil || loaded.Verdict != store.OK || loaded.Verdict != got.Verdict || loaded.Capture != "" || len(loaded.Flags) != 0 {
		t.Errorf("%v %q, flags %v, %v", loaded.Verdict, loaded.Reasons, loaded.Flags, err)
	}
	if len(loaded.Files) != 2 || loaded.Files[0].SHA256 != want.Files[0].SHA256 || loaded.Files[0].Participants[0] != "p1" ||
		!slices.Equal(loaded.Participants[0].Files, want.Participants[0].Files) {
		t.Errorf("files %+v of %+v, want %+v", loaded.Files, loaded.Participants, want.Files)
	}
	for _, name := range []string{captureName, planName, seal.FileName} {
		if _, err := os.Stat(filepath.Join(folder, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there: %v", name, err)
		}
	}
	if _, err := Refinalise(context.Background(), dir, m.Recording, ffmpeg, nil); !errors.Is(err, ErrNoCapture) {
		t.Errorf("once more: %v", err)
	}
}

// Signalling that was fine over a file that is empty is noticed, told in words, and
// loud in the log.
func TestVerdict(t *testing.T) {
	hush := slices.Repeat([][]byte{bytes.Repeat([]byte{0xff}, 160)}, 200) // PCMU of 0
	lossy := func(f *fake) *siprec.Event {
		for i := range 10 {
			talk(0, 1, float64(i)*0.4, float64(i)*0.4+0.38)(f)
			f.seq[0]++ // lost
		}
		return nil
	}
	for _, tt := range []struct {
		name    string
		script  []func(*fake) *siprec.Event
		want    store.Verdict
		streams []store.Verdict
		reasons []string
	}{
		{"both are heard", []func(*fake) *siprec.Event{talk(0, 1, 0, 4), talk(1, 2, 0, 4)}, store.OK, []store.Verdict{store.OK, store.OK}, nil},
		{"nothing came", nil, store.Lost, []store.Verdict{store.Lost, store.Lost}, []string{"no packet came while audio was permitted for 4s"}},
		{"one side", []func(*fake) *siprec.Event{talk(0, 1, 0, 4)}, store.Partial, []store.Verdict{store.OK, store.Lost}, []string{"stream 1.0: no packet came", "one-sided"}},
		{"silence", []func(*fake) *siprec.Event{payloads(0, 0, hush), payloads(1, 0, hush)}, store.Silent, []store.Verdict{store.Silent, store.Silent}, []string{"nothing but silence"}},
		{"loss", []func(*fake) *siprec.Event{lossy, talk(1, 2, 0, 4)}, store.Partial, []store.Verdict{store.Partial, store.OK}, []string{"4.5 % of the packets were lost"}},
		{"silence is not sent", []func(*fake) *siprec.Event{talk(0, 1, 0, 0.5), talk(0, 1, 3.8, 4), talk(1, 2, 0, 4)}, store.OK, []store.Verdict{store.OK, store.OK}, nil},
		{"late", []func(*fake) *siprec.Event{talk(0, 1, 2.5, 4), talk(1, 2, 0, 4)}, store.Partial, []store.Verdict{store.Partial, store.OK}, []string{"packets came late, by 2.5s"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			core, lines := observer.New(zapcore.InfoLevel)
			script := slices.Concat([]func(*fake) *siprec.Event{offered(both, twoParties)}, tt.script, []func(*fake) *siprec.Event{ended(4)})
			m, _ := recordWith(t, func(c *Config) { c.Log = zap.New(core) }, script...)
			var got []store.Verdict
			for _, s := range m.Streams {
				got = append(got, s.Quality.Verdict)
			}
			words := strings.Join(m.Reasons, "\n")
			if m.Verdict != tt.want || !slices.Equal(got, tt.streams) || (words == "") != (tt.reasons == nil) {
				t.Errorf("%v %v %q", m.Verdict, got, m.Reasons)
			}
			for _, r := range tt.reasons {
				if !strings.Contains(words, r) {
					t.Errorf("%q does not say %q", words, r)
				}
			}
			told := lines.FilterMessage("recording finalised").All()
			if len(told) != 1 || (told[0].Level == zapcore.WarnLevel) != (tt.want != store.OK) || told[0].ContextMap()["verdict"] != tt.want.String() {
				t.Errorf("log %v", told)
			}
		})
	}
}

// With gaps left out a file holds what is heard, and the manifest says where in the
// interaction that was.
func TestOmitGaps(t *testing.T) {
	hold := []siprec.Stream{mline(0, "1", siprec.SendOnly), mline(1, "2", siprec.Inactive)}
	m, dir := recordWith(t, func(c *Config) { c.OmitGaps = true },
		offered(both, twoParties), talk(0, 1, 0, 4), talk(1, 2, 0, 1), changed(1, hold), changed(3, both), talk(1, 2, 3, 4), ended(4))
	if len(m.Files) != 2 || m.Files[0].DurationMS != 4000 || m.Files[1].DurationMS != 2000 {
		t.Fatalf("%+v", m.Files)
	}
	want := []store.Mapped{{FileMS: 0, Interval: store.Interval{FromMS: 0, ToMS: 1000}}, {FileMS: 1000, Interval: store.Interval{FromMS: 3000, ToMS: 4000}}}
	if !slices.Equal(m.Files[1].Map, want) {
		t.Errorf("map %+v, want %+v", m.Files[1].Map, want)
	}
	// A mix has all in step again.
	path, err := Mix(t.Context(), dir, m.Recording, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil || len(b) != 44+4*4*8000 {
		t.Fatalf("mix of %d octets, %v", len(b), err)
	}
	right := func(s float64) bool { // half of a packet around an instant
		at := 44 + 4*int(s*8000)
		for i := at - 320; i < at+320; i += 4 {
			if b[i+2] != 0 || b[i+3] != 0 {
				return true
			}
		}
		return false
	}
	if !right(0.5) || right(1.5) || right(2.5) || !right(3.5) {
		t.Errorf("the right channel sounds: %v %v %v %v", right(0.5), right(1.5), right(2.5), right(3.5))
	}
}
