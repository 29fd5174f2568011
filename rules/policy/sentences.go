package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/siprecd/siprecd/rules"
)

// A Meaning is what a file says of one account, or of one trunk of it, in whole
// sentences.
type Meaning struct {
	Account, Trunk string
	Sentences      []string
	// Nothing are the calls of which nothing is recorded.
	Nothing []string
}

// Meanings are what the file means, account by account, each followed by its
// trunks.
func (f *File) Meanings() []Meaning {
	var all []Meaning
	for i := range f.Accounts {
		a := &f.Accounts[i]
		account := Meaning{Account: a.Name, Sentences: a.sentences(), Nothing: a.nothing(a.trunks())}
		if len(a.Trunks) == 0 {
			account = f.untold(account, a, Trunk{})
		}
		all = append(all, account)
		for _, t := range a.Trunks {
			all = append(all, f.trunkMeaning(a, t))
		}
	}
	return all
}

func (a *Account) sentences() []string {
	flags := a.flags(Trunk{}, Plan{})
	a.selections(&flags)
	said := sentencesOf(flags, inOwner, inAccount)
	if flags.PauseAlarm > 0 {
		said = append(said, fmt.Sprintf("A pause of more than %v raises an alarm; it resumes nothing.", flags.PauseAlarm))
	}
	for _, p := range a.Plans {
		said = append(said, p.sentence())
		if g, ok := p.Settings["consent"]; ok {
			said = append(said, fmt.Sprintf("Plan %s: %s", p.Name, meaning("consent", g.Word)))
		}
	}
	if len(a.DoNotRecord) > 0 {
		said = append(said, fmt.Sprintf("Calls from %s are never recorded, whatever else says so.", strings.Join(a.DoNotRecord, ", ")))
	}
	return append(append(said, a.partSentences()...), a.retentionSentences()...)
}

// sentencesOf are those of the settings that can stand in some sections, as they
// hold.
func sentencesOf(flags rules.Flags, in ...section) []string {
	var said []string
	for _, s := range settings() {
		if s.holds == nil || !s.stands(in) || s.idle(flags) {
			continue
		}
		if text := meaning(s.key, s.holds(flags)); text != "" {
			said = append(said, text)
		}
	}
	return said
}

// idle settings change nothing, because another one leaves them nothing to do.
func (s setting) idle(flags rules.Flags) bool {
	return s.key == "stop-is-final" && flags.ContinueWithoutAgent ||
		s.key == "consult-holds-customer" && flags.Hold != rules.HoldLeg
}

func (s setting) stands(in []section) bool {
	for _, x := range s.sections {
		for _, y := range in {
			if x == y {
				return true
			}
		}
	}
	return false
}

func meaning(key, word string) string {
	s, _ := settingOf(key)
	v, _ := s.value(word)
	return v.sentence
}

func (p Plan) sentence() string {
	var rest []string
	for _, r := range p.Rules {
		switch r.Kind {
		case rules.PlanAll:
			rest = append(rest, "every inbound call")
		case rules.PlanPercent:
			rest = append(rest, fmt.Sprintf("%d of 100 inbound calls, drawn once for each call", r.Percent))
		case rules.PlanCallers:
			rest = append(rest, "inbound calls from "+strings.Join(r.Callers, ", "))
		case rules.PlanMenu:
			rest = append(rest, "inbound calls from the moment at which the caller chooses option "+r.Option)
		}
	}
	if len(rest) == 0 {
		return fmt.Sprintf("Plan %s has no rule to record.", p.Name)
	}
	return fmt.Sprintf("Plan %s records %s.", p.Name, strings.Join(rest, ", and also "))
}

