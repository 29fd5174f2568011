package conformance_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/internal/model"
	"github.com/siprecd/siprecd/conformance/src"
)

// mortal is a server that dies when it is told to, and is back when it is asked for the
// third time whether it is there.
type mortal struct {
	mu    sync.Mutex
	dead  bool
	asked []string // Call-IDs of OPTIONS
}

func (m *mortal) die() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dead = true
}

func (m *mortal) drop(req *src.Message, _ int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if id := req.Get("Call-ID"); m.dead && req.Method == "OPTIONS" && !slices.Contains(m.asked, id) {
		m.asked = append(m.asked, id)
		m.dead = len(m.asked) < 3
	}
	return m.dead
}

// TestServerCeases: a server that dies in a run is blamed in the case in which it died,
// and not in those that come after it. When it is back, the run goes on.
func TestServerCeases(t *testing.T) {
	var server mortal
	target := start(t, model.Config{Network: "udp", Drop: server.drop})
	open := func(ctx context.Context, t *check.T) { t.Open(ctx, src.Request{}) }
	kill := func(ctx context.Context, t *check.T) {
		server.die()
		t.Open(ctx, src.Request{})
	}
	r, err := conformance.Run(t.Context(), target, conformance.Options{Parallel: 1, Timeout: 500 * time.Millisecond, Cases: []check.Case{
		{ID: "a/1", Run: open}, {ID: "a/2", Run: kill}, {ID: "a/3", Run: open}, {ID: "a/4", Run: open},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var got []check.Outcome
	for _, c := range r.Results {
		got = append(got, c.Outcome)
	}
	if want := []check.Outcome{check.Pass, check.Fail, check.Error, check.Pass}; !slices.Equal(got, want) {
		t.Errorf("the outcomes are %v, want %v", got, want)
	}
	if !strings.Contains(r.Hint, "ceased to answer") || !strings.Contains(r.Hint, "a/2") {
		t.Errorf("hint is %q", r.Hint)
	}
}
