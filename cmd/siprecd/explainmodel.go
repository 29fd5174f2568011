package main

import (
	"strings"
	"time"

	"github.com/siprecd/siprecd/metadata"
)

// numbers give participants, communication sessions and groups short names for
// people, from 1 in the order in which they were first named.
type numbers struct{ people, calls, groups numbered }

func (n *numbers) of(id metadata.ID) int    { return n.people.place(id) }
func (n *numbers) call(id metadata.ID) int  { return n.calls.place(id) }
func (n *numbers) group(id metadata.ID) int { return n.groups.place(id) }

// numbered are ids in their order, and the number of each.
type numbered struct {
	ids  []metadata.ID
	last map[metadata.ID]int
}

// place is the number of an id, which is put at the end when it is new.
func (n *numbered) place(id metadata.ID) int {
	if had := n.last[id]; had > 0 {
		return had
	}
	if n.last == nil {
		n.last = make(map[metadata.ID]int)
	}
	n.ids = append(n.ids, id)
	n.last[id] = len(n.ids)
	return len(n.ids)
}

// learn numbers what a model names: those that documents describe, in their
// order, before those that are only referred to.
func (n *numbers) learn(m *metadata.Model) {
	for _, p := range m.Participants() {
		n.of(p.ID)
	}
	for _, sp := range m.Spans() {
		if sp.CommunicationSession != "" {
			n.call(sp.CommunicationSession)
		}
		if sp.Participant != "" {
			n.of(sp.Participant)
		}
		if sp.Group != "" {
			n.group(sp.Group)
		}
	}
}

// explain is the account of all that was added.
func (e *explainer) explain() *explanation {
	x := &explanation{Version: explainVersion, RecordingSessions: []explainedDialog{}}
	for _, t := range e.dialogs {
		x.RecordingSessions = append(x.RecordingSessions, *t.account())
	}
	return x
}

// A past is what happened to each: the history of a model, looked up by id, so
// that a document with thousands of participants is explained as fast as read.
type past struct {
	described map[metadata.ID]metadata.Participant
	people    map[metadata.ID][]metadata.Span // spans of each participant
	calls     map[metadata.ID][]metadata.Span // and communication session
	streams   map[metadata.ID][]metadata.Span // m-lines of each stream
	facts     map[metadata.ID][]tracedFact    // about each participant
	persons   map[metadata.ID]int             // the number under which each person began
}

func (t *traced) past() *past {
	h := &past{
		described: make(map[metadata.ID]metadata.Participant), people: make(map[metadata.ID][]metadata.Span),
		calls: make(map[metadata.ID][]metadata.Span), streams: make(map[metadata.ID][]metadata.Span),
		facts: make(map[metadata.ID][]tracedFact), persons: make(map[metadata.ID]int),
	}
	for _, p := range t.model.Participants() {
		h.described[p.ID] = p
	}
	for _, sp := range t.model.Spans() {
		h.people[sp.Participant] = append(h.people[sp.Participant], sp)
		h.calls[sp.CommunicationSession] = append(h.calls[sp.CommunicationSession], sp)
		if sp.Kind == metadata.Streaming {
			h.streams[sp.Stream] = append(h.streams[sp.Stream], sp)
		}
	}
	for _, f := range t.facts {
		if f.fact.Of == metadata.ParticipantKind {
			h.facts[f.fact.About] = append(h.facts[f.fact.About], f)
		}
	}
	for i, id := range t.numbers.people.ids {
		if person := t.model.Person(id); h.persons[person] == 0 {
			h.persons[person] = i + 1
		}
	}
	return h
}

// account completes the report by the model after the last message.
func (t *traced) account() *explainedDialog {
	r, h := &t.report, t.past()
	r.CallID = t.callID
	r.Direction, r.RolesUnknown = t.who.direction()
	for i, id := range t.numbers.people.ids {
		r.Participants = append(r.Participants, t.participant(i, id, h))
	}
	for i, id := range t.numbers.calls.ids {
		r.Calls = append(r.Calls, t.communication(i, id, h))
	}
	for i, id := range t.numbers.groups.ids {
		r.Groups = append(r.Groups, explainedGroup{Number: i + 1, ID: orElse(t.groups[id], string(id))})
	}
	for _, ref := range t.model.Unresolved() {
		r.Unresolved = append(r.Unresolved, ref.Kind.String()+" "+string(ref.ID))
	}
	for _, f := range t.facts {
		if f.fact.Of != metadata.ParticipantKind {
			r.Facts = append(r.Facts, t.fact(f))
		}
	}
	return r
}

