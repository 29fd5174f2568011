package metadata_test

import (
	"strings"
	"testing"

	"github.com/siprecd/siprecd/metadata"
)

// Statements that no test reaches, and why:
//
//   - decode.go, the error of the second parse: repair never failed to make XML
//     that parses, in all fuzzing so far; the branch is for what that missed.
//   - layout.go, the last return of layoutOf: the row before it asks for nothing.
//   - span.go, the word of the kind directed: Spans leaves that kind out, the word
//     is for a debugger.
//
// What follows are the shapes that no dialect above has.

func TestRareShapes(t *testing.T) {
	for _, c := range []struct {
		name, in string
		aors     string // of all participants, with the names
	}{
		{"a name and no address", `<participant id="P"><name>Ann</name></participant>`, "=Ann"},
		{"more names than addresses", `<participant id="P"><aor>a</aor><name>Ann</name><name>Ben</name></participant>`, "a=Ann =Ben"},
		{"address inside nameID", `<participant id="P"><nameID><aor>a</aor><name>Ann</name></nameID></participant>`, "a=Ann"},
		{"a partly broken document", `<participant id="P"><nameID aor="a"><name>A &amp; B & C &lt;</name></nameID></participant>`, "a=A & B & C <"},
		{"CDATA in a broken document", `<participant id="P"><nameID aor="a"><name>x & <![CDATA[y & z]]></name></nameID></participant>`, "a=x & y & z"},
		{"a tag that never closes", `<participant id="P"><nameID aor="a"/></participant><stream <label>1</label>`, "a="},
		{"a quote at the very end", `<participant id="P"><nameID aor="a"/></participant><stream id="`, "a="},
		{"an attribute value at the very end", `<participant id="P"><nameID aor="a"/></participant><stream id="x"`, "a="},
		{"an attribute name at the very end", `<participant id="P"><nameID aor="a"/></participant><stream id`, "a="},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := decode(t, `<recording>`+c.in+`</recording>`)
			if strings.HasSuffix(c.name, "very end") {
				d = decode(t, `<recording>`+c.in)
			}
			var got []string
			for _, p := range d.Participants {
				for _, n := range p.NameIDs {
					got = append(got, n.AOR+"="+n.Name)
				}
			}
			if strings.Join(got, " ") != c.aors {
				t.Errorf("got %q, want %q", got, c.aors)
			}
		})
	}
}

// Empty references say that nothing is sent, and name nobody.
func TestEmptyReferences(t *testing.T) {
	r := newRun(t).apply(complete(comm(cs1), person(ann, "a"), stream(aa, cs1, "1"), member(ann, cs1), member("", cs1),
		`<participantstreamassoc participant_id="`+ann+`"><send/><recv> </recv></participantstreamassoc>`), lines("1"))
	r.in("ann in cs1 sends receives").sends(0, "")
	if !r.m.Held(0, 0, instant(10)) {
		t.Error("an empty reference is no statement")
	}
}

// The same stream twice in one document counts once.
func TestStreamTwice(t *testing.T) {
	newRun(t).apply(complete(comm(cs1), stream(aa, cs1, "1"), stream(aa, cs1, "2")), lines("1", "2")).streams("aa cs1 1/0")
}

func TestTruthAndHexOfOtherSpellings(t *testing.T) {
	x := func(v string) string {
		return `<recording><participant id="P"><x:callingParty xmlns:x="http://acmepacket.com/x">` + v + `</x:callingParty></participant></recording>`
	}
	for in, want := range map[string]string{"TRUE": "true", "0": "false", "perhaps": ""} {
		facts := decode(t, x(in)).Facts()
		if want == "" && len(facts) > 0 || want != "" && (len(facts) != 1 || facts[0].Value != want) {
			t.Errorf("%q: %v", in, tell(facts))
		}
	}
	if facts := decode(t, complete(comm("00FA08QQ00BB00CC00DD00"))).Facts(); len(facts) > 0 {
		t.Errorf("no UCID: %v", tell(facts))
	}
}

// Views of several SRCs join their groups, and lack what none has.
// Shows 7865-6.2-01.
func TestMergeOfGroups(t *testing.T) {
	a := newRun(t).apply(basic(), fourLines()).m.Current()
	v := metadata.Merge(a, newRun(t).apply(basic(), fourLines()).m.Current())
	if len(v.Groups) != 1 || len(v.Streams) != 4 {
		t.Errorf("%d groups, %d streams", len(v.Groups), len(v.Streams))
	}
	if _, ok := v.Stream("nobody's"); ok {
		t.Error("a stream that is not there")
	}
}
