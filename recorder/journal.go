package recorder

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
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

	// Leg is the recording session that it is about, counted from 1; absent for the first.
	Leg int `json:"leg,omitempty"`

	CallID string `json:"call_id,omitempty"` // started, joined
	Policy string `json:"policy,omitempty"`  // started, allowed, stopped
	Method string `json:"method,omitempty"`  // started, changed, ended: SIP method, if any
	CSeq   uint32 `json:"cseq,omitempty"`
	Reason string `json:"reason,omitempty"` // ended, erased

	Other string `json:"other,omitempty"` // merged, started: the recording of the other interaction

	Of    string `json:"user_recording_of,omitempty"` // started: the recording beside which it is made
	Maker string `json:"maker,omitempty"`             // started: whose user recording it is

	PolicyFile string           `json:"policy_file,omitempty"` // started: the version of the file
	Belonging  *store.Belonging `json:"belongs_to,omitempty"`  // started, under a policy file

	Fact *factLine `json:"fact,omitempty"` // fact

	Command *commandLine `json:"command,omitempty"` // command: what was said, and by whom
	Said    *time.Time   `json:"said_at,omitempty"` // command: when it came; At is from when it holds

	Stream  string        `json:"stream,omitempty"`  // allowed, stopped, source-changed
	Because string        `json:"because,omitempty"` // allowed: what decided to record
	Causes  []store.Cause `json:"causes,omitempty"`  // stopped
	Words   string        `json:"words,omitempty"`   // allowed, stopped, source-changed, alarm
	// Absent, of stopped: from when audio is absent, if the disk could not be
	// overwritten as far back as it is withheld.
	Absent time.Time `json:"absent_from,omitzero"`

	File  string `json:"file,omitempty"`  // metadata: where the document is kept
	Error string `json:"error,omitempty"` // metadata: why it is not readable

	Alarm string `json:"alarm,omitempty"` // alarm, alarm-cleared: its name
	// AlarmCause and AlarmOwner are the pair that an alarm is about, if it is.
	AlarmCause string `json:"cause,omitempty"`
	AlarmOwner string `json:"owner,omitempty"`

	Down *time.Time `json:"down_since,omitempty"` // resumed: since when the server was down

	Files int `json:"files,omitempty"` // finalised: how many were written

	// Sealed is the whole line, of an encrypted recording: salt, nonce and what was
	// sealed. Beside it stands what tells nothing of people.
	Sealed []byte `json:"sealed,omitempty"`
}

// The events of the journal.
const (
	lineStarted   = "started"
	lineJoined    = "joined" // by a further recording session
	lineChanged   = "changed"
	lineMetadata  = "metadata"
	lineFact      = "fact"
	lineCommand   = "command"
	lineSource    = "source-changed"
	lineAllowed   = "allowed"
	lineStopped   = "stopped"
	lineEnded     = "ended"  // a recording session
	lineMerged    = "merged" // with another interaction
	lineOver      = "over"   // the interaction, some time after the last of them
	lineResumed   = "resumed"
	lineFinalised = "finalised"
	lineFailed    = "finalising-failed"
	lineErased    = "erased"

	lineAlarm        = "alarm"
	lineAlarmCleared = "alarm-cleared"
)

// A commandLine is a [Command] as it is written down, with why it was refused.
type commandLine struct {
	Action   string            `json:"action"`
	By       string            `json:"by,omitempty"`
	Party    string            `json:"party,omitempty"`
	Other    string            `json:"other,omitempty"`
	Chosen   string            `json:"chosen,omitempty"`
	Name     string            `json:"name,omitempty"`
	Reason   string            `json:"reason,omitempty"`
	Evidence *Evidence         `json:"evidence,omitempty"`
	Tags     map[string]string `json:"tags,omitempty"`
	Refused  string            `json:"refused,omitempty"`
}

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

// journalRetry is how long lines wait that could not be written.
const journalRetry = time.Second

