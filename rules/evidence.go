package rules

import (
	"slices"
	"strings"

	"github.com/siprecd/siprecd/metadata"
)

// pairEvidence returns what speaks for each of the first pair by itself.
func (r *Roster) pairEvidence() [2][]Evidence {
	var out [2][]Evidence
	for i, p := range r.pair {
		if p != nil && !p.placeholder {
			out[i] = slices.Concat(r.stated(p, true), r.listed(p, true), r.inside(p))
		}
	}
	sure := [2]bool{counts(out[0]), counts(out[1])}
	for i, p := range r.pair {
		if p == nil {
			continue
		}
		out[i] = append(out[i], r.placed(i)...)
		if !sure[0] && !sure[1] {
			out[i] = append(out[i], r.shaped(i)...)
		}
		out[i] = append(out[i], r.ordered(i)...)
	}
	return out
}

func counts(es []Evidence) bool { return slices.ContainsFunc(es, decides) }

func decides(e Evidence) bool { return !e.Noted }

// stated is what the API and extension data say of a party by name.
func (r *Roster) stated(p *party, first bool) []Evidence {
	var out []Evidence
	for _, s := range r.toldOf(p) {
		out = append(out, Evidence{StrengthStated, s.Role, s.IdentifiedBy, "API: " + s.Source, false})
	}
	for _, row := range partyFacts {
		for _, f := range r.facts {
			if row.kind != f.Kind || !r.isAbout(f, p, first) {
				continue
			}
			e := Evidence{StrengthStated, row.role, ByDirectory, r.rowFor(f).words + " " + row.words, false}
			if row.role == RoleAgent {
				e.Role = r.ownRole(p)
			}
			out = append(out, e)
		}
	}
	return out
}

// toldOf returns the statements about a party.
func (r *Roster) toldOf(p *party) []Statement {
	var out []Statement
	for _, s := range r.told {
		named := s.Participant == p.id
		if s.Participant == "" {
			named = p.has(r.book.numbering.Address(s.Address), 0)
		}
		if named && s.Role != RoleUnknown {
			out = append(out, s)
		}
	}
	return out
}

// ownRole is the role that the directory gives to one of the own people.
func (r *Roster) ownRole(p *party) Role {
	for _, a := range p.addresses {
		if l, _ := r.book.lookUp(a); l.role.own() {
			return l.role
		}
	}
	return r.book.insideRole
}

// rowFor is what is known of the dialect that a fact is of. Header fields that any
// device may send mean what they mean in the dialect of the SRC.
func (r *Roster) rowFor(f metadata.Fact) dialectRow {
	if row := rowOf(f.Dialect); row.dialect != "" {
		return row
	}
	return r.row()
}

// isAbout reports whether a fact is about a party: it says so, or its value is an
// address of the party and not of both of the first pair. Of those who come later
// only a whole address counts: a number may have been typed.
func (r *Roster) isAbout(f metadata.Fact, p *party, first bool) bool {
	row := r.rowFor(f)
	switch {
	case !row.names(f.Kind):
		return false
	case f.Of == metadata.ParticipantKind:
		return f.About == p.id
	case f.Kind == metadata.FactQueueName:
		return slices.ContainsFunc(p.names, func(n string) bool { return strings.EqualFold(n, f.Value) })
	}
	a := r.book.numbering.Address(f.Value)
	if f.Kind == metadata.FactQueueNumber {
		return p.has(a, 0)
	}
	if !first {
		return slices.ContainsFunc(p.addresses, func(b Address) bool {
			return !b.Phone && a.aor() != "" && a.aor() == b.aor()
		})
	}
	if !p.has(a, row.suffix) {
		return false
	}
	return !slices.ContainsFunc(r.pair[:], func(q *party) bool {
		return q != nil && q != p && q.has(a, row.suffix)
	})
}

// listed is what the directory says. A telephone number makes an agent of a party
// of the first pair only: of one that comes later it says that somebody dialled
// it, unless something else says that an agent was invited.
func (r *Roster) listed(p *party, first bool) []Evidence {
	var out []Evidence
	inside := r.inside(p)
	for _, a := range p.addresses {
		l, ok := r.book.lookUp(a)
		if !ok {
			continue
		}
		e := Evidence{StrengthDirectory, l.role, ByDirectory, l.words(), false}
		switch {
		case first || !l.bare || !l.role.own():
		case r.profile.NumbersMean == NumbersAgent:
			e.Words += "; joined later, numbers mean agents by " + r.profile.words()
		case counts(inside):
			e.Words += "; joined later, " + inside[slices.IndexFunc(inside, decides)].Words
		default:
			e.Role, e.IdentifiedBy = RoleExternal, ByNumber
			e.Words += "; joined later: a typed number"
		}
		out = append(out, e)
	}
	return out
}

// inside is what the inside list says of the AOR host and the realm of a party,
// and what the domain of those says whom the SRC names as its own.
func (r *Roster) inside(p *party) []Evidence {
	var out []Evidence
	add := func(noted bool, words string) {
		out = append(out, Evidence{StrengthInside, r.book.insideRole, ByDirectory, words, noted})
	}
	for _, f := range r.facts {
		if f.Kind == metadata.FactRealm && f.Of == metadata.ParticipantKind && f.About == p.id && r.book.insideRealm(f.Value) {
			add(false, "inside realm "+f.Value)
		}
	}
	for _, a := range p.addresses {
		if d, ok := r.book.insideDomain(a.Host); ok {
			words := "AOR host in inside domain " + d
			if a.Phone { // the host is that of a gateway (RFC 3261 §19.1.6)
				words += ", but it is a telephone number"
			}
			add(a.Phone, words)
		}
		for _, f := range r.facts {
			if row := rowOf(f.Dialect); row.ownDomain && slices.Contains(row.named, f.Kind) && r.shareDomain(f, a, row.phoneDigit) {
				add(false, "AOR host is the domain of the "+row.words+" user")
			}
		}
	}
	return out
}

