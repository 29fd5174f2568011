package store

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// shared says that one sync serves all folders.
const shared = true

// syncBelow makes the file system of a folder durable.
func syncBelow(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(unix.Syncfs(int(d.Fd())), d.Close())
}
