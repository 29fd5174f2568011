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

// Taking returns the file as it holds for a server that takes some facts and no
// others, whatever its profiles say that is delivered.
func (f *File) Taking(facts ...Fact) *File {
	g := *f
	g.Profiles = slices.Clone(f.Profiles)
	other := func(n Fact) bool { return !slices.Contains(facts, n) }
	for i := range g.Profiles {
		p := &g.Profiles[i]
		for _, way := range []*[]Fact{&p.Wire, &p.Extension, &p.API} {
			*way = slices.DeleteFunc(slices.Clone(*way), other)
		}
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
