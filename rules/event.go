package rules

import "time"

// A Kind says what an event is about.
type Kind int

// The kinds of events.
const (
	// InteractionStarted lets the policy decide; before it nothing is recorded.
	InteractionStarted Kind = iota + 1
	// StreamAdded makes a stream live.
	StreamAdded
	// StreamInactive: the SRC offered the stream as inactive, with c=0.0.0.0 or
	// with port 0 (RFC 7866 §7.1.1.1, RFC 3264 §8.4). It may come before
	// StreamAdded, so that a stream can be born withheld.
	StreamInactive
	// StreamActive takes back what the same owner said with StreamInactive, and
	// nothing else.
	StreamActive
	// StreamRemoved: the m-line is gone or has port 0 (RFC 3264 §8.2).
	StreamRemoved
	// InteractionEnded ends every stream for good.
	InteractionEnded
	// StreamSends and StreamSendsNot: Party contributes to the stream, or no
	// longer. A stream of which senders are known is live only while one of them
	// is on the call.
	StreamSends
	StreamSendsNot
	// DirectionTold says the direction of a call of which it was not known.
	DirectionTold
	// NumberTold says a Number of Party, or without one of the outside party, that
	// was not known when it was invited. One that is never to be recorded withholds
	// while its party is on the call; that of the customer for ever, and when it
	// comes too late everything becomes void.
	NumberTold
	// PlanRan: the call passed the rule of the plan with Draw in [0,1). The first
	// draw counts for the whole interaction.
	PlanRan
	// MenuChosen: the caller chose Name in a menu.
	MenuChosen
	// RecordOrdered is a command of Party that decides for this one call, as a
	// plan does: it does not reach outbound calls.
	RecordOrdered
	// PartyJoined: Party, who is Identity, is on the call. Who it is stays as it
	// was said first, when it was invited.
	PartyJoined
	// PartyIdentified replaces the identity of a party, as the roster rules it.
	PartyIdentified
	PartyLeft
	// PartyDialled: Party is being called into the call.
	PartyDialled
	// Held and Retrieved: Party pressed hold.
	Held
	Retrieved
	// Consulted: Party and Other talk beside the main call. ConsultDialled: Other
	// does not answer yet; PartyAnswered: now it does.
	Consulted
	ConsultDialled
	PartyAnswered
	// ConsultEnded: Other is let go and who consulted it is back.
	ConsultEnded
	// AlternatedBack: Party talks to the main call during its consultation;
	// AlternatedAway: it is in the consultation again.
	AlternatedBack
	AlternatedAway
	// Conferenced: all are in the main call.
	Conferenced
	// Transferred: Party let go and whom it consulted is in the main call.
	Transferred
	// TransferredBlind: Party let go and Other is dialled.
	TransferredBlind
	// TransferredToQueue: Party let go and the call waits in the queue Name.
	TransferredToQueue
	FlowEntered // the call is in the IVR flow Name
	FlowLeft
	QueueEntered // the call waits in the queue Name
	QueueLeft
	ConsentAsked
	ConsentGiven
	ConsentRefused
	// ConsentUnanswered is a no where consent is asked for.
	ConsentUnanswered
	ConsentWithdrawn
	// PartyAgreed: Party agreed to be recorded.
	PartyAgreed
	// PausePressed and ResumePressed are commands of Party. A pause counts also
	// before anything is recorded.
	PausePressed
	ResumePressed
	// SecureStarted and SecureEnded are said by Owner, while something is paid.
	SecureStarted
	SecureEnded
	// UserRecordingStarted and UserRecordingStopped are commands of Party.
	UserRecordingStarted
	UserRecordingStopped
	// DoNotRecordOrdered is a command, of Party or of nobody in particular: nothing
	// is recorded from then on, by anybody. What was recorded before stays. It always
	// counts, and nothing takes it back.
	DoNotRecordOrdered
	// PlanNamed says the plan of a call of which none was known: its Name, and in
	// Plan the settings that hold under it. They hold from then on. A second name is
	// refused, as one plan counts for a call.
	PlanNamed
)

func kindWords() words {
	return words{"kind-0", "interaction-started", "stream-added", "stream-inactive", "stream-active", "stream-removed",
		"interaction-ended", "stream-sends", "stream-sends-not", "direction-told", "number-told", "plan-ran", "menu-chosen",
		"record-ordered", "party-joined", "party-identified", "party-left", "party-dialled", "held", "retrieved", "consulted",
		"consult-dialled", "party-answered", "consult-ended", "alternated-back", "alternated-away", "conferenced",
		"transferred", "transferred-blind", "transferred-to-queue", "flow-entered", "flow-left", "queue-entered",
		"queue-left", "consent-asked", "consent-given", "consent-refused", "consent-unanswered", "consent-withdrawn",
		"party-agreed", "pause", "resume", "secure-started", "secure-ended", "user-recording", "user-recording-stopped",
		"do-not-record-ordered", "plan-named"}
}

// String is the name of the kind as it is written to a journal.
func (k Kind) String() string { return kindWords().name(int(k), "kind") }

// MarshalText returns the name of the kind.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the name of a kind, without case.
func (k *Kind) UnmarshalText(b []byte) error {
	i, err := kindWords().index(b, "kind")
	*k = Kind(i)
	return err
}

// An Event is one thing that happened to an interaction.
type Event struct {
	At   time.Time // instant at which it holds
	Kind Kind
	// Stream is the stream it is about; not used by the Interaction kinds.
	Stream StreamID
	// Owner is who says so, for StreamInactive, StreamActive and the Secure kinds; and
	// for Held, Retrieved, PausePressed and ResumePressed where that is none of the
	// parties, such as an SRC by an inactive stream. Two owners of one cause are two
	// pairs: neither can take back what the other said.
	Owner string
	// Party is whom it is about or who pressed, Other the second of two.
	Party PartyID
	Other PartyID
	// Identity is who Party, or with the consult kinds and TransferredBlind who
	// Other is; the zero Identity is an outsider of unknown role.
	Identity Identity
	Name     string // of a flow, queue, option or plan
	Draw     float64
	// Direction and Number, of the outside party, of InteractionStarted; or that
	// of both which is told.
	Direction Direction
	Number    string
	Evidence  string // for what is told, in words; it decides nothing
	// Plan are the settings of PlanNamed: those of the version of the policy file
	// under which the case was opened, with that plan. Nobody may change them any
	// more. So the event can be replayed without that file.
	Plan *Flags `json:",omitempty"`
}

// A PartyID names one participant within an interaction.
type PartyID string