func (a *Account) partSentences() []string {
	var said []string
	for _, f := range a.Flows {
		if f.Settings.is("suppress", "yes") {
			said = append(said, fmt.Sprintf("While a caller is in flow %s, nothing is recorded.", f.Name))
		}
	}
	for _, q := range a.Queues {
		if q.Settings.is("wait", "withhold") {
			said = append(said, fmt.Sprintf("While a caller waits in queue %s, nothing is recorded.", q.Name))
		}
	}
	if a.withholdsQueue() {
		said = append(said, "While a caller waits in a queue that this account does not list, nothing is recorded either.")
	}
	for _, u := range a.Users {
		if u.Settings.is("may-control", "yes") {
			said = append(said, fmt.Sprintf("User %s may pause and resume.", u.Name))
		}
		if u.Settings.is("may-record", "yes") {
			said = append(said, fmt.Sprintf("User %s may make recordings of his own.", u.Name))
		}
	}
	return said
}

func (a *Account) retentionSentences() []string {
	var said []string
	for _, r := range a.Retention {
		what := map[rules.Direction]string{rules.DirectionInbound: "inbound calls", rules.DirectionOutbound: "outbound calls"}[r.Direction]
		if what == "" {
			what = "calls"
		}
		switch {
		case r.Action == rules.RetainForever:
			said = append(said, fmt.Sprintf("Recordings of %s are kept without end, unless another rule gives a period.", what))
		case r.Action == rules.RetainDays:
			said = append(said, fmt.Sprintf("Recordings of %s are kept for %s and then deleted; the longest period counts.", what, days(r.Days)))
		case r.Action == rules.AssignEvaluation:
			said = append(said, fmt.Sprintf("Recordings of %s are given to an evaluator.", what))
		case r.Days == 0:
			said = append(said, fmt.Sprintf("Recordings of %s are deleted at once, unless another rule gives a period.", what))
		default:
			said = append(said, fmt.Sprintf("Recordings of %s are deleted after %s; the longest period counts.", what, days(r.Days)))
		}
	}
	if len(a.Retention) == 0 {
		said = append(said, "Recordings are kept without end.")
	}
	return said
}

func days(n int) string {
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}

func (f *File) trunkMeaning(a *Account, t Trunk) Meaning {
	flags := a.flags(t, Plan{})
	said := sentencesOf(flags, inTrunk, inTrunkOwner)
	nothing := a.nothing([]Trunk{t})
	return f.untold(Meaning{Account: a.Name, Trunk: t.Name, Sentences: said, Nothing: nothing}, a, t)
}

// untold adds to a meaning what comes of facts that nothing tells.
func (f *File) untold(m Meaning, a *Account, t Trunk) Meaning {
	if f.unfed(a, t) {
		m.Sentences = append(m.Sentences, "Nothing tells when a caller is in a flow or a queue, so an inbound call is not recorded before the first own person joins.")
		m.Nothing = append(m.Nothing, "inbound calls before the first own person joins")
	}
	flags := a.flags(t, Plan{})
	if flags.Trunk || f.profile(t.Profile).feed(FactDirection) != NeverFed {
		return m
	}
	m.Sentences = append(m.Sentences, "Nothing tells inbound from outbound calls, so a call is recorded only if its plan and the outbound switch both say so.")
	if !flags.Outbound || !slices.ContainsFunc(a.Plans, Plan.chooses) {
		m.Nothing = append(m.Nothing, "any call of which nothing tells whether it is inbound or outbound")
	}
	return m
}

// nothing are the calls that no rule ever chooses on any of the trunks.
func (a *Account) nothing(trunks []Trunk) []string {
	nothing := []string{"calls between own people"}
	flags := a.flags(Trunk{}, Plan{})
	if flags.AgentOnly {
		nothing = append(nothing, "what customers and other outsiders say")
	}
	recording := false
	for _, t := range trunks {
		recording = recording || t.Settings.is("record", "on")
	}
	if recording {
		return nothing
	}
	if !flags.Outbound {
		nothing = append(nothing, "outbound calls")
	}
	nothing = append(nothing, "inbound calls without a plan")
	for _, p := range a.Plans {
		if !p.chooses() {
			nothing = append(nothing, "inbound calls of plan "+p.Name)
		}
	}
	return nothing
}

// chooses reports whether a rule of the plan can ever say record.
func (p Plan) chooses() bool {
	for _, r := range p.Rules {
		if r.Kind != rules.PlanPercent || r.Percent > 0 {
			return true
		}
	}
	return false
}
