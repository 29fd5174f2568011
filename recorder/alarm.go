package recorder

import (
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
)

// The alarms: what no setting of a policy file can see, and a person should. Each is
// raised once until what it is about is over.
const (
	// AlarmDisk: the disk for recordings fails, or does not keep up.
	AlarmDisk = "disk"
	// AlarmAccount: no rule of the policy file says where the interaction belongs.
	AlarmAccount = "account-unknown"
	// AlarmUnanswered: of an account and trunk so many interactions in succession
	// ended without an answer to the question for consent, yes or no, that what tells
	// of answers is likely broken.
	AlarmUnanswered = "consent-unanswered"
	// AlarmRoles: likewise nothing placed anybody of the first pair.
	AlarmRoles = "roles-unknown"
	// AlarmOverdue: a pause by hand or for a payment lasts longer than pause-alarm.
	AlarmOverdue = "paused-too-long"
	// AlarmEndedPaused: the interaction ended in such a pause.
	AlarmEndedPaused = "ended-while-paused"
	// AlarmNotResumed: who paused by hand has left, another of the own people is on the
	// call, and it is still paused. AlarmInherited: none of those may resume.
	AlarmNotResumed = "not-resumed-after-transfer"
	AlarmInherited  = "pause-inherited"
	// AlarmSilent: nothing is heard on a stream of which audio was kept, or nothing came.
	// AlarmOneSided: something is heard on another one.
	AlarmSilent   = "silent-stream"
	AlarmOneSided = "one-sided"
	// AlarmUnfinished: the recording could not be finalised.
	AlarmUnfinished = "not-finalised"
)

// alarmWords says what an alarm means, of nobody in particular.
func alarmWords(name string) string {
	return map[string]string{
		AlarmAccount:     "no rule of the policy file says where the interaction belongs",
		AlarmUnanswered:  "one interaction after the other ended without an answer to the question for consent",
		AlarmRoles:       "one interaction after the other had nobody of whom it is known who is one of the own people",
		AlarmOverdue:     "a pause lasts longer than pause-alarm allows; nothing resumes by itself",
		AlarmEndedPaused: "the interaction ended in a pause",
		AlarmNotResumed:  "who paused the recording has left, and it is still paused",
		AlarmInherited:   "who paused the recording has left, and nobody who is left may resume it",
		AlarmSilent:      "nothing is heard on a stream of which audio was kept",
		AlarmOneSided:    "something is heard on some streams, and nothing on others",
		AlarmUnfinished:  "the recording could not be finalised: its capture is kept",
	}[name]
}

// DefaultAlarmAfter is how many interactions in succession raise [AlarmUnanswered] and
// [AlarmRoles], where [Config.AlarmAfter] does not say.
const DefaultAlarmAfter = 5

// A change is an alarm that is raised, or is over.
type change struct {
	store.Alarm
	over bool
}

// same reports whether two alarms are about the same.
func same(a, b store.Alarm) bool {
	return a.Alarm == b.Alarm && a.Cause == b.Cause && a.Owner == b.Owner && a.Stream == b.Stream
}

// A watch looks for what is worth an alarm in one interaction.
type watch struct {
	pauser  rules.PartyID // who paused by hand last
	decided bool          // something was
	unknown bool          // roles, by the last decision
}

// raised keeps an alarm, and reports whether that is news.
func (rec *recording) raised(c change) bool {
	i := slices.IndexFunc(rec.alarms, func(a store.Alarm) bool { return same(a, c.Alarm) && a.Cleared.IsZero() })
	switch {
	case i < 0 && !c.over:
		rec.alarms = append(rec.alarms, c.Alarm)
		return true
	case i >= 0 && c.over:
		rec.alarms[i].Cleared = c.At.UTC()
		return true
	}
	return false
}

// step takes what the rules were told and decided.
func (w *watch) step(facts []rules.Event, decisions []rules.Decision) {
	for _, f := range facts {
		refused := slices.ContainsFunc(decisions, func(d rules.Decision) bool {
			return d.Verdict == rules.Refused && d.Command == f.Kind && d.By == f.Party
		})
		if f.Kind == rules.PausePressed && f.Party != "" && !refused {
			w.pauser = f.Party
		}
	}
	for _, d := range decisions {
		if d.Verdict != rules.Refused {
			w.decided, w.unknown = true, d.RolesUnknown
		}
	}
}

// alarmsOf are the alarms that a step of the rules raises, and those that it ends; but
// see overdue.
func (in *interaction) alarmsOf(at time.Time, facts []rules.Event, decisions []rules.Decision) []change {
	w := &in.teller.watch
	w.step(facts, decisions)
	var out []change
	for _, f := range facts {
		switch {
		case f.Kind == rules.InteractionEnded:
			return append(out, in.endedPaused(at)...)
		case f.Kind == rules.InteractionStarted && in.policy.belonging.Alarm != "":
			out = append(out, raise(at, store.Alarm{Alarm: AlarmAccount}))
		}
	}
	return append(out, in.inherited(at)...)
}

// ownerCall is who pauses for all of the parties: a pause by hand is one, whoever of them
// pressed it.
const ownerCall = "call"

// inherited says whether who paused by hand has left while others of the own people are on
// the call, and whether none of them has control.
func (in *interaction) inherited(at time.Time) []change {
	w := &in.teller.watch
	if !slices.ContainsFunc(in.teller.inForce, func(c toldCause) bool { return c.cause == rules.Manual && c.owner == ownerCall }) {
		w.pauser = ""
	}
	out := []change{ends(at, AlarmNotResumed), ends(at, AlarmInherited)}
	if w.pauser == "" {
		return out
	}
	left, powerless, control := false, true, in.policy.Flags().Control
	for _, p := range in.verdicts.Parties() {
		switch {
		case p.Present && p.Party == w.pauser:
			return out
		case p.Present && p.Identity.Internal():
			left, powerless = true, powerless && !control.Has(string(p.Party)) && (p.Identity.Name == "" || !control.Has(p.Identity.Name))
		}
	}
	out[0].over, out[1].over = !left, !left || !powerless
	return out
}

