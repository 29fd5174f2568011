package rules

import (
	"cmp"
	"slices"
)

// A turn is when an event is taken among those of its instant. What opens comes
// before what depends on it, what begins to withhold before what lets go, and the
// end of the interaction after everything:
//
//	turnBack    what its own owner takes back at the same instant
//	turnArrive  the call, its direction and plan, senders, who joins and who it is
//	turnBegin   pauses, holds, flows, queues, payments, consults, a no, an order not
//	            to record
//	turnTalk    answers, the ends of consults, conferences, transfers
//	turnHold    holds once more, so that no conference or transfer ends them; and
//	            numbers, once all are known whose they are
//	turnLeave   who leaves
//	turnEnd     retrieves, resumes, ends of flows, queues and payments, a yes,
//	            decisions to record, streams and user recordings that begin
//	turnOver    the end of the interaction
type turn int

const (
	turnBack turn = iota
	turnArrive
	turnBegin
	turnTalk
	turnHold
	turnLeave
	turnEnd
	turnOver
)

// turn is where the table puts a kind.
func (k Kind) turn() turn {
	switch k {
	case InteractionStarted, DirectionTold, StreamSends, StreamSendsNot, PartyJoined, PartyIdentified, PartyDialled, PlanNamed:
		return turnArrive
	case NumberTold:
		return turnHold
	case StreamInactive, StreamRemoved, Held, Consulted, ConsultDialled, AlternatedAway, FlowEntered, QueueEntered,
		ConsentAsked, ConsentRefused, ConsentUnanswered, ConsentWithdrawn, PausePressed, SecureStarted, UserRecordingStopped,
		DoNotRecordOrdered:
		return turnBegin
	case PartyAnswered, ConsultEnded, AlternatedBack, Conferenced, Transferred, TransferredBlind, TransferredToQueue:
		return turnTalk
	case PartyLeft:
		return turnLeave
	case InteractionEnded:
		return turnOver
	default:
		return turnEnd
	}
}

// opposes reports whether ev lets go of what begins with other.
func (ev *Event) opposes(other *Event) bool {
	switch ev.Kind {
	case StreamAdded:
		return other.Kind == StreamRemoved && other.Stream == ev.Stream
	case StreamActive:
		return other.Kind == StreamInactive && other.Stream == ev.Stream && other.Owner == ev.Owner
	case StreamSendsNot:
		return other.Kind == StreamSends && other.Stream == ev.Stream && other.Party == ev.Party
	case Retrieved:
		// Who retrieves to consult leaves the customer waiting all the same.
		return other.Kind == Held || other.Kind == Consulted || other.Kind == ConsultDialled
	case FlowLeft:
		return other.Kind == FlowEntered && other.Name == ev.Name
	case QueueLeft:
		return (other.Kind == QueueEntered || other.Kind == TransferredToQueue) && other.Name == ev.Name
	case SecureEnded:
		return other.Kind == SecureStarted && other.Owner == ev.Owner
	case ResumePressed:
		return other.Kind == PausePressed
	case UserRecordingStarted:
		return other.Kind == UserRecordingStopped && other.Party == ev.Party
	default:
		return ev.endsTalk(other)
	}
}

// endsTalk is the part of opposes that is about who talks to whom.
func (ev *Event) endsTalk(other *Event) bool {
	consults := other.Kind == Consulted || other.Kind == ConsultDialled
	switch ev.Kind {
	case PartyLeft:
		return other.Party == ev.Party && (other.Kind == PartyJoined || other.Kind == PartyDialled) ||
			other.Other == ev.Party && (consults || other.Kind == TransferredBlind)
	case ConsultEnded:
		return consults && other.Other == ev.Other
	case AlternatedBack:
		return other.Kind == AlternatedAway && other.Party == ev.Party
	case Conferenced:
		return consults || other.Kind == AlternatedAway
	case Transferred, TransferredBlind, TransferredToQueue:
		return other.Kind == PartyJoined && other.Party == ev.Party
	default:
		return false
	}
}

// shared reports whether a kind ends what belongs to the call and not to who
// began it: the manual pause and the hold of the customer's leg.
func (k Kind) shared() bool { return k == ResumePressed || k == Retrieved }

// takenBack reports whether the i-th event lets go of something that begins again
// at the same instant: said later by the same owner, whose last word counts, or
// at any place by another where the thing is shared.
func takenBack(events []Event, i int) bool {
	ev := &events[i]
	for j := range events {
		if ev.opposes(&events[j]) && (j > i || ev.Kind.shared() && ev.Party != events[j].Party) {
			return true
		}
	}
	return false
}

// place is where an event of one instant is taken.
type place struct {
	turn  turn
	event int // index
}

// arrange puts the events of one instant into the canonical order: by turn, kind
// and whom they are about; what is equal in all that stays as it arrived.
func (c *Case) arrange(events []Event) []place {
	c.places = c.places[:0]
	for i := range events {
		switch {
		case takenBack(events, i):
			c.places = append(c.places, place{turnBack, i})
		case events[i].Kind == Held:
			c.places = append(c.places, place{turnBegin, i}, place{turnHold, i})
		default:
			c.places = append(c.places, place{events[i].Kind.turn(), i})
		}
	}
	slices.SortStableFunc(c.places, func(a, b place) int {
		x, y := &events[a.event], &events[b.event]
		return cmp.Or(cmp.Compare(a.turn, b.turn), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Stream, y.Stream),
			cmp.Compare(x.Party, y.Party), cmp.Compare(x.Other, y.Other), cmp.Compare(x.Owner, y.Owner), cmp.Compare(x.Name, y.Name))
	})
	return c.places
}
