package rules_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/metadata"
	"github.com/siprecd/siprecd/rules"
)

// A call is one recording session in a test: its model, and its roster.
type call struct {
	t      *testing.T
	model  *metadata.Model
	roster *rules.Roster
	last   []rules.Ruling
}

func newCall(t *testing.T, d rules.Directory, p rules.Profile) *call {
	return &call{t: t, model: metadata.New(), roster: rules.NewRoster(rules.Compile(d), p)}
}

// say applies a document at a second, with header fields "Name: value".
func (c *call) say(second int, xml string, headers ...string) *call {
	c.t.Helper()
	var hs []metadata.HeaderField
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		hs = append(hs, metadata.HeaderField{Name: name, Value: value})
	}
	sdp := metadata.Binding{{Label: "1"}, {Label: "2", Index: 1}}
	d := metadata.FromHeaders(hs, sdp)
	if xml != "" {
		var err error
		if d, err = metadata.Decode([]byte(xml)); err != nil {
			c.t.Fatal(err)
		}
	}
	c.model, _ = c.model.Apply(d, at(second), sdp)
	facts := append(c.model.Facts(), metadata.HeaderFacts(hs)...)
	c.last = c.roster.Update(at(second), c.model.Current(), facts)
	return c
}

// who returns "role|identified by|evidence" of the participant with that AOR who
// came last.
func (c *call) who(aor string) rules.Ruling {
	c.t.Helper()
	var found *rules.Ruling
	for _, r := range c.roster.Rulings() {
		p, _ := c.model.Participant(r.Participant, at(1000))
		for _, have := range p.AORs() {
			if have == aor {
				found = &r
			}
		}
	}
	if found == nil {
		c.t.Fatalf("no participant %s", aor)
	}
	return *found
}

func (c *call) want(aor, want string) *call {
	c.t.Helper()
	r := c.who(aor)
	if got := fmt.Sprintf("%v|%v|%s", r.Role, r.IdentifiedBy, r.Evidence); got != want {
		c.t.Errorf("%s:\n got %s\nwant %s\nconsidered %+v", aor, got, want, r.Considered)
	}
	if r.Evidence != r.Considered[0].Words {
		c.t.Errorf("%s: what decided is not first of %+v", aor, r.Considered)
	}
	return c
}

func (c *call) direction(want string) *call {
	c.t.Helper()
	b := c.roster.Direction()
	if got := fmt.Sprintf("%v|%s", b.Direction, b.Evidence); got != want {
		c.t.Errorf("direction:\n got %s\nwant %s", got, want)
	}
	return c
}

// l1 is a document of RFC 7865; parties are "id aor" or "id aor|name", streams go
// s1, s2 ... with the labels 1, 2 ...; more goes before the end.
func l1(more string, parties ...string) string {
	var b strings.Builder
	b.WriteString(`<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode><session session_id="c1"/>`)
	for i, p := range parties {
		id, aor, _ := strings.Cut(p, " ")
		aor, name, _ := strings.Cut(aor, "|")
		fmt.Fprintf(&b, `<participant participant_id="%s"><nameID aor="%s"><name>%s</name></nameID></participant>`, id, aor, name)
		fmt.Fprintf(&b, `<participantsessionassoc participant_id="%s" session_id="c1"/>`, id)
		fmt.Fprintf(&b, `<stream stream_id="s%d" session_id="c1"><label>%d</label></stream>`, i+1, i+1)
		fmt.Fprintf(&b, `<participantstreamassoc participant_id="%s"><send>s%d</send></participantstreamassoc>`, id, i+1)
	}
	return b.String() + more + `</recording>`
}

