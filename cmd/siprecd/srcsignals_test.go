package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/rules"
)

// The example of signals in the manual can be read, and the manual names each action.
func TestSignalsAreDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(moduleRoot(t), "docs", "srcs.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, chapter, _ := strings.Cut(string(text), "## Keys of signals\n")
	chapter, _, _ = strings.Cut(chapter, "## Keys of digest\n")
	_, example, _ := strings.Cut(chapter, "```yaml\n")
	example, after, _ := strings.Cut(example, "```\n")
	list, err := parseSRCs(srcFile{"example", t.TempDir()}, []byte(example))
	if err != nil || len(list) != 1 || len(list[0].signals.List) != 6 {
		t.Fatalf("%d SRCs in the example, %v", len(list), err)
	}
	for _, a := range recorder.SignalActions() {
		if !strings.Contains(after, "`"+string(a)+"`") {
			t.Errorf("the action %s is not in the manual", a)
		}
	}
}

func TestSignalsRead(t *testing.T) {
	hold := rules.InactiveHold
	for text, want := range map[string]recorder.Signals{
		"": {},
		"  inactive-means: hold\n  second-communication-session: none\n":     {InactiveMeans: &hold, NoConsult: true},
		"  second-communication-session: consult\n  consult-window: 700ms\n": {ConsultWindow: 700 * time.Millisecond},
		"  consult-window: 0s\n": {ConsultWindow: -1},
		"  signals:\n    - {header: X-Q, value: \"in *\", means: queue-entered, name: \"*\"}\n    - {field: q/@s, means: queue-left}\n    - {field: ok, means: party-agreed}\n": {List: []recorder.Signal{
			{Header: "X-Q", Value: "in *", Means: recorder.ActQueueEntered, Name: "*"}, {Field: "q/@s", Means: recorder.ActQueueLeft}, {Field: "ok", Means: recorder.ActPartyAgreed},
		}},
	} {
		list, err := parseSRCs(srcFile{"srcs.yaml", t.TempDir()}, []byte("- name: a\n  addresses: any\n"+text))
		if err != nil || !reflect.DeepEqual(list[0].signals, want) {
			t.Errorf("%s: %+v, %v", text, list, err)
			continue
		}
		a := &admission{}
		if got := a.signals("a"); !reflect.DeepEqual(got, recorder.Signals{}) {
			t.Errorf("without a file: %+v", got)
		}
		a.srcs.Store(&list)
		if !reflect.DeepEqual(a.signals("a"), want) || !reflect.DeepEqual(a.signals("b"), recorder.Signals{}) {
			t.Errorf("found %+v and %+v", a.signals("a"), a.signals("b"))
		}
	}
}

func TestSignalsRefused(t *testing.T) {
	const head = "- name: a\n  addresses: any\n"
	const list = head + "  signals:\n    - {header: X-A, means: resume}\n"
	for _, tt := range []struct{ name, text, want string }{
		{"another meaning", head + "  inactive-means: nothing\n", `srcs.yaml:3: SRC a: inactive-means: "nothing" is not one of`},
		{"another word", head + "  second-communication-session: yes\n", `srcs.yaml:3: SRC a: second-communication-session: "yes" is not one of`},
		{"a long window", head + "  consult-window: 1m\n", `srcs.yaml:3: SRC a: consult-window: "1m" is not a duration`},
		{"a window of nothing", head + "  second-communication-session: none\n  consult-window: 1s\n", "srcs.yaml:4: SRC a: consult-window: with second-communication-session: none there is no consult"},
		{"no list", head + "  signals: {header: X}\n", "srcs.yaml:3: SRC a: signals: has to be a list"},
		{"no mapping", head + "  signals: [X]\n", "srcs.yaml:3: SRC a: has to be a mapping"},
		{"a key", list + "    - {headr: X-A, means: resume}\n", `srcs.yaml:5: SRC a: unknown key "headr", did you mean "header"?`},
		{"neither", list + "    - {means: resume}\n", "srcs.yaml:5: SRC a: signal: needs either header or field"},
		{"both", list + "    - {header: a, field: b, means: resume}\n", "srcs.yaml:5: SRC a: signal: needs either header or field"},
		{"no header", list + "    - header: 'a: b'\n      means: resume\n", `srcs.yaml:5: SRC a: header: "a: b" is no name of a header field`},
		{"no means", list + "    - {header: X-B}\n", `srcs.yaml:5: SRC a: means: "" is not one of`},
		{"another means", list + "    - header: X-B\n      means: explode\n", `srcs.yaml:6: SRC a: means: "explode" is not one of`},
		{"an action that is none of an SRC", list + "    - {header: X-B, means: user-recording-start}\n", `"user-recording-start" is not one of`},
		{"a queue without a name", list + "    - {header: X-B, means: queue-entered}\n", "srcs.yaml:5: SRC a: name: queue-entered needs one"},
		{"a name for nothing", list + "    - header: X-B\n      means: pause\n      name: x\n", "srcs.yaml:7: SRC a: name: pause has none"},
		{"nobody agreed", list + "    - {header: X-B, means: party-agreed}\n", "srcs.yaml:5: SRC a: party: party-agreed needs one"},
		{"a party for nothing", list + "    - {header: X-B, means: consent-given, party: x}\n", "srcs.yaml:5: SRC a: party: consent-given has none"},
		{"a pause for ever", head + "  signals:\n    - {header: X-A, means: pause}\n", "srcs.yaml:4: SRC a: signals: means: no signal is resume, so what pause begins would last to the end of the call"},
		{"a queue for ever", head + "  signals:\n    - {header: X-A, means: queue-entered, name: q}\n", "no signal is queue-left"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseSRCs(srcFile{"srcs.yaml", t.TempDir()}, []byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %q in it", err, tt.want)
			}
		})
	}
}

// Where everything is recorded signals mean nothing, and that is said; under a policy
// they are told to it.
func TestSignalsNeedAPolicy(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       "",
		"  inactive-means: src-pause\n":          "a",
		"  second-communication-session: none\n": "a",
		"  consult-window: 1s\n":                 "a",
		"  signals: [{header: X, means: consent-given}]\n": "a",
	} {
		list, err := parseSRCs(srcFile{"srcs.yaml", t.TempDir()}, []byte("- name: a\n  addresses: any\n"+text))
		if err != nil {
			t.Fatal(err)
		}
		a := &admission{}
		if a.signalling() != "" || a.facts() != nil {
			t.Error("signals without a file")
		}
		a.srcs.Store(&list)
		if got := a.signalling(); got != want {
			t.Errorf("%q: %q signals", text, got)
		}
		if consent := len(a.facts()) == 1; consent != strings.Contains(text, "consent") {
			t.Errorf("%q tells %v", text, a.facts())
		}
	}
}
