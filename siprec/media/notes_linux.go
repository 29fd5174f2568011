package media

import (
	"encoding/binary"
	"time"

	"golang.org/x/sys/unix"
)

// askForNotes lets the kernel stamp each datagram as it arrives, and count those for
// which the receive buffer had no room (socket(7), SO_TIMESTAMPNS, SO_RXQ_OVFL). A
// kernel that cannot leaves the instant of reading.
func askForNotes(fd int) {
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1)
}

// notesOf reads the control messages of a datagram.
func notesOf(oob []byte) (n notes) {
	for len(oob) > 0 {
		h, data, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			break
		}
		switch {
		case h.Level != unix.SOL_SOCKET:
		case h.Type == unix.SCM_TIMESTAMPNS:
			n.stamp, n.stamped = timespec(data)
		case h.Type == unix.SO_RXQ_OVFL && len(data) >= 4:
			n.dropped, n.counted = binary.NativeEndian.Uint32(data), true
		}
		oob = rest
	}
	return n
}

// timespec reads a struct timespec, of two 64-bit or two 32-bit numbers
// according to the machine.
func timespec(b []byte) (time.Duration, bool) {
	var seconds, nanoseconds int64
	switch {
	case len(b) >= 16:
		seconds, nanoseconds = int64(binary.NativeEndian.Uint64(b)), int64(binary.NativeEndian.Uint64(b[8:]))
	case len(b) >= 8:
		seconds, nanoseconds = int64(int32(binary.NativeEndian.Uint32(b))), int64(binary.NativeEndian.Uint32(b[4:]))
	default:
		return 0, false
	}
	return time.Duration(seconds)*time.Second + time.Duration(nanoseconds), true
}
