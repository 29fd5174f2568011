package rules_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/rules"
)

// planned are flags without and with a plan.
func planned(change func(*rules.Flags)) (without, with rules.Flags) {
	without = loose()
	without.Plan, without.Trunk, without.Outbound = nil, false, false
	with = without
	change(&with)
	return without, with
}

// names says the plan of a call.
func names(f rules.Flags) rules.Event { return rules.Event{Kind: rules.PlanNamed, Name: "p", Plan: &f} }

// A plan that becomes known counts for all that was told before, and from then on.
func TestPlanNamed(t *testing.T) {
	menu := rules.PlanRule{Kind: rules.PlanMenu, Option: "2"}
	for _, tt := range []struct {
		name   string
		change func(*rules.Flags)
		before []rules.Event
		want   string // of the customer's stream
		reason string
	}{
		{"all", func(f *rules.Flags) { f.Plan = []rules.PlanRule{{Kind: rules.PlanAll}} }, nil, "record C@9", "plan: every call"},
		{"none", func(*rules.Flags) {}, nil, "withhold C@0 no-decision/policy@0", ""},
		{"an option of before", func(f *rules.Flags) { f.Plan = []rules.PlanRule{menu} }, []rules.Event{{Kind: rules.MenuChosen, Name: "2"}}, "record C@9", "plan: option 2 was chosen"},
		{"another option", func(f *rules.Flags) { f.Plan = []rules.PlanRule{menu} }, []rules.Event{{Kind: rules.MenuChosen, Name: "3"}}, "withhold C@9 no-decision/policy@0", ""},
		{"the draw of before", func(f *rules.Flags) { f.Plan = []rules.PlanRule{{Kind: rules.PlanPercent, Percent: 30}} }, []rules.Event{{Kind: rules.PlanRan, Draw: 0.25}}, "record C@9", "plan: 30 percent, and 0.250000 was drawn"},
		{"a draw that does not pick", func(f *rules.Flags) { f.Plan = []rules.PlanRule{{Kind: rules.PlanPercent, Percent: 30}} }, []rules.Event{{Kind: rules.PlanRan, Draw: 0.3}}, "withhold C@9 no-decision/policy@0", ""},
		{"no draw", func(f *rules.Flags) { f.Plan = []rules.PlanRule{{Kind: rules.PlanPercent, Percent: 30}} }, nil, "withhold C@9 no-decision/policy@0", ""},
		{"a number of before", func(f *rules.Flags) { f.Plan = []rules.PlanRule{{Kind: rules.PlanCallers, Callers: []string{"+447"}}} },
			[]rules.Event{{Kind: rules.PlanRan, Draw: 0.9}, {Kind: rules.NumberTold, Number: "+447"}}, "record C@9", "plan: number +447 is listed"},
		{"a command of before", func(f *rules.Flags) { f.Plan = []rules.PlanRule{{Kind: rules.PlanAll}} }, []rules.Event{{Kind: rules.RecordOrdered}}, "record C@9", "command"},
		{"consent", func(f *rules.Flags) { f.Consent = rules.ConsentAsk }, []rules.Event{{Kind: rules.RecordOrdered}}, "withhold C@9 consent/call@9", ""},
		{"consent that was given", func(f *rules.Flags) { f.Consent = rules.ConsentAsk }, []rules.Event{{Kind: rules.RecordOrdered}, {Kind: rules.ConsentGiven}}, "record C@9", "command"},
		{"a number that is never recorded", func(f *rules.Flags) { f.DoNotRecord = []string{"+447"} },
			[]rules.Event{{Kind: rules.RecordOrdered}, {Kind: rules.NumberTold, Number: "+447"}}, "withhold C@9 do-not-record/call@9", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			without, with := planned(tt.change)
			c := happened(rules.NewPolicy(without), "r", talk(tt.before...)...)
			e := names(with)
			e.At = at(9)
			for _, d := range c.Apply(e) {
				if d.Verdict == rules.Refused {
					t.Errorf("%v", d)
				}
			}
			d, version := c.Decision("C"), rules.NewPolicy(with).Version()
			if got := line(d); got != tt.want || d.Because != tt.reason || d.Policy != version {
				t.Errorf("got %s because %q under %s, want %s because %q under %s", got, d.Because, d.Policy, tt.want, tt.reason, version)
			}
			if c.Plan() != "p" || c.Policy().Version() != version {
				t.Errorf("plan %q of %s", c.Plan(), c.Policy().Version())
			}
		})
	}
}

