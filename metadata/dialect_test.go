package metadata_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/metadata"
)

// The peculiarities of dialects, each by a document of that shape.

const (
	sbcePlaceholder = `<participant participant_id="abcd1234567890123456"><nameID aor="sip:GATEWAY@gateway.example.com"/></participant>
<participantsessionassoc participant_id="abcd1234567890123456" session_id="00FA08AA00BB00CC00DD00"/><participantstreamassoc participant_id="abcd1234567890123456"></participantstreamassoc>
<stream stream_id="" session_id="00FA08AA00BB00CC00DD00"><label>20</label></stream>`
	sbceReal = `<participant participant_id="77aa88bb99cc00dd11ee"><nameID aor="sip:202@pbx.example.com"/></participant>
<participantsessionassoc participant_id="77aa88bb99cc00dd11ee" session_id="00FA08AA00BB00CC00DD00"/><participantstreamassoc participant_id="77aa88bb99cc00dd11ee"><send>55aa55bb55cc55dd55ee</send></participantstreamassoc>
<stream stream_id="55aa55bb55cc55dd55ee" session_id="00FA08AA00BB00CC00DD00"><label>20</label></stream>`
)

// Avaya SBCE: the second party is made up until an UPDATE without SDP names it.
func TestPlaceholderParty(t *testing.T) {
	r := newRun(t).apply(with(sbceDocument, "OTHER", sbcePlaceholder), lines("10", "20"))
	lacks(t, r.m.Facts(), "ucid 00FA08AA00BB00CC00DD00 @00FA08AA00BB00CC00DD00", "placeholder sip:GATEWAY@gateway.example.com @abcd1234567890123456")
	r.sends(0, "90ab00cd11ef22aa33bb").sends(1, "")
	r.apply(with(sbceDocument, "OTHER", sbceReal), nil).sends(1, "77aa88bb99cc00dd11ee")
	if got := tell(r.m.Facts()); !slices.Equal(got, []string{"ucid 00FA08AA00BB00CC00DD00 @00FA08AA00BB00CC00DD00"}) {
		t.Errorf("facts after the update: %q", got)
	}
	r.changed("stream-stopped 00FA08AA00BB00CC00DD00 stream labelled 20 1/0", "left abcd1234567890123456 00FA08AA00BB00CC00DD00",
		"joined 77aa88bb99cc00dd11ee 00FA08AA00BB00CC00DD00", "stream-started 00FA08AA00BB00CC00DD00 55aa55bb55cc55dd55ee 1/0",
		"sending-started 77aa88bb99cc00dd11ee 55aa55bb55cc55dd55ee 1/0")
}

// Both signs are needed: people may have such an address or such an id.
func TestPlaceholderByShape(t *testing.T) {
	for _, c := range []struct {
		id, aor string
		want    bool
	}{
		{"wxyz9012345678", "sip:gate@GATE.example.com:5060;transport=tcp", true},
		{"12345678", "gate@gate.example", true},
		{"abcdefgh", "sip:gate@gate.example", true},
		{"abcdefg", "sip:gate@gate.example", false},       // too short to tell
		{"1234abcd5678", "sip:gate@gate.example", false},  // digits, then letters
		{"abcd12345687", "sip:gate@gate.example", false},  // not in order
		{"abcd1234ab12", "sip:gate@gate.example", false},  // two runs
		{"ABCD1234567", "sip:ann@gate.example", false},    // a person
		{"abcd1234567", "sip:gate.example", false},        // no user
		{"90ab00cd11ef", "sip:gate@gate.example", false},  // an id
		{"89:;<=>?@ABC", "sip:gate@gate.example", false},  // next to each other in ASCII only
		{"abcd901234567", "sip:gate@sub.gate.com", false}, // another domain
	} {
		xml := complete(person(strings.ReplaceAll(c.id, "<", "&lt;"), c.aor))
		if got := len(decode(t, xml).Facts()) == 1; got != c.want {
			t.Errorf("id %s, address %s: placeholder %v, want %v", c.id, c.aor, got, c.want)
		}
	}
}

