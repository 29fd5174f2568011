// Package account tells what became of one interaction, from what was written down of
// it: for each participant which part is kept, which is withheld and why, and where
// nothing came. It is pure: [Of] makes an [Account] of the [Evidence], and [Account.Why]
// says in sentences why an instant is recorded or is not.
package account

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules/policy"
)

// Evidence is what is left of an interaction.
type Evidence struct {
	// Manifest is the whole manifest, or what is left of it; while there is none, only
	// the identifier stands in it.
	Manifest store.Manifest
	Finished bool // there is a manifest
	Erased   *store.Tombstone
	Journal  []Line
	// Beside is the journal of the policy recording, when this is a user recording.
	Beside []Line
	People []Person
	// Version is that of the policy file that decided; nil when it is not there.
	Version *policy.Version
	// Seen is when something was written of it last, Now until when it is told; both
	// only of a recording that goes on.
	Seen, Now time.Time
}

// A Person says what a party of the journal is called in the manifest and to people.
type Person struct {
	Key   string // in the journal
	ID    string // in the manifest
	Title string
	AORs  []string
}

// ErrNothing says that neither manifest nor journal tells of anything.
var ErrNothing = errors.New("nothing is written down of it")

// Progress says how far an interaction is.
type Progress string

// The steps.
const (
	Finished Progress = "finished"
	GoingOn  Progress = "going-on" // or cut off, until a server starts
	Ended    Progress = "ended"    // its files are not made yet
	Erased   Progress = "erased"
	Void     Progress = "void" // the rules had it discarded
)

// An Account tells of one interaction. Offsets are milliseconds since Begun.
type Account struct {
	Recording string        `json:"recording"`
	Progress  Progress      `json:"progress"`
	Verdict   store.Verdict `json:"verdict,omitzero"`
	Reasons   []string      `json:"reasons,omitempty"`
	CallID    string        `json:"call_id,omitempty"`
	// Of is the policy recording beside which it was made, Maker who made it.
	Of        string    `json:"user_recording_of,omitempty"`
	Maker     string    `json:"maker,omitempty"`
	Begun     time.Time `json:"begun"` // arrival of the INVITE, UTC
	LengthMS  int64     `json:"length_ms"`
	EndReason string    `json:"end_reason,omitempty"`
	Direction string    `json:"direction,omitempty"`
	// Evidence says how the direction is known.
	Evidence string `json:"direction_evidence,omitempty"`

	// Legs are its recording sessions, when there were several.
	Legs []store.RecordingSession `json:"recording_sessions,omitempty"`
	Tags map[string]string        `json:"tags,omitempty"`

	Policy     string           `json:"policy"`
	PolicyFile string           `json:"policy_file,omitempty"`
	Belonging  *store.Belonging `json:"belongs_to,omitempty"`
	// Mapping are the rules of the policy file that say where it belongs, in words.
	Mapping []string `json:"mapping,omitempty"`

	Lanes  []Lane  `json:"lanes"`
	Events []Event `json:"events"`
	Digits []Digit `json:"digits,omitempty"`

	Interruptions []store.Interruption `json:"interruptions,omitempty"`
	Erased        *store.Tombstone     `json:"erased,omitempty"`
	// Remarks are what a person should know before trusting the account.
	Remarks []string `json:"remarks,omitempty"`

	evidence  Evidence
	decisions []decision
	people    map[string]Person // by key and by id
	timeline  int64             // where the files begin
	seen      int64             // of a recording that goes on
}

// A State says what became of a part.
type State string

// The states.
const (
	Kept     State = "kept"
	Allowed  State = "allowed"  // what comes is kept; the files are not made yet
	Fresh    State = "fresh"    // allowed, and nothing of it was seen on disk yet
	Withheld State = "withheld" // for causes
	Missing  State = "missing"  // to be recorded, and nothing came or was lost
	Down     State = "server-down"
	Gone     State = "erased"         // it was kept then
	Stuck    State = "not-taken-back" // withheld too late: it is in the file
	Away     State = "away"           // not on the call, or no sender
)

