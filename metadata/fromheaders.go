package metadata

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// FromHeaders makes a document of the header fields of devices that record
// without RFC 7865 (layout L0): Cisco CUBE network-based recording names the
// participants and their m-lines, the built-in bridge of a Cisco phone names both
// ends in From. It returns nil when there is neither. b is the SDP of the same
// message, as for [Model.Apply], to which the document is then given.
//
// The ids are made up from the addresses: the same message gives the same ids,
// and another address in a later message is another participant.
func FromHeaders(hs []HeaderField, b Binding) *Document {
	if d := fromParticipants(hs, b); d != nil {
		return d
	}
	return fromBridge(hs, b)
}

// The communication session of a document made of header fields, and how long
// an m-line number in them may be.
const (
	headerComm    = ID("communication session of the header fields")
	maxMediaIndex = 999
)

func newHeaderDocument(comm ID) *Document {
	return &Document{
		Layout: L0, CommunicationSessions: []CommunicationSession{{ID: comm}}, fixed: make(map[ID]int),
	}
}

// addParticipant adds a participant who sends the streams of some m-lines.
func (d *Document) addParticipant(id ID, aor string, sends []int) {
	p := Participant{ID: id}
	if aor != "" {
		p.NameIDs = []NameID{{AOR: aor}}
	}
	comm := d.CommunicationSessions[0].ID
	d.Participants = append(d.Participants, p)
	d.Memberships = append(d.Memberships, Membership{Participant: id, CommunicationSession: comm})
	if len(sends) == 0 {
		return
	}
	a := StreamAssoc{Participant: id}
	for _, index := range sends {
		a.Send = append(a.Send, lineStream(index))
	}
	d.StreamAssocs = append(d.StreamAssocs, a)
}

func lineStream(index int) ID { return ID(fmt.Sprintf("stream on m-line %d", index)) }

// addStreams adds the streams of some m-lines, each bound to its own.
func (d *Document) addStreams(indices []int, b Binding) {
	slices.Sort(indices)
	for _, index := range slices.Compact(indices) {
		s := Stream{ID: lineStream(index), CommunicationSession: d.CommunicationSessions[0].ID}
		for _, l := range b {
			if l.Index == index {
				s.Label = l.Label
			}
		}
		d.fixed[s.ID] = index
		d.Streams = append(d.Streams, s)
	}
}

// fromParticipants reads the lines
//
//	X-Cisco-Recording-Participant: sip:user@host;media-index="0 2"
//
// which say who sends on which m-line, counted from 0 (Cisco CUBE, network-based
// recording).
func fromParticipants(hs []HeaderField, b Binding) *Document {
	d := newHeaderDocument(headerComm)
	lines := make(map[string][]int)
	var order []string
	var all []int
	for _, h := range hs {
		if !strings.EqualFold(strings.TrimSpace(h.Name), "X-Cisco-Recording-Participant") {
			continue
		}
		for _, item := range splitList(h.Value) {
			n := parseNameAddr(item)
			if n.uri == "" {
				continue
			}
			if _, known := lines[n.uri]; !known {
				order = append(order, n.uri)
			}
			indices := mediaIndices(n.param("media-index"))
			lines[n.uri] = append(lines[n.uri], indices...)
			all = append(all, indices...)
		}
	}
	if len(order) == 0 {
		return nil
	}
	for _, uri := range order {
		slices.Sort(lines[uri])
		d.addParticipant(ID("participant "+uri), uri, slices.Compact(lines[uri]))
	}
	d.addStreams(all, b)
	return d
}

func mediaIndices(s string) []int {
	var out []int
	for _, word := range strings.FieldsFunc(s, func(c rune) bool { return c == ' ' || c == ',' || c == '\t' }) {
		if n, err := strconv.Atoi(word); err == nil && n >= 0 && n <= maxMediaIndex {
			out = append(out, n)
		}
	}
	return out
}

// ends is what From of a built-in bridge says. Each end has a dialog of its own;
// both name both ends.
type ends struct {
	params     nameAddr // of the URI
	near, far  string   // addresses
	sendsFar   bool     // this dialog carries the far end
	sidesKnown bool
}

// parseEnds reads From of a built-in bridge (Cisco Unified CM, call recording):
//
//	From: <sip:5550101@192.0.2.9;x-nearend;x-refci=2;x-nearendaddr=5550101;x-farendrefci=1;x-farendaddr=5550102>
//
// and reports false for any other.
func parseEnds(from string) (ends, bool) {
	uri := parseNameAddr(from).uri
	if !strings.Contains(uri, ";") {
		uri = from // parameters outside the brackets, or none
	}
	_, params, _ := strings.Cut(uri, ";")
	e := ends{params: nameAddr{uri: uri, params: parseParams(params)}}
	e.sendsFar = e.params.has("x-farend")
	e.sidesKnown = e.sendsFar != e.params.has("x-nearend")
	if !e.sidesKnown && !e.params.has("x-refci") {
		return ends{}, false
	}
	e.far = e.params.param("x-farendaddr")
	if e.near = e.params.param("x-nearendaddr"); e.near == "" {
		e.near = parseAddress(from).user // older releases
	}
	return e, true
}

func nearID(e ends) ID { return ID(strings.TrimSpace("near end " + e.near)) }
func farID(e ends) ID  { return ID(strings.TrimSpace("far end " + e.far)) }

// fromBridge makes a document of From of a built-in bridge. The communication
// session is named after the call references, which both dialogs share.
func fromBridge(hs []HeaderField, b Binding) *Document {
	for _, h := range hs {
		if name := strings.ToLower(strings.TrimSpace(h.Name)); name != "from" && name != "f" {
			continue
		}
		e, ok := parseEnds(h.Value)
		if !ok {
			return nil
		}
		d := newHeaderDocument(ID("call " + e.params.param("x-refci") + " " + e.params.param("x-farendrefci")))
		index := 0
		if len(b) > 0 {
			index = b[0].Index
		}
		var near, far []int
		switch {
		case e.sendsFar && e.sidesKnown:
			far = []int{index}
		case e.sidesKnown:
			near = []int{index}
		}
		d.addParticipant(nearID(e), e.near, near)
		d.addParticipant(farID(e), e.far, far)
		d.addStreams([]int{index}, b)
		return d
	}
	return nil
}
