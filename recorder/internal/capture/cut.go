package capture

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// ErrClosed is returned by [Writer.Cut] for a capture that is closed.
var ErrClosed = errors.New("capture is closed")

// Cut takes back what a stream brought at or after an instant. What waits in
// memory is removed and overwritten. What is on disk is overwritten there: of a
// page that holds other packets too, those are first sealed into a new one. When
// it returns, all of that is durable, and nothing of the stream that arrived at or
// after absent is left in memory or in the file; absent is later than from only
// when there is an error. A file system that writes elsewhere what is overwritten,
// and what a disk keeps for itself, is beyond it.
//
// Packets that are appended afterwards are not cut: the caller holds them back.
func (w *Writer) Cut(stream int, from time.Duration) (absent time.Duration, err error) {
	if !w.cutMemory(stream, from) {
		return from, nil
	}
	// The disk holds some, or will in an instant.
	w.disk.lock()
	defer w.disk.unlock()
	w.cutMemory(stream, from) // what could not be written has come back
	if w.residue.Load() && w.residueLast >= from {
		if err := w.trim(); err != nil {
			return max(w.residueLast, w.onDisk(stream)) + 1, fmt.Errorf("cut capture: %w", err)
		}
	}
	if w.onDisk(stream) < from {
		return from, nil
	}
	if w.shut {
		return w.onDisk(stream) + 1, fmt.Errorf("cut capture: %w", ErrClosed)
	}
	last, err := w.erase(stream, from)
	if err != nil {
		return max(w.onDisk(stream), w.residueLast) + 1, fmt.Errorf("cut capture: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stream(stream).last = last
	return from, nil
}

// cutMemory cuts what waits and reports whether the file has to be looked at.
func (w *Writer) cutMemory(stream int, from time.Duration) (further bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.stream(stream)
	if s.page != nil && w.cutPage(s.page, from) {
		s.page = nil
	}
	kept := w.queue[:0]
	for _, p := range w.queue {
		if p.stream != stream || !w.cutPage(p, from) {
			kept = append(kept, p)
		}
	}
	clear(w.queue[len(kept):])
	w.queue = kept
	for _, p := range w.flying {
		further = further || p.stream == stream && p.last >= from
	}
	return further || s.last >= from || w.residue.Load()
}

// cutPage cuts a page and reports whether it is gone.
func (w *Writer) cutPage(p *page, from time.Duration) bool {
	p.cut(from)
	if p.packets > 0 {
		return false
	}
	w.forget(p)
	return true
}

// onDisk is the latest arrival of a stream in the file.
func (w *Writer) onDisk(stream int) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stream(stream).last
}

// A place is where a page stands in the file.
type place struct {
	at   int64
	head header
}

// erase cuts what is in the file and returns the latest arrival that is left of
// the stream. disk is held. Each step is durable before the next begins, so that a
// crash leaves too much, or a page that readers pass over, and no page that ends the
// belief in those behind it: first what may stay stands elsewhere, then the page is
// marked, then it is overwritten.
func (w *Writer) erase(stream int, from time.Duration) (last time.Duration, err error) {
	hits, last, err := w.find(stream, from)
	if err != nil {
		return 0, err
	}
	end := w.offset
	opener := sealer{secret: w.sealer.secret} // pages may be of other epochs
	for _, h := range hits {
		var kept time.Duration
		if kept, err = w.rescue(&opener, h, from); err != nil {
			break
		}
		last = max(last, kept)
	}
	if err == nil {
		err = w.out.Sync()
	}
	if err != nil {
		w.offset = end // what was sealed anew is not there
		w.residueLast = max(w.residueLast, last)
		w.residue.Store(true)
		return 0, errors.Join(err, w.trim())
	}
	w.doomed = append(w.doomed, hits...)
	return last, w.finishErasing()
}

// finishErasing marks and overwrites the pages that nothing is needed of any more.
func (w *Writer) finishErasing() error {
	if len(w.doomed) == 0 {
		return nil
	}
	for _, h := range w.doomed {
		if _, err := w.out.WriteAt([]byte{kindErased}, h.at+kindAt); err != nil {
			return err
		}
	}
	if err := w.out.Sync(); err != nil {
		return err
	}
	for _, h := range w.doomed {
		if err := w.blank(h); err != nil {
			return err
		}
	}
	if err := w.out.Sync(); err != nil {
		return err
	}
	w.doomed = nil
	return nil
}

// find goes through the file for pages of a stream that reach beyond an instant.
// last is the latest arrival in the others of the stream.
func (w *Writer) find(stream int, from time.Duration) (hits []place, last time.Duration, err error) {
	last = nowhere
	var head [pageHeader]byte
	for at := int64(fileHeader); at < w.offset; {
		if _, err := w.out.ReadAt(head[:], at); err != nil {
			return nil, 0, err
		}
		var h header
		if !h.parse(head[:]) {
			return nil, 0, fmt.Errorf("page at %d is damaged", at)
		}
		doomed := slices.ContainsFunc(w.doomed, func(p place) bool { return p.at == at })
		switch {
		case h.kind != kindSealed || h.stream != stream || doomed:
		case h.last >= from:
			hits = append(hits, place{at, h})
		default:
			last = max(last, h.last)
		}
		at += pageHeader + int64(h.length)
	}
	return hits, last, nil
}

// rescue seals what may stay of a page into a new one behind the last.
func (w *Writer) rescue(opener *sealer, h place, from time.Duration) (last time.Duration, err error) {
	if h.head.first >= from {
		return nowhere, nil
	}
	whole := make([]byte, pageHeader+h.head.length)
	if _, err := w.out.ReadAt(whole, h.at); err != nil {
		return 0, err
	}
	body, err := opener.open(&h.head, whole[:pageHeader], whole[pageHeader:])
	if err != nil {
		return 0, fmt.Errorf("page at %d: %w", h.at, err)
	}
	defer clear(body)
	n, first, last := cutBody(body, from, func(time.Duration) {})
	if first == math.MaxInt64 {
		return nowhere, nil
	}
	b := w.seal(nil, header{stream: h.head.stream, first: first, last: last}, body[:n])
	if _, err := w.out.WriteAt(b, w.offset); err != nil {
		return 0, err
	}
	w.offset += int64(len(b))
	return last, nil
}

// blank overwrites the body of a page.
func (w *Writer) blank(h place) error {
	_, err := w.out.WriteAt(make([]byte, h.head.length), h.at+pageHeader)
	return err
}
