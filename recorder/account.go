package recorder

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/siprecd/siprecd/metadata"
	"github.com/siprecd/siprecd/recorder/account"
	"github.com/siprecd/siprecd/recorder/internal/seal"
	"github.com/siprecd/siprecd/recorder/internal/vault"
	"github.com/siprecd/siprecd/recorder/store"
)

// longSilent is how long a recording that is not finished may have written nothing and
// still be told up to now: beyond it, it is taken to be cut off.
const longSilent = time.Hour

// Account tells what became of a recording below dir, finished or not: of one that goes
// on up to now, by its journal alone; of one that was erased what is left. Errors are
// those of [Load] but that there is no manifest; one wraps [account.ErrNothing] when
// nothing was written down yet.
func Account(dir, id string, masters *MasterKeys, now time.Time) (account.Account, error) {
	var none account.Account
	folder, err := store.Folder(dir, id)
	if err != nil {
		return none, err
	}
	e := account.Evidence{Finished: true}
	e.Manifest, err = Load(dir, id, masters)
	switch {
	case errors.Is(err, store.ErrUnfinished):
		e.Finished = false
	case errors.Is(err, store.ErrErased):
		t, err := store.LoadTombstone(folder)
		if err != nil {
			return none, err
		}
		e.Erased, e.Finished = &t, !e.Manifest.Times.Invite.IsZero()
	case err != nil:
		return none, err
	}
	e.Manifest.Recording = id
	if e.Erased != nil {
		e.Journal, err = readLinesOf(folder, func() (*seal.Key, error) { return nil, nil }) // its key is gone
	} else {
		e.Journal, err = ReadJournal(dir, id, masters)
	}
	if err != nil {
		return none, err
	}
	if !e.Finished && e.Erased == nil {
		e.Seen = lastWritten(folder)
		if e.Now = now; now.Sub(e.Seen) > longSilent {
			e.Now = e.Seen
		}
	}
	if err := addBeside(&e, dir, masters); err != nil {
		return none, err
	}
	e.People = append(e.People, peopleOf(folder, id, masters, e.Journal)...)
	addVersion(&e, dir)
	a, err := account.Of(e)
	if err != nil {
		return none, fmt.Errorf("recording %s: %w", id, err)
	}
	return a, nil
}

// ReadJournal reads the journal of a recording below dir, finished or not; of an
// encrypted one the whole, for which the error wraps [store.ErrSealed] when masters do
// not open it. A torn last line is left out. There may be no journal.
func ReadJournal(dir, id string, masters *MasterKeys) ([]account.Line, error) {
	folder, err := store.Folder(dir, id)
	if err != nil {
		return nil, err
	}
	return readLinesOf(folder, func() (*seal.Key, error) { return store.Key(folder, id, masters.ring()) })
}

// readLinesOf reads a journal, and asks for the key when a line is sealed; with none it
// leaves that line as it is.
func readLinesOf(folder string, key func() (*seal.Key, error)) ([]account.Line, error) {
	b, err := os.ReadFile(filepath.Join(folder, journalName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	var out []account.Line
	var opener lineOpener
	for text := range bytes.Lines(b) {
		if !bytes.HasSuffix(text, []byte("\n")) {
			break // torn
		}
		var l account.Line
		err := json.Unmarshal(text, &l)
		if err == nil && len(l.Sealed) > 0 && opener.key == nil {
			if opener.key, err = key(); err != nil {
				return out, err
			}
		}
		if err == nil {
			l, err = wholeLine(&opener, l)
		}
		if err != nil {
			return out, fmt.Errorf("read journal: line %d: %w", len(out)+1, err)
		}
		out = append(out, l)
	}
	return out, nil
}

// wholeLine is a line with what was sealed of it, if there is a key.
func wholeLine(opener *lineOpener, l account.Line) (account.Line, error) {
	b, err := opener.unseal(l.Sealed)
	if b == nil || err != nil {
		return l, err
	}
	var whole account.Line
	err = json.Unmarshal(b, &whole)
	return whole, err
}

// lastWritten is when something of a recording was written last.
func lastWritten(folder string) (last time.Time) {
	for _, name := range []string{journalName, captureName} {
		if info, err := os.Stat(filepath.Join(folder, name)); err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	return last
}

// addBeside adds to the evidence of a user recording the journal of the policy recording,
// unless that is gone.
func addBeside(e *account.Evidence, dir string, masters *MasterKeys) error {
	of := e.Manifest.Of
	for _, l := range e.Journal {
		if l.Of != "" {
			of = l.Of
		}
	}
	if of == "" || e.Erased != nil {
		return nil
	}
	lines, err := ReadJournal(dir, of, masters)
	if err != nil && !errors.Is(err, store.ErrSealed) {
		return err
	}
	e.Beside = lines
	if folder, err := store.Folder(dir, of); err == nil {
		e.People = peopleOf(folder, of, masters, lines)
	}
	return nil
}

// addVersion adds the version of the policy file that decided, if it is still there.
func addVersion(e *account.Evidence, dir string) {
	name := e.Manifest.PolicyFile
	for _, l := range e.Journal {
		if l.PolicyFile != "" {
			name = l.PolicyFile
		}
	}
	if name == "" {
		return
	}
	all, err := Versions(dir)
	if err != nil {
		return // the account says that it is not there
	}
	for _, v := range all {
		if v.Name() == name {
			e.Version = &v
		}
	}
}

// peopleOf reads from the documents of a recording what the parties of its journal are
// called. Those that cannot be read tell nothing.
func peopleOf(folder, id string, masters *MasterKeys, lines []account.Line) []account.Person {
	var key *seal.Key
	in := new(interaction)
	for _, l := range lines {
		if l.Event != lineMetadata || filepath.Base(l.File) != l.File {
			continue
		}
		if vault.IsSealed(l.File) && key == nil {
			var err error
			if key, err = store.Key(folder, id, masters.ring()); err != nil {
				return nil
			}
		}
		body, err := vault.ReadFile(filepath.Join(folder, l.File), key)
		if err == nil {
			in.reads(l, body)
		}
	}
	for _, l := range in.legs {
		in.acquaint(l)
	}
	var out []account.Person
	keys, byKey := in.everybody(nil)
	for _, k := range keys {
		one := byKey[k]
		out = append(out, account.Person{Key: k, ID: one.ID, Title: one.Title(), AORs: one.AORs})
	}
	return out
}

// reads takes a document that was kept of a recording session.
func (in *interaction) reads(line account.Line, body []byte) {
	number := max(line.Leg, 1)
	i := slices.IndexFunc(in.legs, func(l *leg) bool { return l.number == number })
	if i < 0 {
		i, in.legs = len(in.legs), append(in.legs, &leg{number: number, people: newPeople()})
	}
	p := in.legs[i].people
	if !strings.HasPrefix(line.File, "headers-") {
		_, _ = p.take(body, line.At, nil) // the journal says that it cannot be read
		return
	}
	_ = guarded(func() error {
		p.merge(metadata.FromHeaders(headersOf(body), nil), line.At, nil)
		return nil
	})
}

// headersOf reads header fields as they were kept.
func headersOf(body []byte) []metadata.HeaderField {
	var out []metadata.HeaderField
	for line := range strings.Lines(string(body)) {
		if name, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ": "); ok {
			out = append(out, metadata.HeaderField{Name: name, Value: value})
		}
	}
	return out
}
