package recorder

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/siprecd/siprecd/recorder/store"
)

// An Action says what a [Command] does. Those that tell a fact are what an SRC may
// say too; who tells it first is believed, and none undoes what another one said.
type Action string

// The actions. In brackets stand the fields that each needs, and in parentheses those
// that it may have; Key, At and Reason may stand with each, Evidence with those about
// consent.
const (
	ActRecord Action = "record" // (Party) decides for this one call that it is recorded

	ActPause  Action = "pause"  // [Party]
	ActResume Action = "resume" // [Party]

	// Something is paid, and no more. Name is who says so, the name of the token by
	// default: each owner ends only what it began.
	ActSecureStart Action = "secure-start" // (Name)
	ActSecureStop  Action = "secure-stop"  // (Name)

	// Consent of the caller. A no, an answer that did not come where it was asked
	// for, and a withdrawal that erases discard everything, for good.
	ActConsentAsked      Action = "consent-asked"
	ActConsentGiven      Action = "consent-given"
	ActConsentRefused    Action = "consent-refused"
	ActConsentUnanswered Action = "consent-unanswered"
	ActConsentWithdrawn  Action = "consent-withdrawn"
	ActPartyAgreed       Action = "party-agreed" // [Party] consent of another party

	ActUserRecordingStart Action = "user-recording-start" // [Party] is its maker
	ActUserRecordingStop  Action = "user-recording-stop"  // [Party]

	ActFlowEntered  Action = "flow-entered" // [Name] of an IVR flow
	ActFlowLeft     Action = "flow-left"
	ActQueueEntered Action = "queue-entered" // [Name] of the queue in which the caller waits
	ActQueueLeft    Action = "queue-left"

	ActHold     Action = "hold"     // [Party] holds the others
	ActRetrieve Action = "retrieve" // [Party]

	// A consult is a conversation beside the call: Party talks to Other.
	ActConsult         Action = "consult"           // [Party, Other] (Chosen)
	ActConsultDialled  Action = "consult-dialled"   // [Party, Other] (Chosen) Other does not answer yet
	ActAnswered        Action = "answered"          // [Party] who was dialled
	ActConsultEnded    Action = "consult-ended"     // [Other] is let go (Party)
	ActAlternateBack   Action = "alternate-back"    // [Party] talks to the main call meanwhile
	ActAlternateAway   Action = "alternate-away"    // [Party] is in the consult again
	ActConference      Action = "conference"        // (Party) all are in the main call
	ActTransfer        Action = "transfer"          // [Party] lets go, whom it consulted is in the main call
	ActTransferBlind   Action = "transfer-blind"    // [Party, Other] (Chosen) Party lets go, Other is dialled
	ActTransferToQueue Action = "transfer-to-queue" // [Party, Name] Party lets go, the call waits in the queue

	ActPartyDialled Action = "party-dialled" // [Party] (Chosen)
	ActPartyJoined  Action = "party-joined"  // [Party] (Chosen)
	ActPartyLeft    Action = "party-left"    // [Party]

	ActMenu        Action = "menu"          // [Name] of the option that the caller chose
	ActPlan        Action = "plan"          // [Name] of the plan of the call, where none was known
	ActDirection   Action = "direction"     // [Name] is inbound, outbound or internal, where none was known
	ActTag         Action = "tag"           // [Tags]
	ActDoNotRecord Action = "do-not-record" // nothing is recorded from then on
)

// Values of [Command.Chosen].
const (
	ChosenFromList = "list"  // picked from the directory
	ChosenTyped    = "typed" // a number that somebody typed: counts as an outsider
)

// Bounds of a Command and a Query. Lengths are in octets of UTF-8.
const (
	MaxCommandKey = 128
	// MaxTags is how many tags one command may set, and how many a recording has.
	MaxTags = 64

	maxPartyLength   = 256
	maxNameLength    = 128
	maxReasonLength  = 1000
	maxWordingLength = 4096
	maxCallIDLength  = 1024
	maxDigits        = 16
	maxTagName       = 64
	maxTagValue      = 256

	// maxAhead is by how much the instant of a command may lie ahead of the clock of
	// the server: clocks of two machines differ.
	maxAhead = 2 * time.Second
)

