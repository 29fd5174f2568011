package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"
)

// Flags are the settings under which the engine decides. The zero Flags record
// nothing. Each field says its values, its default under [Vonage], [Genesys] and
// [Ours], in this order.
type Flags struct {
	// Plan is the inbound rule of the interaction plan. Its rules are
	// alternatives; without one nothing inbound is decided by the plan.
	// Defaults: none, none, none.
	Plan []PlanRule
	// Outbound records every outbound call of the account. Defaults: false,
	// false, false.
	Outbound bool
	// Trunk records every interaction with an external party on the trunk.
	// Defaults: false, false, false.
	Trunk bool
	// DoNotRecord are numbers of callers that are never recorded, whatever
	// decides to. Defaults: none.
	DoNotRecord []string
	// Control is which internal participants may pause and resume. Defaults:
	// nobody.
	Control Selection
	// Hold is what a hold does. Defaults: record, record, pause on action.
	Hold HoldMode
	// ConsultHolds: with HoldLeg, a consult holds the customer. Defaults: false,
	// true, true.
	ConsultHolds bool
	// PauseExternal pauses an inbound recording while an external third party is
	// dialled or on the call. Defaults: false, false, false.
	PauseExternal bool
	// ContinueWithoutAgent goes on recording when only outsiders are left.
	// Defaults: true, false, false.
	ContinueWithoutAgent bool
	// StopIsFinal: what ContinueWithoutAgent=false stopped does not begin again.
	// Defaults: false, false, false.
	StopIsFinal bool
	// AgentOnly records only streams of which every sender is an internal party.
	// Defaults: false, false, false.
	AgentOnly bool
	// SuppressedFlows are the IVR flows during which nothing is recorded.
	// Defaults: none.
	SuppressedFlows Selection
	// QueueWait is which queues go on recording while the caller waits.
	// Defaults: all, all, all.
	QueueWait Selection
	// FlowsUnfed: nothing tells when a caller is in a flow or a queue. If one of
	// them is suppressed, inbound audio is withheld until the first internal
	// party joins. Defaults: false, false, false.
	FlowsUnfed bool
	// Consent is whether an inbound caller is asked. Defaults: off, off, off.
	Consent ConsentMode
	// Withdrawal is what taking consent back does. Defaults: erase, erase, erase.
	Withdrawal WithdrawalMode
	// PartyConsent withholds each further external party until it agreed.
	// Defaults: false, false, false.
	PartyConsent bool
	// ConsultLeg records the consult conversation itself. Defaults: true, false,
	// false.
	ConsultLeg bool
	// Mixed: the SRC sends everybody in one stream. Defaults: false.
	Mixed bool
	// UserRecordings is who may make recordings of his own. Defaults: all, all,
	// nobody.
	UserRecordings Selection
	// Retention is what becomes of policy recordings. Defaults: none, which keeps
	// them without end.
	Retention []RetentionRule
	// UserDays is after how many days a user recording is deleted; 0 is never. No
	// retention rule reaches user recordings. Defaults: 0, 0, 365.
	UserDays int
	// Digits keeps the digits that are pressed (RFC 4733), where the audio of who
	// presses them is kept. Defaults: false, false, false.
	Digits bool
	// LegalHold suspends every deletion. Defaults: false.
	LegalHold bool
	// PauseAlarm is how long a manual or secure pause may last before it is worth
	// an alarm; 0 is never. It resumes nothing. Defaults: 0, 0, 10 minutes.
	PauseAlarm time.Duration
}

// A Selection is some of the names of a kind. The zero Selection is none.
type Selection struct {
	All   bool
	Names []string
}

// Has reports whether a name is selected.
func (s Selection) Has(name string) bool { return s.All || slices.Contains(s.Names, name) }

// A PlanRule is one alternative of an interaction plan.
type PlanRule struct {
	Kind    PlanKind
	Percent int      // 0 to 100, of PlanPercent
	Callers []string // numbers, of PlanCallers
	Option  string   // of PlanMenu
}

// A PlanKind is what a rule of a plan looks at.
type PlanKind int

// The kinds: every call; a share of calls, drawn once for each; listed callers;
// who chooses an option of a menu.
const (
	PlanAll PlanKind = iota + 1
	PlanPercent
	PlanCallers
	PlanMenu
)

