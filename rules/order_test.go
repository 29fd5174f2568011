package rules_test

import (
	"slices"
	"testing"

	"github.com/siprecd/siprecd/rules"
)

// A step is what comes of one instant in a call of the customer C with A1, whose
// voices are recorded.
func TestStep(t *testing.T) {
	p := func(k rules.Kind, party rules.PartyID) rules.Event {
		return rules.Event{Kind: k, Party: party, Identity: who(party)}
	}
	to := func(k rules.Kind, party, other rules.PartyID) rules.Event {
		return rules.Event{Kind: k, Party: party, Other: other, Identity: who(other)}
	}
	named := func(k rules.Kind, name string) rules.Event { return rules.Event{Kind: k, Name: name, Owner: name} }
	sends := func(k rules.Kind, s rules.StreamID, party rules.PartyID) rules.Event {
		return rules.Event{Kind: k, Stream: s, Party: party}
	}
	sdp := func(k rules.Kind) rules.Event { return rules.Event{Kind: k, Stream: "C", Owner: "sdp"} }
	pause, resume := rules.PausePressed, rules.ResumePressed
	for _, tt := range []struct {
		name   string
		before []rules.Event // at an earlier instant
		now    []rules.Event
		want   string // causes of the customer's stream
		refuse int
	}{
		{"one agent leaves and another joins", nil, []rules.Event{p(rules.PartyLeft, "A1"), p(rules.PartyJoined, "A2"), p(rules.PartyJoined, "X1")}, "external", 0},
		{"nobody takes over", nil, []rules.Event{p(rules.PartyLeft, "A1"), p(rules.PartyJoined, "X1")}, "external no-agent stopped", 0},
		{"retrieve and consult", []rules.Event{p(rules.Held, "A1")}, []rules.Event{p(rules.Retrieved, "A1"), to(rules.Consulted, "A1", "X1")}, "external", 0},
		{"hold, then retrieve", nil, []rules.Event{p(rules.Held, "A1"), p(rules.Retrieved, "A1")}, "", 0},
		{"retrieve, then hold", []rules.Event{p(rules.Held, "A1")}, []rules.Event{p(rules.Retrieved, "A1"), p(rules.Held, "A1")}, "hold", 0},
		{"another holds before a retrieve", []rules.Event{p(rules.PartyJoined, "A2"), p(rules.Held, "A1")}, []rules.Event{p(rules.Held, "A2"), p(rules.Retrieved, "A1")}, "hold", 0},
		{"who joins holds", nil, []rules.Event{p(rules.Held, "A2"), p(rules.PartyJoined, "A2")}, "hold", 0},
		{"who leaves holds", nil, []rules.Event{p(rules.PartyLeft, "A1"), p(rules.Held, "A1"), p(rules.PartyDialled, "X1")}, "hold external no-agent stopped", 0},
		{"who retrieves leaves", []rules.Event{p(rules.Held, "A1")}, []rules.Event{p(rules.Retrieved, "A1"), p(rules.PartyLeft, "A1")}, "", 0},
		{"a party comes back", nil, []rules.Event{p(rules.PartyLeft, "A1"), p(rules.PartyJoined, "A1")}, "", 0},
		{"who joins pauses", nil, []rules.Event{p(pause, "A2"), p(rules.PartyJoined, "A2")}, "manual", 0},
		{"who leaves pauses", nil, []rules.Event{p(rules.PartyLeft, "A1"), p(pause, "A1")}, "manual", 0},
		{"who joins resumes", []rules.Event{p(pause, "A1")}, []rules.Event{p(resume, "A2"), p(rules.PartyJoined, "A2")}, "", 0},
		{"who leaves resumes nothing", []rules.Event{p(pause, "A1")}, []rules.Event{p(resume, "A1"), p(rules.PartyLeft, "A1")}, "manual", 1},
		{"pause, then resume", nil, []rules.Event{p(pause, "A1"), p(resume, "A1")}, "", 0},
		{"resume, then pause", nil, []rules.Event{p(resume, "A1"), p(pause, "A1")}, "manual", 0},
		{"another resumes", []rules.Event{p(rules.PartyJoined, "A2")}, []rules.Event{p(pause, "A1"), p(resume, "A2")}, "manual", 0},
		{"no, then yes", nil, []rules.Event{p(rules.ConsentGiven, ""), p(rules.ConsentRefused, "")}, "void", 0},
		{"flow again", []rules.Event{named(rules.FlowEntered, "F")}, []rules.Event{named(rules.FlowLeft, "F"), named(rules.FlowEntered, "F")}, "ivr", 0},
		{"other flow", []rules.Event{named(rules.FlowEntered, "F")}, []rules.Event{named(rules.FlowLeft, "F"), named(rules.FlowEntered, "G")}, "ivr", 0},
		{"flow over", nil, []rules.Event{named(rules.FlowEntered, "F"), named(rules.FlowLeft, "F")}, "", 0},
		{"flow into queue", []rules.Event{named(rules.FlowEntered, "F")}, []rules.Event{named(rules.FlowLeft, "F"), named(rules.QueueEntered, "Q")}, "queue", 0},
		{"queue again", []rules.Event{named(rules.QueueEntered, "Q")}, []rules.Event{named(rules.QueueLeft, "Q"), named(rules.QueueEntered, "Q")}, "queue", 0},
		{"queue over", nil, []rules.Event{named(rules.QueueEntered, "Q"), named(rules.QueueLeft, "Q")}, "", 0},
		{"other queue", nil, []rules.Event{named(rules.QueueLeft, "R"), named(rules.QueueEntered, "Q")}, "queue", 0},
		{"back into the queue", []rules.Event{named(rules.QueueEntered, "Q")}, []rules.Event{named(rules.QueueLeft, "Q"), {Kind: rules.TransferredToQueue, Party: "A1", Name: "Q"}}, "queue", 0},
		{"payment again", []rules.Event{named(rules.SecureStarted, "p")}, []rules.Event{named(rules.SecureEnded, "p"), named(rules.SecureStarted, "p")}, "secure", 0},
		{"other payment", []rules.Event{named(rules.SecureStarted, "p")}, []rules.Event{named(rules.SecureStarted, "q"), named(rules.SecureEnded, "p")}, "secure", 0},
		{"payment over", nil, []rules.Event{named(rules.SecureStarted, "p"), named(rules.SecureEnded, "p")}, "", 0},
		{"inactive again", []rules.Event{sdp(rules.StreamInactive)}, []rules.Event{sdp(rules.StreamActive), sdp(rules.StreamInactive)}, "sdp", 0},
		{"active again", nil, []rules.Event{sdp(rules.StreamInactive), sdp(rules.StreamActive)}, "", 0},
		{"removed and back", nil, []rules.Event{sdp(rules.StreamRemoved), sdp(rules.StreamAdded)}, "", 0},
		{"added and removed", nil, []rules.Event{sdp(rules.StreamAdded), sdp(rules.StreamRemoved)}, "not-live", 0},
		{"sends on", nil, []rules.Event{{Kind: rules.StreamSendsNot, Stream: "C", Party: "C"}, {Kind: rules.StreamSends, Stream: "C", Party: "C"}, p(rules.PartyLeft, "C"), p(rules.PartyJoined, "X1")}, "external not-live", 0},
		{"consult again", []rules.Event{to(rules.Consulted, "A1", "X1")}, []rules.Event{{Kind: rules.ConsultEnded, Other: "X1"}, to(rules.Consulted, "A1", "X1")}, "external", 0},
		{"dials and is answered", nil, []rules.Event{p(rules.PartyAnswered, "X1"), to(rules.ConsultDialled, "A1", "X1")}, "external", 0},
		{"who joins consults", nil, []rules.Event{to(rules.Consulted, "A2", "X1"), p(rules.PartyJoined, "A2")}, "external", 0},
		{"consult over", nil, []rules.Event{{Kind: rules.ConsultEnded, Other: "X1"}, to(rules.Consulted, "A1", "X1"), p(rules.PartyLeft, "X1")}, "", 0},
		{"hold and conference", nil, []rules.Event{p(rules.Held, "A1"), {Kind: rules.Conferenced}}, "hold", 0},
		{"stop and begin", []rules.Event{p(rules.UserRecordingStarted, "A1")}, []rules.Event{p(rules.UserRecordingStarted, "A1"), p(rules.UserRecordingStopped, "A1")}, "", 0},
		{"consults, then leaves, said twice", []rules.Event{p(rules.PartyJoined, "A2")}, []rules.Event{to(rules.ConsultDialled, "A2", "X1"), p(rules.PartyLeft, "A2"), to(rules.ConsultDialled, "A2", "X1"), p(rules.PartyLeft, "A2")}, "external", 0},
		{"leaves and is called back", nil, []rules.Event{p(rules.PartyJoined, "X1"), p(rules.PartyLeft, "X1"), p(rules.PartyDialled, "X1")}, "external", 0},
		{"who leaves records nothing", nil, []rules.Event{p(rules.UserRecordingStarted, "A1"), p(rules.PartyLeft, "A1"), p(rules.PartyJoined, "A2")}, "", 1},
		// What is over stays over, whatever else comes at that instant.
		{"flow over, and another", nil, []rules.Event{named(rules.FlowEntered, "F"), named(rules.FlowLeft, "F"), named(rules.FlowEntered, "G")}, "ivr", 0},
		{"flow over, and its queue", nil, []rules.Event{named(rules.FlowEntered, "F"), named(rules.FlowLeft, "F"), named(rules.QueueEntered, "F")}, "queue", 0},
		{"queue over, and another", nil, []rules.Event{named(rules.QueueEntered, "Q"), named(rules.QueueLeft, "Q"), named(rules.QueueEntered, "R")}, "queue", 0},
		{"queue over, and its flow", nil, []rules.Event{named(rules.QueueEntered, "Q"), named(rules.QueueLeft, "Q"), named(rules.FlowEntered, "Q")}, "ivr", 0},
		{"payment over, and another", nil, []rules.Event{named(rules.SecureStarted, "p"), named(rules.SecureEnded, "p"), named(rules.SecureStarted, "q")}, "secure", 0},
		{"payment over, and a flow of its owner", nil, []rules.Event{named(rules.SecureStarted, "p"), named(rules.SecureEnded, "p"), named(rules.FlowEntered, "p")}, "ivr", 0},
		{"active, and inactive by another", nil, []rules.Event{sdp(rules.StreamInactive), sdp(rules.StreamActive), {Kind: rules.StreamInactive, Stream: "C", Owner: "x"}}, "sdp", 0},
		{"active, and another inactive", nil, []rules.Event{sdp(rules.StreamInactive), sdp(rules.StreamActive), {Kind: rules.StreamInactive, Stream: "D", Owner: "sdp"}}, "", 0},
		{"active, and removed", nil, []rules.Event{sdp(rules.StreamInactive), sdp(rules.StreamActive), sdp(rules.StreamRemoved)}, "not-live", 0},
		{"added, and another removed", nil, []rules.Event{sdp(rules.StreamRemoved), sdp(rules.StreamAdded), {Kind: rules.StreamRemoved, Stream: "D"}}, "", 0},
		{"added, and inactive", nil, []rules.Event{sdp(rules.StreamRemoved), sdp(rules.StreamAdded), sdp(rules.StreamInactive)}, "sdp", 0},
		{"sends no more, but in another", nil, []rules.Event{sends(rules.StreamSends, "C", "A1"), sends(rules.StreamSendsNot, "C", "A1"), p(rules.PartyLeft, "C"), sends(rules.StreamSends, "D", "A1")}, "internal-only not-live", 0},
		{"sends no more, but another does", nil, []rules.Event{sends(rules.StreamSends, "C", "A1"), sends(rules.StreamSendsNot, "C", "A1"), p(rules.PartyLeft, "C"), sends(rules.StreamSends, "C", "A2")}, "internal-only not-live", 0},
		{"sends no more, and is inactive", nil, []rules.Event{sends(rules.StreamSends, "C", "A1"), sends(rules.StreamSendsNot, "C", "A1"), p(rules.PartyLeft, "C"), sends(rules.StreamInactive, "C", "A1")}, "internal-only sdp not-live", 0},
		{"retrieved, and a pause", nil, []rules.Event{p(rules.Held, "A1"), p(rules.Retrieved, "A1"), p(pause, "A1")}, "manual", 0},
		{"stopped and begun, and another stops", nil, []rules.Event{p(rules.UserRecordingStopped, "A1"), p(rules.UserRecordingStarted, "A1"), p(rules.UserRecordingStopped, "A2")}, "", 2},
		{"a party comes back to two", nil, []rules.Event{p(rules.PartyLeft, "A1"), p(rules.PartyJoined, "A1"), p(rules.PartyJoined, "X1")}, "external", 0},
		{"who left is consulted", []rules.Event{p(rules.PartyJoined, "X1")}, []rules.Event{p(rules.PartyLeft, "X1"), to(rules.Consulted, "A1", "X1")}, "external", 0},
		{"who left is dialled for a consult", []rules.Event{p(rules.PartyJoined, "X1")}, []rules.Event{p(rules.PartyLeft, "X1"), to(rules.ConsultDialled, "A1", "X1")}, "external", 0},
		{"who left gets the call", []rules.Event{p(rules.PartyJoined, "X1")}, []rules.Event{p(rules.PartyLeft, "X1"), to(rules.TransferredBlind, "A1", "X1")}, "external no-agent stopped", 0},
		{"joins and leaves, and a stranger transfers to it", nil, []rules.Event{p(rules.PartyJoined, "X1"), p(rules.PartyLeft, "X1"), to(rules.Transferred, "A9", "X1")}, "", 0},
		{"who held and left is back and holds", []rules.Event{p(rules.Held, "A1"), p(rules.PartyLeft, "A1")}, []rules.Event{p(rules.PartyJoined, "A1"), p(rules.Held, "A1")}, "hold", 0},
		{"end with a no", nil, []rules.Event{p(rules.InteractionEnded, ""), p(rules.ConsentRefused, "")}, "not-live", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := loose()
			f.Hold, f.PauseExternal, f.ContinueWithoutAgent, f.StopIsFinal = rules.HoldAction, true, false, true
			f.SuppressedFlows.All, f.QueueWait = true, rules.Selection{}
			c := rules.Open(rules.NewPolicy(f), "r")
			first := []rules.Event{{Kind: rules.InteractionStarted, Direction: rules.DirectionInbound}, p(rules.PartyJoined, "C"), p(rules.PartyJoined, "A1"),
				{Kind: rules.StreamAdded, Stream: "C"}, {Kind: rules.StreamSends, Stream: "C", Party: "C"}}
			var all []rules.Event
			for i, list := range [][]rules.Event{first, tt.before, tt.now} {
				for _, e := range list {
					e.At = at(i)
					all = append(all, e)
				}
			}
			given := slices.Clone(all)
			refused := 0
			for _, d := range c.Apply(all...) {
				if d.Verdict == rules.Refused {
					refused++
				}
			}
			got := ""
			for _, a := range c.Decision("C").Causes {
				if got != "" {
					got += " "
				}
				got += a.Cause.String()
			}
			if got != tt.want || refused != tt.refuse {
				t.Errorf("withheld by %q with %d refusals, want %q with %d", got, refused, tt.want, tt.refuse)
			}
			if !slices.EqualFunc(all, given, func(a, b rules.Event) bool { return a == b }) {
				t.Error("the caller's events were moved")
			}
		})
	}
}

