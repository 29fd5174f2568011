package rules

import (
	"slices"
	"time"
)

// derive says anew which pairs are in force, for the interaction and for each
// stream. A pair that stays keeps its beginning.
func (c *Case) derive(at time.Time) {
	c.adopt()
	c.settle()
	c.scratch = c.scratch[:0]
	c.wholeAnswers()
	c.wholeParties()
	for _, p := range c.also {
		c.under(p, func() {
			c.wholeAnswers()
			c.wholeParties()
		})
	}
	c.pairs = c.renew(c.pairs, at)
	for _, s := range c.streams {
		c.scratch = c.scratch[:0]
		c.ofStream(s)
		for _, p := range c.also {
			c.under(p, func() { c.ofStream(s) })
		}
		s.causes = c.renew(s.causes, at)
	}
	if c.void && c.voidSince.IsZero() {
		c.voidSince = at
	}
}

// under puts the pairs that another policy has as well. Those that both have are one.
func (c *Case) under(p Policy, put func()) {
	policy, flags := c.policy, c.flags
	c.policy, c.flags = p, p.flags
	put()
	c.policy, c.flags = policy, flags
}

// renew turns the pairs in the scratch into causes in force.
func (c *Case) renew(was []ActiveCause, at time.Time) []ActiveCause {
	was = slices.DeleteFunc(was, func(a ActiveCause) bool {
		return !slices.Contains(c.scratch, pair{a.Cause, a.Owner})
	})
	for _, p := range c.scratch {
		if !slices.ContainsFunc(was, func(a ActiveCause) bool { return a.Cause == p.cause && a.Owner == p.owner }) {
			was = append(was, ActiveCause{Cause: p.cause, Owner: p.owner, Since: at, Flag: p.flag()})
		}
	}
	return was
}

func (c *Case) put(on bool, cause Cause, owner string) {
	if on {
		c.scratch = append(c.scratch, pair{cause, owner})
	}
}

// flag is the setting that makes the pair count. None lifts what a command forbids.
func (p pair) flag() string {
	if p.cause == DoNotRecord && p.owner == ownerCommand {
		return always
	}
	return p.cause.flag()
}

// inbound reports whether what is for inbound calls only applies: also where the
// direction is not known, or told in two ways.
func (c *Case) inbound() bool {
	return c.direction == DirectionInbound || c.direction == DirectionUnknown || c.inboundToo
}

// asking reports whether consent has not been given that the policy wants of
// inbound callers, or for which somebody was asked: who asks wants an answer.
func (c *Case) asking() bool {
	asks := c.flags.Consent == ConsentAsk || slices.ContainsFunc(c.also, func(p Policy) bool { return p.flags.Consent == ConsentAsk })
	return c.consent != consentYes && (c.asked || asks && c.inbound())
}

// wholeAnswers are the pairs that follow from what was said and pressed.
func (c *Case) wholeAnswers() {
	c.put(c.asking(), Consent, ownerCall)
	c.put(c.withdrawn, Withdrawn, ownerCall)
	c.put(c.barred, DoNotRecord, ownerCall)
	c.put(c.forbidden, DoNotRecord, ownerCommand)
	c.put(c.manual, Manual, ownerCall)
	for _, owner := range c.foreign.pauses {
		c.put(true, Manual, owner)
	}
	for _, owner := range c.secure {
		c.put(true, Secure, owner)
	}
	if c.flags.Hold == HoldAction {
		for _, owner := range c.foreign.holds {
			c.put(true, Hold, owner)
		}
		for _, m := range c.members {
			c.put(m.holds, Hold, string(m.id))
		}
	}
	for _, f := range c.flows {
		c.put(c.flags.SuppressedFlows.Has(f), IVR, f)
	}
	for _, q := range c.queues {
		c.put(!c.flags.QueueWait.Has(q), Queue, q)
	}
	suppresses := c.flags.SuppressedFlows.All || len(c.flags.SuppressedFlows.Names) > 0 || !c.flags.QueueWait.All
	c.put(c.flags.FlowsUnfed && suppresses && c.inbound() && !c.sawInternal, IVR, ownerUnfed)
}

// wholeParties are the pairs that follow from who is on the call.
func (c *Case) wholeParties() {
	if c.policy.recordAll {
		return
	}
	inside, outside, reached := 0, 0, 0
	for _, m := range c.members {
		switch {
		case m.joined && m.internal():
			inside++
		case m.joined && m.outsider():
			outside++
			reached++
		case m.dialled && m.outsider():
			reached++
		}
		third := m.outsider() && !m.customer() && (m.joined || m.dialled)
		c.put(third && c.flags.PauseExternal && c.inbound(), External, string(m.id))
		c.put(m.barred && (m.joined || m.dialled), DoNotRecord, string(m.id))
	}
	left := !c.flags.ContinueWithoutAgent && c.sawInternal && inside == 0 && reached > 1
	c.stopped = c.stopped || left && c.flags.StopIsFinal
	c.put(left, NoAgent, ownerParties)
	c.put(c.stopped, Stopped, ownerParties)
	c.put(outside == 0, InternalOnly, ownerParties)
}

// unseparated reports whether a mixed stream has a voice in it that may not be
// recorded.
func (c *Case) unseparated(s *stream) bool {
	return (c.flags.Mixed || s.mixed) && (c.flags.AgentOnly || c.count(func(m *member) bool { return m.joined && c.disagrees(m) }) > 0)
}

// disagrees reports whether the own consent of a party is missing.
func (c *Case) disagrees(m *member) bool {
	if !c.flags.PartyConsent || !m.outsider() || m.agreed {
		return false
	}
	return !m.customer() || c.consent != consentYes
}

// ofStream are the pairs of one stream. One of several senders is recorded only
// if nothing holds against any of them.
func (c *Case) ofStream(s *stream) {
	c.put(!s.added, NotLive, ownerStream)
	c.put(c.ended, NotLive, ownerInteraction)
	for _, owner := range s.sdp {
		c.put(true, SDP, owner)
	}
	if c.policy.recordAll {
		return
	}
	c.put(c.unseparated(s), Mixed, ownerStream)
	voices, barred := 0, false
	for _, id := range s.voices() {
		m := c.on(id)
		if m == nil {
			continue
		}
		voices++
		role, silent := c.flags.AgentOnly && !m.internal(), c.disagrees(m)
		barred = barred || role || silent
		c.put(c.flags.Hold == HoldLeg && (c.legHeld || len(c.foreign.holds) > 0) && (!m.consult || m.astride), Hold, legOf+string(id))
		c.put(m.consult && !c.flags.ConsultLeg, ConsultLeg, string(id))
		c.put(role, RoleFilter, string(id))
		c.put(silent, PartyConsent, string(id))
	}
	c.put(barred && voices > 1, Mixed, ownerStream)
	c.put(voices == 0 && len(s.voices()) > 0, NotLive, ownerParties)
	// Whose voice it is, is not known: that helps nobody to be recorded.
	c.put(len(s.senders) == 0 && (c.flags.AgentOnly || c.flags.PartyConsent), RoleFilter, ownerStream)
}

// rolesUnknown reports whether there is a first pair and nothing places it.
func (c *Case) rolesUnknown() bool {
	first := false
	for _, m := range c.members {
		if !m.identity.FirstPair {
			continue
		}
		if m.identity.Role != RoleUnknown {
			return false
		}
		first = true
	}
	return first
}
