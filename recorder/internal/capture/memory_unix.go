//go:build linux || darwin || freebsd || netbsd || openbsd

package capture

import "golang.org/x/sys/unix"

// mapMemory gets memory outside the heap, full of zeros.
func mapMemory(size int) ([]byte, error) {
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err == nil {
		hideMemory(b)
	}
	return b, err
}

// unmapMemory gives it back.
func unmapMemory(b []byte) error { return unix.Munmap(b) }
