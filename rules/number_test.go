package rules_test

import (
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/rules"
)

// A number may be known only after the call was decided: lists of callers are
// looked up then, and a number that is never to be recorded takes all of it back.
func TestNumberTold(t *testing.T) {
	const listed, barred = "+15550100", "+15550199"
	plan := rules.Flags{
		Plan:        []rules.PlanRule{{Kind: rules.PlanCallers, Callers: []string{listed}}, {Kind: rules.PlanPercent, Percent: 50}},
		DoNotRecord: []string{barred}, QueueWait: rules.Selection{All: true},
	}
	customer := rules.Identity{Role: rules.RoleCustomer, FirstPair: true}
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	for _, tt := range []struct {
		name    string
		draw    float64
		started string
		told    []string
		record  bool
		void    bool
	}{
		{name: "none", draw: 0.9},
		{name: "one on the list", draw: 0.9, told: []string{"", listed}, record: true},
		{name: "one on no list", draw: 0.9, told: []string{"+15550123"}},
		{name: "the second of two", draw: 0.9, started: "+15550123", told: []string{listed}, record: true},
		{name: "barred before anything was kept", draw: 0.9, told: []string{barred, listed}},
		{name: "barred from the start", draw: 0.1, started: barred, told: []string{listed}},
		{name: "barred after audio was kept", draw: 0.1, told: []string{barred}, void: true},
		{name: "listed in another form", draw: 0.9, told: []string{"0015550100"}, record: true},
		{name: "barred in another form", draw: 0.1, told: []string{"+1 (555) 0199"}, void: true},
		{name: "another number that ends alike", draw: 0.1, told: []string{"5550199"}, record: true},
		{name: "listed, then barred", draw: 0.9, told: []string{listed, barred}, void: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := rules.Open(rules.NewPolicy(plan), "r")
			c.Apply(
				rules.Event{At: at(0), Kind: rules.InteractionStarted, Direction: rules.DirectionInbound, Number: tt.started},
				rules.Event{At: at(0), Kind: rules.StreamAdded, Stream: "0"},
				rules.Event{At: at(0), Kind: rules.PartyJoined, Party: "x", Identity: customer},
				rules.Event{At: at(0), Kind: rules.PlanRan, Draw: tt.draw},
			)
			for i, n := range tt.told {
				c.Apply(rules.Event{At: at(i + 1), Kind: rules.NumberTold, Number: n})
			}
			if got := c.Decision("0").Verdict == rules.Record; got != tt.record {
				t.Errorf("recorded %v, want %v: %v", got, tt.record, c.Decision("0"))
			}
			if c.Void() != tt.void {
				t.Errorf("void %v, want %v", c.Void(), tt.void)
			}
			for _, d := range c.Timeline("0") {
				if tt.void && d.Verdict == rules.Record {
					t.Errorf("void, and %v", d)
				}
				for _, cause := range d.Causes {
					if cause.Cause == rules.Void && cause.Flag != "do-not-record" {
						t.Errorf("void by %s, want do-not-record", cause.Flag)
					}
				}
			}
		})
	}
}

// A third party with a number that is never to be recorded withholds everything
// while it is on the call, from when it is dialled; what was kept before stays.
func TestNumberOfAThirdParty(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	c := rules.Open(rules.NewPolicy(rules.Flags{
		Trunk: true, ContinueWithoutAgent: true, DoNotRecord: []string{"+15550199"}, QueueWait: rules.Selection{All: true},
	}), "r")
	agent := rules.Identity{Role: rules.RoleAgent, IdentifiedBy: rules.ByDirectory, FirstPair: true}
	c.Apply(
		rules.Event{At: at(0), Kind: rules.InteractionStarted, Direction: rules.DirectionInbound},
		rules.Event{At: at(0), Kind: rules.StreamAdded, Stream: "0"},
		rules.Event{At: at(0), Kind: rules.PartyJoined, Party: "a", Identity: agent},
		rules.Event{At: at(0), Kind: rules.PartyJoined, Party: "c", Identity: rules.Identity{Role: rules.RoleCustomer, FirstPair: true}},
	)
	for i, step := range []struct {
		events []rules.Event
		record bool
	}{
		{nil, true},
		{[]rules.Event{{Kind: rules.PartyDialled, Party: "x"}, {Kind: rules.NumberTold, Party: "x", Number: "+15550123"}}, true},
		{[]rules.Event{{Kind: rules.NumberTold, Party: "x", Number: "0015550199"}, {Kind: rules.NumberTold, Party: "nobody", Number: "+15550199"}}, false},
		{[]rules.Event{{Kind: rules.PartyAnswered, Party: "x"}, {Kind: rules.NumberTold, Party: "x"}}, false},
		{[]rules.Event{{Kind: rules.PartyLeft, Party: "x"}}, true},
		{[]rules.Event{{Kind: rules.PartyJoined, Party: "x"}}, false},
		{[]rules.Event{{Kind: rules.PartyLeft, Party: "x"}}, true},
		{[]rules.Event{{Kind: rules.NumberTold, Party: "c", Number: "+15550199"}}, false},
	} {
		for j := range step.events {
			step.events[j].At = at(i + 1)
		}
		c.Apply(step.events...)
		if got := c.Decision("0").Verdict == rules.Record; got != step.record {
			t.Errorf("step %d: recorded %v: %v", i, got, c.Decision("0"))
		}
		if last := i == 7; c.Void() != last {
			t.Errorf("step %d: void %v", i, c.Void())
		}
	}
}