// l2 is a document of the draft with inline send; more of each party follows its
// AOR after a blank.
func l2(parties ...string) string {
	var b strings.Builder
	b.WriteString(`<recording xmlns="urn:ietf:params:xml:ns:recording" xmlns:apkt="http://acmepacket.com/siprec/extensiondata" xmlns:ac="http://AudioCodes"><datamode>complete</datamode><session id="c1"><ac:GenesysCallUUID>CALL1</ac:GenesysCallUUID></session>`)
	for i, p := range parties {
		aor, more, _ := strings.Cut(p, " ")
		fmt.Fprintf(&b, `<participant id="p%d" session="c1"><nameID aor="%s"/><send>s%d</send>`, i+1, aor, i+1)
		if more != "" {
			fmt.Fprintf(&b, `<extensiondata>%s</extensiondata>`, more)
		}
		fmt.Fprintf(&b, `</participant><stream id="s%d" session="c1"><label>%d</label></stream>`, i+1, i+1)
	}
	return b.String() + `</recording>`
}

// l3 is a BroadWorks document: the numbers of all ids are those of gen.
func l3(gen int, user, extension string, aors ...string) string {
	var b strings.Builder
	b.WriteString(`<recording_metadata xmlns="urn:ietf:params:xml:ns:siprec"><dataMode>complete</dataMode>`)
	fmt.Fprintf(&b, `<recording id="r%[1]d"/><group id="g%[1]d" recording="r%[1]d"><initiator>sip:%[2]s</initiator></group><session id="c%[1]d" group="g%[1]d"/>`, gen, user)
	for i, aor := range aors {
		stream := min(i+1, 2)
		fmt.Fprintf(&b, `<participant id="p%d-%d" session="c%d"><aor>%s</aor><send><id>s%d-%d</id></send></participant>`, gen, i, gen, aor, gen, stream)
	}
	for i := range 2 {
		fmt.Fprintf(&b, `<stream id="s%d-%d" session="c%d"><label>%d</label><mode>separate</mode></stream>`, gen, i+1, gen, i+1)
	}
	fmt.Fprintf(&b, `<extensiondata id="x%d" parent="c%d"><broadWorksRecordingMetadata xmlns="http://schema.broadsoft.com/broadworksCallRecording"><userID>%s</userID>%s</broadWorksRecordingMetadata></extensiondata>`, gen, gen, user, extension)
	return b.String() + `</recording_metadata>`
}

var contact = rules.Directory{
	Agents:      []rules.Entry{{Name: "Anna", Numbers: []string{"+15555550101"}, Extensions: []string{"1001"}}, {AORs: []string{"sip:bert@contact.example"}}},
	Supervisors: []rules.Entry{{Name: "Sue", AORs: []string{"sip:sue@contact.example"}}},
	Queues:      []rules.Entry{{Name: "Sales", Numbers: []string{"+15555550199"}}},
	IVRs:        []rules.Entry{{Patterns: []string{"ivr-*"}}},
	Inside:      rules.Inside{Domains: []string{"contact.example", "192.0.2.0/24"}, Realms: []string{"access"}},
}

