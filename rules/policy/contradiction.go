package policy

import (
	"fmt"
	"slices"

	"github.com/siprecd/siprecd/rules"
)

// contradictions finds what is well written and cannot be meant, in and between the
// parts that could be read.
func (r *reader) contradictions(f *File) {
	r.once("account", named(f.Accounts, func(a Account) (string, int) { return a.Name, a.Line }))
	r.once("profile", named(f.Profiles, func(p Profile) (string, int) { return p.Name, p.Line }))
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

// read reports whether all of the account of that name could be read.
func (r *reader) read(f *File, name string) bool {
	i := slices.IndexFunc(f.Accounts, func(a Account) bool { return a.Name == name })
	return i >= 0 && !r.unread.accounts[i]
}

// A place is a name and the line on which it stands.
type place struct {
	name string
	line int
}

func named[T any](all []T, of func(T) (string, int)) []place {
	var places []place
	for _, t := range all {
		name, line := of(t)
		places = append(places, place{name, line})
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
	r.once("trunk", named(a.Trunks, func(t Trunk) (string, int) { return t.Name, t.Line }))
	r.once("plan", named(a.Plans, func(p Plan) (string, int) { return p.Name, p.Line }))
	r.once("queue", named(a.Queues, func(q Queue) (string, int) { return q.Name, q.Line }))
	r.once("flow", named(a.Flows, func(p Flow) (string, int) { return p.Name, p.Line }))
	r.once("user", named(a.Users, func(u User) (string, int) { return u.Name, u.Line }))
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
	if t.Profile != "" && !r.unread.profiles && !slices.ContainsFunc(f.Profiles, func(p Profile) bool { return p.Name == t.Profile }) {
		r.missing(t.Line, "profile", t.Profile, named(f.Profiles, func(p Profile) (string, int) { return p.Name, p.Line }))
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
		a := f.Account(rule.Account)
		switch {
		case a == nil && slices.ContainsFunc(f.Accounts, func(a Account) bool { return a.Name == "" }):
			continue // it may be the one whose name could not be read
		case a == nil:
			r.missing(rule.Line, "account", rule.Account, named(f.Accounts, func(a Account) (string, int) { return a.Name, a.Line }))
			continue
		case !r.read(f, a.Name):
			continue // its trunks and plans may be there
		}
		if rule.Trunk != "" && !slices.ContainsFunc(a.Trunks, func(t Trunk) bool { return t.Name == rule.Trunk }) {
			r.missing(rule.Line, "trunk of account "+a.Name, rule.Trunk, named(a.Trunks, func(t Trunk) (string, int) { return t.Name, t.Line }))
		}
		if rule.Plan != "" && !slices.ContainsFunc(a.Plans, func(p Plan) bool { return p.Name == rule.Plan }) {
			r.missing(rule.Line, "plan of account "+a.Name, rule.Plan, named(a.Plans, func(p Plan) (string, int) { return p.Name, p.Line }))
		}
	}
}

func (r *reader) missing(line int, what, name string, places []place) {
	if r.full() {
		return
	}
	var known []string
	for _, p := range places {
		known = append(known, p.name)
	}
	r.fault(line, "there is no %s %s%s", what, quoted(name), suggestion(name, known))
}

// asks are the conditions of a rule, in a form that can be compared.
func (r Rule) asks() string {
	return fmt.Sprintf("%q", []any{r.Certificate, r.Listener, r.Address, r.RequestURI, r.Dialled, r.API, r.Header, r.Field})
}

func (r *Rule) conditions() int {
	return len(r.Certificate) + len(r.Listener) + len(r.Address) + len(r.RequestURI) + len(r.Dialled) +
		len(r.API) + len(r.Header) + len(r.Field)
}
