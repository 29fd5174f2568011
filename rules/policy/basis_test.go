package policy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/policy"
)

func TestBasisOf(t *testing.T) {
	with := func(change func(*rules.Flags)) rules.Flags {
		f := rules.Ours()
		change(&f)
		return f
	}
	some := rules.Selection{Names: []string{"x"}}
	consents := with(func(f *rules.Flags) { f.PartyConsent = true })
	for _, tt := range []struct {
		cause rules.ActiveCause
		flags rules.Flags
		want  string
	}{
		{rules.ActiveCause{Cause: rules.NoDecision}, rules.Ours(), "setting plan, outbound, record, as in Vonage V-04 V-11 and Genesys G-02"},
		{rules.ActiveCause{Cause: rules.Hold}, rules.Ours(), "setting hold: pause-until-retrieve, as in Vonage V-40 V-41"},
		{rules.ActiveCause{Cause: rules.Hold}, with(func(f *rules.Flags) { f.Hold = rules.HoldLeg }), "setting hold: pause-customer-leg, as in Genesys G-18 G-21"},
		{rules.ActiveCause{Cause: rules.Manual}, with(func(f *rules.Flags) { f.Control.All = true }), "setting control: all, as in Vonage V-17 V-43 V-44"},
		{rules.ActiveCause{Cause: rules.Manual}, with(func(f *rules.Flags) { f.Control = some }), "setting control: selected, as in Vonage V-20 V-21 V-43 V-44"},
		{rules.ActiveCause{Cause: rules.External}, with(func(f *rules.Flags) { f.PauseExternal = true }), "setting external-consult: pause, as in Vonage V-57 V-59 V-60"},
		{rules.ActiveCause{Cause: rules.NoAgent}, rules.Genesys(), "setting continue-after-transfer: off, as in Vonage V-16 and Genesys G-30"},
		{rules.ActiveCause{Cause: rules.Stopped}, with(func(f *rules.Flags) { f.StopIsFinal = true }), "setting stop-is-final: on, as in Vonage V-16"},
		{rules.ActiveCause{Cause: rules.ConsultLeg}, rules.Ours(), "setting consult-conversation: withhold, as in Genesys G-03"},
		{rules.ActiveCause{Cause: rules.IVR, Owner: "f"}, rules.Ours(), "setting suppress: yes, as in Genesys G-18 G-19"},
		{rules.ActiveCause{Cause: rules.IVR, Owner: "unfed"}, with(func(f *rules.Flags) { f.SuppressedFlows = some }), "setting suppress: yes, our own rule"},
		{rules.ActiveCause{Cause: rules.IVR, Owner: "unfed"}, with(func(f *rules.Flags) { f.QueueWait = some }), "setting wait: withhold, our own rule"},
		{rules.ActiveCause{Cause: rules.IVR, Owner: "unfed"},
			with(func(f *rules.Flags) { f.SuppressedFlows.All = true; f.QueueWait = some }), "setting suppress: yes, wait: withhold, our own rule"},
		{rules.ActiveCause{Cause: rules.Queue}, rules.Ours(), "setting wait: withhold, as in Genesys G-18 G-20"},
		{rules.ActiveCause{Cause: rules.Consent}, with(func(f *rules.Flags) { f.Consent = rules.ConsentAsk }), "setting consent: ask, as in Genesys G-24 G-25 G-27"},
		{rules.ActiveCause{Cause: rules.Consent}, rules.Ours(), "setting consent: off, our own rule"},
		{rules.ActiveCause{Cause: rules.Withdrawn}, rules.Ours(), "setting withdrawal: erase, our own rule"},
		{rules.ActiveCause{Cause: rules.Void, Flag: "consent"}, with(func(f *rules.Flags) { f.Consent = rules.ConsentAsk }), "setting consent: ask, as in Genesys G-26 G-27"},
		{rules.ActiveCause{Cause: rules.Void, Flag: "withdrawal"}, rules.Ours(), "setting withdrawal: erase, our own rule"},
		{rules.ActiveCause{Cause: rules.Void, Flag: "do-not-record"}, rules.Ours(), "setting do-not-record, our own rule"},
		{rules.ActiveCause{Cause: rules.DoNotRecord, Owner: "call"}, rules.Ours(), "setting do-not-record, our own rule"},
		{rules.ActiveCause{Cause: rules.DoNotRecord, Owner: "command"}, rules.Ours(), "no setting can lift it, our own rule"},
		{rules.ActiveCause{Cause: rules.IVR, Owner: "command"}, rules.Ours(), "setting suppress: yes, as in Genesys G-18 G-19"},
		{rules.ActiveCause{Cause: rules.RoleFilter}, with(func(f *rules.Flags) { f.AgentOnly = true }), "setting agent-only: on, as in Vonage V-24 V-29 V-30"},
		{rules.ActiveCause{Cause: rules.RoleFilter}, consents, "setting party-consent: required, as in Vonage V-03"},
		{rules.ActiveCause{Cause: rules.Mixed}, consents, "setting party-consent: required, as in Vonage V-03"},
		{rules.ActiveCause{Cause: rules.Mixed}, with(func(f *rules.Flags) { f.PartyConsent, f.AgentOnly = true, true }), "setting agent-only: on, as in Vonage V-24 V-29 V-30"},
		{rules.ActiveCause{Cause: rules.Mixed}, rules.Ours(), "setting agent-only: off, our own rule"},
		{rules.ActiveCause{Cause: rules.Hold}, consents, "setting hold: pause-until-retrieve, as in Vonage V-40 V-41"},
		{rules.ActiveCause{Cause: rules.Manual, Owner: "unfed"}, with(func(f *rules.Flags) { f.Control.All = true }), "setting control: all, as in Vonage V-17 V-43 V-44"},
		{rules.ActiveCause{Cause: rules.Consent, Flag: "consent"}, with(func(f *rules.Flags) { f.Consent = rules.ConsentAsk }), "setting consent: ask, as in Genesys G-24 G-25 G-27"},
		{rules.ActiveCause{Cause: rules.Mixed}, rules.Ours(), "setting agent-only: off, our own rule"},
		{rules.ActiveCause{Cause: rules.PartyConsent}, consents, "setting party-consent: required, as in Vonage V-03"},
		{rules.ActiveCause{Cause: rules.InternalOnly}, rules.Ours(), "no setting can lift it, as in Genesys G-03"},
		{rules.ActiveCause{Cause: rules.SDP}, rules.Ours(), "no setting can lift it, our own rule"},
		{rules.ActiveCause{Cause: rules.Secure}, rules.Ours(), "no setting can lift it, our own rule"},
		{rules.ActiveCause{Cause: rules.NotLive}, rules.Ours(), "no setting can lift it, our own rule"},
	} {
		if got := policy.BasisOf(tt.cause, tt.flags).String(); got != tt.want {
			t.Errorf("%v of %q: %q, want %q", tt.cause.Cause, tt.cause.Owner, got, tt.want)
		}
	}
}

