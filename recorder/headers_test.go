package recorder

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/siprec"
)

// saying gives the event of a step header fields.
func saying(step func(*fake) *siprec.Event, lines ...string) func(*fake) *siprec.Event {
	return func(f *fake) *siprec.Event {
		ev := step(f)
		ev.Headers = []siprec.Header{{Name: "From", Value: "<sip:192.0.2.20>;tag=1"}, {Name: "Expires", Value: "180"}}
		for _, l := range lines {
			name, value, _ := strings.Cut(l, ": ")
			ev.Headers = append(ev.Headers, siprec.Header{Name: name, Value: value})
		}
		return ev
	}
}

const (
	headerAlice = `X-Cisco-Recording-Participant: sip:alice@example.com;media-index="0"`
	headerBob   = `X-Cisco-Recording-Participant: sip:bob@example.com;media-index="1"`
	headerCarol = `X-Cisco-Recording-Participant: sip:carol@example.com;media-index="1"`
	bridge      = `From: <sip:201@192.0.2.5;x-nearend;x-refci=22;x-nearendaddr=201;x-farendrefci=21;x-farendaddr=5550102>;tag=1`
	aliceID     = "participant sip:alice@example.com"
	bobID       = "participant sip:bob@example.com"
	carolID     = "participant sip:carol@example.com"
)