// communication describes a communication session over all its spans.
func (t *traced) communication(i int, id metadata.ID, h *past) explainedCall {
	cs := t.calls[id]
	x := explainedCall{
		Number: i + 1, ID: orElse(cs.Raw, string(id)),
		SIPSessionIDs: cs.SIPSessionIDs, Start: cs.Start.Raw, Stop: cs.Stop.Raw,
	}
	for _, r := range cs.Reasons {
		x.Reasons = append(x.Reasons, strings.TrimSpace(r.Protocol+" "+r.Cause+" "+r.Text))
	}
	first := true
	for _, sp := range h.calls[id] {
		switch sp.Kind {
		case metadata.Grouped:
			x.Group = t.numbers.group(sp.Group)
		case metadata.Active, metadata.Member:
			if first {
				x.From = t.messageAt(sp.From)
			}
			first = false
			x.To = t.messageAt(sp.To)
		default:
		}
	}
	return x
}

// participant describes one over the whole history.
func (t *traced) participant(i int, id metadata.ID, h *past) explainedParticipant {
	x := explainedParticipant{Number: i + 1, ID: string(id)}
	if p, ok := h.described[id]; ok {
		x.Described, x.ID, x.AORs, x.Names = true, orElse(p.Raw, string(id)), p.AORs(), p.Names()
	}
	if began := h.persons[t.model.Person(id)]; began <= i {
		x.SamePersonAs = began // some SRCs renew all ids on transfer
	}
	for _, sp := range h.people[id] {
		switch sp.Kind {
		case metadata.Member:
			p := explainedPresence{From: t.messageAt(sp.From), To: t.messageAt(sp.To)}
			if sp.CommunicationSession != "" {
				p.Call = t.numbers.call(sp.CommunicationSession)
			}
			x.Present = append(x.Present, p)
		case metadata.Sending:
			x.Sends = append(x.Sends, t.sendings(sp, h)...)
		default:
		}
	}
	t.who.describe(&x, id)
	if p, ok := t.last.Participant(id); ok {
		for _, s := range p.Receives {
			if label := t.labels[s]; label != "" {
				x.Receives = append(x.Receives, label)
			}
		}
	}
	for _, f := range h.facts[id] {
		x.Facts = append(x.Facts, t.fact(f))
	}
	return x
}

// sendings is what somebody sends in a span, for each m-line that the stream is
// on meanwhile.
func (t *traced) sendings(sending metadata.Span, h *past) []explainedSending {
	var out []explainedSending
	for _, sp := range h.streams[sending.Stream] {
		if !overlap(sp, sending) {
			continue
		}
		from, to := later(sp.From, sending.From), sooner(sp.To, sending.To)
		out = append(out, explainedSending{
			Stream: string(sp.Stream), Label: t.labelOn(sp), Line: sp.Index + 1,
			Guessed: sp.Guessed || sending.Guessed, From: t.messageAt(from), To: t.messageAt(to),
		})
	}
	if len(out) == 0 {
		out = append(out, explainedSending{
			Stream: string(sending.Stream), Label: t.labels[sending.Stream], Guessed: sending.Guessed,
			From: t.messageAt(sending.From), To: t.messageAt(sending.To),
		})
	}
	return out
}

// labelOn is the label of a stream, or that of its m-line when no document gave
// it one.
func (t *traced) labelOn(sp metadata.Span) string {
	if label := t.labels[sp.Stream]; label != "" {
		return label
	}
	for _, s := range t.streams {
		if s.Index == sp.Index && s.Generation == sp.Generation {
			return s.Label
		}
	}
	return ""
}

func overlap(a, b metadata.Span) bool {
	return (a.To.IsZero() || a.To.After(b.From)) && (b.To.IsZero() || b.To.After(a.From))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// sooner is the earlier end of two, of which zero is none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