func TestBroadWorks(t *testing.T) {
	in := `<callType><termCall><callingPartyNumber>sip:+15555550170@gw.example;user=phone</callingPartyNumber><calledPartyNumber>sip:1001@gw.example</calledPartyNumber></termCall></callType>`
	c := newCall(t, rules.Directory{}, rules.Profile{}).
		say(0, l3(1, "line1@bw.example", in, "sip:line1@bw.example", "sip:+15555550170@gw.example;user=phone")).
		want("sip:line1@bw.example", "agent|directory|BroadWorks initiator").
		want("sip:+15555550170@gw.example;user=phone", "customer|typed number|first pair: calling party of an inbound call (BroadWorks termCall)").
		direction("inbound|BroadWorks termCall")
	// A colleague of the same domain, and a telephone number, join.
	c.say(30, l3(1, "line1@bw.example", in, "sip:line1@bw.example", "sip:+15555550170@gw.example;user=phone", "line2@bw.example", "sip:1002@gw.example;user=phone")).
		want("line2@bw.example", "agent|directory|AOR host is the domain of the BroadWorks user").
		want("sip:1002@gw.example;user=phone", "external|typed number|joined later, nothing places it inside")

	// On transfer all ids are new: the user goes on, the target is external.
	out := `<callType><origCall><callingPartyNumber>sip:+15555550101@gw.example</callingPartyNumber><calledPartyNumber>sip:7002@gw.example;user=phone</calledPartyNumber></origCall></callType>`
	moved := `<redirectedCall><redirectedToPartynumber>sip:7003@gw.example;user=phone</redirectedToPartynumber></redirectedCall>`
	c = newCall(t, rules.Directory{Agents: []rules.Entry{{Extensions: []string{"7003"}}}}, rules.Profile{}).
		say(0, l3(1, "line1@bw.example", out, "sip:line1@bw.example", "sip:7002@gw.example;user=phone")).
		direction("outbound|BroadWorks origCall").
		say(40, l3(2, "line1@bw.example", out+moved, "sip:line1@bw.example", "sip:7003@gw.example;user=phone")).
		want("sip:line1@bw.example", "agent|directory|BroadWorks initiator").
		want("sip:7003@gw.example;user=phone", "external|typed number|joined later, nothing places it inside (BroadWorks redirectedToPartynumber)").
		direction("outbound|BroadWorks origCall")
	r := c.who("sip:line1@bw.example")
	if r.Because != rules.RuledContinued || r.Continues != "p1-0" || !r.Since.Equal(t0) || !r.FirstPair {
		t.Errorf("the user does not go on: %+v", r)
	}

	// The lineport is not the user id: the far number tells.
	newCall(t, rules.Directory{}, rules.Profile{}).
		say(0, l3(1, "user1@bw.example", in, "sip:port7@bw2.example", "sip:+15555550170@gw.example;user=phone")).
		want("sip:port7@bw2.example", "agent|directory|BroadWorks initiator")
	// Nor is there a number: the label tells.
	newCall(t, rules.Directory{}, rules.Profile{}).
		say(0, l3(1, "user1@bw.example", "", "sip:port7@bw2.example", "sip:anonymous@anonymous.invalid")).
		want("sip:port7@bw2.example", "agent|unknown|first pair: sends stream 1 of the recorded user (BroadWorks)").
		want("sip:anonymous@anonymous.invalid", "customer|unknown|first pair: does not send stream 1 of the recorded user (BroadWorks)")
	// A supervisor stays one when the SRC names him; the queue of the call.
	newCall(t, rules.Directory{Supervisors: []rules.Entry{{Name: "Sue", AORs: []string{"sue@bw.example"}}}}, rules.Profile{}).
		say(0, l3(1, "sue@bw.example", `<acd><acdUserId>q1@bw.example</acdUserId><acdName>Sales</acdName><acdNumber countryCode="1">tel:+15555550199</acdNumber></acd>`, "sip:sue@bw.example", "tel:+15555550199")).
		want("sip:sue@bw.example", "supervisor|directory|BroadWorks initiator").
		want("tel:+15555550199", "queue|directory|BroadWorks queue number")
}

func TestMetaswitch(t *testing.T) {
	ext := func(kind, calling string) string {
		return `<extensiondata><metaswitchRecordingMetadata><callType>` + kind + `</callType><recordedParty>+15555550101</recordedParty><callingPartyNumber>` + calling + `</callingPartyNumber></metaswitchRecordingMetadata></extensiondata>`
	}
	newCall(t, rules.Directory{}, rules.Profile{}).
		say(0, l1(ext("terminating", "5555550170"), "a 5555550170", "b 5555550101")).
		want("5555550101", "agent|directory|Metaswitch recorded party").
		want("5555550170", "customer|typed number|first pair: calling party of an inbound call (Metaswitch callType)").
		direction("inbound|Metaswitch callType")
	newCall(t, rules.Directory{}, rules.Profile{}).
		say(0, l1(ext("originating", "5555550101"), "a 5555550101", "b 5555550170")).
		want("5555550101", "agent|directory|Metaswitch recorded party").
		want("5555550170", "customer|typed number|first pair: called party of an outbound call (Metaswitch callType)").
		direction("outbound|Metaswitch callType")
}

