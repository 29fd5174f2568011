package metadata_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/metadata"
)

// fields reads header fields, one per line.
func fields(text string) []metadata.HeaderField {
	var out []metadata.HeaderField
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		name, value, _ := strings.Cut(line, ":")
		out = append(out, metadata.HeaderField{Name: name, Value: value})
	}
	return out
}

func TestHeaderFacts(t *testing.T) {
	for _, c := range []struct {
		name, in string
		dialect  metadata.Dialect
		want     []string
	}{
		{"Avaya UCID", "User-to-User: 00FA08AA00BB00CC00DD00;encoding=hex", metadata.DialectAvaya, []string{"ucid 00FA08AA00BB00CC00DD00;encoding=hex"}},
		{"other user data", "User-to-User: 48656c6c6f;encoding=hex", metadata.DialectSIP, []string{"header User-to-User: 48656c6c6f;encoding=hex"}},
		{"Oracle", "X-ISR-UCID: AA00", metadata.DialectAcme, []string{"ucid AA00"}},
		{"any UCID", "X-Some-UCID: AA00", metadata.DialectAvaya, []string{"ucid AA00"}},
		{"agent", "X-Contact-AgentID: 17", "", []string{"agent-id 17"}},
		{"agent, hyphen", "x-contact-agent-id: 17", "", []string{"agent-id 17"}},
		{"Cisco", "Cisco-Guid: 1-2-3-4", metadata.DialectCisco, []string{"call-id 1-2-3-4"}},
		{"Cisco, global", "Cisco-Gucid: AA", metadata.DialectCisco, []string{"ucid AA"}},
		{"Genesys", "X-Genesys-CallUUID: UU", metadata.DialectGenesys, []string{"call-id UU"}},
		{"AudioCodes", "x-audc-call-id: aa", metadata.DialectAudioCodes, []string{"call-id aa"}},
		{"AudioCodes action", "X-AC-Action: start-siprec;recording-ip-group=A,B", metadata.DialectAudioCodes, []string{"action start-siprec;recording-ip-group=A,B"}},
		{"RFC 7989", "Session-ID: ab;remote=cd", metadata.DialectSIP, []string{"call-id ab;remote=cd"}},
		{"RFC 3325", `P-Asserted-Identity: "A, <B>" <sip:201@example.com;x=y>, tel:+15550101`, metadata.DialectSIP, []string{"asserted sip:201@example.com;x=y", "asserted tel:+15550101"}},
		{"before RFC 3325", `Remote-Party-ID: "A \" <" <sip:201@example.com>;party=calling`, metadata.DialectSIP, []string{"asserted sip:201@example.com"}},
		{"RFC 5806", "Diversion: <sip:201@example.com>;reason=busy,<sip:202@example.com>;reason=no-answer", metadata.DialectSIP, []string{"diverted-from sip:201@example.com", "diverted-from sip:202@example.com"}},
		{"Google", "Call-Info: <http://pics.example.com/a>;purpose=icon, <http://df.example.com/conversations/7>;purpose=Goog-ContactCenter-Conversation", metadata.DialectGoogle, []string{"call-id http://df.example.com/conversations/7"}},
		{"BroadWorks", "From: \"Ann\"<sip:+15550101@192.0.2.3>;tag=1\nX-BroadWorks-Correlation-Info: T-1", metadata.DialectBroadWorks, []string{"tracking-id T-1", "recorded-party sip:+15550101@192.0.2.3"}},
		{"BroadWorks by Accept", "Accept: application/sdp,application/x-broadworks-call-center+xml\nf: <sip:201@192.0.2.3>;tag=1", metadata.DialectBroadWorks, []string{"recorded-party sip:201@192.0.2.3"}},
		{"BroadWorks without From", "X-BroadWorks-Other: T-1", "", nil},
		{"From alone", "From: <sip:201@192.0.2.3>;tag=1", "", nil},
		{"From with other parameters", "From: <sip:201@192.0.2.3;user=phone>;tag=1", "", nil},
		{"nothing in it", "Cisco-Guid: \nP-Asserted-Identity: <>", "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			facts := metadata.HeaderFacts(fields(c.in))
			if got := tell(facts); !slices.Equal(got, c.want) {
				t.Errorf("facts %q, want %q", got, c.want)
			}
			for _, f := range facts {
				if f.Dialect != c.dialect || f.Field == "" {
					t.Errorf("fact of dialect %q, field %q", f.Dialect, f.Field)
				}
			}
		})
	}
}