// A Query says which live interactions are meant. All fields that are given have to
// fit; without any, every live one does. Texts are compared as a person would write
// them: numbers however they are dialled, host names in any case.
type Query struct {
	Recording   string `json:"recording,omitempty"`   // id of the recording
	CallID      string `json:"call_id,omitempty"`     // of one of its recording sessions
	Participant string `json:"participant,omitempty"` // id, AOR, number or name of a participant
	Agent       string `json:"agent,omitempty"`       // id of an agent, as the SRC sends it
	Extension   string `json:"extension,omitempty"`   // of one of the own people
	Group       string `json:"group,omitempty"`       // id of a group or communication session (RFC 7865 §6.2, §6.3)
	VendorID    string `json:"vendor_id,omitempty"`   // UCID, GUID or tracking id in extension data or header fields
	Account     string `json:"account,omitempty"`     // of the policy file
}

// Evidence says how consent is known.
type Evidence struct {
	Who     string    `json:"who,omitempty"` // gave the answer, or heard it
	When    time.Time `json:"when,omitzero"`
	Wording string    `json:"wording,omitempty"` // what was asked, or said
	Digit   string    `json:"digit,omitempty"`   // that was pressed: 0-9, A-D, * and #
}

// A Command is what a person or another system says to one live interaction.
type Command struct {
	// Key makes the command idempotent: a second one to the same interaction with
	// the same key changes nothing and gets the same answer, whatever its At; one that
	// says anything else is malformed. At most [MaxCommandKey] octets; empty for none.
	Key    string `json:"key,omitempty"`
	Action Action `json:"action"`
	// At is from when it holds; zero is now. It may be past, but never before the
	// interaction began; one more than 2 s ahead is refused.
	At time.Time `json:"at,omitzero"`
	// Party and Other are each the id of a participant, an AOR, a number or the id
	// of an agent, which is resolved within the interaction.
	Party string `json:"party,omitempty"`
	Other string `json:"other,omitempty"`
	// Chosen says of Other, or with party-dialled and party-joined of Party, how it
	// was chosen if it is not known yet: [ChosenFromList] or [ChosenTyped]. Empty
	// leaves it open.
	Chosen   string    `json:"chosen,omitempty"`
	Name     string    `json:"name,omitempty"`
	Reason   string    `json:"reason,omitempty"` // in words, for the journal
	Evidence *Evidence `json:"evidence,omitempty"`
	// Tags are words of others about the call, by name; an empty value takes one
	// away. They decide nothing.
	Tags map[string]string `json:"tags,omitempty"`
	// By is who commands: the name of the token, and the person it vouches for. It
	// is no part of the JSON, as nobody says it of himself.
	By string `json:"-"`
}

// A State is what holds for one interaction now.
type State struct {
	Recording  string    `json:"recording"`
	Account    string    `json:"account,omitempty"`
	Trunk      string    `json:"trunk,omitempty"`
	Plan       string    `json:"plan,omitempty"`
	CallIDs    []string  `json:"call_ids"`
	Groups     []string  `json:"groups,omitempty"`
	VendorIDs  []string  `json:"vendor_ids,omitempty"`
	Begun      time.Time `json:"begun"` // arrival of the first INVITE, UTC
	Direction  string    `json:"direction"`
	Policy     string    `json:"policy"`                // version that decides
	PolicyFile string    `json:"policy_file,omitempty"` // version of the file
	// ConsentStep says that the caller is to be asked for consent under the plan.
	ConsentStep bool `json:"consent_step"`
	Kept        bool `json:"kept"`           // some stream is recorded now
	Void        bool `json:"void,omitempty"` // everything is discarded, for good
	// Ended: no recording session of it goes on. For a short time another may still come.
	Ended bool `json:"ended,omitempty"`

	Parties []PartyState  `json:"parties"`
	Streams []StreamState `json:"streams"`
	// Causes are in force for the whole interaction or for any stream of it, each
	// (cause, owner) once.
	Causes         []store.Cause        `json:"causes"`
	UserRecordings []UserRecordingState `json:"user_recordings,omitempty"`
	Tags           map[string]string    `json:"tags,omitempty"`
}

