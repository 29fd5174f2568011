//go:build linux || darwin || freebsd || netbsd || openbsd

package media

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// readQueued reads a datagram that the kernel has queued, or returns
// errNothingQueued without waiting for one.
func (s *socket) readQueued() (n, oobn int, src netip.AddrPort, err error) {
	raw, err := s.conn.SyscallConn()
	if err != nil {
		return 0, 0, src, err
	}
	var from unix.Sockaddr
	var failed error
	err = raw.Read(func(fd uintptr) bool {
		n, oobn, _, from, failed = unix.Recvmsg(int(fd), s.buf, s.oob, unix.MSG_DONTWAIT)
		return true
	})
	switch {
	case err != nil:
		return 0, 0, src, err
	case failed == unix.EAGAIN:
		return 0, 0, src, errNothingQueued
	case failed != nil:
		return 0, 0, src, failed
	}
	switch a := from.(type) {
	case *unix.SockaddrInet4:
		src = netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		src = netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port))
	}
	return n, oobn, src, nil
}
