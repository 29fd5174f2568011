package metadata_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/metadata"
)

// Fixtures in the shape of each layout, with names, numbers and ids of our own.
const (
	inlineLayout = `<?xml version='1.0' encoding='UTF-8'?>
<recording xmlns='urn:ietf:params:xml:ns:recording' xmlns:v="http://vendor.example.com/x">
 <datamode>complete</datamode>
 <session id="S-1"><associate-time>2031-01-02T03:04:05</associate-time></session>
 <participant id="+15550101" session="S-1">
  <nameID aor="+15550101@example.com"><name>"Ann"</name></nameID>
  <send>M-1</send><recv>M-2</recv>
  <associate-time>2031-01-02T03:04:05</associate-time>
  <extensiondata><v:callingParty>true</v:callingParty></extensiondata>
 </participant>
 <participant id="+15550102" session="S-1">
  <nameID aor="sip:+15550102@example.com"/>
  <send>M-2</send><recv>M-1</recv>
 </participant>
 <stream id="M-1" session="S-1"><label>16777301</label><mode>separate</mode></stream>
 <stream id="M-2" session="S-1"><label>16777302</label><mode>separate</mode></stream>
</recording>`

	prefixedLayout = `<rs:recording xmlns:rs='urn:ietf:params:xml:ns:recording'>
 <rs:datamode>complete</rs:datamode>
 <rs:group group_id="G-1"><callInfo xmlns="urn:example:info"><fromhdr>&lt;sip:ann@example.com&gt;;tag=1</fromhdr></callInfo></rs:group>
 <rs:session session_id="S-1"><rs:group-ref>G-1</rs:group-ref></rs:session>
 <rs:participant participant_id="P-1"><rs:nameID aor="ann@example.com"><rs:name xml:lang="en"> </rs:name></rs:nameID></rs:participant>
 <rs:participant participant_id="P-2"><rs:nameID aor="ben@example.com"/></rs:participant>
 <rs:stream id="M-1" session_id="S-1"><rs:label>1</rs:label></rs:stream>
 <rs:stream stream_id="M-2" session_id="S-1"><rs:label>2</rs:label></rs:stream>
 <rs:participantsessionassoc participant_id="P-1" session_id="S-1"/>
 <rs:participantsessionassoc participant_id="P-2" session_id="S-1"/>
 <rs:participantstreamassoc participant_id="P-1"><rs:send>M-2</rs:send><rs:recv>M-1</rs:recv></rs:participantstreamassoc>
 <rs:participantstreamassoc participant_id="P-2"><rs:send>M-1</rs:send><rs:recv>M-2</rs:recv></rs:participantstreamassoc>
</rs:recording>`

	olderLayout = `<recording_metadata xmlns="urn:ietf:params:xml:ns:siprec">
<dataMode>complete</dataMode>
<recording id="urn:uuid:r"><requestor>SRC</requestor></recording>
<group id="urn:uuid:g" recording="urn:uuid:r"><initiator>sip:ann@example.com</initiator></group>
<session id="urn:uuid:s" group="urn:uuid:g"><start-time>2031-01-02T03:04:05+00:00</start-time></session>
<participant id="urn:uuid:p1" session="urn:uuid:s"><aor>sip:ann@example.com</aor><send><id>urn:uuid:m</id></send></participant>
<participant id="urn:uuid:p2" session="urn:uuid:s"><aor>sip:5550102@192.0.2.7;user=phone</aor><send><id>urn:uuid:m</id></send></participant>
<stream id="urn:uuid:m" session="urn:uuid:s"><label>1</label><mode>mixed</mode></stream>
<extensiondata id="urn:uuid:x" parent="urn:uuid:s"><info xmlns="http://vendor.example.com/i"><callType><termCall><number>5550101</number></termCall></callType></info></extensiondata>
</recording_metadata>`

	oldestLayout = `<recording xmlns='urn:ietf:params:xml:ns:recording'><dataMode>complete</dataMode>
 <session id="urn:uuid:s"><start-time>2031-01-02T03:04:05</start-time></session>
 <participant id="urn:uuid:p1" session="urn:uuid:s"><aor>sip:ann@example.com</aor><name>ann </name><send>urn:uuid:lost</send></participant>
 <participant id="urn:uuid:p2" session="urn:uuid:s"><aor>sip:ben@example.com</aor><name>ben </name></participant>
 <stream id="urn:uuid:m" session="urn:uuid:s"><mode>separate</mode></stream>
</recording>`

	noAssocs = `<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode>
 <session session_id="S-1"/>
 <participant participant_id="P-1"><nameID aor="sip:@example.com"/></participant>
 <participant participant_id="P-2"><nameID aor="sip:ben@example.com"/></participant>
 <stream stream_id="M-1" session_id="S-1"><label>1</label></stream>
 <stream stream_id="M-2" session_id="S-1"><label>2</label></stream>
</recording>`

	bareMinimum = `<recording xmlns="urn:ietf:params:xml:ns:recording:1">
 <participant participant_id="from"><nameID aor="sip:ann@example.com"/></participant>
 <participant participant_id="to"><nameID aor="sip:ben@example.com"/></participant>
 <stream stream_id="in" media_label="inbound"/><stream stream_id="out" media_label="outbound"/>
</recording>`

	noStreams = `<recording xmlns="urn:ietf:params:xml:ns:recording:1"><session session_id="S-1"/>
 <participant participant_id="P-1"><nameID aor="sip:ann@example.com"/></participant>
 <participant participant_id="P-2"><nameID aor="sip:ben@example.com"/></participant>
 <participantsessionassoc participant_id="P-1" session_id="S-1"/>
 <participantsessionassoc participant_id="P-2" session_id="S-1"/>
</recording>`

	assocsNoStreams = `<recording xmlns="urn:ietf:params:xml:ns:recording:1"><session session_id="S-1"/>
 <participant participant_id="P-1"><nameID aor="sip:ann@example.com"/></participant>
 <participant participant_id="P-2"><nameID aor="sip:ben@example.com"/></participant>
 <participantsessionassoc participant_id="P-1" session_id="S-1"/>
 <participantsessionassoc participant_id="P-2" session_id="S-1"/>
 <participantstreamassoc participant_id="P-1"><send>M-1</send><recv>M-2</recv></participantstreamassoc>
 <participantstreamassoc participant_id="P-2"><send>M-2</send><recv>M-1</recv></participantstreamassoc>
</recording>`

	danglingAssoc = `<recording xmlns="urn:ietf:params:xml:ns:recording:1"><session session_id="S-1"/>
 <participant participant_id="P-1"><nameID aor="sip:ann@example.com"/></participant>
 <participant participant_id="P-2"><nameID aor="sip:ben@example.com"/></participant>
 <stream stream_id="M-1" session_id="S-1"><label>1</label></stream>
 <stream stream_id="M-2" session_id="S-1"><label>2</label></stream>
 <participantsessionassoc participant_id="P-1" session_id="S-1"/>
 <participantsessionassoc participant_id="P-2" session_id="S-1"/>
 <participantstreamassoc participant_id="P-1"><send>M-1</send></participantstreamassoc>
 <participantstreamassoc participant_id="M-1"><send>M-2</send></participantstreamassoc>
</recording>`

	placeholder = `<recording xmlns="urn:ietf:params:xml:ns:recording:1"><dataMode>complete</dataMode><session session_id="00AB12"/>
 <participant participant_id="P-1"><nameID aor="sip:ann@example.com"/></participant>
 <participantsessionassoc participant_id="P-1" session_id="00AB12"/><participantstreamassoc participant_id="P-1"><send>M-1</send></participantstreamassoc>
 <participant participant_id="dummy"><nameID aor="sip:dummy@example.com"/></participant>
 <participantsessionassoc participant_id="dummy" session_id="00AB12"/><participantstreamassoc participant_id="dummy"></participantstreamassoc>
 <stream stream_id="M-1" session_id="00AB12"><label>10</label></stream><stream stream_id="" session_id="00AB12"><label>20</label></stream>
</recording>`
)

