package rules_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/metadata"
	"github.com/siprecd/siprecd/rules"
)

// of is a fact about a participant, and told one with a value about nobody.
func of(k metadata.FactKind, id metadata.ID, value string) metadata.Fact {
	return metadata.Fact{Kind: k, Of: metadata.ParticipantKind, About: id, Value: value}
}

func told(k metadata.FactKind, value string, d metadata.Dialect) metadata.Fact {
	return metadata.Fact{Kind: k, Value: value, Dialect: d}
}

// last returns what stands in the end: "id role|occasion|evidence" of a
// participant, with "of the pair" after the role, or "direction name|evidence".
func last(t *testing.T, r *rules.Roster, about string) string {
	t.Helper()
	if about == "direction" {
		b := r.Direction()
		return fmt.Sprintf("direction %v|%s", b.Direction, b.Evidence)
	}
	got, ok := r.Ruling(metadata.ID(about))
	if !ok {
		t.Fatalf("no participant %s", about)
	}
	pair := ""
	if got.FirstPair {
		pair = " of the pair"
	}
	return fmt.Sprintf("%s %v%s|%v|%s", about, got.Role, pair, got.Because, got.Evidence)
}

const (
	unknownWords = "roles unknown: nothing places a party of the first pair inside"
	holderWords  = "placeholder of the SRC, the party is not known yet"
	laterWords   = "joined later, nothing places it inside"
	restWords    = "first pair: the other party is agent"
	namedWords   = "RFC 7865 recorded party"
)

