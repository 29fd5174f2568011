package policy

import (
	"slices"

	"github.com/siprecd/siprecd/rules"
)

// Remarks are what can be meant and most likely is not: parts that have no effect,
// and what undoes something. A file with remarks can be used.
func (f *File) Remarks() []Problem {
	w := &reader{}
	for i := range f.Accounts {
		f.remarkAccount(w, &f.Accounts[i])
	}
	for _, p := range f.Profiles {
		if !slices.ContainsFunc(f.Accounts, func(a Account) bool {
			return slices.ContainsFunc(a.Trunks, func(t Trunk) bool { return t.Profile == p.Name })
		}) {
			w.fault(p.Line, "profile %s is of no trunk", quoted(p.Name))
		}
	}
	for _, n := range f.national {
		if f.directory.Numbering.Address(n.number).Number[0] != '+' {
			w.fault(n.line, "%s: nothing says of which country %s is; it is the caller's only if the SRC writes the same digits. "+
				"Write it with + and the country code, or give a directory with numbering", n.where, n.number)
		}
	}
	slices.SortStableFunc(w.problems, func(a, b Problem) int { return a.Line - b.Line })
	return w.problems
}

func (f *File) remarkAccount(w *reader, a *Account) {
	names := func(is func(*Rule) bool) bool {
		return f.places(func(r *Rule) bool { return r.Account == a.Name && is(r) })
	}
	if a.Name != DefaultAccount && !names(func(*Rule) bool { return true }) {
		w.fault(a.Line, "no rule of the mapping places a call with account %s", quoted(a.Name))
	}
	for _, t := range a.Trunks {
		if !names(func(r *Rule) bool { return r.Trunk == t.Name }) {
			w.fault(t.Line, "no rule of the mapping places a call on trunk %s of account %s", quoted(t.Name), quoted(a.Name))
		}
		remarkConsent(w, a, t.Settings["consent"], "trunk "+quoted(t.Name))
		f.remarkAcknowledged(w, a, t.Acknowledged, []Trunk{t}, t.Line)
	}
	given := make(map[string]bool)
	for _, p := range f.plans(a) {
		given[p.Name] = true
	}
	for _, p := range a.Plans {
		if !given[p.Name] {
			w.fault(p.Line, "no rule of the mapping gives a call plan %s of account %s; it takes one such as {dialled: \"+1555*\", account: %s, plan: %s}",
				quoted(p.Name), quoted(a.Name), a.Name, p.Name)
		}
		remarkConsent(w, a, p.Settings["consent"], "plan "+quoted(p.Name))
	}
	f.remarkAcknowledged(w, a, a.Acknowledged, f.trunks(a), a.Line)
	f.remarkOutbound(w, a)
	remarkRetention(w, a)
	remarkParts(w, a)
}

// remarkConsent: whoever looks at the account alone believes that callers are asked.
func remarkConsent(w *reader, a *Account, given Given, where string) {
	if given.Word == "off" && a.Settings.is("consent", "ask") {
		w.fault(given.Line, "consent: off of %s counts more than consent: ask of account %s", where, quoted(a.Name))
	}
}

// remarkAcknowledged: what is told now need not be acknowledged.
func (f *File) remarkAcknowledged(w *reader, a *Account, acknowledged []string, trunks []Trunk, line int) {
	for _, setting := range acknowledged {
		unfed := false
		for _, t := range trunks {
			unfed = unfed || slices.ContainsFunc(f.feeds(a, t), func(fed Fed) bool {
				return fed.Setting == setting && fed.Feed == NeverFed
			})
		}
		if !unfed {
			w.fault(line, "acknowledge: %s need not be acknowledged: it is not in force here, or what it needs is told", setting)
		}
	}
}

// remarkOutbound: where each trunk records all, the outbound switch adds nothing.
func (f *File) remarkOutbound(w *reader, a *Account) {
	off := slices.ContainsFunc(f.trunks(a), func(t Trunk) bool { return !t.Settings.is("record", "on") })
	if given := a.Settings["outbound"]; given.Word == "record" && !off {
		w.fault(given.Line, "outbound: record adds nothing, because every trunk of account %s records all calls", quoted(a.Name))
	}
}

// remarkRetention: the longest period counts, and any period more than none.
func remarkRetention(w *reader, a *Account) {
	period := func(r rules.RetentionRule) bool {
		return r.Action == rules.RetainDays || r.Action == rules.DeleteAfter
	}
	for i, r := range a.Retention {
		if r.Action == rules.AssignEvaluation {
			continue
		}
		idle := slices.ContainsFunc(a.Retention, func(other rules.RetentionRule) bool {
			covers := other.Direction == rules.DirectionUnknown || other.Direction == r.Direction
			return period(other) && covers && (!period(r) || other.Days > r.Days)
		})
		if idle {
			w.fault(a.Line, "retention of account %s: rule %d has no effect, because another one gives %s", quoted(a.Name), i+1,
				map[bool]string{true: "a longer period", false: "a period"}[period(r)])
		}
	}
}

// remarkParts: a part that says nothing but what holds without it.
func remarkParts(w *reader, a *Account) {
	for _, q := range a.Queues {
		if !a.withholdsQueue() {
			w.fault(q.Line, "queue %s has no effect: no queue of account %s has wait: withhold", quoted(q.Name), quoted(a.Name))
		}
	}
	for _, p := range a.Flows {
		if !p.Settings.is("suppress", "yes") {
			w.fault(p.Line, "flow %s has no effect without suppress: yes", quoted(p.Name))
		}
	}
	for _, u := range a.Users {
		if !u.Settings.is("may-control", "yes") && !u.Settings.is("may-record", "yes") {
			w.fault(u.Line, "user %s has no effect: no permission is given", quoted(u.Name))
		}
	}
	for _, p := range a.Plans {
		shares := 0
		for _, rule := range p.Rules {
			if rule.Kind == rules.PlanPercent {
				shares++
			}
		}
		if shares > 1 {
			w.fault(p.Line, "plan %s has more than one percent: a call is drawn once, so that only the greatest counts", quoted(p.Name))
		}
	}
}
