package rules_test

import (
	"testing"

	"github.com/siprecd/siprecd/rules"
)

// Digits are kept where each policy of the case says so, and nowhere unasked.
func TestKeepsDigits(t *testing.T) {
	for name, f := range map[string]rules.Flags{"vonage": rules.Vonage(), "genesys": rules.Genesys(), "ours": rules.Ours(), "none": {}} {
		if rules.Open(rules.NewPolicy(f), "r").KeepsDigits() {
			t.Errorf("%s keeps digits", name)
		}
	}
	if rules.Open(rules.RecordAll(), "r").KeepsDigits() {
		t.Error("digits are kept where everything is recorded")
	}
	drop := loose()
	keep := loose()
	keep.Digits = true
	stricter := keep
	stricter.AgentOnly = true
	planless, planned := planned(func(f *rules.Flags) {
		f.Plan = []rules.PlanRule{{Kind: rules.PlanAll}}
		f.Digits = true
	})
	for _, tt := range []struct {
		name          string
		policy, other rules.Flags
		plan          *rules.Flags
		want          bool
	}{
		{"kept", keep, keep, nil, true},
		{"merged with a case of another policy that keeps them", keep, stricter, nil, true},
		{"dropped", drop, drop, nil, false},
		{"merged with a case that drops them", keep, drop, nil, false},
		{"merged with a case that keeps them", drop, keep, nil, false},
		{"a plan that keeps them becomes known", planless, planless, &planned, true},
	} {
		c := happened(rules.NewPolicy(tt.policy), "r", talk()...)
		if tt.plan != nil {
			e := names(*tt.plan)
			e.At = at(9)
			c.Apply(e)
		}
		c.Merge(happened(rules.NewPolicy(tt.other), "r2", second(talk())...), at(20))
		if got := c.KeepsDigits(); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