func TestFirstPair(t *testing.T) {
	const x, y, z = "x sip:x@o.example", "y sip:y@o.example", "z sip:z@o.example"
	holder := rules.Profile{Placeholders: []string{"sip:h@sbc.example"}}
	calls := func(value string, d metadata.Dialect) metadata.Fact {
		return told(metadata.FactCallingNumber, value, d)
	}
	called := func(value string) metadata.Fact { return told(metadata.FactCalledNumber, value, "") }
	recorded := func(value string) metadata.Fact { return told(metadata.FactRecordedParty, value, "") }
	way := func(value string) metadata.Fact { return told(metadata.FactDirection, value, "") }
	facts := func(fs ...metadata.Fact) []metadata.Fact { return fs }
	first, second := rules.Profile{RecordedOrder: rules.OrderFirst}, rules.Profile{RecordedOrder: rules.OrderSecond}
	cisco := rules.Profile{Dialect: metadata.DialectCisco}
	inbound := "direction inbound|the called party is inside, the calling one is not "
	outbound := "direction outbound|the calling party is inside, the called one is not "
	for _, tt := range []struct {
		name    string
		dir     rules.Directory
		profile rules.Profile
		steps   []step
		want    []string
	}{
		// Who called.
		{"the calling number is of the second", contact, rules.Profile{}, []step{{0, []string{bert, outsider}, facts(calls("+15555550170", ""))}},
			[]string{inbound + "( +15555550170)"}},
		{"the called number is of the second", contact, cisco, []step{{0, []string{bert, outsider}, facts(called("+15555550170"))}},
			[]string{outbound + "( +15555550170)"}},
		{"the called number is of the first", contact, rules.Profile{}, []step{{0, []string{outsider, bert}, facts(called("+15555550170"))}},
			[]string{outbound + "( +15555550170)"}},
		{"the number of nobody", contact, cisco, []step{{0, []string{outsider, bert}, facts(calls("+15555550179", ""))}},
			[]string{"direction unknown|nothing tells who called whom"}},
		{"a number of one alone", contact, cisco, []step{{0, []string{outsider}, facts(calls("+15555550170", ""))}},
			[]string{"direction unknown|nothing tells who called whom"}},
		{"numbers that cannot be trusted", contact, rules.Profile{}, []step{{0, []string{bert, outsider}, facts(calls("+15555550170", metadata.DialectJambonz))}},
			[]string{outbound + "(the caller is described first)"}},
		{"a fact about another", contact, rules.Profile{}, []step{{0, []string{outsider, bert}, facts(of(metadata.FactCallingParty, "z", "false"))}},
			[]string{inbound + "(the caller is described first)"}},
		{"a fact about something else of that id", contact, rules.Profile{}, []step{{0, []string{outsider, bert}, facts(metadata.Fact{
			Kind: metadata.FactCallingParty, Of: metadata.CommunicationSessionKind, About: "c", Value: "false"})}},
			[]string{inbound + "(the caller is described first)"}},
		{"a fact goes before the order", contact, rules.Profile{}, []step{{0, []string{outsider, bert}, facts(of(metadata.FactCallingParty, "c", "false"))}},
			[]string{outbound + "( false)"}},
		{"found once", contact, rules.Profile{}, []step{{0, []string{x}, nil}, {1, []string{x, bert}, facts(of(metadata.FactCallingParty, "x", "false"))}},
			[]string{inbound + "(the caller is described first)"}},
		{"a service is called by a customer", rules.Directory{}, rules.Profile{}, []step{{0, []string{x, "s urn:service:sos"}, nil}},
			[]string{"x customer of the pair|invited|first pair: calling party of an inbound call (a service is addressed (RFC 5031))"}},
		{"what is told goes before a service", rules.Directory{}, rules.Profile{}, []step{{0, []string{x, "s urn:service:sos"}, facts(way("outbound"))}},
			[]string{"direction outbound| outbound"}},
		{"a service that calls", rules.Directory{}, holder, []step{{0, []string{"s sip:h@sbc.example", x}, nil}, {1, []string{"s urn:service:sos", x}, nil}},
			[]string{"direction unknown|who called is known (the caller is described first), but not who is inside"}},
		{"the dialect that the profile names", contact, cisco, []step{{0, []string{outsider, bert}, facts(told(metadata.FactTenant, "t", metadata.DialectTelnyx))}},
			[]string{"direction unknown|nothing tells who called whom"}},
		{"the first dialect that shows", contact, rules.Profile{}, []step{{0, []string{outsider, bert}, facts(told(metadata.FactTenant, "t", metadata.DialectCisco), told(metadata.FactTenant, "t", metadata.DialectTelnyx))}},
			[]string{"direction unknown|nothing tells who called whom"}},
		{"a header field of any device shows none", contact, rules.Profile{}, []step{{0, []string{outsider, bert}, facts(told(metadata.FactHeader, "h", metadata.DialectSIP), told(metadata.FactTenant, "t", metadata.DialectCisco))}},
			[]string{"direction unknown|nothing tells who called whom"}},
		{"an unknown dialect describes the caller first", contact, rules.Profile{Dialect: "homegrown"}, []step{{0, []string{outsider, bert}, nil}},
			[]string{inbound + "(the caller is described first)"}},
		{"and is named", rules.Directory{}, rules.Profile{}, []step{{0, []string{x, y}, facts(told(metadata.FactDirection, "inbound", "homegrown"))}},
			[]string{"direction inbound|homegrown inbound"}},

		// The direction.
		{"to a queue", contact, rules.Profile{}, []step{{0, []string{outsider, "q tel:+15555550199"}, nil}},
			[]string{inbound + "(the caller is described first)", "q queue|invited|queue Sales of the directory, by number"}},
		{"a colleague and the recorded user", contact, first, []step{{0, []string{x, bert}, nil}},
			[]string{"direction internal|both parties of the first pair are inside"}},
		{"the recorded user and a colleague", contact, second, []step{{0, []string{bert, x}, nil}},
			[]string{"direction internal|both parties of the first pair are inside"}},
		{"a placeholder first", contact, holder, []step{{0, []string{"h sip:h@sbc.example", bert}, nil}},
			[]string{"direction unknown|nothing tells who called whom"}},
		{"not who called", rules.Directory{}, rules.Profile{Dialect: metadata.DialectCisco, Direction: rules.DirectionInbound}, []step{{0, []string{x, y}, nil}},
			[]string{"x unknown of the pair|invited|" + unknownWords, "y unknown of the pair|invited|" + unknownWords}},

		// Who is of the pair.
		{"one that goes on alone has one place", contact, rules.Profile{}, []step{{0, []string{outsider}, nil}, {1, []string{"d sip:+15555550170@o.example"}, nil}, {2, []string{"d sip:+15555550170@o.example", bert}, nil}},
			[]string{"d customer of the pair|paired|" + restWords}},
		{"two machines give way to two", contact, rules.Profile{}, []step{{0, []string{"q tel:+15555550199", "i sip:ivr-1@o.example"}, nil}, {30, []string{outsider}, nil}, {60, []string{outsider, bert}, nil}},
			[]string{"c customer of the pair|invited|first pair: the other party is ivr", "a agent of the pair|invited|agent sip:bert@contact.example of the directory, by AOR"}},
		{"an agent keeps the place, whoever comes at once", contact, rules.Profile{}, []step{{0, []string{outsider, bert, x}, nil}},
			[]string{"a agent of the pair|invited|agent sip:bert@contact.example of the directory, by AOR", "x external|invited|" + laterWords}},
		{"and whatever is said of it later", contact, rules.Profile{}, []step{{0, []string{outsider, bert}, nil}, {20, []string{outsider, bert, x}, facts(of(metadata.FactQueueID, "a", "q"))}},
			[]string{"x external|invited|" + laterWords}},
		{"a colleague who goes soon was no queue", contact, second, []step{{0, []string{bert, x}, nil}, {5, []string{bert, y}, nil}},
			[]string{"x agent of the pair|invited|first pair: second participant is the recorded user (profile)"}},
		{"two who are unknown, and one goes soon", rules.Directory{}, rules.Profile{}, []step{{0, []string{x, y}, nil}, {5, []string{x, z}, nil}},
			[]string{"y queue|replaced|second party, replaced after 5s", "z unknown of the pair|invited|" + unknownWords}},
		{"a queue that was replaced stays one", rules.Directory{}, rules.Profile{}, []step{
			{0, []string{x, "q sip:5000@o.example"}, facts(way("inbound"))}, {5, []string{x, y}, facts(way("inbound"))},
			{20, []string{x, y, "q sip:5000@o.example"}, facts(way("inbound"), recorded("5000"))}},
			[]string{"q queue|replaced|second party, replaced after 5s"}},
		{"another address changes nothing for who comes under the old one", contact, rules.Profile{}, []step{
			{0, []string{x, bert}, nil}, {10, []string{"x sip:y@o.example", bert}, nil}, {20, []string{bert, "n sip:x@o.example"}, nil}},
			[]string{"n customer of the pair|continued|" + restWords}},
		{"an address that comes late counts", contact, rules.Profile{}, []step{
			{0, []string{"x ", bert}, nil}, {10, []string{x, bert}, nil}, {20, []string{bert, "n sip:x@o.example"}, nil}},
			[]string{"n customer of the pair|continued|" + restWords}},
		{"a number that ends alike goes not on", contact, rules.Profile{}, []step{{0, []string{bert, "c tel:5555550170"}, nil}, {20, []string{bert, "n tel:0170"}, nil}},
			[]string{"n external|invited|" + laterWords}},

		// Placeholders.
		{"a placeholder places nobody", contact, rules.Profile{Placeholders: []string{"sip:h@contact.example"}}, []step{{0, []string{x, "h sip:h@contact.example"}, nil}},
			[]string{"x unknown of the pair|invited|" + unknownWords, "h unknown|invited|" + holderWords}},
		{"one of another is none", contact, rules.Profile{}, []step{{0, []string{x, bert}, facts(of(metadata.FactPlaceholder, "x", ""))}},
			[]string{"x unknown|invited|" + holderWords, "a agent of the pair|invited|agent sip:bert@contact.example of the directory, by AOR"}},
		{"one by profile, whatever else is told", contact, holder, []step{{0, []string{x, "h sip:h@sbc.example"}, facts(of(metadata.FactPlaceholder, "h", "sip:i@sbc.example"))}},
			[]string{"h unknown|invited|" + holderWords}},
		{"a number that ends alike is none", contact, rules.Profile{}, []step{{0, []string{x, "n tel:+15555550101"}, facts(of(metadata.FactPlaceholder, "n", "0101"))}},
			[]string{"n agent of the pair|invited|agent Anna of the directory, by number"}},
		{"told of one without address", contact, rules.Profile{}, []step{{0, []string{x, "n "}, facts(of(metadata.FactPlaceholder, "n", "sip:i@sbc.example"))}},
			[]string{"n unknown|invited|" + holderWords}},
		{"one that went has no successor", contact, rules.Profile{}, []step{{0, []string{x, "h sip:bert@contact.example"}, facts(of(metadata.FactPlaceholder, "h", ""))}, {9, []string{x, bert}, nil}},
			[]string{"a agent of the pair|invited|agent sip:bert@contact.example of the directory, by AOR"}},
		{"nor is it one", contact, rules.Profile{}, []step{{0, []string{x, bert}, nil}, {9, []string{x, "h sip:bert@contact.example"}, facts(of(metadata.FactPlaceholder, "h", ""))}},
			[]string{"h unknown|invited|" + holderWords}},
		{"one that had no address", contact, holder, []step{{0, []string{x, "n "}, nil}, {1, []string{x, "n sip:h@sbc.example"}, nil}},
			[]string{"n unknown of the pair|invited|" + unknownWords}},

		// What the other party says.
		{"a fixed identity counts, not what is said later", contact, holder, []step{
			{0, []string{bert, "h sip:h@sbc.example"}, nil}, {30, []string{bert, "h sip:h2@o.example"}, facts(of(metadata.FactQueueID, "a", "q"))}},
			[]string{"h customer of the pair|filled|" + restWords}},
		{"of a first that has gone", rules.Directory{}, rules.Profile{}, []step{{0, []string{x, y}, nil}, {20, []string{y}, nil}, {30, []string{y}, facts(of(metadata.FactAgentID, "x", "7"))}},
			[]string{"y customer of the pair|paired|" + restWords, "x unknown of the pair|invited|" + unknownWords}},
		{"of a second that has gone", rules.Directory{}, rules.Profile{}, []step{{0, []string{x, y}, nil}, {20, []string{x}, nil}, {30, []string{x}, facts(of(metadata.FactAgentID, "y", "7"))}},
			[]string{"x customer of the pair|paired|" + restWords, "y unknown of the pair|invited|" + unknownWords}},
		{"who has gone is not ruled on", rules.Directory{}, rules.Profile{}, []step{{0, []string{x, y}, nil}, {20, []string{x}, nil}, {30, []string{x}, facts(of(metadata.FactAgentID, "x", "7"))}},
			[]string{"x agent of the pair|identified|RFC 7865 agent", "y unknown of the pair|invited|" + unknownWords}},
		{"a second look that finds nothing", rules.Directory{}, rules.Profile{}, []step{{0, []string{x}, nil}, {1, []string{x, y}, nil}},
			[]string{"x unknown of the pair|invited|" + unknownWords}},
		{"the number of the first names it later", rules.Directory{}, rules.Profile{}, []step{{0, []string{"x tel:5550100", "y tel:5550200"}, nil}, {1, []string{"x tel:5550100", "y tel:5550200"}, facts(recorded("5550100"))}},
			[]string{"x agent of the pair|identified|" + namedWords}},
		{"the number of the second names it later", rules.Directory{}, rules.Profile{}, []step{{0, []string{"x tel:5550100", "y tel:5550200"}, nil}, {1, []string{"x tel:5550100", "y tel:5550200"}, facts(recorded("5550200"))}},
			[]string{"y agent of the pair|identified|" + namedWords}},

		// The form of numbers and names.
		{"names are for own people with one dialect only", rules.Directory{}, rules.Profile{}, []step{{0, []string{"x sip:6201@o.example|Anna", "y sip:62010@o.example|62010"}, nil}},
			[]string{"x unknown of the pair|invited|" + unknownWords}},
		{"and the other is none", rules.Directory{}, cisco, []step{{0, []string{"x sip:6201@o.example|Anna", "y sip:62010@o.example|62010"}, nil}},
			[]string{"y customer of the pair|invited|first pair: only own people are shown with names (Cisco)"}},
		{"no address is no short number", rules.Directory{}, rules.Profile{}, []step{{0, []string{"x ", outsider}, nil}},
			[]string{"x unknown of the pair|invited|" + unknownWords}},
		{"a label of the profile, which nobody sends", rules.Directory{}, rules.Profile{RecordedLabel: "9"}, []step{{0, []string{"x sip:100@o.example", outsider}, nil}},
			[]string{"x unknown of the pair|invited|" + unknownWords}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := rules.NewRoster(rules.Compile(tt.dir), tt.profile)
			play(r, tt.steps...)
			for _, want := range tt.want {
				about, _, _ := strings.Cut(want, " ")
				if got := last(t, r, about); got != want {
					t.Errorf("\n got %s\nwant %s", got, want)
				}
			}
		})
	}
}

