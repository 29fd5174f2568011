package rules

import (
	"slices"
	"time"
)

// Overdue are the pauses, by hand and for payments, that have lasted longer than
// the policy finds normal. They are worth an alarm; nothing resumes by itself.
func (c *Case) Overdue(at time.Time) []ActiveCause {
	var out []ActiveCause
	for _, a := range c.pairs {
		if due, ok := c.due(a); ok && !at.Before(due) {
			out = append(out, a)
		}
	}
	return out
}

// Alarm are those of [Case.Overdue] of which it has not told before. What it told is
// not known to another process that replays the events.
func (c *Case) Alarm(at time.Time) []ActiveCause {
	out := slices.DeleteFunc(c.Overdue(at), c.told)
	c.alarmed = append(c.alarmed, out...)
	return out
}

// Until is the first instant at which [Case.Alarm] has something to tell if nothing
// happens before; false when it never will. It may be past. It changes with each event
// and each alarm, and there is none after the end.
func (c *Case) Until() (first time.Time, alarm bool) {
	for _, a := range c.pairs {
		due, ok := c.due(a)
		if ok && !c.ended && !c.told(a) && (!alarm || due.Before(first)) {
			first, alarm = due, true
		}
	}
	return first, alarm
}

// due is from when on a pause is overdue.
func (c *Case) due(a ActiveCause) (at time.Time, ok bool) {
	return a.Since.Add(c.flags.PauseAlarm + 1), (a.Cause == Manual || a.Cause == Secure) && c.flags.PauseAlarm > 0
}

// told reports whether there was an alarm about a pause. The same cause of the same
// owner that began again is another one.
func (c *Case) told(a ActiveCause) bool { return slices.Contains(c.alarmed, a) }
