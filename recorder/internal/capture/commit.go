package capture

import (
	"errors"
	"os"
	"time"
)

// wrote notes that a file was written to since it was made durable last.
func (s *Spool) wrote(w *Writer) {
	s.dirtyMu.Lock()
	defer s.dirtyMu.Unlock()
	if w.dirty {
		return
	}
	w.dirty = true
	if s.dirty = append(s.dirty, w); len(s.dirty) == 1 {
		signal(s.written)
	}
}

// runCommit makes what was written durable, at most once in an interval, and
// sleeps while nothing is written.
func (s *Spool) runCommit() {
	timer := time.NewTimer(s.opt.Commit)
	defer timer.Stop()
	for {
		select {
		case <-s.written:
		case <-s.stop:
			return
		}
		timer.Reset(s.opt.Commit)
		select {
		case <-timer.C:
		case <-s.stop:
			return
		}
		s.commit()
	}
}

// commit makes what was written so far durable. One that fails is tried again, also
// when nothing more is written: while it fails nothing new begins.
func (s *Spool) commit() {
	s.dirtyMu.Lock()
	files := make([]output, len(s.dirty))
	for i, w := range s.dirty {
		files[i], w.dirty = w.out, false
	}
	clear(s.dirty) // else they would be held until as many are written to again
	s.dirty = s.dirty[:0]
	s.dirtyMu.Unlock()
	err := s.sync(s.dir, files)
	s.trouble(&s.uncommitted, err)
	if err != nil {
		signal(s.written)
	}
}

// syncEach makes files durable, one after another. One that was closed meanwhile
// is finished by whoever closed it.
func syncEach(files []output) error {
	var first error
	for _, f := range files {
		if err := f.Sync(); err != nil && !errors.Is(err, os.ErrClosed) && first == nil {
			first = err
		}
	}
	return first
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is awake already
	}
}
