package policy

import (
	"slices"

	"github.com/siprecd/siprecd/rules"
)

// Names of what the file writes in other places than a named setting.
const (
	planSetting   = "plan"
	flowSetting   = "suppress"
	queueSetting  = "wait"
	callerSetting = "do-not-record"
)

// A Fed is one setting in force on one trunk, and whether it can be.
type Fed struct {
	Account, Trunk string
	Setting        string
	Word           string
	Feed           Feed
	Needs          []Fact
	Acknowledged   bool
}

// Fails reports whether the file has to be refused for it.
func (f Fed) Fails() bool { return f.Feed == NeverFed && !f.Acknowledged }

// Feeds are all settings of a file that need to be told something, for each trunk
// of each account.
func (f *File) Feeds() []Fed {
	var all []Fed
	for i := range f.Accounts {
		a := &f.Accounts[i]
		for _, t := range a.trunks() {
			all = append(all, f.feeds(a, t)...)
		}
	}
	return all
}

// trunks are those of the account; one without a name when there are none.
func (a *Account) trunks() []Trunk {
	if len(a.Trunks) > 0 {
		return a.Trunks
	}
	return []Trunk{{}}
}

func (f *File) feeds(a *Account, t Trunk) []Fed {
	profile := f.profile(t.Profile)
	var found []Fed
	add := func(setting, word string, needs []Fact) {
		if len(needs) == 0 {
			return
		}
		found = append(found, Fed{
			Account: a.Name, Trunk: t.Name, Setting: setting, Word: word, Needs: needs,
			Feed: profile.feed(needs...), Acknowledged: slices.Contains(t.Acknowledged, setting),
		})
	}
	for _, s := range settings() {
		if s.holds == nil {
			continue
		}
		var words []string
		for _, flags := range f.variants(a, t) {
			word := s.holds(flags)
			if v, ok := s.value(word); ok && !slices.Contains(words, word) && a.counts(s.key) {
				words = append(words, word)
				add(s.key, word, v.needs)
			}
		}
	}
	if a.suppressesFlow() {
		add(flowSetting, "yes", []Fact{FactIVR})
	}
	if a.withholdsQueue() {
		add(queueSetting, "withhold", []Fact{FactQueue})
	}
	if len(a.DoNotRecord) > 0 {
		add(callerSetting, "list", []Fact{FactCaller})
	}
	word, needs := a.planNeeds()
	add(planSetting, word, needs)
	return found
}

// counts: what a preset allows to everybody is not fed or unfed by a file which
// does not mention it.
func (a *Account) counts(key string) bool {
	_, given := a.Settings[key]
	return given || key != "user-recordings"
}

// variants are the flags of the trunk under each plan.
func (f *File) variants(a *Account, t Trunk) []rules.Flags {
	of := func(plan string) rules.Flags {
		flags := a.flags(t, a.Plan(plan))
		// Its users are selected, which the named settings alone do not show.
		a.selections(&flags)
		return flags
	}
	all := []rules.Flags{of("")}
	for _, p := range a.Plans {
		all = append(all, of(p.Name))
	}
	return all
}

// planNeeds is what all plans of the account together need to be told.
func (a *Account) planNeeds() (word string, needs []Fact) {
	for _, p := range a.Plans {
		for _, rule := range p.Rules {
			word = "rules"
			needs = append(needs, FactDirection)
			switch rule.Kind {
			case rules.PlanCallers:
				needs = append(needs, FactCaller)
			case rules.PlanMenu:
				needs = append(needs, FactMenu)
			case rules.PlanAll, rules.PlanPercent:
			}
		}
	}
	slices.Sort(needs)
	return word, slices.Compact(needs)
}

// fedSettings are all that can be acknowledged.
func fedSettings() []string {
	keys := []string{planSetting, callerSetting}
	for _, s := range settings() {
		keys = append(keys, s.key)
	}
	return keys
}
