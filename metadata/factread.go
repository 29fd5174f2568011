package metadata

import (
	"path"
	"slices"
	"strings"
)

// Facts returns what the document tells beyond RFC 7865, in its order: facts of
// the whole first, then of groups, communication sessions, participants and
// streams. Which elements are understood is one table, vendors.
func (d *Document) Facts() []Fact { return d.readFacts().facts }

func (d *Document) readFacts() *factReader {
	f := &factReader{d: d}
	f.extensions(0, "", "", d.Extensions)
	for _, g := range d.Groups {
		f.extensions(GroupKind, g.ID, "group", g.Extensions)
	}
	for _, cs := range d.CommunicationSessions {
		f.extensions(CommunicationSessionKind, cs.ID, "session", cs.Extensions)
		f.universalID(cs)
	}
	for _, a := range d.RecordingAssocs {
		f.extensions(CommunicationSessionKind, a.CommunicationSession, "sessionrecordingassoc", a.Extensions)
	}
	for _, p := range d.Participants {
		f.extensions(ParticipantKind, p.ID, "participant", p.Extensions)
		f.placeholder(p)
	}
	for _, m := range d.Memberships {
		f.extensions(ParticipantKind, m.Participant, "participantsessionassoc", m.Extensions)
	}
	for _, s := range d.Streams {
		f.extensions(StreamKind, s.ID, "stream", s.Extensions)
	}
	for _, a := range d.StreamAssocs {
		f.extensions(ParticipantKind, a.Participant, "participantstreamassoc", a.Extensions)
	}
	f.labels()
	for _, finish := range [...]func(*factReader){setRightNumbers, findUser, joinDirections, nameTransfer} {
		finish(f)
	}
	return f
}

type factReader struct {
	d        *Document
	facts    []Fact
	book     *addressBook
	known    map[kindedID]bool
	oddities []string
}

// How far facts are looked for, so that a document of long names or deep nesting
// takes no more time and no longer fields than it is worth: elements around those
// of a vendor, elements below that, and octets of a name.
const maxAround, maxBelow, maxFactName = 4, 5, 128

// A place is where in a document an extension stands.
type place struct {
	of    Kind
	about ID
	field string // path of local names down to it
}

func (p place) below(name string) place {
	if p.field != "" {
		name = p.field + "/" + name
	}
	p.field = name
	return p
}

func (f *factReader) extensions(of Kind, about ID, field string, xs []Extension) {
	if about == "" {
		of = 0 // an association that names nobody
	}
	for _, x := range xs {
		f.find(x, place{of, about, field}, maxAround)
	}
}

// find looks for what a vendor wrote in x and below.
func (f *factReader) find(x Extension, at place, deeper int) {
	if len(x.Name) > maxFactName {
		return
	}
	at = f.subjectOf(x, at.below(x.Name))
	for i := range vendors {
		v := &vendors[i]
		switch {
		case v.element != "" && strings.EqualFold(x.Name, v.element):
			f.read(v, x, "", at, maxBelow)
			return
		case v.element == "" && (x.Namespace == v.prefix || strings.Contains(strings.ToLower(x.Namespace), v.namespace)):
			f.read(v, x, strings.ToLower(x.Name), at, maxBelow)
			return
		}
	}
	if deeper == 0 {
		return
	}
	for _, c := range x.Children {
		f.find(c, at, deeper-1)
	}
}

// read makes the facts of an element whose vendor is known, and of those inside.
func (f *factReader) read(v *vendor, x Extension, below string, at place, deeper int) {
	for _, row := range v.rows {
		if row.matches(below) {
			f.make(v.dialect, row, x, at)
			break
		}
	}
	if deeper == 0 {
		return
	}
	for _, c := range x.Children {
		if len(c.Name) > maxFactName {
			continue
		}
		name := strings.ToLower(c.Name)
		if below != "" {
			name = below + "/" + name
		}
		f.read(v, c, name, f.subjectOf(c, at.below(c.Name)), deeper-1)
	}
}

func (r factRow) matches(below string) bool {
	if !strings.Contains(r.path, "*") {
		return r.path == below
	}
	ok, _ := path.Match(r.path, below) // the patterns are our own
	return ok && below != ""
}

