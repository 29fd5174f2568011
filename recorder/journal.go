package recorder

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/policy"
)

// journalName is the name of the journal within the folder of a recording.
const journalName = "journal.jsonl"

// A journalLine is one line of the journal: what happened, and when.
type journalLine struct {
	At    time.Time `json:"at"` // UTC
	Event string    `json:"event"`

	CallID string `json:"call_id,omitempty"` // started
	Policy string `json:"policy,omitempty"`  // started, allowed, stopped
	Method string `json:"method,omitempty"`  // started, changed, ended: SIP method, if any
	CSeq   uint32 `json:"cseq,omitempty"`
	Reason string `json:"reason,omitempty"` // ended

	PolicyFile string           `json:"policy_file,omitempty"` // started: the version of the file
	Belonging  *store.Belonging `json:"belongs_to,omitempty"`  // started, under a policy file

	Fact *factLine `json:"fact,omitempty"` // fact

	Stream  string        `json:"stream,omitempty"`  // allowed, stopped, source-changed
	Because string        `json:"because,omitempty"` // allowed: what decided to record
	Causes  []store.Cause `json:"causes,omitempty"`  // stopped
	Words   string        `json:"words,omitempty"`   // allowed, stopped, source-changed

	File  string `json:"file,omitempty"`  // metadata: where the document is kept
	Error string `json:"error,omitempty"` // metadata: why it is not readable

	Files int `json:"files,omitempty"` // finalised: how many were written
}

// The events of the journal.
const (
	lineStarted   = "started"
	lineChanged   = "changed"
	lineMetadata  = "metadata"
	lineFact      = "fact"
	lineSource    = "source-changed"
	lineAllowed   = "allowed"
	lineStopped   = "stopped"
	lineEnded     = "ended"
	lineFinalised = "finalised"
	lineFailed    = "finalising-failed"
)

// A factLine is one event as the rules took it.
type factLine struct {
	Kind      string      `json:"kind"`
	Stream    string      `json:"stream,omitempty"`
	Owner     string      `json:"owner,omitempty"`
	Party     string      `json:"party,omitempty"`
	Other     string      `json:"other,omitempty"`
	Who       *store.Role `json:"who,omitempty"`
	Name      string      `json:"name,omitempty"`
	Number    string      `json:"number,omitempty"`
	Draw      *float64    `json:"draw,omitempty"`
	Direction string      `json:"direction,omitempty"`
	Evidence  string      `json:"evidence,omitempty"` // for the direction
}

func eventLine(e rules.Event) journalLine {
	f := &factLine{
		Kind: e.Kind.String(), Stream: string(e.Stream), Owner: e.Owner, Party: string(e.Party), Other: string(e.Other),
		Name: e.Name, Number: e.Number, Evidence: e.Evidence,
	}
	if e.Identity != (rules.Identity{}) {
		f.Who = roleOf(e.Identity)
	}
	if e.Kind == rules.PlanRan {
		f.Draw = &e.Draw
	}
	if e.Direction != rules.DirectionUnknown {
		f.Direction = e.Direction.String()
	}
	return journalLine{At: e.At.UTC(), Event: lineFact, Fact: f}
}

// roleOf is who somebody is to the rules, as it is written down.
func roleOf(id rules.Identity) *store.Role {
	return &store.Role{Role: id.Role.String(), IdentifiedBy: id.IdentifiedBy.String(), Internal: id.Internal(), FirstPair: id.FirstPair, Evidence: id.Evidence}
}

// decisionLine is the line of a decision.
func decisionLine(d rules.Decision, flags rules.Flags) journalLine {
	event := lineStopped
	if d.Verdict == rules.Record {
		event = lineAllowed
	}
	return journalLine{
		At: d.From.UTC(), Event: event, Stream: string(d.Stream),
		Policy: d.Policy, Because: d.Because, Causes: causes(d.Causes, flags), Words: d.String(),
	}
}

// causes are the causes of a decision, with what each rests on under the flags
// that decided.
func causes(in []rules.ActiveCause, flags rules.Flags) []store.Cause {
	var out []store.Cause
	for _, c := range in {
		out = append(out, store.Cause{
			Cause: c.Cause.String(), Owner: c.Owner, Since: c.Since.UTC(), Flag: c.Flag,
			Basis: policy.BasisOf(c, flags).String(),
		})
	}
	return out
}

// A journal is the append-only account of a recording, one JSON object on each
// line. It is for one goroutine.
type journal struct{ f *os.File }

// createJournal begins the journal of a folder that has none.
func createJournal(folder string) (*journal, error) {
	f, err := os.OpenFile(filepath.Join(folder, journalName), os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create journal: %w", err)
	}
	return &journal{f}, nil
}

// write appends lines and returns when they are durable.
func (j *journal) write(lines ...journalLine) error {
	if err := j.append(lines...); err != nil {
		return err
	}
	if err := j.f.Sync(); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return nil
}

// append appends lines that become durable with what is written or closed after
// them.
func (j *journal) append(lines ...journalLine) error {
	var b []byte
	for _, l := range lines {
		line, err := json.Marshal(l)
		if err != nil {
			return fmt.Errorf("write journal: %w", err)
		}
		b = append(append(b, line...), '\n')
	}
	if _, err := j.f.Write(b); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return nil
}

// close closes the file; every line is durable by what wrote it.
func (j *journal) close() error {
	if err := j.f.Close(); err != nil {
		return fmt.Errorf("close journal: %w", err)
	}
	return nil
}
