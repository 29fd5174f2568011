package metadata_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/metadata"
)

func with(xml string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(xml) }

// Every row of the table of vendors, by documents of each maker.
func TestFactsOfVendors(t *testing.T) {
	for _, c := range []struct {
		name, xml string
		dialect   metadata.Dialect
		want      []string // all facts, in order
	}{
		{"Oracle", acmeDocument, metadata.DialectAcme, []string{
			"ucid 00FA08AA00BB00CC00DD00;encoding=hex @S-1", "caller-orig false @S-1", "calling-party true @P-1",
			"request-uri sip:5550102@pbx.example.com @P-1", "realm trunks @P-1",
			"header X-ISR-UCID: AA00BB00CC00DD00 @P-1", "ucid AA00BB00CC00DD00 @P-1",
			"header X-Own: one @P-1", "header X-Own: two @P-1", "header X-Bare: three @P-1",
			"calling-party false @P-2", "realm agents @P-2"}},
		{"AudioCodes", codesDocument, metadata.DialectAudioCodes, []string{"ucid 00QX5501 @S-1", "call-id UU-5501 @S-1"}},
		{"Ribbon", callDataDocument, metadata.DialectRibbon, []string{
			"calling-number sip:201@pbx.example.com @G-1", "called-number sip:5550102@trunk.example.com @G-1",
			"call-id abc-1 @G-1", "tracking-id 77 @G-1", "header trunk: west @G-1"}},
		{"BroadWorks, received", broadDocument("1", userAOR, farAOR, termCall, queue), metadata.DialectBroadWorks, []string{
			"tracking-id T-1 @urn:uuid:s1", "tenant SP @urn:uuid:s1", "tenant Shop @urn:uuid:s1",
			"user-id 201@users.example.com @urn:uuid:p1", "call-id callhalf-1:0 @urn:uuid:s1", "direction inbound @urn:uuid:s1",
			"calling-number sip:5550102@192.0.2.1;user=phone @urn:uuid:s1", "called-number sip:+15550101@192.0.2.1 @urn:uuid:s1",
			"diverted-from sip:5550103@192.0.2.1 @urn:uuid:s1", "original-called sip:5550104@192.0.2.1 @urn:uuid:s1",
			"redirections 2 @urn:uuid:s1", "recording-mode on-demand @urn:uuid:s1", "queue-id queue@users.example.com @urn:uuid:s1",
			"queue-name Sales @urn:uuid:s1", "queue-number tel:+15550105 @urn:uuid:s1", "initiator sip:201@users.example.com @urn:uuid:p1"}},
		{"BroadWorks, made and transferred", broadDocument("1", userAOR, farAOR, origCall, redirect), metadata.DialectBroadWorks, []string{
			"tracking-id T-1 @urn:uuid:s1", "tenant SP @urn:uuid:s1", "tenant Shop @urn:uuid:s1",
			"user-id 201@users.example.com @urn:uuid:p1", "call-id callhalf-1:0 @urn:uuid:s1", "direction outbound @urn:uuid:s1",
			"calling-number sip:+15550101@192.0.2.1 @urn:uuid:s1", "called-number sip:5550102@192.0.2.1;user=phone @urn:uuid:s1",
			"dialled sip:5550102@192.0.2.1 @urn:uuid:s1", "recording-mode on-demand @urn:uuid:s1", "tracking-id T-2 @urn:uuid:s1",
			"transfer-from sip:5550102@192.0.2.1;user=phone @urn:uuid:s1", "transfer-to sip:5550106@192.0.2.1;user=phone @urn:uuid:s1",
			"initiator sip:201@users.example.com @urn:uuid:p1"}},
		{"Metaswitch, received", with(metaDocument, "TYPE", "terminating"), metadata.DialectMetaswitch, []string{
			"direction inbound", "recorded-party +15105550102 @P-2", "tenant Shop - 1", "user-name Ann", "system west",
			"calling-number 5105550101", "dialled 15105550102"}},
		{"Metaswitch, made", with(metaDocument, "TYPE", "originating"), metadata.DialectMetaswitch, []string{
			"direction outbound", "recorded-party +15105550102 @P-2", "tenant Shop - 1", "user-name Ann", "system west",
			"calling-number 5105550101", "dialled 15105550102"}},
		{"Metaswitch, a word nobody knows", with(metaDocument, "TYPE", "sideways"), metadata.DialectMetaswitch, []string{
			"recorded-party +15105550102 @P-2", "tenant Shop - 1", "user-name Ann", "system west",
			"calling-number 5105550101", "dialled 15105550102"}},
		{"NetSapiens", with(sapiensDocument, "FIRST", "origCall", "SECOND", "termCall", "ACTION", "Recording", "OTHER", "two.example.com"), metadata.DialectNetSapiens, []string{
			"group-order 1", "tenant one", "user-id 201@one.example.com @P-1", "tenant reseller @P-1", "department West @P-1",
			"department Sales @P-1", "user-direction outbound @P-1", "user-id 202@one.example.com @P-2", "user-direction inbound @P-2",
			"calling-party true @P-1", "party-id 201@one.example.com @P-1", "calling-number 5105550101 @P-1",
			"calling-party false @P-2", "party-id 202@two.example.com @P-2", "called-number 5105550102 @P-2",
			"action Recording", "action-by sip:203@one.example.com", "action-by 203@one.example.com", "transfer-id S-0", "transfer-id G-0",
			"direction internal"}},
		{"jambonz", with(jambDocument, "DIRECTION", "inbound", "CALLED", "15105550101", "CALLING", "15105550102"), metadata.DialectJambonz, []string{
			"call-id C-1", "direction inbound", "tenant A-1", "application AP-1", "recording-id R-1", "source trunk",
			"realm West & Co", "calling-number 15105550101", "called-number 15105550102"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := decode(t, c.xml)
			facts := d.Facts()
			if got := tell(facts); !slices.Equal(got, c.want) {
				t.Errorf("facts\n got %q\nwant %q", got, c.want)
			}
			for _, f := range facts {
				if f.Dialect != c.dialect || f.Field == "" {
					t.Errorf("fact of dialect %q, field %q", f.Dialect, f.Field)
				}
			}
			m, _ := metadata.New().Apply(d, instant(1), nil)
			if got := m.Facts(); !slices.Equal(tell(got), c.want) {
				t.Errorf("facts of the model\n got %q\nwant %q", tell(got), c.want)
			}
		})
	}
}

