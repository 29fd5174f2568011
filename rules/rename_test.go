package rules_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/rules"
)

// TestRenamed: a case under other names withholds the same for the same causes since the
// same instants, and goes on under those names; the case it comes from does not change.
func TestRenamed(t *testing.T) {
	f := rules.Vonage()
	f.Plan = []rules.PlanRule{{Kind: rules.PlanAll}}
	f.Hold, f.PauseExternal, f.PartyConsent, f.ConsultLeg = rules.HoldLeg, true, true, false
	f.Control, f.UserRecordings = rules.Selection{All: true}, rules.Selection{All: true}
	c := rules.Open(rules.NewPolicy(f), "r")
	agent := rules.Identity{Role: rules.RoleAgent, IdentifiedBy: rules.ByDirectory}
	outsider := rules.Identity{Role: rules.RoleExternal, IdentifiedBy: rules.ByNumber}
	customer := rules.Identity{Role: rules.RoleCustomer, IdentifiedBy: rules.ByNumber, FirstPair: true}
	c.Apply(
		rules.Event{At: at(0), Kind: rules.InteractionStarted, Direction: rules.DirectionInbound},
		rules.Event{At: at(0), Kind: rules.StreamSends, Stream: "0", Party: "c"}, rules.Event{At: at(0), Kind: rules.StreamAdded, Stream: "0"},
		rules.Event{At: at(0), Kind: rules.StreamSends, Stream: "1", Party: "a"}, rules.Event{At: at(0), Kind: rules.StreamAdded, Stream: "1"},
		rules.Event{At: at(0), Kind: rules.PartyJoined, Party: "c", Identity: customer},
		rules.Event{At: at(0), Kind: rules.PartyJoined, Party: "a", Identity: agent},
		rules.Event{At: at(1), Kind: rules.UserRecordingStarted, Party: "a"},
		rules.Event{At: at(2), Kind: rules.Held, Party: "a"},
		rules.Event{At: at(3), Kind: rules.Consulted, Party: "a", Other: "x", Identity: outsider},
		rules.Event{At: at(4), Kind: rules.PausePressed, Party: "a"},
		rules.Event{At: at(5), Kind: rules.StreamInactive, Stream: "0", Owner: "sdp"},
		rules.Event{At: at(5), Kind: rules.StreamAdded, Stream: "2"}, // keeps its name
	)
	text := func(c *rules.Case) string {
		var out []string
		for _, a := range c.Causes() {
			out = append(out, fmt.Sprint(a.Cause, " ", a.Owner, " ", a.Since.Sub(at(0))))
		}
		for _, p := range c.Parties() {
			out = append(out, fmt.Sprintf("%s %v %v %v", p.Party, p.Present, p.Consult, p.Holds))
		}
		slices.Sort(out)
		return strings.Join(out, "\n")
	}
	before := text(c)
	names := rules.Names{
		Streams: map[rules.StreamID]rules.StreamID{"0": "2/0", "1": "2/1"},
		Parties: map[rules.PartyID]rules.PartyID{"a": "2/a", "c": "2/c", "x": "2/x"},
	}
	other := c.Renamed(names)
	want := strings.NewReplacer(" leg of c ", " leg of 2/c ", " leg of a ", " leg of 2/a ", " x ", " 2/x ", " a ", " 2/a ", " c ", " 2/c ").Replace("\n" + before)
	for _, p := range []string{"a", "c", "x"} {
		want = strings.ReplaceAll(want, "\n"+p+" ", "\n2/"+p+" ")
	}
	lines := strings.Split(strings.TrimPrefix(want, "\n"), "\n")
	slices.Sort(lines)
	if got := text(other); got != strings.Join(lines, "\n") {
		t.Errorf("renamed:\n%s\nwant\n%s", got, strings.Join(lines, "\n"))
	}
	if d := other.Decision("2/0"); d.Stream != "2/0" {
		t.Errorf("a decision about %s", d.Stream)
	}
	if got, want := len(other.Decision("2").Causes), len(c.Decision("2").Causes); got != want {
		t.Errorf("what keeps its name has %d causes, and had %d", got, want)
	}
	out := other.Apply(rules.Event{At: at(6), Kind: rules.ResumePressed, Party: "2/a"}, rules.Event{At: at(6), Kind: rules.StreamActive, Stream: "2/0", Owner: "sdp"})
	if slices.ContainsFunc(out, func(d rules.Decision) bool { return d.Verdict == rules.Refused }) || other.Decision("2/0").Stream != "2/0" {
		t.Errorf("it goes on with %v", out)
	}
	if after := text(c); after != before {
		t.Errorf("the case it comes from is now\n%s", after)
	}
	merged := rules.Open(rules.NewPolicy(f), "older")
	merged.Merge(other, at(7))
	if !slices.ContainsFunc(merged.Parties(), func(p rules.PartyState) bool { return p.Party == "2/a" && p.Present }) {
		t.Errorf("merged %+v", merged.Parties())
	}
}

