package recorder

import (
	"slices"

	"github.com/siprecd/siprecd/metadata"
	"github.com/siprecd/siprecd/rules"
)

// A conversation is a communication session that goes on, with who is in it.
type conversation struct {
	id metadata.ID
	in []rules.PartyID
}

// A consult is a conversation beside the main call: by conversations to other.
type consult struct {
	by, other rules.PartyID
	talk      metadata.ID
	dialled   bool // other has no stream yet, though others have
	back      bool // by conversations to the main call meanwhile
}

// A seating says who is where: in the main call, or in no communication session at
// all, or in a conversation beside it.
type seating struct {
	main   []rules.PartyID
	beside []consult
}

// bridges tells the communication sessions of an interaction apart: those that are the
// call with the customer, and those in which one of the own people conversations to somebody
// beside it (RFC 8068 §3.3, §3.5; RFC 6341 use case 9). It knows only what documents
// said, in their order, but for told: the consults that the rules were told of.
//
// The main call is the communication session with which it began. It goes where a
// known outsider of it goes, so that a customer takes it along when a transfer makes
// another communication session; one that nobody of the call is in is a leg of it. A
// second one is a consult when one of the own people of the call, or while nobody is
// known to be one somebody of unknown role, is in it with somebody who is not on the
// call. It stays one to its end, whoever leaves it, unless the customer enters it.
type bridges struct {
	main   []metadata.ID
	legs   []metadata.ID // others that belong to the main call
	aside  []metadata.ID
	met    []rules.PartyID // who was ever in the main call
	inMain []rules.PartyID // who was in it after the last document
	last   map[rules.PartyID][]metadata.ID
	voiced []metadata.ID // on a stream of which the one who consults has sent
	told   []consult
	other  map[rules.PartyID]rules.PartyID // of who consults, whom the rules know as the other
}

// seat takes what is true after a document. Apart says whether a second communication
// session can be a consult.
func (b *bridges) seat(conversations []conversation, none []rules.PartyID, who map[rules.PartyID]rules.Identity, apart bool) seating {
	goesOn := func(id metadata.ID) bool {
		return slices.ContainsFunc(conversations, func(t conversation) bool { return t.id == id })
	}
	before := b.main
	b.main, b.legs, b.aside = those(b.main, goesOn), those(b.legs, goesOn), those(b.aside, goesOn)
	if apart {
		b.main = b.choose(conversations, before, who)
	} else {
		b.main, b.aside = idsOf(conversations), nil
	}
	b.aside = those(b.aside, func(id metadata.ID) bool { return !slices.Contains(b.main, id) })
	s := seating{main: slices.Clone(none)}
	var rest []conversation
	for _, t := range conversations {
		if slices.Contains(b.main, t.id) {
			s.main = union(s.main, t.in)
		} else {
			rest = append(rest, t)
		}
	}
	strict := slices.Clone(s.main)
	b.legs = those(b.legs, func(id metadata.ID) bool { return !slices.Contains(b.main, id) })
	for _, t := range rest {
		switch {
		case slices.Contains(b.aside, t.id):
		case b.beside(t, rest, strict, who):
			b.aside, b.legs = append(b.aside, t.id), those(b.legs, func(id metadata.ID) bool { return id != t.id })
		default:
			b.legs = union(b.legs, []metadata.ID{t.id})
			s.main = union(s.main, t.in)
		}
	}
	for _, t := range rest {
		if slices.Contains(b.aside, t.id) {
			b.pair(t, &s, who)
		}
	}
	b.remember(conversations, s)
	return s
}

// choose finds the communication sessions that are the main call, by those that were.
func (b *bridges) choose(conversations []conversation, before []metadata.ID, who map[rules.PartyID]rules.Identity) []metadata.ID {
	var main []metadata.ID
	caller := func(p rules.PartyID) bool { return isCaller(who[p]) }
	was := func(p rules.PartyID) bool {
		return slices.Contains(b.inMain, p) && (len(b.last[p]) == 0 || slices.ContainsFunc(b.last[p], func(id metadata.ID) bool { return slices.Contains(before, id) }))
	}
	for _, t := range conversations {
		if slices.Contains(b.main, t.id) || slices.ContainsFunc(t.in, func(p rules.PartyID) bool { return caller(p) && was(p) }) {
			main = append(main, t.id)
		}
	}
	met := func(p rules.PartyID) bool { return slices.Contains(b.met, p) }
	if main != nil && !slices.ContainsFunc(conversations, func(t conversation) bool { return slices.Contains(main, t.id) && slices.ContainsFunc(t.in, caller) }) {
		// The customer is back, wherever that is.
		for _, t := range conversations {
			if slices.ContainsFunc(t.in, func(p rules.PartyID) bool { return caller(p) && met(p) }) {
				main = union(main, []metadata.ID{t.id})
			}
		}
	}
	if main != nil {
		return main
	}
	free := func(t conversation) bool { return !slices.Contains(b.aside, t.id) }
	for _, fits := range []func(conversation) bool{
		func(t conversation) bool {
			return slices.ContainsFunc(t.in, func(p rules.PartyID) bool { return caller(p) && met(p) })
		},
		func(t conversation) bool { return free(t) && slices.ContainsFunc(t.in, met) },
		func(t conversation) bool { return free(t) && slices.ContainsFunc(t.in, caller) },
		free,
		func(t conversation) bool {
			return slices.ContainsFunc(t.in, func(p rules.PartyID) bool { return met(p) && !b.consulting(p) })
		},
	} {
		if i := slices.IndexFunc(conversations, fits); i >= 0 {
			return []metadata.ID{conversations[i].id}
		}
	}
	return nil
}

