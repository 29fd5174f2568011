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

// TestStatements holds the table of docs/statements.md to what the scenarios
// say: no statement is without one, or it says why.
func TestStatements(t *testing.T) {
	shown := map[string][]string{}
	own := 0
	for _, s := range scenarios(t) {
		if s.Class == scenario.Own {
			own++
		}
		if len(s.Statements) == 0 {
			t.Errorf("scenario %s names no statement", s.ID)
		}
		if s.Class == scenario.Silent && s.Reason == "" {
			t.Errorf("scenario %s gives no reason for our choice", s.ID)
		}
		for _, id := range s.Statements {
			shown[id] = append(shown[id], s.ID)
		}
	}
	if own < 40 {
		t.Errorf("%d scenarios of our own", own)
	}
	text, err := os.ReadFile(filepath.Join("scenario", "files", "statements.txt"))
	if err != nil {
		t.Fatal(err)
	}
	table := "# Statements and the scenarios that show them\n\n| id | statement | scenarios |\n|---|---|---|\n"
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		f := append(strings.Split(line, "\t"), "")
		by := strings.Join(shown[f[0]], " ")
		if by == "" {
			by = "none: " + f[2]
		}
		if by == "none: " {
			t.Errorf("no scenario shows %s: %s", f[0], f[1])
		}
		delete(shown, f[0])
		table += "| " + f[0] + " | " + strings.ReplaceAll(f[1], "|", "/") + " | " + by + " |\n"
	}
	for id, by := range shown {
		t.Errorf("%v show %s, which is no statement", by, id)
	}
	doc, err := os.ReadFile(filepath.Join("..", "docs", "statements.md"))
	if err != nil || string(doc) != table {
		t.Errorf("docs/statements.md is not this table (%v):\n%s", err, table)
	}
}
