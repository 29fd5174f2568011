//go:build unix

package recorder

import (
	"os"

	"golang.org/x/sys/unix"
)

// locks says that lockFile tells the truth.
const locks = true

// lockFile takes a lock that ends with the process, however that ends.
func lockFile(f *os.File) bool {
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil
}
