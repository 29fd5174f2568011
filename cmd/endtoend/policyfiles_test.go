package endtoend

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	player "github.com/siprecd/siprecd/conformance/policy"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/policy"
	"github.com/siprecd/siprecd/rules/replay"
	"github.com/siprecd/siprecd/rules/scenario"
)

// scenarios are all files of scenarios.
func scenarios(t testing.TB) (all []scenario.Scenario) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "rules", "scenario", "files", "*.scenario"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		list, err := scenario.Parse(string(text))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, list...)
	}
	return all
}

// TestScenarioFiles: the policy file that is made of scenarios means their flags, each
// in the account of its scenario.
func TestScenarioFiles(t *testing.T) {
	all := slices.DeleteFunc(scenarios(t), func(s scenario.Scenario) bool { return player.Excluded(s, player.Standard) != "" })
	text, _, err := player.Files(all)
	if err != nil {
		t.Fatal(err)
	}
	file, problems := policy.Read([]byte(text))
	for _, p := range problems {
		t.Error(p)
	}
	for _, s := range all {
		b := file.Belongs(policy.Traits{RequestURI: "sip:" + player.Account(s) + "@192.0.2.1"})
		if b.Account != player.Account(s) || b.Trunk != "trunk" || (b.Plan != "plan") != slices.ContainsFunc(s.Events, namesPlan) {
			t.Errorf("%s belongs to %+v", s.ID, b)
			continue
		}
		published := replay.Start().Add(-time.Hour)
		want, err := replay.Flags(s)
		if err != nil {
			t.Fatal(err)
		}
		if got := file.Flags(b, published); !reflect.DeepEqual(plainFlags(got), plainFlags(inFile(want, published))) {
			t.Errorf("%s means\n%+v, want\n%+v", s.ID, got, want)
		}
	}
}

// namesPlan reports whether an event names the plan of the call, which then is not known
// at its beginning.
func namesPlan(e scenario.Event) bool { return e.Name == "plan-is" }

// inFile are flags as a policy file can say them: without what is published later,
// without alternatives to all calls, and unfed only where something is suppressed.
func inFile(f rules.Flags, published time.Time) rules.Flags {
	for _, r := range f.Plan {
		if r.Kind == rules.PlanAll {
			f.Plan = []rules.PlanRule{r}
			break
		}
	}
	f.Retention = slices.DeleteFunc(slices.Clone(f.Retention), func(r rules.RetentionRule) bool { return !r.Published.Before(replay.Start()) })
	for i := range f.Retention {
		f.Retention[i].Published = published
	}
	f.FlowsUnfed = f.FlowsUnfed && (len(f.SuppressedFlows.Names) > 0 || !f.QueueWait.All)
	return f
}

// plainFlags makes lists without elements the same as none.
func plainFlags(f rules.Flags) rules.Flags {
	if len(f.Retention) == 0 {
		f.Retention = nil
	}
	if len(f.DoNotRecord) == 0 {
		f.DoNotRecord = nil
	}
	if len(f.Plan) == 0 {
		f.Plan = nil
	}
	return f
}
