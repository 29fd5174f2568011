package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/rules/policy"
)

// TestPolicyManual holds docs/policy.md to its word: its table of settings is the
// one of the program, and each file that it shows can be used.
func TestPolicyManual(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(moduleRoot(t), "docs", "policy.md"))
	if err != nil {
		t.Fatal(err)
	}
	if want := policy.Reference(); !strings.Contains(string(text), want) {
		t.Errorf("docs/policy.md does not hold the table of settings:\n%s", want)
	}
	files := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(files) < 2 {
		t.Fatalf("docs/policy.md shows %d files", len(files))
	}
	for _, m := range files {
		f, problems := policy.Read([]byte(m[1]))
		for _, p := range problems {
			t.Errorf("a file of docs/policy.md: %v\n%s", p, m[1])
		}
		for _, fed := range f.Feeds() {
			if fed.Fails() {
				t.Errorf("a file of docs/policy.md: %s is never fed", fed.Setting)
			}
		}
	}
}

// TestStatementsNameTests holds docs/statements.md to its word: what no scenario
// can show is held by a test that exists.
func TestStatementsNameTests(t *testing.T) {
	root := moduleRoot(t)
	text, err := os.ReadFile(filepath.Join(root, "docs", "statements.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([a-z/]+):(Test[A-Za-z]+)`").FindAllStringSubmatch(string(text), -1)
	if len(named) < 3 {
		t.Errorf("docs/statements.md names %d tests", len(named))
	}
	for _, test := range named {
		if !hasTest(t, filepath.Join(root, filepath.FromSlash(test[1])), test[2]) {
			t.Errorf("there is no %s in %s", test[2], test[1])
		}
	}
}

// hasTest reports whether a folder has a test of that name.
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
