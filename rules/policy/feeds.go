package policy

import (
	"slices"
	"strings"

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
	Missing        []Fact // of those, what nothing tells
	Directory      []Fact // of those, what the directory of addresses tells
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
		for _, t := range f.trunks(a) {
			all = append(all, f.feeds(a, t)...)
		}
	}
	return all
}

// trunks are those of the account, and one without a name when calls can belong to
// the account and to none of them.
func (f *File) trunks(a *Account) []Trunk {
	all := slices.Clone(a.Trunks)
	if len(a.Trunks) == 0 || f.offTrunk(a) {
		all = append(all, Trunk{Line: a.Line})
	}
	return all
}

// offTrunk reports whether the mapping can place a call with the account and with
// none of its trunks.
func (f *File) offTrunk(a *Account) bool {
	off := false
	for i := range f.Mapping {
		rule := &f.Mapping[i]
		if rule.conditions() == 0 {
			// It takes what is left, and completes what the others began.
			return rule.Account == a.Name && rule.Trunk == "" || off && rule.Account != a.Name
		}
		off = off || rule.Account == a.Name && rule.Trunk == ""
	}
	return off || a.Name == DefaultAccount
}

func (f *File) feeds(a *Account, t Trunk) []Fed {
	profile := f.profile(t.Profile)
	var found []Fed
	add := func(setting, word string, needs []Fact) {
		if len(needs) == 0 {
			return
		}
		fed := Fed{
			Account: a.Name, Trunk: t.Name, Setting: setting, Word: word, Needs: needs, Feed: profile.feed(needs...),
			Acknowledged: slices.Contains(a.Acknowledged, setting) || slices.Contains(t.Acknowledged, setting),
		}
		for _, n := range needs {
			switch {
			case profile.source(n) == NeverFed:
				fed.Missing = append(fed.Missing, n)
			case !profile.sends(n) && slices.Contains(profile.directory, n):
				fed.Directory = append(fed.Directory, n)
			}
		}
		found = append(found, fed)
	}
	variants := f.variants(a, t)
	for _, s := range settings() {
		if s.holds == nil {
			continue
		}
		var words []string
		for _, flags := range variants {
			word := s.holds(flags)
			if !slices.Contains(words, word) && a.counts(s.key) {
				words = append(words, word)
				add(s.key, word, s.value(word).needs)
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
	return given || key != "user-recordings" && key != "withdrawal"
}

// variants are the flags of the trunk under each plan.
func (f *File) variants(a *Account, t Trunk) []rules.Flags {
	of := func(p Plan) rules.Flags {
		flags := a.flags(t, p)
		// Its users are selected, which the named settings alone do not show.
		a.selections(&flags)
		return flags
	}
	all := []rules.Flags{of(Plan{})}
	for _, p := range a.Plans {
		if len(p.Settings) > 0 {
			all = append(all, of(p))
		}
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
		if slices.ContainsFunc(s.values, func(v value) bool { return len(v.needs) > 0 }) {
			keys = append(keys, s.key)
		}
	}
	return keys
}

// An Unfed is a place at which settings are in force that nothing feeds.
type Unfed struct {
	Account, Trunk string
	Line           int
	Facts          []Fact // what nothing tells
	// Missing says it in words, once for each setting that needs it.
	Missing []string
	// Acknowledge is the key and the list that has to stand there for the file to
	// say that this is known.
	Acknowledge string
}

// Unfed are the places for which the check of the file fails.
func (f *File) Unfed() []Unfed {
	var all []Unfed
	for i := range f.Accounts {
		a := &f.Accounts[i]
		for _, t := range f.trunks(a) {
			u := Unfed{Account: a.Name, Trunk: t.Name, Line: t.Line}
			known := slices.Clone(t.Acknowledged)
			if t.Name == "" {
				known = slices.Clone(a.Acknowledged)
			}
			for _, fed := range f.feeds(a, t) {
				if !fed.Fails() {
					continue
				}
				u.Facts = append(u.Facts, fed.Missing...)
				u.Missing = append(u.Missing, list(fed.Missing)+" (for "+fed.Setting+": "+fed.Word+")")
				known = append(known, fed.Setting)
			}
			if len(u.Missing) > 0 {
				u.Acknowledge = "acknowledge: [" + strings.Join(known, ", ") + "]"
				all = append(all, u)
			}
		}
	}
	return all
}

// A Condition is one of the mapping that not every client feeds.
type Condition struct {
	Line  int    // of the rule
	Text  string // key and values
	State string // whether anything tells it
}

// Conditions are those of the mapping of which it is not sure that they are ever
// told, in the order of the rules.
func (f *File) Conditions() []Condition {
	var found []Condition
	for _, r := range f.Mapping {
		if len(r.API) > 0 {
			found = append(found, Condition{r.Line, "api: " + strings.Join(r.API, ", "), "never fed: the server takes this from no other system when a call begins, so no call fits"})
		}
		if len(r.Certificate) > 0 {
			found = append(found, Condition{r.Line, "certificate: " + strings.Join(r.Certificate, ", "), "only from clients that show a certificate over TLS"})
		}
		if len(r.Dialled) > 0 {
			found = append(found, Condition{r.Line, "dialled: " + strings.Join(r.Dialled, ", "), "from extension data, else from the numbers of the parties described at the beginning"})
		}
	}
	return found
}
