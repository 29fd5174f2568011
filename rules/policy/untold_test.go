package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/rules/policy"
	"github.com/siprecd/siprecd/rules/replay"
	"github.com/siprecd/siprecd/rules/scenario"
)

// What a setting does of which nothing tells what it acts on is said, both in a
// sentence and in what is not recorded.
func TestNeverFed(t *testing.T) {
	const vague = "any call of which nothing tells whether it is inbound or outbound"
	for _, tt := range []struct {
		name, settings, trunk, facts string
		sentence                     string
		nothing                      []string // beside calls between own people
	}{
		{"all is told", ", consent: ask", "on", "consent, direction, role, consult", "", nil},
		{"consent", ", preset: genesys, consent: ask", "on", "", "nothing is recorded of an inbound call or a call of which nothing tells", []string{"inbound calls", vague}},
		{"consent of inbound calls", ", consent: ask", "on", "direction", "so nothing is recorded of an inbound call.", []string{"inbound calls"}},
		{"consent of the trunk", "", "on, consent: ask", "direction", "so nothing is recorded of an inbound call.", []string{"inbound calls"}},
		{"consent not of the trunk", ", consent: ask", "on, consent: off", "direction", "", nil},
		{"consent of a plan", ", plans: [{name: p, record: all, consent: ask}]", "on", "direction", "an inbound call on which the caller is to be asked.", []string{"inbound calls of plan p"}},
		{"party-consent", ", party-consent: required", "on", "role", "of any outsider.", []string{"what customers and other outsiders say"}},
		{"party-consent of nobody known", ", party-consent: required", "on", "", "of any call.", []string{"any call"}},
		{"party-consent beside consent", ", party-consent: required", "on", "consent", "of an outsider who joins later.", []string{"what outsiders say who join later"}},
		{"party-consent in one stream", ", party-consent: required", "on, streams: mixed", "role", "of any call.", []string{"any call"}},
		{"party-consent in one stream beside consent", ", party-consent: required", "on, streams: mixed", "consent", "of anybody while an outsider is on the call who joined later.", []string{"what outsiders say who join later"}},
		{"party-consent that is told", ", party-consent: required", "on", "party-consent, role", "", nil},
		{"flow and queue", ", flows: [{name: f, suppress: yes}], queues: [{name: q, wait: withhold}]", "on", "role, direction", "so an inbound call is not recorded before", []string{"inbound calls before the first of our own people joins"}},
		{"agent-only", ", owner: {agent-only: on}", "on", "", "so nobody is recorded.", []string{"any call"}},
		{"agent-only with roles", ", owner: {agent-only: on}", "on", "role", "whose number was typed is recorded like the others.", []string{"what customers and other outsiders say"}},
		{"flow", ", flows: [{name: f, suppress: yes}]", "on", "role, direction", "so an inbound call is not recorded before the first of our own people joins.", []string{"inbound calls before the first of our own people joins"}},
		{"queue", ", queues: [{name: q, wait: withhold}]", "on", "role", "so an inbound call or a call of which", []string{"inbound calls before the first of our own people joins"}},
		{"flow and queue", ", flows: [{name: f, suppress: yes}], queues: [{name: q, wait: withhold}]", "on", "role, direction", "so an inbound call is not recorded before the first of our own people joins.", []string{"inbound calls before the first of our own people joins"}},
		{"flow without roles", ", flows: [{name: f, suppress: yes}]", "on", "direction", "nothing tells who that is, not at all.", []string{"inbound calls"}},
		{"transfer", ", owner: {continue-after-transfer: off}", "on", "", "recording does not stop when only outsiders are left.", nil},
		{"control", ", control: all", "on", "", "nobody can pause.", nil},
		{"hold", ", hold: pause-until-retrieve", "on", "parties", "only for streams that the recording client makes inactive.", nil},
		{"external without roles", ", external-consult: pause", "on", "consult", "stops for everybody who joins later.", nil},
		{"external without consults", ", external-consult: pause", "on", "role", "does not stop before the outsider is on the call.", nil},
		{"consult", ", consult-conversation: withhold", "on", "", "what is said in one is recorded like the rest", nil},
		{"withdrawal", ", withdrawal: erase", "on", "", "so nothing comes of it.", nil},
		{"user recordings", ", user-recordings: all", "on", "", "so there is none.", nil},
		{"do-not-record", ", do-not-record: [+445]", "on", "role", "do-not-record keeps no call from being recorded.", nil},
		{"do-not-record told", ", do-not-record: [+445]", "on", "caller", "", []string{"calls with a number of do-not-record"}},
		{"callers", ", plans: [{name: p, record: {callers: [+445]}}]", "off", "direction", "no list of callers chooses a call.", []string{"outbound calls", "inbound calls"}},
		{"menu", ", plans: [{name: p, record: {menu: 1}}]", "off", "direction", "no menu chooses a call.", []string{"outbound calls", "inbound calls"}},
		{"menu that is told", ", plans: [{name: p, record: {menu: 1}}]", "off", "direction, menu", "", []string{"outbound calls", "inbound calls without a plan"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mapping := "{listener: x, account: a, trunk: t}"
			if strings.Contains(tt.settings, "plans") {
				mapping += ", {listener: y, account: a, trunk: t, plan: p}"
			}
			f := read(t, "accounts: [{name: a"+tt.settings+", trunks: [{name: t, profile: p, record: "+tt.trunk+"}]}]\n"+
				"profiles: [{name: p, wire: ["+tt.facts+"]}]\nmapping: ["+mapping+"]")
			m := f.Meanings()[1]
			want := append([]string{"calls between our own people"}, tt.nothing...)
			if slices.Contains(tt.nothing, "any call") {
				want = tt.nothing
			}
			if !slices.Equal(m.Nothing, want) {
				t.Errorf("nothing on %q, want %q", m.Nothing, want)
			}
			said := strings.Join(m.Sentences, "\n")
			if once := slices.Compact(slices.Sorted(slices.Values(m.Sentences))); len(once) < len(m.Sentences) {
				t.Errorf("a sentence stands twice in\n%s", said)
			}
			if tt.sentence != "" && !strings.Contains(said, tt.sentence) {
				t.Errorf("no %q in\n%s", tt.sentence, said)
			}
			hindered := slices.ContainsFunc(tt.nothing, func(s string) bool { return s == "any call" || strings.HasPrefix(s, "inbound calls") })
			all := strings.Contains(said, "Every call of the trunk that an outsider is on is recorded, whether inbound or outbound.")
			if want := tt.trunk != "off" && !hindered; all != want {
				t.Errorf("that every call is recorded is said: %v, want %v, in\n%s", all, want, said)
			}
			if tt.sentence != "" && strings.Count(said, tt.sentence) != 1 {
				t.Errorf("%q is not said once in\n%s", tt.sentence, said)
			}
			played(t, f, tt.facts, m.Nothing)
		})
	}
}

