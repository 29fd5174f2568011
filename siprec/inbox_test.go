package siprec

import (
	"context"
	"sync"
	"testing"
)

func TestInboxKeepsOrder(t *testing.T) {
	b := newInbox()
	first, second := &request{}, &request{}
	if !b.push(first) || !b.push(second) || !b.post(tickNote{}) {
		t.Fatal("an open inbox refused an item")
	}
	for i, want := range []any{first, second, tickNote{}} {
		got, ok := b.pop(t.Context())
		if !ok || got != want {
			t.Fatalf("item %d = %v, %v", i, got, ok)
		}
	}
}

func TestInboxIsBoundedForRequestsOnly(t *testing.T) {
	b := newInbox()
	for range inboxLimit {
		b.push(&request{})
	}
	if b.push(&request{}) {
		t.Error("a full inbox took a request")
	}
	if !b.post(endNote{EndLocal}) {
		t.Error("a full inbox refused a note of the server itself")
	}
}

func TestInboxPopEndsWithContext(t *testing.T) {
	b := newInbox()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, ok := b.pop(ctx); ok {
			t.Error("pop gave an item that nobody pushed")
		}
	})
	cancel()
	wg.Wait()
}

func TestInboxClosed(t *testing.T) {
	b := newInbox()
	b.push(&request{})
	if left := b.close(); len(left) != 1 {
		t.Errorf("close gave back %d items", len(left))
	}
	if b.push(&request{}) || b.post(tickNote{}) {
		t.Error("a closed inbox took an item")
	}
}
