package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func written(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestLoginUsedWrongly(t *testing.T) {
	right := written(t, "opens\r\nnot this\n")
	for _, tt := range []struct{ args, want string }{
		{"--user desk", "--user and --password-file belong together"},
		{"--password-file " + right, "--user and --password-file belong together"},
		{"--user desk --password-file " + right + ".not", "no such file or directory"},
		{"--user desk --password-file " + written(t, "\nopens\n"), "--user and the first line of --password-file: the password is empty"},
		{"--user a:b --password-file " + right, "--user and the first line of --password-file: the user name"},
		{"--features password", "the feature password needs --user and --password-file"},
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), append([]string{"run", "--target", "sip:192.0.2.1"}, strings.Fields(tt.args)...), &out, &errs)
		if code != exitError || !strings.Contains(errs.String(), tt.want) || strings.Count(errs.String(), "\n") != 1 {
			t.Errorf("%s: exit code %d, %q", tt.args, code, errs.String())
		}
	}
}

// TestLoginClaims: who names a user claims what the cases of a password need.
func TestLoginClaims(t *testing.T) {
	for args, want := range map[string]string{
		"--user desk --password-file " + written(t, "opens"): "run   security/digest/7",
		"--profile core": "skip  security/digest/7",
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), append([]string{"run", "--target", "sip:192.0.2.1", "--dry-run", "security/digest"}, strings.Fields(args)...), &out, &errs)
		if code != exitPassed || !strings.Contains(out.String(), want) {
			t.Errorf("%s: exit code %d\n%s%s", args, code, &out, &errs)
		}
	}
}

// TestLoginReachesEveryCommand: run, load and policy play say the password.
func TestLoginReachesEveryCommand(t *testing.T) {
	flags := reachFlags{Target: "sip:192.0.2.1", Transport: "udp", loginFlags: loginFlags{User: "desk", PasswordFile: written(t, "opens\r\n")}}
	target, err := flags.target()
	if err != nil || target.Credentials == nil {
		t.Fatalf("%+v, %v", target, err)
	}
	if a := target.Credentials.Answer("INVITE", "sip:x"); a.Name != "desk" || a.Password != "opens" {
		t.Errorf("%+v", a)
	}
	p, err := policyPlayCommand{reachFlags: flags, Gap: 1e9, AtATime: 1, TokenFile: written(t, "token"), Dialect: "standard"}.player()
	if err != nil || p.SRC.Credentials == nil {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestAskedForAPassword: who gave none is told which flags to use, in one line.
func TestAskedForAPassword(t *testing.T) {
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"run", "--target", echo(t, "401 Unauthorized"), "rfc7866/6.2/1"}, &out, &errs)
	want := `The server accepted no INVITE, and refused 1 of them with "401 Unauthorized": it asks for a password, say one with --user and --password-file.`
	if lines := strings.Split(strings.TrimSpace(out.String()), "\n"); code != exitFailed || lines[len(lines)-1] != want && lines[len(lines)-2] != want {
		t.Errorf("exit code %d\n%s%s", code, &out, &errs)
	}
}
