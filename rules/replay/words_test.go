package replay_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/replay"
	"github.com/siprecd/siprecd/rules/scenario"
)

// Each word of the flags line means one setting, and changes no other.
func TestFlagWords(t *testing.T) {
	tried := make(map[string]bool)
	for word, set := range map[string]func(*rules.Flags){
		"plan=none":           func(f *rules.Flags) { f.Plan = nil },
		"plan=all plan=menu2": func(f *rules.Flags) { f.Plan = []rules.PlanRule{{Kind: rules.PlanMenu, Option: "2"}} },
		"uage=0":              func(f *rules.Flags) { f.UserDays = 0 },
		"uage=9":              func(f *rules.Flags) { f.UserDays = 9 },
		"plan=all+none":       func(f *rules.Flags) { f.Plan = []rules.PlanRule{{Kind: rules.PlanAll}} },
		"plan=percent30+menu2": func(f *rules.Flags) {
			f.Plan = []rules.PlanRule{{Kind: rules.PlanPercent, Percent: 30}, {Kind: rules.PlanMenu, Option: "2"}}
		},
		"plan=callers list=+441,+442": func(f *rules.Flags) {
			f.Plan = []rules.PlanRule{{Kind: rules.PlanCallers, Callers: []string{"+441", "+442"}}}
		},
		"hold=record":   func(f *rules.Flags) { f.Hold = rules.HoldRecord },
		"hold=action":   func(f *rules.Flags) { f.Hold = rules.HoldAction },
		"hold=leg":      func(f *rules.Flags) { f.Hold = rules.HoldLeg },
		"consent=off":   func(f *rules.Flags) { f.Consent = rules.ConsentOff },
		"consent=ask":   func(f *rules.Flags) { f.Consent = rules.ConsentAsk },
		"withdraw=keep": func(f *rules.Flags) { f.Withdrawal = rules.WithdrawalKeeps },
		"deny=+441":     func(f *rules.Flags) { f.DoNotRecord = []string{"+441"} },
		"deny=":         func(f *rules.Flags) { f.DoNotRecord = nil },
		"ctl=A,B":       func(f *rules.Flags) { f.Control = rules.Selection{Names: []string{"A", "B"}} },
		"urec=A":        func(f *rules.Flags) { f.UserRecordings = rules.Selection{Names: []string{"A"}} },
		"urec=off":      func(f *rules.Flags) { f.UserRecordings = rules.Selection{} },
		"ivr=all":       func(f *rules.Flags) { f.SuppressedFlows = rules.Selection{All: true} },
		"qrec=none":     func(f *rules.Flags) { f.QueueWait = rules.Selection{} },
		"outb=1":        func(f *rules.Flags) { f.Outbound = true },
		"trunk=1":       func(f *rules.Flags) { f.Trunk = true },
		"ext=1":         func(f *rules.Flags) { f.PauseExternal = true },
		"cont=0":        func(f *rules.Flags) { f.ContinueWithoutAgent = false },
		"terminal=1":    func(f *rules.Flags) { f.StopIsFinal = true },
		"ao=1":          func(f *rules.Flags) { f.AgentOnly = true },
		"pcons=1":       func(f *rules.Flags) { f.PartyConsent = true },
		"cleg=0":        func(f *rules.Flags) { f.ConsultLeg = false },
		"chold=1":       func(f *rules.Flags) { f.ConsultHolds = true },
		"unfed=1":       func(f *rules.Flags) { f.FlowsUnfed = true },
		"caller=+441":   func(*rules.Flags) {},
		"uage=30":       func(f *rules.Flags) { f.UserDays = 30 },
		"lhold=1":       func(f *rules.Flags) { f.LegalHold = true },
		"mixed=1":       func(f *rules.Flags) { f.Mixed = true },
		"mixed=0":       func(f *rules.Flags) { f.Mixed = false },
		"pol=del30/out@-5": func(f *rules.Flags) {
			f.Retention = []rules.RetentionRule{{Action: rules.DeleteAfter, Days: 30, Direction: rules.DirectionOutbound, Published: replay.Start().AddDate(0, 0, -5)}}
		},
	} {
		for _, text := range strings.Fields(word) {
			name, _, _ := strings.Cut(text, "=")
			tried[name] = true
		}
		want := rules.Vonage()
		set(&want)
		got, err := replay.Flags(parse(t, "vonage "+word, "0 in C"))
		if err != nil || rules.NewPolicy(got).Version() != rules.NewPolicy(want).Version() {
			t.Errorf("%s: %+v (%v)", word, got, err)
		}
	}
	for _, name := range replay.FlagNames() {
		if !tried[name] {
			t.Errorf("%s is not tried", name)
		}
	}
	if _, err := replay.Flags(parse(t, "vonage pol=del30/up@0", "0 in C")); err == nil {
		t.Error("up is no direction")
	}
	if _, err := replay.Flags(parse(t, "vonage plan=30", "0 in C")); err == nil {
		t.Error("a number is no plan")
	}
	if got := replay.Start(); !got.Equal(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)) {
		t.Errorf("day 0 is %v", got)
	}
}

