package policy

import (
	"slices"

	"github.com/siprecd/siprecd/rules"
)

func (f *File) trunkMeaning(a *Account, t Trunk) Meaning {
	flags := a.flags(t, Plan{})
	said := sentencesOf(flags, inTrunk, inTrunkOwner)
	// What the account has no use for and the trunk has.
	for _, s := range settings() {
		if s.idle(a.flags(Trunk{}, Plan{})) && !s.idle(flags) {
			said = append(said, meaning(s.key, s.holds(flags)))
		}
	}
	untold := f.untold(a, t)
	for i := range said {
		if said[i] == meaning("record", "on") && f.hindered(a, t) {
			said[i] = "Every call of the trunk that an outsider is on is chosen to be recorded, and is as far as what nothing tells allows."
		}
	}
	return Meaning{Account: a.Name, Trunk: t.Name, Sentences: append(said, untold...), Nothing: f.nothing(a, []Trunk{t})}
}

// hindered reports whether calls of the trunk wait for what is never told.
func (f *File) hindered(a *Account, t Trunk) bool {
	return f.mute(a, t) || f.unfed(a, t) ||
		slices.ContainsFunc(f.callPlans(a), func(p Plan) bool { return f.waits(a, t, p) })
}

// untold says what comes of settings in force of which nothing tells what they
// act on.
func (f *File) untold(a *Account, t Trunk) []string {
	var said []string
	for _, fed := range f.feeds(a, t) {
		for _, fact := range fed.Missing {
			if text := f.withoutFact(a, t, fed.Setting, fact); text != "" && !slices.Contains(said, text) {
				said = append(said, text)
			}
		}
	}
	if flags := a.flags(t, Plan{}); !flags.Trunk && !f.tells(t, FactDirection) {
		said = append(said, "Nothing tells inbound from outbound calls, so a call is recorded only if its plan and the outbound switch both say so.")
	}
	return said
}

// withoutFact says what comes of a setting when nothing tells of a fact that it
// needs. The direction has a sentence for all settings together.
func (f *File) withoutFact(a *Account, t Trunk, setting string, fact Fact) string {
	const who = "Nothing tells who is one of our own people, so "
	switch setting {
	case "agent-only":
		if fact == FactChosen {
			return "Nothing tells who was picked from the directory, so one of our own people whose number was typed is recorded like the others."
		}
		return who + "nobody is recorded."
	case "continue-after-transfer":
		return who + "recording does not stop when only outsiders are left."
	case "control":
		return "Nothing tells of a pause by hand, so nobody can pause."
	case "hold":
		return "Nothing tells of a hold, so recording stops only for streams that the recording client makes inactive."
	case "external-consult":
		if fact == FactRole {
			return who + "recording of an inbound call stops for everybody who joins later."
		}
		return "Nothing tells of a consult, so recording does not stop before the outsider is on the call."
	case "consult-conversation":
		return "Nothing tells of a consult, so what is said in one is recorded like the rest of the call."
	case "consent":
		return "Nothing tells whether a caller agrees, so nothing is recorded of " + f.asked(a, t) + "."
	case "party-consent":
		return "Nothing tells which outsider agrees, so nothing is recorded of " + f.disagreeing(a, t) + "."
	case "withdrawal":
		return "Nothing tells that consent is taken back, so nothing comes of it."
	case "user-recordings":
		return "Nothing tells when a user begins a recording of his own, so there is none."
	case callerSetting:
		return "Nothing tells the numbers of callers, so do-not-record keeps no call from being recorded."
	case flowSetting, queueSetting:
		return f.unfedSentence(t)
	case planSetting:
		switch fact {
		case FactCaller:
			return "Nothing tells the numbers of callers, so no list of callers chooses a call."
		case FactMenu:
			return "Nothing tells which option a caller chooses, so no menu chooses a call."
		}
	}
	return ""
}

// inboundCalls are those for which what is for inbound calls only counts.
func (f *File) inboundCalls(t Trunk) string {
	if f.tells(t, FactDirection) {
		return "an inbound call"
	}
	return "an inbound call or a call " + untoldDirection
}

// asked are the calls that wait for a consent of which nothing tells.
func (f *File) asked(a *Account, t Trunk) string {
	if slices.ContainsFunc(f.callPlans(a), func(p Plan) bool { return a.flags(t, p).Consent != rules.ConsentAsk }) {
		return f.inboundCalls(t) + " on which the caller is to be asked"
	}
	return f.inboundCalls(t)
}

// disagreeing are those who wait for an agreement of which nothing tells.
func (f *File) disagreeing(a *Account, t Trunk) string {
	mixed := a.flags(t, Plan{}).Mixed
	switch {
	case f.mute(a, t):
		return "any call"
	case f.unasked(a, t):
		return "any outsider"
	case mixed:
		return "anybody while an outsider is on the call who joined later"
	default:
		return "an outsider who joins later"
	}
}

func (f *File) unfedSentence(t Trunk) string {
	said := "Nothing tells when a caller is in a flow or a queue, so " + f.inboundCalls(t) + " is not recorded before the first of our own people joins"
	if !f.tells(t, FactRole) {
		said += "; and as nothing tells who that is, not at all"
	}
	return said + "."
}
