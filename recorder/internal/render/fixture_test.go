package render

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-audio/wav"

	"github.com/siprecd/siprecd/recorder/codec"
	"github.com/siprecd/siprecd/recorder/internal/capture"
	"github.com/siprecd/siprecd/recorder/internal/seal"
)

const ms = time.Millisecond

// A sender makes the packets of one source.
type sender struct {
	stream int
	ssrc   uint32
	seq    uint16
	ts     uint32
	pt     uint8
	clock  int
	delay  time.Duration // of every packet
	now    time.Duration // media time of the next packet
	out    *[]capture.Packet
}

// send sends a payload that lasts some ticks.
func (s *sender) send(payload []byte, ticks int) {
	*s.out = append(*s.out, capture.Packet{
		Stream: s.stream, Arrival: s.now + s.delay, SSRC: s.ssrc, Timestamp: s.ts,
		Sequence: s.seq, PayloadType: s.pt, Payload: slices.Clone(payload),
	})
	s.seq++
	s.ts += uint32(ticks)
	s.now += span(int64(ticks), s.clock)
}

// skip lets time pass without packets.
func (s *sender) skip(d time.Duration) {
	s.now += d
	s.ts += uint32(ticks(d, s.clock))
}

// counting gives n octets that count on from first, without those that are the
// same sample as another.
func counting(first, n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte((first + i) % 127)
	}
	return out
}

// count sends n packets of 20 ms at 8000 Hz whose octets count on.
func (s *sender) count(n int) []byte {
	var all []byte
	for range n {
		b := counting(int(s.seq)*7, 160)
		s.send(b, 160)
		all = append(all, b...)
	}
	return all
}

func newSender(stream int, out *[]capture.Packet) *sender {
	return &sender{stream: stream, ssrc: 0x1000 + uint32(stream), seq: 100, ts: 5000, clock: 8000, out: out}
}

// newWriter begins a capture that is sealed with testSecret.
func newWriter(t testing.TB, path string) *capture.Writer {
	t.Helper()
	spool, err := capture.NewSpool(capture.Options{Dir: filepath.Dir(path)})
	if err != nil {
		t.Fatal(err)
	}
	// Arrivals count from long ago: every page is due.
	w, err := spool.Create(path, testSecret(), time.Time{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(w.Close(), spool.Close()); err != nil {
			t.Error(err)
		}
	})
	return w
}

// testSecret gives one and the same secret.
func testSecret() capture.Secret {
	key, err := seal.New(strings.NewReader(strings.Repeat("k", seal.Size)))
	if err != nil {
		panic(err)
	}
	return capture.Secret{Recording: "r", Key: key}
}

