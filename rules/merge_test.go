package rules_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/rules"
)

// second gives streams the ids of a second recording session.
func second(events []rules.Event) []rules.Event {
	out := slices.Clone(events)
	for i := range out {
		if out[i].Stream != "" {
			out[i].Stream = "2/" + out[i].Stream
		}
	}
	return out
}

// happened is a case after events.
func happened(p rules.Policy, name rules.RecordingID, events ...rules.Event) *rules.Case {
	c := rules.Open(p, name)
	for _, e := range events {
		c.Apply(e)
	}
	return c
}

// talk is an inbound call of C with A1 that is recorded, and then what else happens a
// second apart.
func talk(more ...rules.Event) []rules.Event {
	out := []rules.Event{{At: at(0), Kind: rules.InteractionStarted, Direction: rules.DirectionInbound}}
	for _, p := range []rules.PartyID{"C", "A1"} {
		s := rules.StreamID(p)
		out = append(out, rules.Event{At: at(0), Kind: rules.PartyJoined, Party: p, Identity: who(p)},
			rules.Event{At: at(0), Kind: rules.StreamSends, Stream: s, Party: p}, rules.Event{At: at(0), Kind: rules.StreamAdded, Stream: s})
	}
	for i, e := range more {
		e.At = at(1 + i)
		out = append(out, e)
	}
	return out
}

// merged is an older case into which a younger one was merged in second 20.
func merged(f rules.Flags, older, younger []rules.Event) (*rules.Case, []rules.Decision) {
	p := rules.NewPolicy(f)
	c := happened(p, "r", older...)
	return c, c.Merge(happened(p, "r2", second(younger)...), at(20))
}

// pairsOf are causes in short, without those that only say that nobody is there.
func pairsOf(causes []rules.ActiveCause) string {
	var out []string
	for _, a := range causes {
		if a.Cause != rules.InternalOnly && a.Cause != rules.NotLive {
			out = append(out, fmt.Sprintf("%v/%s@%d", a.Cause, a.Owner, int(a.Since.Sub(t0)/time.Second)))
		}
	}
	return strings.Join(out, " ")
}

// What withholds in one of two withholds in both, whichever is the older.
func TestMergeWithholds(t *testing.T) {
	p := func(k rules.Kind, party rules.PartyID) rules.Event {
		return rules.Event{Kind: k, Party: party, Identity: who(party)}
	}
	to := func(k rules.Kind, party, other rules.PartyID) rules.Event {
		return rules.Event{Kind: k, Party: party, Other: other, Identity: who(other)}
	}
	named := func(k rules.Kind, name string) rules.Event { return rules.Event{Kind: k, Name: name, Owner: name} }
	unlisted := rules.Event{Kind: rules.NumberTold, Party: "X1", Number: "+449"}
	for _, tt := range []struct {
		name string
		says []rules.Event
		want string
	}{
		{"nothing", nil, ""},
		{"a pause", []rules.Event{p(rules.PausePressed, "A1")}, "manual/call@1"},
		{"a pause that is over", []rules.Event{p(rules.PausePressed, "A1"), p(rules.ResumePressed, "A1")}, ""},
		{"payments", []rules.Event{named(rules.SecureStarted, "a"), named(rules.SecureStarted, "b")}, "secure/a@1 secure/b@2"},
		{"a hold", []rules.Event{p(rules.Held, "A1")}, "hold/A1@1"},
		{"a flow", []rules.Event{named(rules.FlowEntered, "F")}, "ivr/F@1"},
		{"a queue", []rules.Event{named(rules.QueueEntered, "Q")}, "queue/Q@1"},
		{"a question", []rules.Event{{Kind: rules.ConsentAsked}}, "consent/call@1"},
		{"an order not to record", []rules.Event{{Kind: rules.DoNotRecordOrdered}}, "do-not-record/command@1"},
		{"a third party", []rules.Event{p(rules.PartyJoined, "X1")}, "external/X1@1"},
		{"one who is called", []rules.Event{p(rules.PartyDialled, "X1")}, "external/X1@1"},
		{"one who is on the list", []rules.Event{p(rules.PartyJoined, "X1"), unlisted}, "external/X1@1 do-not-record/X1@2"},
		{"a consult", []rules.Event{to(rules.Consulted, "A1", "X1")}, "external/X1@1 consult-leg/A1@1"},
		{"one who is called for a consult", []rules.Event{to(rules.ConsultDialled, "A1", "X1")}, "external/X1@1 consult-leg/A1@1"},
		{"a final stop", []rules.Event{p(rules.PartyJoined, "X1"), p(rules.PartyLeft, "A1"), p(rules.PartyJoined, "A1"), p(rules.PartyLeft, "X1")}, "stopped/parties@2"},
		{"an inactive stream", []rules.Event{{Kind: rules.StreamInactive, Stream: "C", Owner: "sdp"}}, "sdp/sdp@1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := loose()
			f.Hold, f.PauseExternal, f.ConsultLeg, f.ContinueWithoutAgent, f.StopIsFinal = rules.HoldAction, true, false, false, true
			f.SuppressedFlows.All, f.QueueWait, f.DoNotRecord = true, rules.Selection{}, []string{"+449"}
			for i, c := range []*rules.Case{first(merged(f, talk(), talk(tt.says...))), first(merged(f, talk(tt.says...), talk()))} {
				if got := pairsOf(c.Causes()); got != tt.want {
					t.Errorf("%d: got %q, want %q", i, got, tt.want)
				}
			}
		})
	}
}

func first(c *rules.Case, _ []rules.Decision) *rules.Case { return c }

// The streams that come along are decided for the recording of the older one: what is
// recorded has a permit for it, from the merge on.
func TestMergeStreams(t *testing.T) {
	f := loose()
	f.Hold = rules.HoldAction
	c, got := merged(f, talk(), talk(rules.Event{Kind: rules.StreamInactive, Stream: "C", Owner: "sdp"}))
	var lines []string
	for _, d := range got {
		lines = append(lines, line(d))
		if d.Recording != "r" || (d.Verdict == rules.Record) != d.Permit.Covers("r", d.Stream, at(20)) || d.Permit.Covers("r", d.Stream, at(19)) {
			t.Errorf("%v", d)
		}
	}
	if want := []string{"withhold 2/C@20 sdp/sdp@1", "record 2/A1@20"}; !slices.Equal(lines, want) {
		t.Errorf("got %q, want %q", lines, want)
	}
	lines = nil
	for _, d := range c.Apply(ev(21, rules.StreamActive, "2/C", "sdp"), rules.Event{At: at(22), Kind: rules.Held, Party: "A1"}) {
		lines = append(lines, line(d))
	}
	if want := []string{"record 2/C@21", "withhold C@22 hold/A1@22", "withhold A1@22 hold/A1@22", "withhold 2/C@22 hold/A1@22", "withhold 2/A1@22 hold/A1@22"}; !slices.Equal(lines, want) {
		t.Errorf("then %q, want %q", lines, want)
	}
	if l := c.Timeline("2/C"); len(l) != 3 || !l[0].From.Equal(at(20)) {
		t.Errorf("%v", l)
	}
	// Of a stream that both know nothing changes, and the other one keeps its own.
	p := rules.NewPolicy(f)
	other := happened(p, "r2", talk(rules.Event{Kind: rules.StreamInactive, Stream: "C", Owner: "sdp"})...)
	c = happened(p, "r", talk()...)
	if got := c.Merge(other, at(20)); len(got) != 0 {
		t.Errorf("of the same streams: %v", got)
	}
	c = happened(p, "r", talk()[:1]...)
	c.Merge(other, at(20))
	c.Apply(ev(21, rules.StreamActive, "C", "sdp"), ev(21, rules.StreamInactive, "A1", "x"), rules.Event{At: at(21), Kind: rules.PartyLeft, Party: "C"},
		rules.Event{At: at(21), Kind: rules.StreamSends, Stream: "A1", Party: "C"}, rules.Event{At: at(21), Kind: rules.StreamSendsNot, Stream: "C", Party: "C"})
	other.Apply(rules.Event{At: at(22), Kind: rules.FlowEntered, Name: "F"})
	if got := line(other.Decision("C")) + ", " + line(other.Decision("A1")); got != "withhold C@1 sdp/sdp@1, record A1@0" {
		t.Errorf("the other one has changed: %s", got)
	}
}

