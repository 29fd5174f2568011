//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package media

import (
	"net/netip"
	"time"
)

// emptyAfter is how long nothing must come until the queue counts as empty.
const emptyAfter = 20 * time.Millisecond

// readQueued reads a datagram that the system has queued, or returns
// errNothingQueued. A read asks the system before it waits, so only the wait is
// cut off.
func (s *socket) readQueued() (n, oobn int, src netip.AddrPort, err error) {
	if err := s.conn.SetReadDeadline(time.Now().Add(emptyAfter)); err != nil {
		return 0, 0, src, err
	}
	n, oobn, _, src, err = s.conn.ReadMsgUDPAddrPort(s.buf, s.oob)
	if isDeadline(err) {
		err = errNothingQueued
	}
	return n, oobn, src, err
}
