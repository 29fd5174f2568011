package capture

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Finish is Close, but while the disk fails it lets what waits be written first, until
// ctx is done; so it does with what a line of the journal may still permit, which
// pending reports.
func (w *Writer) Finish(ctx context.Context, pending func() bool) error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	for ctx.Err() == nil {
		hope := pending()
		if permitted, others := w.flushAll(); permitted == 0 && (others == 0 || !hope) {
			break
		}
		again := time.NewTimer(retryAfter)
		select {
		case <-again.C:
		case <-ctx.Done():
		}
		again.Stop()
	}
	return w.Close()
}

// flushAll writes all that may be written and returns how many pages are left, that
// may be written and that may not.
func (w *Writer) flushAll() (permitted, others int) {
	scratch := w.spool.borrow()
	defer func() { w.spool.giveBack(scratch) }()
	w.disk.lock()
	if !w.shut && w.out != nil {
		w.flush(&scratch, w.spool.opt.Now(), true)
	}
	w.disk.unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.queue {
		if p.decision <= w.released && w.out != nil {
			permitted++
		}
	}
	return permitted, w.pages() - permitted
}

// Close writes what is left and may be written, wipes the rest and closes the
// file. It returns the first failure by which packets were lost or the file
// harmed, also when it is called again.
func (w *Writer) Close() error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	scratch := w.spool.borrow()
	defer func() { w.spool.giveBack(scratch) }()
	w.disk.lock()
	defer w.disk.unlock()
	if w.shut {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.err
	}
	w.shut = true
	var err error
	if w.out != nil {
		w.flush(&scratch, w.spool.opt.Now(), true)
		err = w.shutFile()
	}
	w.spool.trouble(&w.failing, nil)

	w.mu.Lock()
	defer w.mu.Unlock()
	lost := w.dropped
	w.discard()
	if err != nil {
		w.note(err)
	} else if w.dropped == 0 {
		w.err = nil // what failed was written later
	}
	if w.dropped > lost && w.err == nil {
		w.err = errors.New("the journal permits no more: packets are dropped")
	}
	return w.err
}

// shutFile closes the file, without the rest of a page that failed.
func (w *Writer) shutFile() error {
	err := w.finishErasing()
	if err == nil {
		err = w.out.Truncate(w.offset)
	}
	if err != nil {
		err = fmt.Errorf("close capture: %w", err)
	}
	if e := w.out.Close(); e != nil && err == nil {
		err = fmt.Errorf("close capture: %w", e)
	}
	return err
}

// discard drops the pages that are left.
func (w *Writer) discard() {
	for i := range w.streams {
		if p := w.streams[i].page; p != nil {
			w.queue, w.streams[i].page = append(w.queue, p), nil
		}
	}
	for _, p := range w.queue {
		w.dropped += p.packets
		w.forget(p)
	}
	w.queue, w.spare = nil, nil
}
