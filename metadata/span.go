package metadata

import "time"

// A SpanKind says what was true during a [Span].
type SpanKind int

// The kinds.
const (
	// Active: CommunicationSession went on (RFC 7865 §6.3).
	Active SpanKind = iota + 1
	// Grouped: CommunicationSession belonged to Group (RFC 7865 §6.2).
	Grouped
	// Recorded: CommunicationSession was associated with this recording session
	// (RFC 7865 §6.4).
	Recorded
	// Member: Participant was in CommunicationSession (RFC 7865 §6.6), which is
	// empty when the document names none.
	Member
	// Streaming: Stream existed, on the m-line Index and Generation, in
	// CommunicationSession (RFC 7865 §6.7).
	Streaming
	// Sending: Participant sent Stream (RFC 7865 §6.8).
	Sending

	// directed: associations said who sends, so that nobody is an answer.
	directed
)

// String returns the name of the kind in lower case.
func (k SpanKind) String() string {
	switch k {
	case Active:
		return "active"
	case Grouped:
		return "grouped"
	case Recorded:
		return "recorded"
	case Member:
		return "member"
	case Streaming:
		return "streaming"
	case Sending:
		return "sending"
	case directed:
		return "directed"
	}
	return "unknown"
}

// A Span is something that was true from one instant to another. From and To are
// instants at which messages arrived; From is in the span, To is not, and To is
// zero while it lasts.
type Span struct {
	Kind                 SpanKind
	Participant          ID
	CommunicationSession ID
	Stream               ID
	Group                ID

	// Index and Generation are the m-line of a Streaming span; Index is -1 when
	// it has none, and in all other kinds.
	Index, Generation int
	// Guessed says that no document stated this: it follows from the order of
	// elements and m-lines, or from nothing else fitting.
	Guessed bool
	// Unresolved says that a participant, stream or communication session was
	// named that no document had described (RFC 7866 §9.2).
	Unresolved bool

	From, To time.Time
	// Begin and End are associate-time and disassociate-time, or start-time and
	// stop-time, as sent.
	Begin, End Time
}

// Covers reports whether at lies in the span.
func (s Span) Covers(at time.Time) bool {
	return !at.Before(s.From) && (s.To.IsZero() || at.Before(s.To))
}

// An openSpan is a span that lasts, without what it does not have yet. A model holds one
// for each thing that is true, for as long as its recording session lasts.
type openSpan struct {
	kind                             SpanKind
	guessed, unresolved              bool
	index, generation                int32
	participant, comm, stream, group ID
	from                             time.Time
	begin                            *Time // nil where none was sent
}

// opened is a span that lasts.
func opened(s Span) openSpan {
	o := openSpan{
		kind: s.Kind, guessed: s.Guessed, unresolved: s.Unresolved, index: int32(s.Index), generation: int32(s.Generation),
		participant: s.Participant, comm: s.CommunicationSession, stream: s.Stream, group: s.Group, from: s.From,
	}
	if s.Begin != (Time{}) {
		begin := s.Begin // else all of s would be on the heap
		o.begin = &begin
	}
	return o
}

func (o *openSpan) span() Span {
	s := Span{
		Kind: o.kind, Participant: o.participant, CommunicationSession: o.comm, Stream: o.stream, Group: o.group,
		Index: int(o.index), Generation: int(o.generation), Guessed: o.guessed, Unresolved: o.unresolved, From: o.from,
	}
	if o.begin != nil {
		s.Begin = *o.begin
	}
	return s
}

// A spanKey is what makes a span the same one in two states.
type spanKey struct {
	kind                                 SpanKind
	participant, comm, stream, groupName ID
}

func (s Span) key() spanKey {
	k := spanKey{kind: s.Kind, participant: s.Participant, comm: s.CommunicationSession, stream: s.Stream, groupName: s.Group}
	if s.Kind == Streaming {
		k.comm = "" // a stream may move to another communication session (M15)
	}
	return k
}

// sameAs reports whether the span goes on as t, with no edge to remember.
func (s Span) sameAs(t Span) bool {
	return s.CommunicationSession == t.CommunicationSession && s.Index == t.Index &&
		s.Generation == t.Generation && s.Guessed == t.Guessed && s.Unresolved == t.Unresolved
}

// A ChangeKind says what a [Change] is.
type ChangeKind int

// The changes, in the order in which those of one document are reported: what
// ends comes before what begins.
const (
	SendingStopped ChangeKind = iota + 1
	StreamStopped
	Left
	GroupLeft
	CommunicationSessionStopped
	CommunicationSessionStarted
	GroupJoined
	Joined
	Renamed // a participant known before has other addresses or names
	StreamStarted
	StreamRebound // a stream moved to another m-line or communication session
	SendingStarted
)

// String returns the name of the change in lower case with hyphens.
func (k ChangeKind) String() string {
	names := [...]string{
		SendingStopped: "sending-stopped", StreamStopped: "stream-stopped", Left: "left",
		GroupLeft: "group-left", CommunicationSessionStopped: "communication-session-stopped",
		CommunicationSessionStarted: "communication-session-started", GroupJoined: "group-joined",
		Joined: "joined", Renamed: "renamed", StreamStarted: "stream-started",
		StreamRebound: "stream-rebound", SendingStarted: "sending-started",
	}
	if k < SendingStopped || int(k) >= len(names) {
		return "unknown"
	}
	return names[k]
}

// A Change is a difference between two models. Fields that its kind has no use
// for are empty; Index is -1 where no m-line is concerned or known.
type Change struct {
	Kind                 ChangeKind
	At                   time.Time
	Participant          ID
	CommunicationSession ID
	Stream               ID
	Group                ID
	Index, Generation    int
	Guessed              bool
	// SamePerson is set when the SRC renewed all ids and this participant goes on
	// under another: of what ends the later id, of what begins the earlier one.
	SamePerson ID
}

// begins and ends return the change that the begin and the end of a span of each
// kind are, 0 for none.
func (k SpanKind) begins() ChangeKind {
	switch k {
	case Active:
		return CommunicationSessionStarted
	case Grouped:
		return GroupJoined
	case Member:
		return Joined
	case Streaming:
		return StreamStarted
	case Sending:
		return SendingStarted
	}
	return 0
}

func (k SpanKind) ends() ChangeKind {
	switch k {
	case Active:
		return CommunicationSessionStopped
	case Grouped:
		return GroupLeft
	case Member:
		return Left
	case Streaming:
		return StreamStopped
	case Sending:
		return SendingStopped
	}
	return 0
}

// change returns the span's edge as a change of the given kind.
func (s Span) change(kind ChangeKind, at time.Time) Change {
	return Change{
		Kind: kind, At: at, Participant: s.Participant, CommunicationSession: s.CommunicationSession,
		Stream: s.Stream, Group: s.Group, Index: s.Index, Generation: s.Generation, Guessed: s.Guessed,
	}
}
