package rules_test

import (
	"slices"
	"testing"
	"time"

	"github.com/siprecd/siprecd/rules"
)

// The causes in force are those of the interaction and of each stream that is there,
// every one once.
func TestCausesInForce(t *testing.T) {
	f := loose()
	f.Hold, f.Trunk, f.ConsultLeg = rules.HoldAction, false, false
	f.Plan = []rules.PlanRule{{Kind: rules.PlanMenu, Option: "1"}}
	c := rules.Open(rules.NewPolicy(f), "r")
	if got := c.Causes(); len(got) != 0 {
		t.Errorf("before anything happened: %v", got)
	}
	for i, tt := range []struct {
		events []rules.Event
		want   string
	}{
		{talk(), "no-decision/policy@0"},
		{[]rules.Event{ev(1, rules.StreamInactive, "C", "sdp")}, "no-decision/policy@0 sdp/sdp@1"},
		{[]rules.Event{ev(2, rules.StreamInactive, "A1", "sdp"), ev(2, rules.StreamInactive, "A1", "x")}, "no-decision/policy@0 sdp/sdp@1 sdp/x@2"},
		{[]rules.Event{{At: at(3), Kind: rules.MenuChosen, Name: "1"}}, "sdp/sdp@1 sdp/x@2"},
		{[]rules.Event{{At: at(4), Kind: rules.Held, Party: "A1"}}, "sdp/sdp@1 sdp/x@2 hold/A1@4"},
		{[]rules.Event{ev(5, rules.StreamActive, "C", "sdp")}, "sdp/sdp@2 sdp/x@2 hold/A1@4"},
		{[]rules.Event{ev(6, rules.StreamRemoved, "A1", "")}, "hold/A1@4"},
		{[]rules.Event{{At: at(7), Kind: rules.ConsentRefused}}, "hold/A1@4 void/interaction@7"},
		{[]rules.Event{{At: at(8), Kind: rules.FlowEntered, Name: "F"}}, "hold/A1@4 void/interaction@7"},
		{[]rules.Event{ev(9, rules.InteractionEnded, "", "")}, "hold/A1@4 void/interaction@7"},
	} {
		for _, e := range tt.events {
			c.Apply(e)
		}
		if got := pairsOf(c.Causes()); got != tt.want {
			t.Errorf("%d: got %q, want %q", i, got, tt.want)
		}
	}
	got := c.Causes()
	if d := got[len(got)-1]; d.Flag != "consent" || d.Cause != rules.Void {
		t.Errorf("%+v", d)
	}
	got[0].Owner = "me"
	if pairsOf(c.Causes()) != "hold/A1@4 void/interaction@7" {
		t.Error("what was returned is the case's own")
	}
	// A stream of which the sender left is there, one that ended is not.
	c = happened(rules.NewPolicy(loose()), "r", talk(rules.Event{Kind: rules.PartyLeft, Party: "C"})...)
	gone := func(a rules.ActiveCause) bool { return a.Cause == rules.NotLive }
	if !slices.ContainsFunc(c.Causes(), gone) {
		t.Errorf("%v", c.Causes())
	}
	if c.Apply(ev(5, rules.InteractionEnded, "", "")); slices.ContainsFunc(c.Causes(), gone) {
		t.Errorf("%v", c.Causes())
	}
}

// That all is void is one cause with one beginning, whatever happens afterwards.
func TestVoidBeginsOnce(t *testing.T) {
	c := happened(rules.NewPolicy(loose()), "r", talk(rules.Event{Kind: rules.ConsentRefused}, rules.Event{Kind: rules.MenuChosen})...)
	if got := c.Apply(rules.Event{At: at(9), Kind: rules.MenuChosen}); len(got) != 0 || line(c.Decision("C")) != "withhold C@1 void/interaction@1" {
		t.Errorf("%v, %v", got, c.Decision("C"))
	}
}