func TestNetSapiens(t *testing.T) {
	ext := func(users, calling, called string) string {
		return `<netsapiensExtension xmlns="http://schema.netsapiens.com/netsapiensSipRec" version="1.1">` + users +
			`<callingParty participant_id="a"><nameID><uid>` + calling + `</uid></nameID></callingParty>` +
			`<calledParty participant_id="b"><nameID><uid>` + called + `</uid></nameID></calledParty></netsapiensExtension>`
	}
	user := func(id, kind string) string {
		return `<user userID="` + id + `"><callType>` + kind + `</callType></user>`
	}
	newCall(t, rules.Directory{}, rules.Profile{}).
		say(0, l1(ext(user("1001@t.example", "termCall"), "15555550170@carrier.example", "1001@t.example"), "a sip:15555550170@carrier.example", "b sip:1001@t.example")).
		want("sip:1001@t.example", "agent|directory|NetSapiens user").
		want("sip:15555550170@carrier.example", "customer|typed number|first pair: calling party of an inbound call (NetSapiens callType)").
		direction("inbound|NetSapiens callType")
	// Not to be listed proves nothing: the domain of the tenant tells.
	newCall(t, rules.Directory{}, rules.Profile{}).
		say(0, l1(ext(user("1001@t.example", "origCall"), "1001@t.example", "1016@t.example"), "a sip:1001@t.example", "b sip:1016@t.example")).
		want("sip:1016@t.example", "agent|directory|AOR host is the domain of the NetSapiens user").
		direction("internal|both parties of the first pair are inside")
	// A number of the network at the domain of the tenant is no colleague.
	newCall(t, rules.Directory{}, rules.Profile{}).
		say(0, l1(ext(user("1001@t.example", "origCall"), "1001@t.example", "15555550170@x.example"), "a sip:1001@t.example", "b sip:15555550170@t.example")).
		want("sip:15555550170@t.example", "customer|typed number|first pair: called party of an outbound call (NetSapiens callType)")
}

func TestOracle(t *testing.T) {
	calls := func(b string) string { return "<apkt:callingParty>" + b + "</apkt:callingParty>" }
	// The order of the participants says nothing: the flag does.
	newCall(t, contact, rules.Profile{}).
		say(0, l2("sip:1005@contact.example "+calls("false"), "sip:+15555550170@carrier.example "+calls("true"))).
		want("sip:1005@contact.example", "agent|directory|AOR host in inside domain contact.example").
		want("sip:+15555550170@carrier.example", "customer|typed number|first pair: the other party is agent").
		direction("inbound|the called party is inside, the calling one is not (Oracle callingParty)")
	newCall(t, contact, rules.Profile{}).
		say(0, l2("sip:x1@pbx.example "+calls("true")+"<apkt:realm>Access</apkt:realm>", "sip:+15555550170@carrier.example "+calls("false")+"<apkt:realm>peer</apkt:realm>")).
		want("sip:x1@pbx.example", "agent|directory|inside realm Access").
		direction("outbound|the calling party is inside, the called one is not (Oracle callingParty)").
		// After REFER a third party of the same recording session.
		say(60, l2("sip:x1@pbx.example "+calls("true")+"<apkt:realm>Access</apkt:realm>", "sip:+15555550170@carrier.example "+calls("false"), "sip:+15555550171@carrier.example", "sip:1016@contact.example")).
		want("sip:+15555550171@carrier.example", "external|typed number|joined later, nothing places it inside").
		want("sip:1016@contact.example", "agent|directory|AOR host in inside domain contact.example")
}

