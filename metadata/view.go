package metadata

import "slices"

// A View is what is true at one instant.
type View struct {
	Groups                []Group
	CommunicationSessions []CommunicationSession // those that go on
	Participants          []Presence             // those who are there, and those in no communication session yet
	Streams               []LiveStream
	Extensions            []Extension // of the documents themselves
}

// A Presence is a participant with what it takes part in.
type Presence struct {
	Participant
	In       []ID // communication sessions
	Sends    []ID // streams, guessed ones included
	Receives []ID
}

// A LiveStream is a stream that goes on.
type LiveStream struct {
	Stream
	Index, Generation int  // m-line; Index is -1 when it is on none
	Guessed           bool // that it is on that m-line
}

// Participant returns the participant of that id.
func (v View) Participant(id ID) (Presence, bool) {
	for _, p := range v.Participants {
		if p.ID == id {
			return p, true
		}
	}
	return Presence{}, false
}

// Stream returns the stream of that id.
func (v View) Stream(id ID) (LiveStream, bool) {
	for _, s := range v.Streams {
		if s.ID == id {
			return s, true
		}
	}
	return LiveStream{}, false
}

// Current returns what is true after the last document. The result shares
// nothing that may be written to but is not to be modified.
func (m *Model) Current() View {
	v := View{Extensions: m.state.extensions}
	for _, g := range m.state.groups.all {
		if !g.Disassociate.IsSet() {
			v.Groups = append(v.Groups, g)
		}
	}
	for _, cs := range m.state.comms.all {
		if !cs.Stop.IsSet() {
			v.CommunicationSessions = append(v.CommunicationSessions, cs)
		}
	}
	m.viewStreams(&v)
	m.viewParticipants(&v)
	return v
}

func (m *Model) viewStreams(v *View) {
	for _, o := range m.hist.open {
		sp := o.span()
		if sp.Kind != Streaming {
			continue
		}
		st, known := m.state.streams.get(sp.Stream)
		if !known {
			st.Stream = Stream{ID: sp.Stream, CommunicationSession: sp.CommunicationSession}
		}
		v.Streams = append(v.Streams, LiveStream{st.Stream, sp.Index, sp.Generation, sp.Guessed})
	}
}

func (m *Model) viewParticipants(v *View) {
	in, sends := make(map[ID][]ID), make(map[ID][]ID)
	for _, o := range m.hist.open {
		sp := o.span()
		switch sp.Kind {
		case Member:
			in[sp.Participant] = append(in[sp.Participant], sp.CommunicationSession)
		case Sending:
			sends[sp.Participant] = append(sends[sp.Participant], sp.Stream)
		}
	}
	d := &deriver{s: m.state, shared: m.state.sharedStreams(), stays: make(map[ID]bool), inAny: make(map[ID]bool)}
	for key := range m.state.members.all {
		d.stays[key.participant] = true
	}
	for p := range in {
		d.inAny[p] = true
	}
	for id, p := range m.state.parts.all {
		if d.stays[id] && !d.inAny[id] {
			continue // left
		}
		v.Participants = append(v.Participants, Presence{p, in[id], sends[id], d.receivings(id)})
	}
}

// Merge returns several views as one: elements of the same kind and id are the
// same element (RFC 7865 §6.10), described by the first view that holds it, with
// the addresses and associations of all. It joins the views of several SRCs that
// record one communication session (RFC 7866 §9.2).
func Merge(views ...View) View {
	var out View
	for _, v := range views {
		out.Groups = union(out.Groups, v.Groups, func(g Group) ID { return g.ID }, nil)
		out.CommunicationSessions = union(out.CommunicationSessions, v.CommunicationSessions,
			func(cs CommunicationSession) ID { return cs.ID }, nil)
		out.Participants = union(out.Participants, v.Participants, func(p Presence) ID { return p.ID }, joinPresence)
		out.Streams = union(out.Streams, v.Streams, func(s LiveStream) ID { return s.ID }, nil)
		out.Extensions = append(out.Extensions, v.Extensions...)
	}
	return out
}

// union appends to a what is not in it, and joins what is.
func union[T any](a, b []T, id func(T) ID, join func(have, more T) T) []T {
	at := make(map[ID]int, len(a))
	for i, x := range a {
		at[id(x)] = i
	}
	for _, x := range b {
		i, have := at[id(x)]
		switch {
		case !have:
			at[id(x)] = len(a)
			a = append(a, x)
		case join != nil:
			a[i] = join(a[i], x)
		}
	}
	return a
}

func joinPresence(have, more Presence) Presence {
	have.NameIDs = addMissing(have.NameIDs, more.NameIDs)
	have.In = addMissing(have.In, more.In)
	have.Sends = addMissing(have.Sends, more.Sends)
	have.Receives = addMissing(have.Receives, more.Receives)
	return have
}

func addMissing[T comparable](have, more []T) []T {
	out := slices.Clone(have)
	for _, x := range more {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}

// A Reference is an id that something refers to and no document described.
type Reference struct {
	Kind Kind // of the element that is missing
	ID   ID
}

// Unresolved returns what the current state refers to without it being described,
// each once. A later document, also from another SRC, may describe it (RFC 7866
// §9.2).
func (m *Model) Unresolved() []Reference {
	var out []Reference
	seen := make(map[Reference]bool)
	want := func(known bool, kind Kind, id ID) {
		r := Reference{kind, id}
		if !known && id != "" && !seen[r] {
			seen[r] = true
			out = append(out, r)
		}
	}
	s := m.state
	wantComm := func(id ID) {
		_, known := s.comms.get(id)
		want(known, CommunicationSessionKind, id)
	}
	wantParticipant := func(id ID) {
		_, known := s.parts.get(id)
		want(known, ParticipantKind, id)
	}
	for _, cs := range s.comms.all {
		_, known := s.groups.get(cs.Group)
		want(known, GroupKind, cs.Group)
	}
	for _, st := range s.streams.all {
		wantComm(st.CommunicationSession)
	}
	for id := range s.recorded.all {
		wantComm(id)
	}
	for key := range s.members.all {
		wantParticipant(key.participant)
		if key.comm != key.participant { // see leaversOfAll
			wantComm(key.comm)
		}
	}
	for p, a := range s.media.all {
		wantParticipant(p)
		for _, id := range slices.Concat(a.Send, a.Recv) {
			_, known := s.streams.get(id)
			want(known, StreamKind, id)
		}
	}
	return out
}
