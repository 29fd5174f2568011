package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/load"
)

// TestConformanceLoad puts the program under the loads of the suite, in small: each packet
// is in a file. A machine that lets the generator be late gives no verdict.
func TestConformanceLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("short: it waits for files")
	}
	p, dir := serveProcess(t, "--drain", "0s")
	cases, err := load.Cases(load.Settings{
		Calls: 5, Rate: 20, Duration: time.Second, Files: filepath.Join(dir, "data"), Wait: 30 * time.Second, ServerPID: p.cmd.Process.Pid,
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		report, err := conformance.Run(deadline(t), check.Target{Address: p.udp, Transport: "udp"}, conformance.Options{Cases: cases})
		if err != nil {
			t.Fatal(err)
		}
		ran := cases
		cases = nil
		for i, r := range report.Results { // in the order of the cases

			switch r.Outcome {
			case check.Error:
				t.Log(r.ID, r.Messages)
				cases = append(cases, ran[i])
			case check.Pass:
				if len(r.Figures) < 8 {
					t.Errorf("%s has the figures %v only", r.ID, r.Figures)
				}
			default:
				t.Errorf("%s %s: %v", r.Outcome, r.ID, r.Messages)
			}
		}
		if len(cases) == 0 {
			return
		}
	}
	t.Skip("this machine is too busy for a generator that is in time")
}