// Of who joins later: what names it, and what only looks alike.
func TestNamedLater(t *testing.T) {
	const (
		bw, ns  = metadata.DialectBroadWorks, metadata.DialectNetSapiens
		queued  = "RFC 7865 queue number"
		domain  = "AOR host is the domain of the BroadWorks user"
		typed   = "agent Anna of the directory, by number; joined later: a typed number"
		moved   = laterWords + " ( +15555550171)"
		realm   = "inside realm Access"
		company = "AOR host is the domain of the NetSapiens user"
	)
	facts := func(fs ...metadata.Fact) []metadata.Fact { return fs }
	for _, tt := range []struct {
		party string
		facts []metadata.Fact
		want  string
	}{
		{"tel:+15555550101", nil, typed},
		{"tel:+15555550198", facts(told(metadata.FactQueueNumber, "+15555550198", "")), queued},
		{"tel:+15555550198", facts(told(metadata.FactQueueNumber, "0198", "")), laterWords},
		{"sip:x@o.example|Help", facts(told(metadata.FactQueueName, "help", "")), "RFC 7865 queue name"},
		{"sip:x@o.example|Helga", facts(told(metadata.FactQueueName, "help", "")), laterWords},
		{"sip:x@o.example", facts(told(metadata.FactRecordedParty, "x@o.example", "")), namedWords},
		{"sip:x@o.example", facts(told(metadata.FactRecordedParty, "y@o.example", "")), laterWords},
		{"2001", facts(told(metadata.FactRecordedParty, "3001", "")), laterWords},
		{"tel:+15555550171", facts(told(metadata.FactTransferTo, "+15555550171", "")), moved},
		{"tel:+15555550171", facts(told(metadata.FactTransferTo, "+15555550171", ""), told(metadata.FactTransferTo, "+15555550171", "")), moved},
		{"tel:+15555550171", facts(told(metadata.FactTransferTo, "0171", "")), laterWords},
		{"tel:+15555550171", facts(told(metadata.FactTransferTo, "+15555550172", "")), laterWords},
		{"tel:+15555550171", facts(told(metadata.FactTransferBy, "+15555550171", "")), laterWords},
		{"sip:x@o.example", facts(of(metadata.FactRealm, "n", "Access")), realm},
		{"sip:x@o.example", facts(of(metadata.FactDevice, "n", "Access")), laterWords},
		{"sip:x@o.example", facts(told(metadata.FactInitiator, "u@o.example", bw)), domain},
		{"sip:x@o.example", facts(told(metadata.FactUserID, "u@o.example", bw)), domain},
		{"sip:x@o.example", facts(told(metadata.FactAgentID, "u@o.example", bw)), laterWords},
		{"sip:x@o.example", facts(told(metadata.FactAsserted, "u@o.example", metadata.DialectAvaya)), laterWords},
		{"sip:x@o.example", facts(told(metadata.FactInitiator, "u@o.example", ns)), laterWords},
		{"sip:x@p.example", facts(told(metadata.FactUserID, "u@o.example", bw)), laterWords},
		{"o.example", facts(told(metadata.FactUserID, "u@o.example", bw)), laterWords},
		{"2001", facts(told(metadata.FactUserID, "1001", bw)), laterWords},
		{"sip:+15555550171@o.example", facts(told(metadata.FactUserID, "u@o.example", bw)), laterWords},
		{"sip:15555550171@o.example", facts(told(metadata.FactUserID, "u@o.example", bw)), domain},
		{"sip:2001@o.example;user=phone", facts(told(metadata.FactUserID, "u@o.example", bw)), laterWords},
		{"sip:5555550171@o.example", facts(told(metadata.FactUserID, "u@o.example", ns)), laterWords},
		{"sip:555550171@o.example", facts(told(metadata.FactUserID, "u@o.example", ns)), company},
	} {
		c, n := []string{outsider, bert}, []string{outsider, bert, "n " + tt.party}
		got := ruled(t, contact, rules.Profile{}, "n", step{0, c, nil}, step{30, n, tt.facts})
		if got.Evidence != tt.want {
			t.Errorf("%s, %v: %q, want %q", tt.party, tt.facts, got.Evidence, tt.want)
		}
	}
}

