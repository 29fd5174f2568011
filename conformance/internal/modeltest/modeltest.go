// Package modeltest runs the model server, and cases before it, in tests.
package modeltest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/internal/model"
)

// caseTime is how long a case may take.
const caseTime = 60 * time.Second

// Start runs a model server until the test ends.
func Start(t testing.TB, cfg model.Config) *model.Server {
	t.Helper()
	s, err := model.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Passed runs cases before a right server, over UDP and over TCP, and fails unless each one
// passes or comes to another of the outcomes. Those that look at files are left out: package
// conformance has a model that records.
func Passed(t testing.TB, cases []check.Case, or ...check.Outcome) {
	t.Helper()
	fine := append([]check.Outcome{check.Pass}, or...)
	for _, network := range []string{"udp", "tcp"} {
		target := check.Target{Address: Start(t, model.Config{Network: network}).Addr(), Transport: network}
		for _, c := range cases {
			if c.LooksAtFiles() {
				continue
			}
			ctx, cancel := context.WithTimeout(t.Context(), caseTime)
			r := check.Perform(ctx, c, target)
			cancel()
			if !slices.Contains(fine, r.Outcome) {
				t.Errorf("%s %s: %s %v", network, r.ID, r.Outcome, r.Messages)
			}
		}
	}
}
