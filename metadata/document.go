package metadata

import "slices"

// A Mode says what a document replaces (RFC 7865 §5.1.2).
type Mode int

// The modes.
const (
	Complete Mode = iota // everything that is true now; also when no mode is given
	Partial              // only what changed
)

// String returns the word of the standard.
func (m Mode) String() string {
	if m == Partial {
		return "partial"
	}
	return "complete"
}

// A Document is one recording metadata document, in the terms of RFC 7865
// whatever its layout: what older layouts write inside a participant is here a
// Membership and a StreamAssoc. Elements are in the order of the document.
type Document struct {
	Mode   Mode
	Layout Layout

	Groups                []Group
	CommunicationSessions []CommunicationSession
	Participants          []Participant
	Streams               []Stream
	RecordingAssocs       []RecordingAssoc
	Memberships           []Membership
	StreamAssocs          []StreamAssoc

	// Extensions are the elements below the root that RFC 7865 does not define.
	Extensions []Extension
	// Oddities are the departures from RFC 7865 that were tolerated, each kind
	// once, in words that quote nothing of the document.
	Oddities []string

	fixed map[ID]int // m-lines of streams that no label binds (L0)
}

// Repaired reports whether the document was not well-formed XML, and is what could be
// read of it.
func (d *Document) Repaired() bool { return slices.Contains(d.Oddities, oddRepaired) }

// A Group is a CS-Group (RFC 7865 §6.2): communication sessions that belong
// together, for example before and after a transfer.
type Group struct {
	ID                      ID
	Raw                     string // the id as sent
	Associate, Disassociate Time
	Extensions              []Extension
}

// A CommunicationSession is a CS (RFC 7865 §6.3).
type CommunicationSession struct {
	ID            ID
	Raw           string   // the id as sent
	SIPSessionIDs []string // RFC 7989 "local;remote=uuid", without white space
	Reasons       []Reason
	Group         ID   // group-ref; empty when absent
	Start, Stop   Time // Stop is set when it is over
	Extensions    []Extension
}

// A Reason says why a communication session ended (RFC 7865 §6.3.1, RFC 3326).
type Reason struct {
	Protocol string // SIP when absent
	Cause    string // as sent, a number; empty when absent
	Text     string
}

// A Participant is a party of a communication session (RFC 7865 §6.5).
type Participant struct {
	ID         ID
	Raw        string // the id as sent
	NameIDs    []NameID
	Extensions []Extension
}

// A NameID is an address of a participant and the name shown with it.
type NameID struct {
	AOR  string // sip, sips or tel URI; some devices send a number or user@host
	Name string // empty when absent
	Lang string // xml:lang of Name
}

// AORs returns the addresses of the participant.
func (p Participant) AORs() []string {
	var out []string
	for _, n := range p.NameIDs {
		if n.AOR != "" {
			out = append(out, n.AOR)
		}
	}
	return out
}

// Names returns the names of the participant.
func (p Participant) Names() []string {
	var out []string
	for _, n := range p.NameIDs {
		if n.Name != "" {
			out = append(out, n.Name)
		}
	}
	return out
}

// A Stream is a media stream (RFC 7865 §6.7).
type Stream struct {
	ID                   ID
	Raw                  string // the id as sent
	CommunicationSession ID     // empty while it is in none
	Label                string // a=label of its m-line (RFC 4574); empty when absent
	Mode                 string // separate or mixed, in the layouts before RFC 7865
	Extensions           []Extension
}

// A RecordingAssoc is a CS-RS association (RFC 7865 §6.4): when a communication
// session is recorded in this recording session.
type RecordingAssoc struct {
	CommunicationSession    ID
	Associate, Disassociate Time
	Extensions              []Extension
}

// A Membership is a participant-CS association (RFC 7865 §6.6).
type Membership struct {
	Participant, CommunicationSession ID
	Associate, Disassociate           Time // Disassociate is set when it left
	Params                            []Param
	Extensions                        []Extension
}

// A Param is a capability of a participant's contact, such as isfocus.
type Param struct{ Name, Value string }

// A StreamAssoc is a participant-stream association (RFC 7865 §6.8): all that the
// participant sends and receives. An empty list says that it does not.
type StreamAssoc struct {
	Participant             ID
	Send, Recv              []ID
	Associate, Disassociate Time
	Extensions              []Extension
}