// What names one of the first pair, by a number in one dialect, by the whole of
// it in another.
func TestNamedFirst(t *testing.T) {
	listed := rules.Directory{Queues: []rules.Entry{{AORs: []string{"sip:x@o.example"}}}, Supervisors: []rules.Entry{{AORs: []string{"sip:s@o.example"}}}}
	for _, tt := range []struct {
		party, value string
		dialect      metadata.Dialect
		want         rules.Role
	}{
		{"tel:5550101", "+15555550101", metadata.DialectMetaswitch, rules.RoleAgent},
		{"tel:550101", "+15555550101", metadata.DialectMetaswitch, rules.RoleUnknown},
		{"tel:+15555550101", "5550101", metadata.DialectMetaswitch, rules.RoleAgent},
		{"tel:5550101", "+15555550101", "", rules.RoleUnknown},
		{"sip:x@o.example", "x@o.example", "", rules.RoleAgent}, // the directory's queue is no role of own people
		{"sip:s@o.example", "s@o.example", "", rules.RoleSupervisor},
	} {
		fact := []metadata.Fact{told(metadata.FactRecordedParty, tt.value, tt.dialect)}
		got := ruled(t, listed, rules.Profile{Dialect: metadata.DialectCisco}, "p", step{0, []string{"p " + tt.party}, fact})
		if got.Role != tt.want {
			t.Errorf("%s, %s told: %v by %s", tt.party, tt.value, got.Role, got.Evidence)
		}
		if tt.dialect != "" && got.Role == rules.RoleAgent && got.Evidence != "Metaswitch recorded party" {
			t.Errorf("%s: %s", tt.party, got.Evidence)
		}
	}
}

