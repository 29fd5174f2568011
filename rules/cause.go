package rules

// A Scope is what a cause withholds while it is in force.
type Scope int

// The scopes: every stream of the interaction; the streams of those in the main
// bridge, not in a consult; the one stream that it is about.
const (
	ScopeAll Scope = iota + 1
	ScopeMain
	ScopeStream
)

func scopeWords() words {
	return words{"none", "all streams", "the streams in the main call", "that stream"}
}

// String says the scope in words.
func (s Scope) String() string { return scopeWords().name(int(s), "scope") }

// A CauseRule says of a cause when it is in force, for what, and by which flag.
type CauseRule struct {
	Cause Cause
	// Flag is the setting that makes it count, with the value where that matters;
	// "always" when none can lift it.
	Flag         string
	Starts, Ends string
	Scope        Scope
	// InboundOnly: on outbound and internal calls it does not apply. A call of
	// unknown direction counts as inbound.
	InboundOnly bool
	// SparesUser: recordings that users make for themselves go on.
	SparesUser bool
}

// Causes is the table of all causes. Hold, IVR and DoNotRecord have two rows each:
// they are in force while one of them says so.
func Causes() []CauseRule {
	never := "never"
	return []CauseRule{
		{NoDecision, "plan, outbound, record", "the interaction begins", "a plan, a switch, a trunk or a command decides to record", ScopeAll, false, true},
		{SDP, always, "the SRC makes the stream inactive", "the same offerer makes it active", ScopeStream, false, false},
		{NotLive, always, "the stream, its senders or the interaction end", "the stream and one of its senders are there", ScopeStream, false, false},
		{Consent, "consent", "the interaction begins", "the caller says yes", ScopeAll, true, false},
		{Withdrawn, "withdrawal", "consent is taken back", never, ScopeAll, false, false},
		{Manual, "control", "somebody who may pauses", "somebody who may resumes", ScopeAll, false, false},
		{Secure, always, "a payment begins", "its own owner says that it is over", ScopeAll, false, false},
		{Hold, "hold: pause-until-retrieve", "an agent presses hold", "he retrieves, or leaves while one of the own people is in the main call", ScopeAll, false, false},
		{Hold, "hold: pause-customer-leg", "the customer is held, by a hold or a consult", "a retrieve, the end of the consult, a conference or a transfer", ScopeMain, false, false},
		{External, "external-consult", "an external third party is dialled or joins", "it leaves", ScopeAll, true, false},
		{IVR, "suppress", "the call enters a suppressed flow", "it leaves that flow", ScopeAll, false, false},
		{IVR, "suppress, wait", "the interaction begins", "the first of the own people joins", ScopeAll, true, false},
		{Queue, "wait", "the call waits in a suppressed queue", "it leaves that queue", ScopeAll, false, false},
		{NoAgent, "continue-after-transfer", "the last of the own people leaves two outsiders alone", "one of the own people joins", ScopeAll, false, true},
		{Stopped, "stop-is-final", "NoAgent begins", never, ScopeAll, false, true},
		{InternalOnly, always, "nobody from outside is on the call", "somebody from outside joins", ScopeAll, false, true},
		{ConsultLeg, "consult-conversation", "its sender consults or is consulted", "the end of the consult, a conference or a transfer", ScopeStream, false, true},
		{RoleFilter, "agent-only", "a sender is none of the own people, or nobody knows whose voice it is", "that sender leaves", ScopeStream, false, false},
		{Mixed, "agent-only", "a voice that may not be recorded is in the same stream", "it is in it no longer", ScopeStream, false, false},
		{PartyConsent, "party-consent", "an outsider joins", "he agrees", ScopeStream, false, false},
		{DoNotRecord, "do-not-record", "a listed number is on the call", "that third party leaves; never when it is the customer's", ScopeAll, false, false},
		{DoNotRecord, always, "a command says so", never, ScopeAll, false, false},
		{Void, "consent", "the caller says no, does not answer to the end, takes his yes back, or is listed and was known too late", never, ScopeAll, false, false},
	}
}
