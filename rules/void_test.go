package rules_test

import (
	"testing"

	"github.com/siprecd/siprecd/rules"
)

// A legal hold outweighs that consent was taken back, where nothing else makes it void.
func TestOnlyWithdrawn(t *testing.T) {
	keeps := rules.Flags{Withdrawal: rules.WithdrawalKeeps}
	for _, tt := range []struct {
		name       string
		flags      rules.Flags
		kinds      []rules.Kind
		void, only bool
	}{
		{"nothing was said", rules.Flags{}, nil, false, false},
		{"taken back", rules.Flags{}, []rules.Kind{rules.ConsentWithdrawn}, true, true},
		{"taken back, and kept", keeps, []rules.Kind{rules.ConsentWithdrawn}, false, false},
		{"refused", rules.Flags{}, []rules.Kind{rules.ConsentRefused}, true, false},
		{"taken back and refused", rules.Flags{}, []rules.Kind{rules.ConsentWithdrawn, rules.ConsentRefused}, true, false},
		{"refused and taken back", rules.Flags{}, []rules.Kind{rules.ConsentRefused, rules.ConsentWithdrawn}, true, false},
		{"taken back, and asked again without an answer", rules.Flags{}, []rules.Kind{rules.ConsentWithdrawn, rules.ConsentAsked, rules.InteractionEnded}, true, false},
	} {
		c := rules.Open(rules.NewPolicy(tt.flags), "r")
		c.Apply(rules.Event{At: at(0), Kind: rules.InteractionStarted})
		for i, kind := range tt.kinds {
			c.Apply(rules.Event{At: at(i + 1), Kind: kind})
		}
		if c.Void() != tt.void || c.OnlyWithdrawn() != tt.only {
			t.Errorf("%s: void %v, only withdrawn %v", tt.name, c.Void(), c.OnlyWithdrawn())
		}
	}
}

// What is refused in one interaction is refused in both, once they are one.
func TestOnlyWithdrawnMerged(t *testing.T) {
	said := func(kinds ...rules.Kind) *rules.Case {
		c := rules.Open(rules.NewPolicy(rules.Flags{}), "r")
		c.Apply(rules.Event{At: at(0), Kind: rules.InteractionStarted})
		for i, kind := range kinds {
			c.Apply(rules.Event{At: at(i + 1), Kind: kind})
		}
		return c
	}
	for _, tt := range []struct {
		name         string
		into, merged *rules.Case
		only         bool
	}{
		{"both taken back", said(rules.ConsentWithdrawn), said(rules.ConsentWithdrawn), true},
		{"taken back in the other", said(), said(rules.ConsentWithdrawn), true},
		{"refused in the other", said(rules.ConsentWithdrawn), said(rules.ConsentRefused), false},
		{"taken back and refused in the other", said(), said(rules.ConsentWithdrawn, rules.ConsentRefused), false},
		{"refused", said(rules.ConsentRefused), said(rules.ConsentWithdrawn), false},
		{"unanswered at the end of the other", said(rules.ConsentWithdrawn), said(rules.ConsentAsked, rules.InteractionEnded), true},
	} {
		tt.into.Merge(tt.merged, at(9))
		if !tt.into.Void() || tt.into.OnlyWithdrawn() != tt.only {
			t.Errorf("%s: void %v, only withdrawn %v", tt.name, tt.into.Void(), tt.into.OnlyWithdrawn())
		}
	}
}
