package recorder

import "time"

// The types of a [Notice].
const (
	// NoticeStarted: a recording began. Party is the maker of a user recording.
	NoticeStarted = "started"
	// NoticeStopped: a recording is over. Reason is why, as in
	// [store.Manifest.EndReason]; of a user recording that its maker or a transfer
	// ended while the call went on it is "user-recording-over".
	NoticeStopped = "stopped"
	// NoticeCauseAdded: Cause of Owner withholds audio from At on, of Stream alone if
	// that is set. NoticeCauseRemoved: it does no longer.
	NoticeCauseAdded   = "cause-added"
	NoticeCauseRemoved = "cause-removed"
	// NoticeRoleChanged: Party is known to be Role, and was taken for another.
	NoticeRoleChanged = "role-changed"
	// NoticeCommand: Action was commanded by Owner, the name of a token. Reason is why
	// it was refused; empty when it was carried out.
	NoticeCommand = "command"
	// NoticeVerdict: the recording is finalised, with Verdict.
	NoticeVerdict = "verdict"
	// NoticeAlarm: Alarm is raised. NoticeAlarmCleared: what it was about is over.
	NoticeAlarm        = "alarm"
	NoticeAlarmCleared = "alarm-cleared"
	// NoticeHeld and NoticeReleased: a legal hold was put on a finished or live
	// recording by Owner, or taken off. NoticeErased: it was erased; Reason is
	// "void" when the rules demanded it, "retention" when its time was over, "command"
	// when somebody commanded it.
	NoticeHeld     = "held"
	NoticeReleased = "released"
	NoticeErased   = "erased"
)

// A Notice tells other systems of one thing that happened to a recording. Nothing in
// it names or numbers a person or an address, beyond ids of participants. Fields that
// do not belong to its type are empty.
type Notice struct {
	At   time.Time `json:"at"` // UTC: from when it holds
	Type string    `json:"type"`
	// Recording is the id of the recording; empty when an alarm is about the whole
	// server. Of one about several recordings it is the last of them.
	Recording string `json:"recording,omitempty"`
	// Account and Trunk are those of the policy file; empty without one.
	Account string `json:"account,omitempty"`
	Trunk   string `json:"trunk,omitempty"`
	CallID  string `json:"call_id,omitempty"` // of the recording session that began it

	Cause  string `json:"cause,omitempty"`  // name, as in [rules.Cause.String]
	Owner  string `json:"owner,omitempty"`  // of the cause, or who acted
	Stream string `json:"stream,omitempty"` // id within the recording
	// Party is the id of a participant, as in metadata; "participant-N", counted from
	// 1 in the order of appearance, where the id of the SRC is an address or a number.
	Party   string `json:"party,omitempty"`
	Role    string `json:"role,omitempty"`    // as in [rules.Role.String]
	Verdict string `json:"verdict,omitempty"` // as in [store.Verdict], or "void"
	Alarm   string `json:"alarm,omitempty"`   // name of the alarm
	Action  string `json:"action,omitempty"`  // of a command
	Reason  string `json:"reason,omitempty"`  // a word: see the types
	Words   string `json:"words,omitempty"`   // the same for a person; not to be parsed
}

// notify hands a notice on, if there is anybody to take it.
func (r *Recorder) notify(n Notice) {
	if r.cfg.Notify != nil {
		n.At = n.At.UTC()
		r.cfg.Notify(n)
	}
}

// noted waits until what was handed on is safe from the end of the process.
func (r *Recorder) noted() {
	if r.cfg.Noted != nil {
		r.cfg.Noted()
	}
}
