package recorder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/siprecd/siprecd/recorder/store"
)

// byRetention is who erases what its time has come for, in a tombstone.
const byRetention = "retention"

var (
	// ErrInUse says that a server has the folder of recordings.
	ErrInUse = errors.New("a server has this folder of recordings")

	errNotDue = errors.New("its time has not come")
)

// A Swept is a recording whose time has come.
type Swept struct {
	ID       string
	DeleteAt time.Time
	Why      string // the version of the policy, and its period
	// Tombstone says what was done; it is zero in a dry run, and after an error.
	Tombstone store.Tombstone
	Err       error

	manifest store.Manifest
}

// Sweep erases the recordings below dir whose time has come at an instant by what their
// manifests say, each is told to each; and ends erasing that was cut off, which is not
// told. Those under a legal hold stay. It may be repeated, or cut off, at any time. A
// recording that cannot be erased does not keep it from others. The error is [ErrInUse]
// while a server has the folder, which sweeps by itself, or says that nothing could be
// looked at.
func Sweep(ctx context.Context, dir string, at time.Time, each func(Swept)) error {
	if _, err := os.Stat(dir); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	lock, alone := takeAlone(dir)
	if !alone {
		return fmt.Errorf("sweep: %w", ErrInUse)
	}
	lock.Close() // a server that starts meanwhile has to have it; it may sweep beside this
	half, err := store.HalfErased(dir)
	if err != nil {
		return err
	}
	for _, id := range half {
		if _, err := Erase(dir, id, Erasure{At: at}); err != nil {
			each(Swept{ID: id, Err: err})
		}
	}
	return forEachDue(ctx, dir, at, func(id string) {
		if s, done := eraseDue(dir, id, at); done {
			each(s)
		}
	})
}

// SweepDry tells what [Sweep] would erase, also while a server has the folder, and at an
// instant that has not come.
func SweepDry(ctx context.Context, dir string, at time.Time, each func(Swept)) error {
	return forEachDue(ctx, dir, at, func(id string) {
		s := Swept{ID: id}
		folder, err := store.Folder(dir, id)
		var m store.Manifest
		if err == nil {
			m, err = store.Load(dir, id)
		}
		if err == nil {
			err = heldBy(folder, m)
		}
		if err == nil {
			err = s.judge(m, at)
		}
		if s.Err = err; !passedOver(err) {
			each(s)
		}
	})
}

// forEachDue calls do for what the index says is due, what has waited longest first.
func forEachDue(ctx context.Context, dir string, at time.Time, do func(id string)) error {
	list, err := store.OpenIndex(dir).Entries(ctx)
	if err != nil {
		return err
	}
	due := slices.DeleteFunc(list.Entries, func(e store.Entry) bool { return !mayBeDue(e) || at.Before(e.DeleteAt) })
	slices.SortStableFunc(due, func(a, b store.Entry) int { return a.DeleteAt.Compare(b.DeleteAt) })
	for _, e := range due {
		if err := ctx.Err(); err != nil {
			return err
		}
		do(e.ID)
	}
	return nil
}

// mayBeDue reports whether a recording is to be deleted at some time. Whether a legal
// hold is on it, its folder tells.
func mayBeDue(e store.Entry) bool { return e.State == store.Finished && !e.DeleteAt.IsZero() }

// eraseDue erases a recording if its manifest says that it is to be deleted by now. done
// is false when there is nothing to tell of.
func eraseDue(dir, id string, now time.Time) (s Swept, done bool) {
	s.ID = id
	s.Tombstone, done, s.Err = eraseIf(dir, id, heldBy, func(m store.Manifest) (Erasure, error) {
		err := s.judge(m, now)
		return Erasure{By: byRetention, Reason: s.Why, At: now}, err
	})
	if passedOver(s.Err) {
		return s, false
	}
	return s, done || s.Err != nil
}

// passedOver reports whether a recording stays, or is gone, as it should.
func passedOver(err error) bool {
	for _, fine := range []error{errNotDue, ErrHeld, store.ErrErased, fs.ErrNotExist} {
		if errors.Is(err, fine) {
			return true
		}
	}
	return false
}

// judge says when and why a recording is to be deleted, or returns [errNotDue].
func (s *Swept) judge(m store.Manifest, now time.Time) error {
	if m.Retention == nil || m.Retention.DeleteAt.IsZero() {
		return errNotDue
	}
	s.DeleteAt, s.manifest = m.Retention.DeleteAt, m
	if now.Before(s.DeleteAt) {
		return errNotDue
	}
	s.Why = fmt.Sprintf("policy %s: %s", cmp.Or(m.PolicyFile, m.Policy, "unknown"), period(m))
	return nil
}

// period is for how long a recording was to be kept.
func period(m store.Manifest) string {
	if slices.Contains(m.Flags, flagWithdrawn) {
		return "consent was taken back, and no legal hold is left"
	}
	days := int(m.Retention.DeleteAt.Sub(m.Times.End).Round(24*time.Hour) / (24 * time.Hour))
	what := "recordings"
	if m.Of != "" {
		what = "recordings that users made"
	}
	switch days {
	case 0:
		return what + " are deleted after the call"
	case 1:
		return what + " are kept for 1 day"
	default:
		return fmt.Sprintf("%s are kept for %d days", what, days)
	}
}
