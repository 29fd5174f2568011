package capture

import (
	"testing"
	"time"
)

// A digit is in the capture among the packets of its stream, no packet is taken for one,
// and nothing is left of it where its last packet is taken back.
func TestDigits(t *testing.T) {
	want := Digit{Event: 11, Before: 140 * time.Millisecond, Duration: 120 * time.Millisecond}
	for _, cut := range []time.Duration{2 * time.Second, time.Second} {
		given := []Packet{numbered(1), NewDigit(0, time.Second, 7, 4711, want), numbered(127)}
		given[2].Arrival = 1500 * time.Millisecond
		secret := newSecret(t)
		w, path := create(t, newSpool(t, Options{}), secret)
		for i := range given {
			given[i].Stream = 0
			w.Append(&given[i])
		}
		if _, err := w.Cut(0, cut); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		all, _ := read(t, path, secret)
		if cut == time.Second {
			if len(all) != 1 || !all[0].IsRTP() {
				t.Errorf("cut from %v: %+v", cut, all)
			}
			continue
		}
		if len(all) != len(given) {
			t.Fatalf("%d packets", len(all))
		}
		for i, p := range all {
			got, ok := p.Digit()
			if !same(p, given[i]) || ok != (i == 1) || p.IsRTP() == ok || ok && got != want {
				t.Errorf("packet %d: %+v, digit %v %v", i, p, got, ok)
			}
		}
	}
	short := NewDigit(0, 0, 7, 1, want)
	short.Payload = short.Payload[:16]
	if d, ok := short.Digit(); ok {
		t.Errorf("a digit of 16 octets is %v", d)
	}
}
