package src

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"strings"
	"time"
)

// A Document is recording metadata to be written (RFC 7865 §5). Elements are
// written in the order of the schema (§9) and only when they are there.
type Document struct {
	Partial      bool // datamode partial instead of complete (RFC 7865 §5.1.2)
	Groups       []Group
	CSs          []CommunicationSession
	Participants []Participant
	Streams      []MediaStream
	// NoRecordingAssoc leaves out the sessionrecordingassoc elements.
	NoRecordingAssoc bool
	Memberships      []Membership
	Associations     []Association
	// Zone writes times with a numeric zone without colon instead of Z.
	Zone bool
	// Extra is XML of other namespaces, written last.
	Extra string
}

// A Group bundles communication sessions (RFC 7865 §6.2).
type Group struct {
	ID    string
	Start time.Time
}

// A CommunicationSession is a session element (RFC 7865 §6.3).
type CommunicationSession struct {
	ID            string
	SIPSessionIDs []string
	GroupRef      string
	Start, Stop   time.Time // zero is left out
}

// A Participant is one party (RFC 7865 §6.5).
type Participant struct {
	ID, AOR, Name string
}

// A MediaStream is a stream element (RFC 7865 §6.7).
type MediaStream struct {
	ID, CS, Label string
}

// A Membership is a participantsessionassoc (RFC 7865 §6.6).
type Membership struct {
	Participant, CS string
	Joined, Left    time.Time // zero is left out
}

// An Association is a participantstreamassoc (RFC 7865 §6.8): the ids of the
// streams a participant sends and receives.
type Association struct {
	Participant string
	Send, Recv  []string
}

// ID makes an identifier of RFC 7865 §6.10: a random UUID in base64.
func (g *IDs) ID() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], g.uint64())
	binary.BigEndian.PutUint64(b[8:], g.uint64())
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80 // RFC 4122 §4.4
	return base64.StdEncoding.EncodeToString(b[:])
}

// UUID makes one half of a Session-ID (RFC 7989 §4).
func (g *IDs) UUID() string { return g.token() + g.token() }

// metadataWriter writes indented XML with escaped values.
type metadataWriter struct {
	b    strings.Builder
	zone bool
}

// open writes a start tag; attributes come as name and value in turn, and those
// with an empty value are left out.
func (w *metadataWriter) open(depth int, name string, attributes ...string) {
	w.b.WriteString(strings.Repeat("  ", depth) + "<" + name)
	for i := 0; i+1 < len(attributes); i += 2 {
		if attributes[i+1] != "" {
			w.b.WriteString(" " + attributes[i] + `="` + escape(attributes[i+1]) + `"`)
		}
	}
	w.b.WriteString(">\n")
}

func (w *metadataWriter) close(depth int, name string) {
	w.b.WriteString(strings.Repeat("  ", depth) + "</" + name + ">\n")
}

func (w *metadataWriter) text(depth int, name, value string) {
	w.b.WriteString(strings.Repeat("  ", depth) + "<" + name + ">" + escape(value) + "</" + name + ">\n")
}

func (w *metadataWriter) time(depth int, name string, at time.Time) {
	switch {
	case at.IsZero():
	case w.zone:
		w.text(depth, name, at.Format("2006-01-02T15:04:05-0700"))
	default: // RFC 7865 §6.9: RFC 3339 with capital T and Z
		w.text(depth, name, at.UTC().Format("2006-01-02T15:04:05.999Z"))
	}
}

// escape makes a value safe as text and as an attribute. The builder behind
// EscapeText cannot fail.
func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

// XML writes the document.
func (d Document) XML() []byte {
	w := &metadataWriter{zone: d.Zone}
	w.b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	w.open(0, "recording", "xmlns", "urn:ietf:params:xml:ns:recording:1")
	mode := "complete"
	if d.Partial {
		mode = "partial"
	}
	w.text(1, "datamode", mode)
	d.things(w)
	d.associations(w)
	if d.Extra != "" {
		w.b.WriteString(d.Extra + "\n")
	}
	w.close(0, "recording")
	return []byte(w.b.String())
}

func (d Document) things(w *metadataWriter) {
	for _, g := range d.Groups {
		w.open(1, "group", "group_id", g.ID)
		w.time(2, "associate-time", g.Start)
		w.close(1, "group")
	}
	for _, cs := range d.CSs {
		w.open(1, "session", "session_id", cs.ID)
		for _, id := range cs.SIPSessionIDs {
			w.text(2, "sipSessionID", id)
		}
		if cs.GroupRef != "" {
			w.text(2, "group-ref", cs.GroupRef)
		}
		w.time(2, "start-time", cs.Start)
		w.time(2, "stop-time", cs.Stop)
		w.close(1, "session")
	}
	for _, p := range d.Participants {
		w.open(1, "participant", "participant_id", p.ID)
		w.open(2, "nameID", "aor", p.AOR)
		if p.Name != "" {
			w.text(3, "name", p.Name)
		}
		w.close(2, "nameID")
		w.close(1, "participant")
	}
	for _, s := range d.Streams {
		w.open(1, "stream", "stream_id", s.ID, "session_id", s.CS)
		if s.Label != "" {
			w.text(2, "label", s.Label)
		}
		w.close(1, "stream")
	}
}

func (d Document) associations(w *metadataWriter) {
	if !d.NoRecordingAssoc && !d.Partial {
		for _, cs := range d.CSs {
			w.open(1, "sessionrecordingassoc", "session_id", cs.ID)
			w.time(2, "associate-time", cs.Start)
			w.close(1, "sessionrecordingassoc")
		}
	}
	for _, m := range d.Memberships {
		w.open(1, "participantsessionassoc", "participant_id", m.Participant, "session_id", m.CS)
		w.time(2, "associate-time", m.Joined)
		w.time(2, "disassociate-time", m.Left)
		w.close(1, "participantsessionassoc")
	}
	for _, a := range d.Associations {
		w.open(1, "participantstreamassoc", "participant_id", a.Participant)
		for _, id := range a.Send {
			w.text(2, "send", id)
		}
		for _, id := range a.Recv {
			w.text(2, "recv", id)
		}
		w.close(1, "participantstreamassoc")
	}
}
