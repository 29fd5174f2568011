package rules_test

import (
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/rules"
)

// A stream of which nobody is known to send any more carries whom it carried last:
// it is live while one of them is on the call (a hold that only the metadata
// shows), and not after they left, whatever is said in which order.
func TestStreamOfWhoLeft(t *testing.T) {
	agent := rules.Identity{Role: rules.RoleAgent, IdentifiedBy: rules.ByDirectory, FirstPair: true}
	customer := rules.Identity{Role: rules.RoleCustomer, FirstPair: true}
	silent := rules.Event{Kind: rules.StreamSendsNot, Stream: "a", Party: "a"}
	left := rules.Event{Kind: rules.PartyLeft, Party: "a"}
	for name, tt := range map[string]struct {
		hold   rules.HoldMode
		steps  [][]rules.Event
		record bool
	}{
		"silent":                        {rules.HoldRecord, [][]rules.Event{{silent}}, true},
		"silent and left at once":       {rules.HoldRecord, [][]rules.Event{{silent, left}}, false},
		"left and silent at once":       {rules.HoldRecord, [][]rules.Event{{left, silent}}, false},
		"left, then silent":             {rules.HoldRecord, [][]rules.Event{{left}, {silent}}, false},
		"silent, then left":             {rules.HoldRecord, [][]rules.Event{{silent}, {left}}, false},
		"another sends":                 {rules.HoldRecord, [][]rules.Event{{silent, left}, {{Kind: rules.StreamSends, Stream: "a", Party: "b"}}}, true},
		"another sends, and is silent":  {rules.HoldRecord, [][]rules.Event{{silent, left}, {{Kind: rules.StreamSends, Stream: "a", Party: "b"}}, {{Kind: rules.StreamSendsNot, Stream: "a", Party: "b"}}}, true},
		"held leg that sends nothing":   {rules.HoldLeg, [][]rules.Event{{silent, {Kind: rules.Held, Party: "b"}}}, false},
		"silent of whom nobody knew it": {rules.HoldRecord, [][]rules.Event{{{Kind: rules.StreamSendsNot, Stream: "a", Party: "b"}}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			c := rules.Open(rules.NewPolicy(rules.Flags{Trunk: true, ContinueWithoutAgent: true, Hold: tt.hold, QueueWait: rules.Selection{All: true}}), "r")
			c.Apply(
				rules.Event{Kind: rules.InteractionStarted, Direction: rules.DirectionInbound},
				rules.Event{Kind: rules.StreamAdded, Stream: "a"},
				rules.Event{Kind: rules.PartyJoined, Party: "a", Identity: agent},
				rules.Event{Kind: rules.PartyJoined, Party: "b", Identity: agent},
				rules.Event{Kind: rules.PartyJoined, Party: "c", Identity: customer},
				rules.Event{Kind: rules.StreamSends, Stream: "a", Party: "a"})
			for i, step := range tt.steps {
				for j := range step {
					step[j].At = time.Unix(int64(i+1), 0)
				}
				c.Apply(step...)
			}
			if got := c.Decision("a").Verdict == rules.Record; got != tt.record {
				t.Errorf("recorded %v: %v", got, c.Decision("a"))
			}
		})
	}
}

// Who says at one instant that he is silent and that he sends goes on sending; what
// another says, or he of another stream, does not bring his voice back.
func TestSilentAndSending(t *testing.T) {
	say := func(k rules.Kind, s rules.StreamID, p rules.PartyID) rules.Event {
		return rules.Event{At: at(1), Kind: k, Stream: s, Party: p}
	}
	silent := say(rules.StreamSendsNot, "A1", "A1")
	f := loose()
	f.AgentOnly = true // a stream of which nobody is known to send is withheld
	for name, tt := range map[string]struct {
		now  []rules.Event
		want rules.Verdict
	}{
		"silent, then sending": {[]rules.Event{silent, say(rules.StreamSends, "A1", "A1")}, rules.Record},
		"sending, then silent": {[]rules.Event{say(rules.StreamSends, "A1", "A1"), silent}, rules.Withhold},
		"sending in another":   {[]rules.Event{silent, say(rules.StreamSends, "A2", "A1")}, rules.Withhold},
	} {
		c := inboundUnder(f)
		c.Apply(tt.now...)
		if d := c.Decision("A1"); d.Verdict != tt.want {
			t.Errorf("%s: %v", name, d)
		}
	}
}