func planWords() words { return words{"none", "all", "percent", "callers", "menu"} }

// String returns the name of the kind.
func (k PlanKind) String() string { return planWords().name(int(k), "plan") }

// A HoldMode is what a hold does to the recording.
type HoldMode int

// The modes. HoldRecord goes on. HoldAction pauses everything from an agent's
// hold to his retrieve. HoldLeg pauses what is in the main bridge while the leg
// of the customer is held. The two are not comparable in strictness.
const (
	HoldRecord HoldMode = iota
	HoldAction
	HoldLeg
)

func holdWords() words { return words{"record", "action", "leg"} }

// String returns the name of the mode.
func (m HoldMode) String() string { return holdWords().name(int(m), "hold") }

// A ConsentMode is whether callers are asked.
type ConsentMode int

// The modes.
const (
	ConsentOff ConsentMode = iota
	ConsentAsk
)

func consentWords() words { return words{"off", "ask"} }

// String returns the name of the mode.
func (m ConsentMode) String() string { return consentWords().name(int(m), "consent") }

// A WithdrawalMode is what taking consent back does to what there is.
type WithdrawalMode int

// The modes.
const (
	WithdrawalErases WithdrawalMode = iota
	WithdrawalKeeps
)

func withdrawalWords() words { return words{"erase", "keep"} }

// String returns the name of the mode.
func (m WithdrawalMode) String() string { return withdrawalWords().name(int(m), "withdraw") }

// A RetentionRule says what becomes of the policy recordings it matches.
type RetentionRule struct {
	Action RetentionAction
	Days   int // of RetainDays and DeleteAfter; 0 is as soon as policies run
	// Direction is what it matches; DirectionUnknown is every one.
	Direction Direction
	// Published is the server's own instant; interactions that began earlier are
	// not touched.
	Published time.Time
}

// A RetentionAction is what a rule does.
type RetentionAction int

// The actions. RetainForever does not compete with explicit periods.
const (
	RetainForever RetentionAction = iota + 1
	RetainDays                    // keep for days, then delete
	DeleteAfter                   // delete after days
	AssignEvaluation
)

func retentionWords() words { return words{"none", "retain", "ret", "del", "eval"} }

// String returns the name of the action.
func (a RetentionAction) String() string { return retentionWords().name(int(a), "retention") }

// Vonage are the documented defaults of that product as it is delivered.
func Vonage() Flags {
	everybody := Selection{All: true}
	return Flags{ContinueWithoutAgent: true, QueueWait: everybody, ConsultLeg: true, UserRecordings: everybody}
}

// Genesys are the documented defaults of that product, with trunk recording off.
func Genesys() Flags {
	everybody := Selection{All: true}
	return Flags{ConsultHolds: true, QueueWait: everybody, UserRecordings: everybody}
}

// Ours are the defaults of this product: no plan, outbound off, holds withheld,
// nothing without an agent, user recordings for a year.
func Ours() Flags {
	return Flags{Hold: HoldAction, ConsultHolds: true, QueueWait: Selection{All: true}, PauseAlarm: 10 * time.Minute, UserDays: 365}
}

// NewPolicy makes a policy of flags. Its version is a hash of them.
func NewPolicy(f Flags) Policy {
	p := Policy{text: fmt.Sprintf("policy 2\n%#v\n", f.frozen()), flags: f.frozen()}
	sum := sha256.Sum256([]byte(p.text))
	p.version = "policy@" + hex.EncodeToString(sum[:6])
	return p
}

// Flags are the settings of the policy.
func (p Policy) Flags() Flags { return p.flags.frozen() }

// frozen shares no memory with f, and no location of a clock.
func (f Flags) frozen() Flags {
	f.Plan = slices.Clone(f.Plan)
	for i, r := range f.Plan {
		f.Plan[i].Callers = slices.Clone(r.Callers)
	}
	f.DoNotRecord = slices.Clone(f.DoNotRecord)
	f.Retention = slices.Clone(f.Retention)
	for i, r := range f.Retention {
		f.Retention[i].Published = r.Published.UTC().Round(0)
	}
	for _, s := range []*Selection{&f.Control, &f.SuppressedFlows, &f.QueueWait, &f.UserRecordings} {
		s.Names = slices.Clone(s.Names)
	}
	return f
}
