package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// commands are the command lines of the suite in the code of the manual.
func commands(t *testing.T, text string) []string {
	t.Helper()
	var out []string
	code := false
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", "")) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "```") {
			code = !code
			continue
		}
		for _, mark := range []string{"- run: ", "- "} {
			line = strings.TrimPrefix(line, mark)
		}
		if rest, found := strings.CutPrefix(line, "siprec-conformance "); code && found {
			out = append(out, rest)
		}
	}
	return out
}

// TestManualIsTrue: the command lines of docs/conformance.md are taken, it speaks of
// every flag of run, and of no other.
func TestManualIsTrue(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "conformance.md"))
	if err != nil {
		t.Fatal(err)
	}
	lines := commands(t, string(text))
	if len(lines) < 10 {
		t.Errorf("the manual has %d command lines only", len(lines))
	}
	for _, line := range lines {
		var o options
		parser, err := kong.New(&o, kong.Exit(func(int) {}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser.Parse(strings.Fields(strings.ReplaceAll(line, "'", ""))); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	told := make(map[string]bool)
	for _, flag := range regexp.MustCompile(`--[a-z][a-z-]*`).FindAllString(string(text), -1) {
		told[flag] = true
	}
	for _, flag := range flagsOfRun(t) {
		if !told[flag] {
			t.Errorf("the manual does not speak of %s", flag)
		}
		delete(told, flag)
	}
	delete(told, "--listen") // of the server in the examples
	if len(told) > 0 {
		t.Errorf("the manual speaks of flags that do not exist: %v", told)
	}
}

func flagsOfRun(t *testing.T) []string {
	t.Helper()
	var o options
	parser, err := kong.New(&o)
	if err != nil {
		t.Fatal(err)
	}
	var flags []string
	for _, node := range parser.Model.Children {
		if node.Name != "run" {
			continue
		}
		for _, f := range node.Flags {
			flags = append(flags, "--"+f.Name)
		}
	}
	if want := reflect.TypeFor[runCommand]().NumField(); len(flags) < want-3 {
		t.Fatalf("run has %d flags only", len(flags))
	}
	return flags
}