// No permit reaches back before what was decided of either.
func TestMergeReachesNotBack(t *testing.T) {
	f := loose()
	p := rules.NewPolicy(f)
	c := happened(p, "r", talk()...)
	other := happened(p, "r2", second(talk())...)
	other.Apply(ev(30, rules.StreamInactive, "2/C", "sdp"), ev(40, rules.StreamActive, "2/C", "sdp"))
	for _, d := range c.Merge(other, at(35)) {
		if d.Permit.Covers("r", d.Stream, at(39)) || !d.Permit.Covers("r", d.Stream, at(40)) {
			t.Errorf("%v", d)
		}
	}
	// Nor before what was decided of the older one.
	c.Apply(rules.Event{At: at(50), Kind: rules.QueueEntered, Name: "Q"})
	if got := c.Merge(happened(p, "r3", second(second(talk()))...), at(45)); len(got) != 2 || !got[0].From.Equal(at(50)) {
		t.Errorf("%v", got)
	}
}

// What is over takes nothing over.
func TestMergeIntoWhatIsOver(t *testing.T) {
	p := rules.NewPolicy(loose())
	pay := rules.Event{Kind: rules.SecureStarted, Owner: "pay"}
	c := happened(p, "r", talk(rules.Event{Kind: rules.InteractionEnded})...)
	if got := c.Merge(happened(p, "r2", second(talk(pay))...), at(20)); got != nil || pairsOf(c.Causes()) != "" {
		t.Errorf("what is over: %v, %v", got, c.Causes())
	}
}

// A recording session that is established again is born with the causes of before;
// nobody of before is on the call.
func TestMergeAfterTheEnd(t *testing.T) {
	f := loose()
	f.Hold, f.PauseExternal, f.ConsultLeg, f.Trunk = rules.HoldAction, true, false, false
	f.Plan = []rules.PlanRule{{Kind: rules.PlanPercent, Percent: 30}}
	p := rules.NewPolicy(f)
	end := rules.Event{Kind: rules.InteractionEnded}
	before := func(more ...rules.Event) *rules.Case {
		picked := rules.Event{Kind: rules.PlanRan, Draw: 0.1}
		return happened(p, "r1", talk(append(append([]rules.Event{picked}, more...), end)...)...)
	}
	again := func(other *rules.Case) *rules.Case {
		c := rules.Open(p, "r")
		if got := c.Merge(other, at(20)); len(got) != 0 || !strings.Contains(pairsOf(c.Causes()), "no-decision/policy@20") {
			t.Errorf("decided before anything is there: %v, %v", got, c.Causes())
		}
		return c
	}
	start := rules.Event{At: at(20), Kind: rules.InteractionStarted}
	lost := rules.Event{At: at(20), Kind: rules.PlanRan, Draw: 0.9}
	joins := func(p rules.PartyID) rules.Event {
		return rules.Event{At: at(20), Kind: rules.PartyJoined, Party: p, Identity: who(p)}
	}
	streams := []rules.Event{{At: at(20), Kind: rules.StreamAdded, Stream: "s"}, {At: at(20), Kind: rules.StreamSends, Stream: "s", Party: "C"}}
	for _, tt := range []struct {
		name string
		says []rules.Event // before
		now  []rules.PartyID
		want string
	}{
		{"recorded", nil, []rules.PartyID{"C", "A1"}, "record s@20"},
		{"a pause", []rules.Event{{Kind: rules.PausePressed, Party: "A1"}}, []rules.PartyID{"C", "A1"}, "withhold s@20 manual/call@2"},
		{"a payment", []rules.Event{{Kind: rules.SecureStarted, Owner: "p"}}, []rules.PartyID{"C", "A1"}, "withhold s@20 secure/p@2"},
		{"a hold waits for the own people", []rules.Event{{Kind: rules.Held, Party: "A1"}}, []rules.PartyID{"C"}, "withhold s@20 hold/A1@2"},
		{"and ends with them", []rules.Event{{Kind: rules.Held, Party: "A1"}}, []rules.PartyID{"C", "A2"}, "record s@20"},
		{"a third party is there no longer", []rules.Event{{Kind: rules.PartyJoined, Party: "X1", Identity: who("X1")}}, []rules.PartyID{"C", "A1"}, "record s@20"},
		{"nor is a consult", []rules.Event{{Kind: rules.Consulted, Party: "A1", Other: "X1", Identity: who("X1")}}, []rules.PartyID{"C", "A1"}, "record s@20"},
		{"nor is who was called", []rules.Event{{Kind: rules.PartyDialled, Party: "X1", Identity: who("X1")}}, []rules.PartyID{"C", "A1"}, "record s@20"},
		{"a no", []rules.Event{{Kind: rules.ConsentRefused}}, []rules.PartyID{"C", "A1"}, "withhold s@20 void/interaction@2"},
		{"a withdrawal", []rules.Event{{Kind: rules.ConsentWithdrawn}}, []rules.PartyID{"C", "A1"}, "withhold s@20 withdrawn/call@2"},
		{"a question that nobody answered", []rules.Event{{Kind: rules.ConsentAsked}}, []rules.PartyID{"C", "A1"}, "withhold s@20 consent/call@2"},
		{"an order not to record", []rules.Event{{Kind: rules.DoNotRecordOrdered}}, []rules.PartyID{"C", "A1"}, "withhold s@20 do-not-record/command@2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := again(before(tt.says...))
			events := append([]rules.Event{start, lost}, streams...)
			for _, p := range tt.now {
				events = append(events, joins(p))
			}
			c.Apply(events...)
			if got := line(c.Decision("s")); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if c.Direction() != rules.DirectionInbound || c.Void() != (tt.name == "a no" || tt.name == "a withdrawal") {
				t.Errorf("the direction is %v, void %v", c.Direction(), c.Void())
			}
			if c.Decision("C").Verdict != rules.Withhold || len(c.Timeline("C")) != 0 {
				t.Error("a stream of before goes on")
			}
		})
	}
	// The question that was open is still open, and can be answered.
	c := again(before(rules.Event{Kind: rules.ConsentAsked}))
	c.Apply(append([]rules.Event{start, joins("C"), joins("A1")}, streams...)...)
	c.Apply(rules.Event{At: at(25), Kind: rules.ConsentGiven})
	if d := c.Decision("s"); d.Verdict != rules.Record || c.Void() {
		t.Errorf("after a yes: %v", d)
	}
	// Whoever was there before counts as having been there.
	f.ContinueWithoutAgent = false
	p = rules.NewPolicy(f)
	c = again(before())
	c.Apply(append([]rules.Event{start, joins("C"), {At: at(20), Kind: rules.PartyJoined, Party: "X9", Identity: rules.Identity{Role: rules.RoleCustomer}}}, streams...)...)
	if got := line(c.Decision("s")); got != "withhold s@20 no-agent/parties@20" {
		t.Errorf("two outsiders who are left: %s", got)
	}
}

