package rules_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/siprecd/siprecd/rules"
)

func TestCheckDirectory(t *testing.T) {
	if got := contact.Check(); got != nil {
		t.Errorf("problems in a good directory: %v", got)
	}
	if got := (rules.Directory{}).Check(); got != nil {
		t.Errorf("problems in an empty directory: %v", got)
	}
	d := rules.Directory{
		Agents: []rules.Entry{
			{Name: "Anna", AORs: []string{"sip:anna@contact.example", "nobody", "tel:+1-555-0101"}, Numbers: []string{"+15550101", "anna"}, Extensions: []string{"1001", "911", "12345678"}},
			{},
			{Patterns: []string{"*", "ag-*"}, Domains: []string{"agents.example", "a*b.example"}},
			{Extensions: []string{"1001"}},
		},
		Supervisors: []rules.Entry{{AORs: []string{"anna@CONTACT.example"}}},
		Inside:      rules.Inside{Domains: []string{"x.example", ""}, Realms: []string{"*"}, Numbers: []string{"+15550199-+15550100", "100-1999", "+1555*", "*", "5550100"}},
		InsideRole:  rules.RoleQueue,
		Numbering:   rules.Numbering{Trunk: "0x", International: "+", National: 40},
		Profiles: []rules.Profile{
			{Name: "a", RecordedLabel: "1", RecordedOrder: rules.OrderFirst},
			{Name: "a", RecordedOrder: rules.OrderFirst, Caller: rules.OrderFirst, Direction: rules.DirectionInbound, Placeholders: []string{"x"}},
			{Name: "b", RecordedOrder: rules.OrderFirst, Caller: rules.OrderFirst, Direction: rules.DirectionOutbound, Placeholders: []string{"sip:x@y.example"}},
		},
	}
	want := []string{
		`agents[0].aors[0]: contradicts supervisors[0].aors[0]: supervisor there, agent here`,
		`agents[0].aors[1]: "nobody": no address with user and host`,
		`agents[0].numbers[0]: is in agents[0].aors[2] already`,
		`agents[0].numbers[1]: "anna": no number`,
		`agents[0].extensions[1]: "911": no extension: want 3 to 6 digits, and no emergency number`,
		`agents[0].extensions[2]: "12345678": no extension: want 3 to 6 digits, and no emergency number`,
		`agents[1]: lists nothing`,
		`agents[2].patterns[0]: "*": the pattern is for everybody`,
		`agents[2].domains[1]: "a*b.example": no domain, address or network`,
		`agents[3].extensions[0]: is in agents[0].extensions[0] already`,
		`inside.domains[1]: "": no domain, address or network`,
		`inside.numbers[0]: "+15550199-+15550100": no number range: want low-high, equally long, or prefix*`,
		`inside.numbers[1]: "100-1999": no number range: want low-high, equally long, or prefix*`,
		`inside.numbers[3]: "*": no number range: want low-high, equally long, or prefix*`,
		`inside.numbers[4]: "5550100": no number range: want low-high, equally long, or prefix*`,
		`inside.realms[0]: "*": names no realm`,
		`inside_role: queue is none of the own people`,
		`numbering.trunk: "0x": want digits`,
		`numbering.international: "+": want digits`,
		`numbering: trunk and national_length have no effect without country_code`,
		`numbering.national_length: want 0 to 15`,
		`profiles[0]: recorded_label and recorded_order contradict each other: set one`,
		`profiles[1].name: a profile needs a name of its own`,
		`profiles[1]: recorded_order, caller and direction inbound contradict each other`,
		`profiles[1].placeholders[0]: "x": no address with user and host`,
	}
	var got []string
	for _, p := range d.Check() {
		got = append(got, p.String())
	}
	if !slices.Equal(got, want) {
		for i := range max(len(got), len(want)) {
			fmt.Println(slices.Concat(got, make([]string, 99))[i], "\n  want", slices.Concat(want, make([]string, 99))[i])
		}
		t.Error("other problems")
	}
	// A directory with problems can be compiled all the same.
	rules.Compile(d)
	if p, ok := d.Profile("b"); !ok || p.Caller != rules.OrderFirst {
		t.Errorf("%+v, %v", p, ok)
	}
	if _, ok := d.Profile("c"); ok {
		t.Error("a profile that is not there")
	}
}

