package rules_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/rules"
)

// script makes events of bytes: hostile, and mostly possible.
func script(data []byte) []rules.Event {
	parties := []rules.PartyID{"A1", "A2", "C", "X1", "X2", "Z"}
	out := []rules.Event{{At: at(0), Kind: rules.InteractionStarted, Direction: rules.DirectionInbound, Number: "+441"}}
	for i, p := range parties {
		s := rules.StreamID(p)
		out = append(out, rules.Event{At: at(0), Kind: rules.StreamSends, Stream: s, Party: p}, rules.Event{At: at(0), Kind: rules.StreamAdded, Stream: s})
		if i < 3 {
			out = append(out, rules.Event{At: at(0), Kind: rules.PartyJoined, Party: p, Identity: who(p)})
		}
	}
	for i := 0; i+2 < len(data); i += 3 {
		k, a, b := rules.Kind(int(data[i])%rules.Kinds()), parties[data[i+1]%6], parties[data[i+2]%6]
		if k == rules.InteractionStarted || k == rules.InteractionEnded {
			continue
		}
		e := rules.Event{At: at(1 + i/6), Kind: k, Party: a, Other: b, Stream: rules.StreamID(a), Owner: "sdp", Name: string(rune('F' + data[i+2]%3)), Draw: float64(data[i+2]) / 256}
		e.Identity = who(a)
		if k == rules.Consulted || k == rules.ConsultDialled || k == rules.TransferredBlind {
			e.Identity = who(b)
		}
		if k == rules.PartyIdentified || k == rules.StreamSends || k == rules.StreamSendsNot {
			continue // who it is and whose voice it is stays the same for all flags
		}
		out = append(out, e)
	}
	return append(out, rules.Event{At: at(2 + len(data)), Kind: rules.InteractionEnded})
}

func who(p rules.PartyID) rules.Identity {
	switch (p + " ")[0] {
	case 'A':
		return rules.Identity{Role: rules.RoleAgent, IdentifiedBy: rules.ByDirectory}
	case 'C':
		return rules.Identity{Role: rules.RoleCustomer, IdentifiedBy: rules.ByNumber, FirstPair: true}
	default:
		return rules.Identity{Role: rules.RoleExternal, IdentifiedBy: rules.ByNumber}
	}
}

// numbered is the number at the end of a user recording's name.
var numbered = regexp.MustCompile(`/\d+$`)

// playAll applies events and returns what is recorded, one entry for each stream
// and second of the policy recording and of each user's own, and the decisions. A
// user's recordings count as one: which number each bears depends on how many others
// were refused before it.
func playAll(p rules.Policy, events []rules.Event) (map[string]bool, []rules.Decision, *rules.Case) {
	c := rules.Open(p, "r")
	var all []rules.Decision
	for _, e := range events {
		all = append(all, c.Apply(e)...)
	}
	kept := map[string]bool{}
	mark := func(line []rules.Decision) {
		for _, d := range line {
			for now := d.From; d.Verdict == rules.Record && now.Before(d.Until); now = now.Add(time.Second) {
				kept[fmt.Sprintf("%s %s %d", numbered.ReplaceAllString(string(d.Recording), ""), d.Stream, now.Unix())] = true
			}
		}
	}
	for _, p := range []rules.StreamID{"A1", "A2", "C", "X1", "X2", "Z"} {
		mark(c.Timeline(p))
	}
	for _, line := range c.UserTimelines() {
		mark(line)
	}
	return kept, all, c
}

// loose are flags under which much is recorded, so that there is much to lose.
func loose() rules.Flags {
	f := rules.Vonage()
	f.Control = rules.Selection{All: true}
	f.Plan = []rules.PlanRule{{Kind: rules.PlanAll}}
	f.Outbound, f.Trunk = true, true
	return f
}

