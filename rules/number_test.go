package rules_test

import (
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
					if cause.Cause == rules.Void && cause.Flag != "dnr" {
						t.Errorf("void by %s, want dnr", cause.Flag)
					}
				}
			}
		})
	}
}
