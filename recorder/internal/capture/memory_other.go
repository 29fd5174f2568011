//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package capture

// mapMemory gets memory from the heap, full of zeros.
func mapMemory(size int) ([]byte, error) { return make([]byte, size), nil }

// unmapMemory leaves it to the garbage collector.
func unmapMemory([]byte) error { return nil }
