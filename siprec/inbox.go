package siprec

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"sync/atomic"
)

// inboxLimit is how many items may wait for one recording session. A flood in
// one dialog must not cost another anything.
const inboxLimit = 256

// An inbox holds what waits for the goroutine of a recording session, in the
// order of arrival.
type inbox struct {
	mu     sync.Mutex
	items  []any
	closed bool
	wake   chan struct{}

	underway atomic.Int32 // transactions of requests of the SRC within the dialog
}

func newInbox() *inbox { return &inbox{wake: make(chan struct{}, 1)} }

// Errors of an inbox.
var (
	errInboxFull   = errors.New("too many requests wait in this dialog")
	errInboxClosed = errors.New("the recording session has ended")
)

// push adds a request.
func (b *inbox) push(r *request) error { return b.add(r, inboxLimit) }

// post adds a note of the server to itself. To one that has ended there is
// nothing to tell.
func (b *inbox) post(note any) { _ = b.add(note, math.MaxInt) }

func (b *inbox) add(item any, limit int) error {
	b.mu.Lock()
	switch {
	case b.closed:
		b.mu.Unlock()
		return errInboxClosed
	case len(b.items) >= limit:
		b.mu.Unlock()
		return errInboxFull
	}
	b.items = append(b.items, item)
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
	return nil
}

// pop waits for the next item; false when ctx is done.
func (b *inbox) pop(ctx context.Context) (any, bool) {
	for {
		b.mu.Lock()
		if len(b.items) > 0 {
			item := b.items[0]
			b.items[0] = nil
			b.items = b.items[1:]
			b.mu.Unlock()
			return item, true
		}
		b.mu.Unlock()
		select {
		case <-b.wake:
		case <-ctx.Done():
			return nil, false
		}
	}
}

// await waits until an item that matches is there, and gives the first of them
// without taking it out; nil when over is closed before. Only who pops may call it.
func (b *inbox) await(match func(any) bool, over <-chan struct{}) any {
	for {
		b.mu.Lock()
		i := slices.IndexFunc(b.items, match)
		if i >= 0 {
			item := b.items[i]
			b.mu.Unlock()
			return item
		}
		b.mu.Unlock()
		select {
		case <-b.wake:
		case <-over:
			return nil
		}
	}
}

// close refuses further items and gives back those that wait.
func (b *inbox) close() []any {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	items := b.items
	b.items = nil
	return items
}
