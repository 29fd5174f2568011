package policy

import (
	"strings"

	"github.com/siprecd/siprecd/rules"
)

// A Basis is what a cause rests on: a setting of the file, and what the products
// document. Both are empty where the cause holds always and for everybody.
type Basis struct {
	Setting    string   // key: word, or empty
	Statements []string // ids; V is Vonage, G is Genesys
}

// String names both.
func (b Basis) String() string {
	setting := "setting " + b.Setting
	if b.Setting == "" {
		setting = "no setting can lift it"
	}
	if len(b.Statements) == 0 {
		return setting + ", our own rule"
	}
	var said []string
	for _, product := range []struct{ letter, name string }{{"V", "Vonage"}, {"G", "Genesys"}} {
		var ids []string
		for _, id := range b.Statements {
			if strings.HasPrefix(id, product.letter) {
				ids = append(ids, id)
			}
		}
		if len(ids) > 0 {
			said = append(said, product.name+" "+strings.Join(ids, " "))
		}
	}
	return setting + ", as in " + strings.Join(said, " and ")
}

// bases are the keys of the settings and the statements of each cause.
func bases() map[rules.Cause]Basis {
	return map[rules.Cause]Basis{
		rules.NoDecision:   {"plan, outbound, record", []string{"V-04", "V-11", "G-02"}},
		rules.Consent:      {"consent", []string{"G-24", "G-25", "G-27"}},
		rules.Withdrawn:    {"withdrawal", nil},
		rules.Manual:       {"control", []string{"V-17", "V-43", "V-44"}},
		rules.External:     {"external-consult", []string{"V-57", "V-59", "V-60"}},
		rules.IVR:          {"suppress: yes", []string{"G-18", "G-19"}},
		rules.Queue:        {"wait: withhold", []string{"G-18", "G-20"}},
		rules.NoAgent:      {"continue-after-transfer", []string{"V-16", "G-30"}},
		rules.Stopped:      {"stop-is-final", []string{"V-16", "G-30"}},
		rules.InternalOnly: {"", []string{"G-03"}},
		rules.ConsultLeg:   {"consult-conversation", []string{"V-26", "G-03"}},
		rules.RoleFilter:   {"agent-only", []string{"V-24", "V-29", "V-30"}},
		rules.Mixed:        {"agent-only", []string{"V-29"}},
		rules.PartyConsent: {"party-consent", []string{"V-03"}},
		rules.Void:         {"consent", []string{"G-26", "G-27"}},
	}
}

// BasisOf says what a cause rests on where those flags are in force.
func BasisOf(c rules.Cause, flags rules.Flags) Basis {
	b := bases()[c]
	if c == rules.Hold {
		b = Basis{"hold", []string{"V-40", "V-41"}}
		if flags.Hold == rules.HoldLeg {
			b.Statements = []string{"G-18", "G-21"}
		}
	}
	if c == rules.Mixed && flags.PartyConsent && !flags.AgentOnly {
		b = bases()[rules.PartyConsent]
	}
	if s, ok := settingOf(b.Setting); ok && s.holds != nil {
		b.Setting += ": " + s.holds(flags)
	}
	return b
}
