package scenario_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/rules/scenario"
)

// Each event takes as many words as it needs: fewer leave something open, and
// more are a mistake of whoever wrote them.
func TestEventWords(t *testing.T) {
	names := map[int]string{
		0: "conf ask yes no noans withdraw nop",
		1: "in unknown direction plan menu ivr+ ivr- q+ q- join leave hold retrieve pause resume ans cend alt xfer pyes urec+ urec- secure+ secure-",
		2: "out int consult dial bxfer qxfer number",
	}
	accepts := func(name string, words int) bool {
		event := "0 " + name + strings.Repeat(" A", words)
		_, err := scenario.Parse(strings.Replace(good, "0 in C", event, 1))
		return err == nil
	}
	for want, list := range names {
		for _, name := range strings.Fields(list) {
			for words := range 4 {
				if got := accepts(name, words); got != (words == want) {
					t.Errorf("%s with %d words: accepted is %v", name, words, got)
				}
			}
		}
	}
	if accepts("plan-is", 0) || !accepts("plan-is", 1) || !accepts("plan-is", 2) || accepts("plan-is", 3) {
		t.Error("a plan has rules, and may have a word about consent")
	}
	for _, name := range []string{"sdp-", "sdp+", "record", "dnr"} {
		if !accepts(name, 0) || !accepts(name, 1) || accepts(name, 2) {
			t.Errorf("%s is for all or for one", name)
		}
	}
	if _, err := scenario.Parse(strings.Replace(good, "60 end", "60 end A", 1)); err == nil {
		t.Error("the end is nobody's")
	}
}

// What is expected is read whole or not at all: a line with a word too few, too
// many or another first word is an error.
func TestLinesOfAnotherShape(t *testing.T) {
	for _, tt := range []struct{ old, text string }{
		{"record C 0-20 40-60", "record C"},
		{"user A C 1-2", "user A C"},
		{"withhold A 20-40 sdp hold", "withhold A 20-40"},
		{"refused 2.5 pause A", "refused 2.5 pause"},
		{"refused 2.5 pause A", "refused 2.5 pause A B"},
		{"refused 2.5 pause A", "denied 2.5 pause A"},
		{"refused 2.5 pause A", "refused x pause A"},
		{"listen permission maker", "listen"},
		{"listen permission maker", "hear permission"},
		{"keep forever", "keep forever long"},
		{"keep forever", "keep always"},
		{"keep user 30", "save user 30"},
		{"keep user 30", "keep maker 30"},
		{"keep forever", "/ 5"},
		{"plan=all", "=all"},
	} {
		if _, err := scenario.Parse(strings.Replace(good, tt.old, tt.text, 1)); err == nil {
			t.Errorf("%q was read", tt.text)
		}
	}
	const ask = "scenario: two\ntitle: t\nclass: seed\nasks U1\n"
	for _, line := range []string{"expect", "expect maybe", "expect allowed refused", "given =U1", "given maker"} {
		if _, err := scenario.Parse(ask + line); err == nil {
			t.Errorf("%q was read", line)
		}
	}
	list, err := scenario.Parse(ask + "expect refused\n")
	if err != nil || list[0].Access.Allowed {
		t.Errorf("refused is allowed: %v", err)
	}
}

// Nothing of the surroundings of a line counts, and an hour of a day or a
// fraction of a second can be told.
func TestReading(t *testing.T) {
	text := strings.ReplaceAll(good, "\n", " \r\n\t")
	text = strings.ReplaceAll(text, "60", "1000000")
	text = strings.Replace(text, "keep forever", "keep 0", 1)
	text = strings.Replace(text, "sdp hold", "sdp hold: by-hand", 1)
	list, err := scenario.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	s := list[0]
	if len(s.Events) != 3 || s.Events[0].At != 0 || s.Events[2].At != 1e6*time.Second || s.Want.Keep != "0" {
		t.Errorf("events %v, keep %s", s.Events, s.Want.Keep)
	}
	if s.Base != "vonage" || !slices.Equal(s.Flags, []scenario.Flag{{Name: "plan", Value: "all"}}) || !slices.Equal(s.Statements, []string{"V-40"}) {
		t.Errorf("%s %v %v", s.Base, s.Flags, s.Statements)
	}
	if got := s.Want.Withheld[0].Causes; !slices.Equal(got, []string{"sdp", "hold:", "by-hand"}) {
		t.Errorf("a colon makes no heading of a line: %q", got)
	}
	for _, line := range s.Want.Lines() {
		if strings.HasPrefix(line, "listen") && line != "listen maker permission" {
			t.Error(line)
		}
	}
	if got := (scenario.Outcome{Keep: "nothing"}).Lines(); !slices.Equal(got, []string{"keep nothing"}) {
		t.Errorf("nobody listens to what is not there: %q", got)
	}
}

// An error says what is wanted and what was there instead.
func TestErrorsInWords(t *testing.T) {
	for _, tt := range []struct{ old, text, want string }{
		{"0 in C", "0 in", "line 9: event in takes 1 to 1 arguments, got 0"},
		{"0 in C", "0 sdp- a b c", "line 9: event sdp- takes 0 to 1 arguments, got 3"},
		{"0 in C", "-1 in C", `line 9: cannot read a line of 3 words that begins with "-1"`},
		{"class: own", "class: mine", `line 4: unknown class "mine": want one of seed, implied, silent, beyond, own`},
		{"0 in C", "5 in C", "line 10: event at 2.5 comes after a later one"},
		{"0 in C", "0 end", "line 10: event pause comes after the end"},
		{"2.5 pause A\n60", "70 pause A\n60", "line 11: event at 60 comes after a later one"},
	} {
		_, err := scenario.Parse(strings.Replace(good, tt.old, tt.text, 1))
		if fmt.Sprint(err) != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
	if _, err := scenario.Parse("scenario: one\ntitle: t\nclass: own\nflags: ours\nkeep nothing"); fmt.Sprint(err) != "line 1: scenario one does not end" {
		t.Errorf("a scenario in which nothing happens: %v", err)
	}
	for class, want := range map[scenario.Class]string{0: "class-0", -1: "class--1", scenario.Seed: "seed", scenario.Own: "own", scenario.Own + 1: "class-6"} {
		if got := class.String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
