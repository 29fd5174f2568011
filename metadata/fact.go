package metadata

// A Fact is what an SRC tells beyond RFC 7865: in extension data, in elements of
// a draft, or in header fields of the SIP message. It is what the SRC says, not
// what is true; Field says where it stood.
type Fact struct {
	Kind  FactKind
	Value string // as sent, trimmed; of a FactDirection "inbound", "outbound" or "internal"
	// About is the element it is about, of the kind Of. Of is 0 when the fact is
	// about the whole recording session.
	About   ID
	Of      Kind
	Dialect Dialect
	// Field is the path of local names in the document, or the name of the
	// header field.
	Field string
}

// A FactKind says what a Fact is about.
type FactKind int

// The kinds of facts.
const (
	FactDirection     FactKind = iota + 1 // of the call, from the recorded side
	FactRecordedParty                     // address or number of the side whose rule records
	FactInitiator                         // address of the party that had the recording started
	FactUserID                            // id of a subscriber; About is its participant when known
	FactAgentID                           // id of a contact centre agent
	FactQueueName                         // name of a queue
	FactQueueNumber                       // number or address of a queue
	FactCallingNumber                     // as the SRC names it
	FactCalledNumber                      // as the SRC names it
	FactDialled                           // digits or address that were dialled
	FactCallingParty                      // the participant called: Value is "true" or "false"
	FactRealm                             // realm or trunk of a participant
	FactRequestURI                        // of the communication session
	FactHeader                            // a header field of the communication session: "name: value"
	FactUCID                              // universal call id
	FactCallID                            // any other id of the communication session
	FactTrackingID                        // id that stays over transfers
	FactTransferFrom                      // who was transferred away from
	FactTransferTo                        // who was transferred to
	FactTransferBy                        // who transferred
	FactTransferID                        // id of the call before the transfer
	FactAction                            // why the document was sent, in the vendor's word
	FactRecordingMode                     // on, on-demand ...
	FactTenant                            // service provider, business group, account
	FactDepartment
	FactDivertedFrom // number that the call was diverted from
	FactPlaceholder  // the participant stands for one that is not known yet
	FactNearEnd      // address of the recorded phone
	FactFarEnd       // address of the other side

	FactUserDirection   // as FactDirection, seen from the subscriber it is about
	FactCallerOrig      // "true" or "false": the caller's side originated; may disagree with FactCallingParty
	FactUserName        // name of a subscriber
	FactPartyID         // id of any party at the SRC, subscriber or not
	FactQueueID         // id of a queue
	FactOriginalCalled  // number that was called before all diversions
	FactRedirections    // how often the call was diverted
	FactActionBy        // who did the FactAction
	FactGroupOrder      // place of the call in its group, from 0
	FactSystem          // name of the sending system
	FactApplication     // id of the application that runs the call
	FactRecordingID     // id of the recording in the application of the SRC
	FactSource          // where the call came from, in the vendor's word
	FactAsserted        // identity asserted for the RS or CS (RFC 3325)
	FactDevice          // name of a phone or trunk
	FactSupervisor      // supervisor of the call
	FactStreamDirection // "inbound" or "outbound", of the stream it is about, seen from the SRC
)

// String returns the kind in lower case with hyphens.
func (k FactKind) String() string {
	names := [...]string{
		FactDirection: "direction", FactRecordedParty: "recorded-party", FactInitiator: "initiator",
		FactUserID: "user-id", FactAgentID: "agent-id", FactQueueName: "queue-name", FactQueueNumber: "queue-number",
		FactCallingNumber: "calling-number", FactCalledNumber: "called-number", FactDialled: "dialled",
		FactCallingParty: "calling-party", FactRealm: "realm", FactRequestURI: "request-uri", FactHeader: "header",
		FactUCID: "ucid", FactCallID: "call-id", FactTrackingID: "tracking-id", FactTransferFrom: "transfer-from",
		FactTransferTo: "transfer-to", FactTransferBy: "transfer-by", FactTransferID: "transfer-id",
		FactAction: "action", FactRecordingMode: "recording-mode", FactTenant: "tenant",
		FactDepartment: "department", FactDivertedFrom: "diverted-from", FactPlaceholder: "placeholder",
		FactNearEnd: "near-end", FactFarEnd: "far-end", FactUserDirection: "user-direction",
		FactCallerOrig: "caller-orig", FactUserName: "user-name", FactPartyID: "party-id", FactQueueID: "queue-id",
		FactOriginalCalled: "original-called", FactRedirections: "redirections", FactActionBy: "action-by",
		FactGroupOrder: "group-order", FactSystem: "system", FactApplication: "application",
		FactRecordingID: "recording-id", FactSource: "source", FactAsserted: "asserted", FactDevice: "device",
		FactSupervisor: "supervisor", FactStreamDirection: "stream-direction",
	}
	if k < FactDirection || int(k) >= len(names) {
		return "unknown"
	}
	return names[k]
}

// A Dialect is whose way of writing a document or message shows.
type Dialect string

// The dialects.
const (
	DialectStandard   Dialect = "rfc7865"
	DialectAcme       Dialect = "acme"       // Oracle, Acme Packet
	DialectAudioCodes Dialect = "audiocodes" // Mediant
	DialectAvaya      Dialect = "avaya"      // SBCE
	DialectBroadWorks Dialect = "broadworks" // and Webex Calling
	DialectCisco      Dialect = "cisco"      // CUBE, CUCM
	DialectGenesys    Dialect = "genesys"
	DialectGoogle     Dialect = "google"
	DialectJambonz    Dialect = "jambonz"
	DialectMetaswitch Dialect = "metaswitch"
	DialectNetSapiens Dialect = "netsapiens"
	DialectRibbon     Dialect = "ribbon"
	DialectSEMS       Dialect = "sems"
	DialectSIP        Dialect = "sip" // header fields of RFCs and drafts
	DialectTelnyx     Dialect = "telnyx"
)

// A HeaderField is a header field of a SIP message.
type HeaderField struct{ Name, Value string }
