package main

import (
	"slices"

	"github.com/siprecd/siprecd/metadata"
)

// A tracedFact is a fact and the messages that said so.
type tracedFact struct {
	fact     metadata.Fact
	from, to int  // to is 0 while it holds
	header   bool // it stood in a header field of the SIP message
}

// learnFacts keeps what documents and header fields say now. What a document no
// longer says has ended; a header field counts until another value comes, since
// requests repeat few of them.
func (t *traced) learnFacts(message int, documents, headers []metadata.Fact) {
	for i := range t.facts {
		f := &t.facts[i]
		replaced := func(h metadata.Fact) bool {
			return h.Kind == f.fact.Kind && h.Field == f.fact.Field && h.About == f.fact.About
		}
		switch {
		case f.to > 0:
		case f.header && slices.ContainsFunc(headers, replaced) && !slices.Contains(headers, f.fact),
			!f.header && !slices.Contains(documents, f.fact):
			f.to = message
		}
	}
	t.keepFacts(message, documents, false)
	t.keepFacts(message, headers, true)
}

func (t *traced) keepFacts(message int, now []metadata.Fact, header bool) {
	for _, f := range now {
		known := func(o tracedFact) bool { return o.to == 0 && o.fact == f }
		if !slices.ContainsFunc(t.facts, known) {
			t.facts = append(t.facts, tracedFact{fact: f, from: message, header: header})
		}
	}
}

// factsNow is what still holds.
func (t *traced) factsNow() []metadata.Fact {
	var now []metadata.Fact
	for _, f := range t.facts {
		if f.to == 0 {
			now = append(now, f.fact)
		}
	}
	return now
}

func (t *traced) fact(f tracedFact) explainedFact {
	x := explainedFact{
		Kind: f.fact.Kind.String(), Value: f.fact.Value, Dialect: string(f.fact.Dialect), Field: f.fact.Field,
		From: f.from, To: f.to,
	}
	switch f.fact.Of {
	case metadata.CommunicationSessionKind:
		x.Call = t.numbers.call(f.fact.About)
	case metadata.GroupKind:
		x.Group = t.numbers.group(f.fact.About)
	case metadata.ParticipantKind, metadata.StreamKind:
	}
	return x
}
