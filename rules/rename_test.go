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
