package policy

import (
	"slices"

	"github.com/siprecd/siprecd/rules"
)

// Knowing returns the file as it holds beside a directory of addresses. That tells
// who is who where the SRC tells who is on a call, and how numbers are dialled.
func (f *File) Knowing(d rules.Directory) *File {
	g := *f
	g.directory = d
	g.Accounts = slices.Clone(f.Accounts)
	for i := range g.Accounts {
		a := &g.Accounts[i]
		a.DoNotRecord = renumber(a.DoNotRecord, d.Numbering)
		a.Plans = slices.Clone(a.Plans)
		for j, p := range a.Plans {
			a.Plans[j].Rules = slices.Clone(p.Rules)
			for k, rule := range p.Rules {
				a.Plans[j].Rules[k].Callers = renumber(rule.Callers, d.Numbering)
			}
		}
	}
	return &g
}

// Taken are the facts that a server takes, by the way on which they come.
type Taken struct {
	Call []Fact // from the call itself, on the wire or as extension data
	API  []Fact // from other systems
}

// Taking returns the file as it holds for a server that takes some facts and no
// others, whatever its profiles say that is delivered.
func (f *File) Taking(t Taken) *File {
	g := *f
	g.Profiles = slices.Clone(f.Profiles)
	only := func(way *[]Fact, taken []Fact) {
		*way = slices.DeleteFunc(slices.Clone(*way), func(n Fact) bool { return !slices.Contains(taken, n) })
	}
	for i := range g.Profiles {
		p := &g.Profiles[i]
		only(&p.Wire, t.Call)
		only(&p.Extension, t.Call)
		only(&p.API, t.API)
	}
	return &g
}

// directoryTells are the facts that follow from the directory for an SRC that tells
// of the parties; its profile of that name says what is peculiar to the SRC.
func (f *File) directoryTells(p Profile, name string) []Fact {
	if !p.sends(FactParties) {
		return nil
	}
	d := f.directory
	inside := len(d.Inside.Domains)+len(d.Inside.Realms)+len(d.Inside.Numbers) > 0
	people := inside || len(d.Agents)+len(d.Supervisors)+len(d.Users) > 0
	src, _ := d.Profile(name)
	var facts []Fact
	if people || src.RecordedLabel != "" || src.RecordedOrder != rules.OrderNone {
		facts = append(facts, FactRole)
	}
	if people {
		// Who is of the own people and has a telephone number counts as typed.
		facts = append(facts, FactChosen)
	}
	if src.Direction != rules.DirectionUnknown || people && src.Caller != rules.OrderNone {
		facts = append(facts, FactDirection)
	}
	return facts
}
