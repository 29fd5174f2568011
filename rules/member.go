package rules

import "slices"

// member is a party of the call as the engine sees it.
type member struct {
	id       PartyID
	identity Identity
	joined   bool
	dialled  bool
	consult  bool    // in a consult bridge, not in the main one
	astride  bool    // of two merged cases one has it in the main bridge: counts as in both
	partner  PartyID // whom it consults
	agreed   bool
	barred   bool // has a number that is never to be recorded
	numbers  []string
	holds    bool
	orphan   bool // it left while it held
}

func (m *member) internal() bool { return m.identity.Internal() }

// among reports whether a selection of users has the party, by the name that the
// directory gives it or by its id.
func (m *member) among(s Selection) bool {
	return s.Has(string(m.id)) || m.identity.Name != "" && s.Has(m.identity.Name)
}

// machine says that nobody is behind it: neither own nor an outsider.
func (m *member) outsider() bool { return !m.internal() && !m.identity.Role.machine() }

// customer reports whether the party is who the call is with. Nobody of the
// first pair is a third party, also when nothing places it.
func (m *member) customer() bool { return m.identity.FirstPair || m.identity.Role == RoleCustomer }

func (c *Case) member(id PartyID) *member {
	for _, m := range c.members {
		if m.id == id {
			return m
		}
	}
	return nil
}

// on returns a party that is on the call, or nil.
func (c *Case) on(id PartyID) *member {
	if m := c.member(id); m != nil && m.joined {
		return m
	}
	return nil
}

// invited returns the party; who it is stays as it was said when it was invited.
func (c *Case) invited(id PartyID, who Identity) *member {
	m := c.member(id)
	if m == nil {
		m = &member{id: id, identity: who}
		c.members = append(c.members, m)
	}
	return m
}

func (c *Case) join(m *member) {
	m.joined, m.dialled = true, false
	c.sawInternal = c.sawInternal || m.internal()
	c.sawOutsider = c.sawOutsider || m.outsider()
}

// drop takes a party off the call. What it held waits for somebody of the own
// people; what it recorded ends.
func (c *Case) drop(m *member) {
	m.leave()
	c.stopUser(m.id)
}

// leave is what becomes of a party that is on the call no longer.
func (m *member) leave() {
	m.joined, m.dialled, m.partner, m.orphan = false, false, "", m.holds
	m.move(false)
}

// move puts a party into the consult or the main bridge.
func (m *member) move(consult bool) { m.consult, m.astride = consult, false }

// count counts the parties for which is holds.
func (c *Case) count(is func(*member) bool) int {
	n := 0
	for _, m := range c.members {
		if is(m) {
			n++
		}
	}
	return n
}

// parties handles the events that are about who is on the call and who holds it.
func (c *Case) parties(ev *Event) {
	switch ev.Kind {
	case PartyJoined:
		c.join(c.invited(ev.Party, ev.Identity))
	case PartyIdentified:
		if m := c.member(ev.Party); m != nil {
			m.identity = ev.Identity
			if m.joined {
				c.join(m)
			}
		}
	case PartyDialled:
		c.invited(ev.Party, ev.Identity).dialled = true
	case PartyAnswered:
		if m := c.member(ev.Party); m != nil && m.dialled {
			c.join(m)
		}
	case PartyLeft:
		if m := c.member(ev.Party); m != nil {
			c.drop(m)
		}
	case Held:
		c.hold(ev)
	case Retrieved:
		if ev.Owner != "" {
			c.foreign.holds = without(c.foreign.holds, ev.Owner)
			return
		}
		if m := c.member(ev.Party); m != nil {
			m.holds = false
		}
		c.legHeld = c.legHeld && c.legBy != ev.Party && c.on(ev.Party) == nil
	}
}

// bridges handles consultations and transfers.
func (c *Case) bridges(ev *Event) {
	m := c.on(ev.Party)
	switch ev.Kind {
	case Consulted, ConsultDialled:
		if m != nil {
			c.consult(m, ev)
		}
	case ConsultEnded:
		c.endConsult(ev.Other)
	case AlternatedBack, AlternatedAway:
		if m != nil && m.partner != "" {
			m.move(ev.Kind == AlternatedAway)
			if c.flags.ConsultHolds {
				c.legHeld, c.legBy = m.consult, m.id
			}
		}
	case Conferenced:
		for _, m := range c.members {
			m.partner = ""
			m.move(false)
		}
		c.legHeld = c.legHeld && !c.flags.ConsultHolds
	case Transferred, TransferredBlind, TransferredToQueue:
		if m != nil {
			c.transfer(m, ev)
		}
	}
}

func (c *Case) hold(ev *Event) {
	if ev.Owner != "" {
		c.foreign.holds = with(c.foreign.holds, ev.Owner)
		return
	}
	if m := c.on(ev.Party); m != nil {
		c.legHeld, c.legBy = true, m.id
		m.holds, m.orphan = true, false
	}
}

func (c *Case) consult(m *member, ev *Event) {
	x := c.invited(ev.Other, ev.Identity)
	if x.joined {
		return
	}
	x.dialled = true
	if ev.Kind == Consulted {
		c.join(x)
	}
	m.partner = x.id
	m.move(true)
	x.move(true)
	if c.flags.ConsultHolds {
		c.legHeld, c.legBy = true, m.id
	}
}

// endConsult lets the other go and brings back who consulted it, also where the
// other has left before.
func (c *Case) endConsult(other PartyID) {
	x := c.member(other)
	if x == nil {
		return
	}
	c.drop(x)
	for _, m := range c.members {
		if m.partner == other {
			m.partner = ""
			m.move(false)
			c.legHeld = c.legHeld && !c.flags.ConsultHolds
		}
	}
}

func (c *Case) transfer(m *member, ev *Event) {
	if x := c.member(m.partner); x != nil && ev.Kind == Transferred {
		x.move(false)
	}
	c.drop(m)
	c.legHeld = false
	switch ev.Kind {
	case TransferredBlind:
		c.invited(ev.Other, ev.Identity).dialled = true
	case TransferredToQueue:
		c.queues = with(c.queues, ev.Name)
	}
}

// adopt ends holds without an owner once somebody of the own people is in the
// main call.
func (c *Case) adopt() {
	if c.on(c.legBy) == nil {
		c.legBy = ""
	}
	if c.count(func(m *member) bool { return m.joined && !m.consult && m.internal() }) > 0 {
		for _, m := range c.members {
			m.holds = m.holds && !m.orphan
		}
		c.legHeld = c.legHeld && c.legBy != ""
	}
}

func with(names []string, name string) []string {
	if slices.Contains(names, name) {
		return names
	}
	return append(names, name)
}

func without(names []string, name string) []string {
	return slices.DeleteFunc(names, func(n string) bool { return n == name })
}
