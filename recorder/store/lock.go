package store

import (
	"fmt"
	"os"
	"path/filepath"
)

// Names of the files by which processes keep out of each other's way.
const (
	changing = ".changing"
	indexing = ".indexing"
)

// Lock waits until nobody else erases a recording below dir, or puts or releases a
// legal hold, in this process or another, and keeps others from it until unlock is
// called. The end of the process unlocks as well.
func Lock(dir string) (unlock func() error, err error) { return lock(dir, changing) }

func lock(dir, name string) (unlock func() error, err error) {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := waitForLock(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return f.Close, nil
}
