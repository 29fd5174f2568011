package rules_test

import (
	"slices"
	"testing"

	"github.com/siprecd/siprecd/metadata"
	"github.com/siprecd/siprecd/rules"
)

const (
	outsider = "c sip:+15555550170@carrier.example"
	bert     = "a sip:bert@contact.example"
)

// ruled plays steps and returns the ruling of one party.
func ruled(t *testing.T, d rules.Directory, p rules.Profile, id metadata.ID, steps ...step) rules.Ruling {
	t.Helper()
	r := rules.NewRoster(rules.Compile(d), p)
	play(r, steps...)
	got, ok := r.Ruling(id)
	if !ok {
		t.Fatalf("no participant %s", id)
	}
	return got
}

// What was considered stands in the order of its strength, each once, and what
// decides comes first.
func TestConsidered(t *testing.T) {
	facts := []metadata.Fact{
		{Kind: metadata.FactRealm, Of: metadata.ParticipantKind, About: "a", Value: "ACCESS"},
		{Kind: metadata.FactRealm, Of: metadata.ParticipantKind, About: "a", Value: "ACCESS"},
		{Kind: metadata.FactRecordedParty, Of: metadata.ParticipantKind, About: "a", Field: "x/y"},
		{Kind: metadata.FactDirection, Value: "inbound", Field: "x/way"},
	}
	got := ruled(t, contact, rules.Profile{}, "a", step{0, []string{outsider, bert}, facts})
	var strengths []rules.Strength
	for _, e := range got.Considered {
		strengths = append(strengths, e.Strength)
	}
	want := []rules.Strength{rules.StrengthStated, rules.StrengthDirectory, rules.StrengthInside, rules.StrengthInside, rules.StrengthDirection}
	if !slices.Equal(strengths, want) || got.Strength != rules.StrengthStated {
		t.Errorf("considered %+v", got.Considered)
	}
	r := rules.NewRoster(rules.Compile(contact), rules.Profile{})
	play(r, step{0, []string{outsider, bert}, facts})
	r.Rulings()[1].Considered[0].Words = "changed by who asked"
	if again, _ := r.Ruling("a"); again.Considered[0].Words != again.Evidence {
		t.Error("a ruling is changed from outside")
	}
}

// A telephone number at a host of the own people is noted and decides nothing.
func TestGatewayHost(t *testing.T) {
	got := ruled(t, contact, rules.Profile{}, "g", step{0, []string{outsider, "g sip:+15555550171@contact.example;user=phone"}, nil})
	if got.Role != rules.RoleUnknown || len(got.Considered) != 2 || !got.Considered[1].Noted ||
		got.Considered[1].Words != "AOR host in inside domain contact.example, but it is a telephone number" {
		t.Errorf("%+v", got)
	}
}

// A realm counts for the participant of which it is told, when the list names it.
func TestRealms(t *testing.T) {
	realm := func(about metadata.ID, of metadata.Kind, value string) []metadata.Fact {
		return []metadata.Fact{{Kind: metadata.FactRealm, Of: of, About: about, Value: value}}
	}
	d := rules.Directory{Inside: rules.Inside{Realms: []string{"acc*", ""}}}
	for _, tt := range []struct {
		name  string
		facts []metadata.Fact
		want  rules.Role
	}{
		{"its own", realm("x", metadata.ParticipantKind, "Access"), rules.RoleAgent},
		{"another", realm("x", metadata.ParticipantKind, "peer"), rules.RoleUnknown},
		{"none", realm("x", metadata.ParticipantKind, ""), rules.RoleUnknown},
		{"of the call", realm("x", metadata.CommunicationSessionKind, "Access"), rules.RoleUnknown},
		{"another fact", []metadata.Fact{{Kind: metadata.FactAgentID, Of: metadata.CommunicationSessionKind, About: "x", Value: "Access"}}, rules.RoleUnknown},
	} {
		if got := ruled(t, d, rules.Profile{}, "x", step{0, []string{outsider, "x sip:x@pbx.example"}, tt.facts}); got.Role != tt.want {
			t.Errorf("%s: %v by %s", tt.name, got.Role, got.Evidence)
		}
	}
}

