package rules

import "time"

// Overdue are the pauses, by hand and for payments, that have lasted longer than
// the policy finds normal. They are worth an alarm; nothing resumes by itself.
func (c *Case) Overdue(at time.Time) []ActiveCause {
	var out []ActiveCause
	for _, a := range c.pairs {
		if (a.Cause == Manual || a.Cause == Secure) && c.flags.PauseAlarm > 0 && at.Sub(a.Since) > c.flags.PauseAlarm {
			out = append(out, a)
		}
	}
	return out
}
