package siprec

import (
	"context"
	"errors"
	"sync"
	"testing"
)

// Shows 7866-9.2-01.
func TestInboxKeepsOrder(t *testing.T) {
	b := newInbox()
	first, second := &request{}, &request{}
	for _, r := range []*request{first, second} {
		if err := b.push(r); err != nil {
			t.Fatal(err)
		}
	}
	b.post(tickNote{})
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
		if err := b.push(&request{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.push(&request{}); !errors.Is(err, errInboxFull) {
		t.Errorf("a full inbox: %v", err)
	}
	b.post(endNote{EndLocal})
	if left := b.close(); len(left) != inboxLimit+1 {
		t.Errorf("%d items, want the note of the server beside %d requests", len(left), inboxLimit)
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
	b.post(tickNote{})
	if left := b.close(); len(left) != 1 {
		t.Errorf("close gave back %d items", len(left))
	}
	if err := b.push(&request{}); !errors.Is(err, errInboxClosed) {
		t.Errorf("a closed inbox: %v", err)
	}
}
