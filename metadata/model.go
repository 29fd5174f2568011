package metadata

import (
	"slices"
	"time"
)

// A Model is what the metadata of one recording session said up to an instant,
// as seen by its SRC (RFC 7865 §4): what is true now, and what was before. It
// never changes; Apply and Close return another one.
type Model struct {
	state    *state
	hist     *history
	sdp      Binding   // m-lines of the last SDP
	first    time.Time // of the first document; zero before
	last     time.Time
	complete bool // a complete document was applied
	ask      bool
	closed   bool
	oddities []string
	facts    []toldFacts
}

// New returns the model before any metadata: nothing is known.
func New() *Model {
	return &Model{
		state: &state{},
		hist:  &history{versions: make(map[ID][]version), kinds: make(map[ID]Kind)},
	}
}

// Apply merges a document that arrived at an instant, with the m-lines of the SDP
// of the same message, and returns the model after it and what changed. The
// receiver stays valid: to refuse the message, keep it (M24).
//
// Documents are applied in the order of CSeq, each once (M23); one that comes
// again changes nothing. An instant before the last one counts as the last. A nil
// document is a message with SDP and no metadata: what is known stays. A closed
// model takes nothing any more.
//
// A complete document replaces what is true now and no history (M1). A partial
// one before any complete one is merged as far as it goes, and NeedsSnapshot is
// then true (M2).
func (m *Model) Apply(d *Document, at time.Time, b Binding) (*Model, []Change) {
	if m.closed {
		return m, nil
	}
	next := m.next(at)
	if b != nil {
		next.sdp = slices.Clone(b)
	}
	if d == nil {
		d = &Document{Mode: Partial}
	} else {
		next.receive(d, m)
	}
	before := m.state
	if d.Mode == Complete {
		next.state = &state{}
	} else {
		next.state = m.state.clone()
	}
	next.state.provisional = !next.complete
	renewed := next.hist.renewal(d)
	if len(renewed) > 0 {
		next.odd(oddRenewed)
	}
	if len(leaversOfAll(d)) > 0 {
		next.odd(oddLeftItself)
	}
	next.state.merge(d, func(k Kind, id ID) bool {
		ok, clash := next.hist.admit(k, id)
		if clash {
			next.odd(oddKinds)
		}
		return ok
	})
	resolveLines(next.state, before, d, b, m.sdp, next.odd)
	next.tell()
	changes := next.settle(next.last)
	tellSame(changes, renewed)
	return next, changes
}

// next copies the model for an event at an instant.
func (m *Model) next(at time.Time) *Model {
	next := *m
	next.hist = m.hist.clone()
	next.ask, next.oddities = false, nil
	if at.After(m.last) {
		next.last = at
	}
	return &next
}

// receive notes that a document came.
func (m *Model) receive(d *Document, before *Model) {
	if m.first.IsZero() {
		m.first = m.last
	}
	if d.Mode == Complete {
		m.complete = true
		return
	}
	if !before.complete {
		m.odd(oddEarly)
		m.ask = before.first.IsZero() // once: the SRC answers it with a complete one
	}
}

// settle derives what is true now and returns how that differs from before.
func (m *Model) settle(at time.Time) []Change {
	renamed := m.hist.describe(m.state, at)
	changes := m.hist.advance(m.state, derive(m.state, m.hist, m.sdp), at)
	for _, id := range renamed {
		changes = append(changes, Change{Kind: Renamed, At: at, Participant: id, Index: -1})
	}
	return sortChanges(changes)
}

// Close returns the model after the recording session ended, for example by BYE:
// everything that was open ends at that instant (M25). Metadata in the BYE is
// applied before.
func (m *Model) Close(at time.Time) (*Model, []Change) {
	if m.closed {
		return m, nil
	}
	next := m.next(at)
	next.closed = true
	changes := next.hist.advance(m.state, nil, next.last)
	next.state = &state{}
	return next, sortChanges(changes)
}

func (m *Model) odd(what string) {
	if !slices.Contains(m.oddities, what) {
		m.oddities = append(m.oddities, what)
	}
}

// Oddities returns what the last Apply tolerated, in words that quote nothing of
// the document.
func (m *Model) Oddities() []string { return slices.Clone(m.oddities) }

// NeedsSnapshot reports whether the SRC should be asked for a snapshot (RFC 7866
// §9.2) because of the last document. It is true once, whatever comes after.
func (m *Model) NeedsSnapshot() bool { return m.ask }

// Provisional reports whether only partial documents came so far.
func (m *Model) Provisional() bool { return !m.first.IsZero() && !m.complete }

// Closed reports whether the recording session ended.
func (m *Model) Closed() bool { return m.closed }