// The most particular entry is the one that counts, the first of two alike.
func TestMostParticular(t *testing.T) {
	d := rules.Directory{
		Agents:      []rules.Entry{{Name: "A", AORs: []string{"sip:2001@x.example"}}, {Name: "D", Domains: []string{" x.example "}}},
		Supervisors: []rules.Entry{{Name: "S", Numbers: []string{"2001", "+15555550101"}}, {Name: "T", Numbers: []string{"+15555550101"}}},
		Users:       []rules.Entry{{Name: "U", Extensions: []string{"2001", "2002"}, Patterns: []string{"20??", "", "*-u@y.example"}}},
		Inside:      rules.Inside{Numbers: []string{" 3000-3999 ", "+1444*", "x", "50-6"}, Domains: []string{" 192.0.2.0/24 "}},
	}
	for _, tt := range []struct{ aor, want string }{
		{"sip:2001@x.example", "agent A of the directory, by AOR"},
		{"sip:2001@y.example", "supervisor S of the directory, by number"},
		{"sip:+15555550101@y.example", "supervisor S of the directory, by number"},
		{"sip:2002@y.example", "user U of the directory, by extension"},
		{"sip:2003@y.example", "user U of the directory, by pattern"},
		{"sip:b-u@y.example", "user U of the directory, by pattern"},
		{"sip:b-u@z.example", ""},
		{"sip:b@x.example", "agent D of the directory, by domain"},
		{"sip:3000@y.example", "agent 3000-3999 of the directory, by number range"},
		{"sip:3999@y.example", "agent 3000-3999 of the directory, by number range"},
		{"sip:4000@y.example", ""}, {"sip:2999@y.example", ""}, {"sip:35000@y.example", ""}, {"sip:350@y.example", ""},
		{"sip:+14440@y.example", "agent +1444* of the directory, by number range"},
		{"sip:+15440@y.example", ""},
		{"sip:b@192.0.2.9", "AOR host in inside domain 192.0.2.0/24"},
		{"sip:b@192.0.3.9", ""}, {"sip:b@pbx.example", ""},
	} {
		got := ruled(t, d, rules.Profile{}, "p", step{0, []string{"p " + tt.aor}, nil})
		words := got.Evidence
		if got.Strength == 0 {
			words = ""
		}
		if words != tt.want {
			t.Errorf("%s: %q, want %q", tt.aor, words, tt.want)
		}
	}
}

// Of who joins later, digits alone make nobody an agent: not by a pattern for the
// user part, nor by an AOR of a telephone; a pattern with a host does.
func TestBareLater(t *testing.T) {
	d := rules.Directory{
		Agents: []rules.Entry{{AORs: []string{"sip:bert@contact.example"}}, {Patterns: []string{"20??"}}, {Patterns: []string{"30??@pbx.example"}}, {Patterns: []string{"ag-*"}}},
		Queues: []rules.Entry{{Numbers: []string{"+15555550199"}}},
	}
	for _, tt := range []struct {
		aor  string
		want rules.Role
		by   rules.IdentifiedBy
	}{
		{"sip:2001@pbx.example", rules.RoleExternal, rules.ByNumber},
		{"sip:3001@pbx.example", rules.RoleAgent, rules.ByDirectory},
		{"sip:3001@pbx.example;user=phone", rules.RoleExternal, rules.ByNumber},
		{"sip:ag-7@pbx.example", rules.RoleAgent, rules.ByDirectory},
		{"sip:+15555550199@pbx.example", rules.RoleQueue, rules.ByDirectory},
		{"sip:zoe@pbx.example", rules.RoleExternal, rules.ByUnknown},
	} {
		got := ruled(t, d, rules.Profile{}, "n", step{0, []string{outsider, bert}, nil}, step{9, []string{outsider, bert, "n " + tt.aor}, nil})
		if got.Role != tt.want || got.IdentifiedBy != tt.by {
			t.Errorf("%s: %v by %v (%s)", tt.aor, got.Role, got.IdentifiedBy, got.Evidence)
		}
	}
}

// Direction: what is told of the call, what contradicts itself, and what the pair
// says.
func TestDirectionsTold(t *testing.T) {
	way := func(values ...string) (out []metadata.Fact) {
		for _, v := range values {
			out = append(out, metadata.Fact{Kind: metadata.FactDirection, Value: v, Field: "x/way"})
		}
		return out
	}
	both := rules.Directory{Inside: rules.Inside{Domains: []string{"in.example"}}}
	for _, tt := range []struct {
		name    string
		parties []string
		facts   []metadata.Fact
		profile rules.Profile
		want    rules.Direction
	}{
		{"told", []string{"a x@o.example", "b y@o.example"}, way("inbound"), rules.Profile{}, rules.DirectionInbound},
		{"told twice", []string{"a x@o.example", "b y@o.example"}, way("outbound", "outbound"), rules.Profile{}, rules.DirectionOutbound},
		{"and once unknown", []string{"a x@o.example", "b y@o.example"}, way("outbound", "unknown", "sideways"), rules.Profile{}, rules.DirectionOutbound},
		{"contradicting", []string{"a x@o.example", "b y@o.example"}, way("outbound", "inbound"), rules.Profile{}, rules.DirectionUnknown},
		{"another fact", []string{"a x@o.example", "b y@o.example"}, []metadata.Fact{{Kind: metadata.FactAgentID, Value: "inbound"}}, rules.Profile{}, rules.DirectionUnknown},
		{"internal, whatever is told", []string{"a x@in.example", "b y@in.example"}, way("inbound"), rules.Profile{}, rules.DirectionInternal},
		{"caller inside", []string{"a x@in.example", "b y@o.example"}, nil, rules.Profile{}, rules.DirectionOutbound},
		{"called inside", []string{"a y@o.example", "b x@in.example"}, nil, rules.Profile{}, rules.DirectionInbound},
		{"one alone", []string{"a x@in.example"}, nil, rules.Profile{}, rules.DirectionUnknown},
		{"by the profile", []string{"a x@o.example", "b y@o.example"}, nil, rules.Profile{Name: "p", Direction: rules.DirectionInbound}, rules.DirectionInbound},
		{"a service is called first", []string{"s urn:service:sos", "b y@o.example"}, nil, rules.Profile{}, rules.DirectionInbound},
		{"a service is called", []string{"a y@o.example", "s urn:service:sos"}, nil, rules.Profile{}, rules.DirectionInbound},
	} {
		r := rules.NewRoster(rules.Compile(both), tt.profile)
		play(r, step{0, tt.parties, tt.facts})
		if got := r.Direction(); got.Direction != tt.want || got.Evidence == "" {
			t.Errorf("%s: %v (%s)", tt.name, got.Direction, got.Evidence)
		}
	}
}