func TestLayouts(t *testing.T) {
	for _, c := range []struct {
		name, xml string
		labels    []string
		layout    metadata.Layout
		senders   []string // by m-line, AORs
		guessed   bool
	}{
		{"L1", basic(), []string{"11", "12", "13", "14"}, metadata.L1,
			[]string{"sip:ann@example.com", "sip:ann@example.com", "sip:ben@example.com", "sip:ben@example.com"}, false},
		{"L1 without associations", noAssocs, []string{"1", "2"}, metadata.L1, []string{"sip:@example.com", "sip:ben@example.com"}, true},
		{"L1 with label attributes and nothing else", bareMinimum, []string{"inbound", "outbound"}, metadata.L1, []string{"sip:ann@example.com", "sip:ben@example.com"}, true},
		{"L1 without streams", noStreams, []string{"1", "2"}, metadata.L1, []string{"sip:ann@example.com", "sip:ben@example.com"}, true},
		{"L1 with associations and no streams", assocsNoStreams, []string{"1", "2"}, metadata.L1, []string{"sip:ann@example.com", "sip:ben@example.com"}, true},
		{"L1 with an association of nobody", danglingAssoc, []string{"1", "2"}, metadata.L1, []string{"sip:ann@example.com", "sip:ben@example.com"}, true},
		{"L1 with a placeholder", placeholder, []string{"10", "20"}, metadata.L1, []string{"sip:ann@example.com", ""}, false},
		{"L1 with other labels in the SDP", noAssocs, []string{"x", "y"}, metadata.L1, []string{"sip:@example.com", "sip:ben@example.com"}, true},
		{"L1 without labels in the SDP", noAssocs, []string{"", ""}, metadata.L1, []string{"sip:@example.com", "sip:ben@example.com"}, true},
		{"L2", inlineLayout, []string{"16777301", "16777302"}, metadata.L2, []string{"+15550101@example.com", "sip:+15550102@example.com"}, false},
		{"L2b, crossed", prefixedLayout, []string{"1", "2"}, metadata.L2b, []string{"ben@example.com", "ann@example.com"}, false},
		{"L3, mixed", olderLayout, []string{"1"}, metadata.L3, []string{"sip:ann@example.com sip:5550102@192.0.2.7;user=phone"}, false},
		{"L3, label of the SDP differs", olderLayout, []string{"5"}, metadata.L3, []string{"sip:ann@example.com sip:5550102@192.0.2.7;user=phone"}, true},
		{"L3b", oldestLayout, []string{"1"}, metadata.L3b, []string{"sip:ann@example.com"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := decode(t, c.xml)
			if d.Layout != c.layout {
				t.Errorf("layout %v, want %v", d.Layout, c.layout)
			}
			m, _ := metadata.New().Apply(d, instant(1), lines(c.labels...))
			guessed := false
			for i, want := range c.senders {
				var got []string
				for _, p := range m.Senders(i, 0, instant(1)) {
					got = append(got, p.AORs()...)
				}
				if strings.Join(got, " ") != want {
					t.Errorf("m-line %d: %q sends, want %q", i, got, want)
				}
				for _, sp := range m.Attribution(i, 0, instant(1)) {
					guessed = guessed || sp.Guessed
				}
			}
			if guessed != c.guessed {
				t.Errorf("guessed %v, want %v", guessed, c.guessed)
			}
			if n := len(m.Current().Participants); n != 2 {
				t.Errorf("%d participants, want 2", n)
			}
			if again, changes := m.Apply(d, instant(2), lines(c.labels...)); len(changes) > 0 || again.NeedsSnapshot() {
				t.Errorf("applied twice: %v", changes)
			}
		})
	}
}

