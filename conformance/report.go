package conformance

import (
	"runtime/debug"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
)

// A Tally counts results. A failed SHOULD is a warning unless the run was strict.
type Tally struct {
	Passed  int `json:"passed"`
	Failed  int `json:"failed"`
	Warned  int `json:"warned"`
	Errors  int `json:"errors"`
	Skipped int `json:"skipped"`
}

// A Group is what came of the cases of one group.
type Group struct {
	Name string `json:"name"`
	Tally
}

// A Report is the outcome of a run.
type Report struct {
	Suite     string        `json:"suite,omitempty"` // version of the suite, where that is known
	Target    string        `json:"target"`
	Transport string        `json:"transport"`
	Server    string        `json:"server,omitempty"`   // what the server calls itself
	Features  []string      `json:"features,omitempty"` // that were claimed; absent: everything
	Strict    bool          `json:"strict"`
	Started   time.Time     `json:"started"`
	Duration  time.Duration `json:"duration_ns"`
	// Hint says what may be wrong as a whole, when no recording session was accepted, or the
	// server ceased to answer.
	Hint string `json:"hint,omitempty"`
	Tally
	Groups  []Group        `json:"groups"` // in the order of the cases
	Results []check.Result `json:"results"`
}

// module is what the suite is part of.
const module = "github.com/siprecd/siprecd"

// version is that of the suite: the tag of its module, or the commit that it was built
// from; empty when neither is known.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if m.Path == module && m.Version != "" && m.Version != "(devel)" {
			return m.Version
		}
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && info.Main.Path == module {
			return s.Value
		}
	}
	return ""
}

func (r *Report) add(result check.Result) {
	r.Results = append(r.Results, result)
	r.count(result)
	for i := range r.Groups {
		if r.Groups[i].Name == result.Group() {
			r.Groups[i].count(result)
			return
		}
	}
	r.Groups = append(r.Groups, Group{Name: result.Group()})
	r.Groups[len(r.Groups)-1].count(result)
}

func (t *Tally) count(r check.Result) {
	switch r.Outcome {
	case check.Pass:
		t.Passed++
	case check.Fail:
		if r.Warning {
			t.Warned++
		} else {
			t.Failed++
		}
	case check.Error:
		t.Errors++
	case check.Skip:
		t.Skipped++
	}
}
