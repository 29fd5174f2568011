package rules_test

import (
	"testing"

	"github.com/siprecd/siprecd/rules"
)

// inboundUnder is an inbound call of C with A1 and A2 under some flags, one stream each.
func inboundUnder(f rules.Flags) *rules.Case {
	c := rules.Open(rules.NewPolicy(f), "r")
	events := script(nil)
	for _, e := range events[:len(events)-1] {
		c.Apply(e)
	}
	return c
}

type moment struct {
	event rules.Event
	party rules.StreamID
	want  rules.Verdict
}

// follow applies events a second apart and compares what then holds for a stream.
func follow(t *testing.T, c *rules.Case, moments []moment) {
	t.Helper()
	for i, m := range moments {
		m.event.At = at(i + 1)
		c.Apply(m.event)
		if d := c.Decision(m.party); d.Verdict != m.want {
			t.Errorf("%d: after %v of %s: %v, want %v", i, m.event.Kind, m.event.Party, d, m.want)
		}
	}
}

// The hold of one agent is not undone by another who is on the call, and holding
// twice is holding once.
func TestHoldOfOne(t *testing.T) {
	for _, mode := range []rules.HoldMode{rules.HoldAction, rules.HoldLeg} {
		f := loose()
		f.Hold = mode
		follow(t, inboundUnder(f), []moment{
			{rules.Event{Kind: rules.Held, Party: "X1"}, "C", rules.Record}, // not on the call
			{rules.Event{Kind: rules.Held, Party: "A1"}, "C", rules.Withhold},
			{rules.Event{Kind: rules.Held, Party: "A1"}, "C", rules.Withhold},
			{rules.Event{Kind: rules.Retrieved, Party: "X1"}, "C", rules.Withhold},
			{rules.Event{Kind: rules.Retrieved, Party: "A1"}, "C", rules.Record},
		})
	}
	f := loose()
	f.Hold = rules.HoldAction
	follow(t, inboundUnder(f), []moment{
		{rules.Event{Kind: rules.Held, Party: "A1"}, "C", rules.Withhold},
		{rules.Event{Kind: rules.Retrieved, Party: "A2"}, "C", rules.Withhold},
		{rules.Event{Kind: rules.Held, Party: "A2"}, "C", rules.Withhold},
		{rules.Event{Kind: rules.Retrieved, Party: "A1"}, "C", rules.Withhold},
		{rules.Event{Kind: rules.Retrieved, Party: "A2"}, "C", rules.Record},
	})
}

// Where a consultation holds the customer, the end of it retrieves, and nothing
// else does that is not about it.
func TestConsultHolds(t *testing.T) {
	f := loose()
	f.Hold, f.ConsultHolds, f.ConsultLeg = rules.HoldLeg, true, true
	follow(t, inboundUnder(f), []moment{
		{rules.Event{Kind: rules.ConsultEnded, Other: "X1"}, "C", rules.Record},
		{rules.Event{Kind: rules.Consulted, Party: "A1", Other: "X1", Identity: who("X1")}, "C", rules.Withhold},
		{rules.Event{Kind: rules.AlternatedBack, Party: "A1"}, "C", rules.Record},
		{rules.Event{Kind: rules.AlternatedAway, Party: "A1"}, "C", rules.Withhold},
		{rules.Event{Kind: rules.AlternatedBack, Party: "A2"}, "C", rules.Withhold}, // who consults nobody
		{rules.Event{Kind: rules.ConsultEnded, Other: "X1"}, "C", rules.Record},
		{rules.Event{Kind: rules.ConsultDialled, Party: "A1", Other: "X2", Identity: who("X2")}, "C", rules.Withhold},
		{rules.Event{Kind: rules.ConsultEnded, Other: "X2"}, "C", rules.Record},
		{rules.Event{Kind: rules.ConsultDialled, Party: "A1", Other: "X2", Identity: who("X2")}, "C", rules.Withhold},
		{rules.Event{Kind: rules.Conferenced}, "C", rules.Record},
		{rules.Event{Kind: rules.Consulted, Party: "A1", Other: "A2", Identity: who("A2")}, "C", rules.Record}, // who is on the call already
	})
	// Where it does not, a hold by hand outlives the consultation and its end.
	f.ConsultHolds = false
	follow(t, inboundUnder(f), []moment{
		{rules.Event{Kind: rules.Consulted, Party: "A1", Other: "X1", Identity: who("X1")}, "C", rules.Record},
		{rules.Event{Kind: rules.Held, Party: "A1"}, "C", rules.Withhold},
		{rules.Event{Kind: rules.AlternatedBack, Party: "A1"}, "C", rules.Withhold},
		{rules.Event{Kind: rules.ConsultEnded, Other: "X1"}, "C", rules.Withhold},
		{rules.Event{Kind: rules.Conferenced}, "C", rules.Withhold},
		{rules.Event{Kind: rules.Retrieved, Party: "A1"}, "C", rules.Record},
		{rules.Event{Kind: rules.Held, Party: "A1"}, "C", rules.Withhold},
		{rules.Event{Kind: rules.Transferred, Party: "A1"}, "C", rules.Record},
	})
}

