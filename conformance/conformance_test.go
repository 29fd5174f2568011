package conformance_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/internal/model"
	"github.com/siprecd/siprecd/conformance/src"
)

func TestOutcomes(t *testing.T) {
	target := start(t, model.Config{Network: "udp"})
	tests := []struct {
		name  string
		needs []string
		run   func(ctx context.Context, t *check.T)
		want  check.Outcome
	}{
		{"says nothing", nil, func(context.Context, *check.T) {}, check.Pass},
		{"Errorf", nil, func(_ context.Context, t *check.T) { t.Errorf("wrong") }, check.Fail},
		{"Fatalf ends the case", nil, func(_ context.Context, t *check.T) { t.Fatalf("wrong"); panic("reached") }, check.Fail},
		{"Skipf ends the case", nil, func(_ context.Context, t *check.T) { t.Skipf("not here"); panic("reached") }, check.Skip},
		{"panic", nil, func(context.Context, *check.T) { panic("oh") }, check.Error},
		{"failure and panic", nil, func(_ context.Context, t *check.T) { t.Errorf("wrong"); panic("oh") }, check.Error},
		{"panic in a cleanup", nil, func(_ context.Context, t *check.T) { t.Cleanup(func() { panic("oh") }) }, check.Error},
		{"network error", nil, func(_ context.Context, t *check.T) { t.Check(errors.New("no route"), "dial") }, check.Error},
		{"no response", nil, func(_ context.Context, t *check.T) { t.Check(src.ErrNoResponse, "INVITE") }, check.Fail},
		{"timeout", nil, func(ctx context.Context, t *check.T) { <-ctx.Done(); t.Check(ctx.Err(), "wait") }, check.Error},
		{"feature not claimed", []string{"video"}, func(_ context.Context, t *check.T) { panic("reached") }, check.Skip},
		{"feature claimed", []string{"update"}, func(context.Context, *check.T) {}, check.Pass},
	}
	var cases []check.Case
	for _, c := range tests {
		cases = append(cases, check.Case{ID: c.name, Needs: c.needs, Run: c.run, Level: check.Must})
	}
	seen := 0
	r, err := conformance.Run(t.Context(), target, conformance.Options{
		Cases: cases, Features: []string{"update"}, Timeout: 200 * time.Millisecond,
		Progress: func(check.Result) { seen++ },
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range tests {
		if got := r.Results[i]; got.Outcome != c.want {
			t.Errorf("%s: outcome %s %v, want %s", c.name, got.Outcome, got.Messages, c.want)
		}
	}
	if seen != len(tests) || r.Passed != 2 || r.Failed != 3 || r.Errors != 5 || r.Skipped != 2 {
		t.Errorf("%d seen; %d passed, %d failed, %d errors, %d skipped", seen, r.Passed, r.Failed, r.Errors, r.Skipped)
	}
	text, err := json.Marshal(r)
	if err != nil || !strings.Contains(string(text), `"level":"must","requirement":"","outcome":"error"`) {
		t.Errorf("report as JSON: %s, %v", text, err)
	}
}

func TestCleanupsRunLastFirst(t *testing.T) {
	var order []int
	r := check.Perform(t.Context(), check.Case{Run: func(_ context.Context, t *check.T) {
		t.Cleanup(func() { order = append(order, 1) })
		t.Cleanup(func() { order = append(order, 2) })
		t.Fatalf("wrong")
	}}, check.Target{})
	if r.Outcome != check.Fail || len(order) != 2 || order[0] != 2 {
		t.Errorf("outcome %s, order %v", r.Outcome, order)
	}
}

// TestTimeOfACaseIsOver: what failed for want of time says so, what failed before does not.
func TestTimeOfACaseIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, waits := range []bool{true, false} {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			r := check.Perform(ctx, check.Case{Run: func(ctx context.Context, t *check.T) {
				if waits {
					<-ctx.Done()
				}
				t.Errorf("no response")
			}}, check.Target{})
			cancel()
			if said := strings.Contains(strings.Join(r.Messages, "\n"), "The 10s of this case were over"); said != waits || r.Outcome != check.Fail {
				t.Errorf("waits %v: %s %q", waits, r.Outcome, r.Messages)
			}
		}
	})
}

func TestSections(t *testing.T) {
	target := start(t, model.Config{Network: "tcp"})
	r, err := conformance.Run(t.Context(), target, conformance.Options{Sections: []string{"rfc7866/6.2", "rfc3264/6/"}})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, c := range r.Results {
		ids = append(ids, c.ID)
	}
	if got := strings.Join(ids, " "); got != "rfc3264/6/1 rfc3264/6/2 rfc3264/6/3 rfc3264/6/4 rfc7866/6.2/1 rfc7866/6.2/2 rfc7866/6.2/3" {
		t.Errorf("ran %s", got)
	}
	if _, err := conformance.Run(t.Context(), target, conformance.Options{Sections: []string{"rfc9999"}}); err == nil {
		t.Error("a section without cases is no error")
	}
}

func TestUnreachableTarget(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		s, err := model.Start(model.Config{Network: network})
		if err != nil {
			t.Fatal(err)
		}
		target := check.Target{Address: s.Addr(), Transport: network}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := conformance.Run(t.Context(), target, conformance.Options{Timeout: 100 * time.Millisecond}); err == nil {
			t.Errorf("%s: no error", network)
		}
	}
}
