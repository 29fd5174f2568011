package rules

import (
	"slices"
	"time"
)

// A Finished is what is known of an interaction once it is over. Before that,
// with End zero, nothing is deleted.
type Finished struct {
	Start, End time.Time
	Direction  Direction
	Kept       bool // there is audio of the recording
	Void       bool
}

// after is so many days later: of 24 hours, whatever a local clock does.
func (x Finished) after(days int) time.Time { return x.End.UTC().AddDate(0, 0, days) }

// A Fate is what becomes of a recording.
type Fate struct {
	Kept bool // there is something to keep
	// Delete says that it is deleted, as soon as policies run after DeleteAt;
	// with Held, not before the hold is released.
	Delete   bool
	DeleteAt time.Time
	Held     bool // a legal hold is on it
	Evaluate bool // an evaluation is assigned
}

// Fate is what the retention rules make of a policy recording. Only rules that
// were published before the interaction began count, the longest explicit period
// wins, and keeping without end does not compete with one. That the caller
// agreed changes nothing.
func (f Flags) Fate(x Finished) Fate {
	if x.Void || !x.Kept {
		return Fate{}
	}
	fate := Fate{Kept: true, Held: f.LegalHold}
	for _, r := range f.Retention {
		if !r.Published.Before(x.Start) || r.Direction != DirectionUnknown && r.Direction != x.Direction {
			continue
		}
		switch r.Action {
		case AssignEvaluation:
			fate.Evaluate = true
		case RetainDays, DeleteAfter:
			if at := x.after(r.Days); !x.End.IsZero() && at.After(fate.DeleteAt) {
				fate.Delete, fate.DeleteAt = true, at
			}
		}
	}
	return fate
}

// UserFate is what becomes of a user recording: it has an age of its own and no
// part in policies, evaluations or their periods. What is void goes, and a legal
// hold is on everything.
func (f Flags) UserFate(x Finished) Fate {
	if x.Void || !x.Kept {
		return Fate{}
	}
	fate := Fate{Kept: true, Held: f.LegalHold}
	if f.UserDays > 0 && !x.End.IsZero() {
		fate.Delete, fate.DeleteAt = true, x.after(f.UserDays)
	}
	return fate
}

// A Listener is who asks to hear a recording.
type Listener struct {
	ID string
	// Inbound, Outbound: the permission to hear policy recordings of that
	// direction; Groups limits it to lines or groups, nil is every one.
	Inbound, Outbound bool
	Groups            []string
}

// A Recorded is a recording that somebody asks for.
type Recorded struct {
	Maker     string // of a user recording; empty is the policy recording
	Direction Direction
	Group     string // line or group of the interaction
	Void      bool
	Deleted   bool
	Paused    bool // it is asked for live, and a cause withholds now
	// Evaluator has an evaluation of it assigned that is not finished; Reviewing
	// is the agent who reviews such an evaluation of himself.
	Evaluator, Reviewing string
}

// An Access is whether somebody may listen, and why.
type Access struct {
	Allowed bool
	Reason  string
}

// MayListen reports whether a user may listen to a recording. A user recording is
// its maker's alone.
func MayListen(u Listener, r Recorded) Access {
	switch {
	case r.Void:
		return Access{Reason: "the recording was refused, nothing is kept"}
	case r.Deleted:
		return Access{Reason: "the recording was deleted"}
	case r.Paused:
		return Access{Reason: "what is not kept is not relayed either"}
	case u.ID == "":
		return Access{Reason: "nobody asks"}
	case r.Maker != "":
		return Access{Allowed: u.ID == r.Maker, Reason: "a user recording is its maker's alone"}
	case u.permitted(r):
		return Access{Allowed: true, Reason: "permission for recordings of this direction and group"}
	case u.ID == r.Evaluator:
		return Access{Allowed: true, Reason: "an evaluation is assigned"}
	case u.ID == r.Reviewing:
		return Access{Allowed: true, Reason: "reviews an evaluation of himself"}
	default:
		return Access{Reason: "no permission, no assigned evaluation and no evaluation of himself"}
	}
}

// permitted reports whether the permission reaches to the recording. For an
// interaction of unknown direction it takes both.
func (u Listener) permitted(r Recorded) bool {
	if u.Groups != nil && !slices.Contains(u.Groups, r.Group) {
		return false
	}
	switch r.Direction {
	case DirectionInbound:
		return u.Inbound
	case DirectionOutbound:
		return u.Outbound
	default:
		return u.Inbound && u.Outbound
	}
}
