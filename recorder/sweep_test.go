package recorder

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
)

const day = 24 * time.Hour

// retained makes the nth finished recording of a folder, whose interaction ended at t0.
func retained(t testing.TB, dir string, n int, ret *store.Retention) string {
	t.Helper()
	random := binary.BigEndian.AppendUint32(nil, uint32(n))
	id, err := store.NewID(t0, strings.NewReader(string(random)+"abc"))
	if err != nil {
		t.Fatal(err)
	}
	folder, err := store.Folder(dir, id)
	if err != nil {
		t.Fatal(err)
	}
	b, err := store.Encode(store.Manifest{
		Recording: id, CallID: "c1", Policy: "everything", PolicyFile: "file@0123456789ab", Retention: ret,
		Belonging: &store.Belonging{Account: "sales", Trunk: "east"},
		Times:     store.Times{Invite: t0.UTC(), End: t0.UTC()},
		Files:     []store.File{{Name: "01-alice.wav"}},
	})
	for _, err := range []error{
		err, os.MkdirAll(folder, 0o700), os.WriteFile(filepath.Join(folder, "01-alice.wav"), []byte("audio"), 0o600),
		os.WriteFile(filepath.Join(folder, journalName), []byte(`{"at":"2026-03-04T10:00:00Z","event":"ended"}`+"\n"), 0o600),
		os.WriteFile(filepath.Join(folder, store.ManifestName), b, 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return id
}

func deleteAfter(d time.Duration) *store.Retention {
	return &store.Retention{DeleteAt: t0.Add(d).UTC()}
}

// audio are the recordings that still have some.
func audio(t testing.TB, dir string, ids ...string) (out []bool) {
	t.Helper()
	for _, id := range ids {
		folder, err := store.Folder(dir, id)
		if err != nil {
			t.Fatal(err)
		}
		_, err = os.Stat(filepath.Join(folder, "01-alice.wav"))
		out = append(out, err == nil)
	}
	return out
}

// What a sweep erases: what is due by its manifest, and not held.
func TestSweep(t *testing.T) {
	held := func(dir, id string) error { return Hold(dir, id, who(0, "")) }
	for _, tt := range []struct {
		name   string
		ret    *store.Retention
		before func(dir, id string) error
		at     time.Duration
		gone   bool
		why    string
	}{
		{"due", deleteAfter(30 * day), nil, 30 * day, true, "policy file@0123456789ab: recordings are kept for 30 days"},
		{"not due", deleteAfter(30 * day), nil, 30*day - 1, false, ""},
		{"with the call", deleteAfter(0), nil, 0, true, "policy file@0123456789ab: recordings are deleted after the call"},
		{"after a day", deleteAfter(day), nil, 100 * day, true, "policy file@0123456789ab: recordings are kept for 1 day"},
		{"without end", &store.Retention{Evaluate: true}, nil, 1e5 * time.Hour, false, ""},
		{"without a policy", nil, nil, 1e5 * time.Hour, false, ""},
		{"held by its policy", &store.Retention{Held: true, DeleteAt: t0.Add(day)}, nil, 2 * day, false, ""},
		{"held", deleteAfter(day), held, 2 * day, false, ""},
		{"held and released", deleteAfter(day), func(dir, id string) error {
			return errors.Join(held(dir, id), Release(dir, id, who(0, "")))
		}, 2 * day, true, "policy file@0123456789ab: recordings are kept for 1 day"},
		{"held by its policy and released", &store.Retention{Held: true, DeleteAt: t0.Add(day)}, func(dir, id string) error {
			return Release(dir, id, who(0, store.PolicyMatter))
		}, 2 * day, true, "policy file@0123456789ab: recordings are kept for 1 day"},
		{"whose holds cannot be read", deleteAfter(day), func(dir, id string) error {
			folder, _ := store.Folder(dir, id)
			return os.WriteFile(filepath.Join(folder, store.HoldsName), []byte("{"), 0o600)
		}, 2 * day, false, "fails"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			id, other := retained(t, dir, 1, tt.ret), retained(t, dir, 2, nil)
			if tt.before != nil {
				if err := tt.before(dir, id); err != nil {
					t.Fatal(err)
				}
			}
			told := func(sweep func(context.Context, string, time.Time, func(Swept)) error) (out []string) {
				t.Helper()
				err := sweep(t.Context(), dir, t0.Add(tt.at), func(s Swept) {
					if s.Err != nil {
						s.Why = "fails"
					}
					out = append(out, s.ID+" "+s.Why)
				})
				if err != nil {
					t.Fatal(err)
				}
				return out
			}
			var want []string
			if tt.why != "" {
				want = []string{id + " " + tt.why}
			}
			folder, _ := store.Folder(dir, id)
			before := everything(t, folder)
			if got := told(SweepDry); !slices.Equal(got, want) {
				t.Errorf("dry: told %q, want %q", got, want)
			}
			if string(everything(t, folder)) != string(before) {
				t.Error("a dry run changed something")
			}
			if got := told(Sweep); !slices.Equal(got, want) {
				t.Errorf("told %q, want %q", got, want)
			}
			if got := audio(t, dir, id, other); got[0] == tt.gone || !got[1] {
				t.Errorf("left is audio of %v", got)
			}
			if !tt.gone {
				return
			}
			if got := told(Sweep); len(got) > 0 {
				t.Errorf("once more: %q", got)
			}
			tomb, err := store.LoadTombstone(folder)
			if err != nil || !tomb.Complete || tomb.By != byRetention || tomb.Reason != tt.why || !tomb.At.Equal(t0.Add(tt.at)) {
				t.Errorf("tombstone %+v, %v", tomb, err)
			}
			if lines := readJournal(t, folder); lines[len(lines)-1].Event != lineErased || lines[len(lines)-1].Reason != tt.why {
				t.Errorf("journal ends with %+v", lines[len(lines)-1])
			}
		})
	}
}

// The index is never believed when something is erased, whatever is in it.
func TestSweepReadsManifests(t *testing.T) {
	dir := t.TempDir()
	id := retained(t, dir, 1, deleteAfter(30*day))
	folder, _ := store.Folder(dir, id)
	// A line of an index with its sum, as of another recording of that name.
	wrong := filepath.Join(t.TempDir(), "wrong")
	if err := os.Mkdir(wrong, 0o700); err != nil {
		t.Fatal(err)
	}
	retained(t, wrong, 1, deleteAfter(day))
	if err := store.OpenIndex(wrong).Note(id); err != nil {
		t.Fatal(err)
	}
	otherFolder, _ := store.Folder(wrong, id)
	if err := os.Chtimes(folder, time.Time{}, timeOf(t, otherFolder)); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(wrong, store.IndexName))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, store.IndexName), b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	now := t0.Add(2 * day)
	r, err := New(Config{Dir: dir, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	w := newSweeper(r)
	w.sweep()
	if !audio(t, dir, id)[0] || !w.due[id].Equal(t0.Add(30*day)) {
		t.Errorf("audio %v, due %v", audio(t, dir, id), w.due)
	}
	now = t0.Add(30 * day)
	w.sweep()
	if audio(t, dir, id)[0] {
		t.Error("it is not erased when it is due")
	}
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func timeOf(t *testing.T, path string) time.Time {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.ModTime()
}

// A sweeper that goes on hears of what is held, released, finished and lost, in this
// process and others, and takes the clock as it is.
func TestSweeper(t *testing.T) {
	dir := t.TempDir()
	core, lines := observer.New(zap.InfoLevel)
	var told []Notice
	now := t0
	r, err := New(Config{Dir: dir, Now: func() time.Time { return now }, Log: zap.New(core), Notify: func(n Notice) { told = append(told, n) }})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(t.Context())
	w := newSweeper(r)
	a, b := retained(t, dir, 1, deleteAfter(2*day)), retained(t, dir, 2, deleteAfter(2*day))
	step := func(what string, at time.Duration, want ...bool) {
		t.Helper()
		now = t0.Add(at)
		w.sweep()
		if got := audio(t, dir, a, b)[:len(want)]; !slices.Equal(got, want) {
			t.Fatalf("%s: left is audio of %v, want %v", what, got, want)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	step("first", 0, true, true)
	must(Hold(dir, a, who(0, "")))
	step("not due", 2*day-time.Second, true, true)
	step("clock set back", -300*day, true, true)
	step("one held", 2*day, true, false)
	step("still held", 40*day, true)
	must(Release(dir, a, who(0, "")))
	step("clock set back again", day, true)
	step("released", 40*day, false)

	a, b = retained(t, dir, 3, deleteAfter(41*day)), retained(t, dir, 4, deleteAfter(41*day))
	must(r.index.Note(a))
	step("of one nobody told", 40*day+time.Hour, true, true)
	must(os.Remove(filepath.Join(dir, store.IndexName)))
	step("index lost", 41*day-time.Hour, true, true)
	step("due", 41*day, false, false)

	a, b = retained(t, dir, 5, deleteAfter(42*day)), retained(t, dir, 6, deleteAfter(42*day))
	must(os.WriteFile(filepath.Join(dir, store.IndexName), []byte("damaged\n\n\n"), 0o600))
	step("index damaged", 42*day, false, false)

	a = retained(t, dir, 7, deleteAfter(43*day))
	step("nobody told", 42*day+time.Hour, true)
	step("a day later the folders are looked at", 43*day, false)

	erased := lines.FilterMessage("recording is erased: its time has come").All()
	if len(erased) != 7 || !strings.Contains(fmt.Sprint(erased[0].ContextMap()), "file@0123456789ab: recordings are kept for 2 days") {
		t.Errorf("log: %v", erased)
	}
	for i, n := range told {
		if n.Type != NoticeErased || n.Reason != "retention" || n.Account != "sales" || n.Trunk != "east" || n.CallID != "c1" || n.Recording == "" {
			t.Errorf("notice %d: %+v", i, n)
		}
	}
	if len(told) != 7 {
		t.Errorf("%d notices", len(told))
	}
}

// A sweep that was cut off at any step is ended by the next one, and what cannot be erased
// keeps nobody else from it and is tried again.
func TestSweepIsCutOff(t *testing.T) {
	dir := t.TempDir()
	id, other := retained(t, dir, 1, deleteAfter(day)), retained(t, dir, 2, deleteAfter(day))
	folder, _ := store.Folder(dir, id)
	tomb := store.Tombstone{Recording: id, At: t0.Add(day).UTC(), By: byRetention, Reason: "policy p: kept", Limits: []string{limitCopies}}
	if err := store.WriteTombstone(folder, tomb); err != nil {
		t.Fatal(err)
	}
	if err := Sweep(t.Context(), dir, t0.Add(2*day), func(s Swept) {
		if s.ID != other || s.Err != nil {
			t.Errorf("told %+v", s)
		}
	}); err != nil {
		t.Fatal(err)
	}
	left(t, folder, map[string][]byte{"audio": []byte("audio")})
	got, err := store.LoadTombstone(folder)
	if err != nil || !got.Complete || got.Reason != tomb.Reason || !got.At.Equal(tomb.At) {
		t.Errorf("tombstone %+v, %v", got, err)
	}

	id, other = retained(t, dir, 3, deleteAfter(day)), retained(t, dir, 4, deleteAfter(day))
	folder, _ = store.Folder(dir, id)
	if err := os.WriteFile(filepath.Join(folder, store.HoldsName), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	core, lines := observer.New(zap.ErrorLevel)
	r, err := New(Config{Dir: dir, Now: func() time.Time { return t0.Add(2 * day) }, Log: zap.New(core)})
	if err != nil {
		t.Fatal(err)
	}
	w := newSweeper(r)
	for range 2 {
		w.sweep()
		if got := audio(t, dir, id, other); !got[0] || got[1] {
			t.Fatalf("left is audio of %v", got)
		}
	}
	if n := lines.FilterMessageSnippet("could not be erased").Len(); n != 2 {
		t.Errorf("%d lines of the log", n)
	}
	if err := os.Remove(filepath.Join(folder, store.HoldsName)); err != nil {
		t.Fatal(err)
	}
	w.sweep()
	if audio(t, dir, id)[0] {
		t.Error("it is not erased when it can be")
	}
	// Beside a server nobody sweeps, and a second one does not either.
	if err := Sweep(t.Context(), dir, t0.Add(3*day), func(Swept) {}); !errors.Is(err, ErrInUse) {
		t.Errorf("beside a server: %v", err)
	}
	if err := SweepDry(t.Context(), dir, t0.Add(3*day), func(Swept) {}); err != nil {
		t.Errorf("dry, beside a server: %v", err)
	}
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := Sweep(t.Context(), filepath.Join(dir, "none"), t0, func(Swept) {}); err == nil {
		t.Error("no error without a folder")
	}
}

// The server sweeps at its start and then at intervals; while another has the folder, and
// with 0, it does not.
func TestSweeping(t *testing.T) {
	for _, tt := range []struct {
		name     string
		interval time.Duration
		second   bool // another process has the folder
		want     bool // it is erased
	}{{"alone", time.Minute, false, true}, {"off", 0, false, false}, {"second", time.Minute, true, false}} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				now := func() time.Time { return t0.Add(time.Since(begin)) }
				old, soon := retained(t, dir, 1, deleteAfter(0)), retained(t, dir, 2, deleteAfter(90*time.Second))
				if tt.second {
					first := newRecorder(t, dir)
					defer first.Close(t.Context())
				}
				r, err := New(Config{Dir: dir, Now: now, Sweep: tt.interval})
				if err != nil {
					t.Fatal(err)
				}
				step := func(d time.Duration, want ...bool) {
					t.Helper()
					pass(d)
					synctest.Wait()
					if got := audio(t, dir, old, soon); !slices.Equal(got, want) {
						t.Errorf("after %v left is audio of %v, want %v", time.Since(begin), got, want)
					}
				}
				step(time.Second, !tt.want, true)
				step(61*time.Second, !tt.want, true)
				step(60*time.Second, !tt.want, !tt.want)
				if err := r.Close(t.Context()); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// What is to be deleted with the call goes when its files are finished; what is kept for 30
// days does not, and what a user recorded has a period of its own.
func TestRetentionOfACall(t *testing.T) {
	const never = -1
	for _, tt := range []struct {
		account      string
		policy, user time.Duration // until it is to be deleted
	}{
		{"    retention:\n      - {delete-after: the call}\n", 0, 365 * day},
		{"    user-recordings-kept: 7 days\n    retention:\n      - {keep: 30 days}\n", 30 * day, 7 * day},
		{"    user-recordings-kept: forever\n", never, never},
	} {
		dir := t.TempDir()
		book := openBook(t, dir, ourPeople)
		publish(t, book, trunkFile("    user-recordings: all\n"+tt.account, ""), sec(-10))
		r, err := New(Config{Dir: dir, Rulebook: book, Now: func() time.Time { return sec(100) }})
		if err != nil {
			t.Fatal(err)
		}
		f := newFake(t)
		in := begun(t, r, f)
		in.legs[0].handle(offered(both, document("complete", twoStreams, sends("p1", "sip:alice@example.com", "s1"), sends("p2", "sip:bob@example.net", "s2")))(f))
		command(in, 0, rules.UserRecordingStarted, "p1")
		talk(0, 1, 0, 1)(f)
		in.legs[0].handle(ended(1)(f))
		in.finish()
		r.finaliseAll(in)
		for id, after := range map[rules.RecordingID]time.Duration{in.id: tt.policy, in.users[0].id: tt.user} {
			m, err := store.Load(dir, string(id))
			if err != nil {
				t.Fatal(err)
			}
			want := time.Time{}
			if after != never {
				want = sec(1).Add(after)
			}
			if m.Retention == nil || !m.Retention.DeleteAt.Equal(want) {
				t.Errorf("%sof %q: %+v, want %v", tt.account, m.Of, m.Retention, want)
			}
		}
		called := false
		select {
		case <-r.dueNow:
			called = true
		default:
		}
		w := newSweeper(r)
		w.sweep()
		_, err = store.Load(dir, string(in.id))
		if gone := errors.Is(err, store.ErrErased); called != (tt.policy == 0) || gone != called {
			t.Errorf("%sthe sweeper is called: %v, gone: %v, %v", tt.account, called, gone, err)
		}
		if _, err := store.Load(dir, string(in.users[0].id)); err != nil {
			t.Errorf("%suser recording: %v", tt.account, err)
		}
		if err := r.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// BenchmarkSweep is a sweep of 10,000 recordings of which none is due, when it has looked
// at them before.
func BenchmarkSweep(b *testing.B) {
	dir := b.TempDir()
	for n := range 10_000 {
		retained(b, dir, n, deleteAfter(30*day))
	}
	r, err := New(Config{Dir: dir, Now: func() time.Time { return t0 }})
	if err != nil {
		b.Fatal(err)
	}
	w := newSweeper(r)
	w.sweep()
	for b.Loop() {
		w.sweep()
	}
	if len(w.due) != 10_000 {
		b.Fatal(len(w.due))
	}
	if err := r.Close(b.Context()); err != nil {
		b.Fatal(err)
	}
}
