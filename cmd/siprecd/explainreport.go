package main

// explainVersion is the version of what "siprecd explain --json" prints. It
// rises when a key goes or changes its meaning; a new key does not raise it.
// docs/explain.md describes every key.
const explainVersion = 1

// An explanation is all that explain found. The text is made from it, so that
// text and JSON say the same.
type explanation struct {
	Version           int               `json:"version"`
	RecordingSessions []explainedDialog `json:"recording_sessions"`
}

// An explainedDialog is one recording session: the messages of one Call-ID, and
// the model after them. Messages are counted from 1; a "to" of 0 lasts.
type explainedDialog struct {
	CallID       string                 `json:"call_id"` // empty for bare documents
	Direction    explainedDirection     `json:"direction"`
	RolesUnknown bool                   `json:"roles_unknown"`
	Calls        []explainedCall        `json:"communication_sessions"`
	Groups       []explainedGroup       `json:"groups"`
	Participants []explainedParticipant `json:"participants"`
	Facts        []explainedFact        `json:"facts"` // that are about no participant
	Unresolved   []string               `json:"unresolved"`
	Messages     []explainedMessage     `json:"messages"`
}

type explainedDirection struct {
	Value    string `json:"value"` // inbound, outbound, internal, unknown
	Evidence string `json:"evidence"`
}

// An explainedCall is a communication session.
type explainedCall struct {
	Number        int      `json:"number"`
	ID            string   `json:"id"` // as sent
	Group         int      `json:"group"`
	From          int      `json:"from_message"`
	To            int      `json:"to_message"`
	SIPSessionIDs []string `json:"sip_session_ids"`
	Start         string   `json:"start"` // as sent
	Stop          string   `json:"stop"`  // as sent
	Reasons       []string `json:"reasons"`
}

type explainedGroup struct {
	Number int    `json:"number"`
	ID     string `json:"id"` // as sent
}

type explainedParticipant struct {
	Number int      `json:"number"`
	ID     string   `json:"id"` // as sent
	AORs   []string `json:"aors"`
	Names  []string `json:"names"`
	// Described is false for one that documents only refer to.
	Described bool `json:"described"`

	Role         string   `json:"role"`
	IdentifiedBy string   `json:"identified_by"`
	Internal     bool     `json:"internal"`
	Evidence     string   `json:"evidence"`
	Strength     int      `json:"strength"`   // of the evidence: 1 is the strongest, 0 is none
	Considered   []string `json:"considered"` // further evidence that did not decide
	FirstPair    bool     `json:"first_pair"`
	// Because is why the role was fixed: invited, continued, filled, paired,
	// identified or replaced.
	Because string `json:"because"`
	// SamePersonAs is the participant of another id that this one goes on as.
	SamePersonAs int `json:"same_person_as"`

	Present  []explainedPresence `json:"present"`
	Sends    []explainedSending  `json:"sends"`
	Receives []string            `json:"receives"` // labels, when it was last there
	Facts    []explainedFact     `json:"facts"`
}

// An explainedPresence is a membership in a communication session; call 0 is
// none.
type explainedPresence struct {
	Call int `json:"communication_session"`
	From int `json:"from_message"`
	To   int `json:"to_message"`
}

// An explainedSending is a stream that somebody sends; m-line 0 is none.
type explainedSending struct {
	Stream  string `json:"stream"` // id
	Label   string `json:"label"`
	Line    int    `json:"m_line"`
	Guessed bool   `json:"guessed"`
	From    int    `json:"from_message"`
	To      int    `json:"to_message"`
}

// An explainedFact is what the SRC said beyond RFC 7865.
type explainedFact struct {
	Kind    string `json:"kind"`
	Value   string `json:"value"`
	Dialect string `json:"dialect"`
	Field   string `json:"field"`
	Call    int    `json:"communication_session"` // that it is about, or 0
	Group   int    `json:"group"`                 // that it is about, or 0
	From    int    `json:"from_message"`
	To      int    `json:"to_message"` // the last message that still said so, or 0
}

type explainedMessage struct {
	Number   int    `json:"number"`
	File     string `json:"file"`
	Start    string `json:"start"` // start line; empty for a bare document
	Method   string `json:"method"`
	CSeq     uint32 `json:"cseq"`
	Evidence string `json:"evidence"` // for a recording session
	// PlainInvite says that only a source listed under plain-invite gets the
	// answer, any other 403.
	PlainInvite bool                `json:"plain_invite"`
	Status      int                 `json:"status"` // of our answer; 0 for none
	Warning     string              `json:"warning"`
	Offer       bool                `json:"offer"` // it holds a session description
	Lines       []explainedLine     `json:"m_lines"`
	Documents   []explainedDocument `json:"metadata"`
	Parts       []string            `json:"other_parts"` // media types
	Changes     []explainedChange   `json:"changes"`
	Note        string              `json:"note"`
	Oddities    []string            `json:"oddities"`
}

// An explainedLine is an m-line as it is after the message.
type explainedLine struct {
	Line       int      `json:"m_line"`
	Generation int      `json:"generation"`
	Label      string   `json:"label"`
	Media      string   `json:"media"`
	Offered    string   `json:"offered"`
	Answer     string   `json:"answer"`
	Why        string   `json:"why"` // it is not recvonly
	Codecs     []string `json:"codecs"`
	Senders    []int    `json:"senders"` // participants
	Guessed    bool     `json:"guessed"`
	Held       bool     `json:"held"` // the metadata says that nobody sends
}

type explainedDocument struct {
	Octets       int    `json:"octets"`
	Error        string `json:"error"`
	Mode         string `json:"mode"`
	Layout       string `json:"layout"`
	FromHeaders  bool   `json:"from_headers"` // there was none; header fields took its place
	Participants int    `json:"participants"`
	Streams      int    `json:"streams"`
}

type explainedChange struct {
	Kind         string `json:"kind"`
	Participant  int    `json:"participant"`
	SamePersonAs int    `json:"same_person_as"`
	Call         int    `json:"communication_session"`
	Group        int    `json:"group"`
	Label        string `json:"label"`
	Line         int    `json:"m_line"`
	Guessed      bool   `json:"guessed"`
}
