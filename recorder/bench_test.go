package recorder

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
)

// loaded begins recording sessions of two PCMU streams, under a clock that the
// benchmark moves on.
func loaded(b testing.TB, sessions int, hold time.Duration, now *atomic.Int64) (*Recorder, []*interaction, []*Track) {
	b.Helper()
	r, err := New(Config{
		Dir: b.TempDir(), Policy: rules.RecordAll(), HoldBack: hold, Commit: time.Hour,
		Now: func() time.Time { return t0.Add(time.Duration(now.Load())) },
	})
	if err != nil {
		b.Fatal(err)
	}
	var ins []*interaction
	var tracks []*Track
	for range sessions {
		f := newFake(b)
		in, err := unattended(r, offered(both, twoParties)(f), f)
		if err != nil {
			b.Fatal(err)
		}
		in.accept = func(*siprec.Event) {}
		in.legs[0].handle(offered(both, twoParties)(f))
		ins = append(ins, in)
		for i := range both {
			tracks = append(tracks, f.sinks[i].(*Track))
		}
	}
	return r, ins, tracks
}

// ending closes what loaded made, and finishes no files.
func ending(b testing.TB, r *Recorder, ins []*interaction) (dropped uint64) {
	b.Helper()
	for _, in := range ins {
		in.legs[0].handle(ended(3600)(nil))
		in.finish()
		if err := in.capture.Close(); err != nil {
			b.Error(err)
		}
		dropped += in.capture.Dropped()
		if err := in.journal.close(); err != nil {
			b.Error(err)
		}
	}
	if err := r.Close(b.Context()); err != nil {
		b.Error(err)
	}
	return dropped
}

// BenchmarkPacketToDisk is the way of a packet from WriteRTP through the gate into
// its page, sealed, and written to a file, of 100 recording sessions at a time. CPU
// time is that of the process, the writers' included.
func BenchmarkPacketToDisk(b *testing.B) {
	var now atomic.Int64
	r, ins, tracks := loaded(b, 100, time.Second, &now)
	p := packet(0, 0, 0, 0, tone)
	b.ReportAllocs()
	n, before := 0, processorTime(b)
	for b.Loop() {
		turn := n / len(tracks)
		at := time.Duration(turn) * 20 * ms
		if n%len(tracks) == 0 {
			now.Store(int64(at))
			for n > 0 && waitingOctets(ins[0]) > 1<<20 { // a test is faster than time
				runtime.Gosched()
			}
		}
		p.Header.SequenceNumber, p.Header.Timestamp, p.Arrival = uint16(turn), uint32(turn)*160, t0.Add(at)
		tracks[n%len(tracks)].WriteRTP(p)
		n++
	}
	now.Add(int64(time.Hour))
	dropped := ending(b, r, ins)
	b.ReportMetric(float64((processorTime(b)-before).Nanoseconds())/float64(n), "CPU-ns/packet")
	b.ReportMetric(float64(dropped), "dropped")
}

// waitingOctets is what of a recording waits in memory.
func waitingOctets(in *interaction) int { return in.capture.Held() }

// What a recording session of two streams takes in the heap, beside its pages and
// what siprec and media hold of it.
func TestMemoryOfARecordingSession(t *testing.T) {
	if testing.Short() {
		t.Skip("opens many recording sessions")
	}
	const sessions = 200
	var now atomic.Int64
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	first, few, _ := loaded(t, 1, time.Second, &now)
	before := heap()
	r, ins, tracks := loaded(t, sessions, time.Second, &now)
	for turn := range 150 {
		at := time.Duration(turn) * 20 * ms
		now.Store(int64(at))
		for _, tr := range tracks {
			tr.WriteRTP(packet(uint16(turn), uint32(turn)*160, 0, at, tone))
		}
	}
	each := (heap() - before) / sessions
	held := ins[0].capture.Held()
	t.Logf("heap of a recording session of 2 streams in the recorder: %d KiB; pages outside it: %d KiB", each>>10, held>>10)
	if each > 24<<10 {
		t.Errorf("%d octets", each)
	}
	now.Add(int64(time.Hour))
	ending(t, r, ins)
	ending(t, first, few)
}