// What was recorded before names the version that allowed it, also where the plan
// changes nothing else.
func TestPlanVersions(t *testing.T) {
	without, with := planned(func(f *rules.Flags) { f.LegalHold = true })
	e := names(with)
	e.At = at(9)
	c := happened(rules.NewPolicy(without), "r", append(talk(rules.Event{Kind: rules.RecordOrdered}), e)...)
	l := c.Timeline("C")
	if len(l) != 3 {
		t.Fatalf("%v", l)
	}
	for i, want := range []string{rules.NewPolicy(without).Version(), rules.NewPolicy(with).Version()} {
		if d := l[1+i]; d.Verdict != rules.Record || d.Policy != want || d.Permit.Policy() != want || !d.From.Equal(at(1+8*i)) {
			t.Errorf("%v under %s, want %s", d, d.Permit.Policy(), want)
		}
	}
	if !l[1].Permit.Until().Equal(at(9)) {
		t.Errorf("until %v", l[1].Permit.Until())
	}
}

// A plan is named once, and only where none is known.
func TestPlanRefused(t *testing.T) {
	without, with := planned(func(f *rules.Flags) { f.Plan = []rules.PlanRule{{Kind: rules.PlanAll}} })
	again, other, unnamed, empty := names(with), names(with), names(with), names(with)
	other.Name, unnamed.Name, empty.Plan = "q", "", nil
	for _, tt := range []struct {
		name   string
		policy rules.Policy
		events []rules.Event
		want   string
	}{
		{"once", rules.NewPolicy(without), []rules.Event{again}, ""},
		{"twice", rules.NewPolicy(without), []rules.Event{again, again}, ""},
		{"another", rules.NewPolicy(without), []rules.Event{again, other}, "names another plan than that of the call"},
		{"another, where it has no rules", rules.NewPolicy(without), []rules.Event{names(without), other}, "names another plan than that of the call"},
		{"the policy has one", rules.NewPolicy(with), []rules.Event{again}, "names another plan than that of the call"},
		{"no name", rules.NewPolicy(without), []rules.Event{unnamed}, "names no plan"},
		{"no settings", rules.NewPolicy(without), []rules.Event{empty}, "names no plan"},
		{"all is recorded", rules.RecordAll(), []rules.Event{again}, "names a plan where everything is recorded"},
	} {
		c := happened(tt.policy, "r", talk()...)
		version := c.Policy().Version()
		for i, e := range tt.events {
			e.At = at(5 + i)
			got := c.Apply(e)
			refused := ""
			if n := len(got); n > 0 && got[0].Verdict == rules.Refused {
				refused = got[0].Reason
			}
			if last := i == len(tt.events)-1; last && refused != tt.want || !last && refused != "" {
				t.Errorf("%s: refused because it %q", tt.name, refused)
			}
			if refused != "" && (len(got) != 1 || i == 0 && c.Policy().Version() != version) {
				t.Errorf("%s: refused, and %v", tt.name, got)
			}
		}
	}
}

// A plan that is named at the instant at which the call begins is its plan, wherever
// among the events it stands.
func TestPlanNamedAtTheStart(t *testing.T) {
	without, with := planned(func(f *rules.Flags) {
		f.Plan = []rules.PlanRule{{Kind: rules.PlanPercent, Percent: 30}, {Kind: rules.PlanAll}}
	})
	all := append(talk(), names(with), rules.Event{Kind: rules.PlanRan, Draw: 0.1})
	for i := range all {
		all[i].At = at(0)
	}
	for range len(all) {
		all = append(all[1:], all[0])
		c := rules.Open(rules.NewPolicy(without), "r")
		c.Apply(all...)
		if d := c.Decision("C"); d.Verdict != rules.Record || !d.From.Equal(at(0)) || d.Because != "plan: every call" {
			t.Errorf("%v", d)
		}
	}
}

