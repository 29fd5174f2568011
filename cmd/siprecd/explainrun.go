package main

import (
	"reflect"
	"slices"
	"time"

	"github.com/siprecd/siprecd/metadata"
	"github.com/siprecd/siprecd/siprec"
)

// An explainer applies messages in their order, as the recorder does with those
// that arrive.
type explainer struct {
	who     directory
	apart   time.Duration
	dialogs []*traced
}

// A traced is one recording session while its messages are read.
type traced struct {
	callID string
	apart  time.Duration
	model  *metadata.Model
	who    *whois
	// documented says that there was metadata. Where there never was any, header
	// fields take its place (layout L0).
	documented bool
	streams    []siprec.Stream     // of the last offer
	answers    []siprec.AnswerLine // to it
	former     []*siprec.Inspection
	numbers    numbers
	calls      map[metadata.ID]metadata.CommunicationSession // as described last
	groups     map[metadata.ID]string                        // as sent
	labels     map[metadata.ID]string                        // of streams
	facts      []tracedFact
	last       metadata.View // the last in which anything went on
	report     explainedDialog
}

// zero is the instant of message 1. Messages get made-up instants, which order
// them and are never shown.
func zero() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }

func (t *traced) instant(message int) time.Time {
	return zero().Add(time.Duration(message-1) * t.apart)
}

// messageAt is the number of the message that arrived at an instant; 0 for none.
func (t *traced) messageAt(at time.Time) int {
	if at.IsZero() {
		return 0
	}
	return int(at.Sub(zero())/t.apart) + 1
}

// add takes the next message.
func (e *explainer) add(file string, in *siprec.Inspection) {
	t, note := e.dialogOf(in)
	msg := explainedMessage{
		Number: len(t.report.Messages) + 1, File: file, Start: in.Start, Method: in.Method, CSeq: in.CSeq,
		Evidence: in.Evidence, Offer: in.HasOffer, Status: in.Answer.Status, Warning: in.Answer.Warning,
		PlainInvite: in.Method == "INVITE" && in.Status == 0 && !in.InDialog && in.Evidence == "" && in.Answer.Status == 200,
		Note:        note,
	}
	switch {
	case in.Status > 0:
		msg.Note = "a response; it changes nothing here"
	case in.Start != "" && in.Method == "":
		msg.Note = "cannot be read"
	case t.repeated(in):
		msg.Note = "sent again; it changes nothing"
	default:
		if in.Start != "" && t.stale(in) {
			msg.Note = "the CSeq is not above that before: the server would not read it; here it is taken as the next message"
		}
		if msg.Status >= 300 && msg.Note == "" {
			msg.Note = "the server would refuse it and keep what it knew; here its content is read all the same"
		}
		t.apply(&msg, in)
	}
	t.former = append(t.former, in)
	for _, o := range in.Oddities {
		msg.Oddities = appendOnce(msg.Oddities, o)
	}
	t.report.Messages = append(t.report.Messages, msg)
}

// dialogOf finds the recording session of a message: that of its Call-ID, unless
// it has ended and an INVITE opens another one. A bare document belongs to the
// one before.
func (e *explainer) dialogOf(in *siprec.Inspection) (*traced, string) {
	bare := in.CallID == ""
	for i := len(e.dialogs) - 1; i >= 0; i-- {
		t := e.dialogs[i]
		switch {
		case !bare && t.callID == "" && i == 0 && len(e.dialogs) == 1:
			t.callID = in.CallID // documents came first
			return t, ""
		case !bare && t.callID != in.CallID:
		case !bare && t.model.Closed() && in.Method == "INVITE" && in.Status == 0 && !in.InDialog:
		case t.model.Closed():
			return t, "comes after the end of the recording session"
		default:
			return t, ""
		}
	}
	t := &traced{
		callID: in.CallID, apart: e.apart, model: metadata.New(), who: e.who.open(),
		calls:  make(map[metadata.ID]metadata.CommunicationSession),
		groups: make(map[metadata.ID]string), labels: make(map[metadata.ID]string),
	}
	e.dialogs = append(e.dialogs, t)
	if in.InDialog && in.Status == 0 {
		return t, "the INVITE that opens the recording session is not among the messages"
	}
	return t, ""
}

// repeated reports whether the very message was there before (RFC 3261 §17.2.3).
func (t *traced) repeated(in *siprec.Inspection) bool {
	for _, f := range t.former {
		if in.Start != "" && f.CSeq == in.CSeq && f.Start == in.Start &&
			reflect.DeepEqual(f.Headers, in.Headers) && reflect.DeepEqual(f.Metadata, in.Metadata) && reflect.DeepEqual(f.Streams, in.Streams) {
			return true
		}
	}
	return false
}

// stale reports whether the CSeq is not above that of every request before (RFC
// 3261 §12.2.2).
func (t *traced) stale(in *siprec.Inspection) bool {
	for _, f := range t.former {
		if f.Status == 0 && f.Method != "" && f.Method != "ACK" && in.Method != "ACK" && in.CSeq <= f.CSeq {
			return true
		}
	}
	return false
}

