package src

import (
	"slices"
	"time"
)

// A Party is someone who talks and whose voice is the stream with that label;
// without a label it has none.
type Party struct {
	AOR, Name, Label string
}

// A Conversation is one communication session as an SRC tells of it: its
// documents follow each other. It is not safe for concurrent use.
type Conversation struct {
	ids     *IDs
	group   string
	cs      CommunicationSession
	members []*member
}

type member struct {
	party   Party
	id      string
	stream  string // empty without a label
	joined  time.Time
	left    time.Time
	mute    bool // its stream is not sent: it is held, or holds by itself
	present bool
}

// NewConversation begins a communication session of these parties in a group of
// its own.
func NewConversation(ids *IDs, at time.Time, parties ...Party) *Conversation {
	c := &Conversation{ids: ids, group: ids.ID()}
	c.cs = CommunicationSession{
		ID: ids.ID(), GroupRef: c.group, Start: at,
		SIPSessionIDs: []string{ids.UUID() + ";remote=" + ids.UUID()},
	}
	for _, p := range parties {
		c.enter(p, at)
	}
	return c
}

// Next begins another communication session of the same group, as after a
// transfer (RFC 8068 §3.2.3).
func (c *Conversation) Next(at time.Time, parties ...Party) *Conversation {
	n := NewConversation(c.ids, at, parties...)
	n.group, n.cs.GroupRef = c.group, c.group
	return n
}

func (c *Conversation) enter(p Party, at time.Time) *member {
	m := &member{party: p, id: c.ids.ID(), joined: at, present: true}
	if p.Label != "" {
		m.stream = c.ids.ID()
	}
	c.members = append(c.members, m)
	return m
}

// GroupID and CSID are the identifiers in the documents.
func (c *Conversation) GroupID() string { return c.group }

// CSID is the id of the communication session.
func (c *Conversation) CSID() string { return c.cs.ID }

// ParticipantID and StreamID are the identifiers of party i, in the order in
// which the parties came; the stream's is empty without a label.
func (c *Conversation) ParticipantID(i int) string { return c.members[i].id }

// StreamID is the id of the stream of party i.
func (c *Conversation) StreamID(i int) string { return c.members[i].stream }

// Document is the complete document of the present state, to be changed before
// it is written.
func (c *Conversation) Document() Document {
	d := Document{Groups: []Group{{c.group, c.cs.Start}}, CSs: []CommunicationSession{c.cs}}
	for _, m := range c.members {
		if !m.present {
			continue
		}
		d.Participants = append(d.Participants, Participant{m.id, m.party.AOR, m.party.Name})
		if m.stream != "" {
			d.Streams = append(d.Streams, MediaStream{m.stream, c.cs.ID, m.party.Label})
		}
		d.Memberships = append(d.Memberships, Membership{Participant: m.id, CS: c.cs.ID, Joined: m.joined})
	}
	d.Associations = c.associations()
	return d
}

// associations say who sends and who hears what: each hears all others.
func (c *Conversation) associations() []Association {
	var out []Association
	for _, m := range c.members {
		if !m.present {
			continue
		}
		a := Association{Participant: m.id}
		for _, other := range c.members {
			switch {
			case !other.present || other.stream == "" || other.mute:
			case other == m:
				a.Send = append(a.Send, m.stream)
			default:
				a.Recv = append(a.Recv, other.stream)
			}
		}
		out = append(out, a)
	}
	return out
}

// Complete is the snapshot of the present state (RFC 7866 §9.1).
func (c *Conversation) Complete() []byte { return c.Document().XML() }

// Hold is the partial document after party i was put on hold: it sends nothing,
// and nobody hears it (RFC 8068 §3.2.2).
func (c *Conversation) Hold(i int) []byte { return c.mute(i, true) }

// Resume is the partial document after the hold of party i ended.
func (c *Conversation) Resume(i int) []byte { return c.mute(i, false) }

func (c *Conversation) mute(i int, on bool) []byte {
	c.members[i].mute = on
	return Document{Partial: true, Associations: c.associations()}.XML()
}

// Leave is the partial document with which party i leaves (RFC 7865 §6.6).
func (c *Conversation) Leave(i int, at time.Time) []byte {
	m := c.members[i]
	m.present, m.left = false, at
	return Document{
		Partial:      true,
		Memberships:  []Membership{{Participant: m.id, CS: c.cs.ID, Left: at}},
		Associations: append(c.associations(), Association{Participant: m.id}),
	}.XML()
}

// Join is the partial document with which a party joins, or comes back when one
// with the same AOR left before: it keeps its id then.
func (c *Conversation) Join(p Party, at time.Time) []byte {
	i := slices.IndexFunc(c.members, func(m *member) bool { return !m.present && m.party.AOR == p.AOR })
	var m *member
	if i >= 0 {
		m = c.members[i]
		m.present, m.joined, m.left, m.mute, m.party = true, at, time.Time{}, false, p
		if p.Label != "" && m.stream == "" {
			m.stream = c.ids.ID()
		}
	} else {
		m = c.enter(p, at)
	}
	d := Document{
		Partial:      true,
		Participants: []Participant{{m.id, p.AOR, p.Name}},
		Memberships:  []Membership{{Participant: m.id, CS: c.cs.ID, Joined: at}},
		Associations: c.associations(),
	}
	if m.stream != "" {
		d.Streams = []MediaStream{{m.stream, c.cs.ID, p.Label}}
	}
	return d.XML()
}

// Stop is the partial document that ends the communication session; it may ride
// on a BYE (RFC 8068 §3.2.4).
func (c *Conversation) Stop(at time.Time) []byte {
	cs := CommunicationSession{ID: c.cs.ID, Stop: at}
	d := Document{Partial: true, CSs: []CommunicationSession{cs}}
	for _, m := range c.members {
		if m.present {
			m.present, m.left = false, at
			d.Memberships = append(d.Memberships, Membership{Participant: m.id, CS: c.cs.ID, Left: at})
		}
	}
	return d.XML()
}

// OpenSIPS is the present state in the manner of older OpenSIPS releases: always
// complete, no group, no associations at all, zones without colon.
func (c *Conversation) OpenSIPS() []byte {
	d := c.Document()
	d.Groups, d.Memberships, d.Associations = nil, nil, nil
	d.NoRecordingAssoc, d.Zone = true, true
	for i := range d.CSs {
		d.CSs[i].GroupRef, d.CSs[i].SIPSessionIDs = "", []string{c.ids.UUID() + "@192.0.2.40"}
	}
	return d.XML()
}
