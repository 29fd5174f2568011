package rules_test

import (
	"strings"
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
			{rules.Event{Kind: rules.Retrieved, Party: "X1"}, "C", rules.Record},
			{rules.Event{Kind: rules.Held, Party: "A1"}, "C", rules.Withhold},
			{rules.Event{Kind: rules.Held, Party: "A1"}, "C", rules.Withhold},
			{rules.Event{Kind: rules.Retrieved, Party: "X1"}, "C", rules.Withhold},
			{rules.Event{Kind: rules.Retrieved, Party: "A1"}, "C", rules.Record},
			{rules.Event{Kind: rules.Retrieved, Party: "X1"}, "C", rules.Record},
		})
	}
	f := loose()
	// The leg of the customer belongs to all who are on the call.
	f.Hold = rules.HoldLeg
	follow(t, inboundUnder(f), []moment{
		{rules.Event{Kind: rules.Held, Party: "A1"}, "C", rules.Withhold},
		{rules.Event{Kind: rules.Retrieved, Party: "A2"}, "C", rules.Record},
	})
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
		{rules.Event{Kind: rules.AlternatedAway, Party: "A1"}, "C", rules.Record}, // to nobody
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
		{rules.Event{Kind: rules.Conferenced}, "C", rules.Record},
		{rules.Event{Kind: rules.ConsultDialled, Party: "A1", Other: "X2", Identity: who("X2")}, "C", rules.Record},
		{rules.Event{Kind: rules.ConsultEnded, Other: "X2"}, "C", rules.Record},
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
	// Two options at once are two choices.
	follow(t, inboundUnder(f), []moment{
		{rules.Event{Kind: rules.PlanRan, Draw: 0.9}, "C", rules.Withhold},
		{rules.Event{Kind: rules.NumberTold, Number: "+448"}, "C", rules.Withhold},
		{rules.Event{Kind: rules.NumberTold, Number: "+449"}, "C", rules.Record},
	})
	c := inboundUnder(f)
	c.Apply(rules.Event{At: at(1), Kind: rules.MenuChosen, Name: "1"}, rules.Event{At: at(1), Kind: rules.MenuChosen, Name: "2"})
	if d := c.Decision("C"); d.Verdict != rules.Record {
		t.Errorf("1 was chosen, and 2: %v", d)
	}
	// A listed caller is recorded once the call passes the plan.
	follow(t, inboundUnder(f), []moment{
		{rules.Event{Kind: rules.NumberTold, Number: "+449"}, "C", rules.Withhold},
		{rules.Event{Kind: rules.PlanRan, Draw: 0.9}, "C", rules.Record},
	})
	// Numbers mean nothing to a rule that is not about them.
	f.Plan = []rules.PlanRule{{Kind: rules.PlanPercent, Callers: []string{"+449"}}, {Kind: rules.PlanMenu, Percent: 100}}
	follow(t, inboundUnder(f), []moment{
		{rules.Event{Kind: rules.PlanRan}, "C", rules.Withhold},
		{rules.Event{Kind: rules.NumberTold, Number: "+449"}, "C", rules.Withhold},
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
	c = rules.Open(rules.NewPolicy(f), "r")
	c.Apply(rules.Event{At: at(0), Kind: rules.InteractionStarted})
	c.Apply(rules.Event{At: at(1), Kind: rules.InteractionStarted, Direction: rules.DirectionOutbound})
	if c.Direction() != rules.DirectionUnknown {
		t.Errorf("begun twice, and told the second time: %v", c.Direction())
	}
}

// What was chosen is not forgotten while nothing is decided yet, and what is
// decided is not taken back.
func TestDecidedForGood(t *testing.T) {
	plan := func(rest ...rules.PlanRule) rules.Flags {
		f := loose()
		f.Trunk, f.Outbound, f.Plan = false, false, rest
		return f
	}
	menu, all := rules.PlanRule{Kind: rules.PlanMenu, Option: "1"}, rules.PlanRule{Kind: rules.PlanAll}
	trunk := plan()
	trunk.Trunk = true
	start := func(d rules.Direction) rules.Event { return rules.Event{Kind: rules.InteractionStarted, Direction: d} }
	told := func(d rules.Direction) rules.Event { return rules.Event{Kind: rules.DirectionTold, Direction: d} }
	joins := func(p rules.PartyID) rules.Event {
		return rules.Event{Kind: rules.PartyJoined, Party: p, Identity: who(p)}
	}
	chosen := rules.Event{Kind: rules.MenuChosen, Name: "1"}
	for _, tt := range []struct {
		name   string
		policy rules.Policy
		events []rules.Event
		want   bool // it is decided to record
	}{
		{"all and a menu", rules.NewPolicy(plan(all, menu)), []rules.Event{start(rules.DirectionInbound)}, true},
		{"chosen before the call begins", rules.NewPolicy(plan(menu)), []rules.Event{chosen, start(rules.DirectionInbound)}, true},
		{"a number after the choice", rules.NewPolicy(plan(menu)), []rules.Event{start(rules.DirectionUnknown), chosen, {Kind: rules.NumberTold, Number: "+441"}, told(rules.DirectionInbound)}, true},
		{"outside before the call begins", rules.NewPolicy(trunk), []rules.Event{joins("C"), joins("A1"), start(rules.DirectionInbound)}, true},
		{"decided, then internal", rules.NewPolicy(loose()), []rules.Event{start(rules.DirectionUnknown), told(rules.DirectionInternal)}, true},
		{"internal", rules.NewPolicy(plan(all)), []rules.Event{start(rules.DirectionInternal)}, false},
		{"internal under record all", rules.RecordAll(), []rules.Event{start(rules.DirectionInternal)}, true},
	} {
		c := rules.Open(tt.policy, "r")
		for i, e := range append(tt.events, rules.Event{Kind: rules.StreamAdded, Stream: "s"}) {
			e.At = at(i)
			c.Apply(e)
		}
		if got := !strings.Contains(line(c.Decision("s")), "no-decision"); got != tt.want {
			t.Errorf("%s: %v", tt.name, c.Decision("s"))
		}
	}
}

// What decided is said also after the direction is told.
func TestReasonStays(t *testing.T) {
	c := rules.Open(rules.NewPolicy(loose()), "r")
	c.Apply(rules.Event{At: at(0), Kind: rules.InteractionStarted}, ev(0, rules.StreamAdded, "s", ""), rules.Event{At: at(0), Kind: rules.PartyJoined, Party: "A1", Identity: who("A1")})
	first := c.Timeline("s")
	c.Apply(rules.Event{At: at(1), Kind: rules.DirectionTold, Direction: rules.DirectionInbound})
	c.Apply(rules.Event{At: at(2), Kind: rules.PartyJoined, Party: "C", Identity: who("C")})
	if got := c.Timeline("s"); len(first) != 1 || len(got) != 2 || got[1].Because != "plan: every call, and outbound: record" {
		t.Errorf("%v, then %v", first, got)
	}
}

// A third party is barred by its number, for as long as it is there, and by no
// other that it has beside; one that is withheld is on no list.
func TestNumbersOfThirdParties(t *testing.T) {
	f := loose()
	f.DoNotRecord = []string{"", "+449"}
	number := func(n string) rules.Event { return rules.Event{Kind: rules.NumberTold, Party: "X1", Number: n} }
	follow(t, inboundUnder(f), []moment{
		{rules.Event{Kind: rules.PartyJoined, Party: "X1", Identity: who("X1")}, "C", rules.Record},
		{number(""), "C", rules.Record}, {number("+449"), "C", rules.Withhold}, {number("+448"), "C", rules.Withhold},
		{rules.Event{Kind: rules.PartyLeft, Party: "X1"}, "C", rules.Record},
	})
}

// A command to record is for outbound calls only where the account records them.
func TestOrderOfOutbound(t *testing.T) {
	for outbound, refused := range map[bool]int{true: 0, false: 1} {
		f := loose()
		f.Outbound = outbound
		c := rules.Open(rules.NewPolicy(f), "r")
		c.Apply(rules.Event{At: at(0), Kind: rules.InteractionStarted, Direction: rules.DirectionOutbound})
		if got := c.Apply(rules.Event{At: at(1), Kind: rules.RecordOrdered, Party: "A1"}); len(got) != refused {
			t.Errorf("outbound %v: %v", outbound, got)
		}
	}
}

// What is no number is the same only if it is written alike, and is no number's
// neighbour.
func TestListOfNames(t *testing.T) {
	for _, tt := range []struct {
		number string
		list   []string
		want   bool // never recorded
	}{
		{"alice", []string{"alice"}, true},
		{"alice", []string{"bob"}, false},
		{"alice", []string{"+442"}, false},
		{"+442", []string{"bob", "+442"}, true},
	} {
		f := loose()
		f.DoNotRecord = tt.list
		c := inboundUnder(f)
		c.Apply(rules.Event{At: at(1), Kind: rules.NumberTold, Number: tt.number})
		if c.Void() != tt.want {
			t.Errorf("%s on %v: void %v", tt.number, tt.list, c.Void())
		}
	}
}

// No answer is a no where somebody asks, and only there; what made everything
// void first is named.
func TestUnanswered(t *testing.T) {
	f := loose()
	f.Consent = rules.ConsentAsk
	c := inboundUnder(f)
	follow(t, c, []moment{
		{rules.Event{Kind: rules.ConsentUnanswered}, "C", rules.Withhold},
		{rules.Event{Kind: rules.ConsentGiven}, "C", rules.Withhold},
	})
	if !c.Void() {
		t.Error("unanswered, and kept")
	}
	f.Consent = rules.ConsentOff
	c = inboundUnder(f)
	follow(t, c, []moment{{rules.Event{Kind: rules.ConsentUnanswered}, "C", rules.Record}})
	c.Apply(rules.Event{At: at(5), Kind: rules.ConsentWithdrawn})
	c.Apply(rules.Event{At: at(6), Kind: rules.ConsentRefused})
	if got := c.Timeline("C")[0].Causes; len(got) != 1 || got[0].Cause != rules.Void || got[0].Flag != "withdrawal" {
		t.Errorf("void by %v", got)
	}
}

// Who is in which bridge, one move at a time.
func TestBridges(t *testing.T) {
	f := loose()
	f.Hold, f.ConsultLeg, f.PauseExternal, f.ContinueWithoutAgent = rules.HoldAction, false, true, false
	consult := func(who1, other rules.PartyID) rules.Event {
		return rules.Event{Kind: rules.Consulted, Party: who1, Other: other, Identity: who("A1")}
	}
	let := func(other rules.PartyID) rules.Event { return rules.Event{Kind: rules.ConsultEnded, Other: other} }
	as := func(k rules.Kind, p rules.PartyID, role rules.Role) rules.Event {
		return rules.Event{Kind: k, Party: p, Identity: rules.Identity{Role: role, IdentifiedBy: rules.ByNumber}}
	}
	by := func(k rules.Kind, p rules.PartyID) rules.Event { return rules.Event{Kind: k, Party: p} }
	for name, moments := range map[string][]moment{
		"a hold without its owner waits for somebody in the main call": {
			{by(rules.Held, "A2"), "C", rules.Withhold}, {consult("A1", "X1"), "C", rules.Withhold},
			{by(rules.PartyLeft, "A2"), "C", rules.Withhold}, {let("X1"), "C", rules.Record},
		},
		"two consults": {
			{consult("A1", "X1"), "A1", rules.Withhold}, {consult("A2", "X2"), "A2", rules.Withhold},
			{let("X1"), "A2", rules.Withhold}, {let("X1"), "A1", rules.Record},
		},
		"the consulted hangs up before it is let go": {
			{consult("A1", "X1"), "A1", rules.Withhold}, {by(rules.PartyLeft, "X1"), "A1", rules.Withhold}, {let("X1"), "A1", rules.Record},
		},
		"nobody knows whom": {{consult("A1", "X1"), "A1", rules.Withhold}, {let(""), "A1", rules.Withhold}},
		"a blind transfer during a consult": {
			{consult("A1", "X1"), "X1", rules.Withhold},
			{rules.Event{Kind: rules.TransferredBlind, Party: "A1", Other: "Z", Identity: who("A1")}, "X1", rules.Withhold},
		},
		"who left answers nothing": {
			{as(rules.PartyDialled, "X1", rules.RoleExternal), "C", rules.Withhold}, {by(rules.PartyLeft, "X1"), "C", rules.Record}, {by(rules.PartyAnswered, "X1"), "C", rules.Record},
		},
		"a customer and a machine are no third parties": {
			{as(rules.PartyJoined, "X1", rules.RoleCustomer), "C", rules.Record}, {as(rules.PartyJoined, "X2", rules.RoleIVR), "C", rules.Record},
		},
		"a machine is nobody from outside": {
			{as(rules.PartyJoined, "X2", rules.RoleIVR), "A1", rules.Record}, {by(rules.PartyLeft, "C"), "A1", rules.Withhold},
		},
		"who left is not reached": {
			{as(rules.PartyJoined, "X1", rules.RoleCustomer), "C", rules.Record}, {by(rules.PartyLeft, "X1"), "C", rules.Record},
			{by(rules.PartyLeft, "A1"), "C", rules.Record}, {by(rules.PartyLeft, "A2"), "C", rules.Record},
		},
		"who is dialled of the own people is no outsider": {
			{by(rules.PartyLeft, "A1"), "C", rules.Record}, {rules.Event{Kind: rules.PartyDialled, Party: "Z", Identity: who("A1")}, "C", rules.Record}, {by(rules.PartyLeft, "A2"), "C", rules.Record},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := inboundUnder(f)
			for _, p := range []rules.StreamID{"X1", "X2"} {
				c.Apply(rules.Event{At: at(0), Kind: rules.StreamAdded, Stream: p}, rules.Event{At: at(0), Kind: rules.StreamSends, Stream: p, Party: rules.PartyID(p)})
			}
			follow(t, c, moments)
		})
	}
	// Another consult of the same agent goes on when the first is let go.
	f.Hold, f.ConsultHolds = rules.HoldLeg, true
	follow(t, inboundUnder(f), []moment{
		{consult("A1", "X1"), "C", rules.Withhold}, {consult("A1", "X2"), "C", rules.Withhold}, {let("X1"), "C", rules.Withhold}, {let("X2"), "C", rules.Record},
	})
	// Who retrieves and leaves at one instant has retrieved.
	c := inboundUnder(f)
	c.Apply(rules.Event{At: at(1), Kind: rules.PartyLeft, Party: "A2"}, rules.Event{At: at(1), Kind: rules.Held, Party: "A1"})
	c.Apply(rules.Event{At: at(2), Kind: rules.Retrieved, Party: "A1"}, rules.Event{At: at(2), Kind: rules.PartyLeft, Party: "A1"})
	if d := c.Decision("C"); d.Verdict != rules.Record {
		t.Errorf("retrieved: %v", d)
	}
}

