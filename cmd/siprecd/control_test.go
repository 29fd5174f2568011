package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/recorder/control"
)

// A commanded recorder has one live interaction and keeps what it is commanded.
type commanded struct {
	query   recorder.Query
	command recorder.Command
}

func (c *commanded) Find(q recorder.Query) []recorder.State {
	c.query = q
	if q.Agent == "nobody" {
		return nil
	}
	return []recorder.State{{Recording: "one", Account: "acme"}}
}

func (c *commanded) Command(_ context.Context, _ recorder.Query, command recorder.Command) (recorder.Answer, error) {
	c.command = command
	if command.Action == recorder.ActResume {
		return recorder.Answer{}, &recorder.Refusal{Reason: "resumes what was paused later"}
	}
	return recorder.Answer{State: recorder.State{Recording: "one"}}, nil
}

// tokenFile makes a file of tokens with one of all rights that are named, and returns
// the token.
func tokenFile(t *testing.T, accounts string, rights ...string) (token, path string) {
	t.Helper()
	out, errs, code := program(t, "control", "token", "desk", "--account", accounts, "--command", strings.Join(rights, ","))
	lines := strings.SplitAfter(out, "\n")
	if code != exitOK || len(lines) != 3 || !strings.Contains(errs, "kept nowhere") {
		t.Fatalf("control token: exit %d, %q, %q", code, out, errs)
	}
	path = filepath.Join(t.TempDir(), "tokens.yaml")
	if err := os.WriteFile(path, []byte(lines[1]), 0o600); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(lines[0]), path
}

// The client says what its flags say, and prints what the server answers.
func TestControlClient(t *testing.T) {
	token, path := tokenFile(t, "acme", "read", "control", "consent")
	tokens, err := control.ReadTokens(path)
	if err != nil {
		t.Fatal(err)
	}
	rec := &commanded{}
	server := httptest.NewServer(control.New(control.Config{Recorder: rec, Tokens: tokens}))
	defer server.Close()
	t.Setenv("SIPRECD_CONTROL_URL", server.URL)
	t.Setenv(tokenVariable, token)

	before := time.Now()
	out, errs, code := program(t, "control", "consent-given", "--call-id", "a@b", "--agent", "4711", "--at=-30s", "--key", "k", "--reason", "r",
		"--who", "ivr", "--when", "2026-11-21T14:30:05.25Z", "--wording", "May we?", "--digit", "1", "--for", "Jane")
	var answer recorder.Answer
	if err := json.Unmarshal([]byte(out), &answer); code != exitOK || err != nil || answer.State.Recording != "one" || errs != "" {
		t.Fatalf("exit %d, %v, %q, %q", code, err, out, errs)
	}
	if rec.query != (recorder.Query{CallID: "a@b", Agent: "4711"}) {
		t.Errorf("%+v", rec.query)
	}
	got := rec.command
	if ago := before.Sub(got.At); ago < 25*time.Second || ago > 30*time.Second {
		t.Errorf("at %v, %v ago", got.At, ago)
	}
	if want := (recorder.Evidence{Who: "ivr", When: time.Date(2026, 11, 21, 14, 30, 5, 25e7, time.UTC), Wording: "May we?", Digit: "1"}); got.Evidence == nil || *got.Evidence != want {
		t.Errorf("%+v", got.Evidence)
	}
	if got.Key != "k" || got.Reason != "r" || got.By != "desk for Jane" || got.Action != recorder.ActConsentGiven {
		t.Errorf("%+v", got)
	}

	out, _, code = program(t, "control", "find", "--participant", "+15550101", "--vendor-id", "a&b")
	if code != exitOK || !strings.Contains(out, `"recording": "one"`) || rec.query != (recorder.Query{Participant: "+15550101", VendorID: "a&b"}) {
		t.Errorf("find: exit %d, %s, %+v", code, out, rec.query)
	}
	if out, _, code = program(t, "control", "find", "--agent", "nobody"); code != exitOK || !strings.Contains(out, `"interactions": []`) {
		t.Errorf("find of none: exit %d, %s", code, out)
	}

	for _, tt := range []struct {
		args  []string
		code  int
		words string
	}{
		{[]string{"resume", "--recording", "one", "--party", "a"}, exitFailed, "control: The rules refuse the command: resumes what was paused later"},
		{[]string{"pause", "--agent", "nobody", "--party", "a"}, exitFailed, "No live interaction fits"},
		{[]string{"hold", "--recording", "one", "--party", "a"}, exitFailed, "it needs the right facts"},
		{[]string{"burn", "--recording", "one"}, exitUsage, "action: want one of record, pause"},
		{[]string{"pause", "--party", "a"}, exitUsage, "say which interaction is meant"},
		{[]string{"pause", "--account", "acme", "--party", "a"}, exitUsage, "say which interaction is meant"},
		{[]string{"pause", "--recording", "one", "--at", "soon"}, exitUsage, "at: \"soon\" is neither"},
		{[]string{"pause", "--recording", "one", "--at", "30s"}, exitUsage, "at: \"30s\" is neither"},
		{[]string{"consent-given", "--recording", "one", "--when", "x"}, exitUsage, "when: \"x\" is neither"},
		{[]string{"pause", "--recording", "one", "--url", "ftp://x"}, exitUsage, "is no URL"},
		{[]string{"pause", "--recording", "one", "--token-file", path}, exitUsage, "which one?"},
		{[]string{"pause", "--recording", "one", "--ca", path}, exitUsage, "holds no certificate"},
		{[]string{"pause", "--recording", "one", "--ca", path + "x"}, exitUsage, "no such file"},
		{[]string{"find", "--url", server.URL + "/elsewhere"}, exitFailed, "There is nothing here"},
		{[]string{"token", "desk", "--command", "everything"}, exitUsage, "there is no command or group"},
		{[]string{"token", ""}, exitUsage, "name: want 1 to 64 characters"},
	} {
		out, errs, code := program(t, append([]string{"control"}, tt.args...)...)
		if code != tt.code || !strings.HasPrefix(errs, "siprecd: ") || !strings.Contains(errs, tt.words) || strings.Count(errs, "\n") != 1 || out != "" {
			t.Errorf("%q: exit %d, %q, %q; want %d, %s", tt.args, code, out, errs, tt.code, tt.words)
		}
	}
}

