package endtoend

import (
	"syscall"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/recorder/store"
)

// BenchmarkWholeServer is the life of a recording session on the whole server: INVITE
// with a body of 5 kB, 200, ACK, ten packets of RTP, BYE, 200, with its ports, its
// journal, and two finished files with their manifest. Eight SRCs are at it at a time,
// in the same process; CPU time is that of the process.
func BenchmarkWholeServer(b *testing.B) {
	for _, network := range []string{"udp", "tcp"} {
		b.Run(network, func(b *testing.B) { benchmarkWhole(b, network) })
	}
}

func benchmarkWhole(b *testing.B, network string) {
	l := newLab(b, "127.0.0.1", nil)
	before, began := processorTime(b), time.Now()
	b.ResetTimer()
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		c, err := src.New(b.Context(), src.Config{Target: l.address(network), Transport: network})
		if err != nil {
			b.Error(err)
			return
		}
		defer c.Close()
		for pb.Next() {
			if err := live(b, c); err != nil {
				b.Error(err)
				return
			}
		}
	})
	l.shutdown() // until the last file is finished
	b.StopTimer()
	b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N), "CPU-us/call")
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "calls/s")
	list, err := store.List(l.dir)
	if err != nil {
		b.Fatal(err)
	}
	finished := 0
	for _, r := range list {
		if r.State == store.Finished {
			finished++
		}
	}
	if finished != b.N {
		b.Fatalf("%d recordings of %d are finished", finished, b.N)
	}
}

// live is one recording session from its INVITE to the answer to its BYE.
func live(b testing.TB, c *src.SRC) error {
	d, err := c.Invite(b.Context(), src.Request{
		Streams: src.TwoParties(src.PCMU()), Metadata: conversation(c).Complete(), Quirks: src.Quirks{PadTo: 4400},
	})
	if err != nil {
		return err
	}
	defer d.Close()
	if m := d.Final(); m.Status != 200 {
		b.Errorf("INVITE answered %d: %s", m.Status, m.Get("Warning"))
		return nil
	}
	for _, st := range d.Streams() {
		if err := st.Burst(b.Context(), src.Counter(src.PCMU()), 5, src.PlayOptions{Codec: src.PCMU()}); err != nil {
			return err
		}
	}
	m, err := d.Bye(b.Context(), src.Request{})
	if err == nil && m.Status != 200 {
		b.Errorf("BYE answered %d: %s", m.Status, m.Get("Warning"))
	}
	return err
}

func processorTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
