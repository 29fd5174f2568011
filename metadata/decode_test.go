package metadata_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/metadata"
)

// Shows 7865-5.1.2-01, 7865-6.11-01.
func TestDecodeRefuses(t *testing.T) {
	nested := func(n int) string {
		return `<recording>` + strings.Repeat("<a>", n-1) + strings.Repeat("</a>", n-1) + `</recording>`
	}
	for _, c := range []struct {
		name, in string
		want     error // nil: it is read
	}{
		{"empty", "", metadata.ErrSyntax},
		{"no XML", "v=0", metadata.ErrSyntax},
		{"only a declaration", `<?xml version="1.0"?>`, metadata.ErrSyntax},
		{"another root", `<requestsnapshot xmlns="urn:ietf:params:xml:ns:recording:1"/>`, metadata.ErrNotMetadata},
		{"comment without end", `<recording><!-- `, nil},
		{"lone ampersand at the end", `<recording>&`, nil},
		{"another root, broken", `<html><p>no</html>`, metadata.ErrNotMetadata},
		{"document type", `<!DOCTYPE recording [<!ENTITY a "aaaa">]><recording>&a;</recording>`, metadata.ErrEntity},
		{"lower-case document type", `<!doctype recording><recording/>`, metadata.ErrEntity},
		{"entity alone", `<recording><session session_id="&company;"/></recording>`, metadata.ErrEntity},
		{"entity in a comment", `<recording><!-- &a; <!DOCTYPE --></recording>`, nil},
		{"character references", `<recording><session session_id="&#65;&#x42;&amp;"/></recording>`, nil},
		{"UTF-16", "\xff\xfe<\x00r\x00e\x00c\x00", metadata.ErrSyntax},
		{"unknown mode", `<recording><datamode>delta</datamode></recording>`, metadata.ErrDataMode},
		{"size at the limit", `<recording>` + strings.Repeat(" ", metadata.MaxSize-23) + `</recording>`, nil},
		{"size over the limit", `<recording>` + strings.Repeat(" ", metadata.MaxSize-22) + `</recording>`, metadata.ErrTooLarge},
		{"depth at the limit", nested(metadata.MaxDepth), nil},
		{"depth over the limit", nested(metadata.MaxDepth + 1), metadata.ErrTooDeep},
		{"elements at the limit", `<recording>` + strings.Repeat("<a/>", metadata.MaxElements-1) + `</recording>`, nil},
		{"elements over the limit", `<recording>` + strings.Repeat("<a/>", metadata.MaxElements) + `</recording>`, metadata.ErrTooMany},
		{"comments over the limit", `<recording>` + strings.Repeat("<!---->", metadata.MaxElements) + `</recording>`, metadata.ErrTooMany},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := metadata.Decode([]byte(c.in))
			if !errors.Is(err, c.want) || (d == nil) != (c.want != nil) {
				t.Errorf("error %v, want %v", err, c.want)
			}
		})
	}
}