// Ribbon: the first participant sends the second stream. Associations say who
// sends what, order never.
func TestSwappedStreams(t *testing.T) {
	r := newRun(t).apply(callDataDocument, lines("1", "2"))
	r.sends(0, "P-2").sends(1, "P-1")
	for _, sp := range r.m.Attribution(0, 0, instant(10)) {
		if sp.Guessed {
			t.Error("guessed")
		}
	}
	// Also when the SDP has the m-lines the other way round.
	newRun(t).apply(callDataDocument, lines("2", "1")).sends(0, "P-1").sends(1, "P-2")
}

// BroadWorks renews every id on transfer. Who has the same address is the same
// person, and changes say so.
func TestWholeSetReplaced(t *testing.T) {
	var last []metadata.Change
	m := metadata.New()
	apply := func(at int, xml string) {
		m, last = m.Apply(decode(t, xml), instant(at), lines("1", "2"))
	}
	apply(10, broadDocument("1", userAOR, farAOR, origCall, ""))
	// Another spelling of the same address.
	apply(20, broadDocument("2", "<![CDATA[<sip:201@USERS.example.com:5060;user=phone>]]>", "sip:5550106@192.0.2.1;user=phone", origCall, redirect))
	same := make(map[string]metadata.ID)
	for _, c := range last {
		if c.Participant != "" {
			same[c.Kind.String()+" "+string(c.Participant)] = c.SamePerson
		}
	}
	for change, want := range map[string]metadata.ID{
		"left urn:uuid:p1": "urn:uuid:p2", "joined urn:uuid:p2": "urn:uuid:p1",
		"sending-stopped urn:uuid:p1": "urn:uuid:p2", "sending-started urn:uuid:p2": "urn:uuid:p1",
		"left urn:uuid:q1": "", "joined urn:uuid:q2": "", "sending-stopped urn:uuid:q1": "", "sending-started urn:uuid:q2": "",
	} {
		if got, reported := same[change]; !reported || got != want {
			t.Errorf("%s: same person as %q, want %q; reported %v", change, got, want, reported)
		}
	}
	if got := m.Oddities(); len(got) != 1 || !strings.Contains(got[0], "renewed") {
		t.Errorf("oddities %q", got)
	}
	// A third set: the earlier id is the last one, the person that of the first.
	apply(30, broadDocument("3", farAOR, userAOR, origCall, redirect))
	for _, c := range last {
		if c.Kind == metadata.Joined && c.Participant == "urn:uuid:q3" && c.SamePerson != "urn:uuid:p2" {
			t.Errorf("joined as the one who was %q", c.SamePerson)
		}
	}
	for id, want := range map[metadata.ID]metadata.ID{"urn:uuid:p1": "urn:uuid:p1", "urn:uuid:p2": "urn:uuid:p1", "urn:uuid:q3": "urn:uuid:p1", "urn:uuid:p3": "urn:uuid:q1", "urn:uuid:q2": "urn:uuid:q2", "other": "other"} {
		if got := m.Person(id); got != want {
			t.Errorf("%s is the person %s, want %s", id, got, want)
		}
	}
	if !m.SamePerson("urn:uuid:p1", "urn:uuid:q3") || m.SamePerson("urn:uuid:p1", "urn:uuid:q1") {
		t.Error("persons mixed up")
	}
	// The same document again changes nothing.
	if apply(40, broadDocument("3", farAOR, userAOR, origCall, redirect)); len(last) > 0 || len(m.Oddities()) > 0 {
		t.Errorf("again: %v, %q", last, m.Oddities())
	}
}

