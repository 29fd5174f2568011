package recorder

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
)

// heard says for each tenth of a second of a WAV file whether it is silent ('.')
// or not ('#').
func heard(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	i := strings.Index(string(b), "data")
	if i < 0 {
		t.Fatalf("%s is no WAV file", path)
	}
	rate := int(binary.LittleEndian.Uint32(b[24:]))
	pcm := b[i+8:]
	var out strings.Builder
	for step := rate / 10 * 2; len(pcm) >= step; pcm = pcm[step:] {
		loud := 0
		for j := 0; j < step; j += 2 {
			if math.Abs(float64(int16(binary.LittleEndian.Uint16(pcm[j:])))) > 100 {
				loud++
			}
		}
		out.WriteByte(".#"[min(loud*4/step, 1)])
	}
	return out.String()
}

func rep(s string, n int) string { return strings.Repeat(s, n) }

// TestRecording runs whole recording sessions and looks at the files.
// Shows 7866-6.1.1-02, 7865-6.1-01.
func TestRecording(t *testing.T) {
	sdpHold := []siprec.Stream{mline(0, "1", siprec.Inactive), mline(1, "2", siprec.SendOnly)}
	metaHold := document("partial", nil, sends("p1", "sip:alice@example.com"), sends("p2", "sip:bob@example.com"))
	metaResume := document("partial", nil, sends("p1", "sip:alice@example.com", "s1"), sends("p2", "sip:bob@example.com", "s2"))
	transfer := document("complete", twoStreams, sends("p1", "sip:alice@example.com", "s1"), sends("p3", "sip:carol@example.com", "s2"))
	join := document("complete", []string{"s1", "s2", "s3"}, sends("p1", "sip:alice@example.com", "s1"), sends("p2", "sip:bob@example.com", "s2"), sends("p3", "sip:carol@example.com", "s3"))
	three := append(slices.Clone(both), mline(2, "3", siprec.SendOnly))
	reused := []siprec.Stream{mline(0, "1", siprec.SendOnly), mline(1, "9", siprec.SendOnly)}
	reused[1].Generation = 1
	relabelled := []siprec.Stream{mline(0, "1", siprec.SendOnly), mline(1, "9", siprec.SendOnly)}
	closed := slices.Clone(both)
	closed[1].Closed, closed[1].Receiving, closed[1].Direction = true, false, siprec.Inactive
	alice := "01-alice.wav metadata [p1] [0.0]"
	bob := "02-bob.wav metadata [p2] [1.0]"

	tests := []struct {
		name   string
		script []func(*fake) *siprec.Event
		files  []string
		heard  []string
		flags  []string
	}{
		{"two parties",
			[]func(*fake) *siprec.Event{offered(both, twoParties), talk(0, 1, 0, 3), talk(1, 2, 1, 2), ended(3)},
			[]string{alice, bob}, []string{rep("#", 30), rep(".", 10) + rep("#", 10) + rep(".", 10)}, nil},
		{"hold by SDP: what still comes is forgotten",
			[]func(*fake) *siprec.Event{offered(both, twoParties), talk(0, 1, 0, 1), talk(1, 2, 0, 1), changed(1, sdpHold),
				talk(0, 1, 1, 2), talk(1, 2, 1, 2), changed(2, both), talk(0, 1, 2, 3), talk(1, 2, 2, 3), ended(3)},
			[]string{alice, bob}, []string{rep("#", 10) + rep(".", 10) + rep("#", 10), rep("#", 30)}, nil},
		{"hold by metadata: what nobody is known to send is nobody's",
			[]func(*fake) *siprec.Event{offered(both, twoParties), talk(0, 1, 0, 1), changed(1, nil, metaHold),
				talk(0, 1, 1, 2), changed(2, nil, metaResume), talk(0, 1, 2, 3), ended(3)},
			[]string{alice, "03-stream-1.wav unattributed [] [0.0]"},
			[]string{rep("#", 10) + rep(".", 10) + rep("#", 10), rep(".", 10) + rep("#", 10) + rep(".", 10)}, nil},
		{"late metadata",
			[]func(*fake) *siprec.Event{offered(both), talk(0, 1, 0, 1), talk(1, 2, 0, 1), changed(1, both, twoParties),
				talk(0, 1, 1, 2), talk(1, 2, 1, 2), ended(2)},
			[]string{alice, bob}, []string{rep("#", 20), rep("#", 20)}, nil},
		{"no metadata at all",
			[]func(*fake) *siprec.Event{offered(both), talk(0, 1, 0, 1), talk(1, 2, 0, 1), ended(1)},
			[]string{"01-stream-1.wav unattributed [] [0.0]", "02-stream-2.wav unattributed [] [1.0]"},
			[]string{rep("#", 10), rep("#", 10)}, []string{flagNoMetadata}},
		{"unreadable metadata",
			[]func(*fake) *siprec.Event{offered(both, "not a document"), talk(0, 1, 0, 1), talk(1, 2, 0, 1), ended(1)},
			[]string{"01-stream-1.wav unattributed [] [0.0]", "02-stream-2.wav unattributed [] [1.0]"},
			[]string{rep("#", 10), rep("#", 10)}, []string{flagUnreadable}},
		{"unreadable metadata forgets nothing",
			[]func(*fake) *siprec.Event{offered(both, twoParties), talk(0, 1, 0, 1), changed(1, nil, "]]>"), talk(0, 1, 1, 2), ended(2)},
			[]string{alice}, []string{rep("#", 20)}, []string{flagUnreadable}},
		{"a mixed stream",
			[]func(*fake) *siprec.Event{offered(both[:1], document("complete", []string{"s1"}, sends("p1", "sip:alice@example.com", "s1"), sends("p2", "sip:bob@example.com", "s1"))),
				talk(0, 1, 0, 1), ended(1)},
			[]string{"01-alice-bob.wav mixed [p1 p2] [0.0]"}, []string{rep("#", 10)}, nil},
		{"transfer: one leaves, one joins on the same stream",
			[]func(*fake) *siprec.Event{offered(both, twoParties), talk(0, 1, 0, 2), talk(1, 2, 0, 1), changed(1, both, transfer), talk(1, 3, 1, 2), ended(2)},
			[]string{alice, bob, "03-carol.wav metadata [p3] [1.0]"},
			[]string{rep("#", 20), rep("#", 10) + rep(".", 10), rep(".", 10) + rep("#", 10)}, nil},
		{"a third joins on a stream of its own",
			[]func(*fake) *siprec.Event{offered(both, twoParties), talk(0, 1, 0, 2), talk(1, 2, 0, 2), changed(1, three, join), talk(2, 3, 1, 2), ended(2)},
			[]string{alice, bob, "03-carol.wav metadata [p3] [2.0]"},
			[]string{rep("#", 20), rep("#", 20), rep(".", 10) + rep("#", 10)}, nil},
		{"one party on two streams at a time",
			[]func(*fake) *siprec.Event{offered(both, document("complete", twoStreams, sends("p1", "sip:alice@example.com", "s1", "s2"))), talk(0, 1, 0, 2), talk(1, 2, 1, 2), ended(2)},
			[]string{alice, "02-alice.wav metadata [p1] [1.0]"}, []string{rep("#", 20), rep(".", 10) + rep("#", 10)}, nil},
		{"one file over a new label",
			[]func(*fake) *siprec.Event{offered(both, twoParties), talk(0, 1, 0, 1), talk(1, 2, 0, 1),
				changed(1, relabelled, document("complete", []string{"s1", "s9"}, sends("p1", "sip:alice@example.com", "s1"), sends("p2", "sip:bob@example.com", "s9"))),
				talk(0, 1, 1, 2), talk(1, 2, 1, 2), ended(2)},
			[]string{alice, bob}, []string{rep("#", 20), rep("#", 20)}, nil},
		{"one file over a new m-line, after a transfer back",
			[]func(*fake) *siprec.Event{offered(both, twoParties), talk(0, 1, 0, 2), talk(1, 2, 0, 1),
				changed(1, reused, document("complete", []string{"s1", "s9"}, sends("p1", "sip:alice@example.com", "s1"), sends("p2", "sip:bob@example.com", "s9"))),
				talk(1, 3, 1, 2), ended(2)},
			[]string{alice, "02-bob.wav metadata [p2] [1.0 1.1]"}, []string{rep("#", 20), rep("#", 20)}, nil},
		{"a slot is used again for another stream",
			[]func(*fake) *siprec.Event{offered(both, twoParties), talk(0, 1, 0, 2), talk(1, 2, 0, 1),
				changed(1, reused, document("complete", []string{"s1", "s9"}, sends("p1", "sip:alice@example.com", "s1"), sends("p3", "sip:carol@example.com", "s9"))),
				talk(1, 3, 1, 2), ended(2)},
			[]string{alice, bob, "03-carol.wav metadata [p3] [1.1]"},
			[]string{rep("#", 20), rep("#", 10) + rep(".", 10), rep(".", 10) + rep("#", 10)}, nil},
		{"a stream is closed and opened again",
			[]func(*fake) *siprec.Event{offered(both, twoParties), talk(1, 2, 0, 1), changed(1, closed), talk(1, 2, 1, 2), changed(2, both), talk(1, 2, 2, 3), ended(3)},
			[]string{bob}, []string{rep("#", 10) + rep(".", 10) + rep("#", 10)}, nil},
		{"one file over SSRC and payload change",
			[]func(*fake) *siprec.Event{offered(both, twoParties), talk(0, 1, 0, 1), talk(0, 77, 1, 2), talkAs(0, 77, 8, 2, 3), ended(3)},
			[]string{alice}, []string{rep("#", 30)}, nil},
		{"no packets",
			[]func(*fake) *siprec.Event{offered(both, twoParties), ended(2)},
			nil, nil, []string{flagNothing}},
		{"no streams",
			[]func(*fake) *siprec.Event{offered(nil, twoParties), ended(2)},
			nil, nil, []string{flagNothing}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, folder, f := run(t, tt.script...)
			if got := filesOf(m); !reflect.DeepEqual(got, tt.files) {
				t.Fatalf("files\n got %q\nwant %q", got, tt.files)
			}
			for i, file := range m.Files {
				if got := heard(t, filepath.Join(folder, file.Name)); got != tt.heard[i] {
					t.Errorf("%s\n got %s\nwant %s", file.Name, got, tt.heard[i])
				}
				if file.DurationMS != m.Timeline.DurationMS {
					t.Errorf("%s lasts %d ms, the timeline %d ms", file.Name, file.DurationMS, m.Timeline.DurationMS)
				}
			}
			if !reflect.DeepEqual(m.Flags, tt.flags) {
				t.Errorf("flags %q, want %q", m.Flags, tt.flags)
			}
			if !f.drained {
				t.Error("the ports were not drained")
			}
			if _, err := os.Stat(filepath.Join(folder, captureName)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the capture is left: %v", err)
			}
		})
	}
}

