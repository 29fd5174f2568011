package metadata

import "strings"

// A Layout is one of the forms in which Session Recording Clients write
// metadata. One reader reads them all; the layout says what to expect of the
// sender.
type Layout int

// The layouts.
const (
	// L1 is RFC 7865: associations are elements of their own.
	L1 Layout = iota
	// L2 is a draft: a participant holds its own send and recv, and names its
	// communication session in an attribute.
	L2
	// L2b has the namespace of the drafts and the associations of RFC 7865.
	L2b
	// L3 is an older draft with the root recording_metadata: aor elements, and
	// an id element inside send.
	L3
	// L3b is an older draft with the root recording and aor elements.
	L3b
	// L0 is no metadata: header fields name the participants, see [FromHeaders].
	L0
)

// String returns the short name used in logs.
func (l Layout) String() string {
	return [...]string{"L1", "L2", "L2b", "L3", "L3b", "L0"}[l]
}

// Namespaces of recording metadata.
const (
	namespace      = "urn:ietf:params:xml:ns:recording:1" // RFC 7865 §5.1.1
	draftNamespace = "urn:ietf:params:xml:ns:recording"
	olderNamespace = "urn:ietf:params:xml:ns:siprec"
)

// Roots, in lower case.
const (
	rootRecording = "recording"
	rootOlder     = "recording_metadata"
)

// A sign is what a layout is recognised by. An empty field matches anything.
type sign struct {
	layout    Layout
	root      string
	namespace string
	aorChild  bool // <aor> directly inside a participant
	inline    bool // <send> or <recv> inside a participant, or participant/@session
}

// layoutOf returns the layout of a document of which these signs were seen. The
// first row that asks for nothing else decides.
func layoutOf(seen sign) Layout {
	for _, row := range [...]sign{
		{layout: L3, root: rootOlder},
		{layout: L3, namespace: olderNamespace},
		{layout: L3b, aorChild: true, namespace: draftNamespace},
		{layout: L2, inline: true},
		{layout: L1, namespace: namespace},
		{layout: L3b, aorChild: true},
		{layout: L2b},
	} {
		if (row.root == "" || row.root == seen.root) &&
			(row.namespace == "" || row.namespace == seen.namespace) &&
			(!row.aorChild || seen.aorChild) && (!row.inline || seen.inline) {
			return row.layout
		}
	}
	return L1
}

// knownNamespace reports whether elements of a namespace are read by their local
// names. Versions of the recording namespace and none at all are; everything
// else is an extension.
func knownNamespace(ns string) bool {
	return ns == "" || ns == olderNamespace || ns == draftNamespace ||
		strings.HasPrefix(ns, draftNamespace+":")
}

// What an attribute can mean, in any layout.
type attrRole int

const (
	ownID   attrRole = iota // the element's own id
	partRef                 // a participant
	commRef                 // a communication session
	groupRef
	labelAttr
)

// spellings returns the local names, in lower case, under which the layouts
// write an attribute, the standard's first. own is the kind of the element.
func spellings(role attrRole, own Kind) []string {
	switch role {
	case ownID:
		return ownSpellings(own)
	case partRef:
		return []string{"participant_id", "participantid", "participant", "id"}
	case commRef:
		return []string{"session_id", "sessionid", "session"}
	case groupRef:
		return []string{"group_id", "groupid", "group"}
	default:
		return []string{"label", "media_label"}
	}
}

func ownSpellings(own Kind) []string {
	switch own {
	case GroupKind:
		return []string{"group_id", "groupid", "id"}
	case CommunicationSessionKind:
		return []string{"session_id", "sessionid", "id"}
	case ParticipantKind:
		return []string{"participant_id", "participantid", "id"}
	default:
		return []string{"stream_id", "streamid", "id"}
	}
}

// A Kind is a kind of element that has an id of its own.
type Kind int

// The kinds.
const (
	GroupKind Kind = iota + 1
	CommunicationSessionKind
	ParticipantKind
	StreamKind
)

// String returns the word of the standard.
func (k Kind) String() string {
	switch k {
	case GroupKind:
		return "group"
	case CommunicationSessionKind:
		return "communication session"
	case ParticipantKind:
		return "participant"
	case StreamKind:
		return "stream"
	}
	return "element"
}
