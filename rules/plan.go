package rules

import "cmp"

// namePlan takes the plan of a call of which none was known. What was decided before
// stays decided.
func (c *Case) namePlan(ev *Event) (refused string) {
	switch {
	case ev.Plan == nil || ev.Name == "":
		return "names no plan"
	case c.policy.recordAll:
		return "names a plan where everything is recorded"
	case c.planName == ev.Name:
		return ""
	case c.hasPlan():
		return "names another plan than that of the call"
	}
	c.adoptPlan(ev.Name, NewPolicy(*ev.Plan))
	return ""
}

// hasPlan reports whether the plan of the call is known.
func (c *Case) hasPlan() bool { return c.planName != "" || len(c.flags.Plan) > 0 }

func (c *Case) adoptPlan(name string, p Policy) {
	c.planName, c.policy, c.flags = name, p, p.Flags()
	c.consider()
}

// consider looks anew at all that was told which may decide to record, or forbid it:
// other rules hold for it than when it was told.
func (c *Case) consider() {
	c.planAll()
	if c.drawn {
		c.draw()
	}
	for _, name := range c.options {
		c.option(name)
	}
	for _, n := range c.numbers {
		c.number(n)
	}
	if c.ordered {
		c.planned = cmp.Or(c.planned, "command")
	}
}

// Plan is the name of the plan that [PlanNamed] told; empty while it told none.
func (c *Case) Plan() string { return c.planName }

// Policy is the policy that decides now: that with which the case was opened, until
// [PlanNamed] brings the settings of a plan.
func (c *Case) Policy() Policy { return c.policy }