// One stream of several participants without associations is mixed.
func TestSingleStreamWithoutAssociationsIsMixed(t *testing.T) {
	r := newRun(t).apply(complete(comm(cs1), person(ann, "sip:ann@example.com"), person(ben, "sip:ben@example.com"), stream(aa, cs1, "11")), lines("11"))
	r.sends(0, "ann ben").changed("communication-session-started cs1", "joined ann cs1 guessed", "joined ben cs1 guessed",
		"stream-started cs1 aa 0/0", "sending-started ann aa 0/0 guessed", "sending-started ben aa 0/0 guessed")
}

// On hold both associations are empty; that is no reason to guess.
func TestHoldIsNotGuessedAway(t *testing.T) {
	r := newRun(t).apply(basic(), fourLines()).apply(partial(media(ann, nil, nil), media(ben, nil, nil)), fourLines())
	r.sends(0, "").sends(2, "")
	if !r.m.Silent(instant(20)) || r.m.Silent(instant(19)) || !r.m.Held(2, 0, instant(20)) {
		t.Error("not held")
	}
}

// An m-line on hold is not given to a newcomer whose streams are unknown.
func TestHeldLineIsNotGuessed(t *testing.T) {
	r := newRun(t).apply(basic(), fourLines())
	r.apply(partial(person(cleo, "sip:cleo@example.com"), member(cleo, cs1), media(ann, nil, nil), media(cleo, l(ca, cv), nil)), fourLines())
	r.sends(0, "").sends(1, "").unresolved("stream ca", "stream cv")
}

