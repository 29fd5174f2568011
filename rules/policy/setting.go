package policy

import (
	"slices"
	"sync"

	"github.com/siprecd/siprecd/rules"
)

// A section is a part of the file in which settings stand.
type section int

const (
	inAccount section = iota
	inOwner           // what the vendors keep to themselves
	inTrunk
	inTrunkOwner
	inPlan
	inQueue
	inFlow
	inUser
)

// String is the place as it is written to a person.
func (s section) String() string {
	return name([]string{
		"an account", "owner: of an account", "a trunk", "owner: of a trunk",
		"a plan", "a queue", "a flow", "a user",
	}, int(s), "section")
}

// A setting is one named flag: where it may stand, its values and what they mean.
type setting struct {
	key      string
	sections []section
	values   []value
	// set puts the word into the flags; nil where the setting is about one queue,
	// flow or user, which File.Flags collects.
	set func(f *rules.Flags, word string)
	// holds is the word that is in force.
	holds func(f rules.Flags) string
	// amount is set where any amount is a value, and not one of a few words.
	amount *amount
}

// An amount is what a setting may have that has no fixed words.
type amount struct {
	reads func(text string) bool
	want  string // what it reads, for who wrote something else
	rows  []value
	tells func(f rules.Flags) string // what is in force, as a whole sentence
}

// A value is a word that a setting may have.
type value struct {
	word     string
	sentence string // what it means, as a whole sentence
	needs    []Fact // without which it cannot be done
}

// onOff is a setting that is a field of the flags: words[0] is false.
func onOff(key string, field func(*rules.Flags) *bool, no, yes value, sections ...section) setting {
	return setting{
		key: key, sections: sections, values: []value{no, yes},
		set: func(f *rules.Flags, word string) { *field(f) = word == yes.word },
		holds: func(f rules.Flags) string {
			if *field(&f) {
				return yes.word
			}
			return no.word
		},
	}
}

// selected is a setting that is a selection of users.
func selected(key string, field func(*rules.Flags) *rules.Selection, values ...value) setting {
	return setting{
		key: key, sections: []section{inAccount}, values: values,
		set: func(f *rules.Flags, word string) { *field(f) = rules.Selection{All: word == "all"} },
		holds: func(f rules.Flags) string {
			switch s := *field(&f); {
			case s.All:
				return "all"
			case len(s.Names) > 0:
				return "selected"
			default:
				return "off"
			}
		},
	}
}

// settings is the table of all named flags. Nobody changes it.
var settings = sync.OnceValue(func() []setting {
	return slices.Concat(ownerSettings(), pauseSettings(), consentSettings(), otherSettings(), partSettings())
})

// ownerSettings are for the owner of the installation (V-13, V-16, V-34, G-31).
func ownerSettings() []setting {
	return []setting{
		onOff("outbound", func(f *rules.Flags) *bool { return &f.Outbound },
			value{word: "off", sentence: "That a call is outbound is no reason to record it."},
			value{word: "record", sentence: "Every outbound call is recorded.", needs: []Fact{FactDirection}},
			inOwner),
		onOff("agent-only", func(f *rules.Flags) *bool { return &f.AgentOnly },
			value{word: "off", sentence: "Customers are recorded as well as agents."},
			value{word: "on", sentence: "Only our own people are recorded; a customer, or somebody whose number was typed, never is.",
				needs: []Fact{FactRole, FactChosen}},
			inOwner),
		onOff("continue-after-transfer", func(f *rules.Flags) *bool { return &f.ContinueWithoutAgent },
			value{word: "off", sentence: "When only outsiders are left on a call, recording stops.", needs: []Fact{FactRole}},
			value{word: "on", sentence: "When only outsiders are left on a call, recording continues."},
			inOwner, inTrunkOwner),
		onOff("stop-is-final", func(f *rules.Flags) *bool { return &f.StopIsFinal },
			value{word: "off", sentence: "A recording that stopped because only outsiders were left goes on when an agent joins."},
			value{word: "on", sentence: "A recording that stopped because only outsiders were left stays stopped."},
			inOwner),
	}
}

