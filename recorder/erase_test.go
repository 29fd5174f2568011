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

// left holds a folder to what stays of an erased recording: nothing that says
// anything of people, in particular not what was found in the clear before.
func left(t *testing.T, folder string, secrets map[string][]byte) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{store.TombstoneName, journalName, store.ManifestName}; !slices.Equal(names, want) {
		t.Errorf("left are %v, want %v", names, want)
	}
	all := everything(t, folder)
	for what, b := range secrets {
		if bytes.Contains(all, b) {
			t.Errorf("%s is left: %q", what, b)
		}
	}
}

func TestErase(t *testing.T) {
	masters := masterKeys(t, "07")
	for _, encrypt := range []bool{false, true} {
		clear, clearDir := recordWith(t, func(*Config) {}, talkOfTwo()...)
		clearFolder, _ := store.Folder(clearDir, clear.Recording)
		hidden := secrets(t, filepath.Join(clearFolder, clear.Files[0].Name))

		m, dir := recordWith(t, func(c *Config) { c.Masters, c.Encrypt = masters, encrypt }, talkOfTwo()...)
		folder, _ := store.Folder(dir, m.Recording)
		if _, err := Mix(t.Context(), dir, m.Recording, masters); err != nil {
			t.Fatal(err)
		}
		// A temporary file of a mix that was killed, and second names, which show
		// what became of the octets themselves.
		if err := os.WriteFile(filepath.Join(folder, ".mix.wav.1"), hidden["samples"], 0o600); err != nil {
			t.Fatal(err)
		}
		seen := filepath.Join(t.TempDir(), "seen")
		if err := os.Mkdir(seen, 0o700); err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if err := os.Link(filepath.Join(folder, e.Name()), filepath.Join(seen, strings.ReplaceAll(e.Name(), "alice", "a"))); err != nil {
				t.Skip("no hard links here:", err)
			}
		}

		tomb, err := Erase(dir, m.Recording, Erasure{By: "Ann", Reason: "request 7", At: sec(200)})
		if err != nil {
			t.Fatal(err)
		}
		left(t, folder, hidden)
		if b := everything(t, seen); bytes.Contains(b, hidden["samples"]) || bytes.Contains(b, []byte("alice")) {
			t.Errorf("encrypted %v: what was in the clear was unlinked, and not overwritten", encrypt)
		}
		if b, err := os.ReadFile(filepath.Join(seen, seal.FileName)); encrypt && (err != nil || len(bytes.Trim(b, "\x00")) > 0) {
			t.Errorf("left of the key: %q, %v", b, err)
		}
		if !tomb.Complete || tomb.By != "Ann" || tomb.Reason != "request 7" || !tomb.At.Equal(sec(200)) || tomb.Recording != m.Recording {
			t.Errorf("tombstone %+v", tomb)
		}
		// 2 files, the mix, 2 documents, the temporary file, and the sealed manifest.
		wantKey, unlinked, overwritten := keyGone, 6, 6
		if encrypt {
			wantKey, unlinked, overwritten = keyDestroyed, 7, 1
		}
		if tomb.Key != wantKey || tomb.Unlinked != unlinked || tomb.Overwritten != overwritten || tomb.Octets < 3*8000*2 {
			t.Errorf("encrypted %v: %+v", encrypt, tomb)
		}
		if slices.Contains(tomb.Limits, limitPlain) == encrypt || slices.Contains(tomb.Limits, limitMaster) != encrypt || !slices.Contains(tomb.Limits, limitCopies) {
			t.Errorf("encrypted %v: limits %q", encrypt, tomb.Limits)
		}

		gone, err := Load(dir, m.Recording, masters)
		if !errors.Is(err, store.ErrErased) || gone.Recording != m.Recording || len(gone.Decisions) != len(m.Decisions) || len(gone.Files) > 0 {
			t.Errorf("load: %v, %+v", err, gone)
		}
		if got, want := journalEvents(t, folder), journalEvents(t, clearFolder)+" "+lineErased; got != want {
			t.Errorf("the journal says %s, it said %s", got, want)
		}
		for name, err := range map[string]error{
			"mix":    second(Mix(t.Context(), dir, m.Recording, masters)),
			"export": second(Export(t.Context(), dir, m.Recording, t.TempDir(), masters)),
			"verify": second(Verify(t.Context(), dir, m.Recording, masters)),
		} {
			if !errors.Is(err, store.ErrErased) {
				t.Errorf("%s: %v", name, err)
			}
		}
		list, err := List(dir, masters)
		if err != nil || len(list) != 1 || list[0].State != store.Erased || list[0].Erased.Reason != "request 7" {
			t.Errorf("list %+v, %v", list, err)
		}
		if again, err := Erase(dir, m.Recording, Erasure{By: "Bob", Reason: "again", At: sec(300)}); err != nil || again.Reason != "request 7" {
			t.Errorf("once more: %+v, %v", again, err)
		}
	}
}

