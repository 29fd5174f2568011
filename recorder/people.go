package recorder

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/siprecd/siprecd/metadata"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/siprec"
)

// people is what the metadata of a recording session says about who sends what
// (RFC 7865). It is owned by the loop of the recording session.
type people struct {
	zero  time.Time
	model *metadata.Model
	marks []time.Duration // instants at which the model changed, in order
	docs  []store.Document
	order []string // participants as documents first named them: files are numbered by it
	// unreadable says that a document could not be read; nothing that was known
	// is forgotten for that (RFC 7866 §9.2 leaves the way open).
	unreadable bool
	oddities   []string
	decode     func([]byte) (*metadata.Document, error)
}

// A rawDocument is one metadata part with its bytes as they arrived.
type rawDocument struct {
	store.Document
	body []byte
}

func newPeople(zero time.Time) *people {
	return &people{zero: zero, model: metadata.New(), decode: metadata.Decode}
}

// read merges the metadata of an event, and returns the documents to be kept. An
// event with an offer and no metadata tells the model of the m-lines alone.
func (p *people) read(ev *siprec.Event) []rawDocument {
	binding := bindingOf(ev)
	var docs []rawDocument
	merged := false
	for _, body := range ev.Metadata {
		d := rawDocument{body: body}
		d.File = documentName(len(p.docs) + 1)
		d.Arrival = ev.At.UTC()
		if err := p.take(body, ev.At, binding); err != nil {
			d.Error, p.unreadable = err.Error(), true
		} else {
			d.Readable, merged = true, true
		}
		p.docs = append(p.docs, d.Document)
		docs = append(docs, d)
	}
	if !merged && binding != nil {
		p.merge(nil, ev.At, binding)
	}
	return docs
}

// take reads one document and merges it. One over which the reader itself fails
// is as good as unreadable.
func (p *people) take(body []byte, at time.Time, b metadata.Binding) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("reading it failed with a %T", v)
		}
	}()
	doc, err := p.decode(body)
	if err != nil {
		return err
	}
	p.merge(doc, at, b)
	return nil
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
	mark := at.Sub(p.zero)
	if n := len(p.marks); n == 0 || mark > p.marks[n-1] {
		p.marks = append(p.marks, mark)
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

// senders asks the model who sent an m-line at an instant.
func (p *people) senders(index, generation int) senderFunc {
	return func(at time.Duration) (keys []string, guessed bool) {
		for _, sp := range p.model.Attribution(index, generation, p.zero.Add(at)) {
			keys = appendNew(keys, string(sp.Participant))
			guessed = guessed || sp.Guessed
		}
		return keys, guessed
	}
}

// all returns the participants in the order in which documents first described
// them, and behind them those that were only ever named as senders.
func (p *people) all(spoken []voice) (keys []string, byKey map[string]store.Participant) {
	byKey = make(map[string]store.Participant)
	for _, d := range p.model.Participants() {
		byKey[string(d.ID)] = store.Participant{ID: d.Raw, AORs: d.AORs(), Names: d.Names()}
	}
	for _, key := range p.order {
		if _, described := byKey[key]; described {
			keys = append(keys, key)
		}
	}
	for _, v := range spoken {
		for _, key := range v.senders {
			keys = appendNew(keys, key)
			if _, described := byKey[key]; !described {
				byKey[key] = store.Participant{ID: key}
			}
		}
	}
	return keys, byKey
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

func documentName(n int) string {
	s := strconv.Itoa(n)
	for len(s) < 4 {
		s = "0" + s
	}
	return "metadata-" + s + ".xml"
}