func TestParties(t *testing.T) {
	c := happened(rules.NewPolicy(loose()), "r", talk(
		rules.Event{Kind: rules.Held, Party: "A1"},
		rules.Event{Kind: rules.ConsultDialled, Party: "A1", Other: "A2", Identity: who("A2")},
		rules.Event{Kind: rules.PartyLeft, Party: "C"},
	)...)
	want := []rules.PartyState{
		{Party: "C", Identity: who("C")},
		{Party: "A1", Identity: who("A1"), Present: true, Consult: true, Holds: true},
		{Party: "A2", Identity: who("A2"), Dialled: true, Consult: true},
	}
	if got := c.Parties(); !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// Asking is whether a yes is missing, answered whether anything was said of it.
func TestAskingAndAnswered(t *testing.T) {
	for _, tt := range []struct {
		mode             rules.ConsentMode
		says             []rules.Kind
		asking, answered bool
	}{
		{rules.ConsentOff, nil, false, false},
		{rules.ConsentAsk, nil, true, false},
		{rules.ConsentOff, []rules.Kind{rules.ConsentAsked}, true, false},
		{rules.ConsentAsk, []rules.Kind{rules.ConsentAsked, rules.ConsentGiven}, false, true},
		{rules.ConsentAsk, []rules.Kind{rules.ConsentRefused}, true, true},
		{rules.ConsentAsk, []rules.Kind{rules.ConsentUnanswered}, true, true},
		{rules.ConsentOff, []rules.Kind{rules.ConsentUnanswered}, false, true},
		{rules.ConsentOff, []rules.Kind{rules.ConsentWithdrawn}, false, true},
		{rules.ConsentAsk, []rules.Kind{rules.PartyAgreed}, true, false},
	} {
		f := loose()
		f.Consent = tt.mode
		var more []rules.Event
		for _, k := range tt.says {
			more = append(more, rules.Event{Kind: k, Party: "C"})
		}
		c := happened(rules.NewPolicy(f), "r", talk(more...)...)
		if c.Asking() != tt.asking || c.Answered() != tt.answered {
			t.Errorf("%v, %v: asking %v, answered %v", tt.mode, tt.says, c.Asking(), c.Answered())
		}
	}
}

// Until is when the next alarm is due; each pause gives one.
func TestUntil(t *testing.T) {
	f := loose()
	f.PauseAlarm, f.Hold = 10*time.Second, rules.HoldAction
	c := happened(rules.NewPolicy(f), "r", talk(rules.Event{Kind: rules.Held, Party: "A1"})...)
	next := func(want int) {
		t.Helper()
		got, ok := c.Until()
		switch {
		case ok != (want > 0), ok && !got.Equal(at(want).Add(1)):
			t.Errorf("the next alarm is at %v, %v, want %d", got, ok, want)
		case ok && (len(c.Overdue(got)) == 0 || len(c.Overdue(got.Add(-1))) == len(c.Overdue(got))):
			t.Errorf("%v is not the first instant", got)
		}
	}
	alarms := func(s time.Time, want ...string) {
		t.Helper()
		var got []string
		for _, a := range c.Alarm(s) {
			got = append(got, a.Cause.String()+" "+a.Owner)
		}
		if !slices.Equal(got, want) {
			t.Errorf("at %v: %q, want %q", s, got, want)
		}
	}
	next(0)
	c.Apply(rules.Event{At: at(7), Kind: rules.SecureStarted, Owner: "late"}, rules.Event{At: at(8), Kind: rules.PausePressed, Party: "A1"})
	c.Apply(rules.Event{At: at(5), Kind: rules.SecureStarted, Owner: "pay"}) // told late
	next(15)
	alarms(at(15))
	next(15)
	alarms(at(15).Add(1), "secure pay")
	next(17)
	alarms(at(16))
	c.Apply(rules.Event{At: at(17), Kind: rules.SecureEnded, Owner: "late"})
	next(18)
	alarms(at(20), "manual call")
	alarms(at(21))
	next(0)
	c.Apply(rules.Event{At: at(22), Kind: rules.SecureEnded, Owner: "pay"}, rules.Event{At: at(23), Kind: rules.SecureStarted, Owner: "pay"})
	next(33)
	c.Apply(ev(30, rules.InteractionEnded, "", ""))
	next(0)
	if got := len(c.Overdue(at(33).Add(1))); got != 2 {
		t.Errorf("%d pauses were not over", got)
	}
	f.PauseAlarm = 0
	c = happened(rules.NewPolicy(f), "r", talk(rules.Event{Kind: rules.PausePressed, Party: "A1"})...)
	next(0)
	alarms(at(1000))
}
