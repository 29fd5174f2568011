package control

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/recorder"
)

// Whatever is sent as a command is refused by a problem, or says the same when it is
// written again.
func FuzzCommand(f *testing.F) {
	for _, body := range []string{
		pauseAgent, `{}`, `[]`, `{"action": "tag", "tags": {"a": "b", "c": ""}}`, `{"action":"pause","action":"resume"}`,
		`{"key":"k","action":"consent-given","at":"2026-11-21T15:30:05.25+01:00","evidence":{"who":"w","when":"2026-11-21T14:30:05Z","digit":"1"}}`,
		`{"evidence":null,"tags":null}`, `{"at":"0000-01-01T00:00:00Z"}`, `{"Action":"\ud800"}`, `{"a":`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if !json.Valid([]byte(body)) {
			return // refused before
		}
		c, err := readCommand([]byte(body))
		if err != nil {
			if p := asProblem(err, recorder.Answer{}); p.Status != 400 || p.Detail == "" {
				t.Errorf("%+v", p)
			}
			return
		}
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		again, err := readCommand(text)
		if twice, other := json.Marshal(again); err != nil || other != nil || string(twice) != string(text) {
			t.Errorf("%s is %s, and that is %s: %v, %v", body, text, twice, err, other)
		}
	})
}

// Whatever stands in a file of tokens is refused in one line, or makes tokens that each
// have a name, accounts and rights.
func FuzzTokens(f *testing.F) {
	f.Add("- {name: a, sha256: " + strings.Repeat("5f", 32) + ", accounts: '*', commands: [read, pause], per-second: 5}\n")
	f.Add("- &a {name: a}\n- *a\n")
	f.Add("- name: a\n  accounts: [[x]]\n")
	f.Add("{}: {}")
	f.Fuzz(func(t *testing.T, text string) {
		ts, err := parseTokens("f", []byte(text))
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") || !strings.HasPrefix(err.Error(), "f:") {
				t.Errorf("%q", err)
			}
			return
		}
		for _, token := range ts.list {
			if token.name == "" || len(token.accounts) == 0 || len(token.rights) == 0 || token.perSecond < 1 {
				t.Errorf("%+v", token)
			}
		}
	})
}
