package recorder

import (
	"slices"
	"strings"
	"time"

	"github.com/siprecd/siprecd/metadata"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
)

// An interpreter says what metadata and header fields mean for the rules: who is
// on the call, who sends on which stream, from where the call came and who is
// held. It is owned by the loop of the recording session.
//
// An SRC need not say who sends. While nobody at all is known, each stream that
// is there stands for a party of unknown role, as whoever is not known to be one
// of the own people is an outsider.
type interpreter struct {
	roster    *rules.Roster
	numbering rules.Numbering
	headers   []metadata.Fact // of all messages

	present   []rules.PartyID // on the call, in the order in which they came
	identity  map[rules.PartyID]rules.Identity
	spoke     map[rules.PartyID]bool
	senders   map[rules.StreamID][]rules.PartyID
	numbers   []numberOf
	direction rules.Direction
	evidence  string        // for the direction
	holder    rules.PartyID // who holds the others; empty for nobody
}

// told is what metadata says of an interaction, of all of its recording sessions.
type told interface {
	current() metadata.View // whom several of them know is in it once
	facts() []metadata.Fact
	person(id metadata.ID) string // key of whom an id means
	attribution(s *stream, at time.Time) []metadata.Span
}

func newInterpreter(p pinned) *interpreter {
	return &interpreter{
		roster: rules.NewRoster(p.book, p.profile), numbering: p.numbering,
		identity: make(map[rules.PartyID]rules.Identity), spoke: make(map[rules.PartyID]bool),
		senders: make(map[rules.StreamID][]rules.PartyID),
	}
}

// news returns what an event of the recording session tells beside its m-lines.
func (i *interpreter) news(ev *siprec.Event, p told, streams []*stream) []rules.Event {
	view := i.hear(ev, p)
	var out []rules.Event
	say := func(e rules.Event) {
		e.At = ev.At
		out = append(out, e)
	}
	i.attend(view, p, streams, say)
	i.places(say)
	i.outside(view, p, say)
	i.speakers(p, streams, ev.At, say)
	i.holds(view, p, say)
	return out
}

// hear has the roster rule who everybody is by what is known after an event.
func (i *interpreter) hear(ev *siprec.Event, p told) metadata.View {
	for _, f := range metadata.HeaderFacts(headerFields(ev.Headers)) {
		if !slices.Contains(i.headers, f) {
			i.headers = append(i.headers, f)
		}
	}
	view := p.current()
	i.roster.Update(ev.At, view, slices.Concat(p.facts(), i.headers))
	return view
}

// attend tells who came, who is somebody else than was thought, and who went.
func (i *interpreter) attend(view metadata.View, p told, streams []*stream, say func(rules.Event)) {
	var now []rules.PartyID
	for _, presence := range view.Participants {
		id := rules.PartyID(p.person(presence.ID))
		if slices.Contains(now, id) {
			continue
		}
		now = append(now, id)
		ruling, _ := i.roster.Ruling(presence.ID)
		i.comes(id, ruling.Identity, say)
	}
	for n, s := range streams {
		if len(view.Participants) == 0 && s.live && s.track != nil {
			id := nobody(s)
			now = append(now, id)
			i.comes(id, rules.Identity{FirstPair: n < 2, Evidence: "nothing says who sends"}, say)
		}
	}
	for _, id := range i.present {
		if !slices.Contains(now, id) {
			say(rules.Event{Kind: rules.PartyLeft, Party: id})
		}
	}
	i.present = now
}

func (i *interpreter) comes(id rules.PartyID, who rules.Identity, say func(rules.Event)) {
	before, known := i.identity[id]
	i.identity[id] = who
	if known && before != who {
		say(rules.Event{Kind: rules.PartyIdentified, Party: id, Identity: who})
	}
	if !slices.Contains(i.present, id) {
		say(rules.Event{Kind: rules.PartyJoined, Party: id, Identity: who})
	}
}

// nobody is the party that stands for a stream of which nothing is known.
func nobody(s *stream) rules.PartyID { return rules.PartyID("stream " + string(s.id)) }

