package rules_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/siprecd/siprecd/metadata"
	"github.com/siprecd/siprecd/rules"
)

// A step is a message in short: who is there at a second, and the facts.
type step struct {
	second  int
	parties []string
	facts   []metadata.Fact
}

// play updates a roster and returns "id role|identified by|occasion" of each
// ruling, in order.
func play(r *rules.Roster, steps ...step) []string {
	var out []string
	for _, s := range steps {
		for _, got := range r.Update(at(s.second), metadata.View{Participants: presences(s.parties...)}, s.facts) {
			out = append(out, fmt.Sprintf("%s %v|%v|%v", got.Participant, got.Role, got.IdentifiedBy, got.Because))
		}
	}
	return out
}

func TestRoster(t *testing.T) {
	const agent, customer = "a sip:bert@contact.example", "c sip:+15555550170@carrier.example"
	named := func(id metadata.ID) []metadata.Fact {
		return []metadata.Fact{{Kind: metadata.FactRecordedParty, Of: metadata.ParticipantKind, About: id, Dialect: metadata.DialectMetaswitch}}
	}
	pair := step{0, []string{customer, agent}, nil}
	tests := []struct {
		name    string
		dir     rules.Directory
		profile rules.Profile
		steps   []step
		want    []string
	}{
		{"a number makes an agent in the first pair", contact, rules.Profile{},
			[]step{{0, []string{customer, "n tel:+15555550101"}, nil}},
			[]string{"c customer|typed number|invited", "n agent|directory|invited"}},
		{"and no agent of who joins later", contact, rules.Profile{},
			[]step{pair, {30, []string{customer, agent, "n tel:+15555550101", "x 1001", "y sip:sue@contact.example"}, nil}},
			[]string{"c customer|typed number|invited", "a agent|directory|invited", "n external|typed number|invited", "x external|typed number|invited", "y supervisor|directory|invited"}},
		{"not even as an address of the directory when it is a telephone number",
			rules.Directory{Agents: []rules.Entry{{AORs: []string{"sip:bert@contact.example", "sip:2001@gw.example"}}}}, rules.Profile{},
			[]step{pair, {30, []string{customer, agent, "n sip:2001@gw.example;user=phone", "m sip:2001@gw.example"}, nil}},
			[]string{"c customer|typed number|invited", "a agent|directory|invited", "n external|typed number|invited", "m agent|directory|invited"}},
		{"unless the profile says so", contact, rules.Profile{Name: "p", NumbersMean: rules.NumbersAgent},
			[]step{pair, {30, []string{customer, agent, "n tel:+15555550101"}, nil}},
			[]string{"c customer|typed number|invited", "a agent|directory|invited", "n agent|directory|invited"}},
		{"or the domain", contact, rules.Profile{},
			[]step{pair, {30, []string{customer, agent, "n sip:1001@contact.example", "m sip:1001@contact.example;user=phone"}, nil}},
			[]string{"c customer|typed number|invited", "a agent|directory|invited", "n agent|directory|invited", "m external|typed number|invited"}},
		{"or extension data", contact, rules.Profile{},
			[]step{pair, {30, []string{customer, agent, "n tel:+15555550101"}, named("n")}},
			[]string{"c customer|typed number|invited", "a agent|directory|invited", "n agent|directory|invited"}},
		{"extension data later does not reach a typed number", contact, rules.Profile{},
			[]step{pair, {30, []string{customer, agent, "n tel:+15555550101"}, nil}, {31, []string{customer, agent, "n tel:+15555550101"}, named("n")}},
			[]string{"c customer|typed number|invited", "a agent|directory|invited", "n external|typed number|invited"}},
		{"but who is not identified", contact, rules.Profile{},
			[]step{pair, {30, []string{customer, agent, "n sip:zoe@else.example"}, nil}, {31, []string{customer, agent, "n sip:zoe@else.example"}, named("n")}, {32, []string{customer, agent, "n sip:zoe@else.example"}, nil}},
			[]string{"c customer|typed number|invited", "a agent|directory|invited", "n external|unknown|invited", "n agent|directory|identified"}},
		{"and by address only by a whole one", contact, rules.Profile{},
			[]step{pair, {30, []string{customer, agent, "n sip:zoe@else.example", "m sip:z@else.example;user=phone"}, []metadata.Fact{
				{Kind: metadata.FactRecordedParty, Value: "zoe@else.example"}, {Kind: metadata.FactRecordedParty, Value: "z@else.example"}}}},
			[]string{"c customer|typed number|invited", "a agent|directory|invited", "n agent|directory|invited", "m external|unknown|invited"}},
		{"what names both names nobody", rules.Directory{}, rules.Profile{},
			[]step{{0, []string{"a 5555550101", "b 15555550101"}, []metadata.Fact{{Kind: metadata.FactRecordedParty, Value: "+15555550101", Dialect: metadata.DialectMetaswitch}}}},
			[]string{"a unknown|unknown|invited", "b unknown|unknown|invited"}},
		{"one alone is unknown until the other comes", contact, rules.Profile{},
			[]step{{0, []string{customer}, nil}, {3, []string{customer, agent}, nil}},
			[]string{"c unknown|unknown|invited", "a agent|directory|invited", "c customer|typed number|paired"}},
		{"the queue in front of the agent, named by the directory", contact, rules.Profile{},
			[]step{{0, []string{customer, "q tel:+15555550199"}, nil}, {300, []string{customer, "n tel:+15555550101"}, nil}},
			[]string{"c customer|typed number|invited", "q queue|directory|invited", "n agent|directory|invited"}},
		{"an IVR, described with all others at once", contact, rules.Profile{},
			[]step{{0, []string{customer, "i sip:ivr-1@else.example", "n tel:+15555550101"}, nil}},
			[]string{"c customer|typed number|invited", "i ivr|directory|invited", "n agent|directory|invited"}},
		{"a queue by name and by address", rules.Directory{}, rules.Profile{},
			[]step{{0, []string{customer, "q sip:q@x.example|Sales", "p tel:+15555550198"}, []metadata.Fact{
				{Kind: metadata.FactQueueName, Value: "SALES"}, {Kind: metadata.FactQueueNumber, Value: "+15555550198"}}}},
			[]string{"c customer|typed number|invited", "q queue|directory|invited", "p queue|directory|invited"}},
		{"a second party replaced within the window", contact, rules.Profile{},
			[]step{{0, []string{customer, "q sip:5000@pbx.example"}, nil}, {7, []string{customer, "n sip:1001@pbx.example"}, nil}},
			[]string{"c customer|typed number|invited", "q agent|unknown|invited", "q queue|unknown|replaced", "n agent|directory|invited"}},
		{"or after it", contact, rules.Profile{},
			[]step{{0, []string{customer, "q sip:5000@pbx.example"}, nil}, {11, []string{customer, "n sip:1001@pbx.example"}, nil}},
			[]string{"c customer|typed number|invited", "q agent|unknown|invited", "n external|typed number|invited"}},
		{"or never", contact, rules.Profile{QueueWindow: -1},
			[]step{{0, []string{customer, "q sip:5000@pbx.example"}, nil}, {0, []string{customer, "n sip:1001@pbx.example"}, nil}},
			[]string{"c customer|typed number|invited", "q agent|unknown|invited", "n external|typed number|invited"}},
		{"a customer who is replaced was no queue", contact, rules.Profile{},
			[]step{{0, []string{agent, customer}, nil}, {5, []string{agent, "n tel:+15555550101"}, nil}},
			[]string{"a agent|directory|invited", "c customer|typed number|invited", "n external|typed number|invited"}},
		{"a placeholder that goes before the party comes", contact, rules.Profile{Placeholders: []string{"sip:x@sbc.example"}},
			[]step{{0, []string{customer, "x sip:x@sbc.example"}, nil}, {30, []string{customer}, nil}, {60, []string{customer, "n 1001"}, nil}},
			[]string{"c unknown|unknown|invited", "x unknown|unknown|invited", "n agent|directory|invited", "c customer|typed number|paired"}},
		{"all ids new", contact, rules.Profile{},
			[]step{pair, {30, []string{"c2 sip:+15555550170@else.example", "a2 bert@contact.example"}, nil}, {31, []string{"c3 sip:+15555550170@else.example", "a2 bert@contact.example", "a3 bert@contact.example"}, nil}},
			[]string{"c customer|typed number|invited", "a agent|directory|invited", "c2 customer|typed number|continued", "a2 agent|directory|continued", "c3 customer|typed number|continued", "a3 agent|directory|invited"}},
		{"another address makes nobody else", contact, rules.Profile{},
			[]step{pair, {30, []string{"c sip:bert@contact.example", "a tel:+15555550179"}, nil}},
			[]string{"c customer|typed number|invited", "a agent|directory|invited"}},
		{"who comes back is who it was", contact, rules.Profile{},
			[]step{pair, {30, []string{customer}, nil}, {40, []string{customer, agent}, nil}},
			[]string{"c customer|typed number|invited", "a agent|directory|invited"}},
		{"two from outside", contact, rules.Profile{},
			[]step{{0, []string{customer, "d sip:+15555550171@carrier.example"}, nil}},
			[]string{"c unknown|unknown|invited", "d unknown|unknown|invited"}},
		{"an emergency number is no extension", rules.Directory{}, rules.Profile{},
			[]step{{0, []string{"a 911", "b +15555550170"}, nil}},
			[]string{"a unknown|unknown|invited", "b unknown|unknown|invited"}},
		{"a party without address", contact, rules.Profile{},
			[]step{{0, []string{agent, "n "}, nil}, {1, []string{agent, "n tel:+15555550170"}, nil}},
			[]string{"a agent|directory|invited", "n customer|unknown|invited"}},
		{"facts that contradict each other tell no direction", rules.Directory{}, rules.Profile{},
			[]step{{0, []string{customer, "d tel:+15555550171"}, []metadata.Fact{{Kind: metadata.FactDirection, Value: "inbound"}, {Kind: metadata.FactDirection, Value: "outbound"}}}},
			[]string{"c unknown|unknown|invited", "d unknown|unknown|invited"}},
		{"own people are users where the directory says so", rules.Directory{InsideRole: rules.RoleUser, Inside: rules.Inside{Numbers: []string{"+15555550100-+15555550199", "+1444*"}}}, rules.Profile{},
			[]step{{0, []string{"a tel:+15555550150", "b tel:+15555550200"}, nil}, {1, []string{"a tel:+15555550150", "b tel:+15555550200", "c tel:+14445550100"}, nil}},
			[]string{"a user|directory|invited", "b customer|typed number|invited", "c external|typed number|invited"}},
		{"a supervisor who is only named so", rules.Directory{}, rules.Profile{},
			[]step{{0, []string{customer, "s sip:sue@x.example"}, []metadata.Fact{{Kind: metadata.FactSupervisor, Of: metadata.ParticipantKind, About: "s"}}}},
			[]string{"c customer|typed number|invited", "s supervisor|directory|invited"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := play(rules.NewRoster(rules.Compile(tt.dir), tt.profile), tt.steps...)
			if !slices.Equal(got, tt.want) {
				t.Errorf("\n got %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestTell(t *testing.T) {
	r := rules.NewRoster(rules.Compile(contact), rules.Profile{})
	told := func(s rules.Statement) string {
		var out string
		for _, got := range r.Tell(at(50), s) {
			out += fmt.Sprintf("%s %v|%v|%s|%v ", got.Participant, got.Role, got.IdentifiedBy, got.Evidence, got.Internal())
		}
		return out
	}
	if got := told(rules.Statement{Address: "tel:+15555550101", Role: rules.RoleAgent, IdentifiedBy: rules.ByDirectory, Source: "desktop of Bert"}); got != "" {
		t.Errorf("ruled on nobody: %s", got)
	}
	got := play(r, step{0, []string{"c tel:+15555550170", "a sip:bert@contact.example"}, nil},
		step{60, []string{"c tel:+15555550170", "a sip:bert@contact.example", "n tel:+15555550101", "m tel:+15555550102"}, nil})
	want := []string{"c customer|typed number|invited", "a agent|directory|invited", "n agent|directory|invited", "m external|typed number|invited"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, tt := range []struct {
		s    rules.Statement
		want string
	}{
		{rules.Statement{Participant: "m", Role: rules.RoleUnknown}, ""},
		{rules.Statement{Participant: "a", Role: rules.RoleExternal, Source: "x"}, ""}, // identified
		{rules.Statement{Participant: "m", Role: rules.RoleAgent, IdentifiedBy: rules.ByNumber, Source: "desktop"}, "m agent|typed number|API: desktop|false "},
		{rules.Statement{Participant: "m", Role: rules.RoleAgent, IdentifiedBy: rules.ByNumber, Source: "desktop"}, ""},
	} {
		if got := told(tt.s); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.s, got, tt.want)
		}
	}
	if _, ok := r.Ruling("nobody"); ok {
		t.Error("a ruling on nobody")
	}
	if got, ok := r.Ruling("n"); !ok || got.Because != rules.RuledInvited || len(got.Considered) < 2 {
		t.Errorf("%+v", got)
	}
}

func TestInternal(t *testing.T) {
	for role := rules.RoleUnknown; role <= rules.RoleQueue; role++ {
		for _, by := range []rules.IdentifiedBy{rules.ByUnknown, rules.ByDirectory, rules.ByNumber} {
			for _, first := range []bool{false, true} {
				own := role == rules.RoleAgent || role == rules.RoleSupervisor || role == rules.RoleUser
				want := own && (by == rules.ByDirectory || by == rules.ByUnknown && first)
				id := rules.Identity{Role: role, IdentifiedBy: by, FirstPair: first}
				if id.Internal() != want {
					t.Errorf("%+v: internal %v", id, !want)
				}
			}
		}
	}
}

func TestNamesOfRoles(t *testing.T) {
	type all struct {
		R rules.Role
		I rules.IdentifiedBy
		D rules.Direction
		O rules.Order
		M rules.InactiveMeans
		N rules.NumbersMean
	}
	in := all{rules.RoleIVR, rules.ByNumber, rules.DirectionInternal, rules.OrderSecond, rules.InactiveHold, rules.NumbersAgent}
	b, err := json.Marshal(in)
	if want := `{"R":"ivr","I":"typed number","D":"internal","O":"second","M":"hold","N":"agent"}`; err != nil || string(b) != want {
		t.Fatalf("%s, %v", b, err)
	}
	var out all
	if err := json.Unmarshal(b, &out); err != nil || out != in {
		t.Errorf("%+v, %v", out, err)
	}
	for _, name := range []string{"R", "I", "D", "O", "M", "N"} {
		if err := json.Unmarshal([]byte(`{"`+name+`":"boss"}`), &out); err == nil {
			t.Errorf("%s: no error for an unknown name", name)
		}
	}
	if got := rules.Role(99).String() + rules.Role(-1).String(); got != "role-99role--1" {
		t.Error(got)
	}
	if b, err := rules.RuledReplaced.MarshalText(); err != nil || string(b) != "replaced" {
		t.Errorf("%s, %v", b, err)
	}
}

// Roles never change but on the occasions that Occasion lists, in any sequence of
// messages; a typed number and an unknown role are never internal.
func FuzzRolesStay(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed)
	}
	pool := []string{"a sip:bert@contact.example", "b tel:+15555550101", "c tel:+15555550170", "d sip:1001@pbx.example", "e sip:x@sbc.example",
		"f tel:+15555550199", "g sip:zoe@else.example", "h sip:ivr-3@x.example", "i tel:+15555550170", "j ", "k sip:1002@contact.example;user=phone"}
	f.Fuzz(func(t *testing.T, seed uint64) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		r := rules.NewRoster(rules.Compile(contact), rules.Profile{Placeholders: []string{"sip:x@sbc.example"}, Direction: rules.Direction(rnd.IntN(4))})
		fixed := make(map[metadata.ID]rules.Ruling)
		for n := range 30 {
			var parties []string
			for _, i := range rnd.Perm(len(pool))[:rnd.IntN(5)] {
				parties = append(parties, pool[i])
			}
			var facts []metadata.Fact
			if rnd.IntN(3) == 0 {
				id := metadata.ID(pool[rnd.IntN(len(pool))][:1])
				facts = append(facts, metadata.Fact{Kind: metadata.FactAgentID, Of: metadata.ParticipantKind, About: id})
			}
			r.Update(t0.Add(time.Duration(n*4)*time.Second), metadata.View{Participants: presences(parties...)}, facts)
			for _, now := range r.Rulings() {
				if now.Because == 0 {
					t.Fatalf("no ruling on %s", now.Participant)
				}
				if was, ok := fixed[now.Participant]; ok {
					checkStays(t, was, now)
				}
				if now.Internal() && (now.Role == rules.RoleUnknown || now.IdentifiedBy == rules.ByNumber) {
					t.Errorf("internal: %+v", now)
				}
				fixed[now.Participant] = now
			}
		}
	})
}

func checkStays(t *testing.T, was, now rules.Ruling) {
	t.Helper()
	if was.Role == now.Role && was.IdentifiedBy == now.IdentifiedBy {
		return
	}
	ok := false
	switch now.Because {
	case rules.RuledFilled, rules.RuledPaired:
		ok = was.Role == rules.RoleUnknown
	case rules.RuledIdentified:
		ok = was.IdentifiedBy == rules.ByUnknown && now.Strength == rules.StrengthStated
	case rules.RuledReplaced:
		ok = was.IdentifiedBy == rules.ByUnknown && was.Role != rules.RoleCustomer && now.Role == rules.RoleQueue
	}
	if !ok {
		t.Errorf("%s was %v by %v, is %v by %v (%v)", now.Participant, was.Role, was.IdentifiedBy, now.Role, now.IdentifiedBy, now.Because)
	}
}

// An entry for one number never makes an agent of the customer of another.
func TestEntriesReachNobodyElse(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	number := func() string { return fmt.Sprintf("+1555555%04d", rnd.IntN(10000)) }
	for range 2000 {
		customer, agent := number(), number()
		other := number()[rnd.IntN(6):] // also without its head
		if other == customer || agent == customer || "+"+other == customer {
			continue
		}
		d := rules.Directory{Agents: []rules.Entry{{Numbers: []string{agent}}}}
		with := rules.Directory{Agents: append(slices.Clone(d.Agents), rules.Entry{Numbers: []string{other}, Extensions: []string{other[len(other)-4:]}})}
		steps := []step{{0, []string{"c tel:" + customer, "a tel:" + agent}, nil}}
		without := play(rules.NewRoster(rules.Compile(d), rules.Profile{}), steps...)
		if got := play(rules.NewRoster(rules.Compile(with), rules.Profile{}), steps...); !slices.Equal(got, without) {
			t.Fatalf("customer %s, other %s: %q, before %q", customer, other, got, without)
		}
	}
}