// The caller's answer is that of both, but where somebody asked and waits for it.
func TestMergeConsent(t *testing.T) {
	ask, yes, no := rules.Event{Kind: rules.ConsentAsked}, rules.Event{Kind: rules.ConsentGiven}, rules.Event{Kind: rules.ConsentRefused}
	gone := rules.Event{Kind: rules.ConsentWithdrawn}
	for _, tt := range []struct {
		mode         rules.ConsentMode
		older, later []rules.Event
		want         string
		answered     bool
	}{
		{rules.ConsentOff, nil, nil, "", false},
		{rules.ConsentOff, []rules.Event{ask}, nil, "consent/call@1", false},
		{rules.ConsentOff, []rules.Event{ask, yes}, nil, "", true},
		{rules.ConsentOff, []rules.Event{ask}, []rules.Event{yes}, "consent/call@1", true},
		{rules.ConsentOff, []rules.Event{ask, yes}, []rules.Event{ask, yes}, "", true},
		{rules.ConsentOff, []rules.Event{no}, nil, "void/interaction@1", true},
		{rules.ConsentOff, []rules.Event{no}, []rules.Event{yes}, "void/interaction@1", true},
		{rules.ConsentOff, []rules.Event{gone}, nil, "withdrawn/call@1 void/interaction@1", true},
		{rules.ConsentAsk, nil, nil, "consent/call@0", false},
		{rules.ConsentAsk, []rules.Event{yes}, nil, "", true},
		{rules.ConsentAsk, []rules.Event{yes}, []rules.Event{ask}, "consent/call@0", true},
		{rules.ConsentAsk, []rules.Event{no}, []rules.Event{ask}, "consent/call@0 void/interaction@1", true},
	} {
		f := loose()
		f.Consent = tt.mode
		for i, c := range []*rules.Case{first(merged(f, talk(tt.older...), talk(tt.later...))), first(merged(f, talk(tt.later...), talk(tt.older...)))} {
			got := pairsOf(c.Causes())
			if got != tt.want || c.Asking() != strings.HasPrefix(tt.want, "consent") || c.Answered() != tt.answered {
				t.Errorf("%v, %v and %v, %d: got %q, asking %v, answered %v", tt.mode, tt.older, tt.later, i, got, c.Asking(), c.Answered())
			}
		}
	}
	// A yes that is told again answers the question.
	f := loose()
	c, _ := merged(f, talk(yes), talk(ask))
	c.Apply(rules.Event{At: at(25), Kind: rules.ConsentGiven})
	if c.Asking() {
		t.Error("asked again, answered again")
	}
	// A no stays one, of whichever it was.
	for _, c := range []*rules.Case{first(merged(f, talk(no), talk())), first(merged(f, talk(), talk(no))), first(merged(f, talk(ask), talk(no)))} {
		c.Apply(rules.Event{At: at(25), Kind: rules.ConsentAsked}, rules.Event{At: at(26), Kind: rules.ConsentGiven})
		if !c.Asking() || !c.Void() {
			t.Errorf("asking %v, void %v", c.Asking(), c.Void())
		}
	}
}

// What made all void first is named, whichever knows it.
func TestMergeVoid(t *testing.T) {
	nop := rules.Event{Kind: rules.MenuChosen}
	no, gone := talk(rules.Event{Kind: rules.ConsentRefused}), talk(nop, nop, rules.Event{Kind: rules.ConsentWithdrawn})
	for i, c := range []*rules.Case{first(merged(loose(), no, gone)), first(merged(loose(), gone, no)), first(merged(loose(), no, talk())), first(merged(loose(), talk(), no))} {
		a := c.Causes()
		if last := a[len(a)-1]; last.Cause != rules.Void || last.Flag != "consent" || !last.Since.Equal(at(1)) {
			t.Errorf("%d: %+v", i, last)
		}
	}
}

