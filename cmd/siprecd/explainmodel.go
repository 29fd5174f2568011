package main

import (
	"strings"
	"time"

	"github.com/siprecd/siprecd/metadata"
)

// numbers give participants, communication sessions and groups short names for
// people, from 1 in the order in which they were first named.
type numbers struct{ people, calls, groups []metadata.ID }

func (n *numbers) of(id metadata.ID) int    { return place(&n.people, id) }
func (n *numbers) call(id metadata.ID) int  { return place(&n.calls, id) }
func (n *numbers) group(id metadata.ID) int { return place(&n.groups, id) }

// place is the number of an id in a list, at whose end it is put when it is new.
func place(list *[]metadata.ID, id metadata.ID) int {
	for i, had := range *list {
		if had == id {
			return i + 1
		}
	}
	*list = append(*list, id)
	return len(*list)
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

// account completes the report by the model after the last message.
func (t *traced) account() *explainedDialog {
	r := &t.report
	r.CallID = t.callID
	r.Direction, r.RolesUnknown = t.who.direction()
	for i := range t.numbers.people {
		r.Participants = append(r.Participants, t.participant(i))
	}
	for i := range t.numbers.calls {
		r.Calls = append(r.Calls, t.communication(i))
	}
	for i, id := range t.numbers.groups {
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
func (t *traced) communication(i int) explainedCall {
	id := t.numbers.calls[i]
	cs := t.calls[id]
	x := explainedCall{Number: i + 1, ID: cs.Raw, SIPSessionIDs: cs.SIPSessionIDs, Start: cs.Start.Raw, Stop: cs.Stop.Raw}
	if x.ID == "" {
		x.ID = string(id)
	}
	for _, r := range cs.Reasons {
		x.Reasons = append(x.Reasons, strings.TrimSpace(r.Protocol+" "+r.Cause+" "+r.Text))
	}
	first := true
	for _, sp := range t.model.Spans() {
		switch {
		case sp.CommunicationSession != id:
		case sp.Kind == metadata.Grouped:
			x.Group = t.numbers.group(sp.Group)
		case sp.Kind == metadata.Active || sp.Kind == metadata.Member:
			if first {
				x.From = t.messageAt(sp.From)
			}
			first = false
			x.To = t.messageAt(sp.To)
		}
	}
	return x
}

// participant describes one over the whole history.
func (t *traced) participant(i int) explainedParticipant {
	id := t.numbers.people[i]
	x := explainedParticipant{Number: i + 1, ID: string(id)}
	for _, p := range t.model.Participants() {
		if p.ID == id {
			x.Described, x.ID, x.AORs, x.Names = true, p.Raw, p.AORs(), p.Names()
		}
	}
	if x.ID == "" {
		x.ID = string(id)
	}
	t.who.describe(&x, id)
	x.SamePersonAs = t.earlierSelf(i)
	for _, sp := range t.model.Spans() {
		switch {
		case sp.Participant != id:
		case sp.Kind == metadata.Member:
			p := explainedPresence{From: t.messageAt(sp.From), To: t.messageAt(sp.To)}
			if sp.CommunicationSession != "" {
				p.Call = t.numbers.call(sp.CommunicationSession)
			}
			x.Present = append(x.Present, p)
		case sp.Kind == metadata.Sending:
			x.Sends = append(x.Sends, t.sendings(sp)...)
		}
	}
	if p, ok := t.last.Participant(id); ok {
		for _, s := range p.Receives {
			if label := t.labels[s]; label != "" {
				x.Receives = append(x.Receives, label)
			}
		}
	}
	for _, f := range t.facts {
		if f.fact.Of == metadata.ParticipantKind && f.fact.About == id {
			x.Facts = append(x.Facts, t.fact(f))
		}
	}
	return x
}

// earlierSelf is the number of the first participant that is the same person, or
// 0: some SRCs renew all ids on transfer.
func (t *traced) earlierSelf(i int) int {
	for j, id := range t.numbers.people[:i] {
		if t.model.SamePerson(id, t.numbers.people[i]) {
			return j + 1
		}
	}
	return 0
}

// sendings is what somebody sends in a span, for each m-line that the stream is
// on meanwhile.
func (t *traced) sendings(sending metadata.Span) []explainedSending {
	var out []explainedSending
	for _, sp := range t.model.Spans() {
		if sp.Kind != metadata.Streaming || sp.Stream != sending.Stream || !overlap(sp, sending) {
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