// Who may listen follows from what is given of the recording, each word by itself.
func TestAccessWords(t *testing.T) {
	reasons := map[string]bool{}
	for _, state := range []string{"void", "deleted", "paused", "kept"} {
		got := replay.Access(scenario.Access{Asks: "S1", Rights: []string{"inbound"}, Given: []scenario.Flag{{Name: "state", Value: state}}})
		if reasons[got.Reason] || got.Allowed != (state == "kept") {
			t.Errorf("%s: %+v", state, got)
		}
		reasons[got.Reason] = true
	}
	for _, tt := range []struct {
		given, value string
		rights       []string
		want         bool
	}{
		{"direction", "outbound", []string{"outbound"}, true},
		{"direction", "outbound", []string{"inbound"}, false},
		{"direction", "inbound", []string{"outbound"}, false},
		{"direction", "unknown", []string{"inbound", "outbound"}, true},
		{"direction", "unknown", []string{"inbound"}, false},
		{"maker", "S1", nil, true},
		{"maker", "S2", []string{"inbound"}, false},
		{"evaluator", "S1", nil, true},
		{"reviewing", "S1", nil, true},
		{"reviewing", "S2", nil, false},
		{"group", "g", []string{"inbound", "group:g"}, true},
		{"group", "g", []string{"inbound", "group:h", "group:g"}, true},
		{"group", "g", []string{"inbound", "group:h"}, false},
		{"group", "g", []string{"inbound"}, true},
	} {
		got := replay.Access(scenario.Access{Asks: "S1", Rights: tt.rights, Given: []scenario.Flag{{Name: tt.given, Value: tt.value}}})
		if got.Allowed != tt.want {
			t.Errorf("%s %s, %v: %+v", tt.given, tt.value, tt.rights, got)
		}
	}
}

// The first letter of a party says who it is: what is withheld because of it, and
// who may record.
func TestLetters(t *testing.T) {
	for _, tt := range []struct {
		flags, events string
		want          string
	}{
		{"ours plan=all ext=1", "0 in C\n0 join A\n5 join N", "withhold C 5-60 external"},
		{"ours plan=all ext=1", "0 in C\n0 join A\n5 join X", "withhold C 5-60 external"},
		{"ours plan=all ext=1", "0 in C\n0 join A\n5 join Z", "withhold C 5-60 external"},
		{"ours plan=all ext=1", "0 in C\n0 join X", "withhold C 0-60 external"}, // no first pair because it came first
		{"ours plan=all ext=1", "0 in C\n0 join A\n5 join C2", "record C 0-60"},
		{"ours plan=all ext=1", "0 in C\n0 join Z", "record C 0-60"},
		{"ours plan=all ext=1", "0 in C\n0 join A\n5 join S", "record C 0-60"},
		{"ours plan=all ext=1", "0 in C\n0 join A\n5 join U", "record C 0-60"},
		{"ours plan=all urec=all", "0 in C\n0 join A\n5 urec+ A", "user A C 5-60"},
		// A second consult begins away from the main call, whatever the first one did.
		{"ours plan=all", "0 in C\n0 join A\n10 consult A X\n15 alt A\n20 cend X\n30 consult A X\n40 alt A\n50 alt A\n55 alt A", "record A 0-10 15-30 40-50 55-60"},
		{"ours plan=all urec=all ao=1", "0 in C\n0 join A\n5 urec+ A", "keep user 365"},
	} {
		r, err := replay.Run(parse(t, tt.flags, tt.events))
		if got := r.Outcome.Lines(); err != nil || !slices.Contains(got, tt.want) {
			t.Errorf("%s, %q: %q has no %q (%v)", tt.flags, tt.events, got, tt.want, err)
		}
	}
}

