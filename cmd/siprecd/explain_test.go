package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
)

// TestExplainJSONIsDocumented: every key that --json prints stands in
// docs/explain.md, and no list of it is ever null.
func TestExplainJSONIsDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(moduleRoot(t), "docs", "explain.md"))
	if err != nil {
		t.Fatal(err)
	}
	var keys func(reflect.Type)
	keys = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Slice:
			keys(typ.Elem())
		case reflect.Struct:
			for i := range typ.NumField() {
				key := typ.Field(i).Tag.Get("json")
				if key == "" || !strings.Contains(string(text), "`"+key+"`") {
					t.Errorf("%s.%s: key %q is not documented", typ.Name(), typ.Field(i).Name, key)
				}
				keys(typ.Field(i).Type)
			}
		default:
		}
	}
	keys(reflect.TypeFor[explanation]())
	x := &explanation{RecordingSessions: []explainedDialog{{Participants: make([]explainedParticipant, 1)}}}
	fillLists(reflect.ValueOf(x))
	if d := x.RecordingSessions[0]; d.Calls == nil || d.Participants[0].AORs == nil {
		t.Error("a list is null")
	}
}

func TestFolded(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{"one two", "one two"},
		{"one two three four", "one two|three four"},
		{"abcdefghijklmnopqrstuvwxyz", "abcdefghijkl|mnopqrstuvwx|yz"},
		{"no\u00a0break here now", "no\u00a0break|here now"},
	} {
		if got := strings.Join(folded(tt.text, 12), "|"); got != tt.want {
			t.Errorf("folded(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}

// TestSavedText: a message that an editor saved in its own way is read, and said
// to be so; what no byte order mark begins stays as it is.
func TestSavedText(t *testing.T) {
	const bye = "BYE sip:a@b SIP/2.0\r\n\r\nü"
	units := func(order binary.AppendByteOrder) string {
		text := order.AppendUint16(nil, 0xfeff)
		for _, u := range utf16.Encode([]rune(bye)) {
			text = order.AppendUint16(text, u)
		}
		return string(text)
	}
	for _, tt := range []struct{ name, raw, want, odd string }{
		{"plain", bye, bye, ""},
		{"empty", "", "", ""},
		{"mark", "\ufeff" + bye, bye, "the file begins with a byte order mark"},
		{"little", units(binary.LittleEndian), bye, "the file is in UTF-16"},
		{"big", units(binary.BigEndian), bye, "the file is in UTF-16"},
		{"half a unit", "\xff\xfeB\x00Y", "B", "the file is in UTF-16"},
		{"document", "\ufeff<recording/>", "\ufeff<recording/>", ""},
		{"document in UTF-16", "\xff\xfe<\x00", "\xff\xfe<\x00", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, odd := savedText([]byte(tt.raw)); string(got) != tt.want || odd != tt.odd {
				t.Errorf("got %q, %q, want %q, %q", got, odd, tt.want, tt.odd)
			}
		})
	}
}

// TestExplainHostileSize: what fits into a document is explained with memory that grows
// with its size. Where it grows with the square, the copying takes half a minute and more.
func TestExplainHostileSize(t *testing.T) {
	if testing.Short() {
		t.Skip("short: one goroutine does it all")
	}
	for _, tt := range []struct {
		what     string
		size     int
		document func(size int) string
	}{
		{"participants", 950, crowd},
		{"letters of a name", 500_000, func(size int) string {
			return `<recording xmlns="urn:ietf:params:xml:ns:recording:1"><participant participant_id="p"><nameID aor="sip:p@example.com"><name>` +
				strings.Repeat("N", size) + `</name></nameID></participant></recording>`
		}},
	} {
		once, twice := explainCost(t, tt.document(tt.size)), explainCost(t, tt.document(2*tt.size))
		if ratio := float64(twice) / float64(once); ratio > 2.6 {
			t.Errorf("%d %s take %d octets, %d take %d, %.1f times as many", tt.size, tt.what, once, 2*tt.size, twice, ratio)
		}
	}
}

// crowd is a document of so many participants who all send one stream.
func crowd(size int) string {
	var b strings.Builder
	b.WriteString(`<recording xmlns="urn:ietf:params:xml:ns:recording:1"><session session_id="c"/><stream stream_id="s" session_id="c"/>`)
	for i := range size {
		fmt.Fprintf(&b, `<participant participant_id="p%[1]d"><nameID aor="sip:p%[1]d@example.com"/></participant>`+
			`<participantsessionassoc participant_id="p%[1]d" session_id="c"/>`+
			`<participantstreamassoc participant_id="p%[1]d"><send>s</send></participantstreamassoc>`, i)
	}
	b.WriteString(`</recording>`)
	return b.String()
}

// explainCost is how many octets are allocated while a document is explained.
func explainCost(t *testing.T, text string) uint64 {
	t.Helper()
	file := writeFile(t, text)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	x := explainFiles(t, []string{file})
	checkPage(t, explainText(x))
	runtime.ReadMemStats(&after)
	if len(x.RecordingSessions[0].Participants) == 0 {
		t.Errorf("nobody is found: %+v", x.RecordingSessions[0].Messages[0].Documents)
	}
	return after.TotalAlloc - before.TotalAlloc
}

// TestExplainAstrayLabel: a label that stands in the metadata alone is said to.
func TestExplainAstrayLabel(t *testing.T) {
	e := &explainer{who: directory{book: rules.Compile(rules.Directory{})}, apart: time.Minute}
	e.add("a.sip", &siprec.Inspection{
		Start: "INVITE sip:srs@example.com SIP/2.0", Method: "INVITE", CallID: "a", CSeq: 1,
		HasOffer: true, Streams: []siprec.Stream{{Index: 0, Label: "1"}, {Index: 1, Label: "2"}},
		Metadata: [][]byte{[]byte(`<recording xmlns="urn:ietf:params:xml:ns:recording:1"><session session_id="c"/>` +
			`<stream stream_id="s" session_id="c"><label>1</label></stream>` +
			`<stream stream_id="t" session_id="c"><label>7</label></stream></recording>`)},
	})
	got := strings.Join(e.explain().RecordingSessions[0].Messages[0].Oddities, "; ")
	if want := "no m-line has the label 7 of the metadata (RFC 7866 §9.1)"; got != want {
		t.Errorf("oddities %q, want %q", got, want)
	}
}

func TestMessagesText(t *testing.T) {
	for want, numbers := range map[string][]int{
		"message 2": {2}, "messages 1-3": {1, 2, 3}, "messages 1,3-4,7": {1, 3, 4, 7},
	} {
		if got := messagesText(numbers); got != want {
			t.Errorf("%v is %q, want %q", numbers, got, want)
		}
	}
}