// That a trunk records every call is said only where it does.
func TestChosenTrunk(t *testing.T) {
	const every, chosen = "Every call of the trunk that an outsider is on is recorded", "Every call of the trunk that an outsider is on is chosen to be recorded"
	for _, tt := range []struct{ settings, record, facts, want string }{
		{"", "on", "", every},
		{", consent: ask", "on", "direction", chosen},
		{", owner: {agent-only: on}", "on", "", chosen},
		{", flows: [{name: f, suppress: yes}]", "on", "role, direction", chosen},
		{", flows: [{name: f, suppress: yes}]", "on", "role, direction, ivr", every},
		{", flows: [{name: f, suppress: yes}]", "off", "role, direction", "That a call is on a trunk is no reason"},
	} {
		f := read(t, "accounts: [{name: a"+tt.settings+", trunks: [{name: t, profile: p, record: "+tt.record+"}]}]\nprofiles: [{name: p, wire: ["+tt.facts+"]}]")
		if said := strings.Join(f.Meanings()[1].Sentences, "\n"); !strings.Contains(said, tt.want) {
			t.Errorf("record: %s%s, told %s: %q, want %q", tt.record, tt.settings, tt.facts, said, tt.want)
		}
	}
}

// played holds what is said of inbound calls to what the rules make of one on
// which only that happens which is told.
func played(t *testing.T, f *policy.File, facts string, nothing []string) {
	t.Helper()
	begin, customer, agent := "unknown", "Z1", "Z2"
	if strings.Contains(facts, "direction") {
		begin = "in"
	}
	if strings.Contains(facts, "role") {
		customer, agent = "C", "A"
	}
	events := []string{"0 " + begin + " " + customer, "0 plan 0.5", "10 join " + agent, "60 end"}
	if strings.Contains(facts, "menu") {
		events = slices.Insert(events, 2, "5 menu 1")
	}
	if strings.Contains(facts, "consent") {
		events = slices.Insert(events, 2, "5 yes")
	}
	all, err := scenario.Parse("scenario: s\ntitle: t\nclass: own\nflags: ours\n" + strings.Join(events, "\n") + "\nkeep nothing\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, plan := range []string{"", "p"} {
		r, err := replay.Under(f.Flags(policy.Belonging{Account: "a", Trunk: "t", Plan: plan}, t0), all[0])
		if err != nil {
			t.Fatal(err)
		}
		none := slices.Contains(nothing, "any call") ||
			begin == "in" && (slices.Contains(nothing, "inbound calls") ||
				plan == "" && slices.Contains(nothing, "inbound calls without a plan") ||
				plan == "p" && slices.Contains(nothing, "inbound calls of plan p")) ||
			begin == "unknown" && slices.ContainsFunc(nothing, func(s string) bool { return strings.HasPrefix(s, "any call of") })
		if plan == "p" && f.Account("a").Plan("p").Line == 0 {
			continue
		}
		if (len(r.Outcome.Recorded) == 0) != none {
			t.Errorf("plan %q: recorded %v, and said is that nothing is on %q", plan, r.Outcome.Recorded, nothing)
		}
		for _, track := range r.Outcome.Recorded {
			if track.Party == customer && slices.Contains(nothing, "what customers and other outsiders say") {
				t.Errorf("plan %q: %v", plan, track)
			}
			if slices.ContainsFunc(nothing, func(s string) bool { return strings.Contains(s, "before the first") }) && track.Spans[0].From.Seconds() < 10 {
				t.Errorf("plan %q: %v", plan, track)
			}
		}
	}
}