// A flow or queue that nobody tells of withholds inbound calls, until somebody of
// the own people is there.
func TestUnfed(t *testing.T) {
	for _, tt := range []struct {
		flags rules.Flags
		d     rules.Direction
		want  rules.Verdict
	}{
		{rules.Flags{FlowsUnfed: true, SuppressedFlows: rules.Selection{All: true}, QueueWait: rules.Selection{All: true}}, rules.DirectionInbound, rules.Withhold},
		{rules.Flags{FlowsUnfed: true, QueueWait: rules.Selection{All: true}}, rules.DirectionInbound, rules.Record},
		{rules.Flags{FlowsUnfed: true}, rules.DirectionInbound, rules.Withhold},
		{rules.Flags{FlowsUnfed: true}, rules.DirectionOutbound, rules.Record},
	} {
		tt.flags.Trunk = true
		c := rules.Open(rules.NewPolicy(tt.flags), "r")
		c.Apply(rules.Event{At: at(0), Kind: rules.InteractionStarted, Direction: tt.d}, ev(0, rules.StreamAdded, "s", ""),
			rules.Event{At: at(0), Kind: rules.PartyJoined, Party: "C", Identity: who("C")})
		if d := c.Decision("s"); d.Verdict != tt.want {
			t.Errorf("%+v, %v: %v", tt.flags, tt.d, d)
		}
	}
}

