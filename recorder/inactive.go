package recorder

import (
	"slices"
	"time"

	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
)

// A silence is what an inactive stream means, and who says so.
type silence struct {
	means rules.InactiveMeans
	owner string
}

// inactive is what the inactive streams of an interaction mean beside that they are
// withheld, which they always are (RFC 7866 §7.1.1.1 leaves the rest to the SRC).
//
// A stream that becomes inactive says it, and one that is inactive from the beginning
// when every other one is, too: else it waits for somebody. What was said is in force
// until an offer has none of those streams inactive any more; the end of a recording
// session is no such offer, nor is that of another stream.
type inactive struct {
	receiving map[rules.StreamID]bool
	turned    map[rules.StreamID]silence
	hold      ownHold

	heldBy, pausedBy []string // owners, as the rules were told
}

// ownerStreams begins the name of the owner of what the streams of an SRC say.
const ownerStreams = "sdp of "

// silence is what an inactive stream of the SRC means whose event is heard.
func (i *interpreter) silence() silence {
	means := i.means
	if m := i.from.signals.InactiveMeans; m != nil {
		means = *m
	}
	return silence{means, ownerStreams + i.from.name}
}

// look takes the streams after an event. It returns why a hold is the consult's own, if
// that is new.
func (n *inactive) look(ev *siprec.Event, streams []*stream, now silence, began bool, window time.Duration) (why string) {
	if ev.HasOffer || ev.Kind == siprec.Offered || ev.Kind == siprec.Resumed {
		n.offered(streams, now)
	}
	return n.hold.update(len(n.owners(rules.InactiveHold)) > 0, began, ev.At, window)
}

func (n *inactive) offered(streams []*stream, now silence) {
	if n.receiving == nil {
		n.receiving, n.turned = make(map[rules.StreamID]bool), make(map[rules.StreamID]silence)
	}
	live := those(streams, func(s *stream) bool { return s.live && s.track != nil })
	all := !slices.ContainsFunc(live, func(s *stream) bool { return s.info.Receiving })
	for _, s := range live {
		_, known := n.turned[s.id]
		switch {
		case s.info.Receiving:
			n.receiving[s.id] = true
			delete(n.turned, s.id)
		case !known && (all || n.receiving[s.id]):
			n.turned[s.id] = now
		}
	}
	if len(live) == 0 {
		return
	}
	for id := range n.turned {
		if !slices.ContainsFunc(live, func(s *stream) bool { return s.id == id }) {
			delete(n.turned, id)
		}
	}
}

// owners are those who say by an inactive stream what is asked for, in order.
func (n *inactive) owners(means rules.InactiveMeans) (owners []string) {
	for _, s := range n.turned {
		if s.means == means {
			owners = union(owners, []string{s.owner})
		}
	}
	slices.Sort(owners)
	return owners
}

// silences tells of holds and pauses by inactive streams.
func (i *interpreter) silences(holder rules.PartyID, say func(rules.Event)) {
	n := &i.inactive
	var held []string
	if n.hold.pressed(i.consulting()) {
		held = n.owners(rules.InactiveHold)
	}
	n.heldBy = owned(n.heldBy, held, rules.Event{Kind: rules.Held, Party: holder}, rules.Retrieved, say)
	n.pausedBy = owned(n.pausedBy, n.owners(rules.InactiveManual), rules.Event{Kind: rules.PausePressed}, rules.ResumePressed, say)
}

// owned tells which owners begin something and which end it, and returns those of now.
func owned(was, now []string, begin rules.Event, end rules.Kind, say func(rules.Event)) []string {
	for _, owner := range was {
		if !slices.Contains(now, owner) {
			say(rules.Event{Kind: end, Owner: owner, Evidence: "active streams"})
		}
	}
	for _, owner := range now {
		if !slices.Contains(was, owner) {
			begin.Owner, begin.Evidence = owner, "inactive streams"
			say(begin)
		}
	}
	return now
}
