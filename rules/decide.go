package rules

import "slices"

// choose handles the events that may bring a decision to record. It reports
// whether the event is one of them.
func (c *Case) choose(ev *Event) bool {
	switch ev.Kind {
	case PlanRan:
		if !c.drawn {
			c.drawn = true
			c.planSays = c.planSays || slices.ContainsFunc(c.flags.Plan, func(r PlanRule) bool { return c.picks(r, ev.Draw) })
		}
	case MenuChosen:
		c.planSays = c.planSays || slices.ContainsFunc(c.flags.Plan, func(r PlanRule) bool {
			return r.Kind == PlanMenu && r.Option == ev.Name
		})
	default:
		return false
	}
	return true
}

// picks reports whether a rule of the plan picks the call as it passes it. The
// boundary of a share is exclusive: 0 never picks and 100 always does.
func (c *Case) picks(r PlanRule, draw float64) bool {
	switch r.Kind {
	case PlanPercent:
		return draw < float64(r.Percent)/100
	case PlanCallers:
		return slices.ContainsFunc(c.numbers, func(n string) bool { return holdsNumber(r.Callers, n) })
	default:
		return false
	}
}

// order takes the command to record this one call. It stands beside the plan:
// outbound calls are all alike, and a list of numbers beats it.
func (c *Case) order() (refused string) {
	switch {
	case c.barred:
		return "asks for a caller who is never recorded"
	case c.direction == DirectionOutbound && !c.flags.Outbound:
		return "asks for an outbound call, of which the account decides alone"
	}
	c.planSays = true
	return ""
}

// number notes a number of the outside party. A call that passed the plan before
// is looked up in its lists now. A number that is withheld is on no list.
func (c *Case) number(n string) {
	if n == "" {
		return
	}
	c.numbers = with(c.numbers, n)
	c.planSays = c.planSays || c.drawn && slices.ContainsFunc(c.flags.Plan, func(r PlanRule) bool {
		return r.Kind == PlanCallers && holdsNumber(r.Callers, n)
	})
	if holdsNumber(c.flags.DoNotRecord, n) {
		c.barred = true
		if c.decided || len(c.users) > 0 {
			c.discard("dnr")
		}
	}
}

// holdsNumber reports whether a list holds a number, in whatever form either is
// written.
func holdsNumber(list []string, number string) bool {
	a := Numbering{}.Address(number)
	return slices.ContainsFunc(list, func(listed string) bool {
		b := Numbering{}.Address(listed)
		return listed == number || a.Number != "" && b.Number != "" && numberKey(a.Number) == numberKey(b.Number)
	})
}

// settle finds whether a decision to record is in force. It is never taken back.
func (c *Case) settle() {
	if !c.started || c.decided || c.barred {
		return
	}
	says := c.policy.recordAll || c.flags.Trunk && c.sawOutsider
	switch c.direction {
	case DirectionInbound:
		says = says || c.planSays
	case DirectionOutbound:
		says = says || c.flags.Outbound
	case DirectionUnknown:
		says = says || c.planSays && c.flags.Outbound
	}
	c.decided = says
}

// progress handles what happens to the call beside who is on it.
func (c *Case) progress(ev *Event) {
	switch ev.Kind {
	case FlowEntered:
		c.flows = with(c.flows, ev.Name)
	case FlowLeft:
		c.flows = without(c.flows, ev.Name)
	case QueueEntered:
		c.queues = with(c.queues, ev.Name)
	case QueueLeft:
		c.queues = without(c.queues, ev.Name)
	case SecureStarted:
		c.secure = with(c.secure, ev.Owner)
	case SecureEnded:
		c.secure = without(c.secure, ev.Owner)
	case PartyAgreed:
		if m := c.member(ev.Party); m != nil {
			m.agreed = true
		}
	case ConsentAsked:
		c.asked = true
	case ConsentGiven:
		if c.consent == consentNone {
			c.consent = consentYes
		}
	case ConsentRefused:
		c.refuse()
	case ConsentUnanswered:
		if c.asking() {
			c.refuse()
		}
	case ConsentWithdrawn:
		c.withdrawn = true
		// A duty to keep blocks the erasing of a withdrawal, never of a no.
		if c.flags.Withdrawal == WithdrawalErases && !c.flags.LegalHold {
			c.discard(Withdrawn.flag())
		}
	}
}

// refuse takes a no: everything of the interaction goes.
func (c *Case) refuse() {
	c.consent = consentNo
	c.discard(Consent.flag())
}

// discard makes everything of the interaction void, for good. A flag names what
// made it so first.
func (c *Case) discard(flag string) {
	if !c.void {
		c.void, c.voidFlag = true, flag
	}
}

// control handles pause and resume. They need somebody of the own people on the
// call, and the leave of the account or of the user. A pause before there is a
// decision to record is remembered, so that what begins later begins paused; a
// resume begins nothing.
func (c *Case) control(ev *Event) (refused string) {
	m := c.on(ev.Party)
	switch {
	case m == nil:
		return "is not on the call"
	case !m.internal():
		return "is none of the own people"
	case !c.flags.Control.Has(string(ev.Party)):
		return "has no control of recordings"
	case ev.Kind == ResumePressed && !c.decided && !c.manual:
		return "cannot begin a recording of the call"
	}
	c.manual = ev.Kind == PausePressed
	return ""
}
