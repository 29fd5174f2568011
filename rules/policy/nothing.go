package policy

import (
	"slices"

	"github.com/siprecd/siprecd/rules"
)

// untoldDirection are calls that count as inbound and as outbound.
const untoldDirection = "of which nothing tells whether it is inbound or outbound"

// nothing are the calls of which nothing is recorded on any of the trunks: because
// no rule ever chooses them, or because what they wait for is never told.
func (f *File) nothing(a *Account, trunks []Trunk) []string {
	all := func(is func(Trunk) bool) bool {
		return !slices.ContainsFunc(trunks, func(t Trunk) bool { return !is(t) })
	}
	if all(func(t Trunk) bool { return f.mute(a, t) }) {
		return []string{"any call"}
	}
	nothing := []string{"calls between our own people"}
	switch {
	case all(func(t Trunk) bool { return a.flags(t, Plan{}).AgentOnly || f.unasked(a, t) }):
		nothing = append(nothing, "what customers and other outsiders say")
	case all(func(t Trunk) bool { return a.flags(t, Plan{}).PartyConsent && !f.tells(t, FactPartyConsent) }):
		nothing = append(nothing, "what outsiders say who join later")
	}
	if len(a.DoNotRecord) > 0 && all(func(t Trunk) bool { return f.tells(t, FactCaller) }) {
		nothing = append(nothing, "calls with a number of do-not-record")
	}
	if all(func(t Trunk) bool { flags := a.flags(t, Plan{}); return !flags.Trunk && !flags.Outbound }) {
		nothing = append(nothing, "outbound calls")
	}
	plans := f.callPlans(a)
	nothing = append(nothing, without(plans, "inbound calls", func(p Plan) bool {
		return all(func(t Trunk) bool { return !f.keepsInbound(a, t, p) })
	})...)
	if all(func(t Trunk) bool { return f.unfed(a, t) }) && !slices.Contains(nothing, "inbound calls") {
		nothing = append(nothing, "inbound calls before the first of our own people joins")
	}
	vague := slices.DeleteFunc(slices.Clone(trunks), func(t Trunk) bool { return f.tells(t, FactDirection) })
	if len(vague) == 0 {
		return nothing
	}
	keeps := func(p Plan) bool {
		return slices.ContainsFunc(vague, func(t Trunk) bool {
			flags := a.flags(t, p)
			return f.keepsInbound(a, t, p) && (flags.Trunk || flags.Outbound)
		})
	}
	if !slices.ContainsFunc(plans, keeps) {
		nothing = append(nothing, "any call "+untoldDirection)
	}
	return nothing
}

// without names the calls of those plans for which it is so.
func without(plans []Plan, calls string, so func(Plan) bool) []string {
	var found []string
	for _, p := range plans {
		switch {
		case so(p) && p.Name == "":
			found = append(found, calls+" without a plan")
		case so(p):
			found = append(found, calls+" of plan "+p.Name)
		}
	}
	if len(found) == len(plans) {
		return []string{calls}
	}
	return found
}

// mute reports whether nobody can be recorded on a trunk: nothing tells who is one
// of the own people where that matters, or whether anybody agrees.
func (f *File) mute(a *Account, t Trunk) bool {
	flags := a.flags(t, Plan{})
	return flags.AgentOnly && !f.tells(t, FactRole) || f.unasked(a, t) && (flags.Mixed || !f.tells(t, FactRole))
}

// unasked reports whether no outsider is ever known to agree who has to.
func (f *File) unasked(a *Account, t Trunk) bool {
	return a.flags(t, Plan{}).PartyConsent && !f.tells(t, FactPartyConsent) && !f.tells(t, FactConsent)
}

// keepsInbound reports whether anything of an inbound call of the plan can be
// recorded. A call of unknown direction counts as inbound, too.
func (f *File) keepsInbound(a *Account, t Trunk, p Plan) bool {
	flags := a.flags(t, p)
	return (flags.Trunk || f.chooses(t, p)) && !f.waits(a, t, p)
}

// waits reports whether an inbound call waits for what is never told.
func (f *File) waits(a *Account, t Trunk, p Plan) bool {
	return a.flags(t, p).Consent == rules.ConsentAsk && !f.tells(t, FactConsent) ||
		f.unfed(a, t) && !f.tells(t, FactRole)
}

// chooses reports whether a rule of the plan can ever say record.
func (f *File) chooses(t Trunk, p Plan) bool {
	return slices.ContainsFunc(p.Rules, func(r rules.PlanRule) bool {
		switch r.Kind {
		case rules.PlanPercent:
			return r.Percent > 0
		case rules.PlanCallers:
			return f.tells(t, FactCaller)
		case rules.PlanMenu:
			return f.tells(t, FactMenu)
		default:
			return true
		}
	})
}

// tells reports whether anything tells of a fact on a trunk.
func (f *File) tells(t Trunk, fact Fact) bool { return f.profile(t.Profile).source(fact) != NeverFed }

// callPlans are the plans that a call of the account can have, the first of them
// without a name if it can have none.
func (f *File) callPlans(a *Account) []Plan {
	plans := f.plans(a)
	if f.places(func(r *Rule) bool { return r.Account == a.Name && r.Plan != "" && r.conditions() == 0 }) {
		return plans
	}
	return append([]Plan{{}}, plans...)
}

// plans are those of the account that the mapping can give to a call.
func (f *File) plans(a *Account) []Plan {
	given := make(map[string]bool)
	for i := range f.Mapping {
		if r := &f.Mapping[i]; r.Account == a.Name {
			given[r.Plan] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(a.Plans), func(p Plan) bool { return !given[p.Name] })
}

func (f *File) places(is func(*Rule) bool) bool {
	for i := range f.Mapping {
		if is(&f.Mapping[i]) {
			return true
		}
	}
	return false
}
