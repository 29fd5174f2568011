package endtoend

import (
	"slices"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/policy"
	"github.com/siprecd/siprecd/rules/scenario"
)

// asCases runs scenarios as cases of the suite against a server.
func asCases(t *testing.T, program string, some []scenario.Scenario) *conformance.Report {
	t.Helper()
	st := newStage(t, program, some)
	p := policy.Player{Control: &policy.Control{URL: "http://" + st.listens["control"], Token: st.token}, Data: st.data}
	report, err := conformance.Run(t.Context(), check.Target{Address: st.listens["udp"], Transport: "udp"}, conformance.Options{
		Cases: policy.Cases(policy.Settings{Player: p, Wait: 30 * time.Second}, some), Parallel: 16,
	})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// someScenarios are a few of each kind, and one that cannot be played.
func someScenarios(t *testing.T, ids ...string) (some []scenario.Scenario) {
	t.Helper()
	for _, s := range scenarios(t) {
		if slices.Contains(ids, s.ID) {
			some = append(some, s)
		}
	}
	if len(some) != len(ids) {
		t.Fatalf("%d of the scenarios %v are there", len(some), ids)
	}
	return some
}

// TestPolicyCases: the group policy of the suite passes on the server while it runs, and
// fails on one whose gate closes 100 ms too late.
func TestPolicyCases(t *testing.T) {
	ids := []string{"S2-02", "S3-02", "own-02", "own-28", "own-76"}
	some := someScenarios(t, ids...)
	for _, r := range asCases(t, buildProgram(t, ""), some).Results {
		if r.Outcome != check.Pass || len(r.Figures) == 0 {
			t.Errorf("%s: %s %v %v", r.ID, r.Outcome, r.Messages, r.Figures)
		}
	}
	for _, r := range asCases(t, buildProgram(t, "brokengate"), some).Results {
		if r.Outcome != check.Fail {
			t.Errorf("%s on a server with a broken gate: %s %v", r.ID, r.Outcome, r.Messages)
		}
	}
}

// TestScenariosAreBuiltIn: those that are built in are those of the files.
func TestScenariosAreBuiltIn(t *testing.T) {
	builtIn, err := scenario.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	all := scenarios(t)
	if !slices.EqualFunc(builtIn, all, func(a, b scenario.Scenario) bool { return a.ID == b.ID && a.Title == b.Title }) {
		t.Errorf("%d scenarios are built in, %d are in the files", len(builtIn), len(all))
	}
	for _, c := range policy.Cases(policy.Settings{}, builtIn) {
		if c.Section == "" || c.Requirement == "." || c.Level != check.Derived || c.Timeout < time.Minute {
			t.Errorf("%s is not fully described", c.ID)
		}
	}
}