// pauseSettings are about what interrupts a recording.
func pauseSettings() []setting {
	modes := []string{"record", "pause-until-retrieve", "pause-customer-leg"}
	return []setting{
		selected("control", func(f *rules.Flags) *rules.Selection { return &f.Control },
			value{word: "off", sentence: "Nobody can pause a recording by hand."},
			value{word: "all", sentence: "Every agent can pause the recording; it resumes only when an agent resumes it by hand.", needs: []Fact{FactManual}},
			value{word: "selected", sentence: "Only the users who may control can pause the recording; it resumes only when one of them resumes it by hand.", needs: []Fact{FactManual}}),
		{
			key: "hold", sections: []section{inAccount, inTrunk},
			values: []value{
				{word: modes[0], sentence: "When an agent puts a call on hold, recording continues, and the held customer is recorded too."},
				{word: modes[1], sentence: "When an agent puts a call on hold, recording stops until the agent retrieves it.", needs: []Fact{FactHold}},
				{word: modes[2], sentence: "While the customer is held, nobody on the customer's call is recorded.", needs: []Fact{FactHold}},
			},
			set:   func(f *rules.Flags, word string) { f.Hold = rules.HoldMode(slices.Index(modes, word)) },
			holds: func(f rules.Flags) string { return name(modes, int(f.Hold), "hold") },
		},
		onOff("consult-holds-customer", func(f *rules.Flags) *bool { return &f.ConsultHolds },
			value{word: "no", sentence: "A customer who waits while an agent consults somebody does not count as held."},
			value{word: "yes", sentence: "A customer who waits while an agent consults somebody counts as held."},
			inAccount),
		onOff("external-consult", func(f *rules.Flags) *bool { return &f.PauseExternal },
			value{word: "record", sentence: "When an agent brings in an outsider, recording continues."},
			value{word: "pause", sentence: "When an agent on an inbound call consults, adds or transfers to an outsider, recording stops until the outsider has left.",
				needs: []Fact{FactConsult, FactRole}},
			inAccount),
		onOff("consult-conversation", func(f *rules.Flags) *bool { return &f.ConsultLeg },
			value{word: "withhold", sentence: "What is said in a consult, beside the call with the customer, is not recorded.", needs: []Fact{FactConsult}},
			value{word: "record", sentence: "What is said in a consult is recorded."},
			inAccount),
		pauseAlarm(),
	}
}

// consentSettings are about agreement to be recorded.
func consentSettings() []setting {
	consents, withdrawals := []string{"off", "ask"}, []string{"erase", "keep"}
	return []setting{
		{
			key: "consent", sections: []section{inAccount, inTrunk, inPlan},
			values: []value{
				{word: consents[0], sentence: "Callers are not asked whether they agree to be recorded."},
				{word: consents[1], sentence: "Inbound callers are asked; nothing is kept before a yes, and nothing at all after a no or without an answer.", needs: []Fact{FactConsent}},
			},
			set:   func(f *rules.Flags, word string) { f.Consent = rules.ConsentMode(slices.Index(consents, word)) },
			holds: func(f rules.Flags) string { return name(consents, int(f.Consent), "consent") },
		},
		{
			key: "withdrawal", sections: []section{inAccount},
			values: []value{
				{word: withdrawals[0], sentence: "Whoever takes consent back has everything erased.", needs: []Fact{FactWithdrawal}},
				{word: withdrawals[1], sentence: "Whoever takes consent back is no longer recorded; what was recorded before is kept.", needs: []Fact{FactWithdrawal}},
			},
			set: func(f *rules.Flags, word string) {
				f.Withdrawal = rules.WithdrawalMode(slices.Index(withdrawals, word))
			},
			holds: func(f rules.Flags) string { return name(withdrawals, int(f.Withdrawal), "withdrawal") },
		},
		onOff("party-consent", func(f *rules.Flags) *bool { return &f.PartyConsent },
			value{word: "off", sentence: "Outsiders are not asked one by one whether they agree to be recorded."},
			value{word: "required", sentence: "No outsider is recorded before agreeing; of the customer, a yes to the question of consent is enough.", needs: []Fact{FactPartyConsent}},
			inAccount),
	}
}