// stricter are changes of flags that must never add a recorded moment.
func stricter() map[string]func(*rules.Flags) {
	return map[string]func(*rules.Flags){
		"no plan": func(f *rules.Flags) { f.Plan = nil },
		"percent": func(f *rules.Flags) {
			f.Plan = []rules.PlanRule{{Kind: rules.PlanPercent, Percent: 30}}
			f.Trunk = false
		},
		"no trunk":        func(f *rules.Flags) { f.Trunk = false },
		"do not record":   func(f *rules.Flags) { f.DoNotRecord = []string{"+441"} },
		"hold action":     func(f *rules.Flags) { f.Hold = rules.HoldAction },
		"hold leg":        func(f *rules.Flags) { f.Hold = rules.HoldLeg },
		"external":        func(f *rules.Flags) { f.PauseExternal = true },
		"no agent":        func(f *rules.Flags) { f.ContinueWithoutAgent = false },
		"final":           func(f *rules.Flags) { f.ContinueWithoutAgent, f.StopIsFinal = false, true },
		"agent only":      func(f *rules.Flags) { f.AgentOnly = true },
		"mixed":           func(f *rules.Flags) { f.AgentOnly, f.Mixed = true, true },
		"flows":           func(f *rules.Flags) { f.SuppressedFlows.All = true },
		"queues":          func(f *rules.Flags) { f.QueueWait = rules.Selection{} },
		"unfed":           func(f *rules.Flags) { f.QueueWait, f.FlowsUnfed = rules.Selection{}, true },
		"consent":         func(f *rules.Flags) { f.Consent = rules.ConsentAsk },
		"party consent":   func(f *rules.Flags) { f.PartyConsent = true },
		"no consult leg":  func(f *rules.Flags) { f.ConsultLeg = false },
		"user recordings": func(f *rules.Flags) { f.UserRecordings = rules.Selection{} },
	}
}

func seeds(f *testing.F) {
	for i := range 64 {
		var data []byte
		for j := range 48 {
			data = append(data, byte((i*31+j*17+i*j*7)%251))
		}
		f.Add(data)
	}
}

func FuzzStricterNeverAdds(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		events := script(data[:min(len(data), 120)])
		base, _, _ := playAll(rules.NewPolicy(loose()), events)
		for name, change := range stricter() {
			flags := loose()
			change(&flags)
			kept, _, _ := playAll(rules.NewPolicy(flags), events)
			for moment := range kept {
				if !base[moment] {
					t.Fatalf("%s adds %s", name, moment)
				}
			}
		}
	})
}

func FuzzDecisions(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		events := script(data[:min(len(data), 120)])
		flags := rules.Ours()
		flags.Plan, flags.PauseExternal = []rules.PlanRule{{Kind: rules.PlanAll}}, true
		flags.Control, flags.UserRecordings = rules.Selection{All: true}, rules.Selection{All: true}
		p := rules.NewPolicy(flags)
		kept, all, _ := playAll(p, events)
		_, again, _ := playAll(p, events)
		if fmt.Sprint(all) != fmt.Sprint(again) {
			t.Fatal("the same journal gives other decisions")
		}
		var twice []rules.Event
		for _, e := range events {
			twice = append(twice, e, e)
		}
		doubled, _, _ := playAll(p, twice)
		if fmt.Sprint(doubled) != fmt.Sprint(kept) {
			t.Fatal("duplicates change what is recorded")
		}
		for _, d := range all {
			if d.Verdict == rules.Refused {
				continue
			}
			if (d.Verdict == rules.Record) != (len(d.Causes) == 0) {
				t.Fatalf("%v", d)
			}
			checkPermit(t, d)
		}
	})
}

// shuffle moves events of one instant about, by what the data says. Opposite
// statements keep their order, and so do those of one kind about the same.
func shuffle(events []rules.Event, data []byte) []rules.Event {
	about := func(e rules.Event) string {
		return fmt.Sprint(e.Kind, e.Stream, e.Party, e.Other, e.Owner, e.Name)
	}
	out := slices.Clone(events)
	for _, b := range data {
		i := int(b) % max(len(out)-1, 1)
		if i+1 < len(out) && !rules.Opposite(out[i], out[i+1]) && about(out[i]) != about(out[i+1]) {
			out[i], out[i+1] = out[i+1], out[i]
		}
	}
	return out
}

// timelines are all decisions that were in force, in words.
func timelines(c *rules.Case) string {
	var b strings.Builder
	for _, p := range []rules.StreamID{"A1", "A2", "C", "X1", "X2", "Z"} {
		fmt.Fprintln(&b, c.Timeline(p))
	}
	fmt.Fprintln(&b, c.UserTimelines(), c.Void())
	return b.String()
}