// TestRenamedGoesOn: whatever happens next, a case under other names decides as the one
// that it comes from, and neither changes the other.
func TestRenamedGoesOn(t *testing.T) {
	names := rules.Names{
		Streams: map[rules.StreamID]rules.StreamID{"0": "2/0", "1": "2/1"},
		Parties: map[rules.PartyID]rules.PartyID{"a": "2/a", "c": "2/c"}, // x keeps its name
	}
	there := func(e rules.Event) rules.Event {
		if id, ok := names.Streams[e.Stream]; ok {
			e.Stream = id
		}
		if id, ok := names.Parties[e.Party]; ok {
			e.Party = id
		}
		return e
	}
	text := func(ds []rules.Decision, rename bool) string {
		out := ""
		for _, d := range ds {
			if d.Maker != "" {
				continue // is decided anew
			}
			stream, by := string(d.Stream), string(d.By)
			line := fmt.Sprint(d.Verdict, " ", d.From.Sub(at(0)), " ", d.Reason)
			for _, a := range d.Causes {
				owner := a.Owner
				if rename {
					for from, to := range names.Parties {
						switch owner {
						case string(from):
							owner = string(to)
						case "leg of " + string(from):
							owner = "leg of " + string(to)
						}
					}
				}
				line += fmt.Sprint(" ", a.Cause, " ", owner, " ", a.Since.Sub(at(0)))
			}
			if rename {
				e := there(rules.Event{Stream: d.Stream, Party: d.By})
				stream, by = string(e.Stream), string(e.Party)
			}
			out += stream + " " + by + " " + line + "\n"
		}
		return out
	}
	agent := rules.Identity{Role: rules.RoleAgent, IdentifiedBy: rules.ByDirectory}
	outsider := rules.Identity{Role: rules.RoleExternal, IdentifiedBy: rules.ByNumber}
	customer := rules.Identity{Role: rules.RoleCustomer, IdentifiedBy: rules.ByNumber, FirstPair: true}
	first := []rules.Event{
		{Kind: rules.InteractionStarted, Direction: rules.DirectionInbound},
		{Kind: rules.StreamSends, Stream: "0", Party: "c"}, {Kind: rules.StreamAdded, Stream: "0"},
		{Kind: rules.StreamSends, Stream: "1", Party: "a"}, {Kind: rules.StreamAdded, Stream: "1"},
		{Kind: rules.StreamSends, Stream: "2", Party: "x"}, {Kind: rules.StreamAdded, Stream: "2"},
		{Kind: rules.PartyJoined, Party: "c", Identity: customer}, {Kind: rules.PartyJoined, Party: "a", Identity: agent},
		{Kind: rules.UserRecordingStarted, Party: "a"},
	}
	stories := map[string][][]rules.Event{
		"the holder of the leg retrieves":          {{{Kind: rules.Held, Party: "a"}}, {{Kind: rules.Retrieved, Party: "a"}}},
		"the holder leaves, and another retrieves": {{{Kind: rules.Held, Party: "a"}}, {{Kind: rules.PartyJoined, Party: "x", Identity: agent}}, {{Kind: rules.Retrieved, Party: "x"}}, {{Kind: rules.PartyLeft, Party: "a"}}, {{Kind: rules.Retrieved, Party: "x"}}},
		"a consult ends":                           {{{Kind: rules.Consulted, Party: "a", Other: "x", Identity: outsider}}, {{Kind: rules.ConsultEnded, Other: "x"}}},
		"a consult becomes a transfer":             {{{Kind: rules.Consulted, Party: "a", Other: "x", Identity: outsider}}, {{Kind: rules.Transferred, Party: "a"}}},
		"silent, and left":                         {{{Kind: rules.StreamSendsNot, Stream: "0", Party: "c"}}, {{Kind: rules.PartyLeft, Party: "c"}}},
		"silent, and sends again":                  {{{Kind: rules.StreamSendsNot, Stream: "0", Party: "c"}}, {{Kind: rules.StreamSends, Stream: "0", Party: "c"}}},
		"inactive and active":                      {{{Kind: rules.StreamInactive, Stream: "0", Owner: "sdp"}}, {{Kind: rules.StreamActive, Stream: "0", Owner: "sdp"}}},
		"a recording of his own ends":              {{{Kind: rules.PausePressed, Party: "a"}}, {{Kind: rules.UserRecordingStopped, Party: "a"}}},
		"payments, flows and queues": {{{Kind: rules.SecureStarted, Owner: "s"}, {Kind: rules.FlowEntered, Name: "f"}, {Kind: rules.QueueEntered, Name: "q"}},
			{{Kind: rules.SecureStarted, Owner: "s2"}, {Kind: rules.FlowEntered, Name: "f2"}, {Kind: rules.QueueEntered, Name: "q2"}}, {{Kind: rules.SecureEnded, Owner: "s"}, {Kind: rules.FlowLeft, Name: "f"}, {Kind: rules.QueueLeft, Name: "q"}}},
		"agreed":                {{{Kind: rules.PartyAgreed, Party: "c"}}, {{Kind: rules.PartyLeft, Party: "a"}}},
		"a number of the other": {{{Kind: rules.NumberTold, Party: "x", Number: "+15550199"}}, {{Kind: rules.PartyJoined, Party: "x", Identity: outsider}}},
		"held by streams":       {{{Kind: rules.Held, Owner: "sdp of s"}, {Kind: rules.PausePressed, Owner: "sdp of s"}}, {{Kind: rules.Retrieved, Owner: "sdp of s"}}, {{Kind: rules.ResumePressed, Owner: "sdp of s"}}},
	}
	for name, story := range stories {
		for _, mode := range []rules.HoldMode{rules.HoldAction, rules.HoldLeg} {
			for cut := range story {
				f := rules.Vonage()
				f.Plan = []rules.PlanRule{{Kind: rules.PlanAll}}
				f.Hold, f.PauseExternal, f.PartyConsent, f.ConsultLeg, f.ConsultHolds, f.ContinueWithoutAgent = mode, true, true, false, true, false
				f.Control, f.UserRecordings, f.SuppressedFlows = rules.Selection{All: true}, rules.Selection{All: true}, rules.Selection{All: true}
				f.QueueWait, f.DoNotRecord = rules.Selection{}, []string{"+15550199"}
				c := rules.Open(rules.NewPolicy(f), "r")
				for i := range first {
					first[i].At = at(0)
				}
				c.Apply(first...)
				second := 1
				step := func(events []rules.Event) (here, other []rules.Event) {
					for _, e := range events {
						e.At = at(second)
						here, other = append(here, e), append(other, there(e))
					}
					second++
					return here, other
				}
				for _, events := range story[:cut] {
					here, _ := step(events)
					c.Apply(here...)
				}
				other := c.Renamed(names)
				before := text([]rules.Decision{c.Decision("0"), c.Decision("1"), c.Decision("2")}, true)
				if got := text([]rules.Decision{other.Decision("2/0"), other.Decision("2/1"), other.Decision("2")}, false); got != before {
					t.Errorf("%s, cut before %d: stands as\n%swant\n%s", name, cut, got, before)
				}
				type pair struct{ here, there []rules.Event }
				var rest []pair
				for _, events := range story[cut:] {
					here, other := step(events)
					rest = append(rest, pair{here, other})
				}
				var got, want []string
				for _, p := range rest {
					got = append(got, text(other.Apply(p.there...), false))
				}
				for _, p := range rest {
					want = append(want, text(c.Apply(p.here...), true))
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s, cut before %d: decides\n%s\nwant\n%s", name, cut, strings.Join(got, "--\n"), strings.Join(want, "--\n"))
				}
			}
		}
	}
}
