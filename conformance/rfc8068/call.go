package rfc8068

import (
	"time"

	"github.com/siprecd/siprecd/conformance/src"
)

// A call is one communication session of the metadata.
type call struct {
	ids   *src.IDs
	group string
	cs    src.CommunicationSession
}

// A party takes part in calls, and sends streams.
type party struct {
	id, aor, name string
	streams       []stream
}

// A stream is one of the metadata, and the label of its m-line.
type stream struct{ id, label string }

func newCall() *call {
	ids := src.NewIDs(uint64(time.Now().UnixNano()))
	return (&call{ids: ids, group: ids.ID()}).next()
}

// next is another communication session of the same group.
func (c *call) next() *call {
	return &call{ids: c.ids, group: c.group, cs: src.CommunicationSession{
		ID: c.ids.ID(), GroupRef: c.group, Start: time.Now(), SIPSessionIDs: []string{c.dialog()},
	}}
}

// dialog is the identifier of a SIP dialog of the call (RFC 7989), broken over two lines.
func (c *call) dialog() string { return c.ids.UUID() + "\n      ;remote=" + c.ids.UUID() }

// party makes somebody who sends a stream for each label.
func (c *call) party(aor, name string, labels ...string) party {
	p := party{id: c.ids.ID(), aor: aor, name: name}
	for _, label := range labels {
		p.streams = append(p.streams, stream{c.ids.ID(), label})
	}
	return p
}

// sends are the ids of the streams of a party.
func (p party) sends() []string {
	var ids []string
	for _, s := range p.streams {
		ids = append(ids, s.id)
	}
	return ids
}

// snapshot is the complete document of a call: each party hears all others.
func (c *call) snapshot(parties ...party) src.Document {
	d := src.Document{Groups: []src.Group{{ID: c.group, Start: c.cs.Start}}, CSs: []src.CommunicationSession{c.cs}}
	for _, p := range parties {
		d.Participants = append(d.Participants, src.Participant{ID: p.id, AOR: p.aor, Name: p.name})
		d.Memberships = append(d.Memberships, src.Membership{Participant: p.id, CS: c.cs.ID, Joined: c.cs.Start})
		for _, s := range p.streams {
			d.Streams = append(d.Streams, src.MediaStream{ID: s.id, CS: c.cs.ID, Label: s.label})
		}
	}
	d.Associations = hearing(parties...)
	return d
}

// hearing has each party send its streams and hear those of all others.
func hearing(parties ...party) []src.Association {
	var out []src.Association
	for i, p := range parties {
		a := src.Association{Participant: p.id, Send: p.sends()}
		for k, other := range parties {
			if k != i {
				a.Recv = append(a.Recv, other.sends()...)
			}
		}
		out = append(out, a)
	}
	return out
}

// held is the partial document after one put the other on hold: who is held sends
// nothing, and who holds hears nothing.
func held(by, who party) src.Document {
	return src.Document{Partial: true, Associations: []src.Association{
		{Participant: who.id, Recv: by.sends()}, {Participant: by.id, Send: by.sends()},
	}}
}

// resumed is the partial document after a hold.
func resumed(parties ...party) src.Document {
	return src.Document{Partial: true, Associations: hearing(parties...)}
}

// stopped is the partial document with which a call ends and all leave it.
func (c *call) stopped(parties ...party) src.Document {
	now := time.Now()
	d := src.Document{Partial: true, CSs: []src.CommunicationSession{{ID: c.cs.ID, Stop: now}}}
	for _, p := range parties {
		d.Memberships = append(d.Memberships, src.Membership{Participant: p.id, CS: c.cs.ID, Left: now})
	}
	return d
}

// audioAndVideo are four m-lines: audio and video of one party, then of another.
func audioAndVideo() []src.StreamOffer {
	video := []src.Codec{{Name: "H.264", PayloadType: 99, ClockRate: 90000}}
	var offer []src.StreamOffer
	for _, label := range []string{"31", "32", "33", "34"} {
		o := src.StreamOffer{Label: label, Direction: src.SendOnly}
		if label == "32" || label == "34" {
			o.Media, o.Proto, o.Codecs = "video", "RTP/AVPF", video
		}
		offer = append(offer, o)
	}
	return offer
}

// pair is a call of two, each with audio and video.
func pair() (c *call, nora, desk party) {
	c = newCall()
	return c, c.party("sip:nora@example.com", "Nora", "31", "32"), c.party("sip:desk@example.org", "Desk", "33", "34")
}

// conference is a call of three and the one stream in which they are mixed: each sends
// and hears it.
func conference() (c *call, parties []party, offer []src.StreamOffer) {
	c = newCall()
	c.cs.SIPSessionIDs = append(c.cs.SIPSessionIDs, c.dialog())
	nora := c.party("sip:nora@example.com", "Nora", "31")
	desk := party{id: c.ids.ID(), aor: "sip:desk@example.org", name: "Desk", streams: nora.streams}
	ines := party{id: c.ids.ID(), aor: "tel:+15550142", streams: nora.streams}
	return c, []party{nora, desk, ines}, []src.StreamOffer{{Label: "31", Direction: src.SendOnly}}
}

// mix is the snapshot of a call whose parties share one stream, as a focus tells it: no
// group and no association of the recording session.
func (c *call) mix(parties ...party) src.Document {
	d := c.snapshot(parties...)
	d.Groups, d.NoRecordingAssoc = nil, true
	d.CSs[0].GroupRef = ""
	d.Streams = d.Streams[:1]
	d.Associations = sharing(parties...)
	return d
}

// sharing has each party send and hear the one stream.
func sharing(parties ...party) []src.Association {
	var out []src.Association
	for _, p := range parties {
		out = append(out, src.Association{Participant: p.id, Send: p.sends(), Recv: p.sends()})
	}
	return out
}
