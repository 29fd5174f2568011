package policy_test

import (
	"testing"

	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/policy"
)

func TestBasisOf(t *testing.T) {
	leg, consents := rules.Ours(), rules.Ours()
	leg.Hold, consents.PartyConsent = rules.HoldLeg, true
	for _, tt := range []struct {
		cause rules.Cause
		flags rules.Flags
		want  string
	}{
		{rules.Hold, rules.Ours(), "setting hold: pause-until-retrieve, as in Vonage V-40 V-41"},
		{rules.Hold, leg, "setting hold: pause-customer-leg, as in Genesys G-18 G-21"},
		{rules.NoAgent, rules.Genesys(), "setting continue-after-transfer: off, as in Vonage V-16 and Genesys G-30"},
		{rules.IVR, rules.Ours(), "setting suppress: yes, as in Genesys G-18 G-19"},
		{rules.Withdrawn, rules.Ours(), "setting withdrawal: erase, our own rule"},
		{rules.Mixed, consents, "setting party-consent: required, as in Vonage V-03"},
		{rules.Mixed, rules.Ours(), "setting agent-only: off, as in Vonage V-29"},
		{rules.InternalOnly, rules.Ours(), "no setting can lift it, as in Genesys G-03"},
		{rules.SDP, rules.Ours(), "no setting can lift it, our own rule"},
	} {
		if got := policy.BasisOf(tt.cause, tt.flags).String(); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.cause, got, tt.want)
		}
	}
	for c := rules.NoDecision; c <= rules.Void; c++ {
		b := policy.BasisOf(c, rules.Ours())
		always := c == rules.SDP || c == rules.NotLive || c == rules.Secure || c == rules.InternalOnly
		if (b.Setting == "") != always {
			t.Errorf("%v rests on setting %q", c, b.Setting)
		}
	}
}
