package recorder

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/siprecd/siprecd/metadata"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
)

// A person is one participant of an interaction, whichever of its recording sessions
// tells of it.
type person struct {
	Key  string
	AORs []string // in the form in which they are compared
}

// acquaint finds whom the metadata of a recording session means: somebody whom another
// one told of, by the id if no address speaks against it (RFC 7865 §6.10), or by an
// address; else somebody new.
func (in *interaction) acquaint(l *leg) {
	if len(in.legs) == 1 && len(in.known) == 0 {
		return // each id is its own
	}
	for _, d := range l.people.model.Participants() {
		base := l.people.person(d.ID)
		aors := in.comparable(d.AORs())
		if key, met := l.alias[base]; met {
			in.remembered(key, aors)
			continue
		}
		if l.alias == nil {
			l.alias = make(map[string]string)
		}
		key := in.meet(l, base, aors)
		l.alias[base] = key
		in.renamed = in.renamed || key != base
		in.remembered(key, aors)
	}
}

// meet is the key of somebody whom a recording session tells of for the first time.
func (in *interaction) meet(l *leg, base string, aors []string) string {
	taken := false
	for _, p := range in.known {
		if p.Key != base {
			continue
		}
		if len(p.AORs) == 0 || len(aors) == 0 || shares(p.AORs, aors) {
			return base
		}
		taken = true
	}
	for _, p := range in.known {
		if shares(p.AORs, aors) && !l.means(p.Key) {
			return p.Key
		}
	}
	if taken {
		return fmt.Sprintf("%d/%s", l.number, base)
	}
	return base
}

// means reports whether an id of the recording session means somebody already.
func (l *leg) means(key string) bool {
	for _, k := range l.alias {
		if k == key {
			return true
		}
	}
	return false
}

func (in *interaction) remembered(key string, aors []string) {
	i := slices.IndexFunc(in.known, func(p person) bool { return p.Key == key })
	if i < 0 {
		i, in.known = len(in.known), append(in.known, person{Key: key})
	}
	for _, a := range aors {
		in.known[i].AORs = appendNew(in.known[i].AORs, a)
	}
}

// comparable are addresses in a form in which two of one person are equal: the number,
// or user and host.
func (in *interaction) comparable(aors []string) []string {
	return comparableBy(in.policy.numbering, aors)
}

func comparableBy(n rules.Numbering, aors []string) []string {
	var out []string
	for _, aor := range aors {
		a := n.Address(aor)
		if form := cmp.Or(a.Number, strings.ToLower(a.User+"@"+a.Host)); form != "@" && a.User != "anonymous" {
			out = appendNew(out, form)
		}
	}
	return out
}

func shares(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// key is whom an id of the recording session means.
func (l *leg) key(id metadata.ID) string {
	base := l.people.person(id)
	return cmp.Or(l.alias[base], base)
}

// A together is what the metadata of several recording sessions says, of all that go on,
// with one id for each person.
type together struct{ in *interaction }

func (t together) current() metadata.View {
	var views []metadata.View
	for _, l := range t.in.legs {
		if l.ended.IsZero() {
			views = append(views, l.view())
		}
	}
	return metadata.Merge(views...)
}

// view is what is true now by the metadata of a recording session, with the ids of
// persons that hold for the interaction. Those of streams are its own.
func (l *leg) view() metadata.View {
	v := l.people.current()
	v.Participants = slices.Clone(v.Participants)
	for i := range v.Participants {
		p := &v.Participants[i]
		p.ID = metadata.ID(l.key(p.ID))
		p.Sends, p.Receives = l.own(p.Sends), l.own(p.Receives)
	}
	v.Streams = slices.Clone(v.Streams)
	for i := range v.Streams {
		v.Streams[i].ID = l.ownID(v.Streams[i].ID)
	}
	return v
}

func (l *leg) own(ids []metadata.ID) []metadata.ID {
	var out []metadata.ID
	for _, id := range ids {
		out = append(out, l.ownID(id))
	}
	return out
}

func (l *leg) ownID(id metadata.ID) metadata.ID {
	if l.number == 1 {
		return id
	}
	return metadata.ID(fmt.Sprintf("%d/%s", l.number, id))
}

func (t together) facts() []metadata.Fact {
	var out []metadata.Fact
	for _, l := range t.in.legs {
		if !l.ended.IsZero() {
			continue
		}
		for _, f := range l.people.facts() {
			switch f.Of {
			case metadata.ParticipantKind:
				f.About = metadata.ID(l.key(f.About))
			case metadata.StreamKind:
				f.About = l.ownID(f.About)
			}
			if !slices.Contains(out, f) {
				out = append(out, f)
			}
		}
	}
	return out
}

// person is the key that an id of the views is already.
func (t together) person(id metadata.ID) string { return string(id) }

func (t together) attribution(s *stream, at time.Time) []metadata.Span {
	spans := slices.Clone(s.leg.people.attribution(s, at))
	for i := range spans {
		spans[i].Participant = metadata.ID(s.leg.key(spans[i].Participant))
	}
	return spans
}

// everybody returns the participants in the order in which documents first described
// them, and behind them those that were only ever named as senders.
func (in *interaction) everybody(spoken []voice) (keys []string, byKey map[string]store.Participant) {
	byKey = make(map[string]store.Participant)
	for _, l := range in.legs {
		for _, d := range l.people.model.Participants() {
			key := l.key(d.ID)
			byKey[key] = joined(byKey[key], d)
		}
	}
	for _, l := range in.legs {
		for _, id := range l.people.order {
			key := l.key(metadata.ID(id))
			if _, described := byKey[key]; described {
				keys = appendNew(keys, key)
			}
		}
	}
	for _, v := range spoken {
		for _, key := range v.senders {
			keys = appendNew(keys, key)
		}
	}
	for _, key := range keys {
		if one := byKey[key]; one.ID == "" { // none was sent, or it was never described
			one.ID = key
			byKey[key] = one
		}
	}
	return keys, byKey
}

// senders asks who sent a stream at an instant.
func (in *interaction) senders(s *stream) senderFunc {
	return func(at time.Duration) (keys []string, guessed bool) {
		for _, sp := range s.leg.people.attribution(s, in.zero.Add(at)) {
			keys = appendNew(keys, s.leg.key(sp.Participant))
			guessed = guessed || sp.Guessed
		}
		return keys, guessed
	}
}

// documents are those of all recording sessions, in the order in which they came.
func (in *interaction) documents() []store.Document {
	out := []store.Document{}
	for _, l := range in.legs {
		out = append(out, l.people.docs...)
	}
	slices.SortStableFunc(out, func(a, b store.Document) int { return a.Arrival.Compare(b.Arrival) })
	return out
}