func TestAudioCodes(t *testing.T) {
	doc := l2("+15555550170@ims.example", "1001@192.0.2.45")
	newCall(t, rules.Directory{}, rules.Profile{}).say(0, doc).
		want("1001@192.0.2.45", "agent|unknown|first pair: short number beside one of the telephone network").
		want("+15555550170@ims.example", "customer|typed number|first pair: number of the telephone network beside a short one").
		direction("unknown|nothing tells who called whom")
	newCall(t, rules.Directory{}, rules.Profile{Name: "sbc1", RecordedOrder: rules.OrderFirst, Caller: rules.OrderSecond}).say(0, doc).
		want("+15555550170@ims.example", "agent|unknown|first pair: first participant is the recorded user (profile sbc1)").
		want("1001@192.0.2.45", "customer|typed number|first pair: first participant is the recorded user (profile sbc1)").
		direction("inbound|the called party is inside, the calling one is not (profile sbc1)")
	newCall(t, contact, rules.Profile{}).say(0, doc).
		want("1001@192.0.2.45", "agent|directory|agent Anna of the directory, by extension")
	newCall(t, rules.Directory{}, rules.Profile{}).
		say(0, l2("+15555550170@h.example", "+15555550171@h.example")).
		want("+15555550170@h.example", "unknown|unknown|roles unknown: nothing places a party of the first pair inside").
		direction("unknown|nothing tells who called whom")
}

func TestCisco(t *testing.T) {
	const guid = "Cisco-Guid: 0000000001-0000000002-0000000003-0000000004"
	doc := l1("", "a sip:6201@198.51.100.77", "b sip:62010@198.51.100.77")
	c := newCall(t, rules.Directory{}, rules.Profile{}).say(0, doc, guid).
		want("sip:6201@198.51.100.77", "unknown|unknown|roles unknown: nothing places a party of the first pair inside").
		direction("unknown|nothing tells who called whom")
	if !c.roster.RolesUnknown() {
		t.Error("the roles are not unknown")
	}
	// What is asserted for the recording session names a party with Avaya only.
	newCall(t, rules.Directory{}, rules.Profile{}).say(0, doc, guid, "P-Asserted-Identity: <sip:6201@198.51.100.77>").
		want("sip:6201@198.51.100.77", "unknown|unknown|roles unknown: nothing places a party of the first pair inside")
	c = newCall(t, rules.Directory{}, rules.Profile{Name: "cube", RecordedLabel: "2", Direction: rules.DirectionInbound}).say(0, doc, guid).
		want("sip:62010@198.51.100.77", "agent|unknown|first pair: sends stream 2 of the recorded user (profile cube)").
		want("sip:6201@198.51.100.77", "customer|typed number|first pair: does not send stream 2 of the recorded user (profile cube)").
		direction("inbound|profile cube")
	if c.roster.RolesUnknown() {
		t.Error("the roles are unknown")
	}
	// What shows the dialect need not come again: the first is not the caller.
	newCall(t, contact, rules.Profile{}).say(0, l1("", "a sip:bert@contact.example"), guid).
		say(1, l1("", "a sip:bert@contact.example", "b sip:62010@198.51.100.77")).
		direction("unknown|nothing tells who called whom")
	newCall(t, rules.Directory{}, rules.Profile{}).say(0, l1("", "a sip:6201@198.51.100.77|Anna", "b sip:62010@198.51.100.77|62010"), guid).
		want("sip:6201@198.51.100.77", "agent|unknown|first pair: only own people are shown with names (Cisco)")
	// Header fields without metadata, and a transfer by re-INVITE.
	newCall(t, contact, rules.Profile{}).
		say(0, "", `X-Cisco-Recording-Participant: sip:+15555550170@patient.example;media-index="0"`, `X-Cisco-Recording-Participant: sip:40071@192.0.2.41;media-index="1"`).
		want("sip:40071@192.0.2.41", "agent|directory|AOR host in inside domain 192.0.2.0/24").
		say(90, "", `X-Cisco-Recording-Participant: sip:+15555550170@patient.example;media-index="0"`, `X-Cisco-Recording-Participant: sip:40082@192.0.2.41;media-index="1"`).
		want("sip:+15555550170@patient.example", "customer|typed number|first pair: the other party is agent").
		want("sip:40082@192.0.2.41", "agent|directory|AOR host in inside domain 192.0.2.0/24")
}

