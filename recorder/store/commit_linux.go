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

// letGo gives the memory back that the system keeps the content of a durable file in: it
// serves what is written next, and captures, which are read soon. That is only advice.
func letGo(path string) {
	f, err := os.Open(path)
	if err != nil {
		return
	}
	_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
	_ = f.Close()
}
