package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/siprecd/siprecd/rules"
)

// A Meaning is what a file says of one account, of one trunk of it, or of its calls
// that are on none of its trunks, in whole sentences.
type Meaning struct {
	Account, Trunk string
	OffTrunk       bool
	Sentences      []string
	// Nothing are the calls of which nothing is recorded.
	Nothing []string
}

// Meanings are what the file means, account by account, each followed by its
// trunks, and by the calls on none of them if there can be any.
func (f *File) Meanings() []Meaning {
	var all []Meaning
	for i := range f.Accounts {
		a := &f.Accounts[i]
		account := Meaning{Account: a.Name, Sentences: a.sentences(), Nothing: f.nothing(a, f.trunks(a))}
		if len(a.Trunks) == 0 {
			account.Sentences = append(account.Sentences, f.untold(a, Trunk{})...)
		}
		all = append(all, account)
		for _, t := range a.Trunks {
			all = append(all, f.trunkMeaning(a, t))
		}
		if len(a.Trunks) > 0 && f.offTrunk(a) {
			off := f.trunkMeaning(a, Trunk{})
			off.OffTrunk = true
			all = append(all, off)
		}
	}
	return all
}

func (a *Account) sentences() []string {
	flags := a.flags(Trunk{}, Plan{})
	a.selections(&flags)
	said := sentencesOf(flags, inOwner, inAccount)
	for _, p := range a.Plans {
		said = append(said, p.sentence())
		if g, ok := p.Settings["consent"]; ok {
			said = append(said, fmt.Sprintf("Plan %s: %s", p.Name, meaning("consent", g.Word)))
		}
	}
	if len(a.DoNotRecord) > 0 {
		said = append(said, fmt.Sprintf("Nothing is recorded of a call with %s, whatever else chooses it; nor of another call while one of those numbers is on it.", strings.Join(a.DoNotRecord, " or ")))
	}
	return append(append(said, a.partSentences()...), a.retentionSentences()...)
}

// sentencesOf are those of the settings that can stand in some sections, as they
// hold.
func sentencesOf(flags rules.Flags, in ...section) []string {
	var said []string
	for _, s := range settings() {
		if !s.stands(in) || s.idle(flags) {
			continue
		}
		if text := told(s, flags); text != "" {
			said = append(said, text)
		}
	}
	return said
}

// told is the sentence of a setting as it holds beside the others.
func told(s setting, flags rules.Flags) string {
	word := s.holds(flags)
	switch {
	case s.amount != nil:
		return s.amount.tells(flags)
	case s.key == "withdrawal" && flags.LegalHold:
		return "Whoever takes consent back is no longer recorded; the legal hold keeps what was recorded before."
	case s.key == "hold" && word == "record" && flags.AgentOnly:
		return "When an agent puts a call on hold, recording continues."
	default:
		return meaning(s.key, word)
	}
}

// idle settings change nothing, because another one leaves them nothing to do.
func (s setting) idle(flags rules.Flags) bool {
	return s.key == "stop-is-final" && flags.ContinueWithoutAgent ||
		s.key == "consult-holds-customer" && flags.Hold != rules.HoldLeg ||
		s.key == "pause-alarm" && !flags.Control.All && len(flags.Control.Names) == 0
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
	return s.value(word).sentence
}

func (p Plan) sentence() string {
	var rest []string
	for _, r := range p.Rules {
		switch r.Kind {
		case rules.PlanAll:
			rest = append(rest, "every inbound call")
		case rules.PlanPercent:
			if r.Percent > 0 {
				rest = append(rest, share(r.Percent))
			}
		case rules.PlanCallers:
			rest = append(rest, "inbound calls from "+strings.Join(r.Callers, ", "))
		case rules.PlanMenu:
			rest = append(rest, "inbound calls from the moment at which the caller chooses option "+r.Option)
		}
	}
	if len(rest) == 0 {
		return fmt.Sprintf("Plan %s records nothing.", p.Name)
	}
	return fmt.Sprintf("Plan %s records %s.", p.Name, strings.Join(rest, ", and also "))
}

func share(percent int) string {
	if percent == 100 {
		return "every inbound call"
	}
	return fmt.Sprintf("%d of 100 inbound calls, drawn once for each call", percent)
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
	subject := "Recordings of "
	if a.flags(Trunk{}, Plan{}).LegalHold {
		subject = "Once the legal hold has ended, recordings of "
	}
	var said []string
	kept := []rules.Direction{rules.DirectionInbound, rules.DirectionOutbound} // of which no rule says how long
	for _, r := range a.Retention {
		if r.Action == rules.AssignEvaluation {
			said = append(said, "Recordings of "+ofDirection(r.Direction)+" are given to an evaluator.")
		} else {
			said = append(said, subject+ofDirection(r.Direction)+" "+fate(r))
			kept = slices.DeleteFunc(kept, func(d rules.Direction) bool {
				return r.Direction == rules.DirectionUnknown || r.Direction == d
			})
		}
	}
	switch len(kept) {
	case 2:
		said = append(said, "Recordings are kept without end.")
	case 1:
		said = append(said, "Recordings of "+ofDirection(kept[0])+" are kept without end.")
	}
	return said
}

func ofDirection(d rules.Direction) string {
	if d == rules.DirectionUnknown {
		return "calls"
	}
	return d.String() + " calls"
}

// fate is what a rule of retention does to the recordings that it matches.
func fate(r rules.RetentionRule) string {
	switch {
	case r.Action == rules.RetainForever:
		return "are kept without end, unless another rule gives a period."
	case r.Days == 0:
		return "are deleted at once, unless another rule gives a period."
	case r.Action == rules.DeleteAfter:
		return fmt.Sprintf("are deleted after %s; the longest period counts.", days(r.Days))
	default:
		return fmt.Sprintf("are kept for %s and then deleted; the longest period counts.", days(r.Days))
	}
}

func days(n int) string {
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}
