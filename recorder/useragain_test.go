package recorder

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/siprec"
)

// leftBoth waits until each of two unfinished recordings holds so many packets, and copies
// the folder as a kill would leave it.
func leftBoth(t *testing.T, dir string, packets int) string {
	t.Helper()
	ids, err := store.WithoutManifest(dir)
	if err != nil || len(ids) != 2 {
		t.Fatalf("unfinished %v, %v", ids, err)
	}
	for _, id := range ids {
		for packetsOf(t, dir, id, nil) != packets {
			if t.Context().Err() != nil {
				t.Fatal("a capture does not hold what it should")
			}
			runtime.Gosched()
		}
	}
	out := t.TempDir()
	if err := os.CopyFS(out, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestUserRecordingIsRecalled kills the server while a user records: another process goes
// on with that recording too. When consent is taken back then, nothing is left of what
// the user recorded before the kill.
func TestUserRecordingIsRecalled(t *testing.T) {
	dir := t.TempDir()
	file := trunkFile("    user-recordings: all\n", "")
	r := linking(t, dir, file)
	left := ""
	r.serve(t.Context(), newFake(t, offered(both, twoParties),
		commanded1(r, Query{}, Command{Action: ActUserRecordingStart, Party: "p1", At: sec(0)}),
		talk(0, 1, 0, 1), talk(1, 2, 0, 1), func(f *fake) *siprec.Event {
			f.save([]byte(dialogState))
			left = leftBoth(t, dir, 100)
			return nil
		}, ended(99)))
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, withdrawn := range []bool{false, true} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(left)); err != nil {
			t.Fatal(err)
		}
		r := linking(t, dir, file)
		then := func(*fake) *siprec.Event { return nil }
		if withdrawn {
			then = commanded1(r, Query{}, Command{Action: ActConsentWithdrawn, Reason: "by telephone", At: sec(3)})
		}
		got, err := r.recover(func(_ []byte, l *leg) error {
			r.working.Go(func() {
				r.goOn(t.Context(), newFake(t, resumed(2, both), talk(0, 1, 2, 3), talk(1, 2, 2, 3), then, ended(3)), l)
			})
			return nil
		})
		if err != nil || got != (Recovered{Resumed: 1}) {
			t.Fatalf("recovered %+v, %v", got, err)
		}
		if err := r.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		list, err := store.List(dir)
		if err != nil || len(list) != 2 {
			t.Fatalf("%d recordings, %v", len(list), err)
		}
		of := 0
		for _, l := range list {
			if withdrawn {
				captures, err := filepath.Glob(filepath.Join(l.Folder, "*"+filepath.Ext(captureName)))
				if err != nil || l.State != store.Erased || len(captures) > 0 || len(l.Files) > 0 {
					t.Errorf("%s is %s, not erased: %v, %v", l.ID, l.State, captures, err)
				}
				continue
			}
			m, err := store.Load(dir, l.ID)
			if err != nil {
				t.Fatal(err)
			}
			if m.Of != "" {
				of++
			}
			for _, s := range m.Streams {
				if s.Packets.Kept != 100 {
					t.Errorf("%s of %q: %+v", m.Recording, m.Of, s.Packets)
				}
			}
		}
		if !withdrawn && of != 1 {
			t.Errorf("%d recordings by users", of)
		}
	}
	if _, err := store.HasManifest(dir, "../.."); !errors.Is(err, store.ErrID) {
		t.Errorf("no id: %v", err)
	}
}

// TestUserRecordingIsFinishedFirst: a process that is killed when it has made the files of
// a user recording, and not yet those of the policy recording, leaves nothing that the next
// one does not finish, and that makes neither anew.
func TestUserRecordingIsFinishedFirst(t *testing.T) {
	for _, refused := range []bool{false, true} {
		dir := t.TempDir()
		file := trunkFile("    user-recordings: all\n", "")
		r := linking(t, dir, file)
		f := newFake(t)
		in := begun(t, r, f)
		in.legs[0].handle(offered(both, twoParties)(f))
		say := func(c Command) {
			if _, err := in.command(c); err != nil {
				t.Error(err)
			}
		}
		say(Command{Action: ActUserRecordingStart, Party: "p1", At: sec(0)})
		talk(0, 1, 0, 1)(f)
		if refused {
			say(Command{Action: ActConsentRefused, At: sec(1)})
		}
		in.legs[0].handle(ended(2)(f))
		in.finish()
		r.finalise(in.users[0])
		left := snapshot(t, dir)
		r.finalise(in.recording)
		if err := r.Close(t.Context()); err != nil {
			t.Fatal(err)
		}

		later := linking(t, left, file)
		before, err := store.List(left)
		if err != nil {
			t.Fatal(err)
		}
		got, err := later.recover(func([]byte, *leg) error { t.Error("resumed"); return nil })
		if err != nil || got != (Recovered{Finished: 1}) {
			t.Errorf("recovered %+v, %v", got, err)
		}
		if err := later.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		list, err := store.List(left)
		if err != nil || len(list) != 2 || len(before) != 2 {
			t.Fatalf("%d recordings, before %d, %v", len(list), len(before), err)
		}
		for _, l := range list {
			want := store.Finished
			if refused {
				want = store.Erased
			}
			captures, err := filepath.Glob(filepath.Join(l.Folder, captureName))
			if l.State != want || err != nil || len(captures) > 0 {
				t.Errorf("refused %v: %s is %s, with %v", refused, l.ID, l.State, captures)
			}
		}
	}
}