func TestComparableUCID(t *testing.T) {
	same := []string{"00FA08000B00CC00DD0011", "00fa08000b00cc00dd0011;encoding=hex", "000B00CC00DD0011", "B00CC00DD0011", " 0B00CC00DD0011 "}
	for _, s := range same {
		if got := metadata.ComparableUCID(s); got != "B00CC00DD0011" {
			t.Errorf("%q is %q", s, got)
		}
	}
	for in, want := range map[string]string{"": "", "0": "0", "QX-55": "QX-55", "00FA08": "FA08", "0123456789ABCDEF0123456789abcdef": "123456789ABCDEF0123456789ABCDEF"} {
		if got := metadata.ComparableUCID(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

// Network-based recording: header fields name who is on which m-line.
func TestParticipantsOfHeaders(t *testing.T) {
	first := fields("X-Cisco-Recording-Participant: sip:5550101@shop.example.com;media-index=\"0 2\"\nTo: <sip:x@example.com>\nx-cisco-recording-participant: \"Desk; 1\" <sip:201@pbx.example.com>;media-index=\"1,3\"")
	b := lines("", "", "", "")
	d := metadata.FromHeaders(first, b)
	if d == nil || d.Layout != metadata.L0 || d.Mode != metadata.Complete {
		t.Fatalf("document %+v", d)
	}
	m, _ := metadata.New().Apply(d, instant(1), b)
	sent := func(m *metadata.Model, at int, want ...string) {
		t.Helper()
		for i, w := range want {
			var got []string
			for _, p := range m.Senders(i, 0, instant(at)) {
				got = append(got, p.AORs()...)
			}
			if strings.Join(got, " ") != w {
				t.Errorf("m-line %d at %d: %q, want %q", i, at, got, w)
			}
			for _, sp := range m.Attribution(i, 0, instant(at)) {
				if sp.Guessed {
					t.Errorf("m-line %d is guessed", i)
				}
			}
		}
	}
	sent(m, 1, "sip:5550101@shop.example.com", "sip:201@pbx.example.com", "sip:5550101@shop.example.com", "sip:201@pbx.example.com")
	if again := metadata.FromHeaders(first, b); !reflect.DeepEqual(d, again) {
		t.Error("the same header fields, another document")
	}
	if _, changes := m.Apply(d, instant(2), b); len(changes) > 0 {
		t.Errorf("applied again: %v", changes)
	}
	// Transfer: one participant changes, by a message with SDP or without.
	second := fields("X-Cisco-Recording-Participant: sip:5550101@shop.example.com;media-index=\"0 2\", sip:202@pbx.example.com;media-index=\"1 3\"")
	for _, b := range []metadata.Binding{nil, b, lines("a", "b", "c", "d")} {
		next, changes := m.Apply(metadata.FromHeaders(second, b), instant(5), b)
		sent(next, 5, "sip:5550101@shop.example.com", "sip:202@pbx.example.com", "sip:5550101@shop.example.com", "sip:202@pbx.example.com")
		sent(next, 4, "sip:5550101@shop.example.com", "sip:201@pbx.example.com")
		var kinds []string
		for _, c := range changes {
			kinds = append(kinds, c.Kind.String())
		}
		if got := strings.Join(kinds, " "); got != "sending-stopped sending-stopped left joined sending-started sending-started" {
			t.Errorf("changes %s", got)
		}
	}
}

// A device that names an m-line which is not there, the same person twice, or
// several on one m-line.
func TestOddParticipantsOfHeaders(t *testing.T) {
	for _, c := range []struct {
		name, in string
		b        metadata.Binding
		people   int
		lines    []string
	}{
		{"m-line missing", "X-Cisco-Recording-Participant: sip:a@x;media-index=\"0\"\nX-Cisco-Recording-Participant: sip:b@x;media-index=\"1\"", lines(""), 2, []string{"sip:a@x"}},
		{"slot closed before", "X-Cisco-Recording-Participant: sip:a@x;media-index=\"1\"", metadata.Binding{{Index: 1, Generation: 0}}, 1, []string{"", "sip:a@x"}},
		{"mixed", "X-Cisco-Recording-Participant: sip:a@x;media-index=0\nX-Cisco-Recording-Participant: sip:b@x;media-index=0", lines("1"), 2, []string{"sip:a@x sip:b@x"}},
		{"named twice", "X-Cisco-Recording-Participant: sip:a@x;media-index=0\nX-Cisco-Recording-Participant: sip:a@x;media-index=\"1 0\"", lines("", ""), 1, []string{"sip:a@x", "sip:a@x"}},
		{"no index", "X-Cisco-Recording-Participant: sip:a@x\nX-Cisco-Recording-Participant: sip:b@x", lines("", ""), 2, []string{"sip:a@x", "sip:b@x"}}, // guessed by order
		{"no number", "X-Cisco-Recording-Participant: sip:a@x;media-index=\"z -1 1000\"", lines(""), 1, []string{"sip:a@x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := metadata.FromHeaders(fields(c.in), c.b)
			if d == nil || len(d.Participants) != c.people {
				t.Fatalf("document %+v", d)
			}
			m, _ := metadata.New().Apply(d, instant(1), c.b)
			for i, want := range c.lines {
				var got []string
				for _, p := range m.Senders(i, 0, instant(1)) {
					got = append(got, p.AORs()...)
				}
				if strings.Join(got, " ") != want {
					t.Errorf("m-line %d: %q, want %q", i, got, want)
				}
			}
		})
	}
}

// The built-in bridge of a phone: two dialogs, each with one end, name both.
func TestBuiltInBridge(t *testing.T) {
	const ends = ";x-refci=22;x-nearenddevice=SEP01;x-nearendaddr=201;x-farendrefci=21;x-farenddevice=TRUNK;x-farendaddr=+15550102>;tag=1"
	from := func(side string) []metadata.HeaderField {
		return fields("To: <sip:rec@example.com>\nFrom: <sip:201@192.0.2.5;" + side + ends)
	}
	near, far := metadata.FromHeaders(from("x-nearend"), lines("")), metadata.FromHeaders(from("x-farend"), lines(""))
	for _, c := range []struct {
		name, want string
		d          *metadata.Document
	}{{"near", "201", near}, {"far", "+15550102", far}} {
		if c.d == nil || c.d.Layout != metadata.L0 {
			t.Fatalf("%s: document %+v", c.name, c.d)
		}
		m, _ := metadata.New().Apply(c.d, instant(1), lines(""))
		if got := m.Senders(0, 0, instant(1)); len(got) != 1 || got[0].AORs()[0] != c.want {
			t.Errorf("%s end: %+v sends", c.name, got)
		}
		if n := len(m.Current().Participants); n != 2 {
			t.Errorf("%s end: %d participants", c.name, n)
		}
	}
	if near.CommunicationSessions[0].ID != far.CommunicationSessions[0].ID || near.Participants[1].ID != far.Participants[1].ID {
		t.Error("the two dialogs do not share their ids")
	}
	lacks(t, metadata.HeaderFacts(from("x-farend")), "near-end 201 @near end 201", "far-end +15550102 @far end +15550102",
		"call-id 22", "call-id 21", "device SEP01 @near end 201", "device TRUNK @far end +15550102")
	// The far end changes by a re-INVITE.
	m, _ := metadata.New().Apply(far, instant(1), lines(""))
	moved := fields("From: <sip:201@192.0.2.5;x-farend;x-refci=22;x-nearendaddr=201;x-farendrefci=21;x-farendaddr=5550103>;tag=1")
	m, _ = m.Apply(metadata.FromHeaders(moved, nil), instant(2), nil)
	if got := m.Senders(0, 0, instant(2)); len(got) != 1 || got[0].AORs()[0] != "5550103" {
		t.Errorf("after the transfer %+v sends", got)
	}
}

func TestBuiltInBridgeOfOlderReleases(t *testing.T) {
	for _, c := range []struct {
		in       string
		want     []string // all AORs
		sends    string
		anything bool
	}{
		{"From: <sip:201@192.0.2.5;x-nearend;x-refci=22>;tag=1", []string{"201"}, "201", true},
		{"From: <sip:201@192.0.2.5>;x-farend;x-refci=22;x-farendaddr=5550102", []string{"201", "5550102"}, "5550102", true},
		{"f: sip:201@192.0.2.5;x-farend;x-farendaddr=5550102", []string{"201", "5550102"}, "5550102", true},
		{"From: <sip:201@192.0.2.5;x-refci=22;x-farendaddr=5550102>;tag=1", []string{"201", "5550102"}, "201 5550102", true}, // which end is not said
		{"From: <sip:201@192.0.2.5>;tag=1", nil, "", false},
		{"To: <sip:201@192.0.2.5;x-nearend>", nil, "", false},
		{"X-Cisco-Recording-Participant: ", nil, "", false},
	} {
		d := metadata.FromHeaders(fields(c.in), lines(""))
		if (d != nil) != c.anything {
			t.Errorf("%s: document %+v", c.in, d)
		}
		if d == nil {
			continue
		}
		var aors []string
		for _, p := range d.Participants {
			aors = append(aors, p.AORs()...)
		}
		m, _ := metadata.New().Apply(d, instant(1), lines(""))
		var sends []string
		for _, p := range m.Senders(0, 0, instant(1)) {
			sends = append(sends, p.AORs()...)
		}
		if !slices.Equal(aors, c.want) || strings.Join(sends, " ") != c.sends {
			t.Errorf("%s: addresses %q, sends %q", c.in, aors, sends)
		}
	}
}