// A pattern for every user is for no address without one.
func TestPatternWantsUser(t *testing.T) {
	d := rules.Directory{Users: []rules.Entry{{Patterns: []string{"*"}}}}
	for aor, want := range map[string]rules.Role{"pbx.example": rules.RoleUnknown, "sip:x@pbx.example": rules.RoleUser} {
		if got := ruled(t, d, rules.Profile{}, "p", step{0, []string{"p " + aor}, nil}); got.Role != want {
			t.Errorf("%s is %v", aor, got.Role)
		}
	}
}

// The evidence names what was matched.
func TestLookUp(t *testing.T) {
	d := rules.Directory{
		Agents: []rules.Entry{
			{AORs: []string{"sip:anna@contact.example", "tel:+15555550101"}},
			{Name: "the team", Patterns: []string{"ag?nt-*", "*-x@*.contact.example", "20??", "*"}},
			{Name: "the site", Domains: []string{"*.site.example", "192.0.2.7", "2001:db8::/32"}},
			{Name: "twice", AORs: []string{"sip:anna@contact.example"}},
			{Name: "unreadable", Domains: []string{"", "a*b.example"}, Extensions: []string{"", "x"}, Patterns: []string{""}},
		},
		Users: []rules.Entry{{Name: "Uwe", Extensions: []string{"3001"}}},
		Inside: rules.Inside{
			Numbers: []string{"4000-4999", "+1 555-*", "+1-444-0100-+1-444-0199", "600-6999", "*"},
			Domains: []string{"2001:DB9:1:0::7", ""},
		},
	}
	d.Agents[1].Patterns = d.Agents[1].Patterns[:3]
	tests := []struct{ aor, want string }{
		{"sip:Anna@contact.example", "agent: agent sip:anna@contact.example of the directory, by AOR"},
		{"tel:+1-555-555-0101", "agent: agent tel:+15555550101 of the directory, by number"},
		{"sip:agent-7@x.example", "agent: agent the team of the directory, by pattern"},
		{"sip:a-x@b.contact.example", "agent: agent the team of the directory, by pattern"},
		{"sip:a-xy@b.contact.example", ""},
		{"sip:my-agent-7@x.example", ""},
		{"a*b.example", ""},
		{"sip:b@[2001:db9:1::7]", "agent: AOR host in inside domain 2001:db9:1:0::7"},
		{"tel:+14440150", "agent: agent +1-444-0100-+1-444-0199 of the directory, by number range"},
		{"650", ""},
		{"sip:x", ""},
		{"2077", "agent: agent the team of the directory, by pattern"},
		{"sip:b@a.site.example", "agent: agent the site of the directory, by domain"},
		{"sip:b@site.example", ""},
		{"sip:b@192.0.2.7", "agent: agent the site of the directory, by domain"},
		{"sip:b@[2001:db8::5]", "agent: agent the site of the directory, by domain"},
		{"sip:b@192.0.2.7;user=phone", ""},
		{"sip:3001@x.example", "user: user Uwe of the directory, by extension"},
		{"tel:4100", "agent: agent 4000-4999 of the directory, by number range"},
		{"tel:5100", ""},
		{"tel:+15555550999", "agent: agent +1 555-* of the directory, by number range"},
	}
	for _, tt := range tests {
		r := rules.NewRoster(rules.Compile(d), rules.Profile{})
		play(r, step{0, []string{"p " + tt.aor}, nil})
		got, _ := r.Ruling("p")
		words := fmt.Sprintf("%v: %s", got.Role, got.Evidence)
		if got.Strength == 0 {
			words = ""
		}
		if words != tt.want {
			t.Errorf("%s: %q, want %q", tt.aor, words, tt.want)
		}
	}
}