// FuzzInstant gives all events of a second at once, in other orders and twice:
// nothing changes, each stream gets one decision at most, and what begins to withhold is
// in force whatever came with it.
func FuzzInstant(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		data = data[:min(len(data), 120)]
		flags := loose()
		flags.Hold, flags.ConsultHolds = rules.HoldMode(1+len(data)%2), len(data)%3 == 0
		flags.PauseExternal, flags.ContinueWithoutAgent, flags.StopIsFinal, flags.ConsultLeg = true, false, len(data)%5 == 0, false
		flags.SuppressedFlows.All, flags.QueueWait, flags.Control = true, rules.Selection{}, rules.Selection{All: true}
		events := script(data)
		open := func() *rules.Case { return rules.Open(rules.NewPolicy(flags), "r") }
		given, other, double := open(), open(), open()
		for len(events) > 0 {
			n := slices.IndexFunc(events, func(e rules.Event) bool { return !e.At.Equal(events[0].At) })
			if n < 0 {
				n = len(events)
			}
			got := given.Apply(events[:n]...)
			other.Apply(shuffle(events[:n], data)...)
			double.Apply(twice(events[:n])...)
			once(t, got)
			begun(t, events[:n], given, other, double)
			events = events[n:]
		}
		if a, b := timelines(given), timelines(other); a != b {
			t.Fatalf("the order matters:\n%s\n%s", a, b)
		}
		if a, b := timelines(given), timelines(double); a != b {
			t.Fatalf("it matters that all is said twice:\n%s\n%s", a, b)
		}
	})
}

// twice says each thing twice. Not the whole twice: that somebody comes, goes, comes
// and goes is another story than that he comes and goes.
func twice(events []rules.Event) []rules.Event {
	var out []rules.Event
	for _, e := range events {
		out = append(out, e, e)
	}
	return out
}

// once wants at most one decision for each stream of each recording.
func once(t *testing.T, got []rules.Decision) {
	t.Helper()
	seen := map[string]bool{}
	for _, d := range got {
		about := fmt.Sprint(d.Recording, " ", d.Stream)
		if d.Verdict != rules.Refused && seen[about] {
			t.Fatalf("two decisions about %s at %v", about, d.From)
		}
		seen[about] = seen[about] || d.Verdict != rules.Refused
	}
}

// begun applies what begins to withhold once more, where nothing of the same
// instant lets go of it: it changes no verdict, for it was in force already.
func begun(t *testing.T, events []rules.Event, cases ...*rules.Case) {
	t.Helper()
	for _, e := range events {
		if !rules.Begins(e.Kind) || slices.ContainsFunc(events, func(o rules.Event) bool { return rules.Opposite(e, o) }) {
			continue
		}
		for _, c := range cases {
			for _, d := range c.Apply(e) {
				if d.Verdict == rules.Withhold {
					t.Fatalf("%v of %s had left something recorded: %v", e.Kind, e.Party, d)
				}
			}
		}
	}
}

// crowd is an interaction of ten participants that is recorded.
func crowd() *rules.Case {
	f := rules.Ours()
	f.Plan = []rules.PlanRule{{Kind: rules.PlanAll}}
	c := rules.Open(rules.NewPolicy(f), "r")
	c.Apply(rules.Event{At: at(0), Kind: rules.InteractionStarted, Direction: rules.DirectionInbound})
	for i := range 10 {
		p := rules.PartyID(fmt.Sprintf("%c%d", "CAAAAXXXXX"[i], i))
		c.Apply(rules.Event{At: at(0), Kind: rules.StreamSends, Stream: rules.StreamID(p), Party: p})
		c.Apply(rules.Event{At: at(0), Kind: rules.StreamAdded, Stream: rules.StreamID(p)})
		c.Apply(rules.Event{At: at(0), Kind: rules.PartyJoined, Party: p, Identity: who(p)})
	}
	return c
}

// BenchmarkApply decides one event that changes what holds for all of ten
// participants. An operation must take less than 5 microseconds.
func BenchmarkApply(b *testing.B) {
	b.ReportAllocs()
	c, i := crowd(), 0
	for b.Loop() {
		k := rules.SecureStarted
		if i%2 == 1 {
			k = rules.SecureEnded
		}
		c.Apply(rules.Event{At: at(i), Kind: k, Owner: "pay"})
		if i++; i%1000 == 0 { // a call has no more events than that
			c = crowd()
		}
	}
}
