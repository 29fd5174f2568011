package recorder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/account"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/siprec"
)

// outline is the lanes of an account in a few words.
func outline(a account.Account) string {
	var all []string
	for _, l := range a.Lanes {
		words := l.Title + ":"
		for _, s := range l.Spans {
			words += fmt.Sprintf(" %s %d-%d", s.State, s.FromMS, s.ToMS)
		}
		all = append(all, words)
	}
	return strings.Join(all, "; ")
}

func eventWords(a account.Account) string {
	var all []string
	for _, e := range a.Events {
		all = append(all, e.Words...)
	}
	return strings.Join(all, "\n")
}

// The account of a recording is that of its manifest and its journal, in the clear and
// sealed; erased, it names nobody and nothing is said to be kept.
func TestAccount(t *testing.T) {
	masters := masterKeys(t, "5f")
	sealed, sealedDir := encrypted(t, masters)
	plain, plainDir := recordWith(t, func(*Config) {}, talkOfTwo()...)
	const want = "sip:alice@example.com: kept 0-2000; sip:bob@example.com: kept 0-1000 withheld 1000-2000"
	for name, one := range map[string]struct {
		dir, id string
		masters *MasterKeys
	}{"plain": {plainDir, plain.Recording, nil}, "sealed": {sealedDir, sealed.Recording, masters}} {
		a, err := Account(one.dir, one.id, one.masters, sec(1000))
		if err != nil {
			t.Fatal(name, err)
		}
		if got := outline(a); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		if a.Progress != account.Finished || a.LengthMS != 2000 || len(a.Remarks) > 0 {
			t.Errorf("%s: %s, %d ms, remarks %q", name, a.Progress, a.LengthMS, a.Remarks)
		}
		for _, w := range []string{"the recording session begins (INVITE)", "withheld from here on: sip:bob@example.com: the recording client made the stream inactive (sdp", "the recording session ends: bye", "finished: 2 files"} {
			if !strings.Contains(eventWords(a), w) {
				t.Errorf("%s: events lack %q:\n%s", name, w, eventWords(a))
			}
		}
		said := a.Why(1500, "sip:bob@example.com")
		if len(said) != 1 || !strings.Contains(strings.Join(said[0].Sentences, " "), "It ends when: the same offerer makes it active. It rests on: no setting can lift it, our own rule.") {
			t.Errorf("%s: why: %+v", name, said)
		}
	}
	if _, err := Account(sealedDir, sealed.Recording, nil, sec(1000)); !errors.Is(err, store.ErrSealed) {
		t.Errorf("without the master key: %v", err)
	}
	if _, err := ReadJournal(sealedDir, sealed.Recording, masterKeys(t, "60")); !errors.Is(err, store.ErrSealed) {
		t.Errorf("with another master key: %v", err)
	}
	if _, err := Erase(sealedDir, sealed.Recording, Erasure{By: "Ann", Reason: "request 7", At: sec(500)}); err != nil {
		t.Fatal(err)
	}
	a, err := Account(sealedDir, sealed.Recording, nil, sec(1000))
	if err != nil {
		t.Fatal(err)
	}
	if got := outline(a); got != "stream 0.0: erased 0-2000; stream 1.0: erased 0-1000 withheld 1000-2000" {
		t.Errorf("erased: %s", got)
	}
	if said := a.Why(500, "")[0].Sentences[0]; !strings.Contains(said, "erased at 1970-01-01 00:08:20.000 UTC by Ann: request 7") && !strings.Contains(said, "by Ann: request 7") {
		t.Errorf("erased: %q", said)
	}
}

// While a recording goes on its account is that of the journal, up to now; sealed too.
func TestAccountOfALiveRecording(t *testing.T) {
	masters := masterKeys(t, "5f")
	for _, encrypt := range []bool{false, true} {
		var dir string
		looked := 0
		look := func(*fake) *siprec.Event {
			looked++
			ids, err := store.WithoutManifest(dir)
			if err != nil || len(ids) != 1 {
				t.Fatal(ids, err)
			}
			a, err := Account(dir, ids[0], masters, sec(3))
			if err != nil {
				t.Fatal(err)
			}
			// Written is what the clock of the machine says, long after the call.
			if got := outline(a); a.Progress != account.GoingOn || got != "stream 0.0: allowed 0-3000; stream 1.0: allowed 0-1000 withheld 1000-3000" {
				t.Errorf("%s: %s", a.Progress, got)
			}
			if !slices.ContainsFunc(a.Remarks, func(r string) bool {
				return strings.HasPrefix(r, "the metadata names sip:alice@example.com, sip:bob@example.com;")
			}) {
				t.Errorf("remarks %q", a.Remarks)
			}
			if _, err := Account(dir, ids[0], nil, sec(3)); errors.Is(err, store.ErrSealed) != encrypt {
				t.Errorf("without the master key: %v", err)
			}
			return nil
		}
		hold := []siprec.Stream{mline(0, "1", siprec.SendOnly), mline(1, "2", siprec.Inactive)}
		_, _ = recordWith(t, func(c *Config) { dir, c.Masters, c.Encrypt = c.Dir, masters, encrypt },
			offered(both, twoParties), talk(0, 1, 0, 1), changed(1, hold, twoParties), look, ended(4))
		if looked != 1 {
			t.Errorf("looked %d times", looked)
		}
	}
}

