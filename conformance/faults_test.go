package conformance_test

import (
	"cmp"
	"flag"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/internal/faults"
)

// TestMain runs eight tests at a time: they wait more than they work.
func TestMain(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		if err := flag.Set("test.parallel", "8"); err != nil {
			panic(err)
		}
	}
	m.Run()
}

// fewest is how many faults there are at least.
const fewest = 60

// faultName is what a fault may be called.
var faultName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

func TestFaultsAreDescribed(t *testing.T) {
	cases := casesByID()
	seen := make(map[string]string)
	all := faults.All()
	for _, f := range all {
		if !faultName.MatchString(f.Name) || !strings.HasSuffix(f.Says, ".") || f.Config == nil || len(f.Caught) == 0 {
			t.Errorf("%s is not fully described", f.Name)
		}
		for _, text := range []string{f.Name, f.Says} {
			if other, twice := seen[text]; twice {
				t.Errorf("%s and %s share %q", other, f.Name, text)
			}
			seen[text] = f.Name
		}
		for i, id := range f.Caught {
			if _, known := cases[id]; !known {
				t.Errorf("%s is to be caught by %s, which is no case", f.Name, id)
			}
			if slices.Contains(f.Caught[:i], id) {
				t.Errorf("%s names %s twice", f.Name, id)
			}
		}
	}
	if len(all) < fewest {
		t.Errorf("there are %d faults, fewer than %d", len(all), fewest)
	}
}

// TestEveryCaseIsFailedBySomeFault: of the RFC groups each case, elsewhere each that
// is a must, is shown to blame a server.
func TestEveryCaseIsFailedBySomeFault(t *testing.T) {
	caught := caughtBy()
	for _, c := range conformance.All() {
		if (c.Level == check.Must || strings.HasPrefix(c.ID, "rfc")) && len(caught[c.ID]) == 0 {
			t.Errorf("%s is failed by no fault", c.ID)
		}
	}
}

// TestFaultsAreCaught runs each wrong server against the cases meant for it; with -short
// one of twelve.
func TestFaultsAreCaught(t *testing.T) {
	cases := casesByID()
	next := make(chan faults.Fault)
	var hands sync.WaitGroup
	for range atATime { // t.Parallel would have as many as there are processors
		hands.Go(func() {
			for f := range next {
				t.Run(f.Name, func(t *testing.T) {
					for _, id := range f.Caught {
						if c, known := cases[id]; known {
							blame(t, f, c)
						}
					}
				})
			}
		})
	}
	for i, f := range faults.All() {
		if !testing.Short() || i%12 == 0 {
			next <- f
		}
	}
	close(next)
	hands.Wait()
}

// blame runs one case against a wrong server; only the server may be blamed.
func blame(t *testing.T, f faults.Fault, c check.Case) {
	t.Helper()
	cfg := f.Config()
	c.Timeout = 0 // that of real servers; the model's time runs faster
	cfg.Network, cfg.Reports = cmp.Or(cfg.Network, "udp"), true
	r, err := conformance.Run(t.Context(), started(t, cfg), conformance.Options{
		Cases: []check.Case{c}, Features: append([]string{}, c.Needs...), Timeout: cmp.Or(f.Timeout, 5*time.Second),
	})
	if err != nil {
		t.Fatal(err)
	}
	messages := c.ID != "rfc7866/12/3" && c.ID != "security/tls/3" // which are about the handshake before the first
	if got := r.Results[0]; got.Outcome != check.Fail || messages && len(got.Trace) == 0 {
		t.Errorf("%s: outcome %s %v with a trace of %d messages, want fail", c.ID, got.Outcome, got.Messages, len(got.Trace))
	}
}

func casesByID() map[string]check.Case {
	out := make(map[string]check.Case)
	for _, c := range conformance.All() {
		out[c.ID] = c
	}
	return out
}

// caughtBy has the names of the faults that each case is meant for.
func caughtBy() map[string][]string {
	out := make(map[string][]string)
	for _, f := range faults.All() {
		for _, id := range f.Caught {
			out[id] = append(out[id], f.Name)
		}
	}
	return out
}