// A menu option decides only where the plan names it; one draw is all there is,
// and each way to be picked stands beside the others.
func TestPlanMoments(t *testing.T) {
	f := loose()
	f.Trunk = false
	f.Plan = []rules.PlanRule{{Kind: rules.PlanMenu, Option: "1"}, {Kind: rules.PlanPercent, Percent: 30}, {Kind: rules.PlanCallers, Callers: []string{"+449"}}}
	follow(t, inboundUnder(f), []moment{
		{rules.Event{Kind: rules.MenuChosen, Name: "2"}, "C", rules.Withhold},
		{rules.Event{Kind: rules.PlanRan, Draw: 0.3}, "C", rules.Withhold},
		{rules.Event{Kind: rules.PlanRan, Draw: 0.1}, "C", rules.Withhold},
		{rules.Event{Kind: rules.MenuChosen, Name: "1"}, "C", rules.Record},
		{rules.Event{Kind: rules.MenuChosen, Name: "2"}, "C", rules.Record},
	})
	follow(t, inboundUnder(f), []moment{
		{rules.Event{Kind: rules.PlanRan, Draw: 0.29}, "C", rules.Record},
		{rules.Event{Kind: rules.MenuChosen, Name: "2"}, "C", rules.Record},
	})
	// The name of an option is no percentage.
	f.Plan = []rules.PlanRule{{Kind: rules.PlanPercent, Option: "1"}}
	follow(t, inboundUnder(f), []moment{{rules.Event{Kind: rules.MenuChosen, Name: "1"}, "C", rules.Withhold}})
}

// Once a direction is known, no other is believed, and it counts from the moment
// at which it is told.
func TestDirectionToldOnce(t *testing.T) {
	f := loose()
	f.Trunk, f.Outbound = false, false
	c := rules.Open(rules.NewPolicy(f), "r")
	c.Apply(rules.Event{At: at(0), Kind: rules.DirectionTold, Direction: rules.DirectionInbound})
	if c.Direction() != rules.DirectionUnknown {
		t.Error("told before the call")
	}
	for i, d := range []rules.Direction{rules.DirectionUnknown, rules.DirectionOutbound, rules.DirectionInbound} {
		c.Apply(rules.Event{At: at(i), Kind: rules.InteractionStarted}, rules.Event{At: at(i), Kind: rules.DirectionTold, Direction: d})
	}
	if c.Direction() != rules.DirectionOutbound {
		t.Errorf("%v", c.Direction())
	}
	c = rules.Open(rules.NewPolicy(f), "r")
	c.Apply(rules.Event{At: at(0), Kind: rules.InteractionStarted, Direction: rules.DirectionInbound})
	c.Apply(rules.Event{At: at(1), Kind: rules.InteractionStarted, Direction: rules.DirectionOutbound})
	if c.Direction() != rules.DirectionInbound {
		t.Errorf("begun twice: %v", c.Direction())
	}
}

// A permit given out for a decision names what it is for, and a stream nobody
// heard of has none, during the call and after a withdrawal.
func TestUnheardStream(t *testing.T) {
	c := inboundUnder(loose())
	if d := c.Decision("nobody"); d.Verdict != rules.Withhold || d.RolesUnknown || d.Permit != (rules.Permit{}) || len(d.Causes) != 1 || d.Causes[0].Cause != rules.NotLive {
		t.Errorf("%v", d)
	}
	c.Apply(rules.Event{At: at(3), Kind: rules.ConsentWithdrawn})
	if d := c.Decision("nobody"); d.Verdict != rules.Withhold || len(d.Causes) != 2 {
		t.Errorf("after a withdrawal: %v", d)
	}
}

// Of a user recording, too, it is said that the roles are unknown.
func TestUserRecordingOfUnknown(t *testing.T) {
	f := loose()
	f.UserRecordings = rules.Selection{All: true}
	c := rules.Open(rules.NewPolicy(f), "r")
	c.Apply(
		rules.Event{At: at(0), Kind: rules.InteractionStarted, Direction: rules.DirectionInbound},
		rules.Event{At: at(0), Kind: rules.PartyJoined, Party: "Z", Identity: rules.Identity{FirstPair: true}},
		rules.Event{At: at(0), Kind: rules.PartyJoined, Party: "A1", Identity: who("A1")},
		rules.Event{At: at(0), Kind: rules.StreamSends, Stream: "Z", Party: "Z"}, rules.Event{At: at(0), Kind: rules.StreamAdded, Stream: "Z"},
	)
	c.Apply(rules.Event{At: at(1), Kind: rules.UserRecordingStarted, Party: "A1"})
	if l := c.UserTimelines(); len(l) != 1 || !l[0][0].RolesUnknown || l[0][0].Verdict != rules.Record {
		t.Errorf("%v", l)
	}
	// Nobody starts a second one beside his first.
	c.Apply(rules.Event{At: at(2), Kind: rules.UserRecordingStarted, Party: "A1"})
	if l := c.UserTimelines(); len(l) != 1 {
		t.Errorf("%d recordings", len(l))
	}
	// What it does not hold any more is gone since one instant.
	c.Apply(rules.Event{At: at(5), Kind: rules.UserRecordingStopped, Party: "A1"})
	c.Apply(rules.Event{At: at(7), Kind: rules.SecureStarted, Owner: "pay"})
	c.Apply(rules.Event{At: at(9), Kind: rules.InteractionEnded})
	for _, d := range c.UserTimelines()[0] {
		for _, a := range d.Causes {
			if a.Cause == rules.NotLive && a.Owner == string(d.Recording) && !a.Since.Equal(at(5)) {
				t.Errorf("not live since %v", a.Since)
			}
		}
	}
}