// A permit given out for a decision names what it is for, and a stream nobody
// heard of has none, during the call and after a withdrawal.
func TestUnheardStream(t *testing.T) {
	c := inboundUnder(loose())
	if d := c.Decision("nobody"); d.Verdict != rules.Withhold || d.RolesUnknown || d.Permit != (rules.Permit{}) || len(d.Causes) != 1 || d.Causes[0].Cause != rules.NotLive {
		t.Errorf("%v", d)
	}
	c.Apply(rules.Event{At: at(2), Kind: rules.PartyLeft, Party: "C"}, rules.Event{At: at(2), Kind: rules.PartyIdentified, Party: "C", Identity: rules.Identity{FirstPair: true}})
	if d := c.Decision("nobody"); !d.RolesUnknown {
		t.Errorf("nobody is placed: %v", d)
	}
	c.Apply(rules.Event{At: at(3), Kind: rules.PartyJoined, Party: "C"}, rules.Event{At: at(3), Kind: rules.ConsentWithdrawn})
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
	if l := c.UserTimelines(); len(l) != 1 || !l[0][0].RolesUnknown || l[0][0].Verdict != rules.Record || !strings.HasSuffix(l[0][0].String(), ": user-recordings: A1 records; roles unknown") {
		t.Errorf("%v", l)
	}
	// Nobody starts a second one beside his first.
	c.Apply(rules.Event{At: at(2), Kind: rules.UserRecordingStarted, Party: "A1"})
	if l := c.UserTimelines(); len(l) != 1 {
		t.Errorf("%d recordings", len(l))
	}
	// What it does not hold any more is gone since one instant.
	c.Apply(rules.Event{At: at(3), Kind: rules.SecureStarted, Owner: "other"})
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