// A PartyState is one participant of an interaction.
type PartyState struct {
	ID      string      `json:"id"`
	AORs    []string    `json:"aors,omitempty"`
	Names   []string    `json:"names,omitempty"`
	Role    *store.Role `json:"role,omitempty"`
	Present bool        `json:"present"`
	Consult bool        `json:"consult,omitempty"` // talks beside the main call
}

// A StreamState is one recorded stream of an interaction.
type StreamState struct {
	ID      string        `json:"id"`
	Label   string        `json:"label,omitempty"` // a=label as sent (RFC 4574)
	Parties []string      `json:"parties,omitempty"`
	Verdict string        `json:"verdict"` // record or withhold
	Causes  []store.Cause `json:"causes,omitempty"`
}

// A UserRecordingState is one user recording that is being made.
type UserRecordingState struct {
	Recording string `json:"recording"`
	Maker     string `json:"maker"` // id of a participant
}

// An Answer is what came of a Command.
type Answer struct {
	State State `json:"state"`
	// AbsentFrom is from when audio is absent because of the command. It is later
	// than [Command.At] where that could not be taken back any more; zero when
	// nothing is withheld by it.
	AbsentFrom time.Time `json:"absent_from,omitzero"`
	Repeated   bool      `json:"repeated,omitempty"` // the Key came before: nothing was changed
}

// What a [Recorder.Command] fails with. Each is found with errors.Is, and what it has
// to say with errors.As.
var (
	// ErrNotLive: no interaction that goes on fits.
	ErrNotLive = errors.New("no live interaction fits")
	// ErrAmbiguous: several fit; see [Ambiguity].
	ErrAmbiguous = errors.New("several live interactions fit")
	// ErrRefused: the rules refuse it; see [Refusal].
	ErrRefused = errors.New("refused")
	// ErrCommand: it cannot be meant; see [Malformed].
	ErrCommand = errors.New("malformed command")
)

// An Ambiguity is an [ErrAmbiguous] with the recordings that fit.
type Ambiguity struct{ Recordings []string }

// Error says how many fit.
func (a *Ambiguity) Error() string {
	return fmt.Sprintf("%d live interactions fit", len(a.Recordings))
}

// Unwrap returns ErrAmbiguous.
func (*Ambiguity) Unwrap() error { return ErrAmbiguous }

// A Refusal is an [ErrRefused] with the reason in words. The [Answer] beside it has the
// state, which the command left as it was.
type Refusal struct{ Reason string }

// Error returns the reason.
func (r *Refusal) Error() string { return "refused: " + r.Reason }

// Unwrap returns ErrRefused.
func (*Refusal) Unwrap() error { return ErrRefused }

// A Malformed is an [ErrCommand] with the field, by its JSON name, and what is wrong
// with it.
type Malformed struct{ Field, Problem string }

// Error returns field and problem.
func (m *Malformed) Error() string { return m.Field + ": " + m.Problem }

// Unwrap returns ErrCommand.
func (*Malformed) Unwrap() error { return ErrCommand }

func malformed(field, format string, args ...any) error {
	return &Malformed{Field: field, Problem: fmt.Sprintf(format, args...)}
}

// An actionRow says which fields an action needs and which it may have besides.
type actionRow struct {
	action      Action
	needs, also []string
}