// A decision to record says what decided, in the words of the policy file.
func TestBecause(t *testing.T) {
	customer := rules.Identity{Role: rules.RoleCustomer, FirstPair: true}
	every := rules.Selection{All: true}
	share := rules.PlanRule{Kind: rules.PlanPercent, Percent: 30}
	for want, tt := range map[string]struct {
		flags     rules.Flags
		direction rules.Direction
		more      rules.Event
	}{
		"plan: every call":                         {rules.Flags{Plan: []rules.PlanRule{share, {Kind: rules.PlanAll}}}, rules.DirectionInbound, rules.Event{Kind: rules.PlanRan}},
		"plan: 30 percent, and 0.250000 was drawn": {rules.Flags{Plan: []rules.PlanRule{share}}, rules.DirectionInbound, rules.Event{Kind: rules.PlanRan, Draw: 0.25}},
		"plan: number +15550100 is listed":         {rules.Flags{Plan: []rules.PlanRule{share, {Kind: rules.PlanCallers, Callers: []string{"+15550100"}}}}, rules.DirectionInbound, rules.Event{Kind: rules.PlanRan, Draw: 0.9}},
		"plan: option 2 was chosen":                {rules.Flags{Plan: []rules.PlanRule{{Kind: rules.PlanMenu, Option: "2"}}}, rules.DirectionInbound, rules.Event{Kind: rules.MenuChosen, Name: "2"}},
		"command":                                  {rules.Flags{}, rules.DirectionInbound, rules.Event{Kind: rules.RecordOrdered}},
		"outbound: record":                         {rules.Flags{Outbound: true, Plan: []rules.PlanRule{{Kind: rules.PlanAll}}}, rules.DirectionOutbound, rules.Event{Kind: rules.PlanRan}},
		"plan: every call, and outbound: record":   {rules.Flags{Outbound: true, Plan: []rules.PlanRule{{Kind: rules.PlanAll}}}, rules.DirectionUnknown, rules.Event{Kind: rules.PlanRan}},
		"record: on, of the trunk":                 {rules.Flags{Trunk: true}, rules.DirectionOutbound, rules.Event{Kind: rules.PlanRan}},
	} {
		tt.flags.QueueWait, tt.flags.ContinueWithoutAgent = every, true
		c := rules.Open(rules.NewPolicy(tt.flags), "r")
		c.Apply(
			rules.Event{Kind: rules.InteractionStarted, Direction: tt.direction, Number: "+15550100"},
			rules.Event{Kind: rules.StreamAdded, Stream: "0"},
			rules.Event{Kind: rules.PartyJoined, Party: "c", Identity: customer}, tt.more)
		d := c.Decision("0")
		if d.Because != want || !strings.HasSuffix(d.String(), ": "+want) {
			t.Errorf("%v, because %q, want %q", d, d.Because, want)
		}
		c.Apply(rules.Event{Kind: rules.SecureStarted, Owner: "pay", At: time.Unix(1, 0)})
		line := c.Timeline("0")
		if len(line) != 2 || line[0].Because != want || line[1].Because != "" || c.Decision("0").Because != "" {
			t.Errorf("%s: timeline %v", want, line)
		}
	}
}
