package replay_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/replay"
	"github.com/siprecd/siprecd/rules/scenario"
)

func parse(t *testing.T, flags, events string) scenario.Scenario {
	t.Helper()
	list, err := scenario.Parse("scenario: s\ntitle: t\nclass: own\nflags: " + flags + "\n" + events + "\n60 end\nkeep nothing\n")
	if err != nil {
		t.Fatal(err)
	}
	return list[0]
}

// Every file is played, in words and twice: what comes of it is what it says, and
// the same each time.
func TestFiles(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "scenario", "files", "*.scenario"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenario files: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		list, err := scenario.Parse(string(text))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, s := range list {
			if s.Access != nil {
				if replay.Access(*s.Access).Allowed != s.Access.Allowed {
					t.Errorf("%s: wrong access", s.ID)
				}
				continue
			}
			first, err := replay.Run(s)
			again, err2 := replay.Run(s)
			if err != nil || err2 != nil || !reflect.DeepEqual(first, again) {
				t.Errorf("%s: %v, %v, or not the same each time", s.ID, err, err2)
			}
			if got := first.Outcome.Lines(); !slices.Equal(got, s.Want.Lines()) || len(first.Refused) != len(s.Want.Refused) {
				t.Errorf("%s: got %q", s.ID, got)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct{ flags, events, want string }{
		{"vonage colour=1", "0 in C", `there is no flag "colour": want one of ao, caller, chold, cleg, consent,`},
		{"vonage outb=2", "0 in C", `flag outb cannot be "2"`},
		{"vonage hold=maybe", "0 in C", `flag hold cannot be "maybe"`},
		{"vonage plan=percentX", "0 in C", `flag plan cannot be "percentX"`},
		{"vonage plan=some", "0 in C", `flag plan cannot be "some"`},
		{"vonage pol=burn@0", "0 in C", `flag pol cannot be "burn@0"`},
		{"vonage uage=-1", "0 in C", `flag uage cannot be "-1"`},
		{"vonage uage=soon", "0 in C", `flag uage cannot be "soon"`},
		{"vonage pol=del30", "0 in C", `flag pol cannot be "del30"`},
		{"vonage", "0 in C\n0 plan often", `line 6: want a draw, got "often"`},
		{"vonage", "0 in C\n0 plan-is often", `line 6: a plan cannot be "often"`},
		{"vonage", "0 in C\n0 plan-is all maybe", `line 6: consent of a plan cannot be "maybe"`},
		{"vonage", "0 unknown C\n0 direction up", `line 6: unknown direction "up"`},
	} {
		if _, err := replay.Run(parse(t, tt.flags, tt.events)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s, %s: got %v, want %s", tt.flags, tt.events, err, tt.want)
		}
	}
}

// Decisions that differ only in the owner of a cause are one line.
func TestOneLineForOneCause(t *testing.T) {
	s := parse(t, "ours plan=all urec=A", "0 in C\n0 join A\n5 secure+ a\n10 secure+ b\n15 secure- a\n20 secure- b")
	r, err := replay.Run(s)
	want := []string{"keep forever", "listen permission", "record A 0-5 20-60", "record C 0-5 20-60", "withhold A 5-20 secure", "withhold C 5-20 secure"}
	if got := r.Outcome.Lines(); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, want %q (%v)", got, want, err)
	}
	if d := r.Decisions["A"]; len(d) < 5 || !d[0].From.Equal(replay.Start()) {
		t.Errorf("%d decisions", len(r.Decisions["A"]))
	}
}

// Anonymous callers have no number, so that they are on no list.
func TestUnderOtherFlags(t *testing.T) {
	s := parse(t, "vonage caller=anonymous", "0 in C\n0 plan 0\n0 join A")
	f := rules.Vonage()
	f.Plan = []rules.PlanRule{{Kind: rules.PlanCallers, Callers: []string{"", "anonymous"}}}
	r, err := replay.Under(f, s)
	if err != nil || len(r.Outcome.Recorded) != 0 {
		t.Errorf("recorded %v (%v)", r.Outcome.Recorded, err)
	}
	f.Plan[0] = rules.PlanRule{Kind: rules.PlanAll}
	if r, err = replay.Under(f, s); err != nil || len(r.Outcome.Recorded) != 2 {
		t.Errorf("recorded %v (%v)", r.Outcome.Recorded, err)
	}
}

func TestAccess(t *testing.T) {
	a := scenario.Access{Asks: "S1", Rights: []string{"inbound"}, Given: []scenario.Flag{{Name: "group", Value: "g"}, {Name: "direction", Value: "inbound"}}}
	if got := replay.Access(a); !got.Allowed {
		t.Errorf("got %+v", got)
	}
}