// The older one decides, by all that was told to either; what it decided stays.
func TestMergeDecides(t *testing.T) {
	menu := rules.PlanRule{Kind: rules.PlanMenu, Option: "2"}
	percent := rules.PlanRule{Kind: rules.PlanPercent, Percent: 30}
	callers := rules.PlanRule{Kind: rules.PlanCallers, Callers: []string{"+447"}}
	ran := func(draw float64) rules.Event { return rules.Event{Kind: rules.PlanRan, Draw: draw} }
	number := rules.Event{Kind: rules.NumberTold, Number: "+447"}
	inbound := rules.Event{Kind: rules.DirectionTold, Direction: rules.DirectionInbound}
	outbound := rules.Event{Kind: rules.DirectionTold, Direction: rules.DirectionOutbound}
	for _, tt := range []struct {
		name         string
		plan         []rules.PlanRule
		older, later []rules.Event
		want         string // because
		direction    rules.Direction
	}{
		{"an option", []rules.PlanRule{menu}, []rules.Event{inbound}, []rules.Event{{Kind: rules.MenuChosen, Name: "2"}}, "plan: option 2 was chosen", rules.DirectionInbound},
		{"a command", nil, []rules.Event{inbound}, []rules.Event{{Kind: rules.RecordOrdered}}, "command", rules.DirectionInbound},
		{"a command to the older", nil, []rules.Event{{Kind: rules.RecordOrdered}}, []rules.Event{inbound}, "command", rules.DirectionInbound},
		{"a number", []rules.PlanRule{callers}, []rules.Event{inbound, ran(0.5)}, []rules.Event{number}, "plan: number +447 is listed", rules.DirectionInbound},
		{"a direction", []rules.PlanRule{{Kind: rules.PlanAll}}, nil, []rules.Event{inbound}, "plan: every call", rules.DirectionInbound},
		{"the draw of the older", []rules.PlanRule{percent}, []rules.Event{inbound, ran(0.9)}, []rules.Event{inbound, ran(0.1)}, "", rules.DirectionInbound},
		{"the draw of the older, which picks", []rules.PlanRule{percent}, []rules.Event{inbound, ran(0.1)}, []rules.Event{inbound, ran(0.9)}, "plan: 30 percent, and 0.100000 was drawn", rules.DirectionInbound},
		{"the only draw", []rules.PlanRule{percent}, []rules.Event{inbound}, []rules.Event{inbound, ran(0.1)}, "plan: 30 percent, and 0.100000 was drawn", rules.DirectionInbound},
		{"the direction of the older", []rules.PlanRule{{Kind: rules.PlanAll}}, []rules.Event{outbound}, []rules.Event{inbound}, "", rules.DirectionOutbound},
		{"decided before", []rules.PlanRule{{Kind: rules.PlanAll}}, []rules.Event{inbound}, []rules.Event{outbound}, "plan: every call", rules.DirectionInbound},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := loose()
			f.Plan, f.Trunk, f.Outbound = tt.plan, false, false
			unknown := func(events []rules.Event) []rules.Event {
				events[0].Direction = rules.DirectionUnknown
				return events
			}
			c, got := merged(f, unknown(talk(tt.older...)), unknown(talk(tt.later...)))
			if len(got) == 0 {
				t.Fatal("nothing is decided")
			}
			for _, d := range got {
				if d.Because != tt.want || d.From.Before(at(20)) || tt.want == "" && !strings.Contains(line(d), "no-decision/policy@0") {
					t.Errorf("%v", d)
				}
			}
			// One that continues both decides alike.
			again := rules.Open(c.Policy(), "r0")
			again.Merge(c, at(30))
			again.Apply(rules.Event{At: at(31), Kind: rules.InteractionStarted})
			if d := again.Decision("C"); d.Because != tt.want {
				t.Errorf("continued: %v", d)
			}
			if c.Direction() != tt.direction {
				t.Errorf("the direction is %v", c.Direction())
			}
		})
	}
	// An outsider who is on the other one is on the trunk.
	f := loose()
	f.Plan, f.Outbound = nil, false
	own := []rules.Event{{At: at(0), Kind: rules.InteractionStarted}, {At: at(0), Kind: rules.PartyJoined, Party: "A1", Identity: who("A1")}}
	if c, got := merged(f, own, talk()); len(got) != 2 || got[0].Because != "record: on, of the trunk" || c.Direction() != rules.DirectionInbound {
		t.Errorf("%v", got)
	}
	// So is one who had left before, in either.
	p := rules.NewPolicy(f)
	early := happened(p, "r", rules.Event{At: at(0), Kind: rules.PartyJoined, Party: "C", Identity: who("C")}, rules.Event{At: at(1), Kind: rules.PartyLeft, Party: "C"})
	early.Merge(happened(p, "r2", own...), at(20))
	early.Apply(rules.Event{At: at(21), Kind: rules.InteractionStarted})
	if strings.Contains(pairsOf(early.Causes()), "no-decision") {
		t.Errorf("%v", early.Causes())
	}
	if c, _ := merged(f, own, talk(rules.Event{Kind: rules.PartyLeft, Party: "C"})); strings.Contains(pairsOf(c.Causes()), "no-decision") {
		t.Errorf("%v", c.Causes())
	}
}

// Two directions: what is for inbound calls applies if one of them was.
func TestMergeDirections(t *testing.T) {
	in, out, inside, none := rules.DirectionInbound, rules.DirectionOutbound, rules.DirectionInternal, rules.DirectionUnknown
	for _, tt := range []struct {
		a, b, is rules.Direction
		asks     bool
	}{
		{in, in, in, true}, {in, out, in, true}, {out, in, out, true}, {inside, in, inside, true}, {out, inside, out, false},
		{out, none, out, false}, {none, out, out, false}, {none, in, in, true}, {none, none, none, true}, {out, out, out, false},
	} {
		f := loose()
		f.Consent = rules.ConsentAsk
		a, b := talk(), talk()
		a[0].Direction, b[0].Direction = tt.a, tt.b
		c, _ := merged(f, a, b)
		if c.Direction() != tt.is || c.Asking() != tt.asks {
			t.Errorf("%v and %v: %v, asking %v", tt.a, tt.b, c.Direction(), c.Asking())
		}
		// A third one knows of it.
		plain := talk()
		plain[0].Direction = tt.is
		d := happened(rules.NewPolicy(f), "r0", second(second(plain))...)
		if d.Merge(c, at(30)); d.Asking() != tt.asks {
			t.Errorf("%v and %v, then %v: asking %v", tt.a, tt.b, tt.is, d.Asking())
		}
		// And is not forgotten for one that says nothing new.
		if c.Merge(happened(rules.NewPolicy(f), "r0", second(second(plain))...), at(30)); c.Asking() != tt.asks {
			t.Errorf("%v and %v, and then %v: asking %v", tt.a, tt.b, tt.is, c.Asking())
		}
	}
}

// A number that is never to be recorded bars both, and what was recorded of it in
// either is void; where nothing was, nothing is.
func TestMergeBarred(t *testing.T) {
	number := rules.Event{Kind: rules.NumberTold, Number: "+449"}
	user := rules.Event{Kind: rules.UserRecordingStarted, Party: "A1"}
	for _, tt := range []struct {
		name         string
		recorded     bool
		older, later []rules.Event
		void         bool
	}{
		{"recorded in the older", true, nil, []rules.Event{number}, true},
		{"recorded in the younger", true, []rules.Event{number}, nil, true},
		{"recorded in none", false, []rules.Event{number}, nil, false},
		{"a user's", false, []rules.Event{number}, []rules.Event{user}, true},
		{"a user's in the older", false, []rules.Event{user}, []rules.Event{number}, true},
	} {
		f := loose()
		f.Trunk, f.DoNotRecord = false, []string{"+449"}
		if !tt.recorded {
			f.Plan = nil
		}
		older, later := talk(tt.older...), talk(tt.later...)
		c, got := merged(f, older, later)
		if c.Void() != tt.void || !strings.Contains(pairsOf(c.Causes()), "do-not-record/call") {
			t.Errorf("%s: void %v, %v", tt.name, c.Void(), c.Causes())
		}
		for _, d := range got {
			if d.Verdict == rules.Record {
				t.Errorf("%s: %v", tt.name, d)
			}
		}
	}
	// Known before anything was recorded in the older one, too late in the younger.
	f := loose()
	f.DoNotRecord, f.Trunk = []string{"+449"}, false
	older := append([]rules.Event{{At: at(0), Kind: rules.InteractionStarted, Direction: rules.DirectionInbound, Number: "+449"}}, talk()[1:]...)
	if c, _ := merged(f, older, talk()); !c.Void() {
		t.Error("what the younger one recorded is kept")
	}
	if c, _ := merged(f, older, older); c.Void() {
		t.Error("nothing was recorded, and it is void")
	}
	// It stays so under settings that do not name it any more.
	f.Plan, f.Trunk = nil, true
	g := f
	g.DoNotRecord = nil
	named := append(older, names(g))
	named[len(named)-1].At = at(5)
	if c, _ := merged(f, talk(), named); !c.Void() || !strings.Contains(pairsOf(c.Causes()), "do-not-record/call") {
		t.Errorf("void %v, %v", c.Void(), c.Causes())
	}
}