// With the hold of a leg and leg consults unrecorded, what returns to a consult
// at one instant stays there.
func TestStepOfConsults(t *testing.T) {
	away := rules.Event{Kind: rules.AlternatedAway, Party: "A1"}
	back := rules.Event{Kind: rules.AlternatedBack, Party: "A1"}
	conf := rules.Event{Kind: rules.Conferenced}
	consult := rules.Event{Kind: rules.Consulted, Party: "A1", Other: "A2", Identity: who("A2")}
	other := rules.Event{Kind: rules.Consulted, Party: "A1", Other: "X1", Identity: who("X1")}
	moved := rules.Event{Kind: rules.Transferred, Party: "A1"}
	returned := rules.Event{Kind: rules.PartyJoined, Party: "A1"}
	for _, tt := range []struct {
		name string
		now  []rules.Event
		want rules.Verdict // of the agent
	}{
		{"back", []rules.Event{back}, rules.Record},
		{"back and away", []rules.Event{back, away}, rules.Withhold},
		{"away and back", []rules.Event{away, back}, rules.Record},
		{"conference", []rules.Event{away, conf}, rules.Record},
		{"conference before", []rules.Event{conf, away}, rules.Record}, // nobody to go back to
		{"let go and consult anew", []rules.Event{{Kind: rules.ConsultEnded, Other: "A2"}, consult}, rules.Withhold},
		{"consult anew and let go", []rules.Event{consult, {Kind: rules.ConsultEnded, Other: "A2"}}, rules.Record},
		{"consult and conference, then a choice", []rules.Event{other, conf, {Kind: rules.MenuChosen}}, rules.Record},
		{"conference, then a consult", []rules.Event{conf, other}, rules.Withhold},
		{"consult, conference, away", []rules.Event{other, conf, away}, rules.Withhold},
		{"hold and conference", []rules.Event{{Kind: rules.Held, Party: "A1"}, conf}, rules.Withhold},
		{"another holds before a retrieve", []rules.Event{conf, {Kind: rules.Held, Party: "C"}, {Kind: rules.Retrieved, Party: "A1"}}, rules.Withhold},
		{"consult over, and a stranger transfers", []rules.Event{consult, {Kind: rules.ConsultEnded, Other: "A2"}, {Kind: rules.TransferredBlind, Party: "X9", Other: "A2"}}, rules.Record},
		{"consult over, and another of the other", []rules.Event{consult, {Kind: rules.ConsultEnded, Other: "A2"}, {Kind: rules.Consulted, Party: "A2", Other: "X1"}}, rules.Record},
		{"back, and a word of the same", []rules.Event{away, back, {Kind: rules.PartyAgreed, Party: "A1"}}, rules.Record},
		{"back, and the other away", []rules.Event{away, back, {Kind: rules.AlternatedAway, Party: "A2"}}, rules.Record},
		{"transfer", []rules.Event{moved}, rules.Withhold},
		{"join and transfer, and another joins", []rules.Event{returned, moved, {Kind: rules.PartyJoined, Party: "X1"}}, rules.Withhold},
		{"join and transfer, and a word of the same", []rules.Event{returned, moved, {Kind: rules.PartyAgreed, Party: "A1"}}, rules.Withhold},
		{"transfer and join", []rules.Event{moved, returned}, rules.Record},
		{"join and transfer", []rules.Event{returned, moved}, rules.Withhold},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := loose()
			f.Hold, f.ConsultHolds, f.ConsultLeg = rules.HoldLeg, true, false
			c := rules.Open(rules.NewPolicy(f), "r")
			events := script(nil)
			c.Apply(events[:len(events)-1]...)
			first := consult
			first.At = at(2)
			c.Apply(rules.Event{At: at(1), Kind: rules.PartyLeft, Party: "A2"}, first)
			for i := range tt.now {
				tt.now[i].At = at(3)
			}
			c.Apply(tt.now...)
			if d := c.Decision("A1"); d.Verdict != tt.want {
				t.Errorf("%v", d)
			}
		})
	}
}