// A field is the path of names as they were sent.
func TestFactField(t *testing.T) {
	for _, f := range decode(t, broadDocument("1", userAOR, farAOR, origCall, redirect)).Facts() {
		if f.Kind == metadata.FactTransferTo && f.Field != "extensiondata/broadWorksRecordingMetadata/redirectedCall/redirectedToPartynumber" {
			t.Errorf("field %q", f.Field)
		}
	}
	if f := decode(t, acmeDocument).Facts()[0]; f.Field != "session/extensiondata/ucid" {
		t.Errorf("field %q", f.Field)
	}
}

func TestDirectionOfSubscribers(t *testing.T) {
	for _, c := range []struct{ first, second, other, want string }{
		{"origCall", "termCall", "two.example.com", "internal"},
		{"origCall", "", "two.example.com", "outbound"},
		{"termCall", "", "two.example.com", "inbound"},
		{"origCall", "", "one.example.com", "internal"}, // internal parties are not always listed
		{"", "", "two.example.com", ""},
	} {
		d := decode(t, with(sapiensDocument, "FIRST", c.first, "SECOND", c.second, "OTHER", c.other))
		got := ""
		for _, f := range d.Facts() {
			if f.Kind == metadata.FactDirection {
				got = f.Value
			}
		}
		if got != c.want {
			t.Errorf("users %q and %q, called in %s: %q, want %q", c.first, c.second, c.other, got, c.want)
		}
	}
}

func TestTransferBySubscriber(t *testing.T) {
	xml := with(sapiensDocument, "FIRST", "origCall", "ACTION", "XferSup")
	lacks(t, decode(t, xml).Facts(), "action XferSup", "transfer-by 203@one.example.com", "transfer-by sip:203@one.example.com")
}

