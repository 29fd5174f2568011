package recorder

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/recorder/internal/seal"
	"github.com/siprecd/siprecd/recorder/internal/vault"
	"github.com/siprecd/siprecd/recorder/store"
)

// An Erasure says who has a recording erased and why.
type Erasure struct {
	By, Reason string
	At         time.Time
}

// What is not reached by erasing, in the words of a tombstone.
const (
	limitCopies = "copies made before (exports, backups, snapshots of the file system) are not reached"
	limitPlain  = "what was in the clear was unlinked, and overwritten once before where it is counted so: a file system that writes elsewhere what is overwritten, and the spare blocks of a disk, may keep it"
	limitSealed = "what was sealed was unlinked after its key was overwritten once and unlinked: a file system that writes elsewhere what is overwritten, and the spare blocks of a disk, may keep both"
	limitMaster = "the key was wrapped: what may be left of it opens only with the master key"
)

// Erase erases a finished recording below dir: its key is destroyed first, then
// every file that holds audio or says anything of people is removed, overwritten
// once before where it was in the clear; of manifest and journal stays what tells
// nothing of people. The tombstone that it returns stays in the folder too. What
// was cut off is taken up again by erasing again, under the reason of then.
//
// The history of legal holds stays as well. A recording that is not finished is refused
// with [store.ErrUnfinished] while a server has dir: what is being recorded ends first.
// Where none has, it was cut off, and is erased as well. One with a legal hold is refused
// with [ErrHeld].
func Erase(dir, id string, e Erasure) (store.Tombstone, error) {
	tomb, _, err := eraseIf(dir, id, heldBy, func(store.Manifest) (Erasure, error) { return e, nil })
	return tomb, err
}

// eraseVoid is [Erase] of what is void for a reason from which no legal hold keeps it.
func eraseVoid(dir, id string, e Erasure) (store.Tombstone, error) {
	never := func(string, store.Manifest) error { return nil }
	tomb, _, err := eraseIf(dir, id, never, func(store.Manifest) (Erasure, error) { return e, nil })
	return tomb, err
}

