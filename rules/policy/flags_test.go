package policy_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/policy"
)

var t0 = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// everything is a file in which each setting is other than its default.
const everything = `
preset: genesys
profiles:
  - {name: poor}
accounts:
  - name: a
    preset: vonage
    owner: {outbound: record, agent-only: yes, continue-after-transfer: off, stop-is-final: true}
    control: selected
    user-recordings: selected
    hold: pause-customer-leg
    consult-holds-customer: yes
    external-consult: pause
    consult-conversation: withhold
    pause-alarm: 5m
    consent: ask
    withdrawal: keep
    party-consent: required
    digits: keep
    legal-hold: on
    do-not-record: [+441, +442]
    users: [{name: u1, may-control: yes}, {name: u2, may-record: on}, {name: u3, may-control: no}]
    flows: [{name: f1, suppress: yes}, {name: f2, suppress: no}]
    queues: [{name: q1, wait: withhold}, {name: q2}]
    plans:
      - {name: p1, record: all, consent: off}
      - {name: p2, record: [{percent: 30%}, {callers: +445}, {menu: [1, 2]}]}
    retention:
      - {keep: forever}
      - {keep: 90 days, direction: inbound}
      - {delete-after: 1 day, direction: outbound}
      - {delete-after: the call}
      - {evaluate: yes}
    trunks:
      - {name: t1, profile: poor, hold: record, streams: mixed-not}
`

func TestFlags(t *testing.T) {
	text := strings.Replace(everything, "mixed-not", "separate, owner: {continue-after-transfer: on}", 1)
	text = strings.Replace(text, "stop-is-final: true", "stop-is-final: false", 1)
	f := read(t, text)
	got := f.Flags(policy.Belonging{Account: "a", Trunk: "t1", Plan: "p2"}, t0)
	want := rules.Flags{
		Plan: []rules.PlanRule{
			{Kind: rules.PlanPercent, Percent: 30}, {Kind: rules.PlanCallers, Callers: []string{"+445"}},
			{Kind: rules.PlanMenu, Option: "1"}, {Kind: rules.PlanMenu, Option: "2"},
		},
		Outbound: true, DoNotRecord: []string{"+441", "+442"},
		Control: rules.Selection{Names: []string{"u1"}}, UserRecordings: rules.Selection{Names: []string{"u2"}},
		Hold: rules.HoldRecord, ConsultHolds: true, PauseExternal: true, ContinueWithoutAgent: true, AgentOnly: true,
		SuppressedFlows: rules.Selection{Names: []string{"f1"}}, QueueWait: rules.Selection{Names: []string{"q2"}}, FlowsUnfed: true,
		Consent: rules.ConsentAsk, Withdrawal: rules.WithdrawalKeeps, PartyConsent: true, Digits: true, LegalHold: true,
		PauseAlarm: 5 * time.Minute,
		Retention: []rules.RetentionRule{
			{Action: rules.RetainForever, Published: t0},
			{Action: rules.RetainDays, Days: 90, Direction: rules.DirectionInbound, Published: t0},
			{Action: rules.DeleteAfter, Days: 1, Direction: rules.DirectionOutbound, Published: t0},
			{Action: rules.DeleteAfter, Published: t0},
			{Action: rules.AssignEvaluation, Published: t0},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("flags\n%+v, want\n%+v", got, want)
	}
	if other := f.Flags(policy.Belonging{Account: "a", Plan: "p1"}, t0); other.Consent != rules.ConsentOff || other.Hold != rules.HoldLeg {
		t.Errorf("the plan does not override the account, or the trunk does where there is none: %+v", other)
	}
}

func TestPresets(t *testing.T) {
	for preset, want := range map[string]rules.Flags{"vonage": rules.Vonage(), "genesys": rules.Genesys(), "siprecd": rules.Ours()} {
		f := read(t, "accounts: [{name: a}]\npreset: "+preset)
		if got := f.Flags(policy.Belonging{Account: "a"}, t0); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", preset, got, want)
		}
		nowhere := f.Policy(policy.Belonging{Account: "b"}, t0).Version()
		if nowhere != rules.NewPolicy(rules.Flags{}).Version() {
			t.Errorf("%s: an account that is not there has a policy", preset)
		}
	}
	if f := read(t, "accounts: [{name: a}]"); !reflect.DeepEqual(f.Flags(policy.Belonging{Account: "a"}, t0), rules.Ours()) {
		t.Error("no preset is not ours")
	}
}

