package main

import (
	"testing"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
)

// TestConformance runs the suite against the program.
func TestConformance(t *testing.T) {
	p, _ := serveProcess(t, "--drain", "0s")
	for _, target := range []check.Target{
		{Address: p.udp, Transport: "udp"},
		{Address: p.tcp, Transport: "tcp"},
	} {
		t.Run(target.Transport, func(t *testing.T) {
			report, err := conformance.Run(deadline(t), target, conformance.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if report.Passed == 0 {
				t.Error("no case passed")
			}
			for _, r := range report.Results {
				// Some cases say that they are about UDP; there, none is skipped.
				if skipped := r.Outcome == check.Skip && target.Transport != "udp"; r.Outcome != check.Pass && !skipped {
					t.Errorf("%s %s: %v\n%s", r.Outcome, r.ID, r.Messages, r.Requirement)
				}
			}
		})
	}
}