func writeCapture(t testing.TB, packets []capture.Packet) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "capture")
	w := newWriter(t, path)
	for i := range packets {
		put(w, &packets[i])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// put appends a packet. A test is faster than a disk: what had no room is given
// again.
func put(w *capture.Writer, p *capture.Packet) {
	for dropped := w.Dropped(); ; runtime.Gosched() {
		w.Append(p)
		now := w.Dropped()
		if now == dropped {
			return
		}
		dropped = now
	}
}

// jobFor is a job with a track for each stream, all permitted throughout.
func jobFor(t testing.TB, packets []capture.Packet, length time.Duration, streams ...int) Job {
	t.Helper()
	all := Interval{0, length}
	job := Job{Capture: writeCapture(t, packets), Secret: testSecret(), Dir: t.TempDir(), Timeline: all}
	for _, id := range streams {
		job.Streams = append(job.Streams, Stream{ID: id, Permitted: []Interval{all}})
		job.Tracks = append(job.Tracks, Track{
			File: string(rune('a'+id)) + ".wav", Sources: []Source{{id, all}},
		})
	}
	return job
}

func run(t testing.TB, job Job) Result {
	t.Helper()
	res, err := Run(context.Background(), job)
	if err != nil {
		t.Fatal(err)
	}
	for _, tr := range res.Tracks {
		if !tr.Heard {
			if _, err := os.Stat(filepath.Join(job.Dir, tr.File)); !os.IsNotExist(err) {
				t.Errorf("%s exists without being heard: %v", tr.File, err)
			}
			continue
		}
		over, lead := res.Timeline.To-job.Timeline.To, job.Timeline.From-res.Timeline.From
		if over < 0 || over > maxOverhang || lead < 0 || lead > maxLead+time.Millisecond {
			t.Errorf("the files reach %v before and %v beyond the timeline", lead, over)
		}
		if want := ticksNear(res.Timeline.To-res.Timeline.From, tr.Rate); tr.Samples != want {
			t.Errorf("%s: %d samples, the timeline has %d", tr.File, tr.Samples, want)
		}
	}
	runKeeping(t, job, res)
	entries, err := os.ReadDir(job.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name()[0] == '.' {
			t.Errorf("%s was left behind", e.Name())
		}
	}
	return res
}

// runKeeping runs a job again, once with and once without keeping the capture, and
// compares.
func runKeeping(t testing.TB, job Job, want Result) {
	t.Helper()
	if _, bench := t.(*testing.B); bench {
		return
	}
	job.Dir = t.TempDir()
	for _, bench := range []*Bench{nil, new(Bench)} {
		job.Bench = bench
		res, err := Run(context.Background(), job)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(res, want) {
			t.Errorf("keeping the capture %v gives %+v, want %+v", bench != nil, res, want)
		}
		if bench != nil && bench.kept.Load() != 0 {
			t.Errorf("%d octets are being kept", bench.kept.Load())
		}
	}
}

// readWAV reads a file with a library that knows nothing of ours.
func readWAV(t testing.TB, path string) (pcm []int16, rate, channels int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := wav.NewDecoder(f)
	buf, err := d.FullPCMBuffer()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if d.BitDepth != 16 || d.WavAudioFormat != 1 {
		t.Fatalf("%s: format %d of %d bits", path, d.WavAudioFormat, d.BitDepth)
	}
	pcm = make([]int16, len(buf.Data))
	for i, s := range buf.Data {
		pcm[i] = int16(s)
	}
	return pcm, int(d.SampleRate), int(d.NumChans)
}

// track runs a job and reads its first file.
func track(t testing.TB, job Job) (Result, []int16) {
	t.Helper()
	res := run(t, job)
	if !res.Tracks[0].Heard {
		t.Fatal("not heard")
	}
	pcm, rate, channels := readWAV(t, filepath.Join(job.Dir, res.Tracks[0].File))
	if rate != res.Tracks[0].Rate || channels != 1 || int64(len(pcm)) != res.Tracks[0].Samples {
		t.Fatalf("%d samples at %d Hz in %d channels, want %+v", len(pcm), rate, channels, res.Tracks[0])
	}
	return res, pcm
}

func decode(t testing.TB, name string, clock int, payload []byte) []int16 {
	t.Helper()
	d, err := codec.New(name, clock, 1, "")
	if err != nil {
		t.Fatal(err)
	}
	return d.Decode(nil, payload)
}

// lay puts parts at their places in silence.
type laid struct {
	at  int
	pcm []int16
}

func lay(n int, parts ...laid) []int16 {
	out := make([]int16, n)
	for _, p := range parts {
		if p.at < n {
			copy(out[p.at:], p.pcm)
		}
	}
	return out
}

func equal(t testing.TB, got, want []int16) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d samples, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("sample %d (%v) is %d, want %d", i, span(int64(i), 8000), got[i], want[i])
		}
	}
}

func wantGaps(t testing.TB, got []Gap, want ...Gap) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("gaps %v, want %v", got, want)
	}
}

func sortByArrival(ps []capture.Packet) {
	slices.SortStableFunc(ps, func(a, b capture.Packet) int { return cmp.Compare(a.Arrival, b.Arrival) })
}