// Where addresses do not tell persons apart, nobody is taken for another.
func TestNotTheSamePerson(t *testing.T) {
	two := func(n, a, b string) string { return complete(comm("S-"+n), person("A-"+n, a), person("B-"+n, b)) }
	for _, c := range []struct{ name, before, after string }{
		{"anonymous", two("1", "sip:anonymous@anonymous.invalid", "sip:x@example.com"), two("2", "sip:anonymous@anonymous.invalid", "sip:y@example.com")},
		{"anonymous at home", two("1", "sip:Anonymous@example.com", "sip:x@example.com"), two("2", "sip:Anonymous@example.com", "sip:y@example.com")},
		{"no user", two("1", "sip:@example.com", "sip:x@example.com"), two("2", "sip:@example.com", "")},
		{"twice before", two("1", "sip:x@example.com", "sip:x@example.com"), two("2", "sip:x@example.com", "sip:y@example.com")},
		{"twice after", two("1", "sip:x@example.com", "sip:y@example.com"), two("2", "sip:x@example.com", "sip:x@example.com")},
		{"another host", two("1", "sip:201@a.example.com", "sip:x@example.com"), two("2", "sip:201@b.example.com", "sip:y@example.com")},
		{"an id stays", two("1", "sip:x@example.com", "sip:y@example.com"), complete(person("B-1", "sip:y@example.com"), person("A-2", "sip:x@example.com"))},
		{"partial", two("1", "sip:x@example.com", "sip:y@example.com"), strings.Replace(two("2", "sip:x@example.com", "sip:y@example.com"), "complete", "partial", 1)},
		{"two claims", complete(`<participant participant_id="A-1"><nameID aor="sip:x@example.com"/><nameID aor="sip:y@example.com"/></participant>`), two("2", "sip:x@example.com", "sip:y@example.com")},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRun(t).apply(c.before, nil).apply(c.after, nil)
			for _, id := range []metadata.ID{"A-2", "B-2"} {
				if got := r.m.Person(id); got != id {
					t.Errorf("%s taken for %s", id, got)
				}
			}
		})
	}
}

// jambonz writes the calling number as the called one. The addresses say which is
// which, so that a release that writes them right is read right.
func TestSwappedNumbers(t *testing.T) {
	for _, c := range []struct {
		name, called, calling string
		odd                   bool
		want                  []string
	}{
		{"swapped", "15105550101", "15105550102", true, []string{"calling-number 15105550101", "called-number 15105550102"}},
		{"right", "+15105550102", "15105550101", false, []string{"called-number +15105550102", "calling-number 15105550101"}},
		{"of nobody", "15105550108", "15105550109", true, []string{"calling-number 15105550108", "called-number 15105550109"}},
	} {
		d := decode(t, with(jambDocument, "DIRECTION", "outbound", "CALLED", c.called, "CALLING", c.calling))
		lacks(t, d.Facts(), append(c.want, "direction outbound")...)
		if odd := strings.Contains(strings.Join(d.Oddities, " "), "exchanged"); odd != c.odd {
			t.Errorf("%s: oddity %v, want %v", c.name, odd, c.odd)
		}
	}
	bare := `<recording><extensiondata xmlns:jb="http://jambonz.org/x"><jb:callednumber>1</jb:callednumber></extensiondata></recording>`
	lacks(t, decode(t, bare).Facts(), "calling-number 1")
	anon := `<recording><extensiondata xmlns:jb="http://jambonz.org/x"><jb:callednumber>1</jb:callednumber></extensiondata>` + person("P-1", "sip:anonymous@x.invalid") + person("P-2", "sip:@x") + `</recording>`
	lacks(t, decode(t, anon).Facts(), "calling-number 1")
}

// CUBE names, when a participant leaves, the participant as its own communication
// session. See also TestLeavingItself.
func TestWrongDisassociation(t *testing.T) {
	r := newRun(t).apply(complete(comm(cs1), person(ann, "sip:5550101@192.0.2.1"), person(ben, "sip:5550102@192.0.2.1"),
		stream(aa, cs1, "1"), stream(ba, cs1, "2"), member(ann, cs1, joins), member(ben, cs1, joins),
		media(ann, l(aa), l(ba)), media(ben, l(ba), l(aa))), lines("1", "2"))
	r.apply(complete(comm(cs1), person(cleo, "sip:5550103@192.0.2.1"), person(ben, "sip:5550102@192.0.2.1"),
		member(cleo, cs1, joins), member(ann, ann, leaves), member(ben, cs1)), nil)
	r.odd("disassociated from itself").unresolved("participant ann")
	if _, there := r.m.Current().Participant(id(ann)); there {
		t.Error("who left is there")
	}
}