// Under a policy file an account says where the interaction belongs and by which line, and
// why says which line each setting stands in, also while the recording goes on.
func TestAccountUnderAPolicy(t *testing.T) {
	dir := t.TempDir()
	book := openBook(t, dir, ourPeople)
	file := trunkFile("    hold: pause-until-retrieve\n", "")
	publish(t, book, file, sec(-10))
	call := document("complete", twoStreams, sends("p1", "sip:alice@example.com", "s1"), sends("p2", "sip:bob@example.net", "s2"))
	held := document("partial", nil, party{"p2", "sip:bob@example.net", nil})
	ask := func(when string, a account.Account) {
		t.Helper()
		said := a.Why(1500, "sip:alice@example.com")
		if len(said) != 1 {
			t.Fatalf("%s: %+v in %s", when, said, outline(a))
		}
		text := strings.Join(append(said[0].Sentences, a.Under()...), "\n")
		for _, w := range []string{
			"Withheld", "The call is on hold (hold, of sip:alice@example.com), since 0:01.000", "It ends when: he retrieves",
			"setting hold: pause-until-retrieve, as in Vonage V-40 V-41 (line 3, account sales): When an agent puts a call on hold, recording stops until the agent retrieves it.", "Decided under policy file@",
			"as account sales, trunk east, by line 8 of the file", "Interactions that come from 192.0.2.0/24 belong to account sales, trunk east.",
		} {
			if !strings.Contains(text, w) {
				t.Errorf("%s: lacks %q:\n%s", when, w, text)
			}
		}
		text = strings.Join(a.Why(500, "sip:alice@example.com")[0].Sentences, "\n")
		if w := "What decided to record: record: on, of the trunk, as in Genesys G-01.\nRecord: on (line 6, trunk east of account sales): Every call of the trunk"; !strings.Contains(text, w) {
			t.Errorf("%s: lacks %q:\n%s", when, w, text)
		}
	}
	look := func(*fake) *siprec.Event {
		ids, err := store.WithoutManifest(dir)
		if err != nil || len(ids) != 1 {
			t.Fatal(ids, err)
		}
		a, err := Account(dir, ids[0], nil, sec(3))
		if err != nil {
			t.Fatal(err)
		}
		ask("live", a)
		return nil
	}
	m, _, _ := runWith(t, dir, book, nil, offered(both, call), talk(0, 1, 0, 1), changed(1, nil, held), look, ended(4))
	a, err := Account(dir, m.Recording, nil, sec(1000))
	if err != nil {
		t.Fatal(err)
	}
	ask("finished", a)
	if !strings.Contains(eventWords(a), "sip:alice@example.com joins: agent (") || !strings.Contains(eventWords(a), "sip:alice@example.com puts the call on hold") {
		t.Errorf("events:\n%s", eventWords(a))
	}
	if err := os.RemoveAll(filepath.Join(dir, policiesName)); err != nil {
		t.Fatal(err)
	}
	if a, err = Account(dir, m.Recording, nil, sec(1000)); err != nil || !slices.ContainsFunc(a.Remarks, func(r string) bool { return strings.Contains(r, "text of that version") }) {
		t.Errorf("without the versions: %v, %q", err, a.Remarks)
	}
}

// A journal that is torn ends before; one that is damaged is said to be.
func TestReadJournal(t *testing.T) {
	m, dir := recordWith(t, func(*Config) {}, talkOfTwo()...)
	folder, err := store.Folder(dir, m.Recording)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, journalName)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all, err := ReadJournal(dir, m.Recording, nil)
	if err != nil || len(all) != strings.Count(string(whole), "\n") || all[0].Event != lineStarted {
		t.Fatalf("%d lines, %v", len(all), err)
	}
	if err := os.WriteFile(path, whole[:len(whole)-3], 0o600); err != nil {
		t.Fatal(err)
	}
	if torn, err := ReadJournal(dir, m.Recording, nil); err != nil || len(torn) != len(all)-1 {
		t.Errorf("torn: %d lines, %v", len(torn), err)
	}
	if err := os.WriteFile(path, append([]byte("{\n"), whole...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadJournal(dir, m.Recording, nil); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("damaged: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if none, err := ReadJournal(dir, m.Recording, nil); err != nil || none != nil {
		t.Errorf("none: %v, %v", none, err)
	}
	for id, want := range map[string]error{"../../etc": store.ErrID, "20260102T030405Z-abcdefghij": fs.ErrNotExist} {
		if _, err := Account(dir, id, nil, time.Time{}); !errors.Is(err, want) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if _, err := store.Create(dir, "20260102T030405Z-abcdefghij"); err != nil {
		t.Fatal(err)
	}
	if _, err := Account(dir, "20260102T030405Z-abcdefghij", nil, time.Time{}); !errors.Is(err, account.ErrNothing) {
		t.Errorf("of nothing: %v", err)
	}
}

// An account can tell of whatever is written to a journal: a field that is added there is
// added to account.Line.
func TestAccountKnowsTheJournal(t *testing.T) {
	for _, pair := range [][2]reflect.Type{
		{reflect.TypeFor[journalLine](), reflect.TypeFor[account.Line]()}, {reflect.TypeFor[factLine](), reflect.TypeFor[account.Fact]()},
		{reflect.TypeFor[commandLine](), reflect.TypeFor[account.Command]()}, {reflect.TypeFor[Evidence](), reflect.TypeFor[account.Proof]()},
	} {
		known := make(map[string]bool)
		for i := range pair[1].NumField() {
			known[nameInJSON(pair[1].Field(i))] = true
		}
		for i := range pair[0].NumField() {
			if name := nameInJSON(pair[0].Field(i)); !known[name] {
				t.Errorf("%v does not know %q of %v: an account would not tell of it", pair[1], name, pair[0])
			}
		}
	}
}

func nameInJSON(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}
