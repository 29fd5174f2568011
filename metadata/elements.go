package metadata

import (
	"fmt"
	"strings"
)

// identify returns the id of an element and the id as sent, and makes one up for
// an element without, from its label or its place in the document.
func (r *reader) identify(n node, kind Kind, place int, label string) (ID, string) {
	raw, _ := n.attr(spellings(ownID, kind))
	id := ParseID(raw)
	if id == "" {
		r.odd(oddNoID)
		if label != "" {
			id = ID(fmt.Sprintf("%s labelled %s", kind, label))
		} else {
			id = ID(fmt.Sprintf("%s %d", kind, place+1))
		}
	}
	key := kindedID{kind, id}
	if r.ids[key] {
		r.odd(oddDuplicate)
	}
	r.ids[key] = true
	return id, raw
}

// ref returns the id in an attribute that refers to another element.
func ref(n node, role attrRole) ID {
	raw, _ := n.attr(spellings(role, 0))
	return ParseID(raw)
}

func (r *reader) time(n node) Time {
	t := parseTime(n.text())
	if t.Odd {
		r.odd(oddTime)
	}
	return t
}

// own reports whether an element belongs to the recording and not to an
// extension of it.
func (r *reader) own(n node) bool {
	return n.namespace == r.seen.namespace || knownNamespace(n.namespace)
}

// readFields calls field for each child of n that belongs to the recording, and
// keeps those it does not take, and all others, as extensions.
func (r *reader) readFields(n node, field func(c node) bool) []Extension {
	var kept []Extension
	n.children(func(c node) {
		if !r.own(c) || !field(c) {
			kept = append(kept, c.extension())
		}
	})
	return kept
}

// readSpan takes the children that say when something began and ended, under the
// names of the associations, and of the drafts, which use both for everything.
func (r *reader) readSpan(c node, begin, end *Time) bool {
	switch c.local {
	case "associate-time", "start-time":
		*begin = r.time(c)
	case "disassociate-time", "stop-time":
		*end = r.time(c)
	default:
		return false
	}
	return true
}

func (r *reader) readGroup(n node) {
	var g Group
	g.ID, g.Raw = r.identify(n, GroupKind, len(r.doc.Groups), "")
	g.Extensions = r.readFields(n, func(c node) bool {
		return r.readSpan(c, &g.Associate, &g.Disassociate)
	})
	r.doc.Groups = append(r.doc.Groups, g)
}

func (r *reader) readCommunicationSession(n node) {
	var cs CommunicationSession
	cs.ID, cs.Raw = r.identify(n, CommunicationSessionKind, len(r.doc.CommunicationSessions), "")
	cs.Group = ref(n, groupRef)
	cs.Extensions = r.readFields(n, func(c node) bool {
		switch c.local {
		case "sipsessionid":
			// Examples break the line at the semicolon (RFC 7989 allows none).
			if s := removeSpace(c.text()); s != "" {
				cs.SIPSessionIDs = append(cs.SIPSessionIDs, s)
			}
		case "reason":
			cs.Reasons = append(cs.Reasons, readReason(c))
		case "group-ref":
			cs.Group = ParseID(c.text())
		default:
			return r.readSpan(c, &cs.Start, &cs.Stop)
		}
		return true
	})
	r.doc.CommunicationSessions = append(r.doc.CommunicationSessions, cs)
}

func readReason(c node) Reason {
	reason := Reason{Protocol: c.attrNamed("protocol"), Cause: c.attrNamed("cause"), Text: c.text()}
	if reason.Protocol == "" {
		reason.Protocol = "SIP" // RFC 7865 §9
	}
	return reason
}

// readParticipant reads a participant and, in the layouts before RFC 7865, its
// membership and what it sends and receives.
func (r *reader) readParticipant(n node) {
	var p Participant
	p.ID, p.Raw = r.identify(n, ParticipantKind, len(r.doc.Participants), "")
	member := Membership{Participant: p.ID, CommunicationSession: ref(n, commRef)}
	media := StreamAssoc{Participant: p.ID}
	var names []NameID
	p.Extensions = r.readFields(n, func(c node) bool {
		switch c.local {
		case "nameid":
			p.NameIDs = append(p.NameIDs, r.readNameID(c))
		case "aor":
			r.seen.aorChild = true
			p.NameIDs = append(p.NameIDs, NameID{AOR: c.text()})
		case "name":
			names = append(names, NameID{Name: c.text(), Lang: c.attrNamed("lang")})
		case "send":
			r.seen.inline = true
			media.Send = appendRef(media.Send, r.streamRef(c))
		case "recv":
			r.seen.inline = true
			media.Recv = appendRef(media.Recv, r.streamRef(c))
		default:
			return r.readSpan(c, &member.Associate, &member.Disassociate)
		}
		return true
	})
	nameAORs(&p, names)
	r.doc.Participants = append(r.doc.Participants, p)
	if member.CommunicationSession != "" {
		r.seen.inline = r.seen.inline || n.attrNamed("session") != ""
		r.doc.Memberships = append(r.doc.Memberships, member)
	}
	if media.Send != nil || media.Recv != nil {
		r.doc.StreamAssocs = append(r.doc.StreamAssocs, media)
	}
}