func actionRows() []actionRow {
	evidence := []string{"evidence"}
	party, name := []string{"party"}, []string{"name"}
	both, chosen := []string{"party", "other"}, []string{"chosen"}
	return []actionRow{
		{ActRecord, nil, party},
		{ActPause, party, nil}, {ActResume, party, nil},
		{ActSecureStart, nil, name}, {ActSecureStop, nil, name},
		{ActConsentAsked, nil, evidence}, {ActConsentGiven, nil, evidence}, {ActConsentRefused, nil, evidence},
		{ActConsentUnanswered, nil, evidence}, {ActConsentWithdrawn, nil, evidence}, {ActPartyAgreed, party, evidence},
		{ActUserRecordingStart, party, nil}, {ActUserRecordingStop, party, nil},
		{ActFlowEntered, name, nil}, {ActFlowLeft, name, nil}, {ActQueueEntered, name, nil}, {ActQueueLeft, name, nil},
		{ActHold, party, nil}, {ActRetrieve, party, nil},
		{ActConsult, both, chosen}, {ActConsultDialled, both, chosen}, {ActAnswered, party, nil},
		{ActConsultEnded, []string{"other"}, party}, {ActAlternateBack, party, nil}, {ActAlternateAway, party, nil},
		{ActConference, nil, party}, {ActTransfer, party, nil}, {ActTransferBlind, both, chosen},
		{ActTransferToQueue, []string{"party", "name"}, nil},
		{ActPartyDialled, party, chosen}, {ActPartyJoined, party, chosen}, {ActPartyLeft, party, nil},
		{ActMenu, name, nil}, {ActPlan, name, nil}, {ActDirection, name, nil}, {ActTag, []string{"tags"}, nil},
		{ActDoNotRecord, nil, nil},
	}
}

// Actions are all actions there are, in the order in which they are documented.
func Actions() []Action {
	var out []Action
	for _, row := range actionRows() {
		out = append(out, row.action)
	}
	return out
}

// Fields are the fields that an action needs, and those that it may have besides, of
// party, other, chosen, name, evidence and tags; both are nil for what is no action.
func Fields(a Action) (needs, also []string) {
	for _, row := range actionRows() {
		if row.action == a {
			return row.needs, row.also
		}
	}
	return nil, nil
}

// given are the fields of which an action decides whether they may stand there.
func (c *Command) given() map[string]bool {
	return map[string]bool{
		"party": c.Party != "", "other": c.Other != "", "chosen": c.Chosen != "", "name": c.Name != "",
		"evidence": c.Evidence != nil, "tags": len(c.Tags) > 0,
	}
}

// says reports whether two commands say the same, whoever says it and from when on: who
// repeats one may tell a later instant.
func (c Command) says(o Command) bool {
	if !maps.Equal(c.Tags, o.Tags) || (c.Evidence == nil) != (o.Evidence == nil) {
		return false
	}
	texts := func(c Command) [10]string {
		t := [10]string{c.Key, string(c.Action), c.Party, c.Other, c.Chosen, c.Name, c.Reason}
		if e := c.Evidence; e != nil {
			t[7], t[8], t[9] = e.Who, e.Wording, e.Digit
		}
		return t
	}
	return texts(c) == texts(o)
}

// check says what of a command cannot be meant, by the clock of the server: a
// [Malformed], or nil. That no such party is there, or that At lies before the
// interaction, it cannot know.
func (c *Command) check(now time.Time) error {
	rows := actionRows()
	i := slices.IndexFunc(rows, func(r actionRow) bool { return r.action == c.Action })
	if c.Action == "" {
		return malformed("action", "is missing")
	}
	if i < 0 {
		return malformed("action", "there is none of this name")
	}
	row, given := rows[i], c.given()
	for _, field := range []string{"party", "other", "chosen", "name", "evidence", "tags"} {
		needed := slices.Contains(row.needs, field)
		switch {
		case needed && !given[field]:
			return malformed(field, "%s needs it", c.Action)
		case !needed && given[field] && !slices.Contains(row.also, field):
			return malformed(field, "has no meaning with %s", c.Action)
		}
	}
	if err := c.checkTexts(); err != nil {
		return err
	}
	if c.At.After(now.Add(maxAhead)) {
		return malformed("at", "lies in the future")
	}
	if c.Chosen != "" && c.Chosen != ChosenFromList && c.Chosen != ChosenTyped {
		return malformed("chosen", "want %s or %s", ChosenFromList, ChosenTyped)
	}
	if c.Action == ActDirection && !slices.Contains([]string{"inbound", "outbound", "internal"}, c.Name) {
		return malformed("name", "want inbound, outbound or internal")
	}
	if err := c.Evidence.check(now); err != nil {
		return err
	}
	return checkTags(c.Tags)
}

