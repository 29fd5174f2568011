package policy_test

import (
	"testing"

	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/policy"
)

const standingFile = `preset: vonage
accounts:
  - name: sales
    owner: {outbound: record}
    hold: pause-until-retrieve
    consent: ask
    control: all
    do-not-record: [+15550199]
    plans:
      - name: support
        record: [{percent: 30}]
        consent: off
      - {name: quiet, record: none}
    flows: [{name: payment, suppress: yes}, {name: menu, suppress: no}, {name: refund, suppress: yes}, {name: plain}]
    queues: [{name: waiting, wait: withhold}]
    trunks:
      - {name: east, hold: record}
  - name: bank
    hold: record
    trunks: [{name: west, record: on}]
  - {name: ward, party-consent: required}
  - {name: clinic, party-consent: required, owner: {agent-only: on}}
  - {name: desk, owner: {agent-only: on}}
mapping: [{address: 192.0.2.0/24, account: sales}]
`

// Each setting is told from where it stands nearest to the call.
func TestStandings(t *testing.T) {
	f, problems := policy.Read([]byte(standingFile))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	plain := policy.Belonging{Account: "sales"}
	east := policy.Belonging{Account: "sales", Trunk: "east", Plan: "support"}
	for _, tt := range []struct {
		where policy.Belonging
		cause rules.ActiveCause
		want  string
	}{
		{plain, rules.ActiveCause{Cause: rules.Hold}, "hold: pause-until-retrieve @ line 5, account sales"},
		{east, rules.ActiveCause{Cause: rules.Hold}, "hold: record @ line 17, trunk east of account sales"},
		{plain, rules.ActiveCause{Cause: rules.Consent}, "consent: ask @ line 6, account sales"},
		{east, rules.ActiveCause{Cause: rules.Consent}, "consent: off @ line 12, plan support of account sales"},
		{plain, rules.ActiveCause{Cause: rules.Void, Flag: "consent"}, "consent: ask @ line 6, account sales"},
		{plain, rules.ActiveCause{Cause: rules.Manual}, "control: all @ line 7, account sales"},
		{plain, rules.ActiveCause{Cause: rules.External}, "external-consult: record @ no line of account sales: it is the default of preset vonage"},
		{plain, rules.ActiveCause{Cause: rules.IVR, Owner: "payment"}, "suppress: yes @ line 14, flow payment of account sales"},
		{plain, rules.ActiveCause{Cause: rules.IVR, Owner: "unfed"}, "suppress: yes @ line 14, flow payment of account sales; suppress: yes @ line 14, flow refund of account sales"},
		{plain, rules.ActiveCause{Cause: rules.Queue, Owner: "waiting"}, "wait: withhold @ line 15, queue waiting of account sales"},
		{plain, rules.ActiveCause{Cause: rules.DoNotRecord}, "do-not-record @ account sales"},
		{plain, rules.ActiveCause{Cause: rules.DoNotRecord, Owner: "command"}, ""},
		{plain, rules.ActiveCause{Cause: rules.Void, Flag: "do-not-record"}, ""},
		{plain, rules.ActiveCause{Cause: rules.NoDecision}, "no plan @ account sales, which names none for it; outbound: record @ line 4, account sales; record: off @ no line of account sales: it is the default of preset vonage"},
		{east, rules.ActiveCause{Cause: rules.NoDecision}, "plan support @ line 10, account sales; outbound: record @ line 4, account sales; record: off @ no line of account sales: it is the default of preset vonage"},
		{policy.Belonging{Account: "ward"}, rules.ActiveCause{Cause: rules.RoleFilter}, "party-consent: required @ line 21, account ward"},
		{policy.Belonging{Account: "clinic"}, rules.ActiveCause{Cause: rules.RoleFilter}, "agent-only: on @ line 22, account clinic"},
		{policy.Belonging{Account: "bank"}, rules.ActiveCause{Cause: rules.RoleFilter}, "agent-only: off @ no line of account bank: it is the default of preset vonage"},
		{policy.Belonging{Account: "desk"}, rules.ActiveCause{Cause: rules.RoleFilter}, "agent-only: on @ line 23, account desk"},
		{policy.Belonging{Account: "ward"}, rules.ActiveCause{Cause: rules.Mixed}, "party-consent: required @ line 21, account ward"},
		{policy.Belonging{Account: "ward"}, rules.ActiveCause{Cause: rules.Hold}, "hold: record @ no line of account ward: it is the default of preset vonage"},
		{plain, rules.ActiveCause{Cause: rules.SDP}, ""},
		{policy.Belonging{Account: "other"}, rules.ActiveCause{Cause: rules.Hold}, ""},
	} {
		if got := told(f.Standings(tt.where, tt.cause)); got != tt.want {
			t.Errorf("%v of %q: %s, want %s", tt.cause.Cause, tt.cause.Owner, got, tt.want)
		}
	}
	for because, want := range map[string]string{
		"plan: 30 percent, and 0.100000 was drawn, and outbound: record": "plan support @ line 10, account sales; outbound: record @ line 4, account sales",
		"plan: command": "", "everything is recorded": "",
		"user-recordings: p1 records": "user-recordings: all @ no line of account sales: it is the default of preset vonage",
	} {
		if got := told(f.Deciding(east, because)); got != want {
			t.Errorf("%s: %s, want %s", because, got, want)
		}
	}
	west := policy.Belonging{Account: "bank", Trunk: "west"}
	if got, want := told(f.Deciding(west, "record: on, of the trunk")), "record: on @ line 20, trunk west of account bank"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := f.Deciding(policy.Belonging{}, "record: on, of the trunk"); got != nil {
		t.Errorf("of no account: %v", got)
	}
}

// What is told of a setting is what the manual says of it.
func TestStandingMeans(t *testing.T) {
	f, _ := policy.Read([]byte(standingFile))
	got := f.Standings(policy.Belonging{Account: "sales"}, rules.ActiveCause{Cause: rules.Hold})
	if want := "When an agent puts a call on hold, recording stops until the agent retrieves it."; got[0].Meaning != want {
		t.Errorf("%q", got[0].Meaning)
	}
}

func told(all []policy.Standing) string {
	text := ""
	for i, s := range all {
		if i > 0 {
			text += "; "
		}
		text += s.Setting + " @ " + s.Place
	}
	return text
}