// nameAORs gives the names that stand beside aor elements to those, in order.
func nameAORs(p *Participant, names []NameID) {
	for i, n := range names {
		if i == len(p.NameIDs) {
			p.NameIDs = append(p.NameIDs, n)
			continue
		}
		if p.NameIDs[i].Name == "" {
			p.NameIDs[i].Name, p.NameIDs[i].Lang = n.Name, n.Lang
		}
	}
}

func (r *reader) readNameID(n node) NameID {
	id := NameID{AOR: strings.TrimSpace(n.attrNamed("aor"))}
	n.children(func(c node) {
		switch {
		case c.local == "name" && r.own(c):
			id.Name, id.Lang = c.text(), c.attrNamed("lang")
		case c.local == "aor" && id.AOR == "":
			id.AOR = c.text()
		}
	})
	return id
}

// streamRef reads a send or recv element: the id of a stream, or an id element
// that holds it (L3).
func (r *reader) streamRef(c node) ID {
	id := ParseID(c.text())
	c.children(func(inner node) {
		if id == "" && inner.local == "id" {
			id = ParseID(inner.text())
		}
	})
	return id
}

// appendRef leaves out empty references, but not that there was a list.
func appendRef(ids []ID, id ID) []ID {
	if ids == nil {
		ids = []ID{}
	}
	if id == "" {
		return ids
	}
	return append(ids, id)
}

func (r *reader) readStream(n node) {
	var s Stream
	label, _ := n.attr(spellings(labelAttr, 0))
	s.Label = strings.TrimSpace(label)
	s.CommunicationSession = ref(n, commRef)
	s.Extensions = r.readFields(n, func(c node) bool {
		switch c.local {
		case "label":
			s.Label = c.text()
		case "mode":
			s.Mode = strings.ToLower(c.text())
		default:
			return false
		}
		return true
	})
	s.ID, s.Raw = r.identify(n, StreamKind, len(r.doc.Streams), s.Label)
	r.doc.Streams = append(r.doc.Streams, s)
}

func (r *reader) readRecordingAssoc(n node) {
	a := RecordingAssoc{CommunicationSession: ref(n, commRef)}
	a.Extensions = r.readFields(n, func(c node) bool {
		return r.readSpan(c, &a.Associate, &a.Disassociate)
	})
	r.noteMissing(a.CommunicationSession)
	r.doc.RecordingAssocs = append(r.doc.RecordingAssocs, a)
}

func (r *reader) readMembership(n node) {
	m := Membership{Participant: ref(n, partRef), CommunicationSession: ref(n, commRef)}
	m.Extensions = r.readFields(n, func(c node) bool {
		if c.local == "param" {
			m.Params = append(m.Params, Param{Name: c.attrNamed("pname"), Value: c.attrNamed("pval")})
			return true
		}
		return r.readSpan(c, &m.Associate, &m.Disassociate)
	})
	r.noteMissing(m.Participant)
	r.noteMissing(m.CommunicationSession)
	r.doc.Memberships = append(r.doc.Memberships, m)
}

func (r *reader) readStreamAssoc(n node) {
	a := StreamAssoc{Participant: ref(n, partRef)}
	a.Extensions = r.readFields(n, func(c node) bool {
		switch c.local {
		case "send":
			a.Send = appendRef(a.Send, r.streamRef(c))
		case "recv":
			a.Recv = appendRef(a.Recv, r.streamRef(c))
		default:
			return r.readSpan(c, &a.Associate, &a.Disassociate)
		}
		return true
	})
	r.noteMissing(a.Participant)
	r.doc.StreamAssocs = append(r.doc.StreamAssocs, a)
}

func (r *reader) noteMissing(id ID) {
	if id == "" {
		r.odd(oddNoReference)
	}
}
