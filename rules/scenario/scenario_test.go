package scenario_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/rules/scenario"
)

const good = `# a comment
scenario: one
title: Hold
class: own
statements: V-40
reason: because
flags: vonage plan=all

0 in C
2.5 pause A
60 end

record C 0-20 40-60
user A C 1-2
withhold A 20-40 sdp hold
refused 2.5 pause A
keep forever
keep user 30
listen permission maker
`

func TestParse(t *testing.T) {
	list, err := scenario.Parse(good + "\nscenario: two\ntitle: t\nclass: seed\ngiven maker=U1\nasks U1 inbound\nexpect allowed\n")
	if err != nil || len(list) != 2 {
		t.Fatalf("%d scenarios: %v", len(list), err)
	}
	s := list[0]
	want := []string{"keep forever", "keep user 30", "listen maker permission", "record C 0-20 40-60", "refused 2.5 pause A", "user A C 1-2", "withhold A 20-40 hold sdp"}
	if got := s.Want.Lines(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if s.ID != "one" || s.Line != 2 || s.Reason != "because" || s.Class.String() != "own" || s.Events[1].At != 2500*time.Millisecond || s.Events[1].Line != 10 {
		t.Errorf("got %+v", s)
	}
	if a := list[1].Access; a == nil || a.Asks != "U1" || !a.Allowed || !slices.Equal(a.Rights, []string{"inbound"}) || a.Given[0].Value != "U1" {
		t.Errorf("got %+v", a)
	}
	if got := scenario.Class(9).String(); got != "class-9" {
		t.Errorf("got %s", got)
	}
}

func TestParseErrors(t *testing.T) {
	for _, tt := range []struct{ name, old, text, want string }{
		{"nothing first", "# a comment", "title: x", "line 1: want scenario"},
		{"no name", "scenario: one", "scenario:", "line 2: scenario"},
		{"twice", "keep forever", "scenario: one", "needs a name of its own"},
		{"heading", "reason: because", "because: x", `line 6: unknown heading "because"`},
		{"class", "class: own", "class: mine", `line 4: unknown class "mine"`},
		{"product", "flags: vonage", "flags: other", "line 7: flags begin"},
		{"no product", "flags: vonage plan=all", "flags:", "line 7: flags begin"},
		{"flag", "plan=all", "plan", "line 7: want NAME=VALUE"},
		{"time", "0 in C", "0x in C", "line 9: want seconds"},
		{"too late", "60 end", "6e9 end", "line 11: want seconds"},
		{"nothing happens", "0 in C", "0", "line 9: nothing happens"},
		{"event", "0 in C", "0 jump C", `line 9: unknown event "jump": want one of alt, ans, ask, `},
		{"arguments", "0 in C", "0 in", "line 9: event in takes 1 to 1"},
		{"back in time", "2.5 pause A", "70 pause A", "line 11: event at 60"},
		{"after the end", "60 end", "60 end\n61 join A", "line 12: event join comes after the end"},
		{"no span", "1-2", "1", "line 14: want FROM-TO"},
		{"bad from", "1-2", "x-2", "line 14: want seconds"},
		{"bad to", "1-2", "1-x", "line 14: want seconds"},
		{"empty", "1-2", "2-2", "is empty"},
		{"keep", "keep forever", "keep -3", "line 17: keep forever"},
		{"keep of users", "keep user 30", "keep user long", "line 18: keep forever"},
		{"word", "keep forever", "keep", "line 17: cannot read"},
		{"who asks", "keep forever", "asks", "line 17: want asks"},
		{"no title", "title: Hold\n", "", "line 2: scenario one has no title"},
		{"no class", "class: own\n", "", "has no class"},
		{"no flags", "flags: vonage plan=all\n", "", "has no flags"},
		{"no end", "60 end\n", "", "does not end"},
		{"no keep", "keep forever\n", "", "says not what is kept"},
		{"no asker", "keep forever", "expect allowed", "says not who asks"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(good, tt.old) {
				t.Fatal("nothing replaced")
			}
			_, err := scenario.Parse(strings.Replace(good, tt.old, tt.text, 1))
			if e := new(scenario.Error); !errors.As(err, &e) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(good)
	f.Fuzz(func(t *testing.T, text string) {
		list, err := scenario.Parse(text)
		if e := new(scenario.Error); err != nil && (!errors.As(err, &e) || e.Line < 1) {
			t.Fatalf("no line: %v", err)
		}
		for _, s := range list {
			s.Want.Lines()
		}
	})
}