// A Lane is what became of one participant's voice in one file, over the whole
// interaction; or of a stream on which nobody is known to send.
type Lane struct {
	Party       string            `json:"party,omitempty"` // as in the manifest
	Title       string            `json:"title"`
	AORs        []string          `json:"aors,omitempty"`
	Role        string            `json:"role,omitempty"`
	Evidence    string            `json:"role_evidence,omitempty"`
	File        string            `json:"file,omitempty"`
	Attribution store.Attribution `json:"attribution,omitempty"`
	Spans       []Span            `json:"spans"` // one after the other, without a hole

	mapped []store.Mapped
}

// A Span is a part of a lane.
type Span struct {
	store.Interval
	State  State  `json:"state"`
	Stream string `json:"stream,omitempty"`
	// Lack is why it is missing: lost, no-packets, late-start, undecodable ...
	Lack   string        `json:"lack,omitempty"`
	Causes []store.Cause `json:"causes,omitempty"`
	// Because is what decided to record.
	Because string `json:"because,omitempty"`

	decision int // number of the decision that holds; -1 for none
}

// A decision is one about a stream, in force from an instant on.
type decision struct {
	stream  string
	from    int64
	record  bool
	because string
	causes  []store.Cause
	absent  int64 // from when audio is absent; from when it is not said
}

// Of makes the account. The error is [ErrNothing].
func Of(e Evidence) (Account, error) {
	m := &e.Manifest
	if !e.Finished && len(e.Journal) == 0 && e.Erased == nil {
		return Account{}, ErrNothing
	}
	a := Account{
		Recording: m.Recording, CallID: m.CallID, Of: m.Of, Maker: m.Maker, Begun: m.Times.Invite, EndReason: m.EndReason,
		Direction: m.Direction, Evidence: m.DirectionEvidence, Policy: m.Policy, PolicyFile: m.PolicyFile, Belonging: m.Belonging,
		Verdict: m.Verdict, Reasons: m.Reasons, Erased: e.Erased, Interruptions: m.Interruptions,
		Legs: m.RecordingSessions, Tags: m.Tags,
		Lanes: []Lane{}, Events: []Event{}, evidence: e, timeline: m.Timeline.OffsetMS,
	}
	a.name()
	a.begin()
	a.end()
	a.decide()
	a.place()
	a.draw()
	a.tell()
	a.press()
	a.remark()
	return a, nil
}

// name finds what people are called.
func (a *Account) name() {
	a.people = make(map[string]Person)
	for _, p := range a.evidence.Manifest.Participants {
		one := Person{Key: p.ID, ID: p.ID, Title: p.Title(), AORs: p.AORs}
		a.people[p.ID] = one
	}
	for _, p := range a.evidence.People {
		if known, ok := a.people[p.ID]; ok {
			known.Key = p.Key
			p = known
		}
		a.people[p.ID], a.people[p.Key] = p, p
	}
}

// title is what to call a party.
func (a *Account) title(key string) string {
	if p, ok := a.people[key]; ok {
		return p.Title
	}
	return key
}

// begin takes from the journal what the manifest does not say, as there is none yet.
func (a *Account) begin() {
	for _, l := range a.evidence.Journal {
		if l.Event == lineStarted {
			a.CallID, a.Policy = cmp.Or(a.CallID, l.CallID), cmp.Or(a.Policy, l.Policy)
			a.PolicyFile, a.Of, a.Maker = cmp.Or(a.PolicyFile, l.PolicyFile), cmp.Or(a.Of, l.Of), cmp.Or(a.Maker, l.Maker)
			a.Belonging = cmp.Or(a.Belonging, l.Belonging)
		}
		if f := l.Fact; f != nil && f.Direction != "" {
			a.Direction, a.Evidence = cmp.Or(a.Direction, f.Direction), cmp.Or(a.Evidence, f.Evidence)
		}
	}
	// A user recording is told on the time of the call, as its files are.
	for _, lines := range [][]Line{a.evidence.Beside, a.evidence.Journal} {
		if a.Begun.IsZero() && len(lines) > 0 {
			a.Begun = lines[0].At
		}
	}
}

