package render

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/capture"
)

// What a Run leaves on the bench is wiped, and does not show in the next one's files.
func TestBench(t *testing.T) {
	var bench Bench
	job := func(first, count int, length time.Duration) Job {
		var packets []capture.Packet
		s := newSender(1, &packets)
		s.count(first)
		for range count {
			s.count(160)
		}
		// Out of order, so that packets are held.
		packets[3], packets[5] = packets[5], packets[3]
		return jobFor(t, packets, length, 1)
	}
	long, short := job(100, 400, 9*time.Second), job(50, 60, 2*time.Second)
	want := run(t, short).Tracks[0].SHA256
	for _, j := range []Job{long, short} {
		j.Bench = &bench
		if got := run(t, j).Tracks[0].SHA256; j.Dir == short.Dir && got != want {
			t.Errorf("with what another run left: SHA-256 %s, want %s", got, want)
		}
	}
	w := &workspace{window: []int16{1}, out: []byte{1}, back: []byte{1}, payloads: [][]byte{{1}}, pcm: [][]int16{{1}}}
	bench.put(w)
	if w.window[0] != 0 || w.out[0] != 0 || w.back[0] != 0 || w.payloads[0][0] != 0 || w.pcm[0][0] != 0 {
		t.Errorf("not wiped: %+v", w)
	}
}

// A bench keeps so many captures at a time, none that is too long, and finds room again
// when one is done.
func TestBenchKeepsSome(t *testing.T) {
	var bench Bench
	path := filepath.Join(t.TempDir(), "c")
	if got := bench.reserve(path); got != nil {
		t.Errorf("%d octets for a file that is not there", len(got))
	}
	for size, want := range map[int64]int{0: keepAll / keepStep, keepStep: keepAll / (2 * keepStep), keepEach - keepStep: keepAll / keepEach, keepEach: 0} {
		bench.rooms = sync.Pool{}
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.Truncate(size), f.Close()); err != nil {
			t.Fatal(err)
		}
		var lent [][]byte
		for range keepAll/keepStep + 1 {
			if room := bench.reserve(path); room != nil {
				lent = append(lent, room)
				if int64(len(room)) < size+capture.ReadSpare {
					t.Errorf("%d octets for a file of %d", len(room), size)
				}
			}
		}
		if len(lent) != want {
			t.Errorf("%d captures of %d octets are kept, want %d", len(lent), size, want)
		}
		for _, room := range lent {
			bench.release(room)
		}
		if room := bench.reserve(path); (room != nil) != (want > 0) {
			t.Errorf("%d octets for a file of %d, when all were given back", len(room), size)
		} else if room != nil {
			bench.release(room)
		}
		if n := bench.kept.Load(); n != 0 {
			t.Errorf("%d octets are still kept", n)
		}
	}
}

// BenchmarkRun makes the files of two PCMU streams: from their capture to files that
// were read back. CPU time is that of the process.
func BenchmarkRun(b *testing.B) {
	for _, of := range []struct {
		name     string
		length   time.Duration
		shuffled bool
	}{{"half a minute", 30 * time.Second, false}, {"five minutes", 5 * time.Minute, false}, {"out of order", 5 * time.Minute, true}} {
		b.Run(of.name, func(b *testing.B) {
			var packets []capture.Packet
			for i := range 2 {
				newSender(i, &packets).count(int(of.length / (20 * ms)))
			}
			sortByArrival(packets)
			for i := 10; of.shuffled && i < len(packets)-10; i += 10 {
				packets[i].Arrival, packets[i+2].Arrival = packets[i+2].Arrival, packets[i].Arrival
				packets[i], packets[i+2] = packets[i+2], packets[i]
			}
			job := jobFor(b, packets, of.length, 0, 1)
			job.Bench = new(Bench)
			var took time.Duration
			for b.Loop() {
				before := processorTime(b)
				run(b, job)
				took += processorTime(b) - before
				for _, t := range job.Tracks { // a file in the place of another costs more
					if err := os.Remove(filepath.Join(job.Dir, t.File)); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(took.Nanoseconds())/float64(b.N*len(packets)), "CPU-ns/packet")
		})
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
