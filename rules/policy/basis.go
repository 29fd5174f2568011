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

// documented are the statements that a word of a setting follows; a word that is
// not there is our own.
func documented() map[string]string {
	return map[string]string{
		"plan, outbound, record":         "V-04 V-11 G-02",
		"consent: ask":                   "G-24 G-25 G-27",
		"control: all":                   "V-17 V-43 V-44",
		"control: selected":              "V-20 V-21 V-43 V-44",
		"hold: pause-until-retrieve":     "V-40 V-41",
		"hold: pause-customer-leg":       "G-18 G-21",
		"external-consult: pause":        "V-57 V-59 V-60",
		"suppress: yes":                  "G-18 G-19",
		"wait: withhold":                 "G-18 G-20",
		"continue-after-transfer: off":   "V-16 G-30",
		"stop-is-final: on":              "V-16",
		"consult-conversation: withhold": "G-03",
		"agent-only: on":                 "V-24 V-29 V-30",
		"party-consent: required":        "V-03",
	}
}

// causeKeys are the settings of which each cause is about one.
func causeKeys() map[rules.Cause]string {
	return map[rules.Cause]string{
		rules.Consent:      "consent",
		rules.Withdrawn:    "withdrawal",
		rules.Manual:       "control",
		rules.Hold:         "hold",
		rules.External:     "external-consult",
		rules.NoAgent:      "continue-after-transfer",
		rules.Stopped:      "stop-is-final",
		rules.ConsultLeg:   "consult-conversation",
		rules.RoleFilter:   "agent-only",
		rules.Mixed:        "agent-only",
		rules.PartyConsent: "party-consent",
		rules.DoNotRecord:  callerSetting,
	}
}

// BasisOf says what a cause rests on where those flags are in force.
func BasisOf(a rules.ActiveCause, flags rules.Flags) Basis {
	key := causeKeys()[a.Cause]
	switch a.Cause {
	case rules.DoNotRecord:
		if a.Owner == "command" {
			return Basis{}
		}
	case rules.NoDecision:
		return basis("plan, outbound, record")
	case rules.IVR:
		if a.Owner == "unfed" {
			return Basis{Setting: unfedSettings(flags)}
		}
		return basis("suppress: yes")
	case rules.Queue:
		return basis("wait: withhold")
	case rules.InternalOnly:
		return Basis{Statements: []string{"G-03"}}
	case rules.Void:
		if a.Flag == "consent" {
			return Basis{"consent: " + wordOf("consent", flags), []string{"G-26", "G-27"}}
		}
		key = a.Flag // what made it so
	case rules.Mixed, rules.RoleFilter:
		if flags.PartyConsent && !flags.AgentOnly {
			key = "party-consent"
		}
	}
	switch key {
	case "":
		return Basis{}
	case callerSetting:
		return basis(key)
	default:
		return basis(key + ": " + wordOf(key, flags))
	}
}

// RecordBasis says what a decision to record rests on: what decided, as
// rules.Decision.Because has it.
func RecordBasis(because string) Basis {
	b := Basis{Setting: because}
	for _, known := range []struct{ words, statement string }{
		{"plan: every call", "V-05"}, {" percent, and ", "V-06"}, {" is listed", "V-07"}, {" was chosen", "V-08"},
		{"outbound: record", "V-11"}, {"record: on, of the trunk", "G-01"}, {"command", "V-02"}, {"user-recordings: ", "G-08"},
	} {
		if strings.Contains(because, known.words) {
			b.Statements = append(b.Statements, known.statement)
		}
	}
	return b
}

func basis(setting string) Basis {
	return Basis{setting, strings.Fields(documented()[setting])}
}

func wordOf(key string, flags rules.Flags) string {
	s, _ := settingOf(key)
	return s.holds(flags)
}

// unfedSettings are those for which a call is withheld of which nothing tells
// where the caller is.
func unfedSettings(flags rules.Flags) string {
	var found []string
	if s := flags.SuppressedFlows; s.All || len(s.Names) > 0 {
		found = append(found, "suppress: yes")
	}
	if !flags.QueueWait.All {
		found = append(found, "wait: withhold")
	}
	return strings.Join(found, ", ")
}