// TestHeaders: without metadata, header fields say who is who; with it they say
// nothing.
func TestHeaders(t *testing.T) {
	none := []siprec.Stream{mline(0, "", siprec.SendOnly), mline(1, "", siprec.SendOnly)}
	aliceFile, bobFile := "01-alice.wav metadata ["+aliceID+"] [0.0]", "02-bob.wav metadata ["+bobID+"] [1.0]"
	second := talk(1, 2, 1, 2)
	for _, tt := range []struct {
		name   string
		script []func(*fake) *siprec.Event
		files  []string
		kept   []string // documents
		flags  []string
	}{
		{"two parties",
			[]func(*fake) *siprec.Event{saying(offered(none), headerAlice, headerBob), talk(0, 1, 0, 1), talk(1, 2, 0, 1), ended(1)},
			[]string{aliceFile, bobFile}, []string{"headers-0001.txt"}, []string{flagHeaders}},
		{"the same lines again, and the other way round",
			[]func(*fake) *siprec.Event{saying(offered(none), headerAlice, headerBob), talk(0, 1, 0, 1), talk(1, 2, 0, 1),
				saying(changed(1, none), headerAlice, headerBob), talk(0, 1, 1, 2), second, ended(2)},
			[]string{aliceFile, bobFile}, []string{"headers-0001.txt"}, []string{flagHeaders}},
		{"one is exchanged",
			[]func(*fake) *siprec.Event{saying(offered(none), headerAlice, headerBob), talk(0, 1, 0, 1), talk(1, 2, 0, 1),
				saying(changed(1, none), headerAlice, headerCarol), second, ended(2)},
			[]string{aliceFile, bobFile, "03-carol.wav metadata [" + carolID + "] [1.0]"},
			[]string{"headers-0001.txt", "headers-0002.txt"}, []string{flagHeaders}},
		{"one is exchanged without an offer",
			[]func(*fake) *siprec.Event{saying(offered(none), headerAlice, headerBob), talk(0, 1, 0, 1), talk(1, 2, 0, 1),
				saying(changed(1, nil), headerAlice, headerCarol), second, ended(2)},
			[]string{aliceFile, bobFile, "03-carol.wav metadata [" + carolID + "] [1.0]"},
			[]string{"headers-0001.txt", "headers-0002.txt"}, []string{flagHeaders}},
		{"a re-INVITE without the lines changes nobody",
			[]func(*fake) *siprec.Event{saying(offered(none), headerAlice, headerBob), talk(1, 2, 0, 1), saying(changed(1, none)), second, ended(2)},
			[]string{"02-bob.wav metadata [" + bobID + "] [1.0]"}, []string{"headers-0001.txt"}, []string{flagHeaders}},
		{"the m-line comes later",
			[]func(*fake) *siprec.Event{saying(offered(none[:1]), headerAlice, headerBob), talk(0, 1, 0, 1), saying(changed(1, none)), second, ended(2)},
			[]string{aliceFile, bobFile}, []string{"headers-0001.txt"}, []string{flagHeaders}},
		{"INVITE without offer: the ACK brings the m-lines and no lines",
			[]func(*fake) *siprec.Event{saying(event(siprec.Event{Kind: siprec.Offered, At: sec(0), Method: "INVITE", CSeq: 1}, nil), headerAlice, headerBob),
				saying(changed(0.1, none)), talk(0, 1, 0.1, 1), talk(1, 2, 0.1, 1), ended(1)},
			[]string{aliceFile, bobFile}, []string{"headers-0001.txt"}, []string{flagHeaders}},
		{"BYE says nothing of what was before",
			[]func(*fake) *siprec.Event{saying(offered(none), headerAlice, headerBob), talk(1, 2, 0, 1), saying(ended(1), headerAlice, headerCarol)},
			[]string{"02-bob.wav metadata [" + bobID + "] [1.0]"}, []string{"headers-0001.txt"}, []string{flagHeaders}},
		{"built-in bridge",
			[]func(*fake) *siprec.Event{saying(offered(none[:1]), bridge), talk(0, 1, 0, 1), ended(1)},
			[]string{"01-201.wav metadata [near end 201] [0.0]"}, []string{"headers-0001.txt"}, []string{flagHeaders}},
		{"beside metadata",
			[]func(*fake) *siprec.Event{saying(offered(both, twoParties), headerAlice, headerCarol), talk(1, 2, 0, 1),
				saying(changed(1, both), headerCarol), second, ended(2)},
			[]string{"02-bob.wav metadata [p2] [1.0]"}, []string{"metadata-0001.xml"}, nil},
		{"beside metadata that cannot be read",
			[]func(*fake) *siprec.Event{saying(offered(both, "]]>"), headerAlice, headerBob), talk(1, 2, 0, 1), ended(1)},
			[]string{"02-stream-2.wav unattributed [] [1.0]"}, []string{"metadata-0001.xml"}, []string{flagUnreadable}},
		{"metadata comes later: each is who they were, header fields are silent",
			[]func(*fake) *siprec.Event{saying(offered(both), headerAlice, headerBob), talk(1, 2, 0, 1), saying(changed(1, both, twoParties), headerCarol),
				saying(changed(1.5, both), headerAlice, headerCarol), second, ended(2)},
			[]string{"02-bob.wav metadata [p2] [1.0]"}, []string{"headers-0001.txt", "metadata-0002.xml"}, []string{flagHeaders}},
		{"no line that names anybody",
			[]func(*fake) *siprec.Event{saying(offered(none), "X-Cisco-Recording-Participant: "), talk(1, 2, 0, 1), ended(1)},
			[]string{"02-stream-1.wav unattributed [] [1.0]"}, nil, []string{flagNoMetadata}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, folder, _ := run(t, tt.script...)
			if got := filesOf(m); !slices.Equal(got, tt.files) {
				t.Errorf("files\n got %q\nwant %q", got, tt.files)
			}
			var kept []string
			for _, d := range m.Metadata {
				kept = append(kept, d.File)
				if _, err := os.Stat(filepath.Join(folder, d.File)); err != nil {
					t.Error(err)
				}
			}
			if !slices.Equal(kept, tt.kept) || !slices.Equal(m.Flags, tt.flags) {
				t.Errorf("kept %q with flags %q, want %q with %q", kept, m.Flags, tt.kept, tt.flags)
			}
		})
	}
}

