package policy

import (
	"time"

	"github.com/siprecd/siprecd/rules"
)

// Flags are the settings under which an interaction is decided. What the file does
// not know, such as an account that it does not have, records nothing.
func (f *File) Flags(b Belonging, published time.Time) rules.Flags {
	a := f.Account(b.Account)
	if a == nil {
		return rules.Flags{}
	}
	trunk, plan := a.Trunk(b.Trunk), a.Plan(b.Plan)
	flags := a.flags(trunk, plan)
	flags.Plan = plan.Rules
	flags.DoNotRecord = a.DoNotRecord
	a.selections(&flags)
	for _, r := range a.Retention {
		r.Published = published
		flags.Retention = append(flags.Retention, r)
	}
	flags.FlowsUnfed = f.unfed(a, trunk)
	return flags
}

// Policy is the policy under which an interaction is decided.
func (f *File) Policy(b Belonging, published time.Time) rules.Policy {
	return rules.NewPolicy(f.Flags(b, published))
}

// flags are the named settings that hold for a trunk and a plan: what stands nearer
// to the call counts.
func (a *Account) flags(t Trunk, p Plan) rules.Flags {
	flags := a.Preset.Flags()
	for _, given := range []Settings{a.Settings, t.Settings, p.Settings} {
		given.into(&flags)
	}
	return flags
}

func (s Settings) into(flags *rules.Flags) {
	for _, set := range settings() {
		if given, ok := s[set.key]; ok {
			set.set(flags, given.Word)
		}
	}
}

// selections collects the users, flows and queues that have a setting of their own.
// A file can be used only if its users have one where the account selects users.
func (a *Account) selections(flags *rules.Flags) {
	for _, u := range a.Users {
		if u.Settings.is("may-control", "yes") {
			flags.Control.Names = append(flags.Control.Names, u.Name)
		}
		if u.Settings.is("may-record", "yes") {
			flags.UserRecordings.Names = append(flags.UserRecordings.Names, u.Name)
		}
	}
	for _, flow := range a.Flows {
		if flow.Settings.is("suppress", "yes") {
			flags.SuppressedFlows.Names = append(flags.SuppressedFlows.Names, flow.Name)
		}
	}
	if !a.withholdsQueue() {
		return
	}
	// The flags name queues that go on, so that a queue nobody listed is withheld.
	flags.QueueWait = rules.Selection{}
	for _, q := range a.Queues {
		if !q.Settings.is("wait", "withhold") {
			flags.QueueWait.Names = append(flags.QueueWait.Names, q.Name)
		}
	}
}

func (a *Account) withholdsQueue() bool {
	for _, q := range a.Queues {
		if q.Settings.is("wait", "withhold") {
			return true
		}
	}
	return false
}

func (a *Account) suppressesFlow() bool {
	for _, f := range a.Flows {
		if f.Settings.is("suppress", "yes") {
			return true
		}
	}
	return false
}

// unfed: a flow or a queue is to be withheld, and nothing tells of it.
func (f *File) unfed(a *Account, t Trunk) bool {
	p := f.profile(t.Profile)
	return a.suppressesFlow() && p.feed(FactIVR) == NeverFed || a.withholdsQueue() && p.feed(FactQueue) == NeverFed
}
