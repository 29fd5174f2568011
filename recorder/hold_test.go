package recorder

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/recorder/internal/seal"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
)

func who(at float64, matter string) Who {
	return Who{By: "Ann", Reason: "request 7", At: sec(at), Matter: matter}
}

// Nothing erases what is held, until every hold is released.
func TestHold(t *testing.T) {
	m, dir := recordWith(t, func(*Config) {}, talkOfTwo()...)
	folder, _ := store.Folder(dir, m.Recording)
	before := everything(t, folder)
	erasure := Erasure{By: "Bob", Reason: "mine", At: sec(300)}
	refused := func() {
		t.Helper()
		if _, err := Erase(dir, m.Recording, erasure); !errors.Is(err, ErrHeld) {
			t.Fatalf("erased under a legal hold: %v", err)
		}
	}
	for _, matter := range []string{"7/2026", "", "7/2026"} { // the third is there already
		if err := Hold(dir, m.Recording, who(200, matter)); err != nil {
			t.Fatal(err)
		}
		refused()
	}
	if err := Release(dir, m.Recording, who(210, "8/2026")); !errors.Is(err, ErrNotHeld) || !strings.Contains(err.Error(), "7/2026") {
		t.Errorf("released what was not held: %v", err)
	}
	if err := Release(dir, m.Recording, who(210, "")); err != nil {
		t.Fatal(err)
	}
	refused()
	list, err := List(dir, nil)
	if err != nil || !list[0].Held {
		t.Errorf("list %+v, %v", list, err)
	}
	if err := os.Remove(filepath.Join(folder, store.HoldsName)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, everything(t, folder)) {
		t.Error("something else was changed in the folder")
	}
	if err := os.WriteFile(filepath.Join(folder, store.HoldsName), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Erase(dir, m.Recording, erasure); err == nil || errors.Is(err, ErrHeld) {
		t.Errorf("erased although its holds cannot be read: %v", err)
	}
	all := store.Holds{who(200, "7/2026").line(true)}
	if err := all.Write(folder); err != nil {
		t.Fatal(err)
	}
	if err := Release(dir, m.Recording, who(220, "7/2026")); err != nil {
		t.Fatal(err)
	}
	if err := Release(dir, m.Recording, who(220, "7/2026")); !errors.Is(err, ErrNotHeld) {
		t.Errorf("released twice: %v", err)
	}
	if tomb, err := Erase(dir, m.Recording, erasure); err != nil || !tomb.Complete {
		t.Fatal(tomb, err)
	}
	// The history of what was held stays.
	kept, err := store.LoadHolds(folder)
	if want := []store.HoldLine{who(200, "7/2026").line(true), who(220, "7/2026").line(false)}; err != nil || !slices.Equal(kept, want) {
		t.Errorf("history %+v, %v", kept, err)
	}
	if err := Hold(dir, m.Recording, who(400, "")); !errors.Is(err, store.ErrErased) {
		t.Errorf("held what is erased: %v", err)
	}
}

func TestHoldRefused(t *testing.T) {
	dir := t.TempDir()
	none := "20260304T100000Z-bbbbbbbbbb"
	for name, tt := range map[string]struct {
		id   string
		who  Who
		want error
	}{
		"no id":             {"..", who(0, ""), store.ErrID},
		"no such recording": {none, who(0, ""), fs.ErrNotExist},
		"by nobody":         {none, Who{Reason: "r"}, ErrWho},
		"without a reason":  {none, Who{By: "Ann", Reason: " "}, ErrWho},
		"too long":          {none, Who{By: "Ann", Reason: strings.Repeat("r", 1001)}, ErrWho},
		"two lines":         {none, Who{By: "Ann", Reason: "r", Matter: "a\nb"}, ErrWho},
		"no text":           {none, Who{By: "Ann\xff", Reason: "r"}, ErrWho},
	} {
		if err := Hold(dir, tt.id, tt.who); !errors.Is(err, tt.want) {
			t.Errorf("%s: hold: %v", name, err)
		}
		if err := Release(dir, tt.id, tt.who); !errors.Is(err, tt.want) {
			t.Errorf("%s: release: %v", name, err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

// A recording that goes on may be held, and is when it is finished; one whose manifest
// cannot be read as well. The hold of a policy is released as others are.
func TestHoldEarly(t *testing.T) {
	dir := t.TempDir()
	r := newRecorder(t, dir)
	var told []Notice
	r.cfg.Notify = func(n Notice) { told = append(told, n) }
	var id string
	r.serve(t.Context(), newFake(t, offered(both, twoParties), talk(0, 1, 0, 1), func(*fake) *siprec.Event {
		ids, err := store.WithoutManifest(dir)
		if err != nil || len(ids) != 1 {
			t.Fatal(ids, err)
		}
		id = ids[0]
		if err := r.Hold(id, who(0.5, "")); err != nil {
			t.Error(err)
		}
		return nil
	}, ended(1)))
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Erase(id, Erasure{By: "Bob", Reason: "mine"}); !errors.Is(err, ErrHeld) {
		t.Errorf("erased: %v", err)
	}
	if err := r.Release(id, who(100, "")); err != nil {
		t.Error(err)
	}
	folder, _ := store.Folder(dir, id)
	m, err := store.Load(dir, id)
	if err != nil {
		t.Fatal(err)
	}
	m.Retention = &store.Retention{Held: true}
	if err := store.Write(folder, m); err != nil {
		t.Fatal(err)
	}
	if err := r.Release(id, who(100, "")); !errors.Is(err, ErrNotHeld) || !strings.Contains(err.Error(), `"policy"`) {
		t.Errorf("released the hold of the policy: %v", err)
	}
	if _, err := r.Erase(id, Erasure{By: "Bob", Reason: "mine"}); !errors.Is(err, ErrHeld) {
		t.Errorf("erased: %v", err)
	}
	if err := r.Release(id, who(100, store.PolicyMatter)); err != nil {
		t.Error(err)
	}
	if err := store.WriteFile(filepath.Join(folder, store.ManifestName), []byte("{")); err != nil {
		t.Fatal(err)
	}
	if err := r.Hold(id, who(100, "damaged")); err != nil {
		t.Error(err)
	}
	if err := errors.Join(store.Write(folder, m), r.Release(id, who(100, "damaged"))); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Erase(id, Erasure{By: "Bob", Reason: "mine", At: sec(100)}); err != nil {
		t.Error(err)
	}
	got := ""
	for _, n := range told {
		if n.Recording != id {
			t.Errorf("told of %q", n.Recording)
		}
		if n.Type == NoticeHeld || n.Type == NoticeReleased || n.Type == NoticeErased {
			got += n.Type + " by " + n.Owner + "; "
		}
	}
	if want := "held by Ann; released by Ann; released by Ann; held by Ann; released by Ann; erased by Bob; "; got != want {
		t.Errorf("told %s\nwant %s", got, want)
	}
}

// Making files anew discards no capture that is held; once it is not, it does.
func TestHoldKeepsCapture(t *testing.T) {
	// What is sent as GSM cannot be decoded without ffmpeg: as if it could be now, the
	// plan is told that it is PCMU.
	m, dir := recordWith(t, func(*Config) {}, offered(both, twoParties), talkAs(0, 1, 3, 0, 1), talk(1, 2, 0, 1), ended(1))
	folder, _ := store.Folder(dir, m.Recording)
	if m.Capture == "" {
		t.Fatalf("flags %v", m.Flags)
	}
	key, err := (*MasterKeys)(nil).ring().Load(folder, m.Recording)
	if err != nil {
		t.Fatal(err)
	}
	p, err := loadPlan(folder, nil)
	if err != nil {
		t.Fatal(err)
	}
	key.Wipe()
	for i := range p.Job.Streams {
		for j := range p.Job.Streams[i].Formats {
			if f := &p.Job.Streams[i].Formats[j]; f.PayloadType == 0 {
				g := *f
				g.PayloadType = 3
				p.Job.Streams[i].Formats = append(p.Job.Streams[i].Formats, g)
				break
			}
		}
	}
	if err := savePlan(folder, p, nil); err != nil {
		t.Fatal(err)
	}
	if err := Hold(dir, m.Recording, who(200, "")); err != nil {
		t.Fatal(err)
	}
	there := func() (out []string) {
		for _, name := range []string{captureName, planName, seal.FileName} {
			if _, err := os.Stat(filepath.Join(folder, name)); err == nil {
				out = append(out, name)
			}
		}
		return out
	}
	m, err = Refinalise(t.Context(), dir, m.Recording, nil, nil)
	if err != nil || !CaptureHeld(m) || m.Capture == "" || len(m.Files) != 2 || len(there()) != 3 {
		t.Fatalf("under a legal hold: %v, flags %v, %d files, left %v", err, m.Flags, len(m.Files), there())
	}
	if err := Release(dir, m.Recording, who(300, "")); err != nil {
		t.Fatal(err)
	}
	m, err = Refinalise(t.Context(), dir, m.Recording, nil, nil)
	if err != nil || CaptureHeld(m) || m.Capture != "" || len(there()) != 0 {
		t.Errorf("released: %v, flags %v, left %v", err, m.Flags, there())
	}
}

// What was erased while its files were made anew gets none of them.
func TestErasedWhileRedone(t *testing.T) {
	m, dir := recordWith(t, func(*Config) {}, talkOfTwo()...)
	o, err := openRecording(dir, m.Recording, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Erase(dir, m.Recording, Erasure{By: "Bob", Reason: "mine", At: sec(300)}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(o.path("01-alice.wav"), []byte("made anew"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := complete(dir, o, m); !errors.Is(err, store.ErrErased) {
		t.Error(err)
	}
	left(t, o.folder, map[string][]byte{"a name": []byte("alice")})
}

// A legal hold keeps what would be erased because consent was taken back, until it is
// released; a no outweighs it.
func TestHoldOfWhatIsVoid(t *testing.T) {
	for _, tt := range []struct {
		name string
		said []rules.Kind
		held bool
		kept bool
	}{
		{"taken back", []rules.Kind{rules.ConsentWithdrawn}, true, true},
		{"taken back, not held", []rules.Kind{rules.ConsentWithdrawn}, false, false},
		{"refused", []rules.Kind{rules.ConsentRefused}, true, false},
		{"taken back and refused", []rules.Kind{rules.ConsentWithdrawn, rules.ConsentRefused}, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			r := newRecorder(t, dir)
			f := newFake(t)
			in := begun(t, r, f)
			in.legs[0].handle(offered(both, twoParties)(f))
			talk(0, 1, 0, 1)(f)
			if tt.held {
				if err := r.Hold(string(in.id), who(0.5, "")); err != nil {
					t.Fatal(err)
				}
			}
			for _, kind := range tt.said {
				command(in, 1, kind, "")
			}
			talk(0, 1, 1, 2)(f)
			in.legs[0].handle(ended(2)(f))
			in.finish()
			r.finaliseAll(in)
			m, err := store.Load(dir, string(in.id))
			if !tt.kept {
				if !errors.Is(err, store.ErrErased) || !m.Void {
					t.Errorf("%v, %+v", err, m)
				}
				return
			}
			if err != nil || m.Void || len(m.Files) != 1 || !slices.Contains(m.Flags, flagWithdrawn) {
				t.Fatalf("%v, void %v, flags %v, files %+v", err, m.Void, m.Flags, m.Files)
			}
			if got := heard(t, filepath.Join(in.folder, m.Files[0].Name)); got != rep("#", 10) {
				t.Errorf("heard %s", got)
			}
			w := newSweeper(r)
			w.sweep()
			if _, err := store.Load(dir, string(in.id)); err != nil {
				t.Errorf("erased under a hold: %v", err)
			}
			if err := r.Release(string(in.id), who(3, "")); err != nil {
				t.Fatal(err)
			}
			w.sweep()
			tomb, err := store.LoadTombstone(in.folder)
			if err != nil || !strings.Contains(tomb.Reason, "consent was taken back") {
				t.Errorf("%+v, %v", tomb, err)
			}
		})
	}
}