// Shows 7865-5.1-01, 7865-5.1.1-01, 7865-5.1.2-02, 7865-6.3.1-01, 7865-6.4.1-01, 7865-6.8.1-02, 7865-9-01.
func TestDecodeTolerates(t *testing.T) {
	const body = `<participant participant_id="P"><nameID aor="sip:a@example.com"/></participant>`
	wrap := func(in string) string {
		return `<recording xmlns="urn:ietf:params:xml:ns:recording:1">` + in + `</recording>`
	}
	for _, c := range []struct{ name, in, odd string }{
		{"byte order mark", "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"UTF-8\"?>" + wrap(body), ""},
		{"another character set declared", `<?xml version="1.0" encoding="ISO-8859-1"?>` + wrap(body), ""},
		{"declaration missing", wrap(body), ""},
		{"blank lines before", "\r\n\r\n" + wrap(body), ""},
		{"boundary behind", wrap(body) + "\r\n--b--", "outside the root"},
		{"second root", wrap(body) + wrap(""), "more than one root"},
		{"nested", wrap(wrap(body)), "recording inside"},
		{"namespace of another version", strings.Replace(wrap(body), "recording:1", "recording:2", 1), ""},
		{"foreign namespace", strings.Replace(wrap(body), "urn:ietf:params:xml:ns:recording:1", "urn:example", 1), "namespace"},
		{"no namespace", `<recording>` + body + `</recording>`, "namespace"},
		{"undeclared prefix", `<r:recording>` + strings.NewReplacer("<", "<r:", "<n", "<r:n", "</", "</r:").Replace(body) + `</r:recording>`, "namespace"},
		{"capitals", strings.NewReplacer("recording ", "Recording ", "/recording", "/Recording", "participant ", "PARTICIPANT ", "/participant", "/PARTICIPANT").Replace(wrap(body)), ""},
		{"padded mode", wrap("<datamode>\n complete </datamode>" + body), ""},
		{"prose spelling of the mode", wrap("<dataMode>complete</dataMode>" + body), "datamode"},
		{"id missing", wrap(strings.Replace(body, ` participant_id="P"`, "", 1)), "without its id"},
		{"reference missing", wrap(body + `<participantsessionassoc session_id="S"/>`), "without a reference"},
		{"same id twice", wrap(body + body), "same id twice"},
		{"octets that are not UTF-8", wrap(strings.Replace(body, "sip:a@", "sip:\xe9@", 1)), "not UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := metadata.Decode([]byte(c.in))
			if err != nil {
				t.Fatal(err)
			}
			if len(d.Participants) == 0 || len(d.Participants[0].AORs()) != 1 {
				t.Fatalf("participants %+v", d.Participants)
			}
			if c.odd == "" && len(d.Oddities) > 0 || c.odd != "" && !strings.Contains(strings.Join(d.Oddities, "; "), c.odd) {
				t.Errorf("oddities %q, want %q", d.Oddities, c.odd)
			}
		})
	}
}

// Shows 7865-5.1-02, 7865-6.5.1-01.
func TestDecodeKeepsText(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"scripts and emoji", "Ann 山田 שלום 🙂", "Ann 山田 שלום 🙂"},
		{"references", "A &amp; B &#233;", "A & B é"},
		{"CDATA", "<![CDATA[A & <B>]]>", "A & <B>"},
		{"interrupted by a comment", " An<!-- x -->n ", "Ann"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := decode(t, `<recording><participant participant_id="P"><nameID aor="a"><name xml:lang="en">`+c.in+`</name></nameID></participant></recording>`)
			if n := d.Participants[0].NameIDs[0]; n.Name != c.want || n.Lang != "en" {
				t.Errorf("name %q of language %q, want %q", n.Name, n.Lang, c.want)
			}
		})
	}
	latin := "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><recording><participant participant_id=\"P\"><nameID aor=\"a\"><name>Andr\xe9</name></nameID></participant></recording>"
	if n := decode(t, latin).Participants[0].NameIDs[0].Name; n != "André" {
		t.Errorf("name %q, want André", n)
	}
}

// Ill-formed XML is read as far as its participants can be told.
func TestDecodeRepairs(t *testing.T) {
	wrap := func(in string) string {
		return `<recording xmlns="urn:ietf:params:xml:ns:recording:1"><participant participant_id="P"><nameID aor="sip:a@example.com"><name>` + in
	}
	const end = `</name></nameID></participant></recording>`
	for _, c := range []struct{ name, in, display string }{
		{"bare ampersand", wrap("A & B" + end), "A & B"},
		{"ampersand before a name", wrap("A&B" + end), "A&B"},
		{"address in angle brackets", wrap(`"Ann" <sip:ann@example.com>` + end), `"Ann" <sip:ann@example.com>`},
		{"angle bracket", wrap("1 < 2" + end), "1 < 2"},
		{"cut off", wrap("Ann"), "Ann"},
		{"end tag missing", wrap(`Ann</nameID></participant></recording>`), "Ann"},
		{"end tag too many", wrap("Ann</b>" + end), "Ann"},
		{"control character", wrap("An\x01n" + end), "An n"},
		{"quotes in an attribute", strings.Replace(wrap("Ann"+end), `"sip:a@example.com"`, `""A" <sip:a@example.com>"`, 1), "Ann"},
		{"attribute without quotes", strings.Replace(wrap("Ann"+end), `<name>`, `<name lang=en>`, 1), "Ann"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := metadata.Decode([]byte(c.in))
			if err != nil {
				t.Fatal(err)
			}
			if len(d.Participants) != 1 || d.Participants[0].ID != "P" {
				t.Fatalf("participants %+v", d.Participants)
			}
			n := d.Participants[0].NameIDs[0]
			if n.Name != c.display || !strings.Contains(n.AOR, "sip:a@example.com") {
				t.Errorf("name %q, address %q; want name %q", n.Name, n.AOR, c.display)
			}
			if len(d.Oddities) == 0 || !strings.Contains(d.Oddities[0], "repaired") {
				t.Errorf("oddities %q do not say it was repaired", d.Oddities)
			}
		})
	}
}

