package metadata

import (
	"slices"
	"time"
)

// A toldFacts is the facts that were in force from an instant on.
type toldFacts struct {
	from  time.Time
	facts []Fact
}

// Facts returns what the documents tell now beyond RFC 7865: those of a complete
// document replace all before. Header fields are not among them, see
// [HeaderFacts].
func (m *Model) Facts() []Fact {
	if len(m.facts) == 0 {
		return nil
	}
	return slices.Clone(m.facts[len(m.facts)-1].facts)
}

// FactsAt returns the facts in force at an instant. The first document also
// speaks of the time before it.
func (m *Model) FactsAt(at time.Time) []Fact {
	at = m.since(at)
	for _, told := range slices.Backward(m.facts) {
		if !told.from.After(at) {
			return slices.Clone(told.facts)
		}
	}
	return nil
}

// tell keeps the facts of the current state, if they are others than before.
func (m *Model) tell() {
	now := m.state.document().Facts()
	var before []Fact
	if len(m.facts) > 0 {
		before = m.facts[len(m.facts)-1].facts
	}
	if !slices.Equal(now, before) {
		m.facts = append(slices.Clip(m.facts), toldFacts{m.last, now})
	}
}

// document returns the state as one complete document.
func (s *state) document() *Document {
	d := &Document{Extensions: s.extensions}
	d.Groups = s.groups.list()
	d.CommunicationSessions = s.comms.list()
	d.Participants = s.parts.list()
	for _, st := range s.streams.all {
		d.Streams = append(d.Streams, st.Stream)
	}
	d.RecordingAssocs = s.recorded.list()
	d.Memberships = s.members.list()
	d.StreamAssocs = s.media.list()
	return d
}
