package conformance_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/internal/model"
	"github.com/siprecd/siprecd/conformance/src"
)

// meeting is a case that ends when n of its kind run at a time, or never.
func meeting(id string, n int32, here *atomic.Int32, all chan struct{}) check.Case {
	return check.Case{ID: id, Level: check.Must, Run: func(ctx context.Context, t *check.T) {
		if here.Add(1) == n {
			close(all)
		}
		select {
		case <-all:
		case <-ctx.Done():
			t.Errorf("%d cases came", here.Load())
		}
	}}
}

func TestCasesRunAtATime(t *testing.T) {
	target := start(t, model.Config{Network: "udp"})
	var here, sharing atomic.Int32
	all := make(chan struct{})
	alone := func(id string) check.Case {
		return check.Case{ID: id, Level: check.Must, Alone: true, Run: func(_ context.Context, t *check.T) {
			if n := sharing.Add(1); n != 1 || here.Load() != 3 {
				t.Errorf("%d cases that run alone at a time, %d of the others have begun", n, here.Load())
			}
			sharing.Add(-1)
		}}
	}
	cases := []check.Case{alone("a/1"), meeting("a/2", 3, &here, all), meeting("b/1", 3, &here, all), alone("b/2"), meeting("a/3", 3, &here, all)}
	var begun []string
	r, err := conformance.Run(t.Context(), target, conformance.Options{
		Cases: cases, Parallel: 3, Begin: func(c check.Case) { begun = append(begun, c.ID) },
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		if got := r.Results[i]; got.ID != c.ID || got.Outcome != check.Pass {
			t.Errorf("result %d is %s of %s: %v", i, got.Outcome, got.ID, got.Messages)
		}
	}
	if len(begun) != 5 || !slices.Equal(begun[3:], []string{"a/1", "b/2"}) {
		t.Errorf("began %v", begun)
	}
	if len(r.Groups) != 2 || r.Groups[0].Name != "a" || r.Groups[0].Passed != 3 || r.Groups[1].Passed != 2 {
		t.Errorf("groups %+v", r.Groups)
	}
}

func TestRepeat(t *testing.T) {
	target := start(t, model.Config{Network: "udp"})
	runs := 0
	r, err := conformance.Run(t.Context(), target, conformance.Options{Repeat: 4, Cases: []check.Case{
		{ID: "a/1", Level: check.Must, Run: func(_ context.Context, t *check.T) {
			if runs++; runs == 2 {
				t.Errorf("wrong in run %d", runs)
			}
		}},
		{ID: "a/2", Level: check.Must, Run: func(context.Context, *check.T) {}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Results[0]; got.Outcome != check.Fail || got.Runs != 4 || got.PassedRuns != 3 || len(got.Messages) != 1 {
		t.Errorf("%+v", got)
	}
	if got := r.Results[1]; got.Outcome != check.Pass || got.Runs != 4 || got.PassedRuns != 4 {
		t.Errorf("%+v", got)
	}
}

func TestWarnings(t *testing.T) {
	target := start(t, model.Config{Network: "udp"})
	fails := func(id string, level check.Level) check.Case {
		return check.Case{ID: id, Level: level, Run: func(_ context.Context, t *check.T) { t.Errorf("wrong") }}
	}
	cases := []check.Case{fails("a/1", check.Must), fails("a/2", check.Should), fails("a/3", check.Derived)}
	for strict, want := range map[bool]conformance.Tally{false: {Failed: 2, Warned: 1}, true: {Failed: 3}} {
		r, err := conformance.Run(t.Context(), target, conformance.Options{Cases: cases, Strict: strict})
		if err != nil || r.Tally != want || r.Results[1].Warning == strict || r.Results[0].Warning || r.Results[1].Outcome != check.Fail {
			t.Errorf("strict %v: %+v, %v", strict, r, err)
		}
	}
}

// TestTimeouts: a case has the longest of its own time and the runner's, and the
// duration besides when it needs that.
func TestTimeouts(t *testing.T) {
	target := start(t, model.Config{Network: "udp"})
	target.Duration = time.Hour
	var got [3]time.Duration
	until := func(i int) func(context.Context, *check.T) {
		return func(ctx context.Context, _ *check.T) {
			at, _ := ctx.Deadline()
			got[i] = time.Until(at).Round(time.Minute)
		}
	}
	if _, err := conformance.Run(t.Context(), target, conformance.Options{Timeout: 2 * time.Minute, Cases: []check.Case{
		{ID: "a/1", Timeout: time.Minute, Run: until(0)},
		{ID: "a/2", Timeout: 3 * time.Minute, Run: until(1)},
		{ID: "a/3", Lasts: true, Run: until(2)},
	}}); err != nil {
		t.Fatal(err)
	}
	if want := [3]time.Duration{2 * time.Minute, 3 * time.Minute, 62 * time.Minute}; got != want {
		t.Errorf("cases had %v, want %v", got, want)
	}
}

// TestInterrupted: what was done before the end of the context is reported.
func TestInterrupted(t *testing.T) {
	target := start(t, model.Config{Network: "udp"})
	ctx, cancel := context.WithCancel(t.Context())
	nothing := func(context.Context, *check.T) {}
	r, err := conformance.Run(ctx, target, conformance.Options{Parallel: 1, Cases: []check.Case{
		{ID: "a/1", Run: nothing},
		{ID: "a/2", Run: func(context.Context, *check.T) { cancel() }},
		{ID: "a/3", Run: nothing},
	}})
	if err == nil || r == nil || len(r.Results) != 1 || r.Results[0].ID != "a/1" {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestWrongOptions(t *testing.T) {
	for _, o := range []conformance.Options{{Timeout: -1}, {Parallel: -1}, {Repeat: -1}, {Cases: []check.Case{}}, {Sections: []string{""}}} {
		if _, err := conformance.Run(t.Context(), check.Target{Address: "127.0.0.1:1"}, o); err == nil || strings.HasPrefix(err.Error(), "reach") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestChoose(t *testing.T) {
	var cases []check.Case
	for _, id := range []string{"rfc7866/7/1", "rfc7866/7.2/1", "rfc7866/7.2/10", "rfc7866/7.22/1", "dialects/rfc/1", "dialects/other/1"} {
		cases = append(cases, check.Case{ID: id})
	}
	for _, tt := range []struct {
		sections string
		want     int // cases, 0 for an error
	}{
		{"", 4}, {"all", 6}, {"rfc7866", 4}, {"rfc7866/7", 4}, {"rfc7866/7/", 1}, {"rfc7866/7.2", 2}, {"rfc7866/7.2/1", 1},
		{"dialects", 2}, {"dialects/rfc rfc7866/7.22", 2}, {"rfc7866/7.2 rfc7866/7.2/1", 2}, {"rfc", 0}, {"dialects rfc7866/9", 0},
	} {
		got, err := conformance.Choose(cases, strings.Fields(tt.sections))
		if len(got) != tt.want || (err != nil) != (tt.want == 0) {
			t.Errorf("%q: %d cases, %v", tt.sections, len(got), err)
		}
	}
}

// TestTrace: SIP is kept in full up to bounds, media is summed up.
func TestTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := check.Perform(t.Context(), check.Case{Run: func(_ context.Context, t *check.T) {
			sip := src.Packet{At: time.Now(), Direction: src.Out, Protocol: src.SIP, Transport: "UDP"}
			for i := range 250 {
				sip.Data = fmt.Appendf(nil, "%d", i)
				t.Packet(sip)
			}
			sip.Data = []byte("a\xff" + strings.Repeat("b", 1<<16))
			t.Packet(sip)
			for i := range 50 {
				time.Sleep(20 * time.Millisecond)
				rtp := src.Packet{At: time.Now(), Direction: src.Out, Protocol: src.RTP, Transport: "UDP", Data: make([]byte, 172)}
				rtp.Data[1], rtp.Data[3], rtp.Data[11] = 8, byte(7+i), 5
				t.Packet(rtp)
			}
			t.Packet(src.Packet{At: time.Now(), Direction: src.In, Protocol: src.RTCP, Transport: "UDP", Data: make([]byte, 8)})
			t.Errorf("wrong")
		}}, check.Target{})
		if len(r.Trace) != 202 || r.LeftOut != 51 || r.Trace[0].Text != "0" || r.Trace[99].Text != "99" || r.Trace[100].Text != "151" {
			t.Fatalf("%d messages, %d left out", len(r.Trace), r.LeftOut)
		}
		if got := r.Trace[199].Text; !strings.HasPrefix(got, `a\xffb`) || !strings.HasSuffix(got, "b\r\n[2 more octets]") {
			t.Errorf("a long message is %.20s ... %s", got, got[len(got)-30:])
		}
		if got := r.Trace[200]; got.Text != "50 packets, 8600 octets, SSRC 00000005, payload type 8, sequence 7 to 56, within 980ms" || got.Packets != 50 {
			t.Errorf("%+v", got)
		}
		if got := r.Trace[201]; got.Text != "1 packet, 8 octets" || got.Protocol != src.RTCP || got.Direction != check.Received {
			t.Errorf("%+v", got)
		}
	})
}