// isCaller reports whether somebody is known to be an outsider, whom the main call is
// with; of one of unknown role that is not known.
func isCaller(id rules.Identity) bool {
	return id.Role == rules.RoleCustomer || id.Role == rules.RoleExternal
}

// consulting reports whether a party consults or is consulted.
func (b *bridges) consulting(p rules.PartyID) bool {
	return slices.ContainsFunc(b.told, func(c consult) bool { return c.by == p || c.other == p })
}

// consulted reports whether somebody consults a party.
func (b *bridges) consulted(p rules.PartyID) bool {
	return b.toldOf(p) >= 0
}

// toldOf is the place of the consult by which somebody is on the call; -1 for none.
func (b *bridges) toldOf(other rules.PartyID) int {
	return slices.IndexFunc(b.told, func(c consult) bool { return c.other == other })
}

// mayConsult reports whether a party can be one of the own people.
func mayConsult(p rules.PartyID, who map[rules.PartyID]rules.Identity) bool {
	if id := who[p]; id.Internal() || id.Role != rules.RoleUnknown {
		return id.Internal()
	}
	for _, id := range who {
		if id.Internal() {
			return false
		}
	}
	return true
}

// beside reports whether a communication session that is not the main call is a
// consult, and not a leg of the call.
func (b *bridges) beside(t conversation, rest []conversation, strict []rules.PartyID, who map[rules.PartyID]rules.Identity) bool {
	onCall := func(p rules.PartyID) bool {
		other := func(id metadata.ID) bool { return id != t.id && !slices.Contains(b.aside, id) }
		return slices.Contains(strict, p) || slices.ContainsFunc(b.last[p], other) ||
			slices.ContainsFunc(rest, func(r conversation) bool { return other(r.id) && slices.Contains(r.in, p) })
	}
	if !slices.Contains(b.legs, t.id) && slices.ContainsFunc(t.in, func(p rules.PartyID) bool { return b.consulting(p) && !slices.Contains(strict, p) }) {
		return true // whom one consults consults somebody
	}
	by := b.consulter(t, func(p rules.PartyID) bool { return mayConsult(p, who) && onCall(p) }, who)
	return by != "" && slices.ContainsFunc(t.in, func(p rules.PartyID) bool { return p != by && !onCall(p) })
}

// consulter is who of a communication session beside the call consults: who is known to
// do so, who is on the call, or who once was.
func (b *bridges) consulter(t conversation, onCall func(rules.PartyID) bool, who map[rules.PartyID]rules.Identity) rules.PartyID {
	for _, fits := range []func(rules.PartyID) bool{
		func(p rules.PartyID) bool {
			return slices.ContainsFunc(b.told, func(c consult) bool { return c.by == p && slices.Contains(t.in, c.other) })
		},
		onCall,
		func(p rules.PartyID) bool { return mayConsult(p, who) && slices.Contains(b.met, p) && !b.consulted(p) },
	} {
		if i := slices.IndexFunc(t.in, fits); i >= 0 {
			return t.in[i]
		}
	}
	return ""
}

// pair adds the consults of a communication session beside the call. Whom somebody
// consulted who is gone is consulted still; whom one consulted who is back is let go.
func (b *bridges) pair(t conversation, s *seating, who map[rules.PartyID]rules.Identity) {
	by := b.consulter(t, func(p rules.PartyID) bool { return mayConsult(p, who) && slices.Contains(s.main, p) }, who)
	for _, p := range t.in {
		if p == by || slices.Contains(s.main, p) || slices.ContainsFunc(s.beside, func(c consult) bool { return c.by == p || c.other == p }) {
			continue
		}
		i := b.toldOf(p)
		switch {
		case by != "":
			s.beside = append(s.beside, consult{by: by, other: p, talk: t.id})
		case i >= 0 && !slices.Contains(s.main, b.told[i].by):
			s.beside = append(s.beside, consult{by: b.told[i].by, other: p, talk: t.id})
		}
	}
}

// remember keeps what the next document is compared with.
func (b *bridges) remember(conversations []conversation, s seating) {
	b.inMain, b.met = s.main, union(b.met, s.main)
	b.last = make(map[rules.PartyID][]metadata.ID)
	for _, t := range conversations {
		for _, p := range t.in {
			b.last[p] = append(b.last[p], t.id)
		}
	}
}

// conversationsOf are the communication sessions of a view that anybody is in, and who is in none.
func conversationsOf(view metadata.View, p told) (conversations []conversation, none []rules.PartyID) {
	at := make(map[metadata.ID]int)
	open := func(id metadata.ID) int {
		if _, known := at[id]; !known {
			at[id] = len(conversations)
			conversations = append(conversations, conversation{id: id})
		}
		return at[id]
	}
	for _, cs := range view.CommunicationSessions {
		open(cs.ID)
	}
	for _, presence := range view.Participants {
		key := rules.PartyID(p.person(presence.ID))
		if len(presence.In) == 0 {
			none = union(none, []rules.PartyID{key})
		}
		for _, id := range presence.In {
			t := &conversations[open(id)]
			t.in = union(t.in, []rules.PartyID{key})
		}
	}
	return slices.DeleteFunc(conversations, func(t conversation) bool { return len(t.in) == 0 }), none
}

func idsOf(conversations []conversation) (ids []metadata.ID) {
	for _, t := range conversations {
		ids = append(ids, t.id)
	}
	return ids
}

// union is what is in either list, in order, each once.
func union[T comparable](a, b []T) []T {
	for _, x := range b {
		if !slices.Contains(a, x) {
			a = append(a[:len(a):len(a)], x)
		}
	}
	return a
}

// those is what of a list fits.
func those[T any](list []T, fits func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(list), func(x T) bool { return !fits(x) })
}
