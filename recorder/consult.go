package recorder

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/siprecd/siprecd/metadata"
	"github.com/siprecd/siprecd/rules"
)

// seats says who is where by what is known after an event. Who stands for a stream of
// which nothing is known is on the call; once anybody was described, who is not is not there,
// also when all have left and streams go on.
func (i *interpreter) seats(view metadata.View, p told, streams []*stream) seating {
	conversations, none := conversationsOf(view, p)
	s := i.bridges.seat(conversations, none, i.ruled, !i.from.signals.NoConsult)
	i.described = i.described || len(view.Participants) > 0
	for n, st := range streams {
		if !i.described && st.live && st.track != nil {
			id := nobody(st)
			s.main = append(s.main, id)
			i.ruled[id] = rules.Identity{FirstPair: n < 2, Evidence: "nothing says who sends"}
		}
	}
	i.bridges.hear(&s, view, p)
	return s
}

// hear finds who of a consult is dialled, and who talks to the main call meanwhile. A
// consult has streams of its own, or its streams tell nothing.
func (b *bridges) hear(s *seating, view metadata.View, p told) {
	sends, streams := make(map[rules.PartyID][]metadata.ID), make(map[rules.PartyID]bool)
	for _, presence := range view.Participants {
		key := rules.PartyID(p.person(presence.ID))
		streams[key] = streams[key] || len(presence.Sends)+len(presence.Receives) > 0
		for _, id := range presence.Sends {
			if st, known := view.Stream(id); known {
				sends[key] = append(sends[key], st.CommunicationSession)
			}
		}
	}
	inMain := func(id metadata.ID) bool { return slices.Contains(b.main, id) || slices.Contains(b.legs, id) }
	// talks are the communication sessions in which somebody consults.
	talks := make(map[rules.PartyID][]metadata.ID)
	for _, c := range s.beside {
		talks[c.by] = append(talks[c.by], c.talk)
		if slices.Contains(sends[c.by], c.talk) {
			b.voiced = union(b.voiced, []metadata.ID{c.talk})
		}
	}
	voiced := func(id metadata.ID) bool { return slices.Contains(b.voiced, id) }
	for i := range s.beside {
		c := &s.beside[i]
		aside := func(id metadata.ID) bool { return slices.Contains(talks[c.by], id) }
		c.dialled = !streams[c.other] && len(sends) > 0
		c.back = slices.ContainsFunc(talks[c.by], voiced) && !slices.ContainsFunc(sends[c.by], aside) && slices.ContainsFunc(sends[c.by], inMain)
	}
}

// fresh are the consults of which the rules do not know.
func (b *bridges) fresh(s seating) []consult {
	return those(s.beside, func(c consult) bool {
		return !slices.ContainsFunc(b.told, func(t consult) bool { return t.other == c.other })
	})
}

// consults tells of consults that end, begin, are answered or are alternated with. Why
// is what a hold has to do with one that begins.
func (i *interpreter) consults(s seating, why string, say func(rules.Event)) {
	b := &i.bridges
	fresh := b.fresh(s)
	// As the rules order what happens at one instant: the last one is whom they know as
	// the other.
	slices.SortFunc(fresh, func(x, y consult) int {
		if x.dialled != y.dialled {
			return map[bool]int{true: 1, false: -1}[x.dialled]
		}
		return cmp.Compare(x.other, y.other)
	})
	var on, over, joined, stay []consult
	for _, c := range b.told {
		n := slices.IndexFunc(s.beside, func(x consult) bool { return x.other == c.other })
		switch {
		case slices.Contains(s.main, c.other):
			joined, stay = append(joined, c), append(stay, c)
		case n < 0:
			over = append(over, c)
		default:
			c = i.goOn(c, s.beside[n], say)
			on, stay = append(on, c), append(stay, c)
		}
	}
	if len(on) > 0 {
		// The rules know a conference of all only: whom another still consults would be
		// let in with it.
		on, joined = stay, nil
	}
	b.told = on
	b.alternate(s, say)
	i.join(joined, s, say)
	for _, c := range over {
		i.letGo(c, on, say)
	}
	for _, c := range fresh {
		i.begin(c, why, say)
	}
}

// goOn tells that who was dialled has answered.
func (i *interpreter) goOn(c, now consult, say func(rules.Event)) consult {
	c.talk = now.talk
	if c.dialled && !now.dialled {
		say(rules.Event{Kind: rules.PartyAnswered, Party: c.other})
		c.dialled = false
	}
	return c
}

// alternate tells of who turns from a consult to the main call, or to the consult again.
func (b *bridges) alternate(s seating, say func(rules.Event)) {
	for _, now := range s.beside {
		i := slices.IndexFunc(b.told, func(c consult) bool { return c.other == now.other && c.by == now.by })
		if i < 0 || b.told[i].back == now.back {
			continue
		}
		kind := rules.AlternatedAway
		if now.back {
			kind = rules.AlternatedBack
		}
		say(rules.Event{Kind: kind, Party: now.by})
		for n := range b.told {
			if b.told[n].by == now.by {
				b.told[n].back = now.back
			}
		}
	}
}

