package metadata

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// A version is a participant as it was described from an instant on.
type version struct {
	from time.Time
	Participant
}

// A history is all that was ever true. It is shared between models and only
// grows by copies, so that an older model stays as it was.
type history struct {
	closed   []Span
	open     []openSpan
	versions map[ID][]version
	order    []ID // of the first description
	kinds    map[ID]Kind
	same     persons
}

// admit records the kind of an id. One that is known as another kind clashes, and
// the later part is not admitted (M20). A group is, for nothing but a group-ref
// names one: no reference can mean the other element, and an SRC that calls its
// group like its first participant must not lose either.
func (h *history) admit(kind Kind, id ID) (admitted, clash bool) {
	known, ok := h.kinds[id]
	switch {
	case !ok:
		h.kinds[id] = kind
		return true, false
	case known == kind:
		return true, false
	case known == GroupKind:
		h.kinds[id] = kind
		return true, true
	}
	return kind == GroupKind, true
}

// clone copies what advance and admit write to.
func (h *history) clone() *history {
	return &history{
		closed:   slices.Clip(h.closed), // append copies
		open:     slices.Clone(h.open),
		versions: maps.Clone(h.versions),
		order:    slices.Clip(h.order), // append copies
		kinds:    maps.Clone(h.kinds),
		same:     h.same.clone(),
	}
}

// lastSender returns the resolved participant who sent a stream last.
func (h *history) lastSender(stream ID) (ID, bool) {
	for _, o := range slices.Backward(h.open) {
		if sp := o.span(); sp.Kind == Sending && sp.Stream == stream && !sp.Unresolved {
			return sp.Participant, true
		}
	}
	for _, sp := range slices.Backward(h.closed) {
		if sp.Kind == Sending && sp.Stream == stream && !sp.Unresolved {
			return sp.Participant, true
		}
	}
	return "", false
}

// describe keeps the participants of a state, and returns those whose addresses
// or names changed.
func (h *history) describe(s *state, at time.Time) []ID {
	var renamed []ID
	for id, p := range s.parts.all {
		vs := h.versions[id]
		if len(vs) > 0 && slices.Equal(vs[len(vs)-1].NameIDs, p.NameIDs) {
			continue
		}
		if len(vs) > 0 {
			renamed = append(renamed, id)
		} else {
			h.order = append(h.order, id)
		}
		h.versions[id] = append(vs[:len(vs):len(vs)], version{at, p})
	}
	return renamed
}

// participant returns the description in force at an instant, or the first one
// after it.
func (h *history) participant(id ID, at time.Time) (Participant, bool) {
	vs := h.versions[id]
	if len(vs) == 0 {
		return Participant{}, false
	}
	for _, v := range slices.Backward(vs) {
		if !v.from.After(at) {
			return v.Participant, true
		}
	}
	return vs[0].Participant, true
}

// advance closes the open spans that are not among now, opens those that are
// new, and returns the changes.
func (h *history) advance(s *state, now []Span, at time.Time) []Change {
	var changes []Change
	was := make([]Span, len(h.open))
	for i, o := range h.open {
		was[i] = o.span()
	}
	linesBefore, linesNow := linesOf(was), linesOf(now)
	current := make(map[spanKey]Span, len(now))
	for _, sp := range now {
		current[sp.key()] = sp
	}
	before := make(map[spanKey]Span, len(was))
	for _, sp := range was {
		k := sp.key()
		before[k] = sp
		next, goes := current[k]
		if goes && sp.sameAs(next) {
			continue
		}
		if !goes || announced(sp) && !announced(next) {
			changes = appendChange(changes, linesBefore.put(sp), sp.Kind.ends(), at)
		}
		sp.To, sp.End = at, s.end(sp)
		h.closed = append(h.closed, sp)
	}
	open := make([]openSpan, 0, len(now))
	for _, sp := range now {
		old, known := before[sp.key()]
		if known && old.sameAs(sp) {
			old.Begin = sp.Begin
			open = append(open, opened(old))
			continue
		}
		sp.From = at
		open = append(open, opened(sp))
		switch {
		case !known || announced(sp) && !announced(old):
			changes = appendChange(changes, linesNow.put(sp), sp.Kind.begins(), at)
		case sp.Kind == Streaming && moved(old, sp):
			changes = appendChange(changes, sp, StreamRebound, at)
		}
	}
	h.open = open
	return changes
}

// streamLines is the m-lines of streams.
type streamLines map[ID]line

func linesOf(spans []Span) streamLines {
	out := make(streamLines)
	for _, sp := range spans {
		if sp.Kind == Streaming && sp.Index >= 0 {
			out[sp.Stream] = line{sp.Index, sp.Generation}
		}
	}
	return out
}

// put gives a Sending span the m-line of its stream, for the change it becomes.
func (l streamLines) put(sp Span) Span {
	if at, known := l[sp.Stream]; known && sp.Kind == Sending {
		sp.Index, sp.Generation = at.index, at.generation
	}
	return sp
}

// announced reports whether a span is worth a change: what names unknown
// participants or streams is remembered, and announced when they are known.
func announced(sp Span) bool { return sp.Kind != Sending && sp.Kind != Member || !sp.Unresolved }

func moved(a, b Span) bool {
	return a.Index != b.Index || a.Generation != b.Generation || a.CommunicationSession != b.CommunicationSession
}

func appendChange(changes []Change, sp Span, kind ChangeKind, at time.Time) []Change {
	if kind == 0 || !announced(sp) {
		return changes
	}
	return append(changes, sp.change(kind, at))
}

// end returns the end of a span as the documents give it.
func (s *state) end(sp Span) Time {
	switch sp.Kind {
	case Active:
		cs, _ := s.comms.get(sp.CommunicationSession)
		return cs.Stop
	case Grouped:
		g, _ := s.groups.get(sp.Group)
		return g.Disassociate
	case Recorded:
		a, _ := s.recorded.get(sp.CommunicationSession)
		return orTime(a.Disassociate, s.stop(sp.CommunicationSession))
	case Member:
		m, _ := s.members.get(pair{sp.Participant, sp.CommunicationSession})
		return orTime(m.Disassociate, s.stop(sp.CommunicationSession))
	case Streaming:
		return s.stop(sp.CommunicationSession)
	case Sending:
		a, _ := s.media.get(sp.Participant)
		return a.Disassociate
	}
	return Time{}
}

func (s *state) stop(id ID) Time {
	cs, _ := s.comms.get(id)
	return cs.Stop
}

// sortChanges puts what ends before what begins (see ChangeKind).
func sortChanges(changes []Change) []Change {
	slices.SortStableFunc(changes, func(a, b Change) int { return cmp.Compare(a.Kind, b.Kind) })
	return changes
}
