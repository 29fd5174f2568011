package rules_test

import (
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/rules"
)

func TestMixedStreamOfTwo(t *testing.T) {
	f := loose()
	f.AgentOnly = true
	c := rules.Open(rules.NewPolicy(f), "r")
	join := func(p rules.PartyID) rules.Event {
		return rules.Event{At: at(0), Kind: rules.PartyJoined, Party: p, Identity: who(p)}
	}
	send := func(k rules.Kind, s int, p rules.PartyID) rules.Event {
		return rules.Event{At: at(s), Kind: k, Stream: "mix", Party: p}
	}
	start := rules.Event{At: at(0), Kind: rules.InteractionStarted, Direction: rules.DirectionInbound}
	for _, e := range []rules.Event{start, join("A1"), join("A2"), join("C"), ev(0, rules.StreamAdded, "mix", "")} {
		c.Apply(e)
	}
	for _, tt := range []struct {
		event rules.Event
		want  string
	}{
		{send(rules.StreamSendsNot, 0, "A9"), "withhold mix@0 role/stream@0"},
		{send(rules.StreamSends, 1, "A1"), "record mix@1"},
		{send(rules.StreamSends, 2, "A2"), "record mix@1"},
		{send(rules.StreamSends, 3, "C"), "withhold mix@3 role/C@3 mixed/stream@3"},
		{send(rules.StreamSendsNot, 4, "C"), "record mix@4"},
		{send(rules.StreamSendsNot, 4, "A1"), "record mix@4"},
		{send(rules.StreamSendsNot, 4, "A2"), "withhold mix@4 role/C@4 mixed/stream@4 role/stream@4"}, // the voices of before
		{send(rules.StreamSends, 4, "C"), "withhold mix@4 role/C@4"},
		{send(rules.StreamSends, 4, "C"), "withhold mix@4 role/C@4"}, // one voice, said twice
		{send(rules.StreamSends, 4, "A1"), "withhold mix@4 role/C@4 mixed/stream@4"},
		{send(rules.StreamSendsNot, 4, "C"), "record mix@4"},
		{ev(5, rules.StreamRemoved, "mix", ""), "withhold mix@5 not-live/stream@5"},
	} {
		c.Apply(tt.event)
		if got := line(c.Decision("mix")); got != tt.want {
			t.Errorf("after %v: got %s, want %s", tt.event.Kind, got, tt.want)
		}
	}
	if c.Timeline("nothing") != nil || len(c.Timeline("mix")) < 5 {
		t.Error("the timeline is not that of the stream")
	}
}

func TestIdentifiedLater(t *testing.T) {
	f := loose()
	f.AgentOnly = true
	c := rules.Open(rules.NewPolicy(f), "r")
	c.Apply(rules.Event{At: at(0), Kind: rules.InteractionStarted, Direction: rules.DirectionInbound})
	c.Apply(rules.Event{At: at(0), Kind: rules.PartyJoined, Party: "C", Identity: rules.Identity{FirstPair: true}})
	c.Apply(rules.Event{At: at(0), Kind: rules.StreamSends, Stream: "s", Party: "p"})
	c.Apply(rules.Event{At: at(0), Kind: rules.StreamAdded, Stream: "s"})
	c.Apply(rules.Event{At: at(0), Kind: rules.PartyJoined, Party: "p", Identity: rules.Identity{FirstPair: true}})
	d := c.Decision("s")
	if !d.RolesUnknown || d.Verdict != rules.Withhold || !strings.Contains(d.String(), "roles unknown") {
		t.Errorf("nobody is placed: %v", d)
	}
	c.Apply(rules.Event{At: at(5), Kind: rules.PartyIdentified, Party: "p", Identity: who("A1")})
	c.Apply(rules.Event{At: at(5), Kind: rules.PartyIdentified, Party: "q", Identity: who("A1")})
	c.Apply(rules.Event{At: at(6), Kind: rules.PartyIdentified, Party: "C", Identity: who("C")})
	if d := c.Decision("s"); d.RolesUnknown || d.Verdict != rules.Record {
		t.Errorf("the agent is placed: %v", d)
	}
	// A party is told of before it joins: it is not on the call for that.
	c.Apply(rules.Event{At: at(7), Kind: rules.PartyDialled, Party: "x", Identity: who("X1")})
	c.Apply(rules.Event{At: at(8), Kind: rules.PartyIdentified, Party: "x", Identity: who("A2")})
	if d := c.Decision("s"); d.Verdict != rules.Record {
		t.Errorf("dialled: %v", d)
	}
	if got := c.Apply(rules.Event{At: at(9), Kind: rules.PausePressed, Party: "x"}); len(got) != 1 || got[0].Reason != "is not on the call" {
		t.Errorf("dialled, and pauses: %v", got)
	}
}