// Shows 7865-6.10-01, 7865-6.10-02.
func TestParseID(t *testing.T) {
	const want = "111111111111414191111111111111f1"
	for _, c := range []struct{ name, in, want string }{
		{"base64", "ERERERERQUGREREREREd8Q==", ""},
		{"base64 with white space", " ERERERER\r\n QUGREREREREd8Q==\n", ""},
		{"unpadded stays text", "ERERERERQUGREREREREd8Q", "ERERERERQUGREREREREd8Q"},
		{"spare bits set stays text", "ERERERERQUGREREREREd8R==", "ERERERERQUGREREREREd8R=="},
		{"URN", " urn:uuid:1-2 ", "urn:uuid:1-2"},
		{"number", "+15550101", "+15550101"},
		{"text with a blank", "a b", "a b"},
		{"empty", " \n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := metadata.ParseID(c.in)
			if strings.HasPrefix(c.name, "base64") {
				if len(got) != 32 || got != metadata.ParseID("ERERERERQUGREREREREd8Q==") || !strings.HasPrefix(string(got), want[:12]) {
					t.Errorf("id %q", got)
				}
				return
			}
			if string(got) != c.want {
				t.Errorf("id %q, want %q", got, c.want)
			}
		})
	}
}

// Shows 7865-6.9-01, 7865-6.9-02.
func TestTimes(t *testing.T) {
	want := time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct {
		name, in string
		odd      bool
		none     bool
	}{
		{"as in the standard", "2031-01-02T03:04:05Z", false, false},
		{"offset", "2031-01-02T05:04:05+02:00", false, false},
		{"padded", "\n 2031-01-02T03:04:05Z ", false, false},
		{"no zone", "2031-01-02T03:04:05", true, false},
		{"zone without colon", "2031-01-02T05:04:05+0200", true, false},
		{"lower case", "2031-01-02t03:04:05z", true, false},
		{"blank for T", "2031-01-02 03:04:05Z", true, false},
		{"words", "just now", true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := decode(t, `<recording xmlns="urn:ietf:params:xml:ns:recording:1"><session session_id="S"><start-time>`+c.in+`</start-time></session></recording>`)
			got := d.CommunicationSessions[0].Start
			if got.Odd != c.odd || got.At.Equal(want) == c.none || !got.IsSet() || got.Raw != strings.TrimSpace(c.in) {
				t.Errorf("time %+v", got)
			}
			if (len(d.Oddities) > 0) != c.odd {
				t.Errorf("oddities %q", d.Oddities)
			}
		})
	}
	if frac := decode(t, `<recording><session session_id="S"><start-time>2031-01-02T03:04:05.1234567890123Z</start-time></session></recording>`); frac.CommunicationSessions[0].Start.At.Nanosecond() != 123456789 {
		t.Error("fraction lost")
	}
	if empty := decode(t, `<recording><session session_id="S"><stop-time> </stop-time></session></recording>`); empty.CommunicationSessions[0].Stop.IsSet() {
		t.Error("an empty stop-time stops nothing")
	}
}

// Errors and oddities go to logs, which hold no personal data.
func TestNothingQuotesTheDocument(t *testing.T) {
	const secret = "5550199"
	for _, in := range []string{
		`<recording><participant participant_id="` + secret + `"></nope ` + secret,
		`<` + "x" + secret + `/>`,
		`<recording><datamode>` + secret + `</datamode></recording>`,
		`<recording><a b="&x` + secret + `;"/></recording>`,
		"<recording>\x00" + secret + "<session session_id='" + secret + "'/><participant participant_id='" + secret + "'/></recording>",
	} {
		d, err := metadata.Decode([]byte(in))
		text := ""
		if err != nil {
			text = err.Error()
		} else {
			m, _ := metadata.New().Apply(d, instant(1), nil)
			text = strings.Join(append(d.Oddities, m.Oddities()...), " ")
		}
		if strings.Contains(text, secret) {
			t.Errorf("%q quotes the document", text)
		}
	}
}
