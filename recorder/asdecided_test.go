package recorder

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/seal"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
)

// finaliseLeft finds that the rules of a configuration decide otherwise than what was left
// says, and makes the files as it was decided.
func finaliseLeft(t *testing.T, cfg Config) (store.Manifest, string, error) {
	t.Helper()
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.recover(func([]byte, *leg) error {
		t.Error("resumed")
		return nil
	})
	if err != nil || got != (Recovered{Left: 1}) {
		t.Fatalf("recovered %+v, %v", got, err)
	}
	ids, err := store.WithoutManifest(cfg.Dir)
	if err != nil || len(ids) != 1 {
		t.Fatal(ids, err)
	}
	folder, _ := store.Folder(cfg.Dir, ids[0])
	_, decided := r.FinaliseAsDecided(t.Context(), ids[0])
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	m, err := Load(cfg.Dir, ids[0], cfg.Masters)
	if decided == nil && err != nil {
		t.Fatalf("%v; journal %v", err, readJournal(t, folder))
	}
	return m, folder, decided
}

// recordingNothing has rules that permit nothing.
func recordingNothing(dir string) Config {
	cfg := recordingAll(dir)
	cfg.Policy = rules.Policy{}
	return cfg
}

// addLines appends lines to a journal, as if they had been written.
func addLines(t *testing.T, folder string, lines ...journalLine) {
	t.Helper()
	path := filepath.Join(folder, journalName)
	b, err := os.ReadFile(path)
	for _, l := range lines {
		line, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		b = append(append(b, line...), '\n')
	}
	if err == nil {
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// What the journal permits becomes files, whatever the rules say now; and no more than
// that does, though the capture holds it.
func TestFinaliseAsDecided(t *testing.T) {
	hold := []siprec.Stream{mline(0, "1", siprec.Inactive), mline(1, "2", siprec.SendOnly)}
	script := []func(*fake) *siprec.Event{
		offered(both, twoParties), talk(0, 1, 0, 1), talk(1, 2, 0, 1), changed(1, hold), talk(0, 1, 1, 2), talk(1, 2, 1, 2), changed(2, both), talk(0, 1, 2, 3), talk(1, 2, 2, 3),
	}
	stop := func(at float64) journalLine {
		return journalLine{At: sec(at), Event: lineStopped, Stream: "1.0", Policy: "other", Causes: []store.Cause{{Cause: "manual", Since: sec(at)}}}
	}
	permit := func(at float64) journalLine {
		return journalLine{At: sec(at), Event: lineAllowed, Stream: "1.0", Policy: "other"}
	}
	on, off := rep("#", 10), rep(".", 10)
	for _, tt := range []struct {
		name   string
		forged []journalLine
		heard  string // of the second stream
	}{
		{"as it was", nil, on + on + on},
		{"paused, back to 0.5 s", []journalLine{stop(0.5)}, rep("#", 5) + rep(".", 25)},
		{"paused from 0.5 s to 2 s", []journalLine{stop(0.5), permit(2)}, rep("#", 5) + rep(".", 15) + on},
		{"a permit does not reach back", []journalLine{stop(1), permit(0.5)}, on + on + on},
		{"never permitted", []journalLine{stop(-1)}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := killed(t, recordingAll(t.TempDir()), 250, script...)
			ids, err := store.WithoutManifest(dir)
			if err != nil {
				t.Fatal(err)
			}
			folder, _ := store.Folder(dir, ids[0])
			addLines(t, folder, tt.forged...)
			m, folder, err := finaliseLeft(t, recordingNothing(dir))
			if err != nil {
				t.Fatal(err)
			}
			want := []string{on + off + on, tt.heard}
			if tt.heard == "" {
				want = want[:1]
			}
			var got []string
			for _, f := range m.Files {
				got = append(got, heard(t, filepath.Join(folder, f.Name)))
			}
			if !slices.Equal(got, want) {
				t.Errorf("heard\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if !slices.Contains(m.Flags, flagAsDecided) || !slices.Contains(m.Flags, flagDown) || m.EndReason != string(endDown) || m.Files[0].Name != "01-alice.wav" {
				t.Errorf("ended by %s, flags %v, files %+v", m.EndReason, m.Flags, m.Files)
			}
			if n := len(m.Decisions); n != 4+len(tt.forged) || m.Decisions[0].Verdict != "record" || m.Decisions[0].Words == "" {
				t.Errorf("%d decisions: %+v", n, m.Decisions)
			}
			if got := journalEvents(t, folder); !strings.HasSuffix(got, "ended finalised") {
				t.Errorf("journal %s", got)
			}
			for _, name := range []string{captureName, resumeName, seal.FileName} {
				if _, err := os.Stat(filepath.Join(folder, name)); err == nil {
					t.Errorf("%s is left behind", name)
				}
			}
		})
	}
}

// Encrypted, ended, and under a policy that says for how long it is kept.
func TestFinaliseAsDecidedUnderPolicy(t *testing.T) {
	begin := func(account string) (Config, *Rulebook) {
		dir := t.TempDir()
		book := openBook(t, dir, ourPeople)
		publish(t, book, trunkFile(account, ""), sec(-10))
		cfg := Config{Dir: dir, Rulebook: book, Now: func() time.Time { return sec(100) }, Masters: masterKeys(t, "07"), Encrypt: true}
		return cfg, book
	}
	call := document("complete", twoStreams, sends("p1", "sip:alice@example.com", "s1"), sends("p2", "sip:bob@example.net", "s2"))
	// forge has the resume log say that otherwise was decided, and that more was told.
	forge := func(t *testing.T, cfg Config, told ...rules.Event) string {
		t.Helper()
		ids, err := store.WithoutManifest(cfg.Dir)
		if err != nil || len(ids) != 1 {
			t.Fatal(ids, err)
		}
		r, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close(t.Context())
		left, err := r.recall(ids[0])
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(left.folder, resumeName)
		entries, _, err := readResumeLog(path, left.secret)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		l, err := createResumeLog(left.folder, left.secret)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			for i := range e.Decisions {
				e.Decisions[i].Causes += "otherwise\n"
			}
			if e.Event != nil {
				e.Facts = append(e.Facts, told...)
			}
			if err := l.write(e); err != nil {
				t.Fatal(err)
			}
		}
		return left.folder
	}

	cfg, _ := begin("    retention:\n      - {keep: 30 days}\n")
	cfg.Dir = killed(t, cfg, 50, offered(both, call), talk(0, 1, 0, 1))
	cfg.Rulebook = openBook(t, cfg.Dir, rules.Directory{})
	forge(t, cfg)
	m, folder, err := finaliseLeft(t, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if m.Storage != store.Encrypted || len(m.Files) != 1 || len(m.Participants) != 2 || m.Participants[0].Role == nil || m.Retention == nil ||
		!m.Retention.DeleteAt.Equal(m.Times.End.Add(30*day)) || m.Belonging.Account != "sales" {
		t.Errorf("%+v, retention %+v", m, m.Retention)
	}
	if strings.Contains(string(everything(t, folder)), "alice") {
		t.Error("somebody is named in the folder")
	}

	// A question that nobody answered is answered no: nothing is made, and nothing is
	// lost before somebody has it erased.
	cfg, _ = begin("")
	cfg.Dir = killed(t, cfg, 50, offered(both, call), talk(0, 1, 0, 1))
	cfg.Rulebook = openBook(t, cfg.Dir, rules.Directory{})
	folder = forge(t, cfg, rules.Event{At: sec(0.5), Kind: rules.ConsentAsked})
	before := everything(t, folder)
	if _, _, err := finaliseLeft(t, cfg); !errors.Is(err, ErrVoid) || string(before) != string(everything(t, folder)) {
		t.Errorf("without consent: %v", err)
	}
	if _, err := Erase(cfg.Dir, filepath.Base(folder), Erasure{By: "Ann", Reason: "void", At: sec(200)}); err != nil {
		t.Error(err)
	}
	left(t, folder, nil)
}

func TestFinaliseAsDecidedRefused(t *testing.T) {
	script := []func(*fake) *siprec.Event{offered(both, twoParties), talk(0, 1, 0, 1)}
	for _, tt := range []struct {
		name string
		harm func(t *testing.T, folder string)
		want error
	}{
		{"the journal tells of an event more", func(t *testing.T, folder string) {
			addLines(t, folder, journalLine{At: sec(1), Event: lineChanged})
		}, ErrAccount},
		{"the journal tells of a stream more", func(t *testing.T, folder string) {
			addLines(t, folder, journalLine{At: sec(0.5), Event: lineAllowed, Stream: "7.0"})
		}, ErrAccount},
		{"the journal is damaged", func(t *testing.T, folder string) {
			path := filepath.Join(folder, journalName)
			if err := os.WriteFile(path, []byte("{}\n{\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, ErrAccount},
		{"the journal is gone", func(t *testing.T, folder string) {
			if err := os.Remove(filepath.Join(folder, journalName)); err != nil {
				t.Fatal(err)
			}
		}, ErrAccount},
		{"all was discarded", func(t *testing.T, folder string) {
			addLines(t, folder, journalLine{At: sec(1), Event: lineStopped, Stream: "0.0", Causes: []store.Cause{{Cause: rules.Void.String()}}})
		}, ErrVoid},
		{"the resume log is gone", func(t *testing.T, folder string) {
			if err := os.Remove(filepath.Join(folder, resumeName)); err != nil {
				t.Fatal(err)
			}
		}, errResumeLog},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := killed(t, recordingAll(t.TempDir()), 50, script...)
			ids, _ := store.WithoutManifest(dir)
			folder, _ := store.Folder(dir, ids[0])
			tt.harm(t, folder)
			before := everything(t, folder)
			if _, _, err := finaliseLeft(t, recordingNothing(dir)); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
			if string(before) != string(everything(t, folder)) {
				t.Error("something was changed in the folder")
			}
		})
	}
	m, dir := recordWith(t, func(*Config) {}, talkOfTwo()...)
	first, second := newRecorder(t, dir), newRecorder(t, dir)
	if _, err := second.FinaliseAsDecided(t.Context(), m.Recording); !errors.Is(err, ErrInUse) {
		t.Errorf("beside another process: %v", err)
	}
	if _, err := first.FinaliseAsDecided(t.Context(), m.Recording); !errors.Is(err, ErrFinished) {
		t.Errorf("of a finished one: %v", err)
	}
	if _, err := first.FinaliseAsDecided(t.Context(), ".."); !errors.Is(err, store.ErrID) {
		t.Errorf("of none: %v", err)
	}
}

// A process that was killed when the manifest was written, and the capture not removed:
// the next one removes it, at any step, but not when a file is missing.
func TestTidyCaptures(t *testing.T) {
	for _, tt := range []struct {
		name string
		left []string // of the capture
		harm bool     // a file is missing
		want int      // that are left
	}{
		{"capture and key", []string{captureName, seal.FileName}, false, 0},
		{"capture", []string{captureName}, false, 0},
		{"and a file is missing", []string{captureName, seal.FileName}, true, 2},
		{"to stay, with its plan", []string{captureName, seal.FileName, planName}, false, 3},
	} {
		m, dir := recordWith(t, func(*Config) {}, talkOfTwo()...)
		folder, _ := store.Folder(dir, m.Recording)
		for _, name := range tt.left {
			if err := os.WriteFile(filepath.Join(folder, name), []byte("sealed"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if tt.harm {
			if err := os.Remove(filepath.Join(folder, m.Files[0].Name)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := newRecorder(t, dir).recover(nil); err != nil {
			t.Fatal(err)
		}
		left := 0
		for _, name := range tt.left {
			if _, err := os.Stat(filepath.Join(folder, name)); err == nil {
				left++
			}
		}
		if left != tt.want {
			t.Errorf("%s: %d are left, want %d", tt.name, left, tt.want)
		}
	}
	// What the making anew left is removed by making anew.
	m, dir := recordWith(t, func(*Config) {}, talkOfTwo()...)
	folder, _ := store.Folder(dir, m.Recording)
	for _, name := range []string{captureName, planName} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("sealed"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Refinalise(t.Context(), dir, m.Recording, nil, nil); !errors.Is(err, ErrNoCapture) {
		t.Error(err)
	}
	if hasPlan(folder) {
		t.Error("the plan is left")
	}
	// The key of an encrypted recording stays.
	masters := masterKeys(t, "07")
	m, dir = encrypted(t, masters)
	folder, _ = store.Folder(dir, m.Recording)
	if err := os.WriteFile(filepath.Join(folder, captureName), []byte("sealed"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := newRecorder(t, dir).recover(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, captureName)); err == nil {
		t.Error("the capture of an encrypted recording is left")
	}
	if faults, err := Verify(t.Context(), dir, m.Recording, masters); err != nil || len(faults) > 0 {
		t.Error(faults, err)
	}
}
