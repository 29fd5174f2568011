package rules

import (
	"cmp"
	"fmt"
	"slices"
)

// choose handles the events that may bring a decision to record.
func (c *Case) choose(ev *Event) {
	switch ev.Kind {
	case PlanRan:
		if !c.drawn {
			c.drawn, c.share = true, ev.Draw
			c.draw()
			c.lookUp()
		}
	case MenuChosen:
		c.options = with(c.options, ev.Name)
		c.option(ev.Name)
	}
}

// plan notes that a rule of the plan records the call, if one does, and why.
func (c *Case) plan(rule int, why string) {
	if rule >= 0 && c.planned == "" {
		c.planned = "plan: " + why
	}
}

// planAll picks each call that began.
func (c *Case) planAll() {
	c.plan(slices.IndexFunc(c.flags.Plan, func(r PlanRule) bool { return r.Kind == PlanAll }), "every call")
}

// option picks the call by a choice in a menu.
func (c *Case) option(name string) {
	c.plan(slices.IndexFunc(c.flags.Plan, func(r PlanRule) bool {
		return r.Kind == PlanMenu && r.Option == name
	}), "option "+name+" was chosen")
}

// draw picks the call by its share. The boundary of a share is exclusive: 0 never
// picks and 100 always does.
func (c *Case) draw() {
	i := slices.IndexFunc(c.flags.Plan, func(r PlanRule) bool {
		return r.Kind == PlanPercent && c.share < float64(r.Percent)/100
	})
	if i >= 0 {
		c.plan(i, fmt.Sprintf("%d percent, and %.6f was drawn", c.flags.Plan[i].Percent, c.share))
	}
}

// lookUp looks for the numbers of a call that passed the plan in its lists.
func (c *Case) lookUp() {
	for _, n := range c.numbers {
		c.plan(slices.IndexFunc(c.flags.Plan, func(r PlanRule) bool {
			return r.Kind == PlanCallers && holdsNumber(r.Callers, n)
		}), "number "+n+" is listed")
	}
}

// order takes the command to record this one call. It stands beside the plan:
// outbound calls are all alike, and a list of numbers beats it.
func (c *Case) order() (refused string) {
	switch {
	case c.barred:
		return "asks for a caller who is never recorded"
	case c.forbidden:
		return "asks for a call that a command forbids to record"
	case c.direction == DirectionOutbound && !c.flags.Outbound:
		return "asks for an outbound call, of which the account decides alone"
	}
	c.ordered = true
	c.planned = cmp.Or(c.planned, "command")
	return ""
}

// number notes a number of the outside party. A call that passed the plan before
// is looked up in its lists now. A number that is withheld is on no list.
func (c *Case) number(n string) {
	if n == "" {
		return
	}
	c.numbers = with(c.numbers, n)
	if c.drawn {
		c.lookUp()
	}
	if c.listed(n) {
		c.barred = true
		if c.decided || len(c.users) > 0 {
			c.discard(DoNotRecord.flag())
		}
	}
}

// listed reports whether a number is never to be recorded.
func (c *Case) listed(n string) bool {
	return holdsNumber(c.flags.DoNotRecord, n) ||
		slices.ContainsFunc(c.also, func(p Policy) bool { return holdsNumber(p.flags.DoNotRecord, n) })
}

// tellNumber takes a number that becomes known during the call. That of a third
// party is only looked for among those that are never recorded.
func (c *Case) tellNumber(ev *Event) {
	m := c.member(ev.Party)
	switch {
	case ev.Party == "" || m != nil && m.customer():
		c.number(ev.Number)
	case m != nil && ev.Number != "":
		m.numbers = with(m.numbers, ev.Number)
		m.barred = m.barred || c.listed(ev.Number)
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
	both := ""
	if c.planned != "" && c.flags.Outbound {
		both = c.planned + ", and outbound: record"
	}
	switch {
	case c.policy.recordAll:
		c.because = "everything is recorded"
	case c.flags.Trunk && c.sawOutsider:
		c.because = "record: on, of the trunk"
	case c.direction == DirectionInbound:
		c.because = c.planned
	case c.direction == DirectionOutbound && c.flags.Outbound:
		c.because = "outbound: record"
	case c.direction == DirectionUnknown:
		c.because = both
	}
	c.decided = c.because != ""
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
	default:
		c.consents(ev)
	}
}

// consents takes what is said of the consent of the caller.
func (c *Case) consents(ev *Event) {
	switch ev.Kind {
	case ConsentAsked:
		c.asked = true
	case ConsentGiven:
		c.answered = true
		if c.consent == consentNone {
			c.consent = consentYes
		}
	case ConsentRefused:
		c.answered = true
		c.refuse()
	case ConsentUnanswered:
		c.answered = true
		if c.asking() {
			c.refuse()
		}
	case ConsentWithdrawn:
		c.answered, c.withdrawn = true, true
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
	c.refused = c.refused || flag != Withdrawn.flag()
	if !c.void {
		c.void, c.voidFlag = true, flag
	}
}

// control handles pause and resume. They need somebody of the own people on the
// call, and the leave of the account or of the user. A pause before there is a
// decision to record is remembered, so that what begins later begins paused; a
// resume begins nothing. That of an owner who is none of the parties needs no leave:
// who may pause at the SRC is the business of the SRC.
func (c *Case) control(ev *Event) (refused string) {
	if ev.Owner != "" {
		c.foreign.pause(ev)
		return ""
	}
	m := c.on(ev.Party)
	switch {
	case m == nil:
		return "is not on the call"
	case !m.internal():
		return "is none of the own people"
	case !m.among(c.flags.Control):
		return "has no control of recordings"
	case ev.Kind == ResumePressed && !c.decided && !c.manual:
		return "cannot begin a recording of the call"
	case ev.Kind == ResumePressed && c.manual && ev.At.Before(c.manualSince):
		return "resumes what was paused later"
	}
	if !c.manual || ev.At.After(c.manualSince) {
		c.manualSince = ev.At
	}
	c.manual = ev.Kind == PausePressed
	return ""
}
