package metadata

// A vendor is how the extension data of one maker is recognised, and what its
// elements mean. Element is the one that holds all others; makers without such
// an element are known by a part of their namespace, in lower case: releases
// spell the rest in different ways. The prefix is for documents that never
// declare it.
type vendor struct {
	dialect           Dialect
	element           string
	namespace, prefix string
	rows              []factRow
}

// A factRow says what an element means. Path is that of local names below the
// element of the vendor, in lower case; a * stands for any part of one name.
type factRow struct {
	path string
	kind FactKind
	form factForm
	arg  string // see factForm
	who  subject
}

// A factForm says how the value of a fact is made from an element.
type factForm int

const (
	asText     factForm = iota // what stands in it
	asArg                      // arg, whatever stands in it
	asAttr                     // its attribute arg
	asWord                     // what stands in it, translated to a direction
	asTruth                    // true or false in any spelling
	asAddress                  // the address in header text
	asNamed                    // "name: value", with the element's own name
	asHeaders                  // a header field: the name in the attribute arg, the values inside
	asPresence                 // what stands in it, or arg when that is nothing
)

// A subject says what a fact is about.
type subject int

const (
	carrier   subject = iota // the element that holds the extension
	byAddress                // the participant whose address is the value
	byTail                   // as byAddress, national numbers included
)

// directions translates the words of vendors, seen from the recorded side.
var directions = map[string]string{
	"inbound": "inbound", "incoming": "inbound", "in": "inbound", "terminating": "inbound", "termcall": "inbound",
	"outbound": "outbound", "outgoing": "outbound", "out": "outbound", "originating": "outbound", "origcall": "outbound",
	"internal": "internal", "intra": "internal",
}

