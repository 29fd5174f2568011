package metadata

import (
	"path"
	"strings"
)

// A headerRow says what a header field of a SIP message means. The name is in
// lower case; a * stands for any part of it.
type headerRow struct {
	name    string
	kind    FactKind
	dialect Dialect
	form    headerForm
}

// A headerForm says how the value of a fact is made from a header field.
type headerForm int

const (
	wholeField  headerForm = iota // one fact of the value as sent
	eachAddress                   // one of each address in a list
	callID                        // a universal call id; other contents are a FactHeader
	bridgeFrom                    // From of a phone's built-in bridge, see fromBridge
	purposeURI                    // Call-Info: the URI of a known purpose
)

// headerRows is all that is read from header fields. The first row counts.
var headerRows = [...]headerRow{
	{"user-to-user", FactUCID, DialectAvaya, callID}, // RFC 7433, Avaya UCID
	{"x-isr-ucid", FactUCID, DialectAcme, wholeField},
	{"x-*ucid", FactUCID, DialectAvaya, wholeField},
	{"cisco-guid", FactCallID, DialectCisco, wholeField},
	{"cisco-gucid", FactUCID, DialectCisco, wholeField},
	{"x-broadworks-correlation-info", FactTrackingID, DialectBroadWorks, wholeField},
	{"x-genesys-calluuid", FactCallID, DialectGenesys, wholeField},
	{"x-audc-call-id", FactCallID, DialectAudioCodes, wholeField},
	{"x-ac-action", FactAction, DialectAudioCodes, wholeField},
	{"x-*agentid", FactAgentID, "", wholeField},
	{"x-*agent-id", FactAgentID, "", wholeField},
	{"session-id", FactCallID, DialectSIP, wholeField},             // RFC 7989
	{"p-asserted-identity", FactAsserted, DialectSIP, eachAddress}, // RFC 3325 §9.1
	{"remote-party-id", FactAsserted, DialectSIP, eachAddress},     // its predecessor
	{"diversion", FactDivertedFrom, DialectSIP, eachAddress},       // RFC 5806
	{"call-info", FactCallID, DialectGoogle, purposeURI},           // RFC 3261 §20.9
	{"from", FactNearEnd, DialectCisco, bridgeFrom},
	{"f", FactNearEnd, DialectCisco, bridgeFrom}, // RFC 3261 §7.3.3
}

// HeaderFacts returns what the header fields of a SIP message tell beyond RFC
// 7866, in their order.
func HeaderFacts(hs []HeaderField) []Fact {
	var out []Fact
	for _, h := range hs {
		name := strings.ToLower(strings.TrimSpace(h.Name))
		for _, row := range headerRows {
			if row.matches(name) {
				out = append(out, row.facts(h)...)
				break
			}
		}
	}
	return append(out, recordedUser(hs)...)
}

func (r headerRow) matches(name string) bool {
	if !strings.Contains(r.name, "*") {
		return r.name == name
	}
	ok, _ := path.Match(r.name, name) // the patterns are our own
	return ok
}

func (r headerRow) facts(h HeaderField) []Fact {
	value := strings.TrimSpace(h.Value)
	fact := Fact{Kind: r.kind, Value: value, Dialect: r.dialect, Field: strings.TrimSpace(h.Name)}
	if value == "" {
		return nil
	}
	switch r.form {
	case eachAddress:
		return eachOf(fact, value, func(item nameAddr) string { return item.uri })
	case purposeURI:
		return eachOf(fact, value, func(item nameAddr) string {
			if !strings.EqualFold(item.param("purpose"), "Goog-ContactCenter-Conversation") {
				return ""
			}
			return item.uri
		})
	case callID:
		if id, _, _ := strings.Cut(value, ";"); !isUCID(strings.TrimSpace(id)) {
			fact.Kind, fact.Dialect, fact.Value = FactHeader, DialectSIP, fact.Field+": "+value
		}
	case bridgeFrom:
		return bridgeFacts(fact, value)
	}
	return []Fact{fact}
}

// eachOf makes a fact of each item of a list that has a value.
func eachOf(fact Fact, list string, value func(nameAddr) string) []Fact {
	var out []Fact
	for _, item := range splitList(list) {
		if fact.Value = value(parseNameAddr(item)); fact.Value != "" {
			out = append(out, fact)
		}
	}
	return out
}

// recordedUser reads From of BroadWorks and Webex Calling: it is the number of
// the user whose calls are recorded. They are known by their own header field, or
// by what they accept.
func recordedUser(hs []HeaderField) []Fact {
	var from HeaderField
	ours := false
	for _, h := range hs {
		switch name := strings.ToLower(strings.TrimSpace(h.Name)); {
		case name == "from" || name == "f":
			from = h
		case strings.HasPrefix(name, "x-broadworks-"):
			ours = true
		case name == "accept":
			ours = ours || strings.Contains(strings.ToLower(h.Value), "x-broadworks-")
		}
	}
	uri := parseNameAddr(from.Value).uri
	if !ours || uri == "" {
		return nil
	}
	return []Fact{{Kind: FactRecordedParty, Value: uri, Dialect: DialectBroadWorks, Field: strings.TrimSpace(from.Name)}}
}

// bridgeParams is what the parameters of From of a built-in bridge mean (Cisco
// Unified CM, call recording).
var bridgeParams = [...]struct {
	name string
	kind FactKind
}{
	{"x-nearendaddr", FactNearEnd}, {"x-farendaddr", FactFarEnd},
	{"x-refci", FactCallID}, {"x-farendrefci", FactCallID},
	{"x-nearendguid", FactCallID}, {"x-farendguid", FactCallID},
	{"x-nearenddevice", FactDevice}, {"x-farenddevice", FactDevice},
}

func bridgeFacts(fact Fact, from string) []Fact {
	e, ok := parseEnds(from)
	if !ok {
		return nil
	}
	var out []Fact
	for _, p := range bridgeParams {
		f := fact
		f.Kind, f.Value, f.Field = p.kind, e.params.param(p.name), fact.Field+"/"+p.name
		switch {
		case p.name == "x-nearendaddr":
			f.Value, f.About, f.Of = e.near, nearID(e), ParticipantKind
		case p.name == "x-farendaddr":
			f.About, f.Of = farID(e), ParticipantKind
		case p.name == "x-nearenddevice":
			f.About, f.Of = nearID(e), ParticipantKind
		case p.name == "x-farenddevice":
			f.About, f.Of = farID(e), ParticipantKind
		}
		if f.Value != "" {
			out = append(out, f)
		}
	}
	return out
}