// eraseIf erases a recording by what may says of its manifest, which is asked when nobody
// else changes the recording any more, and it is not held. done is false when nothing was
// done, since it had been erased before.
func eraseIf(dir, id string, held func(folder string, m store.Manifest) error, may func(store.Manifest) (Erasure, error)) (tomb store.Tombstone, done bool, err error) {
	folder, err := store.Folder(dir, id)
	if err != nil {
		return tomb, false, err
	}
	if _, err := os.Stat(folder); err != nil {
		return tomb, false, fmt.Errorf("load recording: %w", err)
	}
	unlock, err := store.Lock(dir)
	if err != nil {
		return tomb, false, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	m, err := store.Load(dir, id)
	switch {
	case errors.Is(err, store.ErrErased):
		tomb, err := store.LoadTombstone(folder)
		if err != nil || tomb.Complete {
			return tomb, false, err
		}
		tomb, err = erase(folder, m, tomb)
		noteErased(dir, id)
		return tomb, true, err
	case errors.Is(err, store.ErrUnfinished):
		lock, alone := takeAlone(dir)
		if !alone {
			return tomb, false, err
		}
		defer lock.Close()
		if !locks {
			return tomb, false, err
		}
		m = store.Manifest{Recording: id}
	case err != nil:
		return tomb, false, err
	}
	if err := held(folder, m); err != nil {
		return tomb, false, fmt.Errorf("erase %s: %w", id, err)
	}
	e, err := may(m)
	if err != nil {
		return tomb, false, fmt.Errorf("erase %s: %w", id, err)
	}
	tomb, err = erase(folder, m, store.Tombstone{Recording: id, At: e.At.UTC(), By: e.By, Reason: e.Reason})
	noteErased(dir, id)
	return tomb, true, err
}

// noteErased has the index say that a recording is erased. Where that fails its folder
// tells it.
func noteErased(dir, id string) { _ = store.OpenIndex(dir).Note(id) }

// eraseAgain ends what was cut off when recordings were erased, and says so.
func (r *Recorder) eraseAgain() error {
	ids, err := store.HalfErased(r.cfg.Dir)
	if err != nil {
		return err
	}
	for _, id := range ids {
		_, err := Erase(r.cfg.Dir, id, Erasure{At: r.cfg.Now()})
		if err != nil {
			r.cfg.Log.Error("recording could not be erased whole", zap.String("recording", id), zap.Error(err))
			continue
		}
		r.cfg.Log.Info("recording is erased: that had been cut off", zap.String("recording", id))
	}
	return nil
}

// reasonVoid is why a void recording is erased, in the words of a tombstone.
const reasonVoid = "consent: all of it is void"

// What became of a key, in the words of a tombstone.
const (
	keyDestroyed = "destroyed"
	keyGone      = "there was none any more"
)

// erase does what a tombstone says and completes it.
func erase(folder string, m store.Manifest, tomb store.Tombstone) (store.Tombstone, error) {
	if len(tomb.Limits) == 0 {
		limits, err := limitsOf(folder, m)
		if err != nil {
			return tomb, fmt.Errorf("erase %s: %w", tomb.Recording, err)
		}
		tomb.Limits = limits
	}
	// From here on nobody reads the recording any more, whatever happens.
	if err := store.WriteTombstone(folder, tomb); err != nil {
		return tomb, err
	}
	err := errors.Join(destroyKey(folder, &tomb), remove(folder, &tomb))
	if err == nil {
		err = redact(folder, m, &tomb)
	}
	if err == nil {
		tomb.Complete = true
	}
	if err := errors.Join(err, store.WriteTombstone(folder, tomb)); err != nil {
		return tomb, fmt.Errorf("erase %s: %w", tomb.Recording, err)
	}
	return tomb, nil
}

// limitsOf says what erasing does not reach.
func limitsOf(folder string, m store.Manifest) ([]string, error) {
	limits := []string{limitCopies}
	wrapped, err := seal.Wrapped(folder)
	if err != nil && !errors.Is(err, seal.ErrDestroyed) && !errors.Is(err, seal.ErrKey) {
		return nil, err
	}
	if m.Storage != store.Encrypted {
		limits = append(limits, limitPlain)
	}
	if err == nil {
		limits = append(limits, limitSealed)
	}
	if wrapped {
		limits = append(limits, limitMaster)
	}
	return limits, nil
}

func destroyKey(folder string, tomb *store.Tombstone) error {
	if _, err := os.Lstat(filepath.Join(folder, seal.FileName)); errors.Is(err, fs.ErrNotExist) {
		if tomb.Key == "" {
			tomb.Key = keyGone
		}
		return nil
	}
	if err := seal.Destroy(folder); err != nil {
		return err
	}
	tomb.Key = keyDestroyed
	return nil
}

// remove removes what does not stay. It goes on after an error.
func remove(folder string, tomb *store.Tombstone) (err error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch e.Name() {
		case store.ManifestName, store.TombstoneName, store.HoldsName, journalName, seal.FileName:
			continue
		}
		err = errors.Join(err, removeOne(filepath.Join(folder, e.Name()), tomb))
	}
	return errors.Join(err, store.SyncDir(folder))
}

// dropIfErased removes what was made in a folder while its recording was erased, and says
// that it was.
func dropIfErased(dir, id, folder string) error {
	_, err := store.Load(dir, id)
	if errors.Is(err, store.ErrErased) {
		return errors.Join(err, remove(folder, new(store.Tombstone)))
	}
	return err
}

func removeOne(path string, tomb *store.Tombstone) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // somebody else's temporary file
	}
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return os.RemoveAll(path)
	}
	// What cannot be overwritten, for want of room above all, is removed all the same.
	overwritten := !vault.IsSealed(path) && filepath.Base(path) != captureName && overwrite(path) == nil
	if err := os.Remove(path); err != nil {
		return err
	}
	tomb.Unlinked++
	tomb.Octets += info.Size()
	if overwritten {
		tomb.Overwritten++
	}
	return nil
}

