package media

import (
	"encoding/binary"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// askForStamps lets the kernel stamp each datagram as it arrives (socket(7),
// SO_TIMESTAMPNS). A kernel that cannot leaves the instant of reading.
func askForStamps(conn *net.UDPConn) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	})
}

// stampOf finds the stamp among the control messages of a datagram. It is of the
// wall clock.
func stampOf(oob []byte) (time.Time, bool) {
	for len(oob) > 0 {
		h, data, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			break
		}
		if h.Level == unix.SOL_SOCKET && h.Type == unix.SCM_TIMESTAMPNS {
			return timespec(data)
		}
		oob = rest
	}
	return time.Time{}, false
}

// timespec reads a struct timespec, of two 64-bit or two 32-bit numbers
// according to the machine.
func timespec(b []byte) (time.Time, bool) {
	switch {
	case len(b) >= 16:
		return time.Unix(int64(binary.NativeEndian.Uint64(b)), int64(binary.NativeEndian.Uint64(b[8:]))), true
	case len(b) >= 8:
		return time.Unix(int64(int32(binary.NativeEndian.Uint32(b))), int64(binary.NativeEndian.Uint32(b[4:]))), true
	}
	return time.Time{}, false
}
