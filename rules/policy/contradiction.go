package policy

import (
	"fmt"
	"slices"

	"github.com/siprecd/siprecd/rules"
)

// contradictions finds what is well written and cannot be meant, in and between the
// parts that could be read.
func (r *reader) contradictions(f *File) {
	r.once("account", placed(f.Accounts, Account.place))
	r.once("profile", placed(f.Profiles, Profile.place))
	if len(f.Accounts) == 0 {
		r.fault(1, "the file has no account: it would record nothing")
	}
	for i := range f.Accounts {
		if !r.unread.accounts[i] {
			r.inAccount(f, &f.Accounts[i])
		}
	}
	if !r.unread.mapping {
		r.inMapping(f)
	}
}

// A place is a name and the line on which it stands.
type place struct {
	name string
	line int
}

func (a Account) place() place { return place{a.Name, a.Line} }
func (p Profile) place() place { return place{p.Name, p.Line} }
func (t Trunk) place() place   { return place{t.Name, t.Line} }
func (p Plan) place() place    { return place{p.Name, p.Line} }
func (q Queue) place() place   { return place{q.Name, q.Line} }
func (f Flow) place() place    { return place{f.Name, f.Line} }
func (u User) place() place    { return place{u.Name, u.Line} }

func placed[T any](all []T, of func(T) place) []place {
	var places []place
	for _, t := range all {
		places = append(places, of(t))
	}
	return places
}

func (r *reader) once(what string, places []place) {
	first := make(map[string]int)
	for _, p := range places {
		if p.name == "" {
			continue // said already
		}
		if line, ok := first[p.name]; ok {
			r.fault(p.line, "%s %q stands on line %d already", what, p.name, line)
			continue
		}
		first[p.name] = p.line
	}
}

func (r *reader) inAccount(f *File, a *Account) {
	r.once("trunk", placed(a.Trunks, Trunk.place))
	r.once("plan", placed(a.Plans, Plan.place))
	r.once("queue", placed(a.Queues, Queue.place))
	r.once("flow", placed(a.Flows, Flow.place))
	r.once("user", placed(a.Users, User.place))
	r.usersAgree(a, "control", "may-control")
	r.usersAgree(a, "user-recordings", "may-record")
	r.finalStop(a)
	for _, t := range a.Trunks {
		r.inTrunk(f, a, t)
	}
	for _, p := range a.Plans {
		r.inPlan(a, p)
	}
}

// usersAgree: a selection of users and the users who are selected belong together.
func (r *reader) usersAgree(a *Account, key, permission string) {
	some := false
	for _, u := range a.Users {
		given := u.Settings[permission]
		some = some || given.Word == "yes"
		if given.Line > 0 && !a.Settings.is(key, "selected") {
			r.fault(given.Line, "%s of user %q has no effect, because %s of account %q is not selected", permission, u.Name, key, a.Name)
		}
	}
	if a.Settings.is(key, "selected") && !some {
		r.fault(a.Settings[key].Line, "%s: selected, but no user of account %q has %s: yes", key, a.Name, permission)
	}
}

func (r *reader) finalStop(a *Account) {
	stops := func(t Trunk) bool { return !a.flags(t, Plan{}).ContinueWithoutAgent }
	if a.flags(Trunk{}, Plan{}).StopIsFinal && !stops(Trunk{}) && !slices.ContainsFunc(a.Trunks, stops) {
		r.fault(a.Settings["stop-is-final"].Line, "stop-is-final: on, but continue-after-transfer is on, so that nothing ever stops")
	}
}

func (r *reader) inTrunk(f *File, a *Account, t Trunk) {
	if !r.unread.profiles {
		exists(r, t.Line, "profile", t.Profile, f.Profiles, Profile.place)
	}
	if given := a.Settings["outbound"]; given.Word == "off" && t.Settings.is("record", "on") {
		r.fault(given.Line, "outbound: off, but trunk %q records outbound calls as well as inbound ones", t.Name)
	}
	if a.Settings.is("agent-only", "on") && t.Settings.is("streams", "mixed") {
		r.fault(t.Settings["streams"].Line, "agent-only is on and trunk %q sends all participants in one stream: nothing could be recorded", t.Name)
	}
	for _, p := range a.Plans {
		if t.Settings.is("record", "on") && len(p.Rules) > 0 && p.Rules[0].Kind != rules.PlanAll {
			r.fault(p.Line, "plan %q chooses calls, but trunk %q records all of them", p.Name, t.Name)
		}
	}
}

func (r *reader) inPlan(a *Account, p Plan) {
	kinds := make(map[rules.PlanKind]bool)
	for _, rule := range p.Rules {
		kinds[rule.Kind] = true
		for _, c := range rule.Callers {
			if slices.Contains(a.DoNotRecord, c) {
				r.fault(p.Line, "plan %q records caller %s, whom do-not-record of account %q names", p.Name, c, a.Name)
			}
		}
	}
	if kinds[rules.PlanAll] && len(p.Rules) > 1 {
		r.fault(p.Line, "plan %q records all calls, so that its other rules have no effect", p.Name)
	}
}

// inMapping: what the rules name exists, and each can be reached.
func (r *reader) inMapping(f *File) {
	all := 0 // line of a rule that takes everything
	first := make(map[string]Rule)
	accounts := make(map[string]int)
	for i := range f.Accounts {
		accounts[f.Accounts[i].Name] = i
	}
	_, nameless := accounts[""]
	for _, rule := range f.Mapping {
		if all > 0 {
			r.fault(rule.Line, "this rule is never reached: the one on line %d takes everything", all)
			continue
		}
		if rule.conditions() == 0 {
			all = rule.Line
		}
		if same, ok := first[rule.asks()]; ok && same.Account != rule.Account {
			r.fault(rule.Line, "this rule is never reached: the one on line %d asks the same and says account %s", same.Line, same.Account)
		} else if !ok {
			first[rule.asks()] = rule
		}
		i, found := accounts[rule.Account]
		if !found && !nameless { // else it may be the one whose name could not be read
			exists(r, rule.Line, "account", rule.Account, f.Accounts, Account.place)
		}
		if !found || r.unread.accounts[i] {
			continue // its trunks and plans may be there
		}
		a := &f.Accounts[i]
		exists(r, rule.Line, "trunk of account "+a.Name, rule.Trunk, a.Trunks, Trunk.place)
		exists(r, rule.Line, "plan of account "+a.Name, rule.Plan, a.Plans, Plan.place)
	}
}

// exists: what a part of the file names, if it names anything, is one of them all.
func exists[T any](r *reader, line int, what, name string, all []T, of func(T) place) {
	if name == "" || slices.ContainsFunc(all, func(t T) bool { return of(t).name == name }) {
		return
	}
	var known []string
	for _, p := range placed(all, of) {
		known = append(known, p.name)
	}
	r.fault(line, "there is no %s %s%s", what, quoted(name), r.suggestion(name, known))
}

// asks are the conditions of a rule, in a form that can be compared.
func (r Rule) asks() string {
	return fmt.Sprintf("%q", []any{r.Certificate, r.Listener, r.Address, r.RequestURI, r.Dialled, r.API, r.Header, r.Field})
}

func (r *Rule) conditions() int {
	return len(r.Certificate) + len(r.Listener) + len(r.Address) + len(r.RequestURI) + len(r.Dialled) +
		len(r.API) + len(r.Header) + len(r.Field)
}