// apply merges a message into the model and notes what it changed.
func (t *traced) apply(msg *explainedMessage, in *siprec.Inspection) {
	at := t.instant(msg.Number)
	var binding metadata.Binding
	if in.HasOffer {
		in.Follow(t.streams)
		msg.Status, msg.Warning = in.Answer.Status, in.Answer.Warning
		t.streams, t.answers = in.Streams, in.Answer.Lines
		binding = bindingOf(in.Streams)
	}
	headers := headerFields(in.Headers)
	var changes []metadata.Change
	merge := func(d *metadata.Document) {
		var some []metadata.Change
		t.model, some = t.model.Apply(d, at, binding)
		changes = append(changes, some...)
		if d != nil {
			in.Oddities = append(in.Oddities, d.Oddities...)
		}
		in.Oddities = append(in.Oddities, t.model.Oddities()...)
	}
	merged := false
	for _, body := range in.Metadata {
		d, err := metadata.Decode(body)
		msg.Documents = append(msg.Documents, describe(d, len(body), err))
		if err == nil {
			merged = true
			merge(d)
		}
	}
	t.documented = t.documented || len(in.Metadata) > 0
	if !t.documented && binding != nil {
		if d := metadata.FromHeaders(headers, binding); d != nil {
			doc := describe(d, 0, nil)
			doc.FromHeaders = true
			msg.Documents = append(msg.Documents, doc)
			merged = true
			merge(d)
		}
	}
	if !merged && binding != nil {
		merge(nil)
	}
	t.look(msg, at, headers)
	if merged {
		in.Oddities = append(in.Oddities, t.astray()...)
	}
	if in.Method == "BYE" {
		var some []metadata.Change
		t.model, some = t.model.Close(at)
		changes = append(changes, some...)
	}
	for _, p := range in.Parts {
		msg.Parts = append(msg.Parts, p.Type)
	}
	t.lines(msg, at)
	for _, c := range changes {
		msg.Changes = append(msg.Changes, t.change(c))
	}
}

// astray names the labels of the metadata that no m-line has (RFC 7866 §9.1). The
// recording goes on; without them it is not known, or guessed, who sends there.
func (t *traced) astray() []string {
	var out []string
	for _, s := range t.model.Current().Streams {
		offered := func(l siprec.Stream) bool { return l.Label == s.Label }
		if s.Label != "" && len(t.streams) > 0 && !slices.ContainsFunc(t.streams, offered) {
			out = append(out, "no m-line has the label "+s.Label+" of the metadata (RFC 7866 §9.1)")
		}
	}
	return out
}

// look keeps what is true now, before anything ends.
func (t *traced) look(msg *explainedMessage, at time.Time, headers []metadata.HeaderField) {
	view := t.model.Current()
	if len(view.Participants)+len(view.CommunicationSessions) > 0 {
		t.last = view
	}
	for _, cs := range view.CommunicationSessions {
		t.calls[cs.ID] = cs
	}
	for _, g := range view.Groups {
		t.groups[g.ID] = g.Raw
	}
	for _, s := range view.Streams {
		t.labels[s.ID] = s.Label
	}
	t.numbers.learn(t.model)
	t.learnFacts(msg.Number, t.model.Facts(), metadata.HeaderFacts(headers))
	t.who.update(view, at, t.factsNow())
}

// lines describes the m-lines as they are now.
func (t *traced) lines(msg *explainedMessage, at time.Time) {
	for i, s := range t.streams {
		l := explainedLine{
			Line: s.Index + 1, Generation: s.Generation, Label: s.Label, Media: s.Media,
			Offered: string(s.Direction), Answer: "refused", Held: t.model.Held(s.Index, s.Generation, at),
		}
		if i < len(t.answers) {
			l.Answer, l.Why = t.answers[i].Direction, t.answers[i].Why
		}
		for _, c := range s.Codecs {
			l.Codecs = appendOnce(l.Codecs, c.Name)
		}
		for _, sp := range t.model.Attribution(s.Index, s.Generation, at) {
			l.Senders = appendOnce(l.Senders, t.numbers.of(sp.Participant))
			l.Guessed = l.Guessed || sp.Guessed
		}
		msg.Lines = append(msg.Lines, l)
	}
}

// bindingOf is the m-lines by which labels are resolved: all that are not closed.
func bindingOf(streams []siprec.Stream) metadata.Binding {
	b := metadata.Binding{}
	for _, s := range streams {
		if !s.Closed {
			b = append(b, metadata.LabelAt{Label: s.Label, Index: s.Index, Generation: s.Generation})
		}
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

func describe(d *metadata.Document, octets int, err error) explainedDocument {
	if err != nil {
		return explainedDocument{Octets: octets, Error: err.Error()}
	}
	return explainedDocument{
		Octets: octets, Mode: d.Mode.String(), Layout: d.Layout.String(),
		Participants: len(d.Participants), Streams: len(d.Streams),
	}
}

// change says a change of the model in numbers.
func (t *traced) change(c metadata.Change) explainedChange {
	x := explainedChange{Kind: c.Kind.String(), Line: c.Index + 1, Guessed: c.Guessed, Label: t.labels[c.Stream]}
	if c.Participant != "" {
		x.Participant = t.numbers.of(c.Participant)
	}
	if c.SamePerson != "" {
		x.SamePersonAs = t.numbers.of(c.SamePerson)
	}
	if c.CommunicationSession != "" {
		x.Call = t.numbers.call(c.CommunicationSession)
	}
	if c.Group != "" {
		x.Group = t.numbers.group(c.Group)
	}
	return x
}

func appendOnce[T comparable](list []T, v T) []T {
	for _, had := range list {
		if had == v {
			return list
		}
	}
	return append(list, v)
}