// A pause before the decision to record is remembered.
func TestPauseBeforeTheDecision(t *testing.T) {
	f := rules.Vonage()
	f.Plan, f.Control = []rules.PlanRule{{Kind: rules.PlanMenu, Option: "2"}}, rules.Selection{All: true}
	c := rules.Open(rules.NewPolicy(f), "r")
	c.Apply(rules.Event{At: at(0), Kind: rules.InteractionStarted, Direction: rules.DirectionInbound},
		rules.Event{At: at(0), Kind: rules.PartyJoined, Party: "C", Identity: who("C")},
		rules.Event{At: at(0), Kind: rules.PartyJoined, Party: "A1", Identity: who("A1")},
		rules.Event{At: at(0), Kind: rules.StreamAdded, Stream: "s"})
	for i, tt := range []struct {
		kind rules.Kind
		want string
	}{
		{rules.ResumePressed, "withhold s@0 no-decision/policy@0"},
		{rules.PausePressed, "withhold s@2 no-decision/policy@0 manual/call@2"},
		{rules.MenuChosen, "withhold s@3 manual/call@2"},
		{rules.ResumePressed, "record s@4"},
	} {
		got := c.Apply(rules.Event{At: at(1 + i), Kind: tt.kind, Party: "A1", Name: "2"})
		if s := line(c.Decision("s")); s != tt.want || (len(got) > 0 && got[0].Verdict == rules.Refused) != (i == 0) {
			t.Errorf("after %v: %s %v, want %s", tt.kind, s, got, tt.want)
		}
	}
}