// shareDomain reports whether an address is in the domain of a user that a fact
// names and no telephone number there.
func (r *Roster) shareDomain(f metadata.Fact, a Address, phoneDigits int) bool {
	user := r.book.numbering.Address(f.Value)
	phone := a.Phone || strings.HasPrefix(a.Number, "+") || phoneDigits != 0 && len(a.Number) >= phoneDigits
	return user.Host != "" && user.Host == a.Host && a.User != "" && !phone
}

// side is evidence for the two sides of a call: the own one, or the other.
func (r *Roster) side(strength Strength, own bool, p *party, words string) []Evidence {
	e := Evidence{Strength: strength, Role: r.book.insideRole, Words: "first pair: " + words}
	if !own {
		e.Role, e.IdentifiedBy = RoleCustomer, p.outside()
	}
	return []Evidence{e}
}

// outside is how a party from outside is identified.
func (p *party) outside() IdentifiedBy {
	if p.number() {
		return ByNumber
	}
	return ByUnknown
}

// placed is what the direction of the call says of the one who called and of the
// one who was called.
func (r *Roster) placed(seat int) []Evidence {
	return r.placedBy(r.factDirection(), StrengthDirection, seat)
}

func (r *Roster) placedBy(b Bearing, strength Strength, seat int) []Evidence {
	p, calls := r.pair[seat], r.caller == Order(seat+1)
	who := "called"
	if calls {
		who = "calling"
	}
	words := who + " party of an " + b.Direction.String() + " call (" + b.Evidence + ")"
	switch {
	case b.Direction == DirectionInternal:
		return r.side(strength, true, p, "party of an internal call ("+b.Evidence+")")
	case b.Direction == DirectionUnknown || r.caller == OrderNone:
		return nil
	default:
		return r.side(strength, calls == (b.Direction == DirectionOutbound), p, words)
	}
}

// shaped is what the form of the numbers and names of the pair says: beside a
// number of the telephone network a short one is an extension.
func (r *Roster) shaped(seat int) []Evidence {
	if !r.paired() || r.profile.RecordedLabel != "" || r.profile.RecordedOrder != OrderNone {
		return nil
	}
	p, q := r.pair[seat], r.pair[1-seat]
	const words = "short number beside one of the telephone network"
	switch {
	case p.isShort() && q.isLong():
		return r.side(StrengthForm, true, p, words)
	case q.isShort() && p.isLong():
		return r.side(StrengthForm, false, p, "number of the telephone network beside a short one")
	case r.row().ownNames && p.named() != q.named():
		return r.side(StrengthForm, p.named(), p, "only own people are shown with names ("+r.row().words+")")
	}
	return nil
}

func (p *party) isShort() bool {
	return len(p.addresses) > 0 && !slices.ContainsFunc(p.addresses, func(a Address) bool { return !a.isShort() })
}

func (p *party) isLong() bool { return slices.ContainsFunc(p.addresses, Address.isLong) }

// named reports whether a display name is shown that is no number.
func (p *party) named() bool {
	return slices.ContainsFunc(p.names, func(n string) bool { return digitsOf(n, true) == "" })
}

// ordered is what the place in the pair or the label of the stream says, by the
// profile or the dialect.
func (r *Roster) ordered(seat int) []Evidence {
	p, q := r.pair[seat], r.pair[1-seat]
	by := r.profile.words()
	sends := func(label string, who *party) bool { return who != nil && slices.Contains(who.labels, label) }
	var out []Evidence
	label := func(label, by string) {
		if mine := sends(label, p); label != "" && mine != sends(label, q) {
			words := "sends stream " + label + " of the recorded user ("
			if !mine {
				words = "does not send stream " + label + " of the recorded user ("
			}
			out = append(out, r.side(StrengthOrder, mine, p, words+by+")")...)
		}
	}
	label(r.profile.RecordedLabel, by)
	if o := r.profile.RecordedOrder; o != OrderNone {
		out = append(out, r.side(StrengthOrder, o == Order(seat+1), p, o.String()+" participant is the recorded user ("+by+")")...)
	}
	out = append(out, r.placedBy(Bearing{r.profile.Direction, by}, StrengthOrder, seat)...)
	label(r.row().label, r.row().words)
	return out
}

// rest is what the other party says of one that nothing is known of.
func (r *Roster) rest(seat int, own [2][]Evidence) []Evidence {
	q := r.pair[1-seat]
	if q == nil || counts(own[seat]) {
		return nil
	}
	other := q.ruling.Role
	if i := slices.IndexFunc(own[1-seat], decides); other == RoleUnknown && i >= 0 {
		other = own[1-seat][i].Role
	}
	if !other.own() && !other.machine() {
		return nil
	}
	return r.side(StrengthRest, false, r.pair[seat], "the other party is "+other.String())
}

// late is what it says of a party that it was not of the first pair.
func (r *Roster) late(p *party) []Evidence {
	words := "joined later, nothing places it inside"
	for _, f := range r.facts {
		if f.Kind == metadata.FactTransferTo && p.has(r.book.numbering.Address(f.Value), 0) {
			words += " (" + fieldWords(f) + ")"
			break
		}
	}
	return []Evidence{{Strength: StrengthRest, Role: RoleExternal, IdentifiedBy: p.outside(), Words: words}}
}
