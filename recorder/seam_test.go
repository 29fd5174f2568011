package recorder

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/siprecd/siprecd/metadata"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/siprec"
)

// A port that has its gate is left alone: packets that wait there for their
// source to be adopted belong to that gate. A new port gets it.
func TestGateIsAttachedOncePerPort(t *testing.T) {
	moved := slices.Clone(both)
	moved[1].Generation = 1
	fewer := both[:1]
	tests := []struct {
		name   string
		script []func(*fake) *siprec.Event
		want   int
	}{
		{"metadata and offers that change no port", []func(*fake) *siprec.Event{offered(both), changed(1, nil, twoParties), changed(2, both), changed(3, nil, twoParties), ended(4)}, 2},
		{"a slot is used again", []func(*fake) *siprec.Event{offered(both, twoParties), changed(1, moved), changed(2, moved), ended(4)}, 3},
		{"an m-line is left out and comes back", []func(*fake) *siprec.Event{offered(both, twoParties), changed(1, fewer), changed(2, both), ended(4)}, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, _, f := run(t, tt.script...); f.attached != tt.want {
				t.Errorf("attached %d times, want %d", f.attached, tt.want)
			}
		})
	}
}

// An m-line with port 0 need not repeat its label: the stream it was keeps it.
func TestClosedLineKeepsItsLabel(t *testing.T) {
	closed := []siprec.Stream{mline(0, "1", siprec.SendOnly), {Index: 1, Media: "audio", Closed: true, Direction: siprec.Inactive}}
	m, _, _ := run(t, offered(both), talk(1, 2, 0, 1), changed(1, closed), ended(2))
	if m.Streams[1].Label != "2" || len(m.Files) != 1 || m.Files[0].Name != "02-stream-2.wav" {
		t.Errorf("label %q, files %v", m.Streams[1].Label, filesOf(m))
	}
}

// A failure of ours while an event is handled ends the recording there: what was
// permitted before is in its files, what comes after is in none.
func TestFailureInTheLoopKeepsWhatThereIs(t *testing.T) {
	dir := t.TempDir()
	r := newRecorder(t, dir)
	r.accept = func(ev *siprec.Event) {
		if ev.Kind == siprec.Changed {
			panic("failure")
		}
	}
	f := newFake(t, offered(both, twoParties), talk(0, 1, 0, 1), changed(1, nil, twoParties), talk(0, 1, 1, 2), ended(2))
	r.serve(t.Context(), f)
	talk(0, 1, 1, 2)(f)
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := store.List(dir)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	m, err := store.Load(dir, list[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(m.Flags, flagFailed) || len(m.Files) != 1 || m.Files[0].DurationMS != 1000 || m.EndReason != string(siprec.EndLocal) {
		t.Errorf("flags %v, files %+v, reason %q", m.Flags, m.Files, m.EndReason)
	}
}

// A failure of ours while one recording is finalised leaves it unfinished, with
// its capture, and ends no other.
func TestFailureInTheFinaliserEndsNoOther(t *testing.T) {
	dir := t.TempDir()
	r := newRecorder(t, dir)
	calls := 0
	r.now = func() time.Time {
		if calls++; calls == 1 {
			panic("failure")
		}
		return sec(100)
	}
	for range 2 {
		r.serve(t.Context(), newFake(t, offered(both, twoParties), talk(0, 1, 0, 1), ended(1)))
		r.working.Wait()
	}
	if err := r.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	list, err := store.List(dir)
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	states := []string{string(list[0].State), string(list[1].State)}
	slices.Sort(states)
	if got := strings.Join(states, " "); got != "finished unfinished" {
		t.Errorf("recordings are %s", got)
	}
}

// An event after a refused INVITE begins nothing.
func TestNothingBeginsAfterARefusal(t *testing.T) {
	dir := t.TempDir()
	r := newRecorder(t, dir)
	f := newFake(t, changed(1, both, twoParties), ended(2))
	r.serve(t.Context(), f)
	if list, err := store.List(dir); err != nil || len(list) != 0 || f.attached != 0 {
		t.Errorf("recordings %v, %v", list, err)
	}
}

// A document over which the reader fails is kept as an unreadable one, and what
// was known before holds.
// Shows 7866-9.2-03.
func TestFailureInADocumentIsAnUnreadableOne(t *testing.T) {
	p := newPeople()
	p.read(offered(both, twoParties)(nil))
	p.decode = func([]byte) (*metadata.Document, error) { panic("failure") }
	docs := p.read(changed(1, nil, twoParties)(nil))
	if len(docs) != 1 || docs[0].Readable || docs[0].Error == "" || !p.unreadable {
		t.Errorf("documents %+v", docs)
	}
	if who := p.model.Senders(0, 0, sec(2)); len(who) != 1 {
		t.Errorf("senders %v", who)
	}
}

// What an earlier process left behind is told when the next one starts.
func TestUnfinishedAreReported(t *testing.T) {
	dir := t.TempDir()
	r := newRecorder(t, dir)
	r.serve(t.Context(), newFake(t, offered(both, twoParties), ended(1)))
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	id, err := store.NewID(t0, strings.NewReader("randomness"))
	if err != nil {
		t.Fatal(err)
	}
	folder, err := store.Create(dir, id)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, journalName), []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.WarnLevel)
	r, err = New(Config{Dir: dir, Log: zap.New(core)})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(t.Context())
	if got, err := r.Recover(nil); err != nil || got != (Recovered{Left: 1}) {
		t.Errorf("recovered %+v, %v", got, err)
	}
	if all := logs.All(); len(all) != 1 || all[0].ContextMap()["recording"] != id {
		t.Errorf("log %v, want one line about %s", all, id)
	}
}

