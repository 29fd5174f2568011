package policy

import (
	"fmt"
	"strings"

	"github.com/siprecd/siprecd/rules"
)

// A Standing is a setting that is in force for an interaction, and where that stands.
type Standing struct {
	Setting string // key: word
	Meaning string // a whole sentence; empty where there is none
	Place   string // "line 7, account sales", or whose default it is
}

// Standings are the settings of the file that a cause rests on where an interaction
// belongs; none where no setting can lift it, or the file does not know the account.
func (f *File) Standings(b Belonging, c rules.ActiveCause) []Standing {
	a := f.Account(b.Account)
	if a == nil {
		return nil
	}
	p := standings{a, a.Trunk(b.Trunk), a.Plan(b.Plan)}
	switch c.Cause {
	case rules.NoDecision:
		return []Standing{p.planned(), p.setting("outbound"), p.setting("record")}
	case rules.IVR:
		return p.part("suppress", "yes", c.Owner)
	case rules.Queue:
		return p.part("wait", "withhold", c.Owner)
	case rules.DoNotRecord:
		if c.Owner == "command" {
			return nil
		}
		return []Standing{{Setting: callerSetting, Place: "account " + a.Name}}
	}
	key := causeKeys()[c.Cause]
	flags := a.flags(p.trunk, p.plan)
	if c.Cause == rules.Void {
		key = c.Flag
	}
	if (c.Cause == rules.Mixed || c.Cause == rules.RoleFilter) && flags.PartyConsent && !flags.AgentOnly {
		key = "party-consent"
	}
	if _, known := settingOf(key); !known {
		return nil
	}
	return []Standing{p.setting(key)}
}

// Deciding are the settings of the file that a decision to record rests on: what decided,
// as rules.Decision.Because has it.
func (f *File) Deciding(b Belonging, because string) []Standing {
	a := f.Account(b.Account)
	if a == nil {
		return nil
	}
	p := standings{a, a.Trunk(b.Trunk), a.Plan(b.Plan)}
	var out []Standing
	for _, known := range []struct {
		words string
		tell  func() Standing
	}{
		{"plan: ", p.planned},
		{"outbound: record", func() Standing { return p.setting("outbound") }},
		{"record: on, of the trunk", func() Standing { return p.setting("record") }},
		{"user-recordings: ", func() Standing { return p.setting("user-recordings") }},
	} {
		if strings.Contains(because, known.words) && !strings.HasPrefix(because, "plan: command") {
			out = append(out, known.tell())
		}
	}
	return out
}

// standings is the part of a file that holds for an interaction.
type standings struct {
	account *Account
	trunk   Trunk
	plan    Plan
}

// setting says what holds of a setting, and where that stands: what is nearest to the
// call counts.
func (p standings) setting(key string) Standing {
	word := wordOf(key, p.account.flags(p.trunk, p.plan))
	out := Standing{Setting: key + ": " + word, Meaning: meaning(key, word)}
	for _, at := range []struct {
		given Settings
		where string
	}{
		{p.plan.Settings, "plan " + p.plan.Name + " of account "}, {p.trunk.Settings, "trunk " + p.trunk.Name + " of account "}, {p.account.Settings, "account "},
	} {
		if g, stands := at.given[key]; stands {
			out.Place = fmt.Sprintf("line %d, %s%s", g.Line, at.where, p.account.Name)
			return out
		}
	}
	out.Place = fmt.Sprintf("no line of account %s: it is the default of preset %v", p.account.Name, p.account.Preset)
	return out
}

// planned is the plan.
func (p standings) planned() Standing {
	if p.plan.Name == "" {
		return Standing{Setting: "no plan", Place: "account " + p.account.Name + ", which names none for it"}
	}
	return Standing{
		Setting: "plan " + p.plan.Name, Meaning: p.plan.sentence(), Place: fmt.Sprintf("line %d, account %s", p.plan.Line, p.account.Name),
	}
}

// part is the setting of one queue or flow, or of all that have the word when the name is
// none of theirs.
func (p standings) part(key, word, named string) []Standing {
	var all, one []Standing
	add := func(what, name string, given Settings) {
		g, stands := given[key]
		if !stands || g.Word != word {
			return
		}
		s := Standing{
			Setting: key + ": " + word, Meaning: meaning(key, word),
			Place: fmt.Sprintf("line %d, %s %s of account %s", g.Line, what, name, p.account.Name),
		}
		all = append(all, s)
		if name == named {
			one = append(one, s)
		}
	}
	for _, q := range p.account.Queues {
		add("queue", q.Name, q.Settings)
	}
	for _, f := range p.account.Flows {
		add("flow", f.Name, f.Settings)
	}
	if len(one) > 0 {
		return one
	}
	return all
}
