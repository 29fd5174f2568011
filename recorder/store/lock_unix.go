//go:build unix

package store

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// waitForLock waits for a lock that ends with the file, or the process.
func waitForLock(f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
