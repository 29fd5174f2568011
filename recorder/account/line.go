package account

import (
	"time"

	"github.com/siprecd/siprecd/recorder/store"
)

// A Line is one line of the journal of a recording, as it stands in journal.jsonl; of an
// encrypted recording what was sealed in it, when its key was there.
type Line struct {
	At    time.Time `json:"at"` // from when it holds, UTC
	Event string    `json:"event"`
	Leg   int       `json:"leg"` // number of the recording session; 0 is the first

	CallID     string           `json:"call_id"`
	Policy     string           `json:"policy"`
	Method     string           `json:"method"`
	CSeq       uint32           `json:"cseq"`
	Reason     string           `json:"reason"`
	Other      string           `json:"other"`
	Of         string           `json:"user_recording_of"`
	Maker      string           `json:"maker"`
	PolicyFile string           `json:"policy_file"`
	Belonging  *store.Belonging `json:"belongs_to"`

	Fact    *Fact      `json:"fact"`
	Command *Command   `json:"command"`
	Said    *time.Time `json:"said_at"` // when a command came

	Stream  string        `json:"stream"`
	Because string        `json:"because"` // what decided to record
	Causes  []store.Cause `json:"causes"`  // why it is withheld
	Words   string        `json:"words"`
	// Absent is from when audio is absent, if later than it is withheld.
	Absent time.Time `json:"absent_from"`

	File  string     `json:"file"` // of a metadata document
	Error string     `json:"error"`
	Down  *time.Time `json:"down_since"`

	Files int `json:"files"`

	Alarm      string `json:"alarm"`
	AlarmCause string `json:"cause"`
	AlarmOwner string `json:"owner"`

	Sealed []byte `json:"sealed"` // the whole line, which no key opened
}

// A Fact is one event as the rules took it.
type Fact struct {
	Kind      string      `json:"kind"`
	Stream    string      `json:"stream"`
	Owner     string      `json:"owner"`
	Party     string      `json:"party"`
	Other     string      `json:"other"`
	Who       *store.Role `json:"who"`
	Name      string      `json:"name"`
	Number    string      `json:"number"`
	Draw      *float64    `json:"draw"`
	Direction string      `json:"direction"`
	Evidence  string      `json:"evidence"`
}

// A Command is what somebody said to the interaction while it went on.
type Command struct {
	Action  string            `json:"action"`
	By      string            `json:"by"`
	Party   string            `json:"party"`
	Other   string            `json:"other"`
	Chosen  string            `json:"chosen"`
	Name    string            `json:"name"`
	Reason  string            `json:"reason"`
	Proof   *Proof            `json:"evidence"`
	Tags    map[string]string `json:"tags"`
	Refused string            `json:"refused"` // why; empty when it was done
}

// A Proof says how an answer about consent is known.
type Proof struct {
	Who     string    `json:"who"`
	When    time.Time `json:"when"`
	Wording string    `json:"wording"`
	Digit   string    `json:"digit"`
}

// The events of lines that an account is made of; it tells of others too.
const (
	lineStarted   = "started"
	lineJoined    = "joined"
	lineMerged    = "merged"
	lineChanged   = "changed"
	lineMetadata  = "metadata"
	lineFact      = "fact"
	lineCommand   = "command"
	lineSource    = "source-changed"
	lineAllowed   = "allowed"
	lineStopped   = "stopped"
	lineEnded     = "ended"
	lineOver      = "over"
	lineResumed   = "resumed"
	lineFinalised = "finalised"
	lineFailed    = "finalising-failed"
	lineErased    = "erased"

	lineAlarm        = "alarm"
	lineAlarmCleared = "alarm-cleared"
)

// decides reports whether a line is a decision about a stream.
func (l *Line) decides() bool {
	return l.Stream != "" && (l.Event == lineAllowed || l.Event == lineStopped)
}
