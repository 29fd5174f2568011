//go:build !linux

package store

// shared says that one sync serves all folders.
const shared = false

func syncBelow(dir string) error { return syncFolder(dir) }

// letGo leaves what the system keeps in memory to the system.
func letGo(string) {}