// Erasing that was cut off, after any step, is ended by erasing again, and says what
// both did together.
func TestEraseAgain(t *testing.T) {
	masters := masterKeys(t, "07")
	for _, cut := range []string{"tombstone", "key", "files"} {
		m, dir := encrypted(t, masters)
		folder, _ := store.Folder(dir, m.Recording)
		limits, err := limitsOf(folder, m)
		if err != nil {
			t.Fatal(err)
		}
		tomb := store.Tombstone{Recording: m.Recording, At: sec(200).UTC(), By: "Ann", Reason: "request 7", Limits: limits}
		if err := store.WriteTombstone(folder, tomb); err != nil {
			t.Fatal(err)
		}
		if cut != "tombstone" {
			if err := seal.Destroy(folder); err != nil {
				t.Fatal(err)
			}
		}
		if cut == "files" {
			if err := os.Remove(filepath.Join(folder, m.Files[0].Name)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Load(dir, m.Recording, masters); !errors.Is(err, store.ErrErased) {
			t.Errorf("cut off after %s: %v", cut, err)
		}
		got, err := Erase(dir, m.Recording, Erasure{By: "Bob", Reason: "other", At: sec(300)})
		if err != nil || !got.Complete || got.Reason != "request 7" || !slices.Equal(got.Limits, limits) {
			t.Errorf("cut off after %s: %+v, %v", cut, got, err)
		}
		left(t, folder, nil)
	}
}

func TestEraseRefused(t *testing.T) {
	dir := t.TempDir()
	r := newRecorder(t, dir)
	in, err := unattended(r, offered(both, twoParties)(nil), newFake(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Erase(dir, string(in.id), Erasure{}); !errors.Is(err, store.ErrUnfinished) {
		t.Errorf("while recording: %v", err)
	}
	if err := in.capture.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Erase(dir, "20260304T100000Z-bbbbbbbbbb", Erasure{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of nothing: %v", err)
	}
	if _, err := Erase(dir, "..", Erasure{}); !errors.Is(err, store.ErrID) {
		t.Errorf("no id: %v", err)
	}
	m, dir := recordWith(t, func(*Config) {}, talkOfTwo()...)
	folder, _ := store.Folder(dir, m.Recording)
	m.Retention = &store.Retention{Held: true}
	if err := store.Write(folder, m); err != nil {
		t.Fatal(err)
	}
	before := everything(t, folder)
	if _, err := Erase(dir, m.Recording, Erasure{}); !errors.Is(err, ErrHeld) || !bytes.Equal(before, everything(t, folder)) {
		t.Errorf("under a legal hold: %v", err)
	}
}

// What another process left unfinished may be erased where no server has the folder.
// A server that starts ends what was cut off, and takes nothing of it up again.
func TestEraseUnfinished(t *testing.T) {
	dir := t.TempDir()
	r := newRecorder(t, dir)
	ev := offered(both, twoParties)(nil)
	in, err := unattended(r, ev, newFake(t))
	if err != nil {
		t.Fatal(err)
	}
	in.accept = func(*siprec.Event) {}
	in.legs[0].handle(ev)
	if err := errors.Join(in.capture.Close(), r.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	tomb := store.Tombstone{Recording: string(in.id), At: sec(200).UTC(), By: "Ann", Reason: "request 7", Limits: []string{limitCopies}}
	if err := store.WriteTombstone(in.folder, tomb); err != nil { // and no more of Erase
		t.Fatal(err)
	}
	later := newRecorder(t, dir)
	got, err := later.recover(func([]byte, *leg) error {
		t.Error("what is to be erased is resumed")
		return nil
	})
	if err != nil || got != (Recovered{}) {
		t.Errorf("taken up: %+v, %v", got, err)
	}
	left(t, in.folder, map[string][]byte{"a name": []byte("alice")})
	list, err := store.List(dir)
	if err != nil || len(list) != 1 || list[0].State != store.Erased || !list[0].Erased.Complete || !list[0].Start.Equal(sec(0)) {
		t.Errorf("list %+v, %v", list, err)
	}
	if err := later.Close(t.Context()); err != nil {
		t.Fatal(err)
	}

	another, err := store.NewID(sec(5), noRandom())
	if err != nil {
		t.Fatal(err)
	}
	folder, err := store.Create(dir, another)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, captureName), []byte("capture"), 0o600); err != nil {
		t.Fatal(err)
	}
	// What a link leads to is not the recording's.
	outside := filepath.Join(t.TempDir(), "outside")
	if err := errors.Join(os.WriteFile(outside, []byte("stays"), 0o600), os.Symlink(outside, filepath.Join(folder, "link"))); err != nil {
		t.Fatal(err)
	}
	if tomb, err := Erase(dir, another, Erasure{By: "Ann", Reason: "damaged", At: sec(300)}); err != nil || !tomb.Complete || tomb.Unlinked != 1 {
		t.Errorf("unfinished: %+v, %v", tomb, err)
	}
	left(t, folder, nil)
	if b, err := os.ReadFile(outside); err != nil || string(b) != "stays" {
		t.Errorf("outside the folder: %q, %v", b, err)
	}
}

// What is void is erased by the same way, without anybody asking for it.
func TestVoidIsErased(t *testing.T) {
	masters := masterKeys(t, "07")
	for _, encrypt := range []bool{false, true} {
		dir := t.TempDir()
		r, err := New(Config{Dir: dir, Policy: rules.RecordAll(), Masters: masters, Encrypt: encrypt})
		if err != nil {
			t.Fatal(err)
		}
		f := newFake(t)
		ev := offered(both, twoParties)(nil)
		in, err := unattended(r, ev, f)
		if err != nil {
			t.Fatal(err)
		}
		in.accept = func(*siprec.Event) {}
		in.legs[0].handle(ev)
		talk(0, 1, 0, 1)(f)
		in.carryOut(in.decide([]rules.Event{{At: sec(1), Kind: rules.ConsentWithdrawn}}))
		in.legs[0].handle(ended(2)(nil))
		in.finish()
		r.finalise(in.recording)
		if err := r.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		m, err := Load(dir, string(in.id), masters)
		if !errors.Is(err, store.ErrErased) || !m.Void || len(m.Decisions) == 0 {
			t.Errorf("encrypted %v: %v, %+v", encrypt, err, m)
		}
		left(t, in.folder, map[string][]byte{"a name": []byte("alice"), "an address": []byte("192.0.2.9")})
		tomb, err := store.LoadTombstone(in.folder)
		if err != nil || !tomb.Complete || tomb.Key != keyDestroyed || !strings.HasPrefix(tomb.By, "policy ") || !strings.Contains(tomb.Reason, "consent") || tomb.Unlinked < 2 {
			t.Errorf("encrypted %v: %+v, %v", encrypt, tomb, err)
		}
	}
}

// A disk that fails while a void recording is erased: what was done by then is told
// when it is done again.
func TestVoidIsErasedAgain(t *testing.T) {
	r := newRecorder(t, t.TempDir())
	ev := offered(both, twoParties)(nil)
	in, err := unattended(r, ev, newFake(t))
	if err != nil {
		t.Fatal(err)
	}
	in.accept = func(*siprec.Event) {}
	in.legs[0].handle(ev)
	if err := in.capture.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		tomb, err := in.discard(sec(9))
		if err != nil || tomb.Key != keyDestroyed || tomb.Unlinked != 1 || tomb.Complete {
			t.Errorf("%+v, %v", tomb, err)
		}
	}
}
