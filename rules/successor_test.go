package rules_test

import (
	"slices"
	"testing"

	"github.com/siprecd/siprecd/metadata"
	"github.com/siprecd/siprecd/rules"
)

// A party that goes on under another id keeps its place in the first pair: what
// is told of the pair later is about it, and a third is not of the pair.
func TestSuccessorKeepsItsPlace(t *testing.T) {
	r := rules.NewRoster(rules.Compile(contact), rules.Profile{})
	play(r, step{0, []string{"c sip:zoe@o.example", "d sip:y@o.example"}, nil})
	play(r, step{20, []string{"c2 sip:zoe@o.example", "d sip:y@o.example"}, nil})
	got := r.Tell(at(30), rules.Statement{Participant: "d", Role: rules.RoleAgent, IdentifiedBy: rules.ByDirectory, Source: "desktop"})
	var who []metadata.ID
	for _, g := range got {
		who = append(who, g.Participant)
	}
	if !slices.Equal(who, []metadata.ID{"d", "c2"}) {
		t.Errorf("rulings on %v: the successor is the other of the pair", who)
	}
	if next, _ := r.Ruling("c2"); next.Role != rules.RoleCustomer || next.Because != rules.RuledPaired || !next.Since.Equal(at(0)) || next.Continues != "c" {
		t.Errorf("%+v", next)
	}
	if first, _ := r.Ruling("c"); first.Role != rules.RoleUnknown {
		t.Errorf("who has gone is ruled on: %+v", first)
	}
}

// One that went has one successor; a second of the same address is somebody new.
func TestOneSuccessor(t *testing.T) {
	r := rules.NewRoster(rules.Compile(contact), rules.Profile{})
	got := play(r, step{0, []string{outsider, bert}, nil}, step{20, []string{outsider, "x sip:bert@contact.example", "y sip:bert@contact.example"}, nil})
	want := []string{"c customer|typed number|invited", "a agent|directory|invited", "x agent|directory|continued", "y agent|directory|invited"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if y, _ := r.Ruling("y"); y.FirstPair || y.Continues != "" {
		t.Errorf("%+v", y)
	}
}

// What is told counts for whom it names: an id, or an address where no id is
// given; to say nothing of a role says nothing.
func TestTold(t *testing.T) {
	for _, tt := range []struct {
		name string
		s    rules.Statement
		want rules.Role
	}{
		{"by id", rules.Statement{Participant: "d", Role: rules.RoleAgent}, rules.RoleAgent},
		{"by another id", rules.Statement{Participant: "e", Role: rules.RoleAgent}, rules.RoleUnknown},
		{"by address", rules.Statement{Address: "sip:y@o.example", Role: rules.RoleAgent}, rules.RoleAgent},
		{"by another address", rules.Statement{Address: "sip:z@o.example", Role: rules.RoleAgent}, rules.RoleUnknown},
		{"by an id, which goes before the address", rules.Statement{Participant: "e", Address: "sip:y@o.example", Role: rules.RoleAgent}, rules.RoleUnknown},
		{"by nothing", rules.Statement{Role: rules.RoleAgent}, rules.RoleUnknown},
		{"of no role", rules.Statement{Participant: "d"}, rules.RoleUnknown},
	} {
		tt.s.IdentifiedBy = rules.ByDirectory
		r := rules.NewRoster(rules.Compile(rules.Directory{}), rules.Profile{})
		play(r, step{0, []string{"c sip:x@o.example", "d sip:y@o.example"}, nil})
		changed := r.Tell(at(3), tt.s)
		got, _ := r.Ruling("d")
		if got.Role != tt.want || (len(changed) > 0) != (tt.want != rules.RoleUnknown) {
			t.Errorf("%s: %v, %d changed", tt.name, got.Role, len(changed))
		}
		if tt.want != rules.RoleUnknown && (got.Because != rules.RuledIdentified || r.RolesUnknown()) {
			t.Errorf("%s: %v", tt.name, got.Because)
		}
		if again := r.Tell(at(4), tt.s); len(again) != 0 {
			t.Errorf("%s: told twice changes %v", tt.name, again)
		}
	}
}

// A placeholder keeps its place for the party whom the SRC describes later, and
// nothing is ruled again while it is still one.
func TestPlaceholderFilled(t *testing.T) {
	p := rules.Profile{Placeholders: []string{"sip:x@sbc.example"}}
	r := rules.NewRoster(rules.Compile(contact), p)
	got := play(r,
		step{0, []string{outsider, "x sip:x@sbc.example"}, nil},
		step{1, []string{outsider, "x sip:x@sbc.example"}, nil},
		step{2, []string{outsider, "x sip:bert@contact.example"}, nil},
		step{3, []string{outsider, "x sip:x@sbc.example"}, nil})
	want := []string{"c unknown|unknown|invited", "x unknown|unknown|invited", "x agent|directory|filled", "c customer|typed number|paired"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if x, _ := r.Ruling("x"); !x.FirstPair || !x.Since.Equal(at(0)) {
		t.Errorf("%+v", x)
	}
	// A fact may say so of a participant, whatever its address, and of no other.
	fact := []metadata.Fact{{Kind: metadata.FactPlaceholder, Of: metadata.ParticipantKind, About: "x"}}
	r = rules.NewRoster(rules.Compile(contact), rules.Profile{})
	got = play(r, step{0, []string{outsider, "x sip:bert@contact.example"}, fact})
	want = []string{"c unknown|unknown|invited", "x unknown|unknown|invited"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	// An earlier fact about another address does not hold any more.
	fact[0].Value = "sip:other@sbc.example"
	r = rules.NewRoster(rules.Compile(contact), rules.Profile{})
	got = play(r, step{0, []string{outsider, "x sip:bert@contact.example"}, fact})
	want = []string{"c customer|typed number|invited", "x agent|directory|invited"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
