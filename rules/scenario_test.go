package rules_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/rules/replay"
	"github.com/siprecd/siprecd/rules/scenario"
)

// scenarios reads all scenario files.
func scenarios(tb testing.TB) []scenario.Scenario {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join("scenario", "files", "*.scenario"))
	if err != nil || len(files) == 0 {
		tb.Fatalf("no scenario files: %v", err)
	}
	var out []scenario.Scenario
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		list, err := scenario.Parse(string(text))
		if err != nil {
			tb.Fatalf("%s: %v", file, err)
		}
		out = append(out, list...)
	}
	return out
}

func TestScenarios(t *testing.T) {
	for _, s := range scenarios(t) {
		t.Run(s.ID, func(t *testing.T) {
			if s.Access != nil {
				if got := replay.Access(*s.Access); got.Allowed != s.Access.Allowed || got.Reason == "" {
					t.Errorf("%s: got %+v", s.Title, got)
				}
				return
			}
			got, err := replay.Run(s)
			if err != nil {
				t.Fatal(err)
			}
			if g, w := got.Outcome.Lines(), s.Want.Lines(); !slices.Equal(g, w) {
				t.Errorf("%s\ngot\n%s\nwant\n%s", s.Title, strings.Join(g, "\n"), strings.Join(w, "\n"))
			}
		})
	}
}
