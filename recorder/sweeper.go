package recorder

import (
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/recorder/store"
)

const (
	// sweepRest is the least time between two sweeps, when recordings are deleted right
	// after the call.
	sweepRest = time.Second
	// lookAgain is how often the index is compared with the folders.
	lookAgain = 24 * time.Hour
)

// A sweeper erases the recordings of a recorder whose time has come. It is owned by one
// goroutine.
type sweeper struct {
	*Recorder
	list *store.Index // of its own: who notes the end of a recording does not wait for it
	// due is when recordings are to be deleted, as far as known. Whether they are, their
	// manifests and legal holds say when it is time.
	due    map[string]time.Time
	looked time.Time // when the index was compared with the folders; zero for not yet
}

func newSweeper(r *Recorder) *sweeper { return &sweeper{Recorder: r, list: store.OpenIndex(r.cfg.Dir)} }

// sweeping sweeps at once and then at intervals, until Close is called.
func (r *Recorder) sweeping() {
	w := newSweeper(r)
	timer := time.NewTimer(r.cfg.Sweep)
	defer timer.Stop()
	for {
		w.sweep()
		timer.Reset(r.cfg.Sweep)
		select {
		case <-timer.C:
		case <-r.dueNow:
			if !r.rest(min(sweepRest, r.cfg.Sweep)) {
				return
			}
		case <-r.stopping.Done():
			return
		}
	}
}

// sweep erases what is due now, one recording after the other, and rests after each for
// as long as it took: recording goes first. While the disk fails it waits.
func (w *sweeper) sweep() {
	now := w.cfg.Now()
	if err := w.learn(now); err != nil {
		w.cfg.Log.Error("what is to be deleted cannot be told, it is tried again", zap.Error(err))
		return
	}
	failed := 0
	for _, id := range w.ripe(now) {
		if w.stopping.Err() != nil || w.Failing() != "" {
			break
		}
		began := time.Now()
		if !w.take(id, now) {
			failed++
		}
		if !w.rest(min(time.Since(began), time.Second)) {
			break
		}
	}
	if failed > 0 {
		w.cfg.Log.Error("recordings whose time has come could not be erased whole, it is tried again", zap.Int("recordings", failed))
	}
}

// learn takes what was noted in the index since. At first, once a day, and whenever the
// index may not tell everything, it is compared with the folders.
func (w *sweeper) learn(now time.Time) error {
	later, whole, err := w.list.Since()
	if err != nil {
		return err
	}
	age := now.Sub(w.looked)
	if !whole && !w.indexBehind.Swap(false) && !w.looked.IsZero() && age >= 0 && age < lookAgain {
		for _, e := range later {
			w.expect(e)
		}
		return nil
	}
	all, err := w.list.Entries(w.stopping)
	if err != nil {
		w.indexBehind.Store(true)
		return err
	}
	if all.Unsaved != nil {
		w.cfg.Log.Error("index of recordings cannot be written", zap.Error(all.Unsaved))
	}
	w.due, w.looked = make(map[string]time.Time), now
	for _, e := range all.Entries {
		w.expect(e)
	}
	return nil
}

// expect takes note of when a recording is to be deleted.
func (w *sweeper) expect(e store.Entry) {
	if mayBeDue(e) {
		w.due[e.ID] = e.DeleteAt
	} else {
		delete(w.due, e.ID)
	}
}

// ripe are the recordings whose time has come, what has waited longest first.
func (w *sweeper) ripe(now time.Time) []string {
	var out []string
	for id, at := range w.due {
		if !now.Before(at) {
			out = append(out, id)
		}
	}
	slices.SortFunc(out, func(a, b string) int { return w.due[a].Compare(w.due[b]) })
	return out
}

// take erases a recording if it is due, and reports whether that, or leaving it, went
// well. One under a legal hold is due again when that is released: the index tells.
func (w *sweeper) take(id string, now time.Time) bool {
	s, done := eraseDue(w.cfg.Dir, id, now)
	if s.Err != nil && done {
		// The error may name a file, and that a person.
		w.cfg.Log.Debug("recording could not be erased whole", zap.String("recording", id), zap.Error(s.Err))
		return false
	}
	delete(w.due, id)
	switch {
	case done:
		w.cfg.Log.Info("recording is erased: its time has come", zap.String("recording", id), zap.String("reason", s.Tombstone.Reason))
		n := noticeOf(NoticeErased, now, s.manifest)
		n.Owner, n.Reason, n.Words = byRetention, "retention", s.Tombstone.Reason
		w.notify(n)
	case s.DeleteAt.After(now):
		w.due[id] = s.DeleteAt // the index was wrong
	}
	return true
}

// listed has the index tell of a recording that is finished, and the sweeper come when it
// is to be deleted at once.
func (r *Recorder) listed(m store.Manifest) {
	note := func() error { return r.index.NoteFinished(m) }
	if m.Void {
		note = func() error { return r.index.Note(m.Recording) }
		n := noticeOf(NoticeErased, r.cfg.Now(), m)
		n.Reason = "void"
		r.notify(n)
	}
	if err := note(); err != nil {
		r.indexBehind.Store(true)
		r.cfg.Log.Error("recording is missing in the index until the folders are looked at again", zap.String("recording", m.Recording), zap.Error(err))
	}
	if ret := m.Retention; ret != nil && !ret.DeleteAt.IsZero() && !r.cfg.Now().Before(ret.DeleteAt) {
		select {
		case r.dueNow <- struct{}{}:
		default:
		}
	}
}

// noticeOf begins a notice about a recording by its manifest.
func noticeOf(what string, at time.Time, m store.Manifest) Notice {
	n := Notice{At: at, Type: what, Recording: m.Recording, CallID: m.CallID}
	if m.Belonging != nil {
		n.Account, n.Trunk = m.Belonging.Account, m.Belonging.Trunk
	}
	return n
}
