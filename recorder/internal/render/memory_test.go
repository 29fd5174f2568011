package render

import (
	"context"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/capture"
)

// A probe is a context that notes the heap each time it is asked, which Run does
// all the while.
type probe struct {
	context.Context
	peak uint64
}

func (p *probe) Err() error {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	p.peak = max(p.peak, m.HeapAlloc)
	return p.Context.Err()
}

// longCapture has two streams with 2 % loss; it is written as it is made.
func longCapture(t testing.TB, length time.Duration) Job {
	t.Helper()
	job := jobFor(t, nil, length, 0, 1)
	job.Capture = filepath.Join(t.TempDir(), "long")
	w := newWriter(t, job.Capture)
	p := capture.Packet{Payload: counting(0, 160)}
	for i := range int(length / (20 * ms)) {
		for id := range 2 {
			if (i*7+id)%50 == 3 {
				continue
			}
			p.Stream, p.SSRC, p.Arrival = id, uint32(id), time.Duration(i)*20*ms
			p.Sequence, p.Timestamp = uint16(i), uint32(i)*160
			put(w, &p)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return job
}

// peak is how much the heap grows while a job runs, in octets.
func peak(t testing.TB, job Job) uint64 {
	t.Helper()
	runtime.GC()
	p := &probe{Context: context.Background()}
	if p.Err() != nil {
		t.Fatal("cancelled")
	}
	begin := p.peak
	res, err := Run(p, job)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range res.Streams {
		if r.Lost == 0 || r.Epochs != 1 || r.MoreGaps != 0 {
			t.Fatalf("stream %d: %d lost, %d epochs, %d gaps more", r.ID, r.Lost, r.Epochs, r.MoreGaps)
		}
	}
	return p.peak - begin
}

// Five minutes of capture are 6 MB, of files 10 MB: less is held.
func TestMemoryIsBounded(t *testing.T) {
	if got := peak(t, longCapture(t, 5*time.Minute)); got > 5<<20 {
		t.Errorf("the heap grew by %d octets", got)
	}
}

func BenchmarkRunHour(b *testing.B) {
	job := longCapture(b, time.Hour)
	most := uint64(0)
	for b.Loop() {
		most = max(most, peak(b, job))
	}
	b.ReportMetric(float64(most)/1e6, "MB")
}