func TestHeld(t *testing.T) {
	hold := document("partial", nil, sends("p1", "sip:alice@example.com"), sends("p2", "sip:bob@example.com"))
	half := document("partial", nil, sends("p1", "sip:alice@example.com", "s1"))
	_, _, f := run(t, offered(both, twoParties), changed(1, nil, hold), changed(2, nil, hold), changed(3, nil, half), ended(4))
	if got, want := strings.Join(f.log, ", "), "held true, held false, drain"; got != want {
		t.Errorf("the loop did %q, want %q", got, want)
	}
	_, _, f = run(t, offered(both), ended(4))
	if got, want := strings.Join(f.log, ", "), "drain"; got != want {
		t.Errorf("without metadata the loop did %q, want %q", got, want)
	}
}

// The order at one instant: first every stop, then every permit, then the
// journal, and only then the answer.
func TestOrder(t *testing.T) {
	dir := t.TempDir()
	r := newRecorder(t, dir)
	swap := []siprec.Stream{mline(0, "1", siprec.SendOnly), mline(1, "2", siprec.Inactive)}
	start := []siprec.Stream{mline(0, "1", siprec.Inactive), mline(1, "2", siprec.SendOnly)}
	f := newFake(t, offered(start), changed(2, swap), ended(4))
	var seen []string
	r.accept = func(ev *siprec.Event) {
		list, err := store.List(dir)
		if err != nil || len(list) != 1 || list[0].State != store.Unfinished {
			t.Fatalf("at the answer: %v, %v", list, err)
		}
		seen = append(seen, journalEvents(t, list[0].Folder))
		if ev.Kind != siprec.Changed {
			return
		}
		now, other := f.sinks[0].(*Track), f.sinks[1].(*Track)
		if got, want := now.spans(rules.RecordingID(list[0].ID)), []span{{2 * time.Second, open}}; !reflect.DeepEqual(got, want) {
			t.Errorf("at the answer stream 0 is permitted in %v, want %v", got, want)
		}
		if got, want := other.spans(rules.RecordingID(list[0].ID)), []span{{0, 2 * time.Second}}; !reflect.DeepEqual(got, want) {
			t.Errorf("at the answer stream 1 is permitted in %v, want %v", got, want)
		}
	}
	r.serve(t.Context(), f)
	want := []string{
		"started stopped(0.0) allowed(1.0)",
		"started stopped(0.0) allowed(1.0) changed stopped(1.0) allowed(0.0)",
		"started stopped(0.0) allowed(1.0) changed stopped(1.0) allowed(0.0) stopped(0.0) stopped(1.0) ended",
	}
	if !reflect.DeepEqual(seen, want) {
		t.Errorf("journal at each answer\n got %q\nwant %q", seen, want)
	}
}

