//go:build !linux

package load

import "errors"

// gauge is for Linux only.
func gauge(int) (Gauge, error) {
	return Gauge{}, errors.New("what a process uses is read on Linux only")
}

func udpCounters() (Kernel, bool) { return Kernel{}, false }

func socketDrops(map[uint16]bool) (int64, bool) { return 0, false }
