package rules

import (
	"slices"
	"time"

	"github.com/siprecd/siprecd/metadata"
)

// A Roster tells who the participants of one recording session are. Update it
// with each message; it is for one goroutine.
//
// The first pair are the first two parties who are people: a placeholder, a queue
// or an IVR keeps its place for whom it gives way to. The role of a party and how
// it was identified are fixed when it is invited; see Occasion for what may
// change them.
type Roster struct {
	book    *Book
	profile Profile
	dialect metadata.Dialect
	facts   []metadata.Fact
	told    []Statement
	parties []*party
	pair    [2]*party

	caller      Order // of the first pair
	callerWords string
	bearing     Bearing
	borne       bool // the direction is fixed
	holders     []Address
}

// NewRoster returns the roster of a recording session that begins. The book may
// serve many.
func NewRoster(b *Book, p Profile) *Roster {
	r := &Roster{book: b, profile: p, dialect: p.Dialect}
	if r.dialect == "" {
		r.dialect = metadata.DialectStandard
	}
	for _, s := range p.Placeholders {
		r.holders = append(r.holders, b.numbering.Address(s))
	}
	r.bear()
	return r
}

// A Statement is what somebody who knows, such as the desktop of an agent through
// the API, says about a party that is there or will come.
type Statement struct {
	Participant  metadata.ID // or, when empty,
	Address      string
	Role         Role
	IdentifiedBy IdentifiedBy // chosen from the directory, or a typed number
	Source       string       // who says so
}

type party struct {
	id          metadata.ID
	addresses   []Address
	names       []string
	labels      []string // of the streams it sends
	here        bool
	placeholder bool
	ruling      Ruling
}

func (p *party) isService() bool {
	return slices.ContainsFunc(p.addresses, func(a Address) bool { return a.Urn != "" })
}

// has reports whether an address is one of the party. Suffix is as in dialectRow.
func (p *party) has(a Address, suffix int) bool {
	return slices.ContainsFunc(p.addresses, func(b Address) bool { return a.Same(b) || a.endsAlike(b, suffix) })
}

func (p *party) number() bool {
	return slices.ContainsFunc(p.addresses, func(a Address) bool { return a.Number != "" })
}

// Update takes what is true after a message that was received at an instant, and
// all facts so far, and returns the rulings that are new or changed, in the order
// of the participants.
func (r *Roster) Update(at time.Time, v metadata.View, facts []metadata.Fact) []Ruling {
	r.facts = slices.Clone(facts)
	r.recognise()
	came, gone := r.attend(at, v)
	var out []*party
	for _, p := range came {
		if old := successor(p, gone); old != nil {
			r.carryOn(old, p)
			gone = slices.DeleteFunc(gone, func(g *party) bool { return g == old })
			out = append(out, p)
			continue
		}
		if hasty := r.seat(at, p); hasty != nil {
			out = append(out, hasty)
		}
	}
	r.findCaller()
	out = append(out, r.judge(at)...)
	r.bear()
	return rulings(out)
}

// Tell takes a statement and returns the rulings it changes.
func (r *Roster) Tell(at time.Time, s Statement) []Ruling {
	r.told = append(r.told, s)
	out := r.judge(at)
	r.bear()
	return rulings(out)
}

func rulings(ps []*party) []Ruling {
	var out []Ruling
	for _, p := range ps {
		out = append(out, p.result())
	}
	return out
}

func (p *party) result() Ruling {
	out := p.ruling
	out.Considered = slices.Clone(out.Considered)
	return out
}

// Rulings returns the ruling of every participant there ever was, in the order in
// which they came.
func (r *Roster) Rulings() []Ruling { return rulings(r.parties) }

// Ruling returns that of one participant.
func (r *Roster) Ruling(id metadata.ID) (Ruling, bool) {
	if p := r.find(id); p != nil {
		return p.result(), true
	}
	return Ruling{}, false
}

// Direction returns the direction of the call, and the evidence for it.
func (r *Roster) Direction() Bearing { return r.bearing }

// RolesUnknown reports whether nobody of the first pair can be placed inside: it
// cannot be told who is an agent and who a customer.
func (r *Roster) RolesUnknown() bool {
	known := false
	for _, p := range r.pair {
		known = known || p != nil && p.ruling.Role != RoleUnknown
	}
	return !known
}

// row is what is known of the dialect of the SRC.
func (r *Roster) row() dialectRow { return rowOf(r.dialect) }

// recognise finds the dialect of the SRC, once: header fields that show it need
// not be in every message. Those of any device, such as Session-ID, show none.
func (r *Roster) recognise() {
	for _, f := range r.facts {
		row := rowOf(f.Dialect)
		if r.dialect == metadata.DialectStandard && row.dialect != "" {
			r.dialect = row.dialect
		}
	}
}