// The token may lie in a file; one that cannot be one is not sent.
func TestControlClientToken(t *testing.T) {
	t.Setenv(tokenVariable, "")
	file := filepath.Join(t.TempDir(), "token")
	for text, want := range map[string]string{"abc\nmore\n": "abc", " abc \r\n": "abc", "": "", "a b\n": "", "ä\n": ""} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := (&controlCommand{TokenFile: file}).token(); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	if _, err := (&controlCommand{}).token(); err == nil {
		t.Error("there is no token")
	}
	if _, err := (&controlCommand{TokenFile: file + "x"}).token(); err == nil {
		t.Error("there is no file")
	}
}

func handlerOf(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

// What answers is not always the control interface.
func TestControlClientElsewhere(t *testing.T) {
	t.Setenv(tokenVariable, "abc")
	for answer, want := range map[string]string{"<html>": "is no JSON", "": "is no JSON"} {
		server := httptest.NewServer(handlerOf(200, answer))
		_, errs, code := program(t, "control", "find", "--url", server.URL)
		server.Close()
		if code != exitFailed || !strings.Contains(errs, want) {
			t.Errorf("%q: exit %d, %s", answer, code, errs)
		}
	}
	server := httptest.NewServer(handlerOf(302, "{}"))
	_, errs, code := program(t, "control", "find", "--url", server.URL)
	server.Close()
	if code != exitFailed || !strings.Contains(errs, "answered 302") {
		t.Errorf("redirected: exit %d, %s", code, errs)
	}
	if _, errs, code = program(t, "control", "find", "--url", server.URL); code != exitFailed || !strings.Contains(errs, "refused") {
		t.Errorf("nobody there: exit %d, %s", code, errs)
	}
}

// Each way to ask wrongly for a control interface is refused at the start.
func TestServeRefusesControl(t *testing.T) {
	_, tokens := tokenFile(t, "*", "read")
	open := filepath.Join(t.TempDir(), "open.yaml")
	if err := os.WriteFile(open, []byte("- {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args  []string
		code  int
		words string
	}{
		{[]string{"--control-tokens", tokens}, exitUsage, "there is no control interface"},
		{[]string{"--control", "127.0.0.1:0"}, exitUsage, "nothing says who may command"},
		{[]string{"--control", "127.0.0.1", "--control-tokens", tokens}, exitUsage, "is not host:port"},
		{[]string{"--control", "127.0.0.1:http", "--control-tokens", tokens}, exitUsage, "has no port"},
		{[]string{"--control", "0.0.0.0:0", "--control-tokens", tokens}, exitUsage, "there is no certificate"},
		{[]string{"--control", ":0", "--control-tokens", tokens}, exitUsage, "there is no certificate"},
		{[]string{"--control", "127.0.0.1:0", "--control-tokens", tokens, "--control-cert", tokens}, exitUsage, "control-key"},
		{[]string{"--control", "127.0.0.1:0", "--control-tokens", tokens, "--control-cert", tokens, "--control-key", tokens}, exitFailed, "control certificate"},
		{[]string{"--control", "127.0.0.1:0", "--control-tokens", open}, exitFailed, "may be read by everybody"},
		{[]string{"--control", "127.0.0.1:0", "--control-tokens", tokens + "x"}, exitFailed, "no such file"},
		{[]string{"--control", "192.0.2.1:1", "--control-tokens", tokens, "--control-cert", tokens, "--control-key", tokens}, exitFailed, "control certificate"},
	} {
		args := append([]string{"serve", "--listen", "udp:127.0.0.1:0", "--data", t.TempDir(), "--min-free", "0"}, tt.args...)
		out, errs, code := program(t, args...)
		last := errs[strings.LastIndex(strings.TrimSuffix(errs, "\n"), "\n")+1:]
		if code != tt.code || !strings.HasPrefix(last, "siprecd: ") || !strings.Contains(last, tt.words) || out != "" {
			t.Errorf("%q: exit %d, %q, %q", tt.args, code, out, errs)
		}
	}
}
