//go:build unix

package main

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// columnsOf is the width of a terminal that understands escape sequences, 0 for
// anything else.
func columnsOf(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" || os.Getenv("TERM") == "" {
		return 0
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return max(int(size.Col), 40)
}