// What two say of the same party: the stricter holds.
func TestMergeParties(t *testing.T) {
	as := func(k rules.Kind, p rules.PartyID, id rules.Identity) rules.Event {
		return rules.Event{Kind: k, Party: p, Identity: id}
	}
	agent, third := who("A1"), who("X1")
	machine := rules.Identity{Role: rules.RoleIVR}
	customer := rules.Identity{Role: rules.RoleCustomer, IdentifiedBy: rules.ByNumber}
	joined, dialled, left := rules.PartyJoined, rules.PartyDialled, rules.PartyLeft
	for _, tt := range []struct {
		name string
		a, b []rules.Event
		want string // of the party P
	}{
		{"agent and third", []rules.Event{as(joined, "P", agent)}, []rules.Event{as(joined, "P", third)}, "external there"},
		{"customer and third", []rules.Event{as(joined, "P", customer)}, []rules.Event{as(joined, "P", third)}, "external there"},
		{"agent and machine", []rules.Event{as(joined, "P", agent)}, []rules.Event{as(joined, "P", machine)}, "ivr there"},
		{"customer and machine", []rules.Event{as(joined, "P", customer)}, []rules.Event{as(joined, "P", machine)}, "customer there"},
		{"left and there", []rules.Event{as(joined, "P", agent), as(left, "P", agent)}, []rules.Event{as(joined, "P", agent)}, "agent there"},
		{"called and there", []rules.Event{as(dialled, "P", agent)}, []rules.Event{as(joined, "P", agent)}, "agent there"},
		{"called and left", []rules.Event{as(dialled, "P", agent)}, []rules.Event{as(joined, "P", agent), as(left, "P", agent)}, "agent called"},
		{"left", []rules.Event{as(joined, "P", agent), as(left, "P", agent)}, nil, "agent"},
		{"holds", []rules.Event{as(joined, "P", agent), as(rules.Held, "P", agent)}, []rules.Event{as(joined, "P", agent)}, "agent there holds"},
		{"consults", []rules.Event{as(joined, "P", agent), {Kind: rules.Consulted, Party: "P", Other: "A2", Identity: agent}}, []rules.Event{as(joined, "P", agent)}, "agent there consults"},
		{"there, and called for a consult", []rules.Event{as(joined, "P", agent)}, []rules.Event{{Kind: rules.ConsultDialled, Party: "A1", Other: "P", Identity: agent}}, "agent there consults"},
		{"consulted, and left", []rules.Event{as(joined, "P", agent), {Kind: rules.Consulted, Party: "P", Other: "A2", Identity: agent}}, []rules.Event{as(joined, "P", agent), as(left, "P", agent)}, "agent there consults"},
	} {
		f := loose()
		for i, c := range []*rules.Case{first(merged(f, talk(tt.a...), talk(tt.b...))), first(merged(f, talk(tt.b...), talk(tt.a...)))} {
			if got := stateOf(c, "P"); got != tt.want {
				t.Errorf("%s, %d: %q, want %q", tt.name, i, got, tt.want)
			}
		}
	}
}

// Of two identities that are alike that of the older one stays.
func TestMergeIdentities(t *testing.T) {
	boss := who("A2")
	boss.Role = rules.RoleSupervisor
	c, _ := merged(loose(), talk(rules.Event{Kind: rules.PartyJoined, Party: "P", Identity: who("A2")}), talk(rules.Event{Kind: rules.PartyJoined, Party: "P", Identity: boss}))
	if got := stateOf(c, "P"); got != "agent there" {
		t.Error(got)
	}
}

// stateOf is how a party is on the call, in words.
func stateOf(c *rules.Case, id rules.PartyID) string {
	for _, p := range c.Parties() {
		if p.Party != id {
			continue
		}
		out := p.Identity.Role.String()
		for word, on := range map[string]bool{" there": p.Present, " called": p.Dialled} {
			if on {
				out += word
			}
		}
		if p.Consult {
			out += " consults"
		}
		if p.Holds {
			out += " holds"
		}
		return out
	}
	return "unknown"
}