// Who was identified as one of the own people only later was one: when he leaves
// two outsiders alone, that counts.
func TestIdentifiedLaterLeaves(t *testing.T) {
	f := loose()
	f.ContinueWithoutAgent = false
	c := rules.Open(rules.NewPolicy(f), "r")
	joins := func(p rules.PartyID) rules.Event { return rules.Event{Kind: rules.PartyJoined, Party: p} }
	c.Apply(ev(0, rules.InteractionStarted, "", ""), ev(0, rules.StreamAdded, "s", ""))
	follow(t, c, []moment{
		{joins("C"), "s", rules.Record}, {joins("p"), "s", rules.Record}, {joins("X1"), "s", rules.Record},
		{rules.Event{Kind: rules.PartyIdentified, Party: "p", Identity: who("A1")}, "s", rules.Record},
		{rules.Event{Kind: rules.PartyLeft, Party: "p"}, "s", rules.Withhold},
	})
}

// Where each party has to agree, one that did not is heard in no stream.
func TestPartyConsentOfStreams(t *testing.T) {
	f := loose()
	f.PartyConsent = true
	send := func(p rules.PartyID) rules.Event {
		return rules.Event{Kind: rules.StreamSends, Stream: "mix", Party: p}
	}
	for _, tt := range []struct {
		mixed  bool
		events []rules.Event
		want   string
	}{
		{false, nil, "withhold mix@1 role/stream@1"}, // whose voice it is, is not known
		{false, []rules.Event{send("A1")}, "record mix@1"},
		{false, []rules.Event{send("C"), send("A1")}, "withhold mix@1 party-consent/C@1 mixed/stream@1"},
		{true, []rules.Event{send("A1")}, "withhold mix@1 mixed/stream@1"}, // the customer is in it, too
		{true, []rules.Event{send("A1"), {Kind: rules.PartyAgreed, Party: "C"}}, "record mix@1"},
		{true, []rules.Event{send("A1"), {Kind: rules.PartyAgreed, Party: "C"}, {Kind: rules.PartyDialled, Party: "X1", Identity: who("X1")}}, "record mix@1"},
		{true, []rules.Event{send("A1"), {Kind: rules.PartyAgreed, Party: "C"}, {Kind: rules.PartyJoined, Party: "X1", Identity: who("X1")}}, "withhold mix@1 mixed/stream@1"},
	} {
		f.Mixed = tt.mixed
		c := inboundUnder(f)
		events := append(tt.events, rules.Event{Kind: rules.StreamAdded, Stream: "mix"})
		for i := range events {
			events[i].At = at(1)
		}
		c.Apply(events...)
		if got := line(c.Decision("mix")); got != tt.want {
			t.Errorf("mixed %v, %v: got %s, want %s", tt.mixed, tt.events, got, tt.want)
		}
	}
}

