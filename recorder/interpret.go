package recorder

import (
	"slices"
	"strings"
	"time"

	"github.com/siprecd/siprecd/metadata"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
)

// An interpreter says what metadata, SDP, extension data and header fields mean for the
// rules: who is on the call and who talks beside it, who sends on which stream, from
// where the call came, who is held, where it waits, and what the SRC signals besides. It
// is owned by the loop of the recording session. It takes back only what it said itself.
//
// An SRC need not say who sends. While nobody at all was ever described, each stream
// that is there stands for a party of unknown role, as whoever is not known to be one
// of the own people is an outsider.
type interpreter struct {
	roster    *rules.Roster
	book      *rules.Book
	numbering rules.Numbering
	means     rules.InactiveMeans // by the profile of the directory
	headers   []metadata.Fact     // of all messages
	from      source              // of the event that is heard
	sources   map[string]source   // by the Call-ID
	ruled     map[rules.PartyID]rules.Identity

	described bool            // somebody was, ever
	present   []rules.PartyID // on the call, in the order in which they came
	identity  map[rules.PartyID]rules.Identity
	spoke     map[rules.PartyID]bool
	senders   map[rules.StreamID][]rules.PartyID
	numbers   []numberOf
	direction rules.Direction
	evidence  string        // for the direction
	holder    rules.PartyID // who holds the others; empty for nobody
	held      ownHold       // as metadata shows it

	bridges   bridges
	inactive  inactive
	waits     waits
	signs     signs
	redirects []metadata.Fact // what extension data ever said of transfers
	redirect  string          // where it says something new; empty when it does not
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
		roster: rules.NewRoster(p.book, p.profile), book: p.book, numbering: p.numbering, means: p.profile.InactiveMeans,
		identity: make(map[rules.PartyID]rules.Identity), spoke: make(map[rules.PartyID]bool),
		senders: make(map[rules.StreamID][]rules.PartyID),
	}
}

// hearing says from which recording session the next event comes. What its SRC means by
// its signals stays what it was when it was first heard.
func (i *interpreter) hearing(callID string, from func() source) {
	if _, known := i.sources[callID]; !known {
		if i.sources == nil {
			i.sources = make(map[string]source)
		}
		i.sources[callID] = from()
	}
	i.from = i.sources[callID]
}

// news returns what an event of the recording session tells beside its m-lines.
func (i *interpreter) news(ev *siprec.Event, p told, streams []*stream) []rules.Event {
	view := i.hear(ev, p)
	seats := i.seats(view, p, streams)
	var out, beside []rules.Event
	to := func(list *[]rules.Event) func(rules.Event) {
		return func(e rules.Event) {
			e.At = ev.At
			*list = append(*list, e)
		}
	}
	say := to(&out)
	i.arrive(seats, say)
	i.places(say)
	i.outside(view, p, say)
	began := len(i.bridges.fresh(seats)) > 0
	held, holder := i.isHeld(view, p, seats)
	why := i.held.update(held, began, ev.At, i.from.signals.window())
	why += i.inactive.look(ev, streams, i.silence(), began, i.from.signals.window())
	i.consults(seats, why, to(&beside))
	// Who retrieves to consult has not retrieved: the consult comes behind it.
	i.holds(holder, seats, say)
	i.silences(holder, say)
	out = append(out, beside...)
	i.signals(ev, view, p, say)
	now := i.waitsNow(view, p, seats)
	i.transfers(now, seats, out, say)
	i.leave(seats, say)
	i.speakers(p, streams, ev.At, say)
	i.waiting(now, say)
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
	i.redirected(p.facts())
	i.ruled = make(map[rules.PartyID]rules.Identity)
	for _, presence := range view.Participants {
		id := rules.PartyID(p.person(presence.ID))
		if _, twice := i.ruled[id]; !twice {
			ruling, _ := i.roster.Ruling(presence.ID)
			i.ruled[id] = ruling.Identity
		}
	}
	return view
}

// onCall are those who are on the call, but for whom they consult.
func (s seating) onCall() []rules.PartyID {
	on := slices.Clone(s.main)
	for _, c := range s.beside {
		on = union(on, []rules.PartyID{c.by})
	}
	return on
}

// arrive tells who came, and who is somebody else than was thought. Whom somebody
// consults comes with the consult.
func (i *interpreter) arrive(s seating, say func(rules.Event)) {
	for _, id := range s.onCall() {
		if _, here := i.ruled[id]; here { // who consulted and is gone is not
			i.comes(id, i.ruled[id], say)
		}
	}
	for _, c := range s.beside {
		if slices.Contains(i.present, c.other) {
			i.comes(c.other, i.ruled[c.other], say)
		}
	}
}

// leave tells who went.
func (i *interpreter) leave(s seating, say func(rules.Event)) {
	now := s.onCall()
	for _, c := range i.bridges.told {
		now = union(now, []rules.PartyID{c.other})
	}
	now = those(now, func(id rules.PartyID) bool {
		_, here := i.ruled[id]
		return here
	})
	for _, id := range slices.Clone(i.present) {
		if !slices.Contains(now, id) {
			say(rules.Event{Kind: rules.PartyLeft, Party: id})
			i.goes(id)
		}
	}
}

func (i *interpreter) comes(id rules.PartyID, who rules.Identity, say func(rules.Event)) {
	before, known := i.identity[id]
	i.identity[id] = who
	if known && before != who {
		say(rules.Event{Kind: rules.PartyIdentified, Party: id, Identity: who})
	}
	if !slices.Contains(i.present, id) {
		say(rules.Event{Kind: rules.PartyJoined, Party: id, Identity: who})
		i.present = append(i.present, id)
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

// isHeld reports a hold that only the metadata shows (RFC 8068 §3.2.2): somebody from
// outside stays on the main call and sends nothing any more. Metadata does not say who
// holds; it is taken to be one of the own people, or else whoever is there.
func (i *interpreter) isHeld(view metadata.View, p told, s seating) (held bool, holder rules.PartyID) {
	var own, other rules.PartyID
	for _, presence := range view.Participants {
		id := rules.PartyID(p.person(presence.ID))
		who := i.identity[id]
		switch {
		case !slices.Contains(s.onCall(), id):
		case who.Internal():
			own = first(own, id)
		case who.Role == rules.RoleQueue || who.Role == rules.RoleIVR || !slices.Contains(s.main, id):
		case i.spoke[id] && len(presence.Sends) == 0 && len(presence.In) > 0:
			held = true
		default:
			other = first(other, id)
		}
	}
	if own != "" && slices.Contains(s.onCall(), i.holder) && i.identity[i.holder].Internal() {
		return held, i.holder
	}
	return held, first(own, other)
}

// holds tells of a hold by metadata. While nobody is left who could hold, it stays that
// of who held.
func (i *interpreter) holds(holder rules.PartyID, s seating, say func(rules.Event)) {
	pressed := i.held.pressed(i.consulting())
	switch {
	case !pressed:
		holder = ""
	case holder == "":
		holder = i.holder
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
	if on := s.onCall(); holder == "" && !slices.Contains(on, i.holder) {
		i.orphaned(on, say)
	}
	i.holder = holder
}

// orphaned ends the hold of the customer's leg whose holder has left: it is an outsider
// who is not held any more.
func (i *interpreter) orphaned(on []rules.PartyID, say func(rules.Event)) {
	for _, id := range on {
		if !i.identity[id].Internal() {
			say(rules.Event{Kind: rules.Retrieved, Party: id})
			return
		}
	}
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