// considered returns what was considered for a party.
func considered(t *testing.T, r *rules.Roster, id metadata.ID) string {
	t.Helper()
	got, ok := r.Ruling(id)
	if !ok {
		t.Fatalf("no participant %s", id)
	}
	var words []string
	for _, e := range got.Considered {
		words = append(words, e.Words)
	}
	return strings.Join(words, "; ")
}

// Nothing but what speaks for a party is considered, and what was considered stays
// when the party is identified later; only what is stated comes to it.
func TestConsideredAlone(t *testing.T) {
	const gate, host = "g sip:+15555550171@contact.example;user=phone", "AOR host in inside domain contact.example, but it is a telephone number"
	way := func(value string) []metadata.Fact {
		return []metadata.Fact{{Kind: metadata.FactDirection, Value: value, Dialect: metadata.DialectTelnyx, Field: "x/way"}}
	}
	const called = "first pair: called party of an inbound call (Telnyx way)"
	const calls = "first pair: calling party of an inbound call (Telnyx way)"
	r := rules.NewRoster(rules.Compile(contact), rules.Profile{})
	play(r, step{0, []string{outsider, bert}, way("inbound")}, step{9, []string{outsider, bert, "s sip:sue@contact.example"}, nil})
	for id, want := range map[metadata.ID]string{
		"c": calls,
		"s": "supervisor Sue of the directory, by AOR; AOR host in inside domain contact.example",
	} {
		if got := considered(t, r, id); got != want {
			t.Errorf("%s: %s", id, got)
		}
	}
	for _, tt := range []struct {
		parties     []string
		facts, then []metadata.Fact
		want        string
	}{
		{[]string{"c sip:x@o.example", gate}, way("inbound"), way("outbound"), "API: desktop; " + host + "; " + called},
		{[]string{"c sip:x@o.example", gate}, nil, nil, "API: desktop; " + host + "; " + unknownWords},
	} {
		r := rules.NewRoster(rules.Compile(contact), rules.Profile{})
		play(r, step{0, tt.parties, tt.facts}, step{5, tt.parties, tt.then})
		r.Tell(at(9), rules.Statement{Participant: "g", Role: rules.RoleSupervisor, IdentifiedBy: rules.ByDirectory, Source: "desktop"})
		if got := considered(t, r, "g"); got != tt.want {
			t.Errorf("got %s\nwant %s", got, tt.want)
		}
	}
}