// places tells the direction of the call once it is known.
func (i *interpreter) places(say func(rules.Event)) {
	if b := i.roster.Direction(); i.direction == rules.DirectionUnknown && b.Direction != i.direction {
		i.direction = b.Direction
		i.evidence = b.Evidence
		say(rules.Event{Kind: rules.DirectionTold, Direction: b.Direction, Evidence: b.Evidence})
	}
}

// outside tells the numbers of the outside party, of both of the first pair while
// nobody can be placed, and of outsiders who come later as theirs. Each is told in
// the form in which it was sent too.
func (i *interpreter) outside(view metadata.View, p told, say func(rules.Event)) {
	for _, presence := range view.Participants {
		id := rules.PartyID(p.person(presence.ID))
		who := i.identity[id]
		if who.Internal() {
			continue
		}
		if who.FirstPair || who.Role == rules.RoleCustomer {
			id = ""
		}
		for _, aor := range presence.AORs() {
			a := i.numbering.Address(aor)
			for _, n := range []string{a.Number, a.User} {
				told := numberOf{id, n}
				if strings.ContainsAny(n, "0123456789") && !slices.Contains(i.numbers, told) {
					i.numbers = append(i.numbers, told)
					say(rules.Event{Kind: rules.NumberTold, Party: id, Number: n})
				}
			}
		}
	}
}

// numberOf is a number that was told of a party, or of the outside party.
type numberOf struct {
	party  rules.PartyID
	number string
}

// speakers tells who begins to send on a stream, and who ends.
func (i *interpreter) speakers(p told, streams []*stream, at time.Time, say func(rules.Event)) {
	for _, s := range streams {
		if s.track == nil {
			continue
		}
		var now []rules.PartyID
		for _, span := range p.attribution(s, at) {
			id := rules.PartyID(p.person(span.Participant))
			if s.live && slices.Contains(i.present, id) && !slices.Contains(now, id) {
				now = append(now, id)
			}
		}
		if id := nobody(s); s.live && slices.Contains(i.present, id) {
			now = append(now, id)
		}
		for _, id := range now {
			i.spoke[id] = true
			if !slices.Contains(i.senders[s.id], id) {
				say(rules.Event{Kind: rules.StreamSends, Stream: s.id, Party: id})
			}
		}
		for _, id := range i.senders[s.id] {
			if !slices.Contains(now, id) {
				say(rules.Event{Kind: rules.StreamSendsNot, Stream: s.id, Party: id})
			}
		}
		i.senders[s.id] = now
	}
}

// holds tells of a hold that only the metadata shows (RFC 8068 §3.2.2): somebody
// from outside stays on the call and sends nothing any more. Metadata does not say
// who holds; it is taken to be one of the own people, or else whoever is there.
func (i *interpreter) holds(view metadata.View, p told, say func(rules.Event)) {
	held := false
	var own, other rules.PartyID
	for _, presence := range view.Participants {
		id := rules.PartyID(p.person(presence.ID))
		who := i.identity[id]
		switch {
		case who.Internal():
			own = first(own, id)
		case who.Role == rules.RoleQueue || who.Role == rules.RoleIVR:
		case i.spoke[id] && len(presence.Sends) == 0 && len(presence.In) > 0:
			held = true
		default:
			other = first(other, id)
		}
	}
	holder := first(own, other)
	if own != "" && slices.Contains(i.present, i.holder) && i.identity[i.holder].Internal() {
		holder = i.holder
	}
	if !held {
		holder = ""
	}
	if holder == i.holder {
		return
	}
	if holder != "" {
		say(rules.Event{Kind: rules.Held, Party: holder})
	}
	if i.holder != "" {
		say(rules.Event{Kind: rules.Retrieved, Party: i.holder})
	}
	i.holder = holder
}

func first(a, b rules.PartyID) rules.PartyID {
	if a != "" {
		return a
	}
	return b
}

func headerFields(hs []siprec.Header) []metadata.HeaderField {
	var out []metadata.HeaderField
	for _, h := range hs {
		out = append(out, metadata.HeaderField{Name: h.Name, Value: h.Value})
	}
	return out
}