// begin tells of a consult. Whom it is with may have been on the call before.
func (i *interpreter) begin(c consult, why string, say func(rules.Event)) {
	who := i.ruled[c.other]
	if n := i.bridges.toldOf(c.by); n >= 0 && i.bridges.told[n].dialled {
		// Who is dialled and consults is there.
		say(rules.Event{Kind: rules.PartyJoined, Party: c.by, Identity: i.identity[c.by]})
		i.bridges.told[n].dialled = false
	}
	if slices.Contains(i.present, c.other) {
		say(rules.Event{Kind: rules.PartyLeft, Party: c.other})
		i.goes(c.other)
	}
	kind := rules.Consulted
	if c.dialled {
		kind = rules.ConsultDialled
	}
	say(rules.Event{Kind: kind, Party: c.by, Other: c.other, Identity: who, Evidence: "in a second communication session" + why})
	i.consulted(rules.Event{Kind: kind, Party: c.by, Other: c.other, Identity: who}, c.talk)
}

// consulted notes that the rules were told of a consult.
func (i *interpreter) consulted(e rules.Event, in metadata.ID) {
	b := &i.bridges
	for n := range b.told {
		b.told[n].back = b.told[n].back && b.told[n].by != e.Party
	}
	b.told = append(b.told, consult{by: e.Party, other: e.Other, talk: in, dialled: e.Kind == rules.ConsultDialled})
	if b.other == nil {
		b.other = make(map[rules.PartyID]rules.PartyID)
	}
	b.other[e.Party] = e.Other
	i.present = union(i.present, []rules.PartyID{e.Other})
	i.identity[e.Other] = e.Identity
}

// join tells that who was consulted is in the main call: in a conference, or who
// consulted has transferred it.
func (i *interpreter) join(joined []consult, s seating, say func(rules.Event)) {
	for _, c := range joined {
		if c.dialled {
			say(rules.Event{Kind: rules.PartyAnswered, Party: c.other})
		}
	}
	if len(joined) == 0 {
		return
	}
	c := joined[0]
	stays := slices.Contains(s.main, c.by) || slices.ContainsFunc(s.beside, func(x consult) bool { return x.by == c.by || x.other == c.by })
	if len(joined) == 1 && !stays && slices.Contains(i.present, c.by) && i.bridges.other[c.by] == c.other {
		say(rules.Event{Kind: rules.Transferred, Party: c.by, Other: c.other})
		i.goes(c.by)
		return
	}
	say(rules.Event{Kind: rules.Conferenced, Party: c.by, Other: c.other})
	i.bridges.other = nil
}

// letGo tells that a consult is over, and who consulted back in the main call unless he
// consults somebody else too.
func (i *interpreter) letGo(c consult, on []consult, say func(rules.Event)) {
	i.goes(c.other)
	switch {
	case slices.ContainsFunc(on, func(x consult) bool { return x.by == c.by }):
		say(rules.Event{Kind: rules.PartyLeft, Party: c.other})
	case i.bridges.other[c.by] == c.other:
		say(rules.Event{Kind: rules.ConsultEnded, Party: c.by, Other: c.other})
		delete(i.bridges.other, c.by)
	default:
		say(rules.Event{Kind: rules.PartyLeft, Party: c.other})
		say(rules.Event{Kind: rules.AlternatedBack, Party: c.by})
	}
}

// goes notes that the rules were told that somebody is not on the call any more; they
// forget whom he consulted.
func (i *interpreter) goes(id rules.PartyID) {
	i.present = without(i.present, id)
	delete(i.bridges.other, id)
}

// consulting reports whether somebody is away in a consult, as the rules know it.
func (i *interpreter) consulting() bool {
	return slices.ContainsFunc(i.bridges.told, func(c consult) bool { return !c.back })
}

// An ownHold tells a hold from one that belongs to a consult: whoever consults lets the
// customer wait, which is no hold that somebody pressed. It counts as that of a consult
// when it came with it, or at most the window before, and for as long as somebody is
// away in one. Until the consult comes it counts as pressed, and so it does when it
// lasts longer than the consult: what is not known yet withholds.
type ownHold struct {
	since time.Time // zero while nothing is held
	owned bool
}

// update takes whether something is held at an instant, and whether a consult began
// then. It returns why it is the consult's own, if that is new.
func (h *ownHold) update(held, began bool, at time.Time, window time.Duration) (why string) {
	if !held {
		*h = ownHold{}
		return ""
	}
	if h.since.IsZero() {
		h.since = at
	}
	before := at.Sub(h.since)
	if !began || before > max(window, 0) || h.owned {
		return ""
	}
	h.owned = true
	if before == 0 {
		return "; the hold that came with it is its own"
	}
	return fmt.Sprintf("; the hold %v before it is its own (consult-window %v)", before.Round(time.Millisecond), window)
}

// pressed reports whether the hold is one that somebody pressed.
func (h *ownHold) pressed(consulting bool) bool {
	h.owned = h.owned && consulting
	return !h.since.IsZero() && !h.owned
}
