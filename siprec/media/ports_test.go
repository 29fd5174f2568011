package media

import (
	"testing"
	"time"
)

func TestPortRange(t *testing.T) {
	tests := []struct {
		name            string
		lowest, highest uint16
		want            []uint16 // nil: refused
	}{
		{"even to odd", 10000, 10003, []uint16{10000, 10002}},
		{"odd to even", 10001, 10006, []uint16{10002, 10004}},
		{"one pair", 10000, 10001, []uint16{10000}},
		{"the last pair there is", 65534, 65535, []uint16{65534}},
		{"port 0 is no port", 0, 3, []uint16{2}},
		{"no neighbour", 10000, 10000, nil},
		{"an odd and an even one", 10001, 10002, nil},
		{"upside down", 10010, 10000, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := newPorts(tt.lowest, tt.highest, time.Second)
			if tt.want == nil {
				if err == nil {
					t.Fatal("accepted")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				got, rested, ok := p.take(time.Time{})
				if !ok || !rested || got.port != want {
					t.Fatalf("got %d rested %v ok %v, want %d", got.port, rested, ok, want)
				}
			}
			if got, _, ok := p.take(time.Time{}); ok {
				t.Errorf("got %d from an empty range", got.port)
			}
		})
	}
}

func TestPortsRest(t *testing.T) {
	p, err := newPorts(10000, 10007, 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	zero := time.Unix(1_700_000_000, 0)
	at := func(s int) time.Time { return zero.Add(time.Duration(s) * time.Second) }
	take := func(s int, want uint16, wantRested bool) {
		t.Helper()
		got, rested, ok := p.take(at(s))
		if !ok || got.port != want || rested != wantRested {
			t.Errorf("at %d s: port %d rested %v ok %v, want %d %v", s, got.port, rested, ok, want, wantRested)
		}
	}
	take(0, 10000, true)
	take(0, 10002, true)
	p.put(restingPort{port: 10002, since: at(1)})
	p.put(restingPort{port: 10000, since: at(2)})
	take(3, 10004, true) // never used, before those that rest
	take(3, 10006, true)
	take(31, 10002, true) // longest rested, exactly long enough
	take(31, 10000, false)
	p.put(restingPort{port: 10006, since: at(40)})
	p.put(restingPort{port: 10000, since: at(41)})
	take(71, 10006, true)
}
