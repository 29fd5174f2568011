package capture

import (
	"testing"
	"time"
)

// That a packet came is in the capture with its number, and nothing else of it; no other
// packet is taken for one.
func TestPassed(t *testing.T) {
	given := []Packet{numbered(1), NewPassed(0, time.Second, 7, 4711), NewDigit(0, time.Second, 7, 1, Digit{})}
	secret := newSecret(t)
	w, path := create(t, newSpool(t, Options{}), secret)
	for i := range given {
		given[i].Stream = 0
		w.Append(&given[i])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	all, _ := read(t, path, secret)
	if len(all) != len(given) {
		t.Fatalf("%d packets", len(all))
	}
	for i, p := range all {
		if !same(p, given[i]) || p.IsPassed() != (i == 1) || p.IsRTP() != (i == 0) {
			t.Errorf("packet %d: %+v", i, p)
		}
	}
}
