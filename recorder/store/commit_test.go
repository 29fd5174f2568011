package store

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
)

// Who asks while a sync is under way is served by the one after it, with all that
// ask until then; a failure is told to all that it concerns and to nobody else.
func TestCommitterShares(t *testing.T) {
	if !shared {
		t.Skip("each folder is made durable by itself here")
	}
	broken := errors.New("broken")
	synctest.Test(t, func(t *testing.T) {
		gate, syncs := make(chan error), 0
		c := NewCommitter("data")
		c.sync = func(string) error { syncs++; return <-gate }
		var group sync.WaitGroup
		var mu sync.Mutex
		failed, done := 0, 0
		commit := func() {
			group.Go(func() {
				err := c.Commit("data/x")
				mu.Lock()
				defer mu.Unlock()
				done++
				if errors.Is(err, broken) {
					failed++
				} else if err != nil {
					t.Error(err)
				}
			})
		}
		commit()
		synctest.Wait()
		for range 50 {
			commit()
		}
		synctest.Wait()
		if syncs != 1 || done != 0 {
			t.Errorf("%d syncs, %d done while the first is under way", syncs, done)
		}
		gate <- nil
		synctest.Wait()
		if syncs != 2 || done != 1 {
			t.Errorf("%d syncs, %d done after the first", syncs, done)
		}
		gate <- broken
		group.Wait()
		if syncs != 2 || done != 51 || failed != 50 {
			t.Errorf("%d syncs, %d done, %d failed", syncs, done, failed)
		}
		commit()
		gate <- nil
		group.Wait()
		if syncs != 3 || failed != 50 {
			t.Errorf("%d syncs, %d failed after a later one", syncs, failed)
		}
	})
}

func TestCommitOnDisk(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := NewCommitter(dir).Commit(dir); err != nil {
		t.Error(err)
	}
	if err := syncFolder(dir); err != nil {
		t.Error(err)
	}
	absent := filepath.Join(dir, "absent")
	if err := NewCommitter(absent).Commit(absent); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("commit of what is not there: %v", err)
	}
	if err := syncFolder(absent); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("folder that is not there: %v", err)
	}
}
