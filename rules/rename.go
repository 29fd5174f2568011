package rules

import "slices"

// Names are other names for streams and parties. What is not in it keeps its name.
type Names struct {
	Streams map[StreamID]StreamID
	Parties map[PartyID]PartyID
}

func (n Names) stream(id StreamID) StreamID {
	if other, ok := n.Streams[id]; ok {
		return other
	}
	return id
}

func (n Names) party(id PartyID) PartyID {
	if other, ok := n.Parties[id]; ok {
		return other
	}
	return id
}

func (n Names) parties(ids []PartyID) []PartyID {
	var out []PartyID
	for _, id := range ids {
		out = append(out, n.party(id))
	}
	return out
}

// legOf is how the owner of a held leg begins.
const legOf = "leg of "

// causes are the same with the names of their owners, where those are parties.
func (n Names) causes(in []ActiveCause) []ActiveCause {
	out := slices.Clone(in)
	for i, a := range in {
		switch a.Cause {
		case Hold, External, ConsultLeg, RoleFilter, PartyConsent, DoNotRecord:
			for from, to := range n.Parties {
				switch a.Owner {
				case string(from):
					out[i].Owner = string(to)
				case legOf + string(from):
					out[i].Owner = legOf + string(to)
				}
			}
		}
	}
	return out
}

// Renamed is the case as it is, with other names of its streams and parties: those that
// they have in another interaction, to be merged into that. What user recordings keep is
// to be decided anew: other streams than before are in them. What was decided before stays
// with the receiver, which is not changed.
func (c *Case) Renamed(n Names) *Case {
	out := *c
	out.scratch, out.places, out.shared = nil, nil, nil
	out.causes = nil
	out.legBy = n.party(c.legBy)
	out.pairs, out.alarmed = n.causes(c.pairs), n.causes(c.alarmed)
	out.members, out.streams, out.users = nil, nil, nil
	for _, m := range c.members {
		other := *m
		other.id, other.partner = n.party(m.id), n.party(m.partner)
		other.numbers = slices.Clone(m.numbers)
		out.members = append(out.members, &other)
	}
	for _, s := range c.streams {
		other := *s
		other.id, other.senders, other.former = n.stream(s.id), n.parties(s.senders), n.parties(s.former)
		other.sdp, other.causes, other.past = slices.Clone(s.sdp), n.causes(s.causes), nil
		other.last.Stream, other.last.Causes = other.id, n.causes(s.last.Causes)
		out.streams = append(out.streams, &other)
	}
	for _, u := range c.users {
		out.users = append(out.users, &userRecording{id: u.id, maker: n.party(u.maker), over: u.over})
	}
	for _, list := range []*[]string{&out.numbers, &out.options, &out.flows, &out.queues, &out.secure, &out.foreign.holds, &out.foreign.pauses} {
		*list = slices.Clone(*list)
	}
	out.also = slices.Clone(c.also)
	return &out
}
