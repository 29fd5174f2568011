package metadata_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/siprecd/siprecd/metadata"
)

func addLayouts(f *testing.F, add func(xml string)) {
	f.Helper()
	for _, xml := range []string{
		basic(), mixed(), newCall(), inlineLayout, prefixedLayout, olderLayout, oldestLayout, noAssocs, bareMinimum, danglingAssoc, placeholder,
		acmeDocument, codesDocument, callDataDocument, metaDocument, sapiensDocument, jambDocument,
		broadDocument("1", userAOR, farAOR, termCall, queue), broadDocument("2", userAOR, farAOR, origCall, redirect),
		with(sbceDocument, "OTHER", sbcePlaceholder), with(sbceDocument, "OTHER", sbceReal),
		partial(comm(cs1, stops), member(ann, cs1, leaves)), partial(media(ann, nil, l(ba)), stream(ca, cs1, "11")),
		`<recording><name>"A" <sip:a@example.com> & B</name>`, `<recording a=""b" c='d'><![CDATA[&]]></x>`,
		`<!DOCTYPE recording><recording/>`, "\xef\xbb\xbf<recording>\xff</recording>",
	} {
		add(xml)
	}
}

// FuzzDecode: no input panics, and what is read stays within the limits and is
// read the same way twice.
func FuzzDecode(f *testing.F) {
	addLayouts(f, func(xml string) { f.Add([]byte(xml)) })
	f.Fuzz(func(t *testing.T, b []byte) {
		in := bytes.Clone(b)
		d, err := metadata.Decode(b)
		if !bytes.Equal(in, b) {
			t.Fatal("the input was written to")
		}
		if (d == nil) == (err == nil) {
			t.Fatalf("document %v and error %v", d, err)
		}
		if err != nil {
			return
		}
		n := len(d.Groups) + len(d.CommunicationSessions) + len(d.Participants) + len(d.Streams) + len(d.RecordingAssocs)
		if n > metadata.MaxElements {
			t.Fatalf("%d elements", n)
		}
		for _, x := range d.Extensions {
			_ = x.String()
		}
		checkFacts(t, d.Facts())
		if again, err := metadata.Decode(b); err != nil || !reflect.DeepEqual(d, again) {
			t.Fatalf("read twice, two documents: %v", err)
		}
	})
}

// FuzzApply: two documents in any order, with and without SDP, keep the
// properties of the model.
func FuzzApply(f *testing.F) {
	addLayouts(f, func(xml string) {
		f.Add([]byte(basic()), []byte(xml), uint8(0x53))
		f.Add([]byte(xml), []byte(mixed()), uint8(1))
	})
	f.Fuzz(func(t *testing.T, a, b []byte, how uint8) {
		first, err1 := metadata.Decode(a)
		second, err2 := metadata.Decode(b)
		if err1 != nil || err2 != nil {
			return
		}
		bindings := []metadata.Binding{nil, {}, lines("11", "12", "13"), {{Label: "11", Generation: 1}, {Label: "1", Index: 1}}}
		m := metadata.New()
		for i, d := range []*metadata.Document{first, second, first, nil, second} {
			b := bindings[int(how>>i)%len(bindings)]
			before, spans := m.Current(), m.Spans()
			next, _ := m.Apply(d, instant(i), b)
			if !reflect.DeepEqual(before, m.Current()) || !reflect.DeepEqual(spans, m.Spans()) {
				t.Fatal("a model changed")
			}
			checkModel(t, next)
			if d != nil && d.Mode == metadata.Complete {
				if _, again := next.Apply(d, instant(i), b); len(again) > 0 {
					t.Fatalf("applied again: %+v", again)
				}
			}
			m = next
		}
		m, _ = m.Close(instant(9))
		checkModel(t, m)
		if v := m.Current(); len(v.Participants)+len(v.Streams)+len(v.CommunicationSessions) > 0 {
			t.Fatalf("closed, and yet %+v", v)
		}
	})
}

func checkModel(t *testing.T, m *metadata.Model) {
	t.Helper()
	for _, sp := range m.Spans() {
		if sp.From.IsZero() || !sp.To.IsZero() && sp.To.Before(sp.From) {
			t.Fatalf("span %+v", sp)
		}
		if m.Closed() && sp.To.IsZero() {
			t.Fatalf("open after the end: %+v", sp)
		}
	}
	known := make(map[metadata.ID]bool)
	for _, p := range m.Participants() {
		known[p.ID] = true
	}
	for index := range 3 {
		for _, p := range m.Senders(index, 0, instant(3)) {
			if !known[p.ID] {
				t.Fatalf("sender %q was never described", p.ID)
			}
		}
		if m.Held(index, 0, instant(3)) && len(m.Senders(index, 0, instant(3))) > 0 {
			t.Fatal("held, and somebody sends")
		}
	}
	m.Unresolved()
	checkFacts(t, m.Facts())
	for _, p := range m.Participants() {
		if first := m.Person(p.ID); m.Person(first) != first || !known[first] {
			t.Fatalf("%q is the person %q", p.ID, first)
		}
	}
}

func checkFacts(t *testing.T, facts []metadata.Fact) {
	t.Helper()
	for _, f := range facts {
		if f.Kind.String() == "unknown" || f.Value == "" || f.Field == "" || (f.Of == 0) != (f.About == "") {
			t.Fatalf("fact %+v", f)
		}
		if f.Kind == metadata.FactDirection && f.Value != "inbound" && f.Value != "outbound" && f.Value != "internal" {
			t.Fatalf("direction %q", f.Value)
		}
	}
}

// FuzzHeaders: no header field panics, and the document made of them is one that
// a model takes.
func FuzzHeaders(f *testing.F) {
	for _, in := range []string{
		"X-Cisco-Recording-Participant: sip:a@x;media-index=\"0 2\"\nX-Cisco-Recording-Participant: \"B <\" <sip:b@x>;media-index=\"1,3\"",
		"From: <sip:201@192.0.2.5;x-nearend;x-refci=22;x-nearendaddr=201;x-farendrefci=21;x-farenddevice=T;x-farendaddr=+15550102>;tag=1",
		"Call-Info: <http://df.example.com/c/7>;purpose=Goog-ContactCenter-Conversation\nUser-to-User: 00FA08AA00BB00CC00DD00;encoding=hex",
		"P-Asserted-Identity: \"A, <B>\" <sip:201@[::1]:5060;x=y>, tel:+15550101\nDiversion: <sip:%32@x>",
	} {
		f.Add(in, uint8(3))
	}
	f.Fuzz(func(t *testing.T, in string, n uint8) {
		hs := fields(in)
		checkFacts(t, metadata.HeaderFacts(hs))
		b := metadata.Binding{}
		for i := range int(n % 8) {
			b = append(b, metadata.LabelAt{Index: i * int(1+n%3)})
		}
		d := metadata.FromHeaders(hs, b)
		if again := metadata.FromHeaders(hs, b); !reflect.DeepEqual(d, again) {
			t.Fatal("read twice, two documents")
		}
		if d == nil {
			return
		}
		m, _ := metadata.New().Apply(d, instant(1), b)
		checkModel(t, m)
		if _, again := m.Apply(d, instant(2), b); len(again) > 0 {
			t.Fatalf("applied again: %+v", again)
		}
	})
}
