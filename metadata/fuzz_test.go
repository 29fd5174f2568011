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
}