func TestBuiltInBridge(t *testing.T) {
	near := metadata.Fact{Kind: metadata.FactNearEnd, Value: "1001", Dialect: metadata.DialectCisco, Field: "From"}
	v := metadata.View{Participants: presences("n 1001", "f +15555550170")}
	r := rules.NewRoster(rules.Compile(rules.Directory{}), rules.Profile{})
	got := r.Update(t0, v, []metadata.Fact{near, {Kind: metadata.FactFarEnd, Value: "+15555550170", Dialect: metadata.DialectCisco}})
	if len(got) != 2 || got[0].Evidence != "Cisco near end" || got[0].Role != rules.RoleAgent || got[1].Role != rules.RoleCustomer {
		t.Errorf("%+v", got)
	}
}

func presences(parties ...string) []metadata.Presence {
	var out []metadata.Presence
	for _, p := range parties {
		id, aor, _ := strings.Cut(p, " ")
		aor, name, _ := strings.Cut(aor, "|")
		out = append(out, metadata.Presence{Participant: metadata.Participant{
			ID: metadata.ID(id), NameIDs: []metadata.NameID{{AOR: aor, Name: name}}}})
	}
	return out
}

func TestRibbon(t *testing.T) {
	doc := `<tns:recording xmlns:tns="urn:ietf:params:xml:ns:recording"><tns:datamode>complete</tns:datamode>
<tns:group group_id="g"><callData xmlns="urn:ietf:params:xml:ns:callData"><fromhdr>"Anna" &lt;sip:5555550170@198.51.100.1&gt;;tag=1</fromhdr><tohdr>&lt;sip:5555550101@192.0.2.9&gt;</tohdr></callData></tns:group>
<tns:session session_id="c"><tns:group-ref>g</tns:group-ref></tns:session>
<tns:participant participant_id="b"><tns:nameID aor="5555550101@192.0.2.9"/></tns:participant>
<tns:participant participant_id="a"><tns:nameID aor="5555550170@198.51.100.1"/></tns:participant>
<tns:stream stream_id="s1" session_id="c"><tns:label>1</tns:label></tns:stream></tns:recording>`
	newCall(t, contact, rules.Profile{}).say(0, doc).
		want("5555550101@192.0.2.9", "agent|directory|AOR host in inside domain 192.0.2.0/24").
		want("5555550170@198.51.100.1", "customer|typed number|first pair: the other party is agent").
		direction("inbound|the called party is inside, the calling one is not (Ribbon fromhdr)")
}

func TestAvaya(t *testing.T) {
	const ucid, asserted = "User-to-User: 00FA080001000158A20001;encoding=hex", "P-Asserted-Identity: <sip:15555550101@192.0.2.9>"
	c := newCall(t, rules.Directory{}, rules.Profile{Caller: rules.OrderFirst, Placeholders: []string{"sip:nobody@sbc.example"}}).
		say(0, l1("", "a sip:15555550101@10.0.0.1", "x sip:nobody@sbc.example"), ucid, asserted).
		want("sip:15555550101@10.0.0.1", "agent|directory|Avaya asserted identity of the recorded leg").
		want("sip:nobody@sbc.example", "unknown|unknown|placeholder of the SRC, the party is not known yet").
		direction("unknown|nothing tells who called whom").
		// Later than the window: the placeholder keeps the place.
		say(45, l1("", "a sip:15555550101@10.0.0.1", "b sip:5555550170@10.0.0.2"), ucid, asserted).
		want("sip:5555550170@10.0.0.2", "customer|typed number|first pair: the other party is agent").
		direction("outbound|the calling party is inside, the called one is not (profile)")
	if !c.who("sip:5555550170@10.0.0.2").FirstPair {
		t.Error("who replaces the placeholder is not of the first pair")
	}
	// The dialect tells a placeholder, too, and the same id may become real.
	newCall(t, contact, rules.Profile{Caller: rules.OrderFirst}).
		say(0, l1("", "a sip:5555550170@198.51.100.1", "abcdefgh12345678 sip:SBCX@sbcx.example"), ucid).
		want("sip:SBCX@sbcx.example", "unknown|unknown|placeholder of the SRC, the party is not known yet").
		say(45, l1("", "a sip:5555550170@198.51.100.1", "abcdefgh12345678 sip:15555550101@198.51.100.2"), ucid).
		want("sip:15555550101@198.51.100.2", "agent|directory|agent Anna of the directory, by number").
		want("sip:5555550170@198.51.100.1", "customer|typed number|first pair: the other party is agent").
		direction("inbound|the called party is inside, the calling one is not (profile)")
}

