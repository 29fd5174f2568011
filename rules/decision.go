package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Cause is a reason for which audio is withheld.
type Cause int

// The causes.
const (
	// NoDecision: no decision to record is in force.
	NoDecision Cause = iota + 1
	// SDP: the SRC made the stream inactive.
	SDP
	// NotLive: the stream is not there, not yet or no longer.
	NotLive
	// Consent: the caller is to be asked and did not say yes.
	Consent
	// Withdrawn: consent was taken back.
	Withdrawn
	// Manual: paused by hand, and only resumed by hand.
	Manual
	// Secure: something is paid.
	Secure
	// Hold: an agent holds the call, or the leg of the customer is held.
	Hold
	// External: a third party from outside is dialled or on the call.
	External
	// IVR: the caller is in a suppressed flow.
	IVR
	// Queue: the caller waits in a suppressed queue.
	Queue
	// NoAgent: own people were on the call, and only outsiders are left.
	NoAgent
	// Stopped: NoAgent was, and the stop is final.
	Stopped
	// InternalOnly: nobody from outside is on the call.
	InternalOnly
	// ConsultLeg: the sender talks beside the main call.
	ConsultLeg
	// RoleFilter: agent-only, and the sender is none of the own people.
	RoleFilter
	// Mixed: the voice of somebody who may not be recorded cannot be separated.
	Mixed
	// PartyConsent: the sender did not agree yet.
	PartyConsent
	// Void: the recording is discarded.
	Void
	// DoNotRecord: somebody on the call has a number that is never to be recorded, or
	// a command forbids to record the call.
	DoNotRecord
)

func causeWords() words {
	return words{"cause-0", "no-decision", "sdp", "not-live", "consent", "withdrawn", "manual", "secure", "hold",
		"external", "ivr", "queue", "no-agent", "stopped", "internal-only", "consult-leg", "role", "mixed",
		"party-consent", "void", "do-not-record"}
}

// String is the name of the cause as it is written to a journal.
func (c Cause) String() string { return causeWords().name(int(c), "cause") }

// Words says what the cause means, for a person who asks where the audio is.
func (c Cause) Words() string {
	all := words{"unknown cause", "no decision to record is in force", "the recording client made the stream inactive",
		"the stream is not live", "consent was not given", "consent was withdrawn", "paused by hand",
		"a payment is being taken", "the call is on hold", "an external third party is on the call",
		"the caller is in a suppressed flow", "the caller waits in a suppressed queue", "only outsiders are left",
		"the recording was stopped for good", "nobody from outside is on the call",
		"the consultation itself is not recorded", "only agents are recorded",
		"the stream cannot be separated from a voice that may not be recorded", "the party has not agreed",
		"the recording is discarded",
		"a number on the call is never to be recorded"}
	if uint(c) >= uint(len(all)) {
		return all[0]
	}
	return all[c]
}

// CauseNamed is the cause of a name as it is written to a journal.
func CauseNamed(name string) (Cause, bool) {
	i := slices.Index(causeWords(), name)
	return Cause(i), i > 0
}

// always is the flag of what no setting can lift.
const always = "always"

// flag is the setting of the policy file that makes the cause count.
func (c Cause) flag() string {
	all := words{always, "plan, outbound, record", always, always, "consent", "withdrawal", "control", always, "hold",
		"external-consult", "suppress", "wait", "continue-after-transfer", "stop-is-final", always, "consult-conversation",
		"agent-only", "agent-only", "party-consent", "consent", "do-not-record"}
	return all[c]
}

// A Verdict is what becomes of a stream's audio. The zero Verdict is neither;
// treat it as [Withhold].
type Verdict int

// The verdicts.
const (
	Withhold Verdict = iota + 1
	Record
	// Refused: a command was refused; the decision is about no stream.
	Refused
)

// String is the name of the verdict as it is written to a journal.
func (v Verdict) String() string {
	switch v {
	case Withhold:
		return "withhold"
	case Record:
		return "record"
	case Refused:
		return "refused"
	default:
		return "verdict-" + strconv.Itoa(int(v))
	}
}

// An ActiveCause is one (cause, owner) pair that is in force.
type ActiveCause struct {
	Cause Cause
	Owner string // who caused it
	Since time.Time
	Flag  string // setting of the policy file that makes it count; "always" when none can lift it
}

// Words says what the cause means here, for a person who asks where the audio is.
func (a ActiveCause) Words() string {
	if a.Cause == IVR && a.Owner == ownerUnfed {
		return "nothing tells whether the caller is in a suppressed flow or queue, and no own person has joined"
	}
	if a.Cause == DoNotRecord && a.Owner == ownerCommand {
		return "a command forbids to record the call"
	}
	return a.Cause.Words()
}

// A Decision is what holds for a stream from an instant on.
type Decision struct {
	Stream    StreamID
	Recording RecordingID
	Verdict   Verdict
	// From is the first instant the decision is for. A decision to record never
	// reaches back before an event that was applied earlier.
	From time.Time
	// Causes are all pairs in force, in the order in which they began; empty
	// when the verdict is Record.
	Causes []ActiveCause
	// Policy is the version of the policy that decided.
	Policy string
	// Permit is the leave to keep the audio; the zero Permit when it is withheld.
	Permit Permit
	// Because is what decided to record, in the words of the policy file: the rule
	// of the plan, the switch or the command; empty when it is withheld.
	Because string
	// Until is where the next decision begins; zero while there is none.
	Until time.Time
	// RolesUnknown: nothing places anybody of the first pair, so that causes that
	// are about outsiders cannot count for them.
	RolesUnknown bool
	// Maker is whose user recording it is about; empty for the policy recording.
	Maker PartyID
	// Command, By and Reason are of a refused command.
	Command Kind
	By      PartyID
	Reason  string
}

// Over reports whether a stream is withheld only because it or the interaction
// ended. That its sender left ends no stream: what comes on it then is not his. Nor does
// the end of a user recording, or that its maker does not hear the stream any more.
func (d Decision) Over() bool {
	over := false
	for _, a := range d.Causes {
		switch {
		case a.Cause != NotLive || a.Owner == ownerParties:
			return false
		case a.Owner == ownerStream || a.Owner == ownerInteraction:
			over = true
		}
	}
	return over && d.Verdict == Withhold
}

// String says in words what was decided and why.
func (d Decision) String() string {
	if d.Verdict == Refused {
		return fmt.Sprintf("refused %v by %s of %s at %s under policy %s: %s", d.Command, d.By, d.Recording,
			d.From.UTC().Format(time.RFC3339Nano), d.Policy, d.Reason)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%v stream %s of %s from %s under policy %s",
		d.Verdict, d.Stream, d.Recording, d.From.UTC().Format(time.RFC3339Nano), d.Policy)
	sep := ": "
	if d.Because != "" {
		b.WriteString(sep + d.Because)
		sep = "; "
	}
	for _, c := range d.Causes {
		fmt.Fprintf(&b, "%s%s (%v of %s, since %s, flag %s)",
			sep, c.Words(), c.Cause, c.Owner, c.Since.UTC().Format(time.RFC3339Nano), c.Flag)
		sep = "; "
	}
	if d.RolesUnknown {
		b.WriteString(sep + "roles unknown")
	}
	return b.String()
}