func (r *Roster) find(id metadata.ID) *party {
	for _, p := range r.parties {
		if p.id == id {
			return p
		}
	}
	return nil
}

// attend notes who is there, and returns who came for the first time and who went.
func (r *Roster) attend(at time.Time, v metadata.View) (came, gone []*party) {
	before := make(map[*party]bool, len(r.parties))
	for _, p := range r.parties {
		before[p], p.here = p.here, false
	}
	for _, presence := range v.Participants {
		p := r.find(presence.ID)
		if p == nil {
			p = &party{id: presence.ID}
			p.ruling.Participant, p.ruling.Since = p.id, at
			r.parties = append(r.parties, p)
			came = append(came, p)
			r.describe(p, presence)
		} else if p.placeholder || len(p.addresses) == 0 {
			r.describe(p, presence)
		}
		p.here = true
		p.labels = p.labels[:0]
		for _, id := range presence.Sends {
			s, _ := v.Stream(id)
			p.labels = append(p.labels, s.Label)
		}
	}
	for _, p := range r.parties {
		if before[p] && !p.here {
			gone = append(gone, p)
		}
	}
	return came, gone
}

// describe takes the addresses of a party as they were when it was invited; a
// later change of address does not make somebody else of it.
func (r *Roster) describe(p *party, presence metadata.Presence) {
	p.addresses, p.names, p.placeholder = nil, presence.Names(), false
	for _, s := range presence.AORs() {
		a := r.book.numbering.Address(s)
		p.addresses = append(p.addresses, a)
		p.placeholder = p.placeholder || slices.ContainsFunc(r.holders, a.Same)
	}
	for _, f := range r.facts {
		if f.Kind != metadata.FactPlaceholder || f.About != p.id {
			continue
		}
		// Facts of an earlier message may be about an address that is no more.
		a := r.book.numbering.Address(f.Value)
		p.placeholder = p.placeholder || f.Value == "" || p.has(a, 0) || len(p.addresses) == 0
	}
}

// successor returns who of those that just went is the same party as one that
// just came.
func successor(p *party, gone []*party) *party {
	if p.placeholder {
		return nil
	}
	for _, g := range gone {
		if !g.placeholder && slices.ContainsFunc(g.addresses, func(a Address) bool { return p.has(a, 0) }) {
			return g
		}
	}
	return nil
}

// carryOn gives a party that has another id the identity and the place it had.
func (r *Roster) carryOn(old, p *party) {
	p.ruling = old.result()
	p.ruling.Participant, p.ruling.Because, p.ruling.Continues = p.id, RuledContinued, old.id
	for i := range r.pair {
		if r.pair[i] == old {
			r.pair[i] = p
		}
	}
}

// seat gives a newcomer its place in the first pair, if there is one. It returns
// a hasty second party that had to be ruled anew.
func (r *Roster) seat(at time.Time, p *party) (hasty *party) {
	for i := range r.pair {
		if r.pair[i] == nil {
			r.pair[i] = p
			return nil
		}
	}
	for i, sits := range r.pair {
		switch {
		case sits.placeholder || r.isMachine(sits):
			r.pair[i] = p
			return nil
		case r.isHasty(at, sits):
			hasty = sits
			e := Evidence{Strength: StrengthForm, Role: RoleQueue, IdentifiedBy: ByUnknown,
				Words: "second party, replaced after " + at.Sub(sits.ruling.Since).String()}
			r.fix(sits, RuledReplaced, append([]Evidence{e}, sits.ruling.Considered...), false)
			r.pair[i] = p
			return hasty
		}
	}
	return nil
}

// isMachine reports whether a party is a queue or IVR. One that came in the same
// message has no ruling yet.
func (r *Roster) isMachine(p *party) bool {
	if p.ruling.Because != 0 {
		return p.ruling.Role.machine()
	}
	for _, e := range slices.Concat(r.stated(p, true), r.listed(p, true)) {
		if e.Role.machine() {
			return true
		}
	}
	return false
}

// isHasty reports whether a second party that is gone was the queue or IVR in
// front of the agent: nothing identified it, it stood where an agent would, and
// it went within the window of received time.
func (r *Roster) isHasty(at time.Time, p *party) bool {
	id, first := p.ruling.Identity, r.pair[0]
	return !p.here && !id.sure() && id.Role != RoleCustomer &&
		at.Sub(id.Since) <= r.profile.window() &&
		first.here && !(first.ruling.Internal() && first.ruling.sure())
}