func (c *Command) checkTexts() error {
	return checkTexts([]boundedText{
		{"key", c.Key, MaxCommandKey}, {"party", c.Party, maxPartyLength}, {"other", c.Other, maxPartyLength},
		{"name", c.Name, maxNameLength}, {"reason", c.Reason, maxReasonLength},
	})
}

// check is that of a command, of its evidence.
func (e *Evidence) check(now time.Time) error {
	if e == nil {
		return nil
	}
	if err := checkTexts([]boundedText{
		{"evidence.who", e.Who, maxPartyLength}, {"evidence.wording", e.Wording, maxWordingLength},
		{"evidence.digit", e.Digit, maxDigits},
	}); err != nil {
		return err
	}
	if strings.Trim(e.Digit, "0123456789*#ABCDabcd") != "" {
		return malformed("evidence.digit", "want digits of a telephone: 0-9, A-D, * and #")
	}
	if e.When.After(now.Add(maxAhead)) {
		return malformed("evidence.when", "lies in the future")
	}
	return nil
}

func checkTags(tags map[string]string) error {
	if len(tags) > MaxTags {
		return malformed("tags", "are more than %d", MaxTags)
	}
	for name, value := range tags {
		if name == "" || len(name) > maxTagName || strings.ContainsFunc(name, notOfTagName) {
			return malformed("tags", "want names of 1 to %d letters, digits, dots, dashes and underscores", maxTagName)
		}
		if err := checkTexts([]boundedText{{"tags." + name, value, maxTagValue}}); err != nil {
			return err
		}
	}
	return nil
}

func notOfTagName(r rune) bool { return r > unicode.MaxASCII || !isNameByte(byte(r)) }

// Check says what of a query cannot be meant: a [Malformed], or nil.
func (q *Query) Check() error {
	return checkTexts([]boundedText{
		{"recording", q.Recording, maxPartyLength}, {"call_id", q.CallID, maxCallIDLength}, {"participant", q.Participant, maxPartyLength},
		{"agent", q.Agent, maxPartyLength}, {"extension", q.Extension, maxPartyLength}, {"group", q.Group, maxPartyLength},
		{"vendor_id", q.VendorID, maxPartyLength}, {"account", q.Account, maxPartyLength},
	})
}

// CheckReason says what of a reason cannot be written down, or of the matter for which it
// is: a [Malformed], or nil.
func CheckReason(reason, matter string) error {
	return checkTexts([]boundedText{{"reason", reason, maxReasonLength}, {"matter", matter, maxNameLength}})
}

// A boundedText is the text of a field, and how many octets it may have.
type boundedText struct {
	field, text string
	most        int
}

// checkTexts: what is written to a journal is short, is UTF-8 and ends no line of a
// log or terminal.
func checkTexts(texts []boundedText) error {
	for _, t := range texts {
		switch {
		case len(t.text) > t.most:
			return malformed(t.field, "is longer than %d octets", t.most)
		case !utf8.ValidString(t.text):
			return malformed(t.field, "is not UTF-8")
		case strings.ContainsFunc(t.text, func(r rune) bool { return !unicode.IsPrint(r) }):
			return malformed(t.field, "has characters that cannot be printed")
		case t.text != "" && strings.TrimSpace(t.text) == "":
			return malformed(t.field, "is blank")
		}
	}
	return nil
}