// On transfer one maker names the participant as its own communication session.
func TestLeavingItself(t *testing.T) {
	r := newRun(t).apply(basic(), fourLines())
	r.apply(partial(person(cleo, "sip:cleo@example.com"), member(cleo, cs1, joins), member(ann, ann, leaves)), nil)
	r.in(benBoth, "cleo in cs1 sends receives").sends(0, "").unresolved()
}

// A transfer that renews every id does not lose the m-line.
func TestEveryIDRenewed(t *testing.T) {
	r := newRun(t).apply(olderLayout, lines("1"))
	r.apply(strings.ReplaceAll(olderLayout, "urn:uuid:", "urn:uuid:2"), lines("1"))
	if n := len(r.m.Senders(0, 0, instant(20))); n != 2 {
		t.Errorf("%d senders, want 2", n)
	}
	if n := len(r.m.Participants()); n != 4 {
		t.Errorf("%d participants ever, want 4", n)
	}
}

// Shows 7865-9-02.
func TestExtensionsAreKept(t *testing.T) {
	d := decode(t, olderLayout)
	x := metadata.FindExtensions(d.Extensions, "extensionData/info/calltype/TERMCALL/number")
	if len(x) != 1 || x[0].Text != "5550101" || x[0].Namespace != "http://vendor.example.com/i" {
		t.Errorf("found %v", x)
	}
	data := metadata.FindExtensions(d.Extensions, "extensiondata")
	if len(data) != 1 || data[0].Attr("Parent") != "urn:uuid:s" || data[0].Attr("none") != "" {
		t.Fatalf("extension data %v", data)
	}
	want := `<extensiondata xmlns="urn:ietf:params:xml:ns:siprec" id="urn:uuid:x" parent="urn:uuid:s"><info xmlns="http://vendor.example.com/i"><callType><termCall><number>5550101</number></termCall></callType></info></extensiondata>`
	if got := data[0].String(); got != want {
		t.Errorf("as XML\n got %s\nwant %s", got, want)
	}
	p := decode(t, prefixedLayout).Groups[0].Extensions
	if got := metadata.FindExtensions(p, "callInfo/fromhdr"); len(got) != 1 || got[0].Text != "<sip:ann@example.com>;tag=1" {
		t.Errorf("escaped header text %v", got)
	}
	if got := p[0].String(); !strings.Contains(got, "&lt;sip:ann@example.com&gt;;tag=1") {
		t.Errorf("not escaped again: %s", got)
	}
}

// Shows 7865-9-03.
func TestOlderLayoutDetails(t *testing.T) {
	d := decode(t, olderLayout)
	if d.CommunicationSessions[0].Group != "urn:uuid:g" || d.Streams[0].Mode != "mixed" {
		t.Errorf("group %q, mode %q", d.CommunicationSessions[0].Group, d.Streams[0].Mode)
	}
	d = decode(t, oldestLayout)
	if got := d.Participants[0].NameIDs; !slices.Equal(got, []metadata.NameID{{AOR: "sip:ann@example.com", Name: "ann"}}) {
		t.Errorf("names %+v", got)
	}
}

func TestWords(t *testing.T) {
	var got []string
	for k := metadata.Active; k <= metadata.Sending; k++ {
		got = append(got, k.String())
	}
	for k := metadata.GroupKind; k <= metadata.StreamKind; k++ {
		got = append(got, k.String())
	}
	for k := metadata.L1; k <= metadata.L3b; k++ {
		got = append(got, k.String())
	}
	for k := metadata.SendingStopped; k <= metadata.SendingStarted; k++ {
		got = append(got, k.String())
	}
	slices.Sort(got)
	if n := len(slices.Compact(slices.Clone(got))); n != len(got) || slices.Contains(got, "") || slices.Contains(got, "unknown") {
		t.Errorf("words are missing or the same: %q", got)
	}
	if metadata.SpanKind(0).String() != "unknown" || metadata.ChangeKind(99).String() != "unknown" || metadata.Kind(0).String() != "element" {
		t.Error("values out of range have no word")
	}
}

