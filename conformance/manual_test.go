package conformance_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestManualShowsTheExample: the Go test in docs/conformance.md is the one that is run
// here.
func TestManualShowsTheExample(t *testing.T) {
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, example, found := strings.Cut(string(source), "\nfunc TestRecorder(")
	if !found {
		t.Fatal("example_test.go has no TestRecorder")
	}
	manual, err := os.ReadFile(filepath.Join("..", "docs", "conformance.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(manual), "```go\nfunc TestRecorder("+strings.TrimSpace(example)+"\n```\n") {
		t.Error("docs/conformance.md does not show TestRecorder of example_test.go as it is")
	}
}
