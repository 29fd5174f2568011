package capture

import (
	"strings"
	"testing"
	"time"
)

// A sender report is in the capture among the packets of its stream, and no packet is
// taken for one.
func TestReports(t *testing.T) {
	for _, cname := range []string{"", "alice@192.0.2.1", strings.Repeat("n", 255)} {
		want := Report{NTP: 0xe9abcdef_01234567, CNAME: cname}
		given := []Packet{numbered(1), NewReport(0, time.Second, 7, 4711, want), numbered(127)}
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
			got, ok := p.Report()
			if !same(p, given[i]) || ok != (i == 1) || p.IsReport() != ok || ok && got != want {
				t.Errorf("packet %d: %+v, report %v %v", i, p, got, ok)
			}
		}
	}
	cut := NewReport(0, 0, 7, 1, Report{NTP: 1})
	cut.Payload = cut.Payload[:7]
	if r, ok := cut.Report(); ok {
		t.Errorf("a report of 7 octets is %v", r)
	}
}