// A number of the do-not-record list that is told late takes user recordings
// with it, also where nothing else was recorded.
func TestLateNumberOfTheList(t *testing.T) {
	f := rules.Vonage()
	f.DoNotRecord = []string{"+449"}
	c := rules.Open(rules.NewPolicy(f), "r")
	events := script(nil)
	c.Apply(events[:len(events)-1]...)
	c.Apply(rules.Event{At: at(2), Kind: rules.UserRecordingStarted, Party: "A1"})
	c.Apply(rules.Event{At: at(5), Kind: rules.NumberTold, Number: "+449"})
	lines := c.UserTimelines()
	if !c.Void() || len(lines) == 0 {
		t.Fatalf("void %v, %d user recordings", c.Void(), len(lines))
	}
	for _, line := range lines {
		for _, d := range line {
			if d.Verdict != rules.Withhold {
				t.Errorf("%v", d)
			}
		}
	}
}

// A user recording that began and was over at one instant never was.
func TestUserRecordingOfNoLength(t *testing.T) {
	c := crowdOf(t)
	e := rules.Event{At: at(5), Party: "A1"}
	var list []rules.Event
	for _, k := range []rules.Kind{rules.UserRecordingStarted, rules.UserRecordingStopped, rules.UserRecordingStarted} {
		e.Kind = k
		list = append(list, e)
	}
	if got := c.Apply(list[:2]...); len(got) != 0 || len(c.UserTimelines()) != 0 {
		t.Errorf("began and over: %v", got)
	}
	if got := c.Apply(list...); len(got) != 1 || got[0].Verdict != rules.Record || len(c.UserTimelines()) != 1 {
		t.Errorf("began again: %v", got)
	}
}