// OpenSIPS copies display names as they are. The people are found all the same,
// and only the reading is lenient: the recording goes on by the same model.
func TestUnescapedNames(t *testing.T) {
	for _, name := range []string{
		`"Ann & Co" <sip:ann@example.com>`, `A < B`, `Ann <3`, `R&D`, `<sip:ann@example.com>`, `Ann & Ben; "AB" <x@y>`, `100% & more &nbsp`,
	} {
		xml := complete(comm(cs1), `<participant participant_id="`+ann+`"><nameID aor="sip:ann@example.com"><name>`+name+`</name></nameID></participant>`,
			person(ben, "sip:ben@example.com"), stream(aa, cs1, "1"), stream(ba, cs1, "2"),
			member(ann, cs1), member(ben, cs1), media(ann, l(aa), l(ba)), media(ben, l(ba), l(aa)))
		d := decode(t, xml)
		if !slices.ContainsFunc(d.Oddities, func(o string) bool { return strings.Contains(o, "repaired") }) {
			t.Errorf("name %s: oddities %q", name, d.Oddities)
		}
		if got := d.Participants[0].NameIDs[0].Name; got != name {
			t.Errorf("name %q, want %q", got, name)
		}
		newRun(t).apply(xml, lines("1", "2")).sends(0, "ann").sends(1, "ben")
	}
}

// Ids that decode are compared decoded, others as they are.
// Shows 7865-6.10-01.
func TestIDsDecodedOrOpaque(t *testing.T) {
	wrapped := "\n " + ann[:9] + "\n  " + ann[9:] + " "
	r := newRun(t).apply(complete(comm(cs1), person(ann, "a"), person("Opaque-1", "b"), stream(aa, cs1, "1"), stream("x", cs1, "2"),
		member(wrapped, cs1), member("opaque-1", cs1), member(" Opaque-1 ", cs1), media(wrapped, l(aa), nil), media("Opaque-1", l(" x"), nil)), lines("1", "2"))
	r.sends(0, "ann").sends(1, "Opaque-1").unresolved("participant opaque-1")
	if id(ann[:23]+"A") == id(ann) || id(ann) != id(wrapped) || id("MTIzNDU2Nzg5MDEyMzQ1Ng==") == id("123456789012345 ") {
		t.Error("ids compared wrongly")
	}
}

// A label names the m-line of the message that carried both: a later SDP that
// labels otherwise moves no stream.
// Shows 7866-7.1.1-04.
func TestLabelsSurviveRelabelling(t *testing.T) {
	r := newRun(t).apply(callDataDocument, lines("1", "2")).sends(0, "P-2").sends(1, "P-1")
	r.apply("", lines("2", "1")).changed().sends(0, "P-2").sends(1, "P-1")
	r.apply("", lines("x", "")).changed().sends(0, "P-2").sends(1, "P-1")
	// Metadata with that SDP says it anew.
	r.apply(callDataDocument, lines("2", "1")).sends(0, "P-1").sends(1, "P-2")
}

// A mixed stream has all who send something that nobody described.
// Shows 7865-6.7-01.
func TestUndescribedStreamIsMixedIn(t *testing.T) {
	xml := strings.NewReplacer("<mode>separate</mode>", "<mode>mixed</mode>",
		`<stream id="urn:uuid:n1" session="urn:uuid:s1"><label>2</label><mode>separate</mode></stream>`, "").
		Replace(broadDocument("1", userAOR, farAOR, termCall, queue))
	r := newRun(t).apply(xml, lines("1")).sends(0, "urn:uuid:p1 urn:uuid:q1")
	if got := r.m.Attribution(0, 0, instant(10)); len(got) != 2 || got[0].Guessed || !got[1].Guessed {
		t.Errorf("attribution %+v", got)
	}
	// Separate streams, or several, are not mixed.
	newRun(t).apply(strings.ReplaceAll(xml, "mixed", "separate"), lines("1")).sends(0, "urn:uuid:p1")
	two := strings.Replace(xml, "<stream ", `<stream id="urn:uuid:o" session="urn:uuid:s1"><label>2</label></stream><stream `, 1)
	newRun(t).apply(strings.Replace(two, "<send>", "<send><id>urn:uuid:o</id></send><send>", 1), lines("1", "2")).sends(0, "urn:uuid:p1")
}