// Only of a first pair of unknown role it is said that the roles are unknown.
func TestLettersOfTheFirstPair(t *testing.T) {
	for party, want := range map[string]bool{"C": false, "X": false, "N": false, "Z": true} {
		r, err := replay.Run(parse(t, "ours plan=all", "0 in "+party+"\n5 join S"))
		if d := r.Decisions[party]; err != nil || len(d) == 0 || d[0].RolesUnknown != want {
			t.Errorf("%s: %v (%v)", party, d, err)
		}
	}
}

// What touches is one line, what does not are two; causes stand in one order.
func TestLinesOfATrack(t *testing.T) {
	s := parse(t, "ours plan=all ctl=all hold=action", "0 in C\n0 join A\n5 secure+ a\n6 pause A\n10 secure- a\n12 resume A\n20 hold A\n25 retrieve A")
	r, err := replay.Run(s)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"keep forever", "listen permission", "record A 0-5 12-20 25-60", "record C 0-5 12-20 25-60",
		"withhold A 10-12 manual", "withhold A 20-25 hold", "withhold A 5-6 secure", "withhold A 6-10 manual secure",
		"withhold C 10-12 manual", "withhold C 20-25 hold", "withhold C 5-6 secure", "withhold C 6-10 manual secure",
	}
	if got := r.Outcome.Lines(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, g := range r.Outcome.Withheld {
		if !slices.IsSorted(g.Causes) {
			t.Errorf("%v", g.Causes)
		}
	}
}

// A party that was dialled is there from then on, and a second one too; what is
// refused keeps its reason.
func TestDialled(t *testing.T) {
	r, err := replay.Run(parse(t, "ours outb=1", "0 out A C\n5 ans C\n8 pause X\n10 urec+ C"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"keep forever", "listen permission", "record A 5-60", "record C 5-60",
		"refused 10 user-recording C", "refused 8 pause X", "withhold A 0-5 internal-only"}
	if got := r.Outcome.Lines(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(r.Refused) != 2 || r.Refused[0].Reason != "is not on the call" || r.Refused[1].Reason != "is none of the own people" {
		t.Errorf("%v", r.Refused)
	}
}

// A plan that becomes known has the rules that are said, and the callers of the line
// flags; nobody in particular says so.
func TestPlanWords(t *testing.T) {
	for _, tt := range []struct{ flags, events, want string }{
		{"ours", "0 in C\n0 join A\n5 plan-is all", "record C 5-60"},
		{"ours", "0 in C\n0 join A\n5 plan-is all off", "record C 5-60"},
		{"ours consent=ask", "0 in C\n0 join A\n5 plan-is all off", "record C 5-60"},
		{"ours consent=ask", "0 in C\n0 join A\n5 plan-is all\n9 yes", "record C 9-60"},
		{"ours", "0 in C\n0 join A\n5 plan-is all ask\n9 yes", "record C 9-60"},
		{"ours", "0 in C\n0 join A\n5 plan-is all ask\n9 yes", "withhold C 5-9 consent"},
		{"ours list=+440,+441", "0 in C\n0 join A\n0 plan 0.5\n5 plan-is callers", "record C 5-60"},
		{"ours", "0 in C\n0 join A\n5 plan-is none\n7 plan-is all", "refused 7 plan nobody"},
		{"ours", "0 in C\n0 join A\n5 plan-is all\n7 plan-is all", "record C 5-60"},
		{"ours plan=all", "0 in C\n0 join A\n5 dnr\n7 record", "refused 7 record nobody"},
		{"ours plan=all", "0 in C\n0 join A\n5 dnr A\n7 record A", "refused 7 record A"},
		{"ours plan=all", "0 in C\n0 join A\n5 dnr\n7 record", "withhold C 5-60 do-not-record"},
	} {
		r, err := replay.Run(parse(t, tt.flags, tt.events))
		if got := r.Outcome.Lines(); err != nil || !slices.Contains(got, tt.want) {
			t.Errorf("%s, %q: %q has no %q (%v)", tt.flags, tt.events, got, tt.want, err)
		}
	}
}