func TestSameCallIDTwice(t *testing.T) {
	dir := t.TempDir()
	r := newRecorder(t, dir)
	for range 2 {
		r.serve(t.Context(), newFake(t, offered(both, twoParties), talk(0, 1, 0, 1), ended(1)))
	}
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := store.List(dir)
	if err != nil || len(list) != 2 || list[0].Folder == list[1].Folder || list[0].CallID != list[1].CallID {
		t.Fatalf("recordings %+v, %v", list, err)
	}
	for _, s := range list {
		if len(s.Files) != 1 || s.State != store.Finished {
			t.Errorf("%+v", s)
		}
	}
}

// Shows DRV3264-6-01.
func TestUndecodableKeepsTheCapture(t *testing.T) {
	line := mline(0, "1", siprec.SendOnly)
	line.Codecs = []siprec.Codec{{PayloadType: 18, Name: "G729", ClockRate: 8000, Channels: 1}}
	m, folder, _ := run(t, offered([]siprec.Stream{line}, twoParties), talkAs(0, 1, 18, 0, 1), ended(1))
	if !slices.Contains(m.Flags, flagUndecodable) || m.Capture != captureName || len(m.Streams[0].Undecoded) != 1 {
		t.Errorf("flags %v, capture %q, undecoded %v", m.Flags, m.Capture, m.Streams[0].Undecoded)
	}
	if fi, err := os.Stat(filepath.Join(folder, captureName)); err != nil || fi.Size() < 50*160 {
		t.Errorf("capture: %v, %v", fi, err)
	}
}