// A resume that was pressed before the pause, and comes after it, resumes nothing.
func TestResumeFromBeforeThePause(t *testing.T) {
	agent := rules.Identity{Role: rules.RoleAgent, IdentifiedBy: rules.ByDirectory, FirstPair: true}
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	press := func(k rules.Kind, s int) rules.Event { return rules.Event{Kind: k, Party: "a", At: at(s)} }
	for name, tt := range map[string]struct {
		presses []rules.Event
		paused  bool
		refused int
	}{
		"in order":                   {[]rules.Event{press(rules.PausePressed, 5), press(rules.ResumePressed, 6)}, false, 0},
		"at once":                    {[]rules.Event{press(rules.PausePressed, 5), press(rules.ResumePressed, 5)}, false, 0},
		"back-dated before":          {[]rules.Event{press(rules.PausePressed, 20), press(rules.ResumePressed, 5)}, true, 1},
		"before the second pause":    {[]rules.Event{press(rules.PausePressed, 5), press(rules.PausePressed, 20), press(rules.ResumePressed, 10)}, true, 1},
		"pause back-dated afterward": {[]rules.Event{press(rules.PausePressed, 20), press(rules.PausePressed, 5), press(rules.ResumePressed, 10)}, true, 1},
		"again":                      {[]rules.Event{press(rules.PausePressed, 5), press(rules.ResumePressed, 6), press(rules.PausePressed, 4), press(rules.ResumePressed, 5)}, false, 0},
		"again, and at once":         {[]rules.Event{press(rules.PausePressed, 5), press(rules.ResumePressed, 6), press(rules.PausePressed, 4), press(rules.ResumePressed, 4)}, false, 0},
		"resumed twice":              {[]rules.Event{press(rules.PausePressed, 5), press(rules.ResumePressed, 6), press(rules.ResumePressed, 4)}, false, 0},
		"paused twice":               {[]rules.Event{press(rules.PausePressed, 20), press(rules.PausePressed, 5)}, true, 0},
	} {
		c := rules.Open(rules.NewPolicy(rules.Flags{Trunk: true, ContinueWithoutAgent: true, Control: rules.Selection{All: true}, QueueWait: rules.Selection{All: true}}), "r")
		c.Apply(
			rules.Event{Kind: rules.InteractionStarted, At: at(0), Direction: rules.DirectionInbound},
			rules.Event{Kind: rules.StreamAdded, At: at(0), Stream: "a"},
			rules.Event{Kind: rules.PartyJoined, At: at(0), Party: "a", Identity: agent},
			rules.Event{Kind: rules.PartyJoined, At: at(0), Party: "c", Identity: rules.Identity{Role: rules.RoleCustomer, FirstPair: true}})
		refused := 0
		for _, d := range c.Apply(tt.presses...) {
			if d.Verdict == rules.Refused {
				refused++
			}
		}
		if refused != tt.refused {
			t.Errorf("%s: %d refused", name, refused)
		}
		if got := c.Decision("a").Verdict != rules.Record; got != tt.paused {
			t.Errorf("%s: paused %v: %v", name, got, c.Decision("a"))
		}
	}
}

// Of a caller of whom nothing tells where he is, it is not said that he is in a flow.
func TestWordsOfUnfedFlows(t *testing.T) {
	c := rules.Open(rules.NewPolicy(rules.Flags{Trunk: true, ContinueWithoutAgent: true, FlowsUnfed: true, SuppressedFlows: rules.Selection{All: true}, QueueWait: rules.Selection{All: true}}), "r")
	c.Apply(
		rules.Event{Kind: rules.InteractionStarted, Direction: rules.DirectionInbound},
		rules.Event{Kind: rules.StreamAdded, Stream: "a"},
		rules.Event{Kind: rules.PartyJoined, Party: "c", Identity: rules.Identity{Role: rules.RoleCustomer, FirstPair: true}})
	said := func() string { return c.Decision("a").String() }
	if got := said(); !strings.Contains(got, "nothing tells") || strings.Contains(got, "is in a suppressed flow (") {
		t.Error(got)
	}
	c.Apply(rules.Event{Kind: rules.SecureStarted, Owner: "unfed"})
	if got := said(); !strings.Contains(got, "a payment is being taken (secure of unfed") {
		t.Error(got)
	}
	c.Apply(rules.Event{Kind: rules.FlowEntered, Name: "pay"})
	if got := said(); !strings.Contains(got, "the caller is in a suppressed flow (ivr of pay") {
		t.Error(got)
	}
}

