package capture

import (
	"fmt"
	"slices"
	"time"
)

// sweep writes what is due and reports whether pages are left.
func (w *Writer) sweep(scratch *[]byte) (more bool) {
	if w.disk.try() { // else it is being cut or closed
		if !w.shut && w.out != nil {
			now := w.spool.opt.Now()
			w.mu.Lock()
			resting := now.Before(w.retryAt)
			w.mu.Unlock()
			if !resting {
				w.flush(scratch, now, false)
			}
		}
		w.disk.unlock()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listed = w.pages() > 0
	return w.listed
}

// pages is how many pages wait in memory.
func (w *Writer) pages() int {
	n := len(w.queue) + len(w.flying)
	for i := range w.streams {
		if w.streams[i].page != nil {
			n++
		}
	}
	return n
}

// flush writes what is due at an instant, or all that may be written. disk is
// held.
func (w *Writer) flush(scratch *[]byte, now time.Time, all bool) {
	for {
		w.mu.Lock()
		w.board(now.Sub(w.zero), all)
		flying := w.flying
		w.mu.Unlock()
		if len(flying) == 0 {
			return
		}
		err := w.write(scratch, flying)
		w.land(err, now)
		if err != nil {
			return
		}
	}
}

// board moves pages that are due to flying, as many as are written at a time.
func (w *Writer) board(now time.Duration, all bool) {
	for i := range w.streams {
		if s := &w.streams[i]; s.page != nil && (all || w.due(s.page, now)) {
			w.queue = append(w.queue, s.page)
			s.page = nil
		}
	}
	size := 0
	kept := w.queue[:0]
	for i, p := range w.queue {
		if p.decision > w.released || !all && !w.due(p, now) {
			kept = append(kept, p)
			continue
		}
		if size += p.used + tagSize; size > scratchSize {
			kept = append(kept, w.queue[i:]...)
			break
		}
		w.flying = append(w.flying, p)
	}
	clear(w.queue[len(kept):])
	w.queue = kept
}

// due reports whether a page is to be written: its span is over, and since then each of
// its packets has waited for the hold-back.
func (w *Writer) due(p *page, now time.Duration) bool { return now >= p.end+w.spool.opt.HoldBack }

// write seals pages and writes them behind the last one that was written whole:
// what a failed write left is overwritten. Their numbers are not used again.
func (w *Writer) write(scratch *[]byte, pages []*page) error {
	b := (*scratch)[:0]
	defer func() { clear(b) }()
	for _, p := range pages {
		b = w.seal(b, header{stream: p.stream, first: p.first, last: p.last}, p.body())
	}
	if _, err := w.out.WriteAt(b, w.offset); err != nil {
		for _, p := range pages {
			w.residueLast = max(w.residueLast, p.last)
		}
		w.residue.Store(true)
		_ = w.trim() // else it is tried again before it matters
		return fmt.Errorf("write capture: %w", err)
	}
	w.offset += int64(len(b))
	// Shorter than what failed there, it may leave whole pages of that behind it.
	_ = w.trim()
	return nil
}

// trim removes what a failed write left behind the last page that counts.
func (w *Writer) trim() error {
	if !w.residue.Load() {
		return nil
	}
	if err := w.out.Truncate(w.offset); err != nil {
		return err
	}
	w.residue.Store(false)
	w.residueLast = 0
	return nil
}

// seal appends a page to b under the next number.
func (w *Writer) seal(b []byte, h header, body []byte) []byte {
	h.number = w.number
	w.number++
	return w.sealer.seal(b, h, body)
}

// land accounts for pages that were written, or takes them back.
func (w *Writer) land(err error, now time.Time) {
	w.mu.Lock()
	var tell bool
	if err == nil {
		for _, p := range w.flying {
			s := w.stream(p.stream)
			s.last = max(s.last, p.last)
			w.forget(p)
		}
	} else {
		tell = w.err == nil
		w.note(err)
		w.retryAt = now.Add(retryAfter)
		w.queue = slices.Insert(w.queue, 0, w.flying...)
	}
	clear(w.flying)
	w.flying = w.flying[:0]
	w.mu.Unlock()
	if err == nil {
		w.spool.wrote(w)
	}
	if tell {
		w.onError(err)
	}
	w.spool.trouble(&w.failing, err)
}

// note keeps the first failure.
func (w *Writer) note(err error) {
	if w.err == nil {
		w.err = err
	}
}
