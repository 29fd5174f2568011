package rules

import (
	"fmt"
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
)

// String is the name of the cause as it is written to a journal.
func (c Cause) String() string {
	switch c {
	case NoDecision:
		return "no-decision"
	case SDP:
		return "sdp"
	case NotLive:
		return "not-live"
	default:
		return "cause-" + strconv.Itoa(int(c))
	}
}

// Words says what the cause means, for a person who asks where the audio is.
func (c Cause) Words() string {
	switch c {
	case NoDecision:
		return "no decision to record is in force"
	case SDP:
		return "the recording client made the stream inactive"
	case NotLive:
		return "the stream is not live"
	default:
		return "unknown cause"
	}
}

// flag names the setting of the policy that makes the cause count.
func (c Cause) flag() string {
	if c == NoDecision {
		return "record"
	}
	return "always"
}

// A Verdict is what becomes of a stream's audio. The zero Verdict is neither;
// treat it as [Withhold].
type Verdict int

// The verdicts.
const (
	Withhold Verdict = iota + 1
	Record
)

// String is the name of the verdict as it is written to a journal.
func (v Verdict) String() string {
	switch v {
	case Withhold:
		return "withhold"
	case Record:
		return "record"
	default:
		return "verdict-" + strconv.Itoa(int(v))
	}
}

// An ActiveCause is one (cause, owner) pair that is in force.
type ActiveCause struct {
	Cause Cause
	Owner string // who caused it
	Since time.Time
	Flag  string // setting of the policy that makes it count; "always" when none can lift it
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
}

// String says in words what was decided and why.
func (d Decision) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v stream %s of %s from %s under policy %s",
		d.Verdict, d.Stream, d.Recording, d.From.UTC().Format(time.RFC3339Nano), d.Policy)
	sep := ": "
	for _, c := range d.Causes {
		fmt.Fprintf(&b, "%s%s (%v of %s, since %s, flag %s)",
			sep, c.Cause.Words(), c.Cause, c.Owner, c.Since.UTC().Format(time.RFC3339Nano), c.Flag)
		sep = "; "
	}
	return b.String()
}
