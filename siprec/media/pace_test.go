package media

import (
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		name   string
		before time.Duration
		found  findings
		want   time.Duration
	}{
		{"few sockets", 20 * ms, findings{datagrams: 2, took: 10 * time.Microsecond, due: -1}, 20*ms - 10*time.Microsecond},
		{"more of them", 20 * ms, findings{datagrams: 100, took: 2 * ms, due: -1}, 78 * ms},
		{"many", 20 * ms, findings{datagrams: 30000, took: 40 * ms, due: -1}, 160 * ms},
		{"too many", 200 * ms, findings{datagrams: 300000, took: 400 * ms, due: -1}, leastNap},
		{"nothing came", 20 * ms, findings{due: -1}, 40 * ms},
		{"nothing came for long", 150 * ms, findings{due: -1}, 200 * ms},
		{"again something", 200 * ms, findings{datagrams: 1, due: -1}, 20 * ms},
		{"a buffer is half full", 200 * ms, findings{datagrams: 900, took: 10 * ms, fullest: 0.5, due: -1}, 90 * ms},
		{"a quarter", 200 * ms, findings{datagrams: 900, took: 10 * ms, fullest: 0.25, due: -1}, 190 * ms},
		{"a buffer is more than full", 100 * ms, findings{datagrams: 900, took: 10 * ms, fullest: 3, due: -1}, 10 * ms},
		{"one was full", 200 * ms, findings{datagrams: 900, took: 4 * ms, dropped: true, due: -1}, 16 * ms},
		{"something is due", 200 * ms, findings{due: 7 * ms}, 7 * ms},
		{"it is overdue", 200 * ms, findings{due: 0}, leastNap},
		{"it is not due for long", 20 * ms, findings{datagrams: 1, due: 900 * ms}, 20 * ms},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := pace{interval: tt.before}
			if got := p.next(tt.found); got != tt.want {
				t.Errorf("nap %v, want %v", got, tt.want)
			}
			if p.interval < shortestSweep || p.interval > longestSweep {
				t.Errorf("interval %v", p.interval)
			}
		})
	}
}

// TestPaceSettles: under a steady load the interval stays where it is, and a receive
// buffer is never more than half full.
func TestPaceSettles(t *testing.T) {
	for _, rate := range []float64{0.5, 1, 3, 8} { // receive buffers in a second
		p := pace{interval: longestSweep}
		var f findings
		for range 50 {
			f = findings{datagrams: 1, took: time.Millisecond, fullest: rate * p.interval.Seconds(), due: -1}
			p.next(f)
		}
		if f.fullest > 0.5 {
			t.Errorf("at %v buffers a second one was %.0f%% full", rate, 100*f.fullest)
		}
	}
}