// A journal is the append-only account of a recording, one JSON object on each
// line. Lines that could not be written wait in memory and are written again, in
// their order. The file is open only while it is written to. Its methods may be
// called from several goroutines.
type journal struct {
	open func() (journalFile, error)
	// durable is told of the latest decision whose lines are on disk.
	durable func(decision uint64)
	sealer  *lineSealer // nil in the clear

	mu       sync.Mutex
	size     int64  // octets that were written whole
	pending  []byte // lines that were not
	decision uint64 // the latest of them
	retry    *time.Timer
	closed   bool
}

// A journalFile is the file as the journal needs it.
type journalFile interface {
	WriteAt(b []byte, at int64) (int, error)
	Sync() error
	Close() error
}

// createJournal begins the journal of a folder that has none.
func createJournal(folder string, durable func(decision uint64)) (*journal, error) {
	path := filepath.Join(folder, journalName)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("create journal: %w", err)
	}
	return &journal{
		open:    func() (journalFile, error) { return os.OpenFile(path, os.O_WRONLY, 0) },
		durable: durable,
	}, nil
}

// openJournal goes on with the journal of a folder behind its last whole line.
func openJournal(folder string, durable func(decision uint64)) (*journal, error) {
	path := filepath.Join(folder, journalName)
	b, err := os.ReadFile(path)
	if err == nil {
		b = b[:bytes.LastIndexByte(b, '\n')+1]
		err = os.Truncate(path, int64(len(b)))
	}
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	return &journal{
		open:    func() (journalFile, error) { return os.OpenFile(path, os.O_WRONLY, 0) },
		durable: durable, size: int64(len(b)),
	}, nil
}

// write appends the lines of a decision and returns when they are durable. After
// an error they are still written when the disk is well again.
func (j *journal) write(decision uint64, lines ...journalLine) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.add(lines); err != nil {
		return err
	}
	j.decision = max(j.decision, decision)
	return j.flush(true)
}

// append appends lines that become durable with what is written after them, or
// with the folder.
func (j *journal) append(lines ...journalLine) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.add(lines); err != nil {
		return err
	}
	return j.flush(false)
}

func (j *journal) add(lines []journalLine) error {
	for _, l := range lines {
		l, err := j.sealer.seal(l)
		if err != nil {
			return fmt.Errorf("write journal: %w", err)
		}
		line, err := json.Marshal(l)
		if err != nil {
			return fmt.Errorf("write journal: %w", err)
		}
		j.pending = append(append(j.pending, line...), '\n')
	}
	return nil
}

// flush writes what waits, or has it written later.
func (j *journal) flush(sync bool) error {
	if err := j.put(sync); err != nil {
		if j.retry == nil && !j.closed {
			j.retry = time.AfterFunc(journalRetry, j.again)
		}
		return fmt.Errorf("write journal: %w", err)
	}
	j.size += int64(len(j.pending))
	j.pending = nil
	if sync && j.durable != nil {
		j.durable(j.decision)
	}
	return nil
}

// put writes what waits behind the last line that was written whole.
func (j *journal) put(sync bool) error {
	f, err := j.open()
	if err != nil {
		return err
	}
	_, err = f.WriteAt(j.pending, j.size)
	if err == nil && sync {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// again is flush some time after it failed.
func (j *journal) again() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.retry = nil
	if !j.closed && len(j.pending) > 0 {
		_ = j.flush(true) // it was told when it failed first
	}
}

// waits reports whether lines wait that could not be written.
func (j *journal) waits() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.pending) > 0
}

// settle writes what still waits and returns when all lines are durable.
func (j *journal) settle() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.pending) == 0 {
		return nil
	}
	return j.flush(true)
}

// close ends the journal. What still cannot be written is lost.
func (j *journal) close() error {
	err := j.settle()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.closed = true
	if j.retry != nil {
		j.retry.Stop()
		j.retry = nil
	}
	if err != nil {
		return fmt.Errorf("close journal: %w", err)
	}
	return nil
}
