package control

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/recorder"
)

// Each action is in one group, and the table below is what docs/control.md promises.
func TestRightsOfActions(t *testing.T) {
	for _, a := range recorder.Actions() {
		n := 0
		for _, g := range groups() {
			if slices.Contains(g.actions, a) {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s is in %d groups", a, n)
		}
	}
	for action, want := range map[recorder.Action]right{
		"record": "record", "pause": "control", "resume": "control", "secure-start": "control", "secure-stop": "control",
		"consent-asked": "consent", "consent-given": "consent", "party-agreed": "consent",
		"consent-refused": "consent-no", "consent-unanswered": "consent-no", "consent-withdrawn": "consent-no",
		"user-recording-start": "user-recording", "user-recording-stop": "user-recording", "do-not-record": "do-not-record",
		"hold": "facts", "tag": "facts", "plan": "facts", "transfer-blind": "facts", "queue-left": "facts", "erase": "", "": "",
	} {
		if got := rightOf(action); got != want {
			t.Errorf("%s needs %s, want %s", action, got, want)
		}
	}
}

// Whoever may do one thing may do nothing else.
func TestEachRight(t *testing.T) {
	body := func(a recorder.Action) string { return fmt.Sprintf(`{"action": %q, "reason": "r"}`, a) }
	var entries []string
	for _, name := range rightNames() {
		entries = append(entries, entry(t, name, []string{"acme"}, name))
	}
	for _, name := range rightNames() {
		b := newBench(t, entries...)
		for _, a := range recorder.Actions() {
			r := b.ask(name, "POST", "/v1/interactions/one/commands", body(a))
			// Of another account, whoever has the right does not find it.
			other := b.ask(name, "POST", "/v1/interactions/two/commands", body(a))
			if name == string(a) || name == string(rightOf(a)) {
				b.wantFine(r)
				b.wantProblem(other, 404, "not-live")
				continue
			}
			if p := b.wantProblem(r, 403, "forbidden"); p.Right != string(rightOf(a)) {
				t.Errorf("%s to %s: %+v", name, a, p)
			}
			b.wantProblem(other, 403, "forbidden")
		}
		for _, what := range []struct {
			method, path, body string
			needs              right
		}{
			{"GET", "/v1/interactions", "", "read"}, {"GET", "/v1/interactions/one", "", "read"}, {"GET", "/v1/recordings/old", "", "read"},
			{"POST", "/v1/recordings/old/hold", `{"reason": "r"}`, "retention"}, {"POST", "/v1/recordings/old/release", `{"reason": "r"}`, "retention"},
			{"POST", "/v1/recordings/old/erase", `{"reason": "r"}`, "erase"},
		} {
			r := b.ask(name, what.method, what.path, what.body)
			if name == string(what.needs) {
				b.wantFine(r)
			} else {
				b.wantProblem(r, 403, "forbidden")
			}
		}
		want := 1
		if g := slices.IndexFunc(groups(), func(g group) bool { return string(g.right) == name }); g >= 0 {
			want = len(groups()[g].actions)
		}
		if len(b.rec.commands) != want {
			t.Errorf("%s: %d commands, want %d", name, len(b.rec.commands), want)
		}
	}
}

// A no where nobody is asked needs a reason.
func TestReasonForNo(t *testing.T) {
	b := newBench(t, entry(t, "acd", []string{"*"}, "consent-no"))
	for _, a := range consentNo() {
		bare := fmt.Sprintf(`{"action": %q}`, a)
		b.wantFine(b.ask("acd", "POST", "/v1/interactions/one/commands", bare))
		p := b.wantProblem(b.ask("acd", "POST", "/v1/interactions/three/commands", bare), 400, "malformed")
		if p.Field != "reason" {
			t.Errorf("%s: %+v", a, p)
		}
		b.wantFine(b.ask("acd", "POST", "/v1/interactions/three/commands", fmt.Sprintf(`{"action": %q, "reason": "said so to the agent"}`, a)))
	}
	if got, want := len(b.rec.commands), 2*len(consentNo()); got != want {
		t.Errorf("%d commands, want %d", got, want)
	}
}

func TestReadTokensRefuses(t *testing.T) {
	sum := strings.Repeat("5f", 32)
	fine := "- {name: a, sha256: " + sum + ", accounts: x, commands: [read, pause]}\n"
	if ts, err := parseTokens("f", []byte(fine)); err != nil || ts.Len() != 1 || ts.list[0].perSecond != defaultPerSecond {
		t.Fatalf("%+v, %v", ts, err)
	}
	for text, want := range map[string]string{
		"":                    "f: no token in it",
		"a: b":                "f:1: not a list",
		"- x":                 "f:1: a token has to be a mapping",
		"- [":                 "f: line",
		fine + "---\n" + fine: "f: more than one document",
		fine + fine:           `f:2: a second token of the name "a"`,
		fine + "- {name: b, sha256: " + sum + ", accounts: x, commands: read}": "f:2: b is the token of a",
		"- {name: a, sha256: " + sum + ", accounts: x}":                        "f:1: a token without commands",
		"- {name: a, sha256: " + sum + ", commands: read}":                     "f:1: a token without accounts",
		"- {name: a, accounts: x, commands: read}":                             "f:1: a token without sha256",
		"- {sha256: " + sum + ", accounts: x, commands: read}":                 "f:1: a token without name",
		"- name: a\n  sha256: 5f":                                              "f:2: sha256: want the SHA-256",
		"- name: a\n  sha256: [a]":                                             "f:2: sha256: want the SHA-256",
		"- name: a\n  token: abc":                                              `f:2: unknown key "token"`,
		"- name: a\n  name: b":                                                 `f:2: key "name" stands here a second time`,
		"- name: \"a\\n\"":                                                     "f:1: name: want 1 to",
		"- name: [a]":                                                          "f:1: name: want 1 to",
		"- name: " + strings.Repeat("n", 65):                                   "f:1: name: want 1 to",
		"- accounts: []":                                                       "f:1: accounts: is empty",
		"- accounts: {a: b}":                                                   "f:1: accounts: want a value or a list",
		"- accounts: [~]":                                                      "f:1: accounts: want a value or a list",
		"- accounts: ''":                                                       "f:1: accounts: want a value or a list",
		"- commands: [read, everything]":                                       `f:1: commands: there is no command or group "everything"`,
		"- commands: '*'":                                                      `f:1: commands: there is no command or group "*"`,
		"- commands: {a: b}":                                                   "f:1: commands: want a value or a list",
		"- per-second: 0":                                                      "f:1: per-second: want a number from 1",
		"- per-second: 10001":                                                  "f:1: per-second: want a number from 1",
		"- per-second: [1]":                                                    "f:1: per-second: want a number from 1",
	} {
		if _, err := parseTokens("f", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestTokenLine(t *testing.T) {
	text, sum := NewToken()
	other, _ := NewToken()
	if text == other || len(text) < minToken || sumOf(text) != sum {
		t.Errorf("%s, %s, %s", text, other, sum)
	}
	line, err := TokenLine(`the "desk": #1`, sum, []string{"*", "a: b"}, []string{"read", "pause"})
	if err != nil {
		t.Fatal(err)
	}
	ts, err := parseTokens("f", []byte(line))
	if err != nil {
		t.Fatalf("%v in %s", err, line)
	}
	got := ts.find(text)
	if got == nil || got.name != `the "desk": #1` || !slices.Equal(got.accounts, []string{"*", "a: b"}) || !slices.Equal(got.rights, []right{"read", "pause"}) {
		t.Errorf("%+v of %s", got, line)
	}
	if _, err := TokenLine("a", sum, []string{"*"}, []string{"all"}); err == nil {
		t.Error("a right that there is not")
	}
}