// Who is customer of the other one is a third party where there is a customer, and
// stays the customer where there is none.
func TestMergeCustomers(t *testing.T) {
	f := loose()
	f.PauseExternal = true
	consult := talk()
	for i := range consult { // of A1 with X1, which looks like a call of its own
		if consult[i].Party == "C" {
			consult[i].Party = "X1"
		}
	}
	unknown := slices.Clone(consult)
	unknown[1].Identity = rules.Identity{FirstPair: true}
	placed := slices.Clone(consult) // of an agent who is one by his place
	placed[4].Party, placed[4].Identity = "A2", rules.Identity{Role: rules.RoleAgent, FirstPair: true}
	beside := append(talk()[:1:1], talk()[4:]...)
	beside[1].Identity.FirstPair = true
	for _, tt := range []struct {
		name  string
		older []rules.Event
		later []rules.Event
		want  string
	}{
		{"a consult", talk(), consult, "external/X1@20"},
		{"a consult of one of whom nothing is known", talk(), unknown, "external/X1@20"},
		{"a consult of an agent", talk(), placed, "external/X1@20"},
		{"the other side of the call", beside, consult, ""},
		{"beside a third party", append(talk()[:1:1], rules.Event{At: at(1), Kind: rules.PartyJoined, Party: "X2", Identity: who("X2")}), talk(), "external/X2@1"},
		{"the same customer", talk(), talk(), ""},
		{"who has left is known", talk(rules.Event{Kind: rules.PartyLeft, Party: "C"}), consult, "external/X1@20"},
	} {
		c, _ := merged(f, tt.older, tt.later)
		if got := pairsOf(c.Causes()); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	for want, later := range map[string][]rules.Event{"unknown there": unknown, "external there": consult} {
		c, _ := merged(f, talk(), later)
		if got := stateOf(c, "X1"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// One who has agreed in one and not in the other has not agreed.
func TestMergeAgreed(t *testing.T) {
	f := loose()
	f.PartyConsent = true
	x := func(more ...rules.Event) []rules.Event {
		return talk(append([]rules.Event{{Kind: rules.ConsentGiven}, {Kind: rules.PartyJoined, Party: "X1", Identity: who("X1")},
			{Kind: rules.StreamSends, Stream: "C", Party: "X1"}}, more...)...)
	}
	agrees := rules.Event{Kind: rules.PartyAgreed, Party: "X1"}
	for _, tt := range []struct {
		a, b []rules.Event
		want string
	}{
		{x(agrees), talk(), ""}, {x(agrees), x(agrees), ""},
		{x(agrees), x(), "party-consent/X1@3 mixed/stream@3"}, {x(), talk(), "party-consent/X1@3 mixed/stream@3"},
	} {
		for i, c := range []*rules.Case{first(merged(f, tt.a, tt.b)), first(merged(f, tt.b, tt.a))} {
			if got := pairsOf(c.Causes()); got != tt.want {
				t.Errorf("%d: got %q, want %q", i, got, tt.want)
			}
		}
	}
}

// One who is in a consult in one only counts as being in both bridges, until it moves.
func TestMergeBridges(t *testing.T) {
	f := loose()
	f.Hold, f.ConsultHolds, f.ConsultLeg = rules.HoldLeg, true, false
	consults := talk(rules.Event{Kind: rules.Consulted, Party: "A1", Other: "A2", Identity: who("A2")})
	of := func(c *rules.Case) string { return line(c.Decision("A1")) }
	for i, c := range []*rules.Case{first(merged(f, talk(), consults)), first(merged(f, consults, talk()))} {
		for _, cause := range []string{"consult-leg/A1@", "hold/leg of A1@"} {
			if got := of(c); !strings.Contains(got, cause) {
				t.Errorf("%d: no %s: %s", i, cause, got)
			}
		}
		// A third one takes that over.
		d := rules.Open(rules.NewPolicy(f), "r0")
		d.Apply(second(second(talk()))...)
		d.Merge(c, at(21))
		if got := of(d); !strings.Contains(got, "hold/leg of A1@") || !strings.Contains(got, "consult-leg/A1@") {
			t.Errorf("%d, a third: %s", i, got)
		}
		e := rules.Open(rules.NewPolicy(f), "r0")
		e.Apply(second(second(consults))...)
		e.Merge(c, at(21))
		if got := of(e); !strings.Contains(got, "hold/leg of A1@") {
			t.Errorf("%d, a third that knows of the consult only: %s", i, got)
		}
		// One that says it is in the consult changes nothing, and who is there hears nobody
		// who is in both.
		c.Merge(happened(rules.NewPolicy(f), "r3", second(second(consults))...), at(21))
		if got := of(c); !strings.Contains(got, "hold/leg of A1@") {
			t.Errorf("%d, of two consults: %s", i, got)
		}
		hears := map[rules.StreamID]bool{}
		for _, d := range c.Apply(rules.Event{At: at(21), Kind: rules.SecureStarted, Owner: "p"}, rules.Event{At: at(21), Kind: rules.UserRecordingStarted, Party: "A2"}) {
			if d.Maker == "A2" {
				hears[d.Stream] = !slices.ContainsFunc(d.Causes, func(a rules.ActiveCause) bool { return a.Cause == rules.NotLive })
			}
		}
		if len(hears) != 6 || hears["A1"] || hears["C"] {
			t.Errorf("%d: A2 hears %v", i, hears)
		}
		c.Apply(rules.Event{At: at(22), Kind: rules.SecureEnded, Owner: "p"}, rules.Event{At: at(22), Kind: rules.AlternatedAway, Party: "A1"})
		if got := of(c); got != "withhold A1@22 consult-leg/A1@1" && got != "withhold A1@22 consult-leg/A1@20" {
			t.Errorf("%d, in the consult: %s", i, got)
		}
		c.Apply(rules.Event{At: at(23), Kind: rules.ConsultEnded, Other: "A2"})
		if got := of(c); got != "record A1@23" {
			t.Errorf("%d, and back: %s", i, got)
		}
	}
	// Who has left the one and is in a consult of the other is in that only.
	c, _ := merged(f, talk(rules.Event{Kind: rules.PartyLeft, Party: "A1"}), consults)
	if got := line(c.Decision("2/A1")); got != "withhold 2/A1@20 consult-leg/A1@1" {
		t.Error(got)
	}
	// The leg is held by who is there, and free when that one takes it back.
	held := talk(rules.Event{Kind: rules.Held, Party: "A1"})
	for i, c := range []*rules.Case{first(merged(f, talk(), held)), first(merged(f, held, talk()))} {
		if got := line(c.Decision("2/C")); !strings.Contains(got, "hold/leg of C@") {
			t.Errorf("%d: %s", i, got)
		}
		c.Apply(rules.Event{At: at(22), Kind: rules.Retrieved, Party: "A1"})
		if got := line(c.Decision("2/C")); got != "record 2/C@22" {
			t.Errorf("%d: %s", i, got)
		}
	}
	// Who took it back in the older one holds nothing there.
	back := talk(rules.Event{Kind: rules.Held, Party: "A1"}, rules.Event{Kind: rules.Retrieved, Party: "A1"})
	by2 := slices.Clone(held)
	for i := range by2 {
		if by2[i].Party == "A1" {
			by2[i].Party = "A2"
		}
	}
	c, _ = merged(f, back, by2)
	c.Apply(rules.Event{At: at(22), Kind: rules.PartyLeft, Party: "A1"})
	if got := line(c.Decision("C")); !strings.Contains(got, "hold/leg of C@") {
		t.Error(got)
	}
	// Who held it in the older one has left: it is held by the other.
	gone := append(talk(rules.Event{Kind: rules.Held, Party: "A1"}), rules.Event{At: at(5), Kind: rules.PartyLeft, Party: "A1"})
	another := slices.Clone(held)
	for i := range another {
		if another[i].Party == "A1" {
			another[i].Party = "A2"
		}
	}
	for i, c := range []*rules.Case{first(merged(f, gone, another)), first(merged(f, another, gone))} {
		if got := line(c.Decision("C")); !strings.Contains(got, "hold/leg of C@") {
			t.Errorf("%d: %s", i, got)
		}
	}
}

// A hold of one who is there is no orphan's, whichever knows it.
func TestMergeHolds(t *testing.T) {
	f := loose()
	f.Hold = rules.HoldAction
	holds := talk(rules.Event{Kind: rules.Held, Party: "A1"})
	left := talk(rules.Event{Kind: rules.Held, Party: "A1"}, rules.Event{Kind: rules.PartyLeft, Party: "A1"})
	with2 := talk(rules.Event{Kind: rules.PartyJoined, Party: "A2", Identity: who("A2")})
	for _, tt := range []struct {
		name string
		a, b []rules.Event
		want string
	}{
		{"both hold", holds, holds, "hold/A1@1"},
		{"one holds and has left in the other", holds, left, "hold/A1@1"},
		{"one left, and nobody is there", left, left, "hold/A1@1"},
		{"one left, and another is there", left, with2, ""},
	} {
		for i, c := range []*rules.Case{first(merged(f, tt.a, tt.b)), first(merged(f, tt.b, tt.a))} {
			if got := pairsOf(c.Causes()); got != tt.want {
				t.Errorf("%s, %d: got %q, want %q", tt.name, i, got, tt.want)
			}
			c.Apply(rules.Event{At: at(25), Kind: rules.PartyJoined, Party: "A3", Identity: who("A3")})
			if got := pairsOf(c.Causes()); (got != "") != (stateOf(c, "A1") == "agent there holds") {
				t.Errorf("%s, %d, and somebody joins: %q", tt.name, i, got)
			}
		}
	}
}

// Who was there before counts as having been there, whichever knows it.
func TestMergeWithoutAgent(t *testing.T) {
	f := loose()
	f.ContinueWithoutAgent = false
	left := talk(rules.Event{Kind: rules.PartyLeft, Party: "A1"})
	alone := append(talk()[:4:4], rules.Event{At: at(0), Kind: rules.PartyJoined, Party: "X1", Identity: who("X1")})
	for i, c := range []*rules.Case{first(merged(f, left, alone)), first(merged(f, alone, left))} {
		if got := pairsOf(c.Causes()); got != "no-agent/parties@20" {
			t.Errorf("%d: %s", i, got)
		}
	}
	if got := pairsOf(first(merged(f, alone, alone)).Causes()); got != "" {
		t.Errorf("nobody was there: %s", got)
	}
	f.Plan, f.Outbound = nil, false
	inside := append(talk()[:1:1], talk()[4:]...)
	if got := pairsOf(first(merged(f, inside, inside)).Causes()); got != "no-decision/policy@0" {
		t.Errorf("nobody from outside was there: %s", got)
	}
}

// A third party is barred by a number that either knows, under the list of either,
// and stays so under settings that do not name it any more.
func TestMergeBarredThirds(t *testing.T) {
	plain, lists := loose(), loose()
	plain.Plan = nil
	lists.Plan, lists.DoNotRecord = nil, []string{"+449"}
	third := rules.Event{Kind: rules.PartyJoined, Party: "X1", Identity: who("X1")}
	number := rules.Event{Kind: rules.NumberTold, Party: "X1", Number: "+449"}
	for _, tt := range []struct {
		name         string
		older, later rules.Flags
		a, b         []rules.Event
	}{
		{"told to the older", lists, lists, talk(third, number), talk(third)},
		{"told to the younger", lists, lists, talk(third), talk(third, number)},
		{"on the list of the older", lists, plain, talk(third), talk(third, number)},
		{"on the list of the younger", plain, lists, talk(third, number), talk(third)},
		{"before the plan of the older", lists, lists, talk(third, number, names(plain)), talk(third)},
		{"before the plan of the younger", lists, lists, talk(third), talk(third, number, names(plain))},
		{"before the plan, and nobody else knows", lists, lists, talk(), talk(third, number, names(plain))},
	} {
		c := happened(rules.NewPolicy(tt.older), "r", tt.a...)
		c.Merge(happened(rules.NewPolicy(tt.later), "r2", second(tt.b)...), at(20))
		if got := pairsOf(c.Causes()); !strings.Contains(got, "do-not-record/X1@") {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
}

// Under two policies what withholds under either does; the older one decides.
func TestMergePolicies(t *testing.T) {
	open := loose()
	tests := []struct {
		name   string
		change func(*rules.Flags)
		says   []rules.Event
		want   string // of the customer's stream of the older one
	}{
		{"a hold", func(f *rules.Flags) { f.Hold = rules.HoldAction }, []rules.Event{{Kind: rules.Held, Party: "A1"}}, "withhold C@20 hold/A1@"},
		{"agents only", func(f *rules.Flags) { f.AgentOnly = true }, nil, "withhold C@20 role/C@"},
		{"consent", func(f *rules.Flags) { f.Consent = rules.ConsentAsk }, nil, "withhold C@20 consent/call@"},
		{"a third party", func(f *rules.Flags) { f.PauseExternal = true }, []rules.Event{{Kind: rules.PartyJoined, Party: "X1", Identity: who("X1")}}, "withhold C@20 external/X1@"},
		{"what decides", func(f *rules.Flags) { f.Plan = nil }, nil, "record C@0"},
		{"a number", func(f *rules.Flags) { f.DoNotRecord = []string{"+441"} }, []rules.Event{{Kind: rules.NumberTold, Number: "+441"}}, "withhold C@20 do-not-record/call@"},
		{"a number of a third party", func(f *rules.Flags) { f.DoNotRecord = []string{"+441"} },
			[]rules.Event{{Kind: rules.PartyJoined, Party: "X1", Identity: who("X1")}, {Kind: rules.NumberTold, Party: "X1", Number: "+441"}}, "withhold C@20 do-not-record/X1@"},
	}
	for _, tt := range tests {
		f := open
		tt.change(&f)
		c := happened(rules.NewPolicy(open), "r", talk(tt.says...)...)
		c.Merge(happened(rules.NewPolicy(f), "r2", second(talk())...), at(20))
		if got := line(c.Decision("C")); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %s", tt.name, got)
		}
		if v := c.Decision("C").Policy; v != rules.NewPolicy(open).Version() || c.Policy().Version() != v {
			t.Errorf("%s: under policy %s", tt.name, v)
		}
		// It goes on to a third, which knows it once.
		d := happened(rules.NewPolicy(open), "r0", second(second(talk()))...)
		d.Merge(c, at(30))
		d.Merge(c, at(31))
		if n := d.Policies(); n != 2 {
			t.Errorf("%s: %d policies", tt.name, n)
		}
		if got := line(d.Decision("C")); strings.HasPrefix(got, "withhold") != strings.HasPrefix(tt.want, "withhold") {
			t.Errorf("%s, a third: %s", tt.name, got)
		}
	}
	// A number that comes later is looked for in both lists.
	f := open
	f.DoNotRecord = []string{"+441"}
	for _, party := range []rules.PartyID{"", "X1"} {
		c := happened(rules.NewPolicy(open), "r", talk(rules.Event{Kind: rules.PartyJoined, Party: "X1", Identity: who("X1")})...)
		c.Merge(happened(rules.NewPolicy(f), "r2", second(talk())...), at(20))
		c.Apply(rules.Event{At: at(21), Kind: rules.NumberTold, Party: party, Number: "+448"})
		if d := c.Decision("C"); d.Verdict != rules.Record {
			t.Errorf("another number of %q: %v", party, d)
		}
		c.Apply(rules.Event{At: at(22), Kind: rules.NumberTold, Party: party, Number: "+441"})
		if got := line(c.Decision("C")); !strings.Contains(got, "do-not-record/") {
			t.Errorf("of %q: %s", party, got)
		}
	}
}

// Whether streams are mixed is said of those of the one recording session.
func TestMergeMixed(t *testing.T) {
	apart := loose()
	apart.AgentOnly = true
	mixed := apart
	mixed.Mixed = true
	c := happened(rules.NewPolicy(apart), "r", talk()...)
	c.Merge(happened(rules.NewPolicy(mixed), "r2", second(talk())...), at(20))
	d := happened(rules.NewPolicy(apart), "r0", second(second(talk()[:1]))...)
	d.Merge(c, at(21))
	for i, c := range []*rules.Case{c, d} {
		if got := c.Decision("A1"); got.Verdict != rules.Record {
			t.Errorf("%d: %v", i, got)
		}
		if got := line(c.Decision("2/A1")); !strings.Contains(got, "mixed/stream@") {
			t.Errorf("%d: %s", i, got)
		}
	}
}

// User recordings go on under their ids, hear the streams of both, and end at once.
func TestMergeUsers(t *testing.T) {
	f := loose()
	records := rules.Event{Kind: rules.UserRecordingStarted, Party: "A1"}
	over := talk(records, rules.Event{Kind: rules.UserRecordingStopped, Party: "A1"})
	c, got := merged(f, talk(records), talk(records))
	seen := map[string]rules.Verdict{}
	for _, d := range got {
		seen[string(d.Recording)+" "+string(d.Stream)] = d.Verdict
	}
	for _, want := range []string{"r/user/A1/0 2/C", "r/user/A1/0 2/A1", "r2/user/A1/0 C", "r2/user/A1/0 A1", "r 2/C", "r 2/A1"} {
		if seen[want] != rules.Record {
			t.Errorf("%s: %v", want, seen[want])
		}
	}
	if len(seen) != 6 {
		t.Errorf("%v", seen)
	}
	stopped := 0
	for _, d := range c.Apply(rules.Event{At: at(22), Kind: rules.UserRecordingStopped, Party: "A1"}) {
		if d.Maker == "A1" && d.Verdict == rules.Withhold {
			stopped++
		}
	}
	if stopped != 8 {
		t.Errorf("%d streams stopped", stopped)
	}
	lines := 0
	for _, l := range c.UserTimelines() {
		for _, d := range l {
			if d.Verdict == rules.Record && (d.From.Equal(at(1)) || d.From.Equal(at(20))) && d.Until.Equal(at(22)) {
				lines++
			}
		}
	}
	if lines != 8 {
		t.Errorf("%d times", lines)
	}
	p := rules.NewPolicy(f)
	c, other := happened(p, "r", talk()...), happened(p, "r2", second(talk(records))...)
	for range 2 {
		c.Merge(other, at(20))
	}
	if n := len(c.UserTimelines()); n != 4 {
		t.Errorf("%d timelines of one user recording", n)
	}
	if c, _ := merged(f, talk(), over); len(c.UserTimelines()) != 0 {
		t.Error("what was over goes on")
	}
	// One without streams of its own yet, and one of an earlier interaction.
	none := append(slices.Clone(talk()[:2]), rules.Event{At: at(0), Kind: rules.PartyJoined, Party: "A1", Identity: who("A1")}, rules.Event{At: at(1), Kind: rules.UserRecordingStarted, Party: "A1"})
	if c, _ := merged(f, talk(), none); len(c.UserTimelines()) != 2 {
		t.Errorf("%v", c.UserTimelines())
	}
	c = happened(p, "r", talk()...)
	c.Merge(happened(p, "r2", second(talk(records, rules.Event{Kind: rules.InteractionEnded}))...), at(20))
	if len(c.UserTimelines()) != 0 {
		t.Error("what ended goes on")
	}
}

// A pause of either has to be resumed once, by who may; it began with the earlier.
func TestMergePauses(t *testing.T) {
	f := loose()
	f.Control, f.PauseAlarm = rules.Selection{All: true}, 10*time.Second
	pause := rules.Event{Kind: rules.PausePressed, Party: "A1"}
	nop := rules.Event{Kind: rules.MenuChosen, Name: "9"}
	for i, c := range []*rules.Case{first(merged(f, talk(pause), talk(nop, nop, pause))), first(merged(f, talk(nop, nop, pause), talk(pause)))} {
		if got := pairsOf(c.Causes()); got != "manual/call@1" {
			t.Errorf("%d: %s", i, got)
		}
		resume := rules.Event{At: at(2), Kind: rules.ResumePressed, Party: "A1"}
		if got := c.Apply(resume); len(got) != 1 || got[0].Verdict != rules.Refused {
			t.Errorf("%d: resumed what was paused later: %v", i, got)
		}
		resume.At = at(25)
		c.Apply(resume)
		if got := pairsOf(c.Causes()); got != "" {
			t.Errorf("%d: %s", i, got)
		}
	}
	// An alarm is given once for both.
	p := rules.NewPolicy(f)
	other := happened(p, "r2", second(talk(pause))...)
	other.Alarm(at(19))
	c := happened(p, "r", talk()...)
	c.Merge(other, at(20))
	if got := c.Alarm(at(30)); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// exempt are causes that end by themselves when more is known: that nobody is there,
// or that nothing was decided.
func exempt(c rules.Cause) bool {
	return slices.Contains([]rules.Cause{rules.NotLive, rules.NoDecision, rules.InternalOnly, rules.NoAgent}, c)
}

// FuzzMerge merges two cases of which anything may have happened: what withholds in
// one withholds in what comes of them, a second merge changes nothing, and the order
// does not matter.
func FuzzMerge(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		data = data[:min(len(data), 120)]
		flags := strict()
		flags.Control, flags.FlowsUnfed = rules.Selection{All: true}, false
		if len(data)%2 == 0 {
			flags.Consent, flags.Hold, flags.ConsultHolds, flags.AgentOnly = rules.ConsentOff, rules.HoldLeg, true, false
		}
		p := rules.NewPolicy(flags)
		half := len(data) / 6 * 3
		build := func(name rules.RecordingID, data []byte, place func([]rules.Event) []rules.Event) *rules.Case {
			events := place(script(data))
			return happened(p, name, events[:len(events)-1]...)
		}
		same := func(e []rules.Event) []rules.Event { return e }
		a := func() *rules.Case { return build("a", data[:half], same) }
		b := func() *rules.Case { return build("b", data[half:], second) }
		one, two := a(), a()
		other := b()
		before := timelines(other) + fmt.Sprint(other.Causes(), other.Parties())
		when := at(1 + len(data))
		one.Merge(other, when)
		if timelines(other)+fmt.Sprint(other.Causes(), other.Parties()) != before {
			t.Fatal("the other one has changed")
		}
		stays(t, two, other, one)
		stays(t, other, two, one)
		if got := one.Merge(other, when); len(got) != 0 {
			t.Fatalf("a second merge changes %v", got)
		}
		// A third one takes all of that over.
		third := rules.Open(p, "c")
		third.Merge(one, when)
		stays(t, two, other, third)
		stays(t, other, two, third)
		turned := b()
		turned.Merge(a(), when)
		if x, y := causeSet(one), causeSet(turned); x != y {
			t.Fatalf("the order matters:\n%s\n%s", x, y)
		}
	})
}

// causeSet are all (cause, owner) pairs in force, in the order of the alphabet.
func causeSet(c *rules.Case) string {
	var out []string
	for _, a := range c.Causes() {
		if a.Cause != rules.NoDecision {
			out = append(out, fmt.Sprint(a.Cause, "/", a.Owner, "\n"))
		}
	}
	slices.Sort(out)
	return strings.Join(out, "")
}

// stays wants what withheld a stream before the merge to withhold it after, and all
// streams if it was about all.
func stays(t *testing.T, was, beside, now *rules.Case) {
	t.Helper()
	if was.Void() && !now.Void() {
		t.Fatal("what was void is not")
	}
	has := func(causes []rules.ActiveCause, a rules.ActiveCause) bool {
		return slices.ContainsFunc(causes, func(b rules.ActiveCause) bool { return a.Cause == b.Cause && a.Owner == b.Owner })
	}
	lifted := func(a rules.ActiveCause) bool {
		switch a.Cause {
		case rules.Consent:
			return beside.Yes() && now.Yes()
		case rules.PartyConsent, rules.Mixed:
			return beside.Yes() && now.Yes()
		case rules.Hold: // of one who left
			return now.Settles() && !was.Settles()
		case rules.Void:
			return now.Void() // withheld for another cause as well
		default:
			return exempt(a.Cause)
		}
	}
	for _, a := range was.Causes() {
		if !has(now.Causes(), a) && !lifted(a) {
			t.Fatalf("%v of %s does not withhold any more", a.Cause, a.Owner)
		}
	}
	for _, p := range []rules.StreamID{"A1", "A2", "C", "X1", "X2", "Z", "2/A1", "2/A2", "2/C", "2/X1", "2/X2", "2/Z"} {
		if len(was.Timeline(p)) == 0 {
			continue
		}
		for _, a := range was.Decision(p).Causes {
			if !has(now.Decision(p).Causes, a) && !lifted(a) {
				t.Fatalf("%s: %v of %s does not withhold any more: %v", p, a.Cause, a.Owner, now.Decision(p))
			}
		}
	}
}
