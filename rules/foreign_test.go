package rules_test

import (
	"testing"

	"github.com/siprecd/siprecd/rules"
)

// What an SRC says of a hold or a pause is its own pair: nobody else ends it, and it
// ends nothing of anybody else. Under hold: pause-until-retrieve the causes are those of
// the customer's stream, under pause-customer-leg those of it and of the agent's.
func TestForeign(t *testing.T) {
	by := func(k rules.Kind, owner string) rules.Event { return rules.Event{Kind: k, Owner: owner} }
	of := func(k rules.Kind, party rules.PartyID) rules.Event {
		return rules.Event{Kind: k, Party: party, Identity: who(party)}
	}
	consult := rules.Event{Kind: rules.Consulted, Party: "A1", Other: "A2", Identity: who("A2")}
	for _, tt := range []struct {
		name        string
		events      []rules.Event // one instant each
		action, leg string
	}{
		{"held and retrieved", []rules.Event{by(rules.Held, "sdp"), by(rules.Retrieved, "sdp")}, "", ""},
		{"held", []rules.Event{by(rules.Held, "sdp")}, "hold sdp", "hold leg of C"},
		{"held, and it says for whom", []rules.Event{{Kind: rules.Held, Owner: "sdp", Party: "A1"}, by(rules.Retrieved, "sdp")}, "", ""},
		{"held twice", []rules.Event{by(rules.Held, "sdp"), by(rules.Held, "sdp"), by(rules.Retrieved, "sdp")}, "", ""},
		{"two owners", []rules.Event{by(rules.Held, "sdp"), by(rules.Held, "other"), by(rules.Retrieved, "sdp")}, "hold other", "hold leg of C"},
		{"an agent retrieves another hold", []rules.Event{by(rules.Held, "sdp"), of(rules.Held, "A1"), of(rules.Retrieved, "A1")}, "hold sdp", "hold leg of C"},
		{"it ends no hold of an agent", []rules.Event{of(rules.Held, "A1"), by(rules.Held, "sdp"), by(rules.Retrieved, "sdp")}, "hold A1", "hold leg of C"},
		{"it ends no hold whose holder has left", []rules.Event{of(rules.Held, "A1"), of(rules.PartyLeft, "A1"), by(rules.Retrieved, "sdp")}, "hold A1", "hold leg of C"},
		{"a conference ends it not", []rules.Event{consult, by(rules.Held, "sdp"), {Kind: rules.Conferenced}}, "hold sdp", "hold leg of C"},
		{"a transfer ends it not", []rules.Event{consult, by(rules.Held, "sdp"), {Kind: rules.Transferred, Party: "A1"}}, "hold sdp", "hold leg of C"},
		{"nor does it end a consult's", []rules.Event{consult, by(rules.Held, "sdp"), by(rules.Retrieved, "sdp")}, "", "hold leg of C"},
		{"paused and resumed", []rules.Event{by(rules.PausePressed, "sdp"), by(rules.ResumePressed, "sdp")}, "", ""},
		{"paused", []rules.Event{by(rules.PausePressed, "sdp")}, "manual sdp", "manual sdp"},
		{"an agent resumes another pause", []rules.Event{by(rules.PausePressed, "sdp"), of(rules.PausePressed, "A1"), of(rules.ResumePressed, "A1")}, "manual sdp", "manual sdp"},
		{"it resumes no pause of an agent", []rules.Event{of(rules.PausePressed, "A1"), by(rules.ResumePressed, "sdp")}, "manual call", "manual call"},
		{"who pauses leaves", []rules.Event{by(rules.PausePressed, "sdp"), of(rules.PartyJoined, "A2"), of(rules.PartyLeft, "A1")}, "manual sdp", "manual sdp"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for mode, want := range map[rules.HoldMode]string{rules.HoldAction: tt.action, rules.HoldLeg: tt.leg} {
				f := loose()
				f.Hold, f.ConsultHolds, f.Control.All = mode, true, true
				c := rules.Open(rules.NewPolicy(f), "r")
				begin := []rules.Event{{Kind: rules.InteractionStarted, Direction: rules.DirectionInbound}, of(rules.PartyJoined, "C"),
					of(rules.PartyJoined, "A1"), {Kind: rules.StreamAdded, Stream: "C"}, {Kind: rules.StreamSends, Stream: "C", Party: "C"}}
				for i := range begin {
					begin[i].At = at(0)
				}
				c.Apply(begin...)
				for i, e := range tt.events {
					e.At = at(i + 1)
					for _, d := range c.Apply(e) {
						if d.Verdict == rules.Refused {
							t.Errorf("refused: %v", d)
						}
					}
				}
				got := ""
				for _, a := range c.Decision("C").Causes {
					got += " " + a.Cause.String() + " " + a.Owner
				}
				if want != "" {
					want = " " + want
				}
				if got != want {
					t.Errorf("hold mode %v: causes%s, want%s", mode, got, want)
				}
			}
		})
	}
}