// A BroadWorks user whose line has another address is the one who is not far away.
func TestUserBehindALine(t *testing.T) {
	line := "sip:lineport9@192.0.2.77"
	for _, c := range []struct{ name, call string }{{"received", termCall}, {"made", origCall}} {
		d := decode(t, broadDocument("1", line, farAOR, c.call, ""))
		lacks(t, d.Facts(), "user-id 201@users.example.com @urn:uuid:p1", "initiator sip:201@users.example.com @urn:uuid:p1")
		d = decode(t, broadDocument("1", farAOR, line, c.call, ""))
		lacks(t, d.Facts(), "user-id 201@users.example.com @urn:uuid:q1")
	}
	// Nobody is far: nobody is guessed.
	d := decode(t, broadDocument("1", line, "sip:5550199@192.0.2.78", origCall, ""))
	lacks(t, d.Facts(), "user-id 201@users.example.com @urn:uuid:s1")
}

func TestSupervisor(t *testing.T) {
	d := decode(t, broadDocument("1", userAOR, farAOR, `<supervisorCall/>`, `<supervisorID>201@users.example.com</supervisorID>`))
	lacks(t, d.Facts(), "supervisor true @urn:uuid:s1", "supervisor 201@users.example.com @urn:uuid:p1")
}

func TestWordLabels(t *testing.T) {
	labelled := func(a, b string) []metadata.Fact {
		return decode(t, complete(comm(cs1), person("P-1", "a"), person("P-2", "b"), stream("M-1", cs1, a), stream("M-2", cs1, b),
			media("P-1", l("M-1"), nil), media("P-2", l("M-2"), nil), media("P-2", l("M-2", "M-2"), nil))).Facts()
	}
	if got := tell(labelled("inbound", "outbound")); !slices.Equal(got, []string{"stream-direction inbound @M-1", "stream-direction outbound @M-2"}) {
		t.Errorf("tracks: %q", got)
	}
	lacks(t, labelled("inbound-a", "Inbound-b"), "direction inbound")
	if got := tell(labelled("a_leg", "b_leg")); !slices.Equal(got, []string{"calling-party true @P-1", "calling-party false @P-2"}) {
		t.Errorf("legs: %q", got)
	}
	lacks(t, decode(t, complete(comm(cs1), stream("M-1", cs1, "a_leg"))).Facts(), "calling-party true @M-1")
}

// Facts of a complete document replace all before; who asks for an instant gets
// those of then.
func TestFactsAt(t *testing.T) {
	r := newRun(t)
	if r.m.Facts() != nil || r.m.FactsAt(instant(5)) != nil {
		t.Error("facts of nothing")
	}
	r.apply(broadDocument("1", userAOR, farAOR, origCall, ""), lines("1", "2"))
	r.apply("", lines("1", "2"))
	r.apply(broadDocument("2", userAOR, farAOR, termCall, ""), nil)
	lacks(t, r.m.Facts(), "direction inbound @urn:uuid:s2")
	for at, want := range map[int]string{0: "outbound @urn:uuid:s1", 10: "outbound @urn:uuid:s1", 29: "outbound @urn:uuid:s1", 30: "inbound @urn:uuid:s2"} {
		lacks(t, r.m.FactsAt(instant(at)), "direction "+want)
	}
	// A partial document adds to them (M22).
	r.apply(partial(`<group group_id="G"><initiator>sip:ann@example.com</initiator></group>`), nil)
	lacks(t, r.m.Facts(), "direction inbound @urn:uuid:s2", "initiator sip:ann@example.com @G")
	r.close()
	lacks(t, r.m.FactsAt(instant(10)), "direction outbound @urn:uuid:s1")
	if len(r.m.Facts()) == 0 {
		t.Error("the last facts of a recording session that ended are gone")
	}
}

// The facts after a complete document are those of that document alone, whatever
// came before (M1).
func TestCompleteForgetsFacts(t *testing.T) {
	docs := []string{
		acmeDocument, codesDocument, callDataDocument, with(metaDocument, "TYPE", "originating"), with(sapiensDocument, "FIRST", "origCall"),
		with(jambDocument, "DIRECTION", "inbound"), broadDocument("1", userAOR, farAOR, termCall, queue),
		broadDocument("1", farAOR, userAOR, origCall, redirect), with(sbceDocument, "OTHER", sbcePlaceholder), basic(),
	}
	for i, before := range docs {
		for j, after := range docs {
			m, _ := metadata.New().Apply(decode(t, before), instant(1), nil)
			m, _ = m.Apply(decode(t, partial(`<calldata><gcid>9</gcid></calldata>`)), instant(2), nil)
			m, _ = m.Apply(decode(t, after), instant(3), nil)
			alone, _ := metadata.New().Apply(decode(t, after), instant(3), nil)
			if got, want := m.Facts(), alone.Facts(); !slices.Equal(got, want) && len(got)+len(want) > 0 {
				t.Errorf("document %d after %d:\n got %q\nwant %q", j, i, tell(got), tell(want))
			}
		}
	}
}