// The zero policy decides nothing: no packet gets anywhere.
func TestNothingWithoutADecision(t *testing.T) {
	dir := t.TempDir()
	r, err := New(Config{Dir: dir, Policy: rules.Policy{}})
	if err != nil {
		t.Fatal(err)
	}
	var size int64
	r.serve(t.Context(), newFake(t, offered(both, twoParties), talk(0, 1, 0, 1), ended(1)))
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := store.List(dir)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	m, err := store.Load(dir, list[0].ID)
	if err != nil || len(m.Files) != 0 || m.Streams[0].Packets.Withheld != 50 || m.Streams[0].Packets.Kept != 0 || m.Timeline.DurationMS != 0 {
		t.Errorf("manifest %+v, %v", m, err)
	}
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if strings.Contains(string(b), tone[:16]) {
			t.Errorf("%s holds audio", path)
		}
		size += int64(len(b))
		return err
	})
	if err != nil || size == 0 {
		t.Error(size, err)
	}
}

// Withheld audio gets into no file, not even the capture; permitted audio does.
func TestCaptureHoldsNoWithheldAudio(t *testing.T) {
	hold := []siprec.Stream{mline(0, "1", siprec.Inactive)}
	open := []siprec.Stream{mline(0, "1", siprec.SendOnly)}
	old := tone
	say := func(what string, from, to float64) func(*fake) *siprec.Event {
		return func(f *fake) *siprec.Event {
			tone = rep(what, 160/len(what))
			defer func() { tone = old }()
			return talkAs(0, 1, 18, from, to)(f)
		}
	}
	for _, s := range [][]siprec.Stream{hold, open} {
		s[0].Codecs = []siprec.Codec{{PayloadType: 18, Name: "G729", ClockRate: 8000, Channels: 1}} // keeps the capture
	}
	_, folder, _ := run(t, offered(open), say("CONTROL.", 0, 1), changed(1, hold), say("SECRETS.", 1, 2), changed(2, open), say("CONTROL.", 2, 3), ended(3))
	b := inCapture(t, folder)
	if !strings.Contains(b, "CONTROL.") || strings.Contains(b, "SECRETS.") {
		t.Errorf("control %v, secret %v", strings.Contains(b, "CONTROL."), strings.Contains(b, "SECRETS."))
	}
}