// The lines that named the participants are kept as they were sent, and nothing
// else of the message.
func TestHeadersKept(t *testing.T) {
	_, folder, _ := run(t, saying(offered(both), headerAlice, headerBob), ended(1))
	got, err := os.ReadFile(filepath.Join(folder, "headers-0001.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if want := headerAlice + "\r\n" + headerBob + "\r\n"; string(got) != want {
		t.Errorf("kept %q, want %q", got, want)
	}
	if got := journalEvents(t, folder); !strings.HasPrefix(got, "started metadata allowed(0.0)") {
		t.Errorf("journal %s", got)
	}
}

// TestRenewedIDs: an SRC renews every id. Who goes on is one participant with one
// file, also where the stream is mixed and when it happens again.
func TestRenewedIDs(t *testing.T) {
	set := func(n string, parties ...party) string {
		xml := document("complete", twoStreams, parties...)
		return strings.NewReplacer(`"cs1"`, `"cs`+n+`"`, `"s1"`, `"t1`+n+`"`, ">s1<", ">t1"+n+"<", `"s2"`, `"t2`+n+`"`, ">s2<", ">t2"+n+"<").Replace(xml)
	}
	const alice, bob, carol = "sip:alice@example.com", "sip:bob@example.com", "sip:carol@example.com"
	m, folder, _ := run(t,
		offered(both, set("1", sends("a1", alice, "s1"), sends("b1", bob, "s2"))), talk(0, 1, 0, 3), talk(1, 2, 0, 1),
		changed(1, both, set("2", sends("a2", alice, "s1"), sends("c2", carol, "s2"))), talk(1, 2, 1, 2),
		changed(2, both, set("3", sends("b3", bob, "s2"), sends("a3", alice, "s1"))), talk(1, 2, 2, 3), ended(3))
	want := []string{"01-alice.wav metadata [a1] [0.0]", "02-bob.wav metadata [b1] [1.0]", "03-carol.wav metadata [c2] [1.0]"}
	if got := filesOf(m); !slices.Equal(got, want) {
		t.Fatalf("files %q, want %q", got, want)
	}
	for i, want := range []string{rep("#", 30), rep("#", 10) + rep(".", 10) + rep("#", 10), rep(".", 10) + rep("#", 10) + rep(".", 10)} {
		if got := heard(t, filepath.Join(folder, m.Files[i].Name)); got != want {
			t.Errorf("%s\n got %s\nwant %s", m.Files[i].Name, got, want)
		}
	}
	wantPeople := []store.Participant{
		{ID: "a1", AORs: []string{alice}, Files: []string{"01-alice.wav"}, Sent: []store.Part{{Stream: "0.0", Interval: store.Interval{ToMS: 3000}}}},
		{ID: "b1", AORs: []string{bob}, Files: []string{"02-bob.wav"}, Sent: []store.Part{
			{Stream: "1.0", Interval: store.Interval{ToMS: 1000}}, {Stream: "1.0", Interval: store.Interval{FromMS: 2000, ToMS: 3000}}}},
		{ID: "c2", AORs: []string{carol}, Files: []string{"03-carol.wav"}, Sent: []store.Part{{Stream: "1.0", Interval: store.Interval{FromMS: 1000, ToMS: 2000}}}},
	}
	if !reflect.DeepEqual(m.Participants, wantPeople) {
		t.Errorf("participants\n got %+v\nwant %+v", m.Participants, wantPeople)
	}

	mixed, _, _ := run(t,
		offered(both[:1], set("1", sends("a1", alice, "s1"), sends("b1", bob, "s1"))), talk(0, 1, 0, 1),
		changed(1, both[:1], set("2", sends("a2", alice, "s1"), sends("c2", carol, "s1"))), talk(0, 1, 1, 2), ended(2))
	if got := filesOf(mixed); len(got) != 1 || got[0] != "01-alice-bob-carol.wav mixed [a1 b1 c2] [0.0]" {
		t.Errorf("mixed: %q", got)
	}
}