// What associations, streams and recordings carry is read as well.
func TestFactsOfAssociations(t *testing.T) {
	x := func(realm string) string {
		return `<x:realm xmlns:x="http://acmepacket.com/x">` + realm + `</x:realm>`
	}
	d := decode(t, complete(`<group group_id="G">`+x("g")+`</group>`, comm("S", x("s")), person("P", "a", x("p")),
		`<stream stream_id="M" session_id="S">`+x("m")+`</stream>`, member("P", "S", x("ps")), media("P", l("M"), nil, x("pm")),
		`<sessionrecordingassoc session_id="S">`+x("sr")+`</sessionrecordingassoc>`, x("root"),
		`<wrap parent="M"><wrap>`+x("deep")+`</wrap></wrap>`, `<wrap parent="nothing">`+x("lost")+`</wrap>`, `<wrap participant_id="nobody">`+x("none")+`</wrap>`))
	want := []string{"realm root", "realm deep @M", "realm lost", "realm none", "realm g @G", "realm s @S", "realm sr @S", "realm p @P", "realm ps @P", "realm m @M", "realm pm @P"}
	if got := tell(d.Facts()); !slices.Equal(got, want) {
		t.Errorf("facts\n got %q\nwant %q", got, want)
	}
}

func TestFactKindsHaveWords(t *testing.T) {
	seen := make(map[string]bool)
	for k := metadata.FactDirection; k <= metadata.FactStreamDirection; k++ {
		if w := k.String(); w == "" || w == "unknown" || seen[w] {
			t.Errorf("kind %d is %q", k, w)
		}
		seen[k.String()] = true
	}
	if metadata.FactKind(0).String() != "unknown" || metadata.FactKind(999).String() != "unknown" {
		t.Error("kinds out of range have a word")
	}
}

// Long names and deep nesting are not multiplied.
func TestFactsStayShort(t *testing.T) {
	long := strings.Repeat("n", 129)
	const ns = `xmlns:x="http://acmepacket.com/x"`
	nested := func(n int) string {
		return strings.Repeat("<w>", n) + `<x:realm>in</x:realm>` + strings.Repeat("</w>", n)
	}
	header := func(label string) string { return `<x:header label="` + label + `"><value>v</value></x:header>` }
	for _, c := range []struct {
		name, in string
		facts    int
	}{
		{"wrapped", nested(4), 1},
		{"wrapped too deeply", nested(5), 0},
		{"below a long name", `<` + long + `><x:realm>in</x:realm></` + long + `>`, 0},
		{"long name of a vendor", `<x:realm` + long + `>in</x:realm` + long + `>`, 0},
		{"long name inside", `<netsapiensExtension><` + long + `><number>1</number></` + long + `></netsapiensExtension>`, 0},
		{"deep inside", `<calldata><a><a><a><a><a><a>1</a></a></a></a></a></a></calldata>`, 0},
		{"label", header(long[1:]), 1},
		{"long label", header(long), 0},
	} {
		d := decode(t, `<recording `+ns+`>`+c.in+`</recording>`)
		if got := d.Facts(); len(got) != c.facts {
			t.Errorf("%s: %d facts, want %d", c.name, len(got), c.facts)
		}
	}
}

// Each of many users is found, in constant time: no document takes more than
// linear time.
func TestFactsOfManyUsers(t *testing.T) {
	var people, users strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&people, `<participant participant_id="P-%d"><nameID aor="sip:u%d@example.com"/></participant>`, i, i)
		fmt.Fprintf(&users, `<user userID="u%d@example.com"/>`, i)
	}
	d := decode(t, complete(people.String(), `<netsapiensExtension>`+users.String()+`</netsapiensExtension>`))
	facts := d.Facts()
	if n := len(facts); n != 2000 || facts[1999].About != "P-1999" {
		t.Errorf("%d facts, the last about %q", n, facts[n-1].About)
	}
}