// Events that were written down and read again come to the same decisions, under the
// same version of the policy.
func TestPlanReplayed(t *testing.T) {
	without, with := planned(func(f *rules.Flags) {
		f.Plan = []rules.PlanRule{{Kind: rules.PlanAll}, {Kind: rules.PlanCallers, Callers: []string{"+441"}}}
		f.Retention = []rules.RetentionRule{{Action: rules.DeleteAfter, Days: 3, Published: t0}}
	})
	events := talk(names(with), rules.Event{Kind: rules.DoNotRecordOrdered, Party: "A1"})
	text, err := json.Marshal(events)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), `"Plan"`); n != 2 { // that of the event, and that within it
		t.Errorf("%d plans in %s", n, text)
	}
	var read []rules.Event
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	p := rules.NewPolicy(without)
	was, is := happened(p, "r", events...), happened(p, "r", read...)
	if a, b := fmt.Sprint(was.Timeline("C")), fmt.Sprint(is.Timeline("C")); a != b || !strings.Contains(a, "do-not-record of command") {
		t.Errorf("%s\n%s", a, b)
	}
	if was.Policy().Version() != is.Policy().Version() {
		t.Error("another version")
	}
}

// A plan that was named for one of two is that of both, if the older has none and both
// are under one version of the policy file.
func TestMergePlans(t *testing.T) {
	without, with := planned(func(f *rules.Flags) { f.Plan = []rules.PlanRule{{Kind: rules.PlanAll}} })
	_, third := planned(func(f *rules.Flags) { f.Consent = rules.ConsentAsk })
	elsewhere := without
	elsewhere.LegalHold = true
	named := func(f rules.Flags, name string) []rules.Event {
		e := names(f)
		e.Name = name
		return talk(e)
	}
	for _, tt := range []struct {
		name         string
		policy       rules.Flags // of the younger one
		older, later []rules.Event
		plan         string
		verdict      rules.Verdict
		asks         bool
		policies     int
	}{
		{"of the younger", without, talk(), named(with, "p"), "p", rules.Record, false, 1},
		{"of the older", without, named(with, "p"), talk(), "p", rules.Record, false, 1},
		{"of both", without, named(with, "p"), named(with, "p"), "p", rules.Record, false, 1},
		{"two: the older decides, both withhold", without, named(with, "p"), named(third, "q"), "p", rules.Withhold, true, 2},
		{"two, the other way round", without, named(third, "q"), named(with, "p"), "q", rules.Withhold, true, 2},
		{"of another version", elsewhere, talk(), named(with, "p"), "", rules.Withhold, false, 2},
		{"of none", without, talk(), talk(), "", rules.Withhold, false, 1},
	} {
		c := happened(rules.NewPolicy(without), "r", tt.older...)
		got := c.Merge(happened(rules.NewPolicy(tt.policy), "r2", second(tt.later)...), at(20))
		if c.Plan() != tt.plan || c.Decision("C").Verdict != tt.verdict || c.Asking() != tt.asks || c.Policies() != tt.policies {
			t.Errorf("%s: plan %q, asking %v, %d policies, %v", tt.name, c.Plan(), c.Asking(), c.Policies(), c.Decision("C"))
		}
		if !slices.ContainsFunc(got, func(d rules.Decision) bool { return d.Stream == "2/C" }) {
			t.Errorf("%s: nothing is decided: %v", tt.name, got)
		}
	}
	// What would hold without a plan is no second policy where one is known.
	asks, plain := planned(func(f *rules.Flags) { f.Plan = []rules.PlanRule{{Kind: rules.PlanAll}} })
	asks.Consent = rules.ConsentAsk
	p := rules.NewPolicy(asks)
	for i, c := range []*rules.Case{happened(p, "r", named(plain, "p")...), happened(p, "r", talk()...)} {
		later := [][]rules.Event{talk(), named(plain, "p")}[i]
		if c.Merge(happened(p, "r2", second(later)...), at(20)); c.Asking() || c.Decision("C").Verdict != rules.Record {
			t.Errorf("%d: asking %v, %v", i, c.Asking(), c.Decision("C"))
		}
	}
	// It is continued with after the end, too.
	c := rules.Open(rules.NewPolicy(without), "r")
	c.Merge(happened(rules.NewPolicy(without), "r1", append(named(with, "p"), rules.Event{At: at(5), Kind: rules.InteractionEnded})...), at(20))
	for _, e := range talk() {
		e.At = at(21)
		c.Apply(e)
	}
	if d := c.Decision("C"); d.Verdict != rules.Record || c.Plan() != "p" {
		t.Errorf("%v", d)
	}
}