// A stream is over when it was removed or the call ended, and not when its sender
// left or something else withholds it.
func TestOver(t *testing.T) {
	at := time.Unix(1, 0)
	for name, tt := range map[string]struct {
		events []rules.Event
		over   bool
	}{
		"recorded":         {nil, false},
		"removed":          {[]rules.Event{{Kind: rules.StreamRemoved, Stream: "a"}}, true},
		"ended":            {[]rules.Event{{Kind: rules.InteractionEnded}}, true},
		"sender left":      {[]rules.Event{{Kind: rules.PartyLeft, Party: "c"}, {Kind: rules.PartyJoined, Party: "d"}}, false},
		"paid and removed": {[]rules.Event{{Kind: rules.SecureStarted, Owner: "pay"}, {Kind: rules.StreamRemoved, Stream: "a"}}, false},
	} {
		c := rules.Open(rules.NewPolicy(rules.Flags{Trunk: true, ContinueWithoutAgent: true, QueueWait: rules.Selection{All: true}}), "r")
		c.Apply(
			rules.Event{Kind: rules.InteractionStarted, Direction: rules.DirectionInbound},
			rules.Event{Kind: rules.StreamAdded, Stream: "a"},
			rules.Event{Kind: rules.PartyJoined, Party: "c", Identity: rules.Identity{Role: rules.RoleCustomer, FirstPair: true}},
			rules.Event{Kind: rules.StreamSends, Stream: "a", Party: "c"})
		for i := range tt.events {
			tt.events[i].At = at
		}
		c.Apply(tt.events...)
		if d := c.Decision("a"); d.Over() != tt.over {
			t.Errorf("%s: over %v: %v", name, d.Over(), d)
		}
	}
	if (rules.Decision{}).Over() {
		t.Error("no decision is over")
	}
}

// A user recording that is stopped, or whose maker talks beside the call, withholds like
// any cause: its streams are over with the call only.
func TestOverForUsers(t *testing.T) {
	for name, tt := range map[string]struct {
		event rules.Event
		over  bool
	}{
		"stopped":  {rules.Event{Kind: rules.UserRecordingStopped, Party: "A1"}, false},
		"consults": {rules.Event{Kind: rules.Consulted, Party: "A1", Other: "X1", Identity: rules.Identity{Role: rules.RoleExternal}}, false},
		"ended":    {rules.Event{Kind: rules.InteractionEnded}, true},
	} {
		f := rules.Flags{Trunk: true, ContinueWithoutAgent: true, QueueWait: rules.Selection{All: true}, UserRecordings: rules.Selection{All: true}}
		c := rules.Open(rules.NewPolicy(f), "r")
		c.Apply(
			rules.Event{Kind: rules.InteractionStarted, Direction: rules.DirectionInbound},
			rules.Event{Kind: rules.StreamAdded, Stream: "a"},
			rules.Event{Kind: rules.PartyJoined, Party: "c", Identity: rules.Identity{Role: rules.RoleCustomer, FirstPair: true}},
			rules.Event{Kind: rules.PartyJoined, Party: "A1", Identity: rules.Identity{Role: rules.RoleAgent, IdentifiedBy: rules.ByDirectory}},
			rules.Event{Kind: rules.StreamSends, Stream: "a", Party: "c"},
			rules.Event{Kind: rules.UserRecordingStarted, Party: "A1"})
		tt.event.At = time.Unix(1, 0)
		seen := false
		for _, d := range c.Apply(tt.event) {
			if d.Maker == "A1" && d.Stream == "a" {
				seen = true
				if d.Over() != tt.over {
					t.Errorf("%s: over %v: %v", name, d.Over(), d)
				}
			}
		}
		if !seen {
			t.Errorf("%s: nothing was decided about the user recording", name)
		}
	}
}

