package recorder

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
)

// BenchmarkMassEnd finalises recordings of two PCMU streams that ended all at once: from
// their captures to verified files, with a manifest each. CPU time is that of the
// process, whatever the disk does; that of short ones is what a recording costs beside
// its packets.
func BenchmarkMassEnd(b *testing.B) {
	masters, err := ParseMasterKey(strings.Repeat("07", 32))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("short", func(b *testing.B) { massEnd(b, nil, 300, 0.2) })
	b.Run("plain", func(b *testing.B) { massEnd(b, nil, 60, 30) })
	b.Run("long", func(b *testing.B) { massEnd(b, nil, 12, 300) })
	b.Run("encrypted", func(b *testing.B) { massEnd(b, masters, 60, 30) })
}

func massEnd(b *testing.B, masters *MasterKeys, recordings int, seconds float64) {
	packets := float64(recordings) * seconds * 100
	var used, took time.Duration
	for b.Loop() {
		b.StopTimer()
		dir := b.TempDir()
		r, err := New(Config{Dir: dir, Policy: rules.RecordAll(), Masters: masters, Encrypt: masters != nil, Now: func() time.Time { return sec(1000) }})
		if err != nil {
			b.Fatal(err)
		}
		for range cap(r.slots) {
			r.slots <- struct{}{} // finalisers wait
		}
		script := []func(*fake) *siprec.Event{offered(both, twoParties)}
		for at := 0.0; at < seconds; at++ { // streams come side by side
			script = append(script, talk(0, 1, at, min(at+1, seconds)), talk(1, 2, at, min(at+1, seconds)))
		}
		for range recordings {
			r.serve(b.Context(), newFake(b, append(script, ended(seconds))...))
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
		took += time.Since(began)
		used += processorTime(b) - before
		list, err := store.List(dir)
		if err != nil {
			b.Fatal(err)
		}
		for _, s := range list {
			if s.State != store.Finished || s.Length != time.Duration(seconds*float64(time.Second)) || len(s.Files) != 2 {
				b.Fatalf("%+v", s)
			}
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(used.Nanoseconds())/float64(b.N)/packets, "CPU-ns/packet")
	b.ReportMetric(float64(used.Microseconds())/float64(b.N*recordings), "CPU-us/recording")
	b.ReportMetric(float64(b.N)*packets/took.Seconds(), "packets/s")
}

func processorTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkEndToFiles is the time from the end of a recording session of two PCMU
// streams and half a minute to its finished files, with 20 ending each second.
func BenchmarkEndToFiles(b *testing.B) {
	const recordings, seconds = 60, 30.0
	for b.Loop() {
		core, lines := observer.New(zap.InfoLevel)
		r, err := New(Config{Dir: b.TempDir(), Policy: rules.RecordAll(), Now: func() time.Time { return sec(100) }, Log: zap.New(core)})
		if err != nil {
			b.Fatal(err)
		}
		// All is recorded before the first ends, so that only the ends are measured.
		var ready, served sync.WaitGroup
		ends := make(map[string]chan time.Time)
		at := make(map[string]time.Time)
		for i := range recordings {
			f := newFake(b, offered(both, twoParties), talk(0, 1, 0, seconds), talk(1, 2, 0, seconds))
			f.callID = fmt.Sprint(i)
			end := make(chan time.Time)
			ends[f.callID] = end
			f.script = append(f.script, func(*fake) *siprec.Event { ready.Done(); <-end; return nil }, ended(seconds))
			ready.Add(1)
			served.Go(func() { r.serve(b.Context(), f) })
		}
		ready.Wait()
		tick := time.NewTicker(time.Second / 20)
		for id, end := range ends {
			<-tick.C
			at[id] = time.Now()
			close(end)
		}
		tick.Stop()
		served.Wait()
		if err := r.Close(context.Background()); err != nil {
			b.Fatal(err)
		}
		var took []time.Duration
		for _, l := range lines.FilterMessage("recording finalised").All() {
			took = append(took, l.Time.Sub(at[l.ContextMap()["call_id"].(string)]))
		}
		if len(took) != recordings {
			b.Fatalf("%d recordings of %d are finished", len(took), recordings)
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)*99/100].Milliseconds()), "p99-ms")
		b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "median-ms")
	}
}