// A direction that was found with both parties known stays.
func TestDirectionStays(t *testing.T) {
	r := rules.NewRoster(rules.Compile(contact), rules.Profile{})
	for i, tt := range []struct {
		parties []string
		told    string
		want    rules.Direction
	}{
		{nil, "", rules.DirectionUnknown},
		{[]string{bert}, "outbound", rules.DirectionOutbound},
		{[]string{bert}, "inbound", rules.DirectionInbound},
		{[]string{bert, outsider}, "inbound", rules.DirectionInbound},
		{[]string{bert, outsider}, "outbound", rules.DirectionInbound},
	} {
		var facts []metadata.Fact
		if tt.told != "" {
			facts = []metadata.Fact{{Kind: metadata.FactDirection, Value: tt.told, Field: "x/way"}}
		}
		play(r, step{i, tt.parties, facts})
		if got := r.Direction().Direction; got != tt.want {
			t.Errorf("message %d: %v, want %v", i, got, tt.want)
		}
	}
}

// RolesUnknown holds until one of the pair is placed, whichever it is.
func TestRolesUnknownOfAPair(t *testing.T) {
	r := rules.NewRoster(rules.Compile(contact), rules.Profile{})
	if !r.RolesUnknown() {
		t.Error("known before anybody came")
	}
	play(r, step{0, []string{outsider}, nil})
	if !r.RolesUnknown() {
		t.Error("known of an outsider alone")
	}
	play(r, step{1, []string{outsider, bert}, nil})
	if r.RolesUnknown() {
		t.Error("unknown with an agent of the directory")
	}
	first := rules.NewRoster(rules.Compile(contact), rules.Profile{})
	play(first, step{0, []string{bert}, nil})
	if first.RolesUnknown() {
		t.Error("unknown with an agent alone")
	}
}

// A second party that goes within the window was the queue only when the first is
// still there and is not an own person for sure, and the window ends with its
// last instant.
func TestHasty(t *testing.T) {
	const queue = "q sip:5000@pbx.example"
	for _, tt := range []struct {
		name  string
		steps []step
		want  rules.Role // of the second party
	}{
		{"at the end of the window", []step{{0, []string{outsider, queue}, nil}, {10, []string{outsider, "n sip:1001@pbx.example"}, nil}}, rules.RoleQueue},
		{"still there", []step{{0, []string{outsider, queue}, nil}, {5, []string{outsider, queue, "n sip:1001@pbx.example"}, nil}}, rules.RoleAgent},
		{"the first has gone", []step{{0, []string{outsider, queue}, nil}, {5, []string{"n sip:1001@pbx.example"}, nil}}, rules.RoleAgent},
		{"both at once", []step{{0, []string{outsider, queue, "n sip:1001@pbx.example"}, nil}}, rules.RoleAgent},
	} {
		if got := ruled(t, contact, rules.Profile{}, "q", tt.steps...); got.Role != tt.want {
			t.Errorf("%s: %v (%s)", tt.name, got.Role, got.Evidence)
		}
	}
}

// The stream that the recorded user sends tells, by the profile, while just one
// of the pair sends it.
func TestRecordedLabel(t *testing.T) {
	p := rules.Profile{Name: "sbc", RecordedLabel: "2"}
	doc := l1("", "a sip:x@o.example", "b sip:y@o.example")
	newCall(t, rules.Directory{}, p).say(0, doc).
		want("sip:y@o.example", "agent|unknown|first pair: sends stream 2 of the recorded user (profile sbc)").
		want("sip:x@o.example", "customer|unknown|first pair: does not send stream 2 of the recorded user (profile sbc)")
	p.RecordedLabel = "3"
	newCall(t, rules.Directory{}, p).say(0, doc).
		want("sip:y@o.example", "unknown|unknown|roles unknown: nothing places a party of the first pair inside")
	// A short number says nothing where the profile tells.
	p = rules.Profile{Name: "sbc", RecordedOrder: rules.OrderFirst}
	newCall(t, rules.Directory{}, p).say(0, l1("", "a sip:+15555550170@o.example", "b sip:1001@o.example")).
		want("sip:1001@o.example", "customer|typed number|first pair: first participant is the recorded user (profile sbc)")
}