// A stream on which nobody sends for a while, since somebody is held, stays in a user
// recording as it stays in the policy recording; one whose sender left does not.
func TestHeldForUsers(t *testing.T) {
	silent := rules.Event{Kind: rules.StreamSendsNot, Stream: "c", Party: "c"}
	for name, tt := range map[string]struct {
		hold  rules.HoldMode
		steps [][]rules.Event
		kept  bool
	}{
		"held, and holds are recorded":   {rules.HoldRecord, [][]rules.Event{{silent, {Kind: rules.Held, Party: "A1"}}}, true},
		"held, and holds are withheld":   {rules.HoldAction, [][]rules.Event{{silent, {Kind: rules.Held, Party: "A1"}}}, false},
		"held while the maker consults":  {rules.HoldRecord, [][]rules.Event{{silent}, {{Kind: rules.Consulted, Party: "A1", Other: "X1", Identity: rules.Identity{Role: rules.RoleExternal}}}}, false},
		"silent, and left":               {rules.HoldRecord, [][]rules.Event{{silent}, {{Kind: rules.PartyLeft, Party: "c"}}}, false},
		"of whom nothing was known ever": {rules.HoldRecord, [][]rules.Event{{{Kind: rules.StreamAdded, Stream: "d"}}}, false},
	} {
		f := rules.Flags{Trunk: true, ContinueWithoutAgent: true, Hold: tt.hold, QueueWait: rules.Selection{All: true}, UserRecordings: rules.Selection{All: true}}
		c := rules.Open(rules.NewPolicy(f), "r")
		last := make(map[rules.StreamID]rules.Verdict)
		apply := func(events ...rules.Event) {
			for _, d := range c.Apply(events...) {
				if d.Maker == "A1" {
					last[d.Stream] = d.Verdict
				}
			}
		}
		apply(
			rules.Event{Kind: rules.InteractionStarted, Direction: rules.DirectionInbound},
			rules.Event{Kind: rules.StreamAdded, Stream: "c"},
			rules.Event{Kind: rules.PartyJoined, Party: "c", Identity: rules.Identity{Role: rules.RoleCustomer, FirstPair: true}},
			rules.Event{Kind: rules.PartyJoined, Party: "A1", Identity: rules.Identity{Role: rules.RoleAgent, IdentifiedBy: rules.ByDirectory}},
			rules.Event{Kind: rules.StreamSends, Stream: "c", Party: "c"},
			rules.Event{Kind: rules.UserRecordingStarted, Party: "A1"})
		stream := rules.StreamID("c")
		for i, step := range tt.steps {
			for j := range step {
				step[j].At = time.Unix(int64(i+1), 0)
				if step[j].Stream != "" {
					stream = step[j].Stream
				}
			}
			apply(step...)
		}
		if kept := last[stream] == rules.Record; kept != tt.kept {
			t.Errorf("%s: kept %v, want %v", name, kept, tt.kept)
		}
	}
}

// A decision is about the end of a stream only if it withholds, and for nothing else.
func TestOverIsAboutTheEnd(t *testing.T) {
	cause := func(c rules.Cause, owner string) rules.ActiveCause { return rules.ActiveCause{Cause: c, Owner: owner} }
	for _, tt := range []struct {
		d    rules.Decision
		want bool
	}{
		{rules.Decision{Verdict: rules.Withhold, Causes: []rules.ActiveCause{cause(rules.NotLive, "stream")}}, true},
		{rules.Decision{Verdict: rules.Withhold, Causes: []rules.ActiveCause{cause(rules.NotLive, "interaction")}}, true},
		{rules.Decision{Verdict: rules.Withhold, Causes: []rules.ActiveCause{cause(rules.NotLive, "stream"), cause(rules.NotLive, "parties")}}, false},
		{rules.Decision{Verdict: rules.Withhold, Causes: []rules.ActiveCause{cause(rules.NotLive, "stream"), cause(rules.Manual, "call")}}, false},
		{rules.Decision{Verdict: rules.Refused, Causes: []rules.ActiveCause{cause(rules.NotLive, "stream")}}, false},
	} {
		if got := tt.d.Over(); got != tt.want {
			t.Errorf("%v %v: %v", tt.d.Verdict, tt.d.Causes, got)
		}
	}
}

// Two interactions of which neither holds anybody hold nobody when they are one.
func TestMergeHoldsNobody(t *testing.T) {
	f := rules.Flags{Trunk: true, ContinueWithoutAgent: true, Hold: rules.HoldLeg, QueueWait: rules.Selection{All: true}}
	open := func(stream rules.StreamID, customer rules.PartyID) *rules.Case {
		c := rules.Open(rules.NewPolicy(f), rules.RecordingID(stream))
		c.Apply(
			rules.Event{At: at(0), Kind: rules.InteractionStarted, Direction: rules.DirectionInbound},
			rules.Event{At: at(0), Kind: rules.StreamAdded, Stream: stream},
			rules.Event{At: at(0), Kind: rules.PartyJoined, Party: customer, Identity: rules.Identity{Role: rules.RoleCustomer, FirstPair: true}},
			rules.Event{At: at(0), Kind: rules.StreamSends, Stream: stream, Party: customer})
		return c
	}
	older := open("a", "c")
	older.Merge(open("b", "c"), at(1))
	for _, s := range []rules.StreamID{"a", "b"} {
		if d := older.Decision(s); d.Verdict != rules.Record {
			t.Errorf("%v", d)
		}
	}
}