// What a command forbids is recorded by nobody from then on, whatever comes; what was
// recorded before stays.
func TestDoNotRecordOrdered(t *testing.T) {
	records := rules.Event{Kind: rules.UserRecordingStarted, Party: "A1"}
	c := happened(rules.NewPolicy(loose()), "r", talk(records)...)
	got := c.Apply(rules.Event{At: at(5), Kind: rules.DoNotRecordOrdered})
	for _, d := range got {
		if d.Verdict != rules.Withhold {
			t.Errorf("%v", d)
		}
	}
	d := c.Decision("C")
	if len(got) != 4 || line(d) != "withhold C@5 do-not-record/command@5" || d.Causes[0].Flag != "always" || d.Causes[0].Words() != "a command forbids to record the call" {
		t.Errorf("%d decisions, %v", len(got), d)
	}
	for i, tt := range []struct {
		event  rules.Event
		reason string
	}{
		{rules.Event{Kind: rules.DoNotRecordOrdered}, ""},
		{rules.Event{Kind: rules.MenuChosen, Name: "1"}, ""},
		{rules.Event{Kind: rules.RecordOrdered, Party: "A1"}, "asks for a call that a command forbids to record"},
		{rules.Event{Kind: rules.UserRecordingStopped, Party: "A1"}, ""},
		{records, "asks for a call that is never recorded"},
	} {
		tt.event.At = at(6 + i)
		refused := ""
		for _, d := range c.Apply(tt.event) {
			if refused = d.Reason; d.Verdict == rules.Record {
				t.Errorf("after %v: %v", tt.event.Kind, d)
			}
		}
		if refused != tt.reason {
			t.Errorf("after %v: refused because it %q", tt.event.Kind, refused)
		}
	}
	if l := c.Timeline("C"); len(l) != 2 || l[0].Verdict != rules.Record || !l[0].Until.Equal(at(5)) || c.Void() {
		t.Errorf("%v", l)
	}
	c = happened(rules.RecordAll(), "r", talk(rules.Event{Kind: rules.DoNotRecordOrdered})...)
	if d := c.Decision("C"); line(d) != "withhold C@1 do-not-record/command@1" {
		t.Errorf("where everything is recorded: %v", d)
	}
	// It is taken before what lets go at the same instant.
	c = happened(rules.NewPolicy(loose()), "r", talk(rules.Event{Kind: rules.SecureStarted, Owner: "p"})...)
	got = c.Apply(rules.Event{At: at(5), Kind: rules.SecureEnded, Owner: "p"}, rules.Event{At: at(5), Kind: rules.RecordOrdered}, rules.Event{At: at(5), Kind: rules.DoNotRecordOrdered})
	if len(got) != 3 || got[0].Verdict != rules.Refused || got[1].Verdict != rules.Withhold {
		t.Errorf("%v", got)
	}
}

// A flow may be called like the owner of what a command forbids, and a number of the
// list has another owner.
func TestOwnersOfDoNotRecord(t *testing.T) {
	f := loose()
	f.SuppressedFlows.All, f.DoNotRecord = true, []string{"+449"}
	c := happened(rules.NewPolicy(f), "r", talk(rules.Event{Kind: rules.FlowEntered, Name: "command"}, rules.Event{Kind: rules.NumberTold, Number: "+449"})...)
	a := c.Causes()
	if len(a) != 3 || a[0].Flag != "suppress" || a[0].Words() != rules.IVR.Words() || a[1].Flag != "do-not-record" || a[1].Words() != rules.DoNotRecord.Words() {
		t.Errorf("%+v", a)
	}
}