func TestRefusalInWords(t *testing.T) {
	c := rules.Open(rules.NewPolicy(loose()), "r")
	got := c.Apply(rules.Event{At: at(3), Kind: rules.PausePressed, Party: "A1"})
	want := "refused pause by A1 of r at 2026-03-04T10:00:03Z under policy " + rules.NewPolicy(loose()).Version() + ": is not on the call"
	if len(got) != 1 || got[0].Verdict.String() != "refused" || got[0].String() != want || got[0].Permit != (rules.Permit{}) {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestUserRecordingEndsWithItsMaker(t *testing.T) {
	c := crowdOf(t)
	c.Apply(rules.Event{At: at(5), Kind: rules.UserRecordingStarted, Party: "A1"})
	c.Apply(rules.Event{At: at(7), Kind: rules.PartyLeft, Party: "A2"})
	c.Apply(rules.Event{At: at(9), Kind: rules.PartyLeft, Party: "A1"})
	c.Apply(rules.Event{At: at(12), Kind: rules.InteractionEnded})
	for _, l := range c.UserTimelines() {
		if d := l[0]; d.Maker != "A1" || d.Recording == "r" || d.Verdict != rules.Record || d.Because != "user-recordings: A1 records" || d.RolesUnknown || !d.Until.Equal(at(9)) {
			t.Errorf("%v until %v", d, d.Until)
		}
	}
}

// A user records only what he hears of a call that may be recorded, and may
// always stop.
func TestUserRecordingRefused(t *testing.T) {
	press := func(s int, k rules.Kind) rules.Event {
		return rules.Event{At: at(s), Kind: k, Party: "A1"}
	}
	c := rules.Open(rules.NewPolicy(loose()), "r")
	got := c.Apply(rules.Event{At: at(0), Kind: rules.PartyJoined, Party: "A1", Identity: who("A1")}, press(1, rules.UserRecordingStarted))
	if len(got) != 1 || got[0].Reason != "asks for a call that is never recorded" {
		t.Errorf("before the call: %v", got)
	}
	c = crowdOf(t)
	c.Apply(ev(1, rules.StreamAdded, "nobody's", ""), press(2, rules.UserRecordingStarted))
	for _, l := range c.UserTimelines() {
		if d := l[0]; (d.Stream == "nobody's") != (d.Verdict == rules.Withhold) {
			t.Errorf("%v", d)
		}
	}
	c.Apply(ev(3, rules.ConsentAsked, "", ""))
	for _, d := range c.Apply(press(4, rules.UserRecordingStopped)) {
		if d.Verdict == rules.Refused {
			t.Errorf("may not stop: %v", d)
		}
	}
}

func crowdOf(t *testing.T) *rules.Case {
	t.Helper()
	c := rules.Open(rules.NewPolicy(loose()), "r")
	events := script(nil)
	for _, e := range events[:len(events)-1] {
		if e.Stream == "" || e.Stream == "C" {
			c.Apply(e)
		}
	}
	return c
}

func TestMayListen(t *testing.T) {
	for _, tt := range []struct {
		name string
		who  rules.Listener
		rec  rules.Recorded
		want bool
	}{
		{"nobody", rules.Listener{Inbound: true}, rules.Recorded{Direction: rules.DirectionInbound}, false},
		{"nobody is no evaluator", rules.Listener{}, rules.Recorded{}, false},
		{"own group", rules.Listener{ID: "s", Inbound: true, Groups: []string{"g"}}, rules.Recorded{Direction: rules.DirectionInbound, Group: "g"}, true},
		{"other group", rules.Listener{ID: "s", Inbound: true, Groups: []string{"g"}}, rules.Recorded{Direction: rules.DirectionInbound, Group: "h"}, false},
		{"outbound", rules.Listener{ID: "s", Outbound: true}, rules.Recorded{Direction: rules.DirectionOutbound}, true},
		{"unknown direction, one right", rules.Listener{ID: "s", Inbound: true}, rules.Recorded{}, false},
		{"unknown direction, the other right", rules.Listener{ID: "s", Outbound: true}, rules.Recorded{}, false},
		{"unknown direction, both rights", rules.Listener{ID: "s", Inbound: true, Outbound: true}, rules.Recorded{}, true},
	} {
		if got := rules.MayListen(tt.who, tt.rec); got.Allowed != tt.want || got.Reason == "" {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

func TestOverdue(t *testing.T) {
	for _, tt := range []struct {
		name  string
		alarm time.Duration
		at    int
		want  int
	}{
		{"not yet", 10 * time.Second, 15, 0}, {"one", 10 * time.Second, 16, 1}, {"both", 10 * time.Second, 18, 2}, {"never", 0, 1000, 0},
		{"at once", time.Nanosecond, 8, 2},
	} {
		f := loose()
		f.PauseAlarm, f.Control = tt.alarm, rules.Selection{All: true}
		f.Hold = rules.HoldAction
		c := rules.Open(rules.NewPolicy(f), "r")
		events := script(nil)
		for _, e := range events[:len(events)-1] {
			c.Apply(e)
		}
		c.Apply(rules.Event{At: at(1), Kind: rules.Held, Party: "A1"})
		c.Apply(rules.Event{At: at(5), Kind: rules.SecureStarted, Owner: "pay"})
		c.Apply(rules.Event{At: at(7), Kind: rules.PausePressed, Party: "A1"})
		if got := c.Overdue(at(tt.at)); len(got) != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
		if d := c.Decision("A1"); d.Verdict == rules.Record {
			t.Errorf("%s: resumed by itself", tt.name)
		}
	}
}

// Record all means all, also where the call waits or only own people talk; what
// somebody said or pays still counts.
func TestRecordAllOfACall(t *testing.T) {
	c := rules.Open(rules.RecordAll(), "r")
	c.Apply(ev(0, rules.InteractionStarted, "", ""))
	c.Apply(ev(0, rules.StreamAdded, "a", ""))
	for i, tt := range []struct {
		event rules.Event
		want  rules.Verdict
	}{
		{rules.Event{Kind: rules.StreamSends, Stream: "a", Party: "A9"}, rules.Record}, // who is not on the call yet
		{rules.Event{Kind: rules.PartyJoined, Party: "A1", Identity: who("A1")}, rules.Record},
		{rules.Event{Kind: rules.QueueEntered, Name: "Q"}, rules.Record},
		{rules.Event{Kind: rules.FlowEntered, Name: "F"}, rules.Record},
		{rules.Event{Kind: rules.Held, Party: "A1"}, rules.Record},
		{rules.Event{Kind: rules.SecureStarted, Owner: "pay"}, rules.Withhold},
		{rules.Event{Kind: rules.SecureEnded, Owner: "pay"}, rules.Record},
		{rules.Event{Kind: rules.ConsentWithdrawn}, rules.Withhold},
	} {
		tt.event.At = at(i + 1)
		c.Apply(tt.event)
		if d := c.Decision("a"); d.Verdict != tt.want {
			t.Errorf("after %v: %v", tt.event.Kind, d)
		}
	}
	if !c.Void() {
		t.Error("a withdrawal erases")
	}
}

// Days are of 24 hours: a clock that is put back or forward deletes nothing
// earlier or later. What is not over is not deleted.
func TestFate(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	spring := time.Date(2026, 3, 28, 12, 0, 0, 0, berlin)
	for _, tt := range []struct {
		name string
		x    rules.Finished
		want rules.Fate // of policy recordings, after one day
	}{
		{"over the change of the clocks", rules.Finished{Start: spring, End: spring, Kept: true}, rules.Fate{Kept: true, Delete: true, DeleteAt: spring.Add(24 * time.Hour)}},
		{"not over", rules.Finished{Start: spring, Kept: true}, rules.Fate{Kept: true}},
		{"nothing there", rules.Finished{Start: spring, End: spring}, rules.Fate{}},
		{"void", rules.Finished{Start: spring, End: spring, Kept: true, Void: true}, rules.Fate{}},
	} {
		f := rules.Flags{Retention: []rules.RetentionRule{{Action: rules.DeleteAfter, Days: 1, Published: t0}}, UserDays: 1}
		for what, got := range map[string]rules.Fate{"policy": f.Fate(tt.x), "user": f.UserFate(tt.x)} {
			if got.DeleteAt = got.DeleteAt.UTC(); got.Kept != tt.want.Kept || got.Delete != tt.want.Delete || tt.want.Delete && !got.DeleteAt.Equal(tt.want.DeleteAt) {
				t.Errorf("%s, %s recording: %+v, want %+v", tt.name, what, got, tt.want)
			}
		}
	}
	x := rules.Finished{Start: spring, End: spring, Kept: true}
	if got := (rules.Flags{}).UserFate(x); got != (rules.Fate{Kept: true}) {
		t.Errorf("without an age: %+v", got)
	}
	if got := (rules.Flags{LegalHold: true, UserDays: 1}).UserFate(x); !got.Held || !got.Delete {
		t.Errorf("on hold: %+v", got)
	}
}