// The direction is found when the roles are known, whoever tells them; both of a
// pair who are known from outside are not internal.
func TestDirectionAfterTelling(t *testing.T) {
	const x, y = "x sip:x@o.example", "y sip:y@o.example"
	say := func(id metadata.ID, role rules.Role) rules.Statement {
		return rules.Statement{Participant: id, Role: role, IdentifiedBy: rules.ByDirectory, Source: "desktop"}
	}
	early := rules.NewRoster(rules.Compile(contact), rules.Profile{Name: "p", Direction: rules.DirectionInbound})
	if got := last(t, early, "direction"); got != "direction inbound|profile p" {
		t.Errorf("before anybody came: %s", got)
	}
	for _, tt := range []struct {
		told []rules.Statement
		want rules.Direction
	}{
		{[]rules.Statement{say("y", rules.RoleAgent)}, rules.DirectionInbound},
		{[]rules.Statement{say("x", rules.RoleUser)}, rules.DirectionOutbound},
		{[]rules.Statement{say("x", rules.RoleCustomer), say("y", rules.RoleAgent)}, rules.DirectionInbound},
		{[]rules.Statement{say("x", rules.RoleCustomer), say("y", rules.RoleExternal)}, rules.DirectionUnknown},
	} {
		r := rules.NewRoster(rules.Compile(rules.Directory{}), rules.Profile{})
		play(r, step{0, []string{x, y}, nil})
		for _, s := range tt.told {
			r.Tell(at(1), s)
		}
		if got := r.Direction(); got.Direction != tt.want {
			t.Errorf("%v: %v (%s)", tt.told, got.Direction, got.Evidence)
		}
	}
}