// A source that takes a new SSRC all the time cannot be rendered without end:
// what is in no file is left in the capture, and the manifest says so.
func TestTooManySources(t *testing.T) {
	script := []func(*fake) *siprec.Event{offered(both, twoParties)}
	for i := range 4100 {
		script = append(script, talk(0, uint32(i+1), float64(i)*0.02, float64(i)*0.02+0.01))
	}
	m, _, _ := run(t, append(script, ended(90))...)
	if !slices.Contains(m.Flags, flagRestless) || m.Capture != captureName {
		t.Errorf("flags %v, capture %q", m.Flags, m.Capture)
	}
}

// A thousand updates in which participants come and go cost neither audio nor
// names, and finish in time.
// Shows 7866-9.1-02.
func TestAThousandUpdates(t *testing.T) {
	if testing.Short() {
		t.Skip("short: one goroutine does it all")
	}
	const updates = 1000
	for _, tt := range []struct {
		name  string
		who   func(i int) string
		files int
	}{
		{"one comes and goes", func(int) string { return "p2" }, 2},
		{"each is another", func(i int) string { return fmt.Sprintf("q%d", i) }, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			script := []func(*fake) *siprec.Event{offered(both, twoParties), talk(0, 1, 0, 1), talk(1, 2, 0, 1)}
			for i := range updates {
				at := 1 + float64(i)/100
				id := tt.who(i)
				with := document("complete", twoStreams, sends("p1", "sip:alice@example.com", "s1"), sends(id, "sip:"+id+"@example.com", "s2"))
				if i%2 == 1 {
					with = document("complete", twoStreams[:1], sends("p1", "sip:alice@example.com", "s1"))
				}
				script = append(script, changed(at, nil, with))
			}
			script = append(script, talk(0, 1, 11, 12), ended(12))
			m, folder, _ := run(t, script...)
			if len(m.Files) != tt.files || len(m.Metadata) != updates+1 {
				t.Fatalf("files %v, %d documents", filesOf(m), len(m.Metadata))
			}
			if got := heard(t, filepath.Join(folder, m.Files[0].Name)); got != rep("#", 10)+rep(".", 100)+rep("#", 10) {
				t.Errorf("heard %s", got)
			}
		})
	}
}

// A thousand holds are a thousand gaps, each with its cause.
func TestAThousandHolds(t *testing.T) {
	hold := []siprec.Stream{mline(0, "1", siprec.Inactive), mline(1, "2", siprec.Inactive)}
	script := []func(*fake) *siprec.Event{offered(both, twoParties)}
	for i := range 1000 {
		at := float64(i) / 8 // exact in binary
		script = append(script, talk(0, 1, at, at+0.0625), changed(at+0.0625, hold), talk(0, 1, at+0.0625, at+0.125), changed(at+0.125, both))
	}
	m, _, _ := run(t, append(script, ended(125))...)
	s := m.Streams[0]
	if s.Packets.Kept != 4000 || s.Packets.Withheld != 4000 || len(s.Permitted) != 1000 || s.Packets.Lost != 0 {
		t.Errorf("packets %+v, %d intervals", s.Packets, len(s.Permitted))
	}
	for _, g := range s.Gaps {
		if g.Cause == "withheld" && !slices.Equal(g.Withheld, []string{"sdp"}) {
			t.Fatalf("gap %+v", g)
		}
	}
	if m.Timeline.DurationMS != 124955 {
		t.Errorf("timeline %+v", m.Timeline)
	}
}
