package recorder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/recorder/store"
)

var (
	// ErrHeld says that a legal hold is on a recording: nothing erases it.
	ErrHeld = errors.New("a legal hold is on the recording")
	// ErrNotHeld says that there is no such legal hold to be released.
	ErrNotHeld = errors.New("there is no such legal hold on the recording")
	// ErrWho says that it is not told who has something done, or why.
	ErrWho = errors.New("who and why have to be told, each in at most 1000 octets of printable text")
)

// A Who says who has a legal hold put on a recording, or released, and why.
type Who struct {
	By, Reason string // neither may be empty, nor longer than 1000 octets
	At         time.Time
	// Matter tells legal holds on one recording apart, such as the number of a case; it
	// may be empty. [store.PolicyMatter] is that of the hold of a policy.
	Matter string
}

func (w Who) check() error {
	if strings.TrimSpace(w.By) == "" || strings.TrimSpace(w.Reason) == "" {
		return ErrWho
	}
	for _, text := range []string{w.By, w.Reason, w.Matter} {
		if len(text) > 1000 || !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return ErrWho
		}
	}
	return nil
}

// line is the entry of the history.
func (w Who) line(held bool) store.HoldLine {
	return store.HoldLine{At: w.At.UTC(), Held: held, Matter: w.Matter, By: w.By, Reason: w.Reason}
}

// Hold puts a legal hold on a recording below dir, finished or not: nothing erases it
// until every hold on it is released, and the instant at which it was to be deleted is
// suspended. It is durable when Hold returns. A hold for the same matter that is there
// already stays as it is. What a caller's no makes void is erased all the same.
//
// Errors are [ErrWho], those of [store.Folder], fs.ErrNotExist when there is no such
// recording, and [store.ErrErased] when it comes too late.
func Hold(dir, id string, w Who) error {
	return changeHolds(dir, id, w, func(m store.Manifest, all store.Holds) (store.Holds, error) {
		for _, l := range all.InForce(m.Retention) {
			if l.Matter == w.Matter {
				return nil, nil
			}
		}
		return append(all, w.line(true)), nil
	})
}

// Release releases the legal hold for a matter. When it was the last, what the policy
// says of the recording holds again: if the instant at which it was to be deleted has
// passed, it is deleted when policies run next. Errors are those of [Hold], and
// [ErrNotHeld].
func Release(dir, id string, w Who) error {
	return changeHolds(dir, id, w, func(m store.Manifest, all store.Holds) (store.Holds, error) {
		var there []string
		for _, l := range all.InForce(m.Retention) {
			there = append(there, fmt.Sprintf("%q", l.Matter))
		}
		if slices.Contains(there, fmt.Sprintf("%q", w.Matter)) {
			return append(all, w.line(false)), nil
		}
		if len(there) == 0 {
			return nil, ErrNotHeld
		}
		return nil, fmt.Errorf("%w for the matter %q, only for %s", ErrNotHeld, w.Matter, strings.Join(there, ", "))
	})
}

// changeHolds writes the history of legal holds that change makes of the one before; nil
// leaves it. Nobody erases the recording meanwhile.
func changeHolds(dir, id string, w Who, change func(store.Manifest, store.Holds) (store.Holds, error)) (err error) {
	if err := w.check(); err != nil {
		return fmt.Errorf("%s: %w", id, err)
	}
	folder, err := store.Folder(dir, id)
	if err != nil {
		return err
	}
	if _, err := os.Stat(folder); err != nil {
		return fmt.Errorf("load recording: %w", err)
	}
	unlock, err := store.Lock(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	m, err := store.Load(dir, id) // one that cannot be read may be held as well
	if errors.Is(err, store.ErrErased) || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	all, err := store.LoadHolds(folder)
	if err != nil {
		return err
	}
	changed, err := change(m, all)
	if err != nil {
		return fmt.Errorf("%s: %w", id, err)
	}
	if changed == nil {
		return nil
	}
	if err := changed.Write(folder); err != nil {
		return err
	}
	return store.OpenIndex(dir).Note(id)
}

// heldBy returns [ErrHeld], with the matters, when a legal hold is on a recording. That
// the holds cannot be read is an error too.
func heldBy(folder string, m store.Manifest) error {
	all, err := store.LoadHolds(folder)
	if err != nil {
		return err
	}
	inForce := all.InForce(m.Retention)
	if len(inForce) == 0 {
		return nil
	}
	var matters []string
	for _, l := range inForce {
		if l.Matter != "" {
			matters = append(matters, fmt.Sprintf("%q", l.Matter))
		}
	}
	if len(matters) == 0 {
		return ErrHeld
	}
	return fmt.Errorf("%w, for %s", ErrHeld, strings.Join(matters, ", "))
}

// spare keeps a recording that is void because consent was taken back, if a legal hold is on
// it, or it cannot be told whether one is: it is erased when that is released. What is void
// for any other reason no hold keeps.
func (rec *recording) spare() {
	if rec.spared || rec.tomb != nil || rec.in.verdicts == nil || !rec.in.verdicts.OnlyWithdrawn() {
		return
	}
	if err := heldBy(rec.folder, store.Manifest{}); err != nil {
		rec.spared = true
		rec.flag(flagWithdrawn)
	}
}

// Hold is [Hold] in the folder of this recorder.
func (r *Recorder) Hold(id string, w Who) error {
	return r.holdsChanged(NoticeHeld, id, w, Hold(r.cfg.Dir, id, w))
}

// Release is [Release] in the folder of this recorder.
func (r *Recorder) Release(id string, w Who) error {
	return r.holdsChanged(NoticeReleased, id, w, Release(r.cfg.Dir, id, w))
}

// holdsChanged tells that a legal hold was put on a recording, or released.
func (r *Recorder) holdsChanged(what, id string, w Who, err error) error {
	if err != nil {
		return err
	}
	r.cfg.Log.Info("legal hold is "+map[string]string{NoticeHeld: "put on a recording", NoticeReleased: "released"}[what], zap.String("recording", id))
	n := noticeOf(what, w.At, r.outline(id))
	n.Owner = tokenOf(w.By)
	r.notify(n)
	return nil
}

// outline is what the open part of a manifest says; of a recording without one, its id.
func (r *Recorder) outline(id string) store.Manifest {
	m, err := store.Load(r.cfg.Dir, id)
	if err != nil {
		return store.Manifest{Recording: id}
	}
	return m
}

// Erase is [Erase] in the folder of this recorder.
func (r *Recorder) Erase(id string, e Erasure) (store.Tombstone, error) {
	m := r.outline(id)
	tomb, err := Erase(r.cfg.Dir, id, e)
	if err != nil {
		return tomb, err
	}
	r.cfg.Log.Info("recording is erased: it was commanded", zap.String("recording", id))
	n := noticeOf(NoticeErased, e.At, m)
	n.Owner, n.Reason = tokenOf(e.By), "command"
	r.notify(n)
	return tomb, nil
}
