package rules

import (
	"slices"
	"strings"

	"github.com/siprecd/siprecd/metadata"
)

// A dialectRow is what the facts and the order of a dialect are worth as evidence
// of who is who. A dialect without row is like the standard.
type dialectRow struct {
	dialect metadata.Dialect
	words   string
	// named are the kinds of facts that name the recorded user here and something
	// else, or nobody, elsewhere.
	named []metadata.FactKind
	// label is that of the stream which the recorded user sends, when the call
	// has several.
	label string
	// callerFirst: the first participant called.
	callerFirst bool
	// ownDomain: who has an AOR host that a named user has is a colleague, but
	// not with a number of so many digits, or with + or user=phone.
	ownDomain  bool
	phoneDigit int
	// suffix is how many last digits must be equal where the dialect writes one
	// number with and without country code. 0 is that no suffix is enough.
	suffix int
	// named only internal: a display name is shown for own people only.
	ownNames bool
	// noNumbers: calling and called number cannot be trusted.
	noNumbers bool
}

// dialects is the table. The sources are the vendors' descriptions and samples of
// what their devices send.
var dialects = [...]dialectRow{
	// RFC 7865 says nothing of order; who sends nothing beyond it (OpenSIPS and
	// others) describes the caller first.
	{dialect: metadata.DialectStandard, words: "RFC 7865", callerFirst: true},
	// The rows below with callerFirst describe the caller first, as far as is known.
	// Oracle: apkt:callingParty per participant, and nothing of the recorded one.
	{dialect: metadata.DialectAcme, words: "Oracle"},
	// AudioCodes: the first is the recorded side of the recording rule, or not.
	{dialect: metadata.DialectAudioCodes, words: "AudioCodes"},
	// Avaya: what is asserted for the recording session is the recorded leg.
	{dialect: metadata.DialectAvaya, words: "Avaya", named: []metadata.FactKind{metadata.FactAsserted}},
	// BroadWorks and Webex: initiator and userID are the recorded user, whose
	// stream is 1. Colleagues have the domain of the user, telephone numbers have
	// user=phone; lines may be long numbers.
	{dialect: metadata.DialectBroadWorks, words: "BroadWorks", label: "1", ownDomain: true,
		named: []metadata.FactKind{metadata.FactInitiator, metadata.FactUserID}},
	// CUBE: the first is the anchor leg. A display name is known for those of the
	// call manager. Built-in bridge: near and far end.
	{dialect: metadata.DialectCisco, words: "Cisco", ownNames: true},
	{dialect: metadata.DialectGoogle, words: "Google", callerFirst: true},
	// jambonz: the two numbers are exchanged in some releases; the AORs are right.
	{dialect: metadata.DialectJambonz, words: "jambonz", callerFirst: true, noNumbers: true},
	// Metaswitch: recordedParty with, nameID without country code.
	{dialect: metadata.DialectMetaswitch, words: "Metaswitch", suffix: 7},
	// NetSapiens: users are the recorded subscribers; not to be listed proves
	// nothing. Numbers of the network may have the domain of the tenant.
	{dialect: metadata.DialectNetSapiens, words: "NetSapiens", callerFirst: true, ownDomain: true, phoneDigit: 10,
		named: []metadata.FactKind{metadata.FactUserID}},
	{dialect: metadata.DialectRibbon, words: "Ribbon", callerFirst: true},
	{dialect: metadata.DialectSEMS, words: "SEMS", callerFirst: true},
	{dialect: metadata.DialectTelnyx, words: "Telnyx", callerFirst: true},
}

// rowOf returns what is known of a dialect. One without row has its own name.
func rowOf(d metadata.Dialect) dialectRow {
	for _, row := range dialects {
		if row.dialect == d {
			return row
		}
	}
	return dialectRow{words: string(d), callerFirst: true}
}

// A nameRow is a kind of fact that names a party, in whatever dialect.
type nameRow struct {
	kind  metadata.FactKind
	role  Role
	words string
}

// partyFacts are the facts that say what a party is. The role RoleAgent stands
// for the role that the directory gives to own people.
var partyFacts = [...]nameRow{
	{metadata.FactQueueNumber, RoleQueue, "queue number"},
	{metadata.FactQueueName, RoleQueue, "queue name"},
	{metadata.FactQueueID, RoleQueue, "queue"},
	{metadata.FactSupervisor, RoleSupervisor, "supervisor"},
	{metadata.FactInitiator, RoleAgent, "initiator"},
	{metadata.FactRecordedParty, RoleAgent, "recorded party"},
	{metadata.FactUserID, RoleAgent, "user"},
	{metadata.FactAgentID, RoleAgent, "agent"},
	{metadata.FactNearEnd, RoleAgent, "near end"},
	{metadata.FactAsserted, RoleAgent, "asserted identity of the recorded leg"},
}

// names reports whether a fact of that kind names a party.
func (row dialectRow) names(kind metadata.FactKind) bool {
	switch kind {
	case metadata.FactInitiator, metadata.FactUserID, metadata.FactAsserted:
		return slices.Contains(row.named, kind)
	default:
		return true
	}
}

// fieldWords says in short where a fact stood: the last name of its path.
func fieldWords(f metadata.Fact) string {
	field := f.Field[strings.LastIndexByte(f.Field, '/')+1:]
	if field == "" {
		field = f.Value
	}
	return rowOf(f.Dialect).words + " " + field
}
