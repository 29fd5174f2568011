package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestGroupsOfARun: the groups that need more than a target are there when their flags
// are, and say what is missing.
func TestGroupsOfARun(t *testing.T) {
	dir := t.TempDir()
	token, file := filepath.Join(dir, "token"), filepath.Join(dir, "some.scenario")
	for path, text := range map[string]string{token: "t\n", file: oneScenario} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	policy := func(more ...string) []string {
		if len(more)%2 == 0 { // flags and their values alone
			more = append(more, "policy")
		}
		return append([]string{"--policy-control", "http://127.0.0.1:9", "--policy-token-file", token, "--policy-data", dir}, more...)
	}
	for _, tt := range []struct {
		name string
		args []string
		want int
		says string
	}{
		{"the scenarios that are built in", policy(), exitPassed, "policy/own-02"},
		{"scenarios of a file", policy("--policy-scenarios", file), exitPassed, "policy/s-1 "},
		{"one of them", policy("--policy-scenarios", file, "policy/s-2"), exitPassed, "policy/s-2 "},
		{"without its flags", []string{"policy"}, exitError, "--policy-control"},
		{"with some of them", []string{"--policy-data", dir, "policy"}, exitError, "--policy-token-file"},
		{"too quick", policy("--policy-gap", "1ms"), exitError, "--policy-gap"},
		{"no wait", policy("--policy-wait", "0s"), exitError, "--policy-wait"},
		{"no such token", policy("--policy-token-file", filepath.Join(dir, "none")), exitError, "none"},
		{"no such scenarios", policy("--policy-scenarios", filepath.Join(dir, "none")), exitError, "none"},
		{"load", []string{"load", "--load-calls", "7"}, exitPassed, "7 recording sessions"},
		{"no load", []string{"load", "--load-calls", "0"}, exitError, "group load"},
		{"load among others", []string{"all", "load"}, exitPassed, "load/turnover/1"},
		{"too much may be missing", []string{"load", "--load-missing", "2"}, exitError, "group load"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			code := run(t.Context(), append([]string{"run", "--target", "sip:127.0.0.1:9", "--dry-run"}, tt.args...), &out, &errs)
			if text := out.String() + errs.String(); code != tt.want || !strings.Contains(text, tt.says) {
				t.Errorf("exit code %d, want %d, %q\n%s", code, tt.want, tt.says, text)
			}
		})
	}
}

// TestGroupsAreListed: the groups that need flags to run are listed when they are named.
func TestGroupsAreListed(t *testing.T) {
	for group, want := range map[string]string{"policy": "policy/own-02 ", "load": "20 recording sessions", "security": "security/rtp/1 "} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), []string{"list", group}, &out, &errs); code != exitPassed || !strings.Contains(out.String(), want) {
			t.Errorf("list %s: exit code %d, without %q\n%s%s", group, code, want, &out, &errs)
		}
	}
}
