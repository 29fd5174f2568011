package policy

import "fmt"

// A Dialect is the manner in which an SRC writes metadata and holds.
type Dialect string

// The dialects. Each is written here from what the field knows of it; none is read by
// code of the server.
const (
	// Standard is RFC 7865: groups, memberships and associations, and snapshots and
	// partial documents in turn.
	Standard Dialect = "RFC 7865"
	// Consults is RFC 7865 with a communication session of its own for each consult, in
	// the group of the call (RFC 8068 §3.3), so that no command tells of them.
	Consults Dialect = "RFC 7865, consults on the wire"
	// Legs is RFC 7865 with a recording session of its own, in the same group, for each
	// of the own people who comes later, as an SBC on his side makes it.
	Legs Dialect = "RFC 7865, an own recording session for each further agent"
	// OpenSIPS writes complete documents without group, membership and association,
	// and times with a zone: who sends is told by the labels and the order. It pauses
	// by inactive m-lines, and shows no hold.
	OpenSIPS Dialect = "OpenSIPS"
	// BroadWorks writes complete documents with its extension data, and gives
	// everybody new ids when somebody comes or goes. It pauses by c=0.0.0.0, and shows
	// no hold.
	BroadWorks Dialect = "BroadWorks"
)

// Dialects are all of them.
func Dialects() []Dialect { return []Dialect{Standard, Consults, Legs, OpenSIPS, BroadWorks} }

// write writes the document about some news.
func (d Dialect) write(c *call, l *leg, n news) []byte {
	switch d {
	case OpenSIPS:
		doc := c.complete(l)
		doc.Groups, doc.Memberships, doc.Associations = nil, nil, nil
		doc.NoRecordingAssoc, doc.Zone = true, true
		doc.CSs[0].GroupRef, doc.CSs[0].SIPSessionIDs = "", []string{c.ids.UUID() + "@192.0.2.40"}
		return doc.XML()
	case BroadWorks:
		for _, p := range c.parties {
			if c.updates > 1 {
				p.ids = append(p.ids, p.id)
				p.id, p.stream = c.ids.ID(), c.ids.ID()
			}
		}
		doc := c.complete(l)
		doc.Extra = c.broadWorks()
		return doc.XML()
	}
	if d == Standard && c.updates%2 == 0 {
		return c.partial(l, n).XML()
	}
	return c.complete(l).XML()
}

// broadWorks is the extension data of a call.
func (c *call) broadWorks() string {
	kind := "termCall"
	if c.scenario.Events[0].Name == "out" {
		kind = "origCall"
	}
	return fmt.Sprintf(`  <broadWorksRecordingMetadata xmlns="http://schema.broadsoft.com/broadworksCallRecording" schemaVersion="4.0">
    <extTrackingID>%s</extTrackingID>
    <callID>%s</callID>
    <callType><%s></%s></callType>
  </broadWorksRecordingMetadata>`, c.group, c.legs[0].cs.ID, kind, kind)
}
