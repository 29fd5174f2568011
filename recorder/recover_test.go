package recorder

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/capture"
	"github.com/siprecd/siprecd/recorder/internal/seal"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
)

// image waits until the capture of the only recording holds so many packets, and copies
// the folder: that is what the process would leave if it was killed now.
func image(t *testing.T, dir string, masters *MasterKeys, packets int) string {
	t.Helper()
	ids, err := store.WithoutManifest(dir)
	if err != nil || len(ids) != 1 {
		t.Fatalf("unfinished %v, %v", ids, err)
	}
	for packetsOf(t, dir, ids[0], masters) != packets {
		if t.Context().Err() != nil {
			t.Fatal("the capture does not hold what it should")
		}
		runtime.Gosched()
	}
	out := t.TempDir()
	if err := os.CopyFS(out, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return out
}

// packetsOf counts the packets of a capture.
func packetsOf(t *testing.T, dir, id string, masters *MasterKeys) (n int) {
	t.Helper()
	folder, err := store.Folder(dir, id)
	if err != nil {
		t.Fatal(err)
	}
	key, err := masters.ring().Load(folder, id)
	if err != nil {
		t.Fatal(err)
	}
	c, err := capture.Open(filepath.Join(folder, captureName), capture.Secret{Recording: id, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var p capture.Packet
	for c.Next(&p) == nil {
		n++
	}
	return n
}

const dialogState = `{"a":"dialog"}`

// killed records a script in which the step after the given number of steps is the end
// of the process, and returns what that leaves.
func killed(t *testing.T, cfg Config, packets int, script ...func(*fake) *siprec.Event) string {
	t.Helper()
	left := ""
	die := func(f *fake) *siprec.Event {
		f.save([]byte(dialogState))
		left = image(t, cfg.Dir, cfg.Masters, packets)
		return nil
	}
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.serve(t.Context(), newFake(t, append(script, die, ended(99))...))
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return left
}

func recordingAll(dir string) Config {
	return Config{Dir: dir, Policy: rules.RecordAll(), Now: func() time.Time { return sec(100) }}
}

// recovered goes on with what was left, by a script, and returns the manifest.
func recovered(t *testing.T, cfg Config, script ...func(*fake) *siprec.Event) (store.Manifest, string, Recovered) {
	t.Helper()
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.recover(func(state []byte, l *leg) error {
		if string(state) != dialogState {
			t.Errorf("state of the dialog is %s", state)
		}
		if script == nil {
			return errors.New("its port is taken")
		}
		r.working.Go(func() { r.goOn(t.Context(), newFake(t, script...), l) })
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := store.List(cfg.Dir)
	if err != nil || len(list) != 1 {
		t.Fatalf("recordings: %v, %v", list, err)
	}
	m, err := store.Open(cfg.Dir, list[0].ID, cfg.Masters.ring())
	if err != nil {
		t.Fatalf("%v; journal %v", err, readJournal(t, list[0].Folder))
	}
	return m, list[0].Folder, got
}

// resumed is the first event of the second process. The SRC has gone on sending.
func resumed(at float64, streams []siprec.Stream) func(*fake) *siprec.Event {
	return func(f *fake) *siprec.Event {
		for i := range streams {
			f.seq[i] = uint16(at * 50)
		}
		return &siprec.Event{Kind: siprec.Resumed, At: sec(at), HasOffer: true, Streams: streams}
	}
}

// TestRecover kills the recorder at 1 s, and goes on at 2 s: the same recording, with
// one gap, and everything that was withheld still is.
func TestRecover(t *testing.T) {
	hold := []siprec.Stream{mline(0, "1", siprec.Inactive), mline(1, "2", siprec.SendOnly)}
	begin := []func(*fake) *siprec.Event{offered(both, twoParties), talk(0, 1, 0, 1), talk(1, 2, 0, 1)}
	tests := []struct {
		name    string
		before  []func(*fake) *siprec.Event
		packets int
		after   []func(*fake) *siprec.Event
		heard   []string
		gaps    []string // causes, of both streams
	}{
		{"both talk on", begin, 100,
			[]func(*fake) *siprec.Event{resumed(2, both), talk(0, 1, 2, 3), talk(1, 2, 2, 3), ended(3)},
			[]string{rep("#", 10) + rep(".", 10) + rep("#", 10), rep("#", 10) + rep(".", 10) + rep("#", 10)},
			[]string{CauseDown, CauseDown}},
		{"one is on hold meanwhile", append(slices.Clone(begin), changed(1, hold), talk(0, 1, 1, 1.5)), 100,
			[]func(*fake) *siprec.Event{resumed(2, hold), talk(0, 1, 2, 3), talk(1, 2, 2, 4), changed(3, both), talk(0, 1, 3, 4), ended(4)},
			[]string{rep("#", 10) + rep(".", 20) + rep("#", 10), rep("#", 10) + rep(".", 10) + rep("#", 20)},
			[]string{"withheld", CauseDown}},
		{"a stream more after it", begin, 100,
			[]func(*fake) *siprec.Event{resumed(2, both), changed(2, append(slices.Clone(both), mline(2, "3", siprec.SendOnly)),
				document("complete", []string{"s1", "s2", "s3"}, sends("p1", "sip:alice@example.com", "s1"), sends("p2", "sip:bob@example.com", "s2"), sends("p3", "sip:carol@example.com", "s3"))),
				talk(2, 3, 2, 3), ended(3)},
			[]string{rep("#", 10) + rep(".", 20), rep("#", 10) + rep(".", 20), rep(".", 20) + rep("#", 10)},
			nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			left := killed(t, recordingAll(t.TempDir()), tt.packets, tt.before...)
			m, folder, got := recovered(t, recordingAll(left), tt.after...)
			if got != (Recovered{Resumed: 1}) {
				t.Errorf("recovered %+v", got)
			}
			if m.EndReason != "bye" || m.Verdict != store.Partial || !slices.Contains(m.Flags, flagDown) {
				t.Errorf("ended by %s, %v, flags %v", m.EndReason, m.Verdict, m.Flags)
			}
			// Nothing is known between the last that was written, and the return.
			if len(m.Interruptions) != 1 || m.Interruptions[0].ToMS != 2000 || m.Interruptions[0].FromMS < 980 || m.Interruptions[0].FromMS > 1000 {
				t.Errorf("interruptions %+v", m.Interruptions)
			}
			var heards []string
			for _, f := range m.Files {
				heards = append(heards, heard(t, filepath.Join(folder, f.Name)))
			}
			if !slices.Equal(heards, tt.heard) {
				t.Errorf("heard\n%s\nwant\n%s", strings.Join(heards, "\n"), strings.Join(tt.heard, "\n"))
			}
			var causes []string
			for _, s := range m.Streams {
				for _, g := range s.Gaps {
					causes = append(causes, g.Cause)
				}
				if s.Packets.Received < s.Packets.Kept {
					t.Errorf("stream %s: %+v", s.ID, s.Packets)
				}
			}
			if tt.gaps != nil && !slices.Equal(causes, tt.gaps) {
				t.Errorf("gaps %v, want %v", causes, tt.gaps)
			}
			if events := journalEvents(t, folder); strings.Count(events, lineResumed) != 1 || strings.Count(events, lineStarted) != 1 {
				t.Errorf("journal %s", events)
			}
			for _, name := range []string{resumeName, captureName, seal.FileName} {
				if _, err := os.Stat(filepath.Join(folder, name)); err == nil {
					t.Errorf("%s is left behind", name)
				}
			}
		})
	}
}

// TestRecoverTwice kills the second process too.
func TestRecoverTwice(t *testing.T) {
	first := killed(t, recordingAll(t.TempDir()), 100, offered(both, twoParties), talk(0, 1, 0, 1), talk(1, 2, 0, 1))
	second := ""
	recovered(t, recordingAll(first), resumed(2, both), talk(0, 1, 2, 3), func(f *fake) *siprec.Event {
		f.save([]byte(dialogState))
		second = image(t, first, nil, 150)
		return nil
	}, ended(9))
	m, folder, _ := recovered(t, recordingAll(second), resumed(4, both), talk(0, 1, 4, 5), ended(5))
	if len(m.Interruptions) != 2 || m.Interruptions[0].ToMS != 2000 || m.Interruptions[1].ToMS != 4000 {
		t.Errorf("interruptions %+v", m.Interruptions)
	}
	gap := rep(".", 10)
	if got := heard(t, filepath.Join(folder, m.Files[0].Name)); got != rep("#", 10)+gap+rep("#", 10)+gap+rep("#", 10) {
		t.Errorf("heard %s", got)
	}
}

// TestRecoverFinishes what cannot go on, as it is, and says why.
func TestRecoverFinishes(t *testing.T) {
	left := killed(t, recordingAll(t.TempDir()), 100, offered(both, twoParties), talk(0, 1, 0, 1), talk(1, 2, 0, 1))
	m, folder, got := recovered(t, recordingAll(left))
	if got != (Recovered{Finished: 1}) {
		t.Errorf("recovered %+v", got)
	}
	if m.EndReason != string(endDown) || m.Verdict != store.Partial || !slices.Contains(m.Flags, flagDown) || !strings.Contains(strings.Join(m.Reasons, " "), "its port is taken") {
		t.Errorf("ended by %s, %v, %v, flags %v", m.EndReason, m.Verdict, m.Reasons, m.Flags)
	}
	for _, f := range m.Files {
		if got := heard(t, filepath.Join(folder, f.Name)); got != rep("#", 9) && got != rep("#", 10) {
			t.Errorf("%s: heard %s", f.Name, got)
		}
	}
}

// TestRecoverFinalises what had ended: the process was killed before its files were made.
func TestRecoverFinalises(t *testing.T) {
	dir, left := t.TempDir(), ""
	r, err := New(recordingAll(dir))
	if err != nil {
		t.Fatal(err)
	}
	r.accept = func(ev *siprec.Event) {
		if ev.Kind == siprec.Ended {
			left = image(t, dir, nil, 50)
		}
	}
	r.serve(t.Context(), newFake(t, offered(both, twoParties), talk(0, 1, 0, 1), ended(1)))
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	m, folder, got := recovered(t, recordingAll(left))
	if got != (Recovered{Finished: 1}) || m.EndReason != "bye" || m.Times.End != sec(1) {
		t.Errorf("recovered %+v, ended by %s at %v", got, m.EndReason, m.Times.End)
	}
	if got := heard(t, filepath.Join(folder, m.Files[0].Name)); got != rep("#", 10) {
		t.Errorf("heard %s", got)
	}
	if strings.Count(journalEvents(t, folder), lineEnded) != 1 {
		t.Errorf("journal %s", journalEvents(t, folder))
	}
}

// TestRecoverLeaves what another process has, and what nothing is known of.
func TestRecoverLeaves(t *testing.T) {
	never := func([]byte, *leg) error { t.Error("resumed"); return nil }
	left := killed(t, recordingAll(t.TempDir()), 0, offered(both))
	first := newRecorder(t, left)
	if got, err := newRecorder(t, left).recover(never); err != nil || got != (Recovered{}) {
		t.Errorf("beside another process: %+v, %v", got, err)
	}
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	ids, _ := store.WithoutManifest(left)
	folder, _ := store.Folder(left, ids[0])
	log := filepath.Join(folder, resumeName)
	b, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/20] ^= 1 // in its first entry
	if err := os.WriteFile(log, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := newRecorder(t, left).recover(never); err != nil || got != (Recovered{Left: 1}) {
		t.Errorf("with a damaged log: %+v, %v", got, err)
	}
}

// TestResumeLogIsTorn cuts the log at every octet: what is whole before is read, and
// what is written behind it too.
func TestResumeLogIsTorn(t *testing.T) {
	key, err := seal.New(strings.NewReader(strings.Repeat("k", seal.Size)))
	if err != nil {
		t.Fatal(err)
	}
	secret := capture.Secret{Recording: "r", Key: key}
	dir := t.TempDir()
	l, err := createResumeLog(dir, secret)
	if err != nil {
		t.Fatal(err)
	}
	var ends []int64
	for _, e := range []entry{
		{Begin: &beginning{Version: resumeVersion, CallID: "c"}}, {Dialog: []byte(`1`)},
		{Event: &siprec.Event{Kind: siprec.Offered, At: t0, Streams: both, Metadata: [][]byte{[]byte("<x/>")}}, Facts: []rules.Event{{At: t0, Kind: rules.StreamAdded, Stream: "0.0"}}},
	} {
		if err := l.write(e); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, l.size)
	}
	whole, err := os.ReadFile(l.path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(whole), "<x/>") || strings.Contains(string(whole), `"c"`) {
		t.Error("it can be read without the key")
	}
	for n := range len(whole) + 1 {
		want := 0
		for _, end := range ends {
			if int64(n) >= end {
				want++
			}
		}
		if err := os.WriteFile(l.path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		got, size, err := readResumeLog(l.path, secret)
		if len(got) != want || (err == nil) != (want > 0) {
			t.Fatalf("cut at %d: %d entries, %v; want %d", n, len(got), err, want)
		}
		if want == 0 {
			continue
		}
		again, err := newResumeLog(l.path, secret, size)
		if err != nil {
			t.Fatal(err)
		}
		if err := again.write(entry{Dialog: []byte(`2`)}); err != nil {
			t.Fatal(err)
		}
		if got, _, err = readResumeLog(l.path, secret); err != nil || len(got) != want+1 || string(got[want].Dialog) != "2" {
			t.Fatalf("cut at %d and gone on with: %d entries, %v", n, len(got), err)
		}
	}
}

// TestRecallComesToTheSame goes through scripts under a policy, and after each event
// recalls the recording from the disk: interpreter, people and case are as they were.
func TestRecallComesToTheSame(t *testing.T) {
	transfer := document("complete", twoStreams, sends("p3", "sip:carol@example.com", "s1"), sends("p2", "sip:+4930123456@example.net", "s2"))
	outsider := document("complete", twoStreams, sends("p1", "sip:alice@example.com", "s1"), sends("p2", "sip:+4930123456@example.net", "s2"))
	held := document("partial", nil, sends("p2", "sip:+4930123456@example.net"))
	consult := conference("complete", []cs{{"cs1", []string{"p1", "p2"}}, {"cs2", []string{"p1", "p3"}}},
		sends("p1", "sip:alice@example.com", "s1:cs2"), sends("p2", "sip:+4930123456@example.net"), sends("p3", "sip:carol@example.com"))
	signal := func(value string) func(*fake) *siprec.Event {
		return event(siprec.Event{Kind: siprec.Changed, At: sec(4), Method: "INFO", CSeq: 3, Headers: []siprec.Header{{Name: "X-R", Value: value}}}, nil)
	}
	manual := rules.InactiveManual
	hold := []siprec.Stream{mline(0, "1", siprec.Inactive), mline(1, "2", siprec.SendOnly)}
	for _, file := range []string{trunkFile("", ""), trunkFile("    owner: {agent-only: on}\n", ""), trunkFile("    hold: record\n", ""), trunkFile("    consent: ask\n", "")} {
		dir := t.TempDir()
		book := openBook(t, dir, ourPeople)
		publish(t, book, file, sec(-10))
		cfg := Config{Dir: dir, Rulebook: book, Now: func() time.Time { return sec(100) }}
		cfg.Signals = func(string) Signals {
			return Signals{InactiveMeans: &manual, List: []Signal{{Header: "X-R", Value: "in *", Means: ActQueueEntered, Name: "*"}, {Header: "X-R", Value: "pause", Means: ActPause}}}
		}
		r, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close(t.Context())
		var now *interaction
		events := 0
		check := func(f *fake) *siprec.Event {
			events++
			ids, err := store.WithoutManifest(dir)
			if err != nil || len(ids) != 1 {
				t.Fatalf("%v, %v", ids, err)
			}
			// The interaction of the loop stands still meanwhile.
			was := now
			again, err := r.recall(ids[0])
			if err != nil {
				t.Fatalf("after event %d: %v", events, err)
			}
			same := map[string][2]any{
				"interpreter": {stateOf(was.interpreter), stateOf(again.interpreter)},
				"numbers":     {was.interpreter.numbers, again.interpreter.numbers},
				"policy":      {was.policy.Version(), again.policy.Version()}, "held": {was.legs[0].held, again.legs[0].held}, "ordinal": {was.decision, again.decision},
				"decisions": {verdictLines(was.decisions), verdictLines(again.decisions)}, "documents": {was.legs[0].people.docs, again.legs[0].people.docs},
			}
			for what, v := range same {
				if !reflect.DeepEqual(v[0], v[1]) {
					t.Errorf("after event %d %s: %+v, was %+v", events, what, v[1], v[0])
				}
			}
			for i, s := range was.streams.list {
				if o := again.streams.list[i]; !reflect.DeepEqual(s.spans(was.subject), o.spans(was.subject)) || !reflect.DeepEqual(s.info, o.info) || s.live != o.live {
					t.Errorf("after event %d stream %s: %+v %v, was %+v %v", events, s.id, o.info, o.spans(was.subject), s.info, s.spans(was.subject))
				}
			}
			return nil
		}
		f := newFake(t, offered(both, outsider), check, talk(0, 1, 0, 1), changed(1, hold), check, changed(2, both), check,
			changed(3, nil, held), check, changed(3.5, nil, consult), check, signal("in q"), check, signal("pause"), check,
			changed(4, nil, outsider), check, changed(4, both, transfer), check, changed(5, both[:1]), check)
		r.accept = func(*siprec.Event) {}
		now, err = unattended(r, &siprec.Event{At: sec(0)}, f)
		if err != nil {
			t.Fatal(err)
		}
		for {
			ev, err := f.Next(t.Context())
			if err != nil {
				break
			}
			now.legs[0].handle(ev)
		}
		if events != 10 {
			t.Errorf("%d events", events)
		}
		now.legs[0].handle(ended(6)(f))
		now.finish()
		r.finalise(now.recording)
	}
}

// TestRecoverEncrypted: what was begun encrypted is finished so, also when the setting
// has changed, and what lies there meanwhile names nobody.
func TestRecoverEncrypted(t *testing.T) {
	cfg := recordingAll(t.TempDir())
	cfg.Masters, cfg.Encrypt = masterKeys(t, "a1"), true
	left := killed(t, cfg, 100, offered(both, twoParties), talk(0, 1, 0, 1), talk(1, 2, 0, 1))
	ids, err := store.WithoutManifest(left)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := store.Folder(left, ids[0])
	if err != nil {
		t.Fatal(err)
	}
	if all := string(everything(t, folder)); strings.Contains(all, "alice") || strings.Contains(all, dialogState) {
		t.Error("somebody is named in what a killed process leaves")
	}
	cfg.Dir, cfg.Encrypt = left, false
	m, _, got := recovered(t, cfg, resumed(2, both), talk(0, 1, 2, 3), talk(1, 2, 2, 3), ended(3))
	if got != (Recovered{Resumed: 1}) || m.Storage != store.Encrypted || len(m.Files) != 2 || len(m.Participants) != 2 {
		t.Errorf("recovered %+v, %s, files %+v, participants %+v", got, m.Storage, m.Files, m.Participants)
	}
	if all := string(everything(t, folder)); strings.Contains(all, "alice") {
		t.Error("somebody is named in the finished recording")
	}
}

// TestRecoverTidies: what has not begun is removed, and so is a resume log beside a
// manifest.
func TestRecoverTidies(t *testing.T) {
	dir := t.TempDir()
	r, err := New(recordingAll(dir))
	if err != nil {
		t.Fatal(err)
	}
	r.serve(t.Context(), newFake(t, offered(both, twoParties), ended(1)))
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := store.List(dir)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	log := filepath.Join(list[0].Folder, resumeName)
	if err := os.WriteFile(log, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for i, files := range [][]string{{}, {seal.FileName}, {seal.FileName, journalName, captureName, resumeName}} {
		id, err := store.NewID(t0, strings.NewReader(strings.Repeat(string(rune('a'+i)), 7)))
		if err != nil {
			t.Fatal(err)
		}
		folder, err := store.Create(dir, id)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if err := os.WriteFile(filepath.Join(folder, f), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got, err := newRecorder(t, dir).recover(nil); err != nil || got != (Recovered{}) {
		t.Errorf("recovered %+v, %v", got, err)
	}
	if list, err = store.List(dir); err != nil || len(list) != 1 || list[0].State != store.Finished {
		t.Errorf("left: %+v, %v", list, err)
	}
	if _, err := os.Stat(log); err == nil {
		t.Error("the resume log is still there")
	}
}

// A syncing is a file that counts how often it is made durable, and can fail to be.
type syncing struct {
	*os.File
	n    *int
	fail error
}

func (f syncing) Sync() error {
	*f.n++
	return errors.Join(f.fail, f.File.Sync())
}

// TestWhatWithholdsIsDurable: a machine that lost its power after it had promised to
// withhold must not go on recording. What withholds nothing costs no sync.
func TestWhatWithholdsIsDurable(t *testing.T) {
	dir := t.TempDir()
	key, err := seal.New(strings.NewReader(strings.Repeat("k", seal.Size)))
	if err != nil {
		t.Fatal(err)
	}
	l, err := createResumeLog(dir, capture.Secret{Recording: "r", Key: key})
	if err != nil {
		t.Fatal(err)
	}
	syncs, fail := 0, error(nil)
	l.open = func(path string) (journalFile, error) {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		return syncing{f, &syncs, fail}, err
	}
	verdict := func(v rules.Verdict) []verdictLine { return []verdictLine{{Verdict: v.String()}} }
	for _, tt := range []struct {
		e    entry
		want int
	}{
		{entry{Begin: &beginning{Version: resumeVersion}}, 0},
		{entry{Event: &siprec.Event{Kind: siprec.Offered}, Decisions: verdict(rules.Record)}, 0},
		{entry{Event: &siprec.Event{Kind: siprec.Changed}, Decisions: verdict(rules.Withhold)}, 1},
		{entry{Dialog: json.RawMessage(`{}`)}, 1},
		{entry{Event: &siprec.Event{Kind: siprec.Ended}, Decisions: verdict(rules.Withhold)}, 1},
	} {
		if err := l.write(tt.e); err != nil || syncs != tt.want {
			t.Errorf("%+v: %v, %d syncs, want %d", tt.e, err, syncs, tt.want)
		}
	}
	fail = syscall.EIO
	if err := l.write(entry{Decisions: verdict(rules.Withhold)}); !errors.Is(err, syscall.EIO) {
		t.Errorf("not durable, and yet %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, behindName)); err != nil {
		t.Error(err)
	}
	if err := l.remove(); err != nil {
		t.Error(err)
	}
}

// TestResumeLogFallsBehind: what could not be written is written later, without a further
// entry; meanwhile the name of the log says whether that withholds.
func TestResumeLogFallsBehind(t *testing.T) {
	for _, tt := range []struct {
		verdict rules.Verdict
		name    string // while it cannot be written
	}{{rules.Withhold, behindName}, {rules.Record, resumeName}} {
		t.Run(tt.verdict.String(), func(t *testing.T) {
			dir := t.TempDir()
			key, err := seal.New(strings.NewReader(strings.Repeat("k", seal.Size)))
			if err != nil {
				t.Fatal(err)
			}
			secret := capture.Secret{Recording: "r", Key: key}
			synctest.Test(t, func(t *testing.T) {
				l, err := createResumeLog(dir, secret)
				if err != nil {
					t.Fatal(err)
				}
				if err := l.write(entry{Begin: &beginning{Version: resumeVersion}}); err != nil {
					t.Fatal(err)
				}
				well := l.open
				l.open = func(string) (journalFile, error) { return nil, syscall.ENOSPC }
				if err := l.write(entry{Decisions: []verdictLine{{Verdict: tt.verdict.String()}}}); err == nil {
					t.Error("written on a full disk")
				}
				if _, err := os.Stat(filepath.Join(dir, tt.name)); err != nil {
					t.Error(err)
				}
				l.mu.Lock()
				l.open = well
				l.mu.Unlock()
				<-time.After(2 * journalRetry)
				entries, _, err := readResumeLog(filepath.Join(dir, resumeName), secret)
				if err != nil || len(entries) != 2 {
					t.Errorf("%d entries, %v", len(entries), err)
				}
				if err := l.remove(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
