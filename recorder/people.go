package recorder

import (
	"fmt"
	"slices"
	"time"

	"github.com/siprecd/siprecd/metadata"
	"github.com/siprecd/siprecd/recorder/internal/seal"
	"github.com/siprecd/siprecd/recorder/internal/vault"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/siprec"
)

// people is what the metadata of a recording session says about who sends what
// (RFC 7865). It is owned by the loop of the recording session.
type people struct {
	model *metadata.Model
	marks []time.Time // instants at which the model changed, in order
	leg   int         // number of the recording session, in names of documents; 0 for the first
	docs  []store.Document
	order []string // participants as documents first named them: files are numbered by it
	// unreadable says that a document could not be read; nothing that was known
	// is forgotten for that (RFC 7866 §9.2 leaves the way open).
	unreadable bool
	// documented says that metadata came, headers are the header fields that
	// name participants while none did.
	documented bool
	headers    []metadata.HeaderField
	oddities   []string
	decode     func([]byte) (*metadata.Document, error)
	sealing    *seal.Key // seals documents; nil in the clear
}

// A rawDocument is one metadata part with its bytes as they arrived.
type rawDocument struct {
	store.Document
	body []byte
	form string // of its name
	// repaired says that it was not well-formed XML, and is what could be read of it.
	repaired bool
}

func newPeople() *people {
	return &people{model: metadata.New(), decode: metadata.Decode}
}

// read merges the metadata of an event, or what its header fields say in place of
// it, and returns the documents to be kept. An event with an offer and neither
// tells the model of the m-lines alone.
func (p *people) read(ev *siprec.Event) []rawDocument {
	binding := bindingOf(ev)
	p.documented = p.documented || len(ev.Metadata) > 0
	docs, merged := p.readHeaders(ev, binding)
	for _, body := range ev.Metadata {
		repaired, err := p.take(body, ev.At, binding)
		merged = merged || err == nil
		docs = append(docs, p.keep(ev.At, documentForm, body, err))
		docs[len(docs)-1].repaired = repaired
	}
	if !merged && binding != nil {
		p.merge(nil, ev.At, binding)
	}
	return docs
}

// keep notes a document and whether it could be read. It has no name yet.
func (p *people) keep(at time.Time, form string, body []byte, err error) rawDocument {
	d := rawDocument{Document: store.Document{Arrival: at.UTC(), Readable: err == nil}, body: body, form: form}
	if err != nil {
		d.Error, p.unreadable = err.Error(), true
	}
	p.docs = append(p.docs, d.Document)
	return d
}

// name names the documents that were read last.
func (p *people) name(docs []rawDocument) {
	first := len(p.docs) - len(docs)
	for i := range docs {
		number := fmt.Sprintf("%04d", first+i+1)
		if p.leg > 0 {
			number = fmt.Sprintf("%d-%s", p.leg, number)
		}
		docs[i].File = vault.Name(fmt.Sprintf(docs[i].form, number), p.sealing)
		p.docs[first+i].File = docs[i].File
	}
}

// take reads one document and merges it. It may have had to be repaired.
func (p *people) take(body []byte, at time.Time, b metadata.Binding) (repaired bool, err error) {
	err = guarded(func() error {
		doc, err := p.decode(body)
		if err != nil {
			return err
		}
		repaired = doc.Repaired()
		p.merge(doc, at, b)
		return nil
	})
	return repaired, err
}

// guarded reads a document. One over which the reader itself fails is as good as
// unreadable.
func guarded(read func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("reading it failed with a %T", v)
		}
	}()
	return read()
}

func (p *people) merge(doc *metadata.Document, at time.Time, b metadata.Binding) {
	if doc != nil {
		p.odd(doc.Oddities...)
		for _, d := range doc.Participants {
			p.order = appendNew(p.order, string(d.ID))
		}
	}
	p.model, _ = p.model.Apply(doc, at, b)
	p.odd(p.model.Oddities()...)
	if n := len(p.marks); n == 0 || at.After(p.marks[n-1]) {
		p.marks = append(p.marks, at)
	}
}

// end closes the model (RFC 7865 §5: what is open ends with the recording
// session).
func (p *people) end(at time.Time) { p.model, _ = p.model.Close(at) }

func (p *people) odd(what ...string) {
	for _, o := range what {
		p.oddities = appendNew(p.oddities, o)
	}
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// held reports whether the metadata says that nobody sends on any stream that is
// received: a hold that the SDP does not show (RFC 8068 §3.2.2).
func (p *people) held(streams []*stream, at time.Time) bool {
	held := false
	for _, s := range streams {
		if !s.live || !s.info.Receiving || s.track == nil {
			continue
		}
		if !p.model.Held(s.info.Index, s.info.Generation, at) {
			return false
		}
		held = true
	}
	return held
}

func (p *people) current() metadata.View { return p.model.Current() }
func (p *people) facts() []metadata.Fact { return p.model.Facts() }

func (p *people) attribution(s *stream, at time.Time) []metadata.Span {
	return p.model.Attribution(s.info.Index, s.info.Generation, at)
}

// person is the key of whom an id means: an SRC may renew all ids when a call is
// transferred (BroadWorks), and the person goes on under another.
func (p *people) person(id metadata.ID) string { return string(p.model.Person(id)) }

// joined adds a description of a person to those before: the id is the first that
// was sent, addresses and names are all.
func joined(p store.Participant, d metadata.Participant) store.Participant {
	if p.ID == "" {
		p.ID = d.Raw
	}
	for _, a := range d.AORs() {
		p.AORs = appendNew(p.AORs, a)
	}
	for _, n := range d.Names() {
		p.Names = appendNew(p.Names, n)
	}
	return p
}

// bindingOf is the m-lines of the SDP of an event, by which the labels of its
// metadata are resolved (RFC 7866 §7.1.1); nil when it had none.
func bindingOf(ev *siprec.Event) metadata.Binding {
	if !ev.HasOffer {
		return nil
	}
	b := metadata.Binding{}
	for _, s := range ev.Streams {
		if !s.Closed {
			b = append(b, metadata.LabelAt{Label: s.Label, Index: s.Index, Generation: s.Generation})
		}
	}
	return b
}

const documentForm = "metadata-%s.xml"
