package rules

// Timeline is what was decided for a stream of the policy recording, one after
// the other, each until the next, where its permit ends too. What was recorded of
// an interaction that is void is withheld as such. That of a stream which came with
// [Case.Merge] begins there.
func (c *Case) Timeline(id StreamID) []Decision {
	if s := c.find(id); s != nil {
		return c.intervals(&s.ledger)
	}
	return nil
}

// UserTimelines are the same for the user recordings: for each stream of each
// recording, in the order in which they began.
func (c *Case) UserTimelines() [][]Decision {
	var out [][]Decision
	for _, u := range c.users {
		for _, l := range u.ledgers {
			out = append(out, c.intervals(l))
		}
	}
	return out
}

// intervals closes each decision where the next begins. One that reaches back
// takes the place of what was decided for that time, and one that was replaced
// at its own instant was never in force.
func (c *Case) intervals(l *ledger) []Decision {
	var out []Decision
	for _, e := range l.past {
		d := c.recalled(l.last, e)
		for n := len(out); n > 0 && !out[n-1].From.Before(d.From); n-- {
			out = out[:n-1]
		}
		if n := len(out); n > 0 {
			out[n-1].Until = d.From
			if out[n-1].Permit.valid {
				out[n-1].Permit.until = d.From
			}
		}
		out = append(out, d)
	}
	for i := range out {
		if c.void && out[i].Verdict == Record {
			out[i].Verdict, out[i].Permit, out[i].Because = Withhold, Permit{}, ""
			out[i].Causes = []ActiveCause{{Cause: Void, Owner: ownerInteraction, Since: out[i].From, Flag: c.voidFlag}}
		}
	}
	return out
}

// recalled is an earlier decision of those to which last belongs.
func (c *Case) recalled(last Decision, e entry) Decision {
	d := last
	d.From, d.Causes, d.RolesUnknown, d.Policy = e.from, e.causes, e.unknown, e.policy
	d.Verdict, d.Permit, d.Because = Withhold, Permit{}, ""
	if len(e.causes) == 0 {
		d.Verdict, d.Because = Record, c.reason(d.Maker)
		d.Permit = Permit{recording: d.Recording, stream: d.Stream, from: d.From, policy: d.Policy, valid: true}
	}
	return d
}
