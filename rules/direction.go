package rules

import "github.com/siprecd/siprecd/metadata"

// A Direction is that of a call as the own people see it.
type Direction int

// The directions.
const (
	DirectionUnknown Direction = iota
	DirectionInbound
	DirectionOutbound
	DirectionInternal
)

func directionWords() words { return words{"unknown", "inbound", "outbound", "internal"} }

// String returns the name of the direction.
func (d Direction) String() string { return directionWords().name(int(d), "direction") }

// MarshalText returns the name of the direction.
func (d Direction) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the name of a direction, without case.
func (d *Direction) UnmarshalText(b []byte) error {
	i, err := directionWords().index(b, "direction")
	*d = Direction(i)
	return err
}

// A Bearing is a direction with the evidence for it, in words.
type Bearing struct {
	Direction Direction
	Evidence  string
}

// factDirection is the direction that extension data tells of the whole call.
// Facts that contradict each other tell none.
func (r *Roster) factDirection() Bearing {
	var b Bearing
	for _, f := range r.facts {
		if f.Kind != metadata.FactDirection {
			continue
		}
		i, _ := directionWords().index([]byte(f.Value), "direction")
		d := Direction(i)
		if d == DirectionUnknown { // as is any other word
			continue
		}
		if b.Direction != DirectionUnknown && b.Direction != d {
			return Bearing{}
		}
		b = Bearing{d, fieldWords(f)}
	}
	if b.Direction == DirectionUnknown {
		for i, p := range r.pair {
			if p != nil && p.isService() && Order(i+1) != r.caller {
				return Bearing{DirectionInbound, "a service is addressed (RFC 5031)"}
			}
		}
	}
	return b
}

// bear finds the direction of the call from its first pair: what the dialect
// says, then who of the pair is inside, by declared order, then the profile. A
// direction that was found with both parties known stays.
func (r *Roster) bear() {
	if r.borne {
		return
	}
	r.bearing = r.bearingNow()
	r.borne = r.bearing.Direction != DirectionUnknown && r.paired()
}

func (r *Roster) bearingNow() Bearing {
	var inside, sure [2]bool
	for i, p := range r.pair {
		if p != nil {
			id := p.ruling.Identity
			inside[i] = id.Internal() || id.Role.machine()
			sure[i] = inside[i] && id.sure()
		}
	}
	fact := r.factDirection()
	switch {
	case sure[0] && sure[1]:
		// What a dialect calls inbound is then a call that came from a colleague.
		return Bearing{DirectionInternal, "both parties of the first pair are inside"}
	case fact.Direction != DirectionUnknown:
		return fact
	case inside[0] && inside[1]:
		return Bearing{DirectionInternal, "both parties of the first pair are inside"}
	}
	if r.paired() && r.caller != OrderNone && inside[0] != inside[1] {
		caller := r.caller == OrderFirst
		if inside[0] == caller {
			return Bearing{DirectionOutbound, "the calling party is inside, the called one is not (" + r.callerWords + ")"}
		}
		return Bearing{DirectionInbound, "the called party is inside, the calling one is not (" + r.callerWords + ")"}
	}
	if d := r.profile.Direction; d != DirectionUnknown {
		return Bearing{d, r.profile.words()}
	}
	if r.paired() && r.caller != OrderNone {
		return Bearing{DirectionUnknown, "who called is known (" + r.callerWords + "), but not who is inside"}
	}
	return Bearing{DirectionUnknown, "nothing tells who called whom"}
}

// paired reports whether both of the first pair are known.
func (r *Roster) paired() bool {
	return r.pair[1] != nil && !r.pair[0].placeholder && !r.pair[1].placeholder
}

// findCaller finds out who of the first pair called, once: what the dialect says
// of the participants, then the numbers it names, the profile, and the order in
// which the dialect describes them.
func (r *Roster) findCaller() {
	if r.caller != OrderNone {
		return
	}
	for i, p := range r.pair {
		if p == nil {
			continue
		}
		this, other := Order(i+1), Order(2-i)
		if p.isService() {
			r.caller, r.callerWords = other, "a service is called (RFC 5031)"
			return
		}
		for _, f := range r.facts {
			if f.Kind == metadata.FactCallingParty && f.Of == metadata.ParticipantKind && f.About == p.id {
				r.caller, r.callerWords = other, fieldWords(f)
				if f.Value == "true" {
					r.caller = this
				}
				return
			}
		}
	}
	if r.callerByNumber(metadata.FactCallingNumber, 0) || r.callerByNumber(metadata.FactCalledNumber, 1) {
		return
	}
	switch {
	case r.profile.Caller != OrderNone:
		r.caller, r.callerWords = r.profile.Caller, r.profile.words()
	case r.row().callerFirst:
		r.caller, r.callerWords = OrderFirst, "the caller is described first"
	}
}

// callerByNumber finds the one of the pair whose number a fact names; turn is 1
// when that is the called one.
func (r *Roster) callerByNumber(kind metadata.FactKind, turn int) bool {
	for _, f := range r.facts {
		row := rowOf(f.Dialect)
		if f.Kind != kind || row.noNumbers || !r.paired() {
			continue
		}
		a := r.book.numbering.Address(f.Value)
		first, second := r.pair[0].has(a, row.suffix), r.pair[1].has(a, row.suffix)
		if first == second {
			continue
		}
		i := turn
		if second {
			i = 1 - turn
		}
		r.caller, r.callerWords = Order(i+1), fieldWords(f)
		return true
	}
	return false
}
