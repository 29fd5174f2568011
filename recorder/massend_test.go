package recorder

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
)

// BenchmarkMassEnd finalises recordings of two PCMU streams and half a minute, 3,000
// packets each, that ended all at once: from their captures to verified files, with a
// manifest each. CPU time is that of the process, whatever the disk does.
func BenchmarkMassEnd(b *testing.B) {
	const recordings, seconds, packets = 60, 30.0, 3000
	for b.Loop() {
		b.StopTimer()
		dir := b.TempDir()
		r, err := New(Config{Dir: dir, Policy: rules.RecordAll(), Now: func() time.Time { return sec(100) }})
		if err != nil {
			b.Fatal(err)
		}
		for range cap(r.slots) {
			r.slots <- struct{}{} // finalisers wait
		}
		for range recordings {
			f := newFake(b, offered(both, twoParties), talk(0, 1, 0, seconds), talk(1, 2, 0, seconds), ended(seconds))
			r.serve(b.Context(), f)
		}
		began, before := time.Now(), processorTime(b)
		b.StartTimer()
		for range cap(r.slots) {
			<-r.slots
		}
		if err := r.Close(context.Background()); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		took := time.Since(began)
		b.ReportMetric(float64((processorTime(b)-before).Nanoseconds())/(recordings*packets), "CPU-ns/packet")
		b.ReportMetric(recordings*packets/took.Seconds(), "packets/s")
		list, err := store.List(dir)
		if err != nil {
			b.Fatal(err)
		}
		for _, s := range list {
			if s.State != store.Finished || s.Length != seconds*time.Second || len(s.Files) != 2 {
				b.Fatalf("%+v", s)
			}
		}
		b.StartTimer()
	}
}

func processorTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
