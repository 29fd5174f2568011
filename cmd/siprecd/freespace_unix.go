//go:build linux || darwin || freebsd

package main

import "golang.org/x/sys/unix"

// freeAt is how many octets this program may still write below a folder.
func freeAt(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	// Bavail has a sign on some systems, where it is below 0 when only root may write.
	return uint64(max(int64(s.Bavail), 0)) * uint64(s.Bsize), nil
}