// A statement by number is for that number, not for one that ends alike, and the
// one that reaches nobody changes nobody by the way.
func TestToldByNumber(t *testing.T) {
	r := rules.NewRoster(rules.Compile(rules.Directory{}), rules.Profile{})
	play(r, step{0, []string{"x tel:+15555550101", "y "}, nil})
	for _, address := range []string{"0101", ""} {
		if got := r.Tell(at(1), rules.Statement{Address: address, Role: rules.RoleAgent}); len(got) != 0 {
			t.Errorf("%q: %v", address, got)
		}
	}
	if got := r.Tell(at(2), rules.Statement{Address: "+15555550101", Role: rules.RoleAgent}); len(got) != 2 {
		t.Errorf("the whole number: %v", got)
	}
}

// Who fills a placeholder just when the other is identified is ruled on once.
func TestFilledAndIdentified(t *testing.T) {
	r := rules.NewRoster(rules.Compile(contact), rules.Profile{Placeholders: []string{"sip:h@sbc.example"}})
	got := play(r,
		step{0, []string{"x sip:h@sbc.example", "y sip:y@o.example"}, []metadata.Fact{told(metadata.FactDirection, "outbound", "")}},
		step{9, []string{"x sip:x@o.example", "y sip:y@o.example"}, []metadata.Fact{of(metadata.FactAgentID, "y", "7")}})
	want := []string{"x unknown|unknown|invited", "y customer|unknown|invited", "x customer|unknown|filled", "y agent|directory|identified"}
	if !slices.Equal(got, want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}

// The label that counts is the one that a party sends now.
func TestLabelNow(t *testing.T) {
	sends := func(labels ...string) metadata.View {
		v := metadata.View{Participants: presences("x sip:x@o.example", "y sip:y@o.example")[:len(labels)]}
		for i, label := range labels {
			id := metadata.ID(fmt.Sprint("s", i))
			v.Participants[i].Sends = []metadata.ID{id}
			v.Streams = append(v.Streams, metadata.LiveStream{Stream: metadata.Stream{ID: id, Label: label}})
		}
		return v
	}
	for _, tt := range []struct {
		name    string
		profile rules.Profile
		views   []metadata.View
		want    rules.Role // of y, or of x alone
	}{
		{"one stream for both, then one", rules.Profile{RecordedLabel: "1"}, []metadata.View{sends("1", "1"), sends("2", "1")}, rules.RoleAgent},
		{"one alone", rules.Profile{RecordedLabel: "1"}, []metadata.View{sends("1")}, rules.RoleAgent},
		{"one stream without label", rules.Profile{}, []metadata.View{sends("1", "")}, rules.RoleUnknown},
	} {
		r := rules.NewRoster(rules.Compile(rules.Directory{}), tt.profile)
		for i, v := range tt.views {
			r.Update(at(i), v, nil)
		}
		if all := r.Rulings(); all[len(all)-1].Role != tt.want {
			t.Errorf("%s: %+v", tt.name, all)
		}
	}
}

// One of several addresses is enough for a placeholder.
func TestPlaceholderOfMany(t *testing.T) {
	for _, addresses := range [][]string{{"sip:h@sbc.example", "sip:x@o.example"}, {"sip:x@o.example", "sip:h@sbc.example"}} {
		v := metadata.View{Participants: presences("x " + addresses[0])}
		v.Participants[0].NameIDs = append(v.Participants[0].NameIDs, metadata.NameID{AOR: addresses[1]})
		r := rules.NewRoster(rules.Compile(contact), rules.Profile{Placeholders: []string{"sip:h@sbc.example"}})
		r.Update(at(0), v, nil)
		if got := last(t, r, "x"); got != "x unknown|invited|"+holderWords {
			t.Errorf("%q: %s", addresses, got)
		}
	}
}
