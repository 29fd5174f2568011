package metadata

import "maps"

// Some SRCs renew every id when a call is transferred (BroadWorks). A participant
// of the new set who has the address of one of the old is then the same person:
// what was recorded of one id goes on under the other.

// oddRenewed is an oddity of Apply.
const oddRenewed = "all ids renewed; participants matched by their addresses"

// persons keeps which ids are those of one person.
type persons struct {
	first map[ID]ID // of an id, the first id of that person; only where it is another
	last  map[ID]ID // of a first id, the latest
}

func (p persons) clone() persons {
	return persons{maps.Clone(p.first), maps.Clone(p.last)}
}

func (p persons) root(id ID) ID {
	if first, other := p.first[id]; other {
		return first
	}
	return id
}

// renewal returns the participants of a document that renews all ids, each with
// the id it had before, and keeps that they are the same. Addresses that several
// share tell nothing.
func (h *history) renewal(d *Document) map[ID]ID {
	if d.Mode != Complete || len(h.order) == 0 || len(d.Participants) == 0 {
		return nil
	}
	for _, p := range d.Participants {
		if len(h.versions[p.ID]) > 0 {
			return nil
		}
	}
	before := make(map[address]ID)
	for _, id := range h.order {
		vs := h.versions[id]
		h.enterAddresses(before, vs[len(vs)-1].Participant, h.same.root(id))
	}
	now := make(map[address]ID)
	for _, p := range d.Participants {
		h.enterAddresses(now, p, p.ID)
	}
	links := make(map[ID]ID)
	for _, p := range d.Participants {
		if root := matchPerson(p, before, now); root != "" {
			links[p.ID] = root
		}
	}
	return h.link(links)
}

func (h *history) enterAddresses(to map[address]ID, p Participant, as ID) {
	for _, n := range p.NameIDs {
		if a := parseAddress(n.AOR); a.names() {
			enter(to, a, as)
		}
	}
}

func matchPerson(p Participant, before, now map[address]ID) ID {
	for _, n := range p.NameIDs {
		a := parseAddress(n.AOR)
		if root := before[a]; root != "" && now[a] == p.ID {
			return root
		}
	}
	return ""
}

// link keeps new ids with the first ids of their persons, unless two claim the
// same person, and returns them with the ids they had last.
func (h *history) link(roots map[ID]ID) map[ID]ID {
	claims := make(map[ID]int)
	for _, root := range roots {
		claims[root]++
	}
	out := make(map[ID]ID)
	for id, root := range roots {
		if claims[root] > 1 {
			continue
		}
		if h.same.first == nil {
			h.same = persons{make(map[ID]ID), make(map[ID]ID)}
		}
		out[id] = root
		if last, renewed := h.same.last[root]; renewed {
			out[id] = last
		}
		h.same.first[id], h.same.last[root] = root, id
	}
	return out
}

// Person returns the first id of the person an id means: another one when the SRC
// renewed all ids, else the same.
func (m *Model) Person(id ID) ID { return m.hist.same.root(id) }

// SamePerson reports whether two ids are those of one person in this recording
// session.
func (m *Model) SamePerson(a, b ID) bool { return m.Person(a) == m.Person(b) }

// tellSame gives changes that are about a renewed id the other id of the person.
func tellSame(changes []Change, renewed map[ID]ID) {
	if len(renewed) == 0 {
		return
	}
	later := make(map[ID]ID, len(renewed))
	for id, earlier := range renewed {
		later[earlier] = id
	}
	for i, c := range changes {
		switch c.Kind {
		case Left, SendingStopped:
			changes[i].SamePerson = later[c.Participant]
		case Joined, SendingStarted:
			changes[i].SamePerson = renewed[c.Participant]
		}
	}
}