// overwrite fills a file with zeros, durably. Holes stay holes.
func overwrite(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	buf, zeros := make([]byte, 64<<10), make([]byte, 64<<10)
	for at := int64(0); ; {
		n, readErr := f.ReadAt(buf, at)
		if !bytes.Equal(buf[:n], zeros[:n]) {
			_, err = f.WriteAt(zeros[:n], at)
		}
		if at += int64(n); err != nil || readErr != nil {
			break
		}
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// redact leaves of manifest and journal what tells nothing of people.
func redact(folder string, m store.Manifest, tomb *store.Tombstone) error {
	m = store.WithoutPeople(m)
	m.Recording, m.Files, m.Metadata, m.Capture = tomb.Recording, []store.File{}, []store.Document{}, ""
	b, err := store.Encode(m)
	if err != nil {
		return err
	}
	if err := replace(filepath.Join(folder, store.ManifestName), b); err != nil {
		return err
	}
	lines, err := journalLines(folder, nil)
	if err != nil {
		lines = nil // damaged: what it says of people cannot be told from the rest
	}
	b = nil
	if n := len(lines); n == 0 || lines[n-1].Event != lineErased {
		lines = append(lines, journalLine{At: tomb.At, Event: lineErased, Reason: tomb.Reason})
	}
	for _, l := range lines {
		line, err := json.Marshal(l.withoutPeople())
		if err != nil {
			return err
		}
		b = append(append(b, line...), '\n')
	}
	if err := replace(filepath.Join(folder, journalName), b); err != nil {
		return err
	}
	tomb.Redacted = []string{store.ManifestName, journalName}
	return nil
}

// replace writes a file anew and overwrites what it was.
func replace(path string, data []byte) error {
	old, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil {
		defer old.Close()
	}
	if err := store.WriteFile(path, data); err != nil || old == nil {
		return err
	}
	info, err := old.Stat()
	if err != nil {
		return err
	}
	if _, err := old.WriteAt(make([]byte, info.Size()), 0); err != nil {
		return err
	}
	return old.Sync()
}

// discard removes the audio of a void recording, before anything else is made of it.
// It may be called again after an error.
func (rec *recording) discard(at time.Time) (store.Tombstone, error) {
	tomb, err := store.LoadTombstone(rec.folder)
	if errors.Is(err, fs.ErrNotExist) {
		tomb = store.Tombstone{Recording: string(rec.id), At: at.UTC(), By: "policy " + rec.in.policy.Version(), Reason: reasonVoid}
		tomb.Limits, err = limitsOf(rec.folder, store.Manifest{Storage: rec.storage()})
	}
	if err == nil {
		err = store.WriteTombstone(rec.folder, tomb)
	}
	if err != nil {
		return tomb, err
	}
	err = destroyKey(rec.folder, &tomb)
	rec.secret.Key.Wipe()
	if err == nil {
		err = removeOne(filepath.Join(rec.folder, captureName), &tomb)
	}
	// What was done is told, also when it is done again.
	return tomb, errors.Join(err, store.WriteTombstone(rec.folder, tomb))
}

// bury finishes a void recording: what is left of it are a manifest and a journal that
// tell nothing of people, and the tombstone.
func (rec *recording) bury(by finishing, m store.Manifest, tomb store.Tombstone) error {
	m = store.WithoutPeople(m)
	m.Storage = store.Plain // nothing is left that is sealed
	if err := by.disk.Finish(rec.folder, m, nil); err != nil {
		return err
	}
	// A legal hold does not keep what the caller's no forbids.
	if _, err := erase(rec.folder, m, tomb); err != nil {
		rec.log.Error("void recording could not be erased whole: erase it again", zap.Error(err))
	}
	return nil
}