// overdue says which pauses have lasted too long at an instant, and which of those that
// had are over.
func (in *interaction) overdue(at time.Time) []change {
	var out []change
	for _, a := range in.verdicts.Overdue(at) {
		out = append(out, raise(at, store.Alarm{Alarm: AlarmOverdue, Cause: a.Cause.String(), Owner: a.Owner}))
	}
	long := slices.Clone(out)
	for _, a := range in.alarms {
		if a.Alarm == AlarmOverdue && !slices.ContainsFunc(long, func(c change) bool { return same(c.Alarm, a) }) {
			a.At = at.UTC()
			out = append(out, change{Alarm: a, over: true})
		}
	}
	return out
}

// endedPaused says which pauses the interaction ended in.
func (in *interaction) endedPaused(at time.Time) []change {
	var out []change
	for _, c := range in.teller.inForce {
		if c.cause == rules.Manual || c.cause == rules.Secure {
			out = append(out, raise(at, store.Alarm{Alarm: AlarmEndedPaused, Cause: c.cause.String(), Owner: c.owner}))
		}
	}
	return out
}

// raise is an alarm from an instant on.
func raise(at time.Time, a store.Alarm) change {
	a.At, a.Words = at.UTC(), alarmWords(a.Alarm)
	return change{Alarm: a}
}

// ends is the end of an alarm about the whole interaction.
func ends(at time.Time, alarm string) change {
	c := raise(at, store.Alarm{Alarm: alarm})
	c.over = true
	return c
}

// alarm raises an alarm or ends it, unless that was done before.
func (rec *recording) alarm(c change) {
	if rec.raised(c) {
		rec.sound(c)
	}
}

// sound tells of an alarm in the log, in the journal and to other systems.
func (rec *recording) sound(c change) {
	n, place := rec.in.teller.alarmNotice(c), rec.in.policy.belonging
	level, line := zap.WarnLevel, lineAlarm
	if c.over {
		level, line = zap.InfoLevel, lineAlarmCleared
	}
	rec.log.Log(level, n.Type, zap.String("alarm", n.Alarm), zap.String("account", place.Account),
		zap.String("trunk", place.Trunk), zap.String("stream", n.Stream), zap.String("words", n.Words))
	err := rec.journal.append(journalLine{At: n.At, Event: line, Alarm: n.Alarm, Stream: n.Stream, AlarmCause: n.Cause, AlarmOwner: c.Owner, Words: n.Words})
	if err != nil {
		rec.failed("journal", err)
	}
	rec.say(n)
}

// alarmNotice is what is told of an alarm.
func (t *teller) alarmNotice(c change) Notice {
	n := Notice{At: c.At, Type: NoticeAlarm, Alarm: c.Alarm.Alarm, Cause: c.Cause, Owner: t.alias(c.Owner), Stream: c.Stream, Words: c.Words}
	if c.over {
		n.Type = NoticeAlarmCleared
	}
	return n
}

// atEnd are the alarms about interactions in succession that this one raises or ends.
func (in *interaction) atEnd() []change {
	w := &in.teller.watch
	if in.interpreter == nil || !w.decided {
		return nil
	}
	asked, answered := in.verdicts.Asking(), in.verdicts.Answered()
	var out []change
	count := func(alarm string, bad bool) {
		b := in.policy.belonging
		switch in.recorder.tally.count(streak{alarm, b.Account, b.Trunk}, bad) {
		case raisedNow:
			out = append(out, raise(in.ended, store.Alarm{Alarm: alarm}))
		case clearedNow:
			out = append(out, ends(in.ended, alarm))
		}
	}
	if asked || answered {
		count(AlarmUnanswered, !answered)
	}
	count(AlarmRoles, w.unknown)
	return out
}

// unheard are the alarms about what is heard in a finished recording.
func unheard(m *store.Manifest) []change {
	var out []change
	sounding, mute := false, false
	for _, s := range m.Streams {
		switch {
		case s.Quality == nil || len(s.Permitted) == 0 || m.Void:
		case s.Quality.Sounds:
			sounding = true
		case s.Quality.Verdict >= store.Silent:
			mute = true
			out = append(out, raise(m.Times.End, store.Alarm{Alarm: AlarmSilent, Stream: s.ID}))
		}
	}
	if sounding && mute {
		out = append(out, raise(m.Times.End, store.Alarm{Alarm: AlarmOneSided}))
	}
	return out
}

// A streak is of interactions in succession of one account and trunk.
type streak struct{ alarm, account, trunk string }

// A tally counts for how many interactions in succession something was wrong. It may
// be used by many goroutines.
type tally struct {
	after   int // how many raise an alarm
	mu      sync.Mutex
	streaks map[streak]int
}

// An outcome is what one more interaction does to an alarm.
type outcome int

const (
	unchanged outcome = iota
	raisedNow
	clearedNow
)

// count takes one more interaction.
func (t *tally) count(r streak, bad bool) outcome {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := t.streaks[r]
	if !bad {
		delete(t.streaks, r)
		if before >= t.after {
			return clearedNow
		}
		return unchanged
	}
	if t.streaks == nil {
		t.streaks = make(map[streak]int)
	}
	t.streaks[r] = before + 1
	if before+1 == t.after {
		return raisedNow
	}
	return unchanged
}
