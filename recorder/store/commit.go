package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// A Committer makes what was written to recordings durable, for many of them at a
// time: who asks while others wait for the disk shares the next turn with all that
// asked meanwhile. It may be used by any number of goroutines.
type Committer struct {
	dir  string
	sync func(dir string) error // everything below dir
	disk chan struct{}          // holds one while a sync is under way

	mu   sync.Mutex
	next *turn // whose sync has not begun
}

// A turn is one sync and those that wait for it.
type turn struct {
	done chan struct{}
	err  error
}

// NewCommitter makes a committer for what lies below dir, which has to exist.
func NewCommitter(dir string) *Committer {
	return &Committer{dir: dir, sync: syncBelow, disk: make(chan struct{}, 1)}
}

// Commit returns when everything that was written to a folder below the committer's
// before the call is durable: contents, names and lengths of its files.
func (c *Committer) Commit(folder string) error {
	if !shared {
		return syncFolder(folder)
	}
	c.mu.Lock()
	t := c.next
	first := t == nil
	if first {
		t = &turn{done: make(chan struct{})}
		c.next = t
	}
	c.mu.Unlock()
	if first {
		c.take(t)
	}
	<-t.done
	return t.err
}

// take syncs for a turn when the one before it is over.
func (c *Committer) take(t *turn) {
	c.disk <- struct{}{}
	c.mu.Lock()
	c.next = nil // who asks from now on may have written too late
	c.mu.Unlock()
	if err := c.sync(c.dir); err != nil {
		t.err = fmt.Errorf("make %s durable: %w", c.dir, err)
	}
	<-c.disk
	close(t.done)
}

// syncFolder makes the files of a folder durable, and the folder.
func syncFolder(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("make durable: %w", err)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		if err := syncFile(filepath.Join(folder, e.Name())); err != nil {
			return fmt.Errorf("make durable: %w", err)
		}
	}
	if err := SyncDir(folder); err != nil {
		return fmt.Errorf("make durable: %w", err)
	}
	return nil
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
