package render

import (
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
