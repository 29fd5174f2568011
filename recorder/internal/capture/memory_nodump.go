//go:build darwin || freebsd || netbsd || openbsd

package capture

// hideMemory does nothing: there is no call for it here.
func hideMemory([]byte) {}
