package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const oneScenario = `scenario: s-1
title: A call
class: own
flags: vonage plan=all ctl=A1
0 in C
0 join A1
60 end
record C 0-60
record A1 0-60
keep forever

scenario: s-2
title: Two draws
class: own
flags: vonage plan=percent30
0 in C
0 plan 0.9
5 plan 0.1
60 end
keep nothing
`

// The files for a server have an account for each scenario that can be played.
func TestPolicyFiles(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "some.scenario")
	if err := os.WriteFile(file, []byte(oneScenario), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"policy", "files", dir, file}, &out, &errs); code != exitPassed {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	for name, want := range map[string]string{"policy.yaml": "{name: A1, may-control: yes}", "directory.yaml": "sip:a1@contact.example.com", "srcs.yaml": "consult-window"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.Contains(string(text), want) || strings.Contains(string(text), "s-2") {
			t.Errorf("%s holds %s (%v), want %s", name, text, err, want)
		}
	}
}

func TestPolicyPlayRefuses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "some.scenario")
	bad := filepath.Join(dir, "bad.scenario")
	for path, text := range map[string]string{file: oneScenario, bad: "scenario:\n", filepath.Join(dir, "token"): "t\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	play := func(more ...string) []string {
		return append([]string{"policy", "play", "--target", "sip:127.0.0.1:9", "--control", "http://127.0.0.1:9",
			"--token-file", filepath.Join(dir, "token"), "--data", dir}, more...)
	}
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"no scenarios", play(), "scenarios"},
		{"a file that is not there", play(filepath.Join(dir, "none")), "none"},
		{"a file that is none", play(bad), "bad.scenario"},
		{"nothing left", play("--only", "s-2", file), "no scenario is left"},
		{"too quick", play("--gap", "10ms", file), "gap"},
		{"no call at a time", play("--at-a-time", "0", file), "at a time"},
		{"another dialect", play("--dialect", "mine", file), "dialect"},
		{"nobody answers", play("--transport", "tcp", file), "no scenario could be played"},
		{"no token", append(play(file), "--token-file", filepath.Join(dir, "none")), "none"},
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), tt.args, &out, &errs)
		if text := out.String() + errs.String(); code != exitError || !strings.Contains(text, tt.want) {
			t.Errorf("%s: exit code %d, %s", tt.name, code, text)
		}
	}
}
