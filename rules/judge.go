package rules

import (
	"math"
	"slices"
	"time"
)

// judge rules on all who are there and have no ruling, and on those whose ruling
// may change. It returns whose ruling is new or another.
func (r *Roster) judge(at time.Time) []*party {
	var out []*party
	own := r.pairEvidence()
	for _, p := range r.parties {
		if !p.here {
			continue
		}
		seat := slices.Index(r.pair[:], p)
		if why := r.review(p, seat); why != 0 && r.rule(p, seat, why, own) {
			out = append(out, p)
		}
	}
	// Who is of the first pair may be known only through the other.
	for seat, p := range r.pair {
		if p == nil || !p.here || p.placeholder || p.ruling.Role != RoleUnknown {
			continue
		}
		if r.rule(p, seat, p.pairedNow(out), own) && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// pairedNow is the occasion of a second look at a party: still its invitation
// when that was a moment ago.
func (p *party) pairedNow(ruled []*party) Occasion {
	if slices.Contains(ruled, p) {
		return p.ruling.Because
	}
	return RuledPaired
}

// review says on what occasion a party may be ruled on now; 0 is that its ruling
// stays.
func (r *Roster) review(p *party, seat int) Occasion {
	was := p.ruling
	switch {
	case was.Because == 0:
		return RuledInvited
	case was.Evidence == placeholderWords:
		return RuledFilled
	case was.IdentifiedBy == ByDirectory:
		return 0
	}
	stated, told := len(r.stated(p, seat >= 0)) > 0, len(r.toldOf(p)) > 0
	if told || stated && was.IdentifiedBy == ByUnknown {
		return RuledIdentified
	}
	return 0
}

const (
	placeholderWords = "placeholder of the SRC, the party is not known yet"
	unknownWords     = "roles unknown: nothing places a party of the first pair inside"
)

// rule weighs the evidence for a party and fixes what comes of it. It reports
// whether that differs from before.
func (r *Roster) rule(p *party, seat int, why Occasion, own [2][]Evidence) bool {
	if p.placeholder {
		return r.fix(p, why, []Evidence{{Words: placeholderWords}}, false)
	}
	var es []Evidence
	if seat >= 0 {
		es = append(slices.Clone(own[seat]), r.rest(seat, own)...)
	} else {
		es = slices.Concat(r.stated(p, false), r.listed(p, false), r.inside(p))
		if !counts(es) {
			es = append(es, r.late(p)...)
		}
	}
	if why == RuledIdentified {
		// Only what is stated may change what was fixed before.
		es = slices.DeleteFunc(es, func(e Evidence) bool { return e.Strength != StrengthStated })
		es = append(es, p.ruling.Considered...)
	}
	if !counts(es) {
		es = append(es, Evidence{Words: unknownWords})
	}
	return r.fix(p, why, es, seat >= 0)
}

// fix makes the strongest evidence the identity of a party.
func (r *Roster) fix(p *party, why Occasion, es []Evidence, first bool) bool {
	if why != RuledReplaced { // there what is last decides over what was considered
		slices.SortStableFunc(es, func(a, b Evidence) int { return a.rank() - b.rank() })
	}
	es = distinct(es)
	i := slices.IndexFunc(es, decides)
	e := es[i]
	es = slices.Insert(slices.Delete(es, i, i+1), 0, e)
	id := Identity{
		Role: e.Role, IdentifiedBy: e.IdentifiedBy, Name: r.nameOf(p, e.Role), Evidence: e.Words, Strength: e.Strength,
		FirstPair: first && !e.Role.machine(), Since: p.ruling.Since,
	}
	changed := p.ruling.Identity != id
	if changed {
		p.ruling.Because = why
	}
	p.ruling.Identity, p.ruling.Considered = id, es
	return changed
}

// nameOf is what one of the own people is called in the directory.
func (r *Roster) nameOf(p *party, role Role) string {
	for _, a := range p.addresses {
		if l, listed := r.book.lookUp(a); listed && role.own() {
			return l.who
		}
	}
	return ""
}

// rank orders evidence; none comes last.
func (e Evidence) rank() int {
	if e.Strength == 0 {
		return math.MaxInt
	}
	return int(e.Strength)
}

func distinct(es []Evidence) []Evidence {
	var out []Evidence
	for _, e := range es {
		if !slices.Contains(out, e) {
			out = append(out, e)
		}
	}
	return out
}