// Shows 7865-6.3.2-01.
func TestParticipantsInOrder(t *testing.T) {
	r := newRun(t).apply(basic(), fourLines()).apply(newCall(), fourLines())
	var got []metadata.ID
	for _, p := range r.m.Participants() {
		got = append(got, p.ID)
	}
	if !slices.Equal(got, []metadata.ID{id(ann), id(ben), id(cleo)}) {
		t.Errorf("participants %q", got)
	}
	if s, ok := r.m.Current().Stream(id(ca)); !ok || s.Index != 0 {
		t.Errorf("stream %+v", s)
	}
	if _, ok := r.m.Current().Participant(id(ann)); ok {
		t.Error("who left is still there")
	}
}

// Two streams on one label: the first has the m-line, the other none.
func TestTwoStreamsOneLabel(t *testing.T) {
	r := newRun(t).apply(complete(comm(cs1), stream(aa, cs1, "11"), stream(ba, cs1, "11")), lines("11", "11"))
	r.odd("one label").streams("aa cs1 0/0", "ba cs1 -1/0")
}

// Who only sends is in the communication session of the stream, as a guess.
func TestMemberByMedia(t *testing.T) {
	r := newRun(t).apply(complete(comm(cs1), person(ann, "a"), person(ben, "b"), stream(aa, cs1, "11"), stream(ba, cs1, "12"),
		member(ann, cs1), media(ann, l(aa), nil), media(ben, l(ba), nil)), lines("11", "12"))
	r.in("ann in cs1 sends aa receives", "ben in cs1 sends ba receives").sends(1, "ben")
}

// An association with an end is over; one that comes again without is not.
func TestMediaDisassociated(t *testing.T) {
	r := newRun(t).apply(basic(), fourLines()).apply(partial(media(ann, l(aa), l(ba), joins, leaves)), nil)
	r.in("ann in cs1 sends receives", benBoth).apply(partial(media(ann, l(aa), l(ba))), nil).sends(0, "ann")
}

// Streams without labels keep their guessed m-line when another joins.
func TestGuessedLinesStay(t *testing.T) {
	r := newRun(t).apply(complete(comm(cs1), person(ann, "a"), person(ben, "b"), stream(aa, cs1, ""), stream(ba, cs1, "")), lines("", ""))
	r.streams("aa cs1 0/0 guessed", "ba cs1 1/0 guessed")
	r.apply(partial(person(cleo, "c"), stream(ca, cs1, "")), lines("", "", ""))
	r.streams("aa cs1 0/0 guessed", "ba cs1 1/0 guessed", "ca cs1 2/0 guessed")
	r.apply("", lines("")).streams("aa cs1 0/0 guessed", "ba cs1 -1/0", "ca cs1 -1/0")
}

// A stream that nobody is guessed to send is not held: no document says so.
func TestNoAssociationsNoHold(t *testing.T) {
	r := newRun(t).apply(complete(comm(cs1), person(ann, "a"), stream(aa, cs1, "11"), stream(ba, cs1, "12")), lines("11", "12"))
	r.sends(0, "ann").sends(1, "")
	if r.m.Held(1, 0, instant(10)) {
		t.Error("held")
	}
}

// Two models made from one do not write to each other's history.
func TestModelsBranch(t *testing.T) {
	r := newRun(t).apply(basic(), fourLines())
	// At every length of the history, so that some slices have room to spare.
	for i := range 6 {
		r.apply(partial(media(ann, nil, nil), person(fmt.Sprint("guest ", i), "g")), nil).apply(partial(media(ann, l(aa), nil)), nil)
		a, _ := r.m.Apply(decode(t, partial(media(ann, nil, nil), person("one", "c"))), instant(200), nil)
		spans, described := a.Spans(), a.Participants()
		r.m.Apply(decode(t, partial(media(ben, nil, nil), person("other", "d"))), instant(300), nil)
		if !reflect.DeepEqual(spans, a.Spans()) || !reflect.DeepEqual(described, a.Participants()) {
			t.Fatalf("after %d rounds the history of one model is that of the other", i)
		}
	}
}