func TestCallerFirst(t *testing.T) {
	jambonz := func(direction string) string {
		return `<extensiondata xmlns:jb="http://jambonz.org/siprec"><jb:direction>` + direction + `</jb:direction><jb:callednumber>15555550170</jb:callednumber><jb:callingnumber>15555550101</jb:callingnumber></extensiondata>`
	}
	parties := []string{"a sip:15555550170@198.51.100.77", "b sip:15555550101@sip.example"}
	newCall(t, rules.Directory{}, rules.Profile{}).say(0, l1(jambonz("inbound"), parties...)).
		want(parties[1][2:], "agent|unknown|first pair: called party of an inbound call (jambonz direction)").
		want(parties[0][2:], "customer|typed number|first pair: calling party of an inbound call (jambonz direction)").
		direction("inbound|jambonz direction")
	newCall(t, rules.Directory{}, rules.Profile{}).say(0, l1(jambonz("outbound"), parties...)).
		want(parties[0][2:], "agent|unknown|first pair: calling party of an outbound call (jambonz direction)").
		direction("outbound|jambonz direction")
	newCall(t, rules.Directory{}, rules.Profile{}).say(0, l1(jambonz("internal"), parties...)).
		want(parties[0][2:], "agent|unknown|first pair: party of an internal call (jambonz direction)").
		direction("internal|jambonz direction")
	// OpenSIPS: order alone. With a directory it tells the direction.
	newCall(t, rules.Directory{}, rules.Profile{}).say(0, l1("", parties...)).
		want(parties[0][2:], "unknown|unknown|roles unknown: nothing places a party of the first pair inside").
		direction("unknown|who called is known (the caller is described first), but not who is inside")
	newCall(t, contact, rules.Profile{}).say(0, l1("", parties...)).
		want(parties[1][2:], "agent|directory|agent Anna of the directory, by number").
		direction("inbound|the called party is inside, the calling one is not (the caller is described first)")
	newCall(t, rules.Directory{}, rules.Profile{Name: "trunk", Direction: rules.DirectionOutbound}).say(0, l1("", parties...)).
		want(parties[0][2:], "agent|unknown|first pair: calling party of an outbound call (profile trunk)").
		direction("outbound|the calling party is inside, the called one is not (the caller is described first)")
	newCall(t, rules.Directory{}, rules.Profile{Name: "t", Dialect: metadata.DialectTelnyx, Direction: rules.DirectionInbound}).say(0, l1("", parties...)).
		want(parties[1][2:], "agent|unknown|first pair: called party of an inbound call (profile t)")
	// Emergency calls: the service that is addressed is the call taker.
	newCall(t, rules.Directory{}, rules.Profile{}).say(0, l1("", "a sip:+15555550170@carrier.example", "b urn:service:sos")).
		want("urn:service:sos", "agent|unknown|first pair: called party of an inbound call (a service is addressed (RFC 5031))").
		direction("inbound|a service is addressed (RFC 5031)")
	newCall(t, rules.Directory{}, rules.Profile{}).say(0, l1("", "b urn:service:sos.fire", "a sip:+15555550170@carrier.example")).
		want("sip:+15555550170@carrier.example", "customer|typed number|first pair: calling party of an inbound call (a service is addressed (RFC 5031))")
}
