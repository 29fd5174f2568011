package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/conformance"
)

// TestRequirementsNameTests holds docs/rfc.md to its word: each test that it names
// exists, and nothing is called done without one.
func TestRequirementsNameTests(t *testing.T) {
	root := moduleRoot(t)
	text, err := os.ReadFile(filepath.Join(root, "docs", "rfc.md"))
	if err != nil {
		t.Fatal(err)
	}
	cases := make(map[string]bool)
	for _, c := range conformance.All() {
		cases[c.ID] = true
	}
	caseID := regexp.MustCompile("`(rfc[0-9]+/[0-9.]+/[0-9]+)`")
	named := regexp.MustCompile("`([a-z0-9/-]+):((?:Test|Fuzz)[A-Za-z0-9_]+)`")
	rows := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || !strings.Contains(cells[1], "§") && !strings.Contains(cells[1], "RFC") {
			continue
		}
		rows++
		row := strings.TrimSpace(cells[1]) + ": " + strings.TrimSpace(cells[2])
		tests := named.FindAllStringSubmatch(cells[4], -1)
		ids := caseID.FindAllStringSubmatch(cells[4], -1)
		switch done := strings.TrimSpace(cells[3]); done {
		case "yes":
			if len(tests)+len(ids) == 0 {
				t.Errorf("%s: done, but no test is named", row)
			}
		case "partial", "no":
			if strings.TrimSpace(cells[4]) == "" {
				t.Errorf("%s: nothing says what is missing", row)
			}
		default:
			t.Errorf("%s: %q is not yes, partial or no", row, done)
		}
		for _, test := range tests {
			if !hasTest(t, filepath.Join(root, filepath.FromSlash(test[1])), test[2]) {
				t.Errorf("%s: there is no %s in %s", row, test[2], test[1])
			}
		}
		for _, id := range ids {
			if !cases[id[1]] {
				t.Errorf("%s: the conformance suite has no case %s", row, id[1])
			}
		}
	}
	if rows < 20 {
		t.Errorf("only %d rows were found in docs/rfc.md", rows)
	}
}

func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(source), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}