// A retrieve at the instant of a consult lets no sample of the customer slip through.
func TestRetrievedToConsult(t *testing.T) {
	for _, kind := range []rules.Kind{rules.Consulted, rules.ConsultDialled} {
		f := loose()
		f.Hold, f.ConsultHolds = rules.HoldLeg, true
		c := rules.Open(rules.NewPolicy(f), "r")
		events := [][]rules.Event{
			{{Kind: rules.InteractionStarted, Direction: rules.DirectionInbound}, {Kind: rules.PartyJoined, Party: "C", Identity: who("C")},
				{Kind: rules.PartyJoined, Party: "A1", Identity: who("A1")}, {Kind: rules.StreamAdded, Stream: "C"},
				{Kind: rules.StreamSends, Stream: "C", Party: "C"}},
			{{Kind: rules.Held, Party: "A1"}},
			{{Kind: rules.Retrieved, Party: "A1"}, {Kind: kind, Party: "A1", Other: "A2", Identity: who("A2")}},
		}
		var d rules.Decision
		for i, list := range events {
			for j := range list {
				list[j].At = at(i)
			}
			c.Apply(list...)
			d = c.Decision("C")
		}
		if len(d.Causes) != 1 || d.Causes[0].Cause != rules.Hold {
			t.Errorf("%v: %v", kind, d)
		}
	}
}

func TestBookNameOf(t *testing.T) {
	b := rules.Compile(rules.Directory{
		Numbering: rules.Numbering{CountryCode: "1"},
		Queues:    []rules.Entry{{Name: "support", AORs: []string{"sip:q7@example.com"}}, {Numbers: []string{"+15550100"}}},
	})
	for address, want := range map[string]string{"sip:q7@example.com": "support", "tel:+1-555-0100": "+15550100", "sip:q8@example.com": "", "": ""} {
		if got := b.NameOf(address); got != want {
			t.Errorf("%q is called %q, want %q", address, got, want)
		}
	}
}

// What an owner said of either of two interactions that are one is in force in both.
func TestMergeForeign(t *testing.T) {
	f := loose()
	f.Hold = rules.HoldAction
	open := func(id rules.RecordingID, kind rules.Kind) *rules.Case {
		c := rules.Open(rules.NewPolicy(f), id)
		c.Apply(rules.Event{Kind: rules.InteractionStarted, Direction: rules.DirectionInbound, At: at(0)},
			rules.Event{Kind: rules.PartyJoined, Party: "C", Identity: who("C"), At: at(0)},
			rules.Event{Kind: rules.StreamAdded, Stream: rules.StreamID(id), At: at(0)},
			rules.Event{Kind: rules.StreamSends, Stream: rules.StreamID(id), Party: "C", At: at(0)},
			rules.Event{Kind: kind, Owner: "sdp of " + string(id), At: at(1)})
		return c
	}
	c := open("a", rules.Held)
	c.Merge(open("b", rules.PausePressed), at(2))
	for _, s := range []rules.StreamID{"a", "b"} {
		if got := line(c.Decision(s)); got != "withhold "+string(s)+"@2 hold/sdp of a@1 manual/sdp of b@1" {
			t.Errorf("decided %s", got)
		}
	}
	c.Apply(rules.Event{Kind: rules.Retrieved, Owner: "sdp of a", At: at(3)}, rules.Event{Kind: rules.ResumePressed, Owner: "sdp of b", At: at(3)})
	if d := c.Decision("a"); d.Verdict != rules.Record {
		t.Errorf("after both ended: %v", d)
	}
}