// What is cited is a statement that there is, and speaks of what is cited for it.
func TestBasesAreStatements(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "scenario", "files", "statements.txt"))
	if err != nil {
		t.Fatal(err)
	}
	said := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		if f := strings.Split(line, "\t"); len(f) > 1 {
			said[f[0]] = strings.ToLower(f[1])
		}
	}
	f := rules.Flags{Control: rules.Selection{Names: []string{"x"}}, PauseExternal: true, StopIsFinal: true, AgentOnly: true, Consent: rules.ConsentAsk, Hold: rules.HoldLeg}
	for c, word := range map[rules.Cause]string{
		rules.Consent: "consent", rules.Manual: "agent", rules.Hold: "hold", rules.External: "external", rules.NoAgent: "transfer",
		rules.IVR: "suppress", rules.Queue: "queue", rules.RoleFilter: "agent-only", rules.InternalOnly: "internal",
	} {
		named := 0
		for _, id := range policy.BasisOf(rules.ActiveCause{Cause: c}, f).Statements {
			if _, ok := said[id]; !ok {
				t.Errorf("%v: there is no statement %s", c, id)
			}
			if strings.Contains(said[id], word) {
				named++
			}
		}
		if named == 0 {
			t.Errorf("%v: no statement cited for it says %q", c, word)
		}
	}
}

// What decided to record is documented too.
func TestRecordBasis(t *testing.T) {
	for because, want := range map[string]string{
		"plan: every call":                         "setting plan: every call, as in Vonage V-05",
		"plan: 30 percent, and 0.250000 was drawn": "setting plan: 30 percent, and 0.250000 was drawn, as in Vonage V-06",
		"plan: number +15550100 is listed":         "setting plan: number +15550100 is listed, as in Vonage V-07",
		"plan: option 2 was chosen":                "setting plan: option 2 was chosen, as in Vonage V-08",
		"plan: every call, and outbound: record":   "setting plan: every call, and outbound: record, as in Vonage V-05 V-11",
		"outbound: record":                         "setting outbound: record, as in Vonage V-11",
		"record: on, of the trunk":                 "setting record: on, of the trunk, as in Genesys G-01",
		"command":                                  "setting command, as in Vonage V-02",
		"user-recordings: anna records":            "setting user-recordings: anna records, as in Genesys G-08",
		"everything is recorded":                   "setting everything is recorded, our own rule",
	} {
		if got := policy.RecordBasis(because).String(); got != want {
			t.Errorf("%q rests on %q, want %q", because, got, want)
		}
	}
}