func otherSettings() []setting {
	return []setting{
		onOff("record", func(f *rules.Flags) *bool { return &f.Trunk },
			value{word: "off", sentence: "That a call is on a trunk is no reason to record it."},
			value{word: "on", sentence: "Every call of the trunk that an outsider is on is recorded, whether inbound or outbound."},
			inTrunk),
		onOff("streams", func(f *rules.Flags) *bool { return &f.Mixed },
			value{word: "separate", sentence: "Each participant has a stream of its own."},
			value{word: "mixed", sentence: "All participants arrive in one stream, which is kept only while everybody in it may be recorded."},
			inTrunk),
		selected("user-recordings", func(f *rules.Flags) *rules.Selection { return &f.UserRecordings },
			value{word: "off", sentence: "Nobody can make recordings of his own."},
			value{word: "all", sentence: "Every user can make recordings of his own, which only he can listen to.", needs: []Fact{FactUserRecording}},
			value{word: "selected", sentence: "The users who may record can make recordings of their own, which only their maker can listen to.", needs: []Fact{FactUserRecording}}),
		userRecordingsKept(),
		onOff("digits", func(f *rules.Flags) *bool { return &f.Digits },
			value{word: "drop", sentence: "Digits that somebody presses are not stored."},
			value{word: "keep", sentence: "Digits that somebody presses are stored with the recording, where what he says is; of a digit of which any part is withheld nothing is."},
			inAccount, inTrunk, inPlan),
		onOff("legal-hold", func(f *rules.Flags) *bool { return &f.LegalHold },
			value{word: "off", sentence: "No legal hold is in force."},
			value{word: "on", sentence: "A legal hold is in force: nothing is deleted."},
			inAccount),
	}
}

// partSettings are about one queue, flow or user.
func partSettings() []setting {
	return []setting{
		{key: "wait", sections: []section{inQueue}, values: []value{
			{word: "record", sentence: "While a caller waits in the queue, recording continues."},
			{word: "withhold", sentence: "While a caller waits in the queue, nothing is recorded.", needs: []Fact{FactQueue}},
		}},
		{key: "suppress", sections: []section{inFlow}, values: []value{
			{word: "no", sentence: "While a caller is in the flow, recording continues."},
			{word: "yes", sentence: "While a caller is in the flow, nothing is recorded.", needs: []Fact{FactIVR}},
		}},
		{key: "may-control", sections: []section{inUser}, values: []value{
			{word: "no", sentence: "The user is not one of those whom `control: selected` means."},
			{word: "yes", sentence: "The user may pause and resume."},
		}},
		{key: "may-record", sections: []section{inUser}, values: []value{
			{word: "no", sentence: "The user is not one of those whom `user-recordings: selected` means."},
			{word: "yes", sentence: "The user may make recordings of his own."},
		}},
	}
}

func settingOf(key string) (setting, bool) {
	for _, s := range settings() {
		if s.key == key {
			return s, true
		}
	}
	return setting{}, false
}

// value is that of a word, or none where any amount is one.
func (s setting) value(word string) value {
	for _, v := range s.values {
		if v.word == word {
			return v
		}
	}
	return value{}
}

func (s setting) words() []string {
	var words []string
	for _, v := range s.values {
		words = append(words, v.word)
	}
	return words
}

// word reads what stands in a file; YAML's other words for true and false are as
// good as the one of the table.
func (s setting) word(text string) (string, bool) {
	if s.amount != nil {
		return text, s.amount.reads(text)
	}
	same := [][]string{{"on", "yes", "true"}, {"off", "no", "false"}}
	for _, v := range s.values {
		if v.word == text {
			return v.word, true
		}
	}
	for _, words := range same {
		for _, v := range s.values {
			if slices.Contains(words, text) && slices.Contains(words, v.word) {
				return v.word, true
			}
		}
	}
	return "", false
}

// keysOf are the keys of the settings of a section.
func keysOf(in section) []string {
	var keys []string
	for _, s := range settings() {
		if slices.Contains(s.sections, in) {
			keys = append(keys, s.key)
		}
	}
	return keys
}