// vendors is all that is read from extension data.
var vendors = [...]vendor{
	// Oracle SBC, SIPREC extension data and its SPL options. The older release
	// writes the namespace with one slash.
	{dialect: DialectAcme, namespace: "acmepacket.com", prefix: "apkt:", rows: []factRow{
		{path: "callingparty", kind: FactCallingParty, form: asTruth},
		{path: "callerorig", kind: FactCallerOrig, form: asTruth},
		{path: "ucid", kind: FactUCID},
		{path: "realm*", kind: FactRealm},
		{path: "*realm", kind: FactRealm},
		{path: "request-uri", kind: FactRequestURI},
		{path: "requesturi", kind: FactRequestURI},
		{path: "header", kind: FactHeader, form: asHeaders, arg: "label"},
	}},
	// AudioCodes SBC, SIP recording manual: ids taken over from header fields.
	{dialect: DialectAudioCodes, namespace: "audiocodes", prefix: "ac:", rows: []factRow{
		{path: "*ucid", kind: FactUCID},
		{path: "*genesys*", kind: FactCallID},
		{path: "*calluuid", kind: FactCallID},
	}},
	// BroadWorks and Webex Calling, schema broadworksCallRecording 1.0 to 4.0. The
	// recorded user is the initiator of the group.
	{dialect: DialectBroadWorks, element: "initiator", rows: []factRow{
		{path: "", kind: FactInitiator, who: byAddress},
	}},
	{dialect: DialectBroadWorks, element: "broadworksrecordingmetadata", rows: []factRow{
		{path: "exttrackingid", kind: FactTrackingID},
		{path: "serviceproviderid", kind: FactTenant},
		{path: "groupid", kind: FactTenant},
		{path: "userid", kind: FactUserID, who: byAddress},
		{path: "callid", kind: FactCallID},
		{path: "calltype/origcall", kind: FactDirection, form: asArg, arg: "outbound"},
		{path: "calltype/termcall", kind: FactDirection, form: asArg, arg: "inbound"},
		{path: "calltype/*/callingpartynumber", kind: FactCallingNumber},
		{path: "calltype/*/calledpartynumber", kind: FactCalledNumber},
		{path: "calltype/*/dialeddigits", kind: FactDialled},
		{path: "calltype/*/redirectinfo/lastredirectnumber", kind: FactDivertedFrom},
		{path: "calltype/*/redirectinfo/origcallednumber", kind: FactOriginalCalled},
		{path: "calltype/*/redirectinfo/numofredirections", kind: FactRedirections},
		{path: "calltype/*supervis*", kind: FactSupervisor, form: asPresence, arg: "true"},
		{path: "*supervis*", kind: FactSupervisor, form: asPresence, arg: "true", who: byAddress},
		{path: "acd/acduserid", kind: FactQueueID},
		{path: "acd/acdname", kind: FactQueueName},
		{path: "acd/acdnumber", kind: FactQueueNumber},
		{path: "recordingtype", kind: FactRecordingMode},
		{path: "redirectedcall/newexttrackingid", kind: FactTrackingID},
		{path: "redirectedcall/redirectedfrompartynumber", kind: FactTransferFrom},
		{path: "redirectedcall/redirectedtopartynumber", kind: FactTransferTo}, // sent as ...ToPartynumber
	}},
	// Metaswitch CFS. It sends no namespace.
	{dialect: DialectMetaswitch, element: "metaswitchrecordingmetadata", rows: []factRow{
		{path: "calltype", kind: FactDirection, form: asWord},
		{path: "recordedparty", kind: FactRecordedParty, who: byTail},
		{path: "businessgroup", kind: FactTenant},
		{path: "department", kind: FactDepartment},
		{path: "username", kind: FactUserName},
		{path: "systemname", kind: FactSystem},
		{path: "callingpartynumber", kind: FactCallingNumber},
		{path: "calledpartynumber", kind: FactCalledNumber},
		{path: "dialeddigits", kind: FactDialled},
	}},
	// NetSapiens, schema netsapiensSipRec 1.0 and 1.1. A user is a recorded
	// subscriber, with the call as seen from there.
	{dialect: DialectNetSapiens, element: "netsapiensextension", rows: []factRow{
		{path: "groupseq", kind: FactGroupOrder},
		{path: "serviceproviderid", kind: FactTenant},
		{path: "user", kind: FactUserID, form: asAttr, arg: "userID"},
		{path: "user/resellerid", kind: FactTenant},
		{path: "user/site", kind: FactDepartment},
		{path: "user/department", kind: FactDepartment},
		{path: "user/calltype", kind: FactUserDirection, form: asWord},
		{path: "callingparty", kind: FactCallingParty, form: asArg, arg: "true"},
		{path: "calledparty", kind: FactCallingParty, form: asArg, arg: "false"},
		{path: "callingparty/number", kind: FactCallingNumber},
		{path: "calledparty/number", kind: FactCalledNumber},
		{path: "call*party/nameid/uid", kind: FactPartyID},
		{path: "byaction", kind: FactAction},
		{path: "byaor", kind: FactActionBy},
		{path: "byuserid", kind: FactActionBy},
		{path: "xferredgroupid", kind: FactTransferID},
		{path: "xferredsessionid", kind: FactTransferID},
	}},
	// Ribbon SBC Core. A metadata profile may rename the elements and add others:
	// those are kept with the name they have.
	{dialect: DialectRibbon, element: "calldata", rows: []factRow{
		{path: "fromhdr", kind: FactCallingNumber, form: asAddress},
		{path: "tohdr", kind: FactCalledNumber, form: asAddress},
		{path: "callid", kind: FactCallID},
		{path: "gcid", kind: FactTrackingID},
		{path: "*", kind: FactHeader, form: asNamed},
	}},
	// jambonz. The two numbers are exchanged, see setRightNumbers.
	{dialect: DialectJambonz, namespace: "jambonz", prefix: "jb:", rows: []factRow{
		{path: "callsid", kind: FactCallID},
		{path: "direction", kind: FactDirection, form: asWord},
		{path: "accountsid", kind: FactTenant},
		{path: "applicationsid", kind: FactApplication},
		{path: "recordingid", kind: FactRecordingID},
		{path: "originationsource", kind: FactSource},
		{path: "carrier", kind: FactRealm},
		{path: "callednumber", kind: FactCalledNumber},
		{path: "callingnumber", kind: FactCallingNumber},
	}},
}

// A labelRow is a word in the label of a stream that says more than which m-line
// it is. Arg is the value of the fact.
type labelRow struct {
	dialect Dialect
	word    string
	kind    FactKind
	arg     string
}

// The first row whose word is in the label counts.
var labelWords = [...]labelRow{
	{DialectTelnyx, "inbound", FactStreamDirection, "inbound"},
	{DialectTelnyx, "outbound", FactStreamDirection, "outbound"},
	{DialectSEMS, "a_leg", FactCallingParty, "true"},
	{DialectSEMS, "b_leg", FactCallingParty, "false"},
}
