package recorder

import (
	"slices"
	"strings"

	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
)

// recall brings the interpreter to where it was after an event. What documents and SDP
// say is read again; what the rules were told then is what it told them, whatever the
// directory and the file of SRCs say now.
func (i *interpreter) recall(ev *siprec.Event, p told, streams []*stream, facts []rules.Event) {
	if slices.ContainsFunc(facts, func(f rules.Event) bool { return f.Kind == rules.InteractionEnded }) {
		return
	}
	view := i.hear(ev, p)
	began := false
	for _, f := range facts {
		switch f.Kind {
		case rules.PartyJoined, rules.PartyIdentified:
			i.identity[f.Party] = f.Identity
		case rules.Consulted, rules.ConsultDialled:
			i.identity[f.Other] = f.Identity
			began = true
		}
	}
	for id := range i.ruled {
		if who, known := i.identity[id]; known {
			i.ruled[id] = who
		}
	}
	seats := i.seats(view, p, streams)
	held, _ := i.isHeld(view, p, seats)
	i.held.update(held, began, ev.At, i.from.signals.window())
	i.inactive.look(ev, streams, i.silence(), began, i.from.signals.window())
	for _, f := range facts {
		i.wasTold(f, seats)
	}
	for n := range i.bridges.told {
		if k := slices.IndexFunc(seats.beside, func(c consult) bool { return c.other == i.bridges.told[n].other }); k >= 0 {
			i.bridges.told[n].talk = seats.beside[k].talk
		}
	}
	bySDP := func(f rules.Event) bool { return strings.HasPrefix(f.Owner, ownerStreams) }
	i.held.again(i.consulting(), i.holder != "", facts, func(f rules.Event) bool { return f.Owner == "" })
	i.inactive.hold.again(i.consulting(), len(i.inactive.heldBy) > 0, facts, bySDP)
	i.signals(ev, view, p, func(rules.Event) {})
	// A queue that nothing says any more, as the file of SRCs is another, ends by a
	// signal only.
	derived := i.waitsNow(view, p, seats)
	i.signs.queues = append(i.signs.queues, those(i.waits.queues, func(n string) bool { return !slices.Contains(derived.queues, n) })...)
	i.signs.flows = append(i.signs.flows, those(i.waits.flows, func(n string) bool { return !slices.Contains(derived.flows, n) })...)
}

// again is whether a hold was that of a consult by what the rules were told: one that
// they know of was not, and one that they were told to be over while it lasts is.
func (h *ownHold) again(consulting, told bool, facts []rules.Event, ours func(rules.Event) bool) {
	retrieved := slices.ContainsFunc(facts, func(f rules.Event) bool { return f.Kind == rules.Retrieved && ours(f) })
	h.owned = !h.since.IsZero() && consulting && !told && (h.owned || retrieved)
}

// wasTold notes an event that the rules were told.
func (i *interpreter) wasTold(f rules.Event, s seating) {
	switch f.Kind {
	case rules.PartyJoined:
		i.present = union(i.present, []rules.PartyID{f.Party})
		if n := i.bridges.toldOf(f.Party); n >= 0 {
			i.bridges.told[n].dialled = false
		}
	case rules.PartyLeft, rules.TransferredBlind:
		i.goes(f.Party)
		i.forgetConsult(f.Party)
	case rules.TransferredToQueue:
		i.goes(f.Party)
		i.waits.queues = union(i.waits.queues, []string{f.Name})
	case rules.StreamSends:
		i.spoke[f.Party] = true
		i.senders[f.Stream] = append(i.senders[f.Stream], f.Party)
	case rules.StreamSendsNot:
		i.senders[f.Stream] = without(i.senders[f.Stream], f.Party)
	case rules.NumberTold:
		i.numbers = append(i.numbers, numberOf{f.Party, f.Number})
	case rules.DirectionTold:
		i.direction, i.evidence = f.Direction, f.Evidence
	case rules.Held, rules.Retrieved, rules.PausePressed, rules.ResumePressed:
		i.wasPressed(f)
	case rules.QueueEntered:
		i.waits.queues = union(i.waits.queues, []string{f.Name})
	case rules.QueueLeft:
		i.waits.queues = takenOff(i.waits.queues, f.Name)
	case rules.FlowEntered:
		i.waits.flows = union(i.waits.flows, []string{f.Name})
	case rules.FlowLeft:
		i.waits.flows = takenOff(i.waits.flows, f.Name)
	default:
		i.wasConsulted(f, s)
	}
}

// wasPressed notes a hold or pause that the rules were told.
func (i *interpreter) wasPressed(f rules.Event) {
	n := &i.inactive
	bySDP := strings.HasPrefix(f.Owner, ownerStreams)
	switch {
	case f.Kind == rules.Held && f.Owner == "":
		i.holder = f.Party
	case f.Kind == rules.Retrieved && f.Owner == "" && i.holder == f.Party:
		i.holder = ""
	case f.Kind == rules.Held && bySDP:
		n.heldBy = union(n.heldBy, []string{f.Owner})
	case f.Kind == rules.Retrieved && bySDP:
		n.heldBy = takenOff(n.heldBy, f.Owner)
	case f.Kind == rules.PausePressed && bySDP:
		n.pausedBy = union(n.pausedBy, []string{f.Owner})
	case f.Kind == rules.ResumePressed && bySDP:
		n.pausedBy = takenOff(n.pausedBy, f.Owner)
	}
}

// wasConsulted notes what the rules were told of a consult.
func (i *interpreter) wasConsulted(f rules.Event, s seating) {
	b := &i.bridges
	switch f.Kind {
	case rules.Consulted, rules.ConsultDialled:
		if n := slices.IndexFunc(s.beside, func(c consult) bool { return c.other == f.Other }); n >= 0 {
			i.consulted(f, s.beside[n].talk)
		}
	case rules.PartyAnswered:
		for n := range b.told {
			b.told[n].dialled = b.told[n].dialled && b.told[n].other != f.Party
		}
	case rules.AlternatedBack, rules.AlternatedAway:
		for n := range b.told {
			if b.told[n].by == f.Party {
				b.told[n].back = f.Kind == rules.AlternatedBack
			}
		}
	case rules.ConsultEnded:
		i.goes(f.Other)
		delete(b.other, f.Party)
		i.forgetConsult(f.Other)
	case rules.Transferred:
		i.goes(f.Party)
		i.forgetConsult(f.Other)
	case rules.Conferenced:
		b.told, b.other = nil, nil
	}
}

func (i *interpreter) forgetConsult(other rules.PartyID) {
	b := &i.bridges
	b.told = those(b.told, func(c consult) bool { return c.other != other })
}