// inCapture is all that the capture in a folder holds.
func inCapture(t *testing.T, folder string) string {
	t.Helper()
	dir := filepath.Join(folder, "..", "..", "..", "..")
	var all strings.Builder
	for p, err := range Captured(dir, filepath.Base(folder), nil) {
		if err != nil {
			t.Fatal(err)
		}
		all.Write(p.Payload)
	}
	return all.String()
}

func TestRefusal(t *testing.T) {
	t.Run("closed", func(t *testing.T) {
		dir := t.TempDir()
		r := newRecorder(t, dir)
		if err := r.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.serve(t.Context(), newFake(t, offered(both), ended(1)))
		if list, err := store.List(dir); err != nil || len(list) != 0 {
			t.Errorf("recordings %v, %v", list, err)
		}
	})
	t.Run("no disk", func(t *testing.T) {
		dir := t.TempDir()
		r := newRecorder(t, dir)
		if err := os.WriteFile(filepath.Join(dir, t0.Format("2006")), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		f := newFake(t, offered(both), ended(1))
		r.serve(t.Context(), f)
		if len(f.sinks) != 0 || len(f.script) != 0 {
			t.Errorf("sinks %v, %d events unread", f.sinks, len(f.script))
		}
	})
	t.Run("no randomness", func(t *testing.T) {
		r, err := New(Config{Dir: t.TempDir(), Random: strings.NewReader("")})
		if err != nil {
			t.Fatal(err)
		}
		f := newFake(t, offered(both), ended(1))
		r.serve(t.Context(), f)
		if len(f.sinks) != 0 {
			t.Error("recorded without an id")
		}
		if err := r.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("ended before it began", func(t *testing.T) {
		dir := t.TempDir()
		r := newRecorder(t, dir)
		r.serve(t.Context(), newFake(t, ended(0)))
		if list, _ := store.List(dir); len(list) != 0 {
			t.Errorf("recordings %v", list)
		}
	})
	t.Run("no directory", func(t *testing.T) {
		if _, err := New(Config{}); err == nil {
			t.Error("no error")
		}
		file := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := New(Config{Dir: filepath.Join(file, "d")}); err == nil {
			t.Error("no error below a file")
		}
	})
}

// A Close that runs out of time ends recording sessions; what could not be
// finalised keeps capture and journal and has no manifest.
func TestCloseRunsOut(t *testing.T) {
	dir := t.TempDir()
	r := newRecorder(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	closed := make(chan error, 1)
	f := newFake(t, offered(both, twoParties), talk(0, 1, 0, 1), func(*fake) *siprec.Event {
		go func() { closed <- r.Close(ctx) }()
		cancel()
		<-r.ctx.Done()
		return nil
	}, changed(2, both))
	r.serve(t.Context(), f)
	if err := <-closed; !errors.Is(err, context.Canceled) {
		t.Errorf("close: %v", err)
	}
	list, err := store.List(dir)
	if err != nil || len(list) != 1 || list[0].State != store.Unfinished {
		t.Fatalf("recordings %+v, %v", list, err)
	}
	if got := journalEvents(t, list[0].Folder); !strings.HasSuffix(got, "ended "+lineFailed) {
		t.Errorf("journal %s", got)
	}
	if _, err := os.Stat(filepath.Join(list[0].Folder, captureName)); err != nil {
		t.Error(err)
	}
}

// An end that the recording session does not tell of is an end all the same.
func TestNextFails(t *testing.T) {
	m, _, f := run(t, offered(both, twoParties), talk(0, 1, 0, 1))
	if m.EndReason != string(siprec.EndGone) || !f.drained || !m.Times.End.Equal(sec(100)) {
		t.Errorf("ended %q at %v, drained %v", m.EndReason, m.Times.End, f.drained)
	}
}

func TestLockedReader(t *testing.T) {
	b, err := io.ReadAll(&lockedReader{r: strings.NewReader("random")})
	if err != nil || string(b) != "random" {
		t.Error(b, err)
	}
}
