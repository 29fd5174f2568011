package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReadmeShowsTheProgram: the configuration that README.md shows as output of
// the demo is what the demo prints, and each siprecd command and flag that it names
// exists.
func TestReadmeShowsTheProgram(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(moduleRoot(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, lines, err := (&demoCommand{Data: "./data"}).settings()
	if err != nil {
		t.Fatal(err)
	}
	if shown := "  " + strings.Join(lines, "\n  ") + "\n"; !strings.Contains(string(text), shown) {
		t.Errorf("README.md does not show what the demo prints:\n%s", shown)
	}
	for _, m := range regexp.MustCompile(`(?:\./|`+"`"+`)siprecd ([a-z]+)`).FindAllStringSubmatch(string(text), -1) {
		if code, help := helpOf(t, m[1]); code != exitOK {
			t.Errorf("README.md names siprecd %s: exit code %d, %s", m[1], code, help)
		}
	}
	_, help := helpOf(t, "serve")
	_, call := helpOf(t, "call")
	_, token := helpOf(t, "control", "token")
	_, send := helpOf(t, "control", "send")
	for _, flag := range regexp.MustCompile(`--[a-z][a-z-]*`).FindAllString(string(text), -1) {
		if !strings.Contains(help+call+token+send, flag+"=") {
			t.Errorf("README.md names %s, which neither serve, call nor control has", flag)
		}
	}
}

func helpOf(t *testing.T, command ...string) (code int, text string) {
	t.Helper()
	var out bytes.Buffer
	code = run(t.Context(), append(command, "--help"), streams{stdout: &out, stderr: &out})
	return code, out.String()
}
