//go:build unix

package flock

import (
	"os"

	"golang.org/x/sys/unix"
)

// Works says that Take tells the truth.
const Works = true

// Take takes a lock that ends with the process, however that ends, and reports whether
// it could.
func Take(f *os.File) bool {
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil
}
