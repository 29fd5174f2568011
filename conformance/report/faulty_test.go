package report_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/internal/faults"
	"github.com/siprecd/siprecd/conformance/internal/model"
	"github.com/siprecd/siprecd/conformance/internal/modeltest"
	"github.com/siprecd/siprecd/conformance/report"
)

// TestPagesOfFaults: whatever a server does wrong, its page is well formed and shows the
// messages of the failed case. Every tenth fault will do.
func TestPagesOfFaults(t *testing.T) {
	byID := make(map[string]check.Case)
	for _, c := range conformance.All() {
		byID[c.ID] = c
	}
	for i, f := range faults.All() {
		cfg := f.Config()
		if cfg.Network != "" && cfg.Network != "udp" || f.Timeout != 0 || i%10 != 0 {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			r := runAgainst(t, cfg, byID[f.Caught[0]])
			var out bytes.Buffer
			if err := report.HTML(&out, r); err != nil {
				t.Fatal(err)
			}
			wellFormed(t, out.String())
			result := r.Results[0]
			if strings.Count(out.String(), `<div class="message">`) != len(result.Trace) || strings.Count(out.String(), "<polygon") != len(result.Trace) {
				t.Errorf("%s has a trace of %d messages, the page has others", result.ID, len(result.Trace))
			}
		})
	}
}

func runAgainst(t *testing.T, cfg model.Config, c check.Case) *conformance.Report {
	t.Helper()
	cfg.Network = "udp"
	s := modeltest.Start(t, cfg)
	r, err := conformance.Run(t.Context(), check.Target{Address: s.Addr(), Transport: "udp"}, conformance.Options{Cases: []check.Case{c}, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return r
}
