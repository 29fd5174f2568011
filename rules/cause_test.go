package rules_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/rules"
)

// strict are flags under which every cause can arise.
func strict() rules.Flags {
	f := loose()
	f.Hold, f.PauseExternal, f.ContinueWithoutAgent, f.StopIsFinal = rules.HoldAction, true, false, true
	f.AgentOnly, f.SuppressedFlows.All, f.QueueWait, f.Consent = true, true, rules.Selection{}, rules.ConsentAsk
	f.PartyConsent, f.ConsultLeg, f.FlowsUnfed = true, false, true
	return f
}

// rows are the rows of a cause.
func rows(c rules.Cause) []rules.CauseRule {
	return slices.DeleteFunc(rules.Causes(), func(r rules.CauseRule) bool { return r.Cause != c })
}

func TestCausesAreComplete(t *testing.T) {
	for c := rules.NoDecision; c <= rules.Void; c++ {
		if len(rows(c)) == 0 {
			t.Errorf("%v has no row", c)
		}
	}
	for _, r := range rules.Causes() {
		if r.Cause.Words() == "unknown cause" || r.Flag == "" || r.Starts == "" || r.Ends == "" {
			t.Errorf("%v is not described: %+v", r.Cause, r)
		}
		if r.Scope < rules.ScopeAll || r.Scope > rules.ScopeStream || strings.HasPrefix(r.Scope.String(), "scope") {
			t.Errorf("%v has the scope %v", r.Cause, r.Scope)
		}
	}
}

// The engine does what the table says, for hostile events.
func TestCausesHold(t *testing.T) {
	seen, spared := map[rules.Cause]bool{}, map[rules.Cause]bool{}
	for i := range 200 {
		var data []byte
		for j := range 90 {
			data = append(data, byte((i*37+j*29+i*j*11)%253))
		}
		events := script(data)
		events[0].Direction = rules.Direction(i % 4)
		f := strict()
		if i%3 == 0 {
			f.Consent, f.FlowsUnfed, f.Hold = rules.ConsentOff, false, rules.HoldLeg
		}
		if i%5 == 0 {
			f.Mixed = true
		}
		p := rules.NewPolicy(f)
		_, all, c := playAll(p, events)
		inbound := c.Direction() != rules.DirectionOutbound && c.Direction() != rules.DirectionInternal
		for _, d := range all {
			for _, a := range d.Causes {
				seen[a.Cause] = true
				if !slices.ContainsFunc(rows(a.Cause), func(r rules.CauseRule) bool { return strings.HasPrefix(r.Flag, a.Flag) }) {
					t.Fatalf("%v has the flag %s, the table says %+v", a.Cause, a.Flag, rows(a.Cause))
				}
				spared[a.Cause] = spared[a.Cause] || d.Maker != ""
				asked := a.Cause == rules.Consent && slices.ContainsFunc(events, func(e rules.Event) bool { return e.Kind == rules.ConsentAsked })
				if !inbound && rows(a.Cause)[0].InboundOnly && !asked && i%4 == int(c.Direction()) {
					t.Fatalf("%v on a call that is %v", a.Cause, c.Direction())
				}
			}
		}
	}
	for _, r := range rules.Causes() {
		if !seen[r.Cause] && r.Cause != rules.Void && r.Cause != rules.DoNotRecord {
			t.Errorf("%v never came up", r.Cause)
		}
		if r.SparesUser && spared[r.Cause] {
			t.Errorf("%v is in force for a user recording", r.Cause)
		}
	}
}

// What is of all streams is of all, what is of one can be of one.
func TestScopes(t *testing.T) {
	f := loose()
	f.Hold, f.ContinueWithoutAgent = rules.HoldAction, false
	for _, tt := range []struct {
		event rules.Event
		cause rules.Cause
	}{
		{rules.Event{Kind: rules.SecureStarted, Owner: "pay"}, rules.Secure},
		{rules.Event{Kind: rules.Held, Party: "A1"}, rules.Hold},
		{rules.Event{Kind: rules.PausePressed, Party: "A1"}, rules.Manual},
		{rules.Event{Kind: rules.ConsentWithdrawn}, rules.Withdrawn},
		{rules.Event{Kind: rules.ConsentAsked}, rules.Consent},
		{rules.Event{Kind: rules.StreamInactive, Stream: "C", Owner: "sdp"}, rules.SDP},
		{rules.Event{Kind: rules.StreamRemoved, Stream: "C"}, rules.NotLive},
	} {
		c := rules.Open(rules.NewPolicy(f), "r")
		events := script(nil)
		c.Apply(events[:len(events)-1]...)
		tt.event.At = at(5)
		c.Apply(tt.event)
		n := 0
		for _, s := range []rules.StreamID{"A1", "A2", "C"} {
			if slices.ContainsFunc(c.Decision(s).Causes, func(a rules.ActiveCause) bool { return a.Cause == tt.cause }) {
				n++
			}
		}
		if want := map[rules.Scope]int{rules.ScopeAll: 3, rules.ScopeStream: 1}[rows(tt.cause)[0].Scope]; n != want {
			t.Errorf("%v is on %d streams, want %d", tt.cause, n, want)
		}
	}
}

// The permit of a closed decision ends with it.
func TestPermitEnds(t *testing.T) {
	c := rules.Open(rules.RecordAll(), "r")
	c.Apply(ev(0, rules.InteractionStarted, "", ""), ev(0, rules.StreamAdded, "a", ""), ev(10, rules.StreamInactive, "a", "x"), ev(20, rules.StreamActive, "a", "x"))
	line := c.Timeline("a")
	if len(line) != 3 {
		t.Fatalf("%v", line)
	}
	first, open := line[0].Permit, line[2].Permit
	for s, want := range map[int]bool{0: true, 9: true, 10: false, 25: false} {
		if got := first.Covers("r", "a", at(s)); got != want {
			t.Errorf("the closed permit covers %d: %v", s, got)
		}
	}
	if !first.Until().Equal(at(10)) || !open.Until().IsZero() || !open.Covers("r", "a", at(1000)) || open.Covers("r", "a", at(19)) {
		t.Errorf("until %v and %v", first.Until(), open.Until())
	}
	if line[1].Permit != (rules.Permit{}) {
		t.Error("what is withheld has a permit")
	}
}

// Each cause is found by the name that a journal has of it.
func TestCauseNamed(t *testing.T) {
	for _, r := range rules.Causes() {
		if got, ok := rules.CauseNamed(r.Cause.String()); !ok || got != r.Cause {
			t.Errorf("%v: %v, %v", r.Cause, got, ok)
		}
	}
	for _, name := range []string{"", "cause-0", "Hold", "tea"} {
		if got, ok := rules.CauseNamed(name); ok {
			t.Errorf("%q is %v", name, got)
		}
	}
}