func TestFeeds(t *testing.T) {
	f := read(t, `
accounts:
  - name: a
    owner: {agent-only: on}
    control: all
    external-consult: pause
    do-not-record: [+441]
    withdrawal: keep
    user-recordings: selected
    users: [{name: u, may-record: yes}]
    queues: [{name: q, wait: withhold}]
    flows: [{name: f, suppress: yes}]
    plans: [{name: p, record: {menu: 2}, consent: ask}, {name: r, record: [{callers: +442}, {percent: 3}]}, {name: s, record: all}]
    trunks:
      - {name: t, profile: sbc, acknowledge: [plan, continue-after-transfer]}
profiles: [{name: sbc, wire: [hold, caller, consult], extension: [role, direction], api: [manual, chosen]}]
`)
	want := map[string]string{
		"agent-only: on":                 "enforced only with facts from the API",
		"continue-after-transfer: off":   "enforced",
		"control: all":                   "enforced only with facts from the API",
		"hold: pause-until-retrieve":     "enforced",
		"external-consult: pause":        "enforced",
		"consult-conversation: withhold": "enforced",
		"consent: ask":                   "never fed, fails",
		"withdrawal: keep":               "never fed, fails",
		"user-recordings: selected":      "never fed, fails",
		"wait: withhold":                 "never fed, fails",
		"do-not-record: list":            "enforced",
		"plan: rules":                    "never fed",
	}
	want["suppress: yes"] = "never fed, fails"
	got := make(map[string]string)
	for _, fed := range f.Feeds() {
		text := fed.Feed.String()
		if fed.Fails() {
			text += ", fails"
		}
		if key := fed.Setting + ": " + fed.Word; got[key] == "" {
			got[key] = text
		} else {
			t.Errorf("%s stands there twice", key)
		}
		if needs := fmt.Sprint(fed.Needs); fed.Setting == "plan" && needs != "[direction caller menu]" {
			t.Errorf("the plans need %s", needs)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("feeds\n%v, want\n%v", got, want)
	}
}

func TestHistory(t *testing.T) {
	var h policy.History
	publish := func(text string, at time.Duration, actor string) error {
		_, err := h.Publish([]byte(text), t0.Add(at), policy.Actor{Name: actor})
		return err
	}
	const one, two = "accounts: [{name: one}]", "accounts: [{name: two}]"
	for _, tt := range []struct {
		name, text, actor string
		at                time.Duration
		want              string
	}{
		{"the first", one, "anna", 0, ""},
		{"a broken one", "colour: blue\nfoo: bar", "anna", time.Second, "line 1: unknown key \"colour\" (and 1 more)"},
		{"one with a flaw", "colour: blue", "anna", time.Second, "line 1: unknown key \"colour\""},
		{"by nobody", two, "", time.Second, "nobody says who does it"},
		{"at the same instant", two, "anna", 0, "is not after the last version"},
		{"the second", two, "bert", time.Minute, ""},
		{"the first again", one, "anna", time.Hour, ""},
	} {
		err := publish(tt.text, tt.at, tt.actor)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.HasSuffix(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	if n := len(h.Versions()); n != 3 {
		t.Fatalf("%d versions, want 3", n)
	}
	if _, ok := h.InForce(t0); ok {
		t.Error("a version reaches back to the instant at which it was published")
	}
	for begins, want := range map[time.Duration]string{time.Nanosecond: "one", time.Minute: "one", time.Minute + 1: "two", 2 * time.Hour: "one"} {
		v, ok := h.InForce(t0.Add(begins))
		if !ok || v.File.Accounts[0].Name != want {
			t.Errorf("begun at %v: %v, want %s", begins, v.Name(), want)
		}
	}
	all := h.Versions()
	if all[0].File.Version() != all[2].File.Version() || all[0].Name() == all[2].Name() {
		t.Errorf("versions %s and %s", all[0].Name(), all[2].Name())
	}
	version := "file@" + all[1].Hash()[:12]
	if got, want := all[1].Name(), version+" published 2026-11-21T09:01:00Z by bert"; got != want || all[1].File.Version() != version {
		t.Errorf("version %s is named %s, want %s", all[1].File.Version(), got, want)
	}
}

// What the vendors keep to themselves, only an owner changes.
func TestOwner(t *testing.T) {
	const plain = "accounts: [{name: a, trunks: [{name: t}]}]"
	const outbound = "accounts: [{name: a, owner: {outbound: record}, trunks: [{name: t}]}]"
	for _, tt := range []struct {
		name, before, after string
		want                string // what an owner only may change
	}{
		{"nothing of an owner", "", plain, ""},
		{"as the preset has it", "", "accounts: [{name: a, owner: {outbound: off}}]", ""},
		{"at first", "", outbound, "outbound of account a"},
		{"later", plain, outbound, "outbound of account a"},
		{"taken back", outbound, plain, "outbound of account a"},
		{"not touched", outbound, strings.Replace(outbound, "name: t", "name: t, record: on", 1), ""},
		{"for one trunk", plain, strings.Replace(plain, "name: t", "name: t, owner: {continue-after-transfer: on}", 1), "continue-after-transfer of account a"},
		{"by another preset", plain, "preset: vonage\n" + plain, "continue-after-transfer of account a"},
		{"agent-only", plain, "accounts: [{name: a, owner: {agent-only: on}}]", "agent-only of account a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var h policy.History
			owner := policy.Actor{Name: "olga", Owner: true}
			if tt.before != "" {
				if _, err := h.Publish([]byte(tt.before), t0, owner); err != nil {
					t.Fatal(err)
				}
			}
			_, err := h.Publish([]byte(tt.after), t0.Add(time.Second), policy.Actor{Name: "anna"})
			if (err == nil) != (tt.want == "") || err != nil && !strings.HasSuffix(err.Error(), "only an owner may change "+tt.want) {
				t.Errorf("by anybody: %v, want %q", err, tt.want)
			}
			if v, err := h.Publish([]byte(tt.after), t0.Add(time.Minute), owner); err != nil || v.Actor != owner {
				t.Errorf("by the owner: %v", err)
			}
		})
	}
}

// Agent-only is of a whole account: it stands nowhere else, for nobody and no call.
func TestAgentOnlyIsOfTheAccount(t *testing.T) {
	for _, place := range []string{
		"agent-only: on", "trunks: [{name: t, agent-only: on}]", "trunks: [{name: t, owner: {agent-only: on}}]", "plans: [{name: p, agent-only: on}]",
		"queues: [{name: q, agent-only: on}]", "flows: [{name: f, agent-only: on}]", "users: [{name: u, agent-only: on}]",
	} {
		got := wrong("accounts: [{name: a, " + place + "}]")
		if len(got) != 1 || !strings.HasPrefix(got[0], "1: agent-only cannot be set for ") || !strings.HasSuffix(got[0], "it belongs to owner: of an account") {
			t.Errorf("%s: %q", place, got)
		}
	}
	f := read(t, "accounts: [{name: a, owner: {agent-only: on}, trunks: [{name: t}, {name: u}], plans: [{name: p}]}]")
	for _, b := range []policy.Belonging{{Account: "a"}, {Account: "a", Trunk: "t"}, {Account: "a", Trunk: "u", Plan: "p"}} {
		if !f.Flags(b, t0).AgentOnly {
			t.Errorf("not on %v", b)
		}
	}
}