// subjectOf follows the attributes with which extensions say what they are about:
// the parent of the older drafts, and the participant or user of NetSapiens.
func (f *factReader) subjectOf(x Extension, at place) place {
	for _, a := range x.Attrs {
		id := ParseID(a.Value)
		switch strings.ToLower(a.Name) {
		case "parent":
			for _, kind := range [...]Kind{CommunicationSessionKind, ParticipantKind, GroupKind, StreamKind} {
				if f.describes(kind, id) {
					at.of, at.about = kind, id
				}
			}
		case "participant_id":
			if f.describes(ParticipantKind, id) {
				at.of, at.about = ParticipantKind, id
			}
		case "userid":
			if id := f.addresses().find(a.Value); id != "" {
				at.of, at.about = ParticipantKind, id
			}
		}
	}
	return at
}

func (f *factReader) describes(kind Kind, id ID) bool {
	if f.known == nil {
		f.known = make(map[kindedID]bool)
		for _, g := range f.d.Groups {
			f.known[kindedID{GroupKind, g.ID}] = true
		}
		for _, cs := range f.d.CommunicationSessions {
			f.known[kindedID{CommunicationSessionKind, cs.ID}] = true
		}
		for _, p := range f.d.Participants {
			f.known[kindedID{ParticipantKind, p.ID}] = true
		}
		for _, s := range f.d.Streams {
			f.known[kindedID{StreamKind, s.ID}] = true
		}
	}
	return f.known[kindedID{kind, id}]
}

func (f *factReader) addresses() *addressBook {
	if f.book == nil {
		f.book = newAddressBook(f.d.Participants)
	}
	return f.book
}

// make adds the facts of a row that matched.
func (f *factReader) make(dialect Dialect, row factRow, x Extension, at place) {
	fact := Fact{Kind: row.kind, About: at.about, Of: at.of, Dialect: dialect, Field: at.field}
	if row.form == asHeaders {
		f.headers(fact, strings.TrimSpace(x.Attr(row.arg)), x)
		return
	}
	fact.Value = row.value(x)
	if fact.Value == "" {
		return
	}
	var who ID
	switch row.who {
	case byAddress:
		who = f.addresses().find(fact.Value)
	case byTail:
		who = f.addresses().findTail(fact.Value)
	}
	if who != "" {
		fact.About, fact.Of = who, ParticipantKind
	}
	f.facts = append(f.facts, fact)
}

func (r factRow) value(x Extension) string {
	text := strings.TrimSpace(x.Text)
	switch r.form {
	case asArg:
		return r.arg
	case asAttr:
		return strings.TrimSpace(x.Attr(r.arg))
	case asWord:
		return directions[strings.ToLower(text)]
	case asTruth:
		switch strings.ToLower(text) {
		case "true", "1", "yes":
			return "true"
		case "false", "0", "no":
			return "false"
		}
		return ""
	case asAddress:
		return addrSpec(text)
	case asNamed:
		if text == "" {
			return ""
		}
		return x.Name + ": " + text
	case asPresence:
		if text == "" {
			return r.arg
		}
	}
	return text
}

// headers makes a fact of each value of a header field that an SBC copied into
// the extension data, and what the field means besides.
func (f *factReader) headers(fact Fact, name string, x Extension) {
	values := x.Children
	if len(values) == 0 {
		values = []Extension{x}
	}
	for _, v := range values {
		text := strings.TrimSpace(v.Text)
		if name == "" || len(name) > maxFactName || text == "" {
			continue
		}
		fact.Value = name + ": " + text
		f.facts = append(f.facts, fact)
		for _, more := range HeaderFacts([]HeaderField{{name, text}}) {
			if more.Kind != FactHeader {
				more.About, more.Of, more.Field = fact.About, fact.Of, fact.Field
				f.facts = append(f.facts, more)
			}
		}
	}
}

// labels reads the words in the labels of streams. What is about a party is so
// about the participant who sends the stream, if that is one.
func (f *factReader) labels() {
	var senders map[ID][]ID
	for _, s := range f.d.Streams {
		for _, row := range labelWords {
			if !strings.Contains(strings.ToLower(s.Label), row.word) {
				continue
			}
			fact := Fact{Kind: row.kind, Value: row.arg, About: s.ID, Of: StreamKind, Dialect: row.dialect, Field: "stream/label"}
			if row.kind == FactCallingParty {
				if senders == nil {
					senders = sendersOf(f.d.StreamAssocs)
				}
				if who := senders[s.ID]; len(who) == 1 {
					fact.About, fact.Of = who[0], ParticipantKind
				}
			}
			f.facts = append(f.facts, fact)
			break
		}
	}
}

func sendersOf(assocs []StreamAssoc) map[ID][]ID {
	out := make(map[ID][]ID)
	for _, a := range assocs {
		for _, id := range a.Send {
			if !slices.Contains(out[id][:min(len(out[id]), 2)], a.Participant) {
				out[id] = append(out[id], a.Participant)
			}
		}
	}
	return out
}
