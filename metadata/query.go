package metadata

import (
	"slices"
	"time"
)

// Spans returns everything that was ever true, in the order in which it began.
func (m *Model) Spans() []Span {
	var out []Span
	for sp := range m.hist.all {
		if sp.Kind != directed {
			out = append(out, sp)
		}
	}
	slices.SortStableFunc(out, func(a, b Span) int { return a.From.Compare(b.From) })
	return out
}

// all iterates over closed and open spans.
func (h *history) all(yield func(Span) bool) {
	for _, sp := range h.closed {
		if !yield(sp) {
			return
		}
	}
	for _, o := range h.open {
		if !yield(o.span()) {
			return
		}
	}
}

// Participant returns a participant as it was described at an instant, or, when
// it was described only later, as it was then. It reports false for one that no
// document described.
func (m *Model) Participant(id ID, at time.Time) (Participant, bool) {
	return m.hist.participant(id, at)
}

// Participants returns all that were ever described, in the order of their first
// description, each as described last.
func (m *Model) Participants() []Participant {
	var out []Participant
	for _, id := range m.hist.order {
		vs := m.hist.versions[id]
		out = append(out, vs[len(vs)-1].Participant)
	}
	return out
}

// Senders returns who sent on an m-line at an instant, in the order in which they
// began: several when the stream is mixed, none when nobody is known to have. Use
// [Model.Attribution] to see whether that was guessed.
//
// The first document also speaks of the time before it: metadata may come after
// the media (RFC 7866 §9.1).
func (m *Model) Senders(index, generation int, at time.Time) []Participant {
	at = m.since(at)
	var out []Participant
	seen := make(map[ID]bool)
	for _, sp := range m.Attribution(index, generation, at) {
		p, known := m.hist.participant(sp.Participant, at)
		if known && !seen[p.ID] {
			seen[p.ID] = true
			out = append(out, p)
		}
	}
	return out
}

// Attribution returns the Sending spans on which Senders rests, those of
// participants whom no document described included. Guessed is also set when it
// was guessed that the stream is on this m-line.
func (m *Model) Attribution(index, generation int, at time.Time) []Span {
	at = m.since(at)
	carried := m.carried(index, generation, at)
	if len(carried) == 0 {
		return nil
	}
	var out []Span
	for sp := range m.hist.all {
		if sp.Kind != Sending || !sp.Covers(at) {
			continue
		}
		if stream, here := carried[sp.Stream]; here {
			sp.Guessed = sp.Guessed || stream.Guessed
			out = append(out, sp)
		}
	}
	slices.SortStableFunc(out, func(a, b Span) int { return a.From.Compare(b.From) })
	return out
}

// since moves an instant before the first document to it.
func (m *Model) since(at time.Time) time.Time {
	if at.Before(m.first) {
		return m.first
	}
	return at
}

// carried returns the streams on an m-line at an instant.
func (m *Model) carried(index, generation int, at time.Time) map[ID]Span {
	var out map[ID]Span
	for sp := range m.hist.all {
		if sp.Kind == Streaming && sp.Index == index && sp.Generation == generation && sp.Covers(at) {
			if out == nil {
				out = make(map[ID]Span, 1)
			}
			out[sp.Stream] = sp
		}
	}
	return out
}

// Held reports whether the metadata says that nobody sent on an m-line at an
// instant, though a stream was there. That is how a hold looks when the SDP does
// not change (RFC 8068 §3.2.2). It is false when the metadata does not say who
// sends.
func (m *Model) Held(index, generation int, at time.Time) bool {
	at = m.since(at)
	return m.directedAt(at) && len(m.carried(index, generation, at)) > 0 &&
		len(m.Attribution(index, generation, at)) == 0
}

// Silent reports whether the metadata says that nobody sent anything at an
// instant: everything is held, or no communication session went on.
func (m *Model) Silent(at time.Time) bool {
	if m.first.IsZero() {
		return false
	}
	at = m.since(at)
	going := false
	for sp := range m.hist.all {
		if !sp.Covers(at) {
			continue
		}
		if sp.Kind == Sending {
			return false
		}
		going = going || sp.Kind == Active || sp.Kind == Member || sp.Kind == Streaming
	}
	return !going || m.directedAt(at)
}

func (m *Model) directedAt(at time.Time) bool {
	for sp := range m.hist.all {
		if sp.Kind == directed && sp.Covers(at) {
			return true
		}
	}
	return false
}
