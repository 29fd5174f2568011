package render

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/capture"
)

// Digits are told where they are permitted as a whole, each once, in order, and whatever
// else a capture holds.
func TestDigits(t *testing.T) {
	var packets []capture.Packet
	newSender(0, &packets).count(100) // 2 s
	digit := func(stream int, timestamp uint32, arrival time.Duration, d capture.Digit) {
		packets = append(packets, capture.NewDigit(stream, arrival, 0x1000, timestamp, d))
	}
	digit(0, 9, 700*ms, capture.Digit{Event: 11, Before: 200 * ms, Duration: 100 * ms})
	digit(0, 1, 340*ms, capture.Digit{Event: 5, Before: 140 * ms, Duration: 100 * ms})
	digit(0, 1, 360*ms, capture.Digit{Event: 5, Before: 100 * ms, Duration: 120 * ms})  // the same once more
	digit(0, 2, 50*ms, capture.Digit{Event: 6, Before: 140 * ms, Duration: 40 * ms})    // before the beginning is at it
	digit(0, 3, 1040*ms, capture.Digit{Event: 1, Before: 140 * ms, Duration: 100 * ms}) // ends where it is withheld
	digit(0, 4, 1240*ms, capture.Digit{Event: 2, Before: 140 * ms, Duration: 100 * ms})
	digit(0, 5, 1540*ms, capture.Digit{Event: 3, Before: 140 * ms, Duration: 100 * ms}) // begins there
	digit(0, 6, 2400*ms, capture.Digit{Event: 4, Before: 500 * ms, Duration: 480 * ms}) // under way when the stream ends
	digit(0, 7, 2600*ms, capture.Digit{Event: 7, Before: 700 * ms, Duration: 480 * ms}) // for too long
	digit(0, 8, 800*ms, capture.Digit{Event: 16, Before: 140 * ms, Duration: 100 * ms})
	digit(0, 10, 800*ms, capture.Digit{Event: 8, Before: -ms, Duration: 100 * ms})
	digit(1, 11, 800*ms, capture.Digit{Event: 9, Before: 140 * ms, Duration: 100 * ms})
	res, err := Run(context.Background(), Job{
		Capture: writeCapture(t, packets), Secret: testSecret(), Dir: t.TempDir(), Timeline: Interval{0, 2 * time.Second},
		Streams: []Stream{{ID: 0, Permitted: []Interval{{0, time.Second}, {1500 * ms, 2 * time.Second}}, Ends: []time.Duration{2 * time.Second}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []Digit{{6, 0, 40 * ms}, {5, 200 * ms, 120 * ms}, {11, 500 * ms, 100 * ms}, {4, 1900 * ms, 480 * ms}}
	if got := res.Streams[0].Digits; !slices.Equal(got, want) {
		t.Errorf("digits %+v, want %+v", got, want)
	}
	if r := res.Streams[0]; r.Received != 100 || r.Lost != 0 {
		t.Errorf("digits count as audio: %+v", r)
	}
}
