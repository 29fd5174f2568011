package recorder

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/recorder/internal/seal"
	"github.com/siprecd/siprecd/recorder/internal/vault"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/siprec"
)

func masterKeys(t *testing.T, keys ...string) *MasterKeys {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	for i, k := range keys {
		keys[i] = strings.Repeat(k, seal.Size)
	}
	if err := os.WriteFile(path, []byte(strings.Join(keys, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := ReadMasterKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// encrypted is a recording of two people, encrypted, and the folder that all lie below.
func encrypted(t *testing.T, masters *MasterKeys) (store.Manifest, string) {
	t.Helper()
	return recordWith(t, func(c *Config) { c.Masters, c.Encrypt, c.Random = masters, true, noRandom() }, talkOfTwo()...)
}

// noRandom gives a recording the same id each time.
func noRandom() io.Reader { return bytes.NewReader(make([]byte, 7)) }

func talkOfTwo() []func(*fake) *siprec.Event {
	hold := []siprec.Stream{mline(0, "1", siprec.SendOnly), mline(1, "2", siprec.Inactive)}
	return []func(*fake) *siprec.Event{
		offered(both, twoParties), talk(0, 1, 0, 2), talk(1, 2, 0, 1), changed(1, hold, twoParties), ended(2),
	}
}

// everything is the names and the contents of all files of a folder.
func everything(t *testing.T, folder string) []byte {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all = append(append(all, e.Name()+"\n"...), b...)
	}
	return all
}

// What names people, and what they sound like: octets of the audio are those of
// talk on stream 1, in the capture and in a file.
func secrets(t *testing.T, plain string) map[string][]byte {
	t.Helper()
	wav, err := os.ReadFile(plain)
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		"a name": []byte("alice"), "an address": []byte("192.0.2.9"), "metadata": []byte("<recording"),
		"samples": wav[1000:1064], "a file": []byte("WAVEfmt"), "an agent of users": []byte("Example SBC"),
	}
}

// Of an encrypted recording nothing that a person says or is called can be read in
// its folder, in the same place of the same recording in the clear all of it can; and
// with the master key all of it is there.
// Shows 7866-12.4-01, 7865-10-04.
func TestEncryptedRecording(t *testing.T) {
	clear, clearDir := recordWith(t, func(c *Config) { c.Random = noRandom() }, talkOfTwo()...)
	clearFolder, _ := store.Folder(clearDir, clear.Recording)
	masters := masterKeys(t, "07")
	open, dir := encrypted(t, masters)
	folder, _ := store.Folder(dir, open.Recording)
	if clear.Storage != store.Plain || open.Storage != store.Encrypted {
		t.Errorf("kept %q and %q", clear.Storage, open.Storage)
	}
	inClear, onDisk := everything(t, clearFolder), everything(t, folder)
	for what, b := range secrets(t, filepath.Join(clearFolder, clear.Files[0].Name)) {
		if !bytes.Contains(inClear, b) {
			t.Errorf("%s is not found even in the clear", what)
		}
		if bytes.Contains(onDisk, b) {
			t.Errorf("%s can be read: %q", what, b)
		}
	}
	for _, name := range []string{"01.wav.sealed", "02.wav.sealed", "metadata-0001.xml.sealed", "metadata-0002.xml.sealed", "manifest.json.sealed", seal.FileName, journalName, store.ManifestName} {
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, captureName)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the capture is still there: %v", err)
	}

	whole, err := Load(dir, open.Recording, masters)
	if err != nil {
		t.Fatal(err)
	}
	if len(open.Participants) != 0 || len(whole.Participants) != 2 || whole.Participants[0].AORs[0] != "sip:alice@example.com" ||
		!slices.Equal(whole.Participants[0].Files, []string{"01.wav.sealed"}) {
		t.Errorf("open %+v, whole %+v", open.Participants, whole.Participants)
	}
	for i, f := range whole.Files {
		if f.SHA256 != clear.Files[i].SHA256 || open.Files[i].SHA256 != f.SHA256 || f.Samples != clear.Files[i].Samples {
			t.Errorf("file %d: %+v, in the clear %+v", i, f, clear.Files[i])
		}
	}
	if len(open.Decisions) == 0 || len(open.Decisions) != len(whole.Decisions) || !reflect.DeepEqual(whole.Streams[1].Gaps, open.Streams[1].Gaps) {
		t.Errorf("decisions %+v, gaps %+v", open.Decisions, open.Streams[1].Gaps)
	}
	key := masters.key(t, folder, open.Recording)
	lines, err := journalLines(folder, key)
	if err != nil {
		t.Fatal(err)
	}
	if want := readJournal(t, clearFolder); !reflect.DeepEqual(lines, sealedNames(want)) {
		t.Errorf("journal %+v\nin the clear %+v", lines, want)
	}
	if got, want := journalEvents(t, folder), journalEvents(t, clearFolder); got != want {
		t.Errorf("open journal %s\nin the clear %s", got, want)
	}
	if b, err := vault.ReadFile(filepath.Join(folder, whole.Metadata[0].File), key); err != nil || string(b) != twoParties {
		t.Errorf("metadata: %d octets, %v", len(b), err)
	}
}

// sealedNames are lines of a journal as they would be of an encrypted recording.
func sealedNames(lines []journalLine) []journalLine {
	for i := range lines {
		if lines[i].File != "" {
			lines[i].File += vault.Suffix
		}
	}
	return lines
}

func TestEncryptedNeedsAMasterKey(t *testing.T) {
	if _, err := New(Config{Dir: t.TempDir(), Encrypt: true}); err == nil {
		t.Error("a recorder encrypts without a master key")
	}
	masters := masterKeys(t, "07")
	m, dir := encrypted(t, masters)
	for name, err := range map[string]error{
		"load":     second(Load(dir, m.Recording, nil)),
		"mix":      second(Mix(t.Context(), dir, m.Recording, masterKeys(t, "08"))),
		"verify":   second(Verify(t.Context(), dir, m.Recording, nil)),
		"export":   second(Export(t.Context(), dir, m.Recording, filepath.Join(dir, "out"), nil)),
		"finalise": second(Refinalise(t.Context(), dir, m.Recording, nil, nil)),
	} {
		if !errors.Is(err, store.ErrSealed) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s without the key: %v", name, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "out")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an export that is refused leaves something: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

// What is exported is what would have been written in the clear, octet for octet.
func TestExport(t *testing.T) {
	clear, clearDir := recordWith(t, func(*Config) {}, talkOfTwo()...)
	clearFolder, _ := store.Folder(clearDir, clear.Recording)
	if _, err := Mix(t.Context(), clearDir, clear.Recording, nil); err != nil {
		t.Fatal(err)
	}
	masters := masterKeys(t, "07")
	m, dir := encrypted(t, masters)
	for name, source := range map[string]struct {
		dir, id string
		masters *MasterKeys
	}{"of a plain one": {clearDir, clear.Recording, nil}, "of an encrypted one": {dir, m.Recording, masters}} {
		to := filepath.Join(t.TempDir(), "a", "b")
		paths, err := Export(t.Context(), source.dir, source.id, to, source.masters)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var names []string
		for _, p := range paths {
			names = append(names, filepath.Base(p))
		}
		want := []string{"01-alice.wav", "02-bob.wav", "metadata-0001.xml", "metadata-0002.xml", MixName, store.ManifestName}
		if !slices.Equal(names, want) {
			t.Errorf("%s: %v", name, names)
		}
		for _, n := range want[:5] {
			got, err := os.ReadFile(filepath.Join(to, n))
			if err != nil {
				t.Fatal(err)
			}
			if w, err := os.ReadFile(filepath.Join(clearFolder, n)); err != nil || !bytes.Equal(got, w) {
				t.Errorf("%s: %s has %d octets, want %d, %v", name, n, len(got), len(w), err)
			}
		}
		b, err := os.ReadFile(filepath.Join(to, store.ManifestName))
		if err != nil || !bytes.Contains(b, []byte(`"01-alice.wav"`)) || bytes.Contains(b, []byte(vault.Suffix)) || !bytes.Contains(b, []byte("sip:alice@example.com")) {
			t.Errorf("%s: manifest %s, %v", name, b, err)
		}
		if left, _ := os.ReadDir(to); len(left) != len(want) {
			t.Errorf("%s: in the folder lie %v", name, left)
		}
	}
	// A mix within the folder is sealed like the rest.
	path, err := Mix(t.Context(), dir, m.Recording, masters)
	if err != nil || filepath.Base(path) != MixName+vault.Suffix {
		t.Errorf("mix %s, %v", path, err)
	}
	if b, err := os.ReadFile(path); err != nil || bytes.Contains(b, []byte("WAVEfmt")) {
		t.Errorf("mix of %d octets can be read, %v", len(b), err)
	}
}

// Whatever is changed, exchanged or missing is found.
func TestVerify(t *testing.T) {
	masters := masterKeys(t, "07")
	for _, encrypt := range []bool{false, true} {
		m, dir := recordWith(t, func(c *Config) { c.Masters, c.Encrypt = masters, encrypt }, talkOfTwo()...)
		folder, _ := store.Folder(dir, m.Recording)
		verify := func(change func(), want string) {
			t.Helper()
			kept := make(map[string][]byte)
			entries, err := os.ReadDir(folder)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				if kept[e.Name()], err = os.ReadFile(filepath.Join(folder, e.Name())); err != nil {
					t.Fatal(err)
				}
			}
			change()
			faults, err := Verify(t.Context(), dir, m.Recording, masters)
			if err != nil || (len(faults) > 0) != (want != "") || !strings.Contains(strings.Join(faults, "\n"), want) {
				t.Errorf("encrypted %v: %q, %v; want %q", encrypt, faults, err, want)
			}
			for name, b := range kept {
				if err := os.WriteFile(filepath.Join(folder, name), b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		at := func(name string) string { return filepath.Join(folder, name) }
		flip := func(name string) {
			b, err := os.ReadFile(at(name))
			if err != nil {
				t.Fatal(err)
			}
			b[len(b)/2] ^= 1
			if err := os.WriteFile(at(name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		verify(func() {}, "")
		verify(func() { flip(m.Files[0].Name) }, m.Files[0].Name+": ")
		verify(func() { flip(m.Files[1].Name) }, m.Files[1].Name+": ")
		verify(func() { os.Remove(at(m.Metadata[1].File)) }, "metadata-0002.xml")
		verify(func() {
			if err := errors.Join(os.Rename(at(m.Files[0].Name), at("x")), os.Rename(at(m.Files[1].Name), at(m.Files[0].Name)), os.Rename(at("x"), at(m.Files[1].Name))); err != nil {
				t.Fatal(err)
			}
		}, m.Files[1].Name+": ")
		if encrypt {
			verify(func() {
				b, err := os.ReadFile(at(journalName))
				if err != nil {
					t.Fatal(err)
				}
				i := bytes.Index(b, []byte(`"sealed":"`)) + 60
				b[i] = 'A' + (b[i]-'A'+1)%26
				if err := os.WriteFile(at(journalName), b, 0o600); err != nil {
					t.Fatal(err)
				}
			}, errLine.Error())
		}
		verify(func() { os.WriteFile(at(journalName), []byte("{\n"), 0o600) }, "journal: line 1")
	}
}

// After a change of the master key what was recorded before opens with both in the
// ring, and once its key is wrapped anew with the new one alone.
func TestRewrap(t *testing.T) {
	m, dir := encrypted(t, masterKeys(t, "07"))
	both, fresh := masterKeys(t, "08", "07"), masterKeys(t, "08")
	if _, err := Load(dir, m.Recording, both); err != nil {
		t.Fatal(err)
	}
	if _, err := Rewrap(dir, m.Recording, fresh); !errors.Is(err, seal.ErrMaster) {
		t.Errorf("without the old key: %v", err)
	}
	for i, want := range []bool{true, false} {
		if done, err := Rewrap(dir, m.Recording, both); err != nil || done != want {
			t.Errorf("turn %d: %v, %v", i+1, done, err)
		}
	}
	if faults, err := Verify(t.Context(), dir, m.Recording, fresh); err != nil || len(faults) > 0 {
		t.Errorf("with the new key alone: %v, %v", faults, err)
	}
	if _, err := Load(dir, m.Recording, masterKeys(t, "07")); !errors.Is(err, store.ErrSealed) {
		t.Errorf("with the old key alone: %v", err)
	}
	folder, _ := store.Folder(dir, m.Recording)
	if left, _ := filepath.Glob(filepath.Join(folder, ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A capture that is kept, since some of it could not be decoded, is opened with the
// master key too, and what is made of it anew is sealed as before.
func TestRefinaliseEncrypted(t *testing.T) {
	masters := masterKeys(t, "07")
	gsm := slices.Repeat([][]byte{bytes.Repeat([]byte{0xd5}, 33)}, 50)
	m, dir := recordWith(t, func(c *Config) { c.Masters, c.Encrypt = masters, true },
		offered(both, twoParties), payloads(0, 3, gsm), talk(1, 2, 0, 1), ended(1))
	folder, _ := store.Folder(dir, m.Recording)
	if m.Capture != captureName || m.Verdict != store.Partial {
		t.Fatalf("capture %q, %v", m.Capture, m.Verdict)
	}
	if _, err := os.Stat(filepath.Join(folder, vault.Name(planName, masters.key(t, folder, m.Recording)))); err != nil {
		t.Error(err)
	}
	again, err := Refinalise(t.Context(), dir, m.Recording, nil, masters)
	if err != nil || len(again.Files) != 1 || len(again.Participants) != 2 {
		t.Fatalf("%v, %+v", err, again)
	}
	for _, named := range []string{"bob@", "-bob", `"bob`, "WAVEfmt"} { // three octets alone may stand in a ciphertext by chance
		if bytes.Contains(everything(t, folder), []byte(named)) {
			t.Errorf("%s can be read", named)
		}
	}
	if faults, err := Verify(t.Context(), dir, m.Recording, masters); err != nil || len(faults) > 0 {
		t.Errorf("%v, %v", faults, err)
	}
}

// key is the key of a recording.
func (m *MasterKeys) key(t *testing.T, folder, id string) *seal.Key {
	t.Helper()
	k, err := m.ring().Load(folder, id)
	if err != nil {
		t.Fatal(err)
	}
	return k
}
