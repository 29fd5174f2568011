package rules_test

import (
	"fmt"
	"slices"
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
		k, a, b := rules.Kind(data[i]%45), parties[data[i+1]%6], parties[data[i+2]%6]
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
	switch p[0] {
	case 'A':
		return rules.Identity{Role: rules.RoleAgent, IdentifiedBy: rules.ByDirectory}
	case 'C':
		return rules.Identity{Role: rules.RoleCustomer, IdentifiedBy: rules.ByNumber, FirstPair: true}
	default:
		return rules.Identity{Role: rules.RoleExternal, IdentifiedBy: rules.ByNumber}
	}
}

// playAll applies events and returns what is recorded, one entry for each stream
// and second, and the decisions.
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
				kept[fmt.Sprintf("%s %s %d", d.Recording, d.Stream, now.Unix())] = true
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

// FuzzInstant changes the order in which an instant's starts and ends of
// suppression of different owners come.
func FuzzInstant(f *testing.F) {
	seeds(f)
	pairs := []rules.Event{
		{Kind: rules.SecureStarted, Owner: "a"}, {Kind: rules.SecureEnded, Owner: "b"},
		{Kind: rules.FlowEntered, Name: "F"}, {Kind: rules.FlowLeft, Name: "G"},
		{Kind: rules.QueueEntered, Name: "Q"}, {Kind: rules.QueueLeft, Name: "R"},
		{Kind: rules.Held, Party: "A1"}, {Kind: rules.Retrieved, Party: "A2"},
		{Kind: rules.StreamInactive, Stream: "C", Owner: "x"}, {Kind: rules.StreamActive, Stream: "C", Owner: "y"},
	}
	before := []rules.Event{
		{Kind: rules.SecureStarted, Owner: "b"}, {Kind: rules.FlowEntered, Name: "G"}, {Kind: rules.QueueEntered, Name: "R"},
		{Kind: rules.Held, Party: "A2"}, {Kind: rules.StreamInactive, Stream: "C", Owner: "y"},
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		flags := loose()
		flags.Hold, flags.SuppressedFlows.All, flags.QueueWait = rules.HoldAction, true, rules.Selection{}
		order := slices.Clone(pairs)
		for i, b := range data[:min(len(data), 40)] {
			j := int(b) % len(order)
			order[i%len(order)], order[j] = order[j], order[i%len(order)]
		}
		run := func(order []rules.Event) map[string]bool {
			events := script(nil)
			events = events[:len(events)-1]
			for _, e := range before {
				e.At = at(5)
				events = append(events, e)
			}
			for _, e := range order {
				e.At = at(10)
				events = append(events, e)
			}
			kept, _, _ := playAll(rules.NewPolicy(flags), append(events, rules.Event{At: at(30), Kind: rules.InteractionEnded}))
			return kept
		}
		if got, want := fmt.Sprint(run(order)), fmt.Sprint(run(pairs)); got != want {
			t.Fatalf("order %v leaks: %s, want %s", order, got, want)
		}
	})
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