// end finds how far it is, and how long it was.
func (a *Account) end() {
	e := &a.evidence
	end := e.Manifest.Times.End
	a.Progress = Finished
	if !e.Finished {
		a.Progress, end = GoingOn, e.Now
		if reason, at, over := a.over(); over {
			a.Progress, a.EndReason, end = Ended, reason, at
		}
	}
	switch {
	case e.Manifest.Void:
		a.Progress = Void
	case e.Erased != nil:
		a.Progress = Erased
	}
	for _, l := range e.Journal {
		if end.IsZero() || l.At.After(end) && (l.decides() || l.Event == lineFact) {
			end = l.At
		}
	}
	a.LengthMS = max(0, a.offset(end))
	a.seen = a.LengthMS
	if a.Progress == GoingOn {
		a.seen = a.offset(e.Seen)
	}
	if e.Finished {
		return
	}
	for _, l := range e.Journal {
		if l.Event == lineResumed && l.Down != nil {
			down := store.Interval{FromMS: a.offset(*l.Down), ToMS: a.offset(l.At)}
			a.Interruptions = append(a.Interruptions, store.Interruption{Interval: down, Cause: string(Down)})
		}
	}
}

// over says by the journal whether each of the recording sessions has ended, why the last
// one did, and when.
func (a *Account) over() (reason string, at time.Time, over bool) {
	begun, ended := 0, 0
	for _, l := range a.evidence.Journal {
		switch l.Event {
		case lineStarted, lineJoined:
			begun++
		case lineEnded:
			ended++
			reason, at = l.Reason, l.At
		}
	}
	return reason, at, ended > 0 && ended >= begun
}

// offset is an instant in milliseconds since the beginning, as the manifest counts.
func (a *Account) offset(at time.Time) int64 { return at.Sub(a.Begun).Milliseconds() }

// decide gathers what was decided, from the journal or, where there is none, the
// manifest.
func (a *Account) decide() {
	for _, l := range a.evidence.Journal {
		if !l.decides() {
			continue
		}
		d := decision{stream: l.Stream, from: a.offset(l.At), record: l.Event == lineAllowed, because: l.Because, causes: l.Causes}
		d.absent = d.from
		if !l.Absent.IsZero() {
			d.absent = a.offset(l.Absent)
		}
		a.decisions = append(a.decisions, d)
	}
	told := a.evidence.Manifest.Decisions
	if n := len(a.decisions); n > 0 {
		about := 0 // a stream: refusals of commands are about none
		for _, d := range told {
			if d.Stream != "" {
				about++
			}
		}
		if a.evidence.Finished && about > 0 && about != n {
			a.say("the manifest tells of %d decisions and the journal of %d: the picture is that of the journal", about, n)
		}
		return
	}
	for _, d := range told {
		a.decisions = append(a.decisions, decision{d.Stream, d.FromMS, d.Verdict == "record", d.Because, d.Causes, d.FromMS})
	}
}

// place says in words by which rules of the policy file the interaction belongs where
// it does.
func (a *Account) place() {
	v := a.evidence.Version
	if a.PolicyFile == "" || a.Belonging == nil {
		return
	}
	if v == nil || v.File == nil {
		a.say("the text of that version of the policy file is not there: what stands in it cannot be told")
		return
	}
	for _, r := range v.File.Mapping {
		if slices.Contains(a.Belonging.Lines, r.Line) {
			a.Mapping = append(a.Mapping, r.Sentence())
		}
	}
}
