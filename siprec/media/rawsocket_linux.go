package media

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// rawSocket is a UDP socket that the runtime does not watch: it would wake a thread for
// each datagram. Its receiver's lock is held wherever it is used.
type rawSocket struct {
	fd       int // -1 when it is closed
	six      bool
	room     int // octets of its receive buffer, as the kernel counts
	arrivals arrivals
	dropped  uint32 // by the kernel so far
	failed   int    // reads in a row

	found, octets int // datagrams of the last sweep, and their octets
}

// takenFor is how many octets of its receive buffer a datagram is taken to use, at the
// least: what the driver of a network card may well reserve for one.
const takenFor = 4352

// used is the share of its receive buffer that the last sweep found in use, by a cautious
// estimate; above 1 when more came while it was read.
func (s *rawSocket) used() float64 {
	if s.found == 0 {
		return 0
	}
	return float64(max(s.found*takenFor, 2*s.octets)) / float64(s.room)
}

// listenRaw opens a socket. buffer is the wished size of its receive buffer in octets; 0
// leaves what the system gives.
func listenRaw(ip netip.Addr, port uint16, buffer int) (*rawSocket, error) {
	ip = ip.Unmap()
	s := &rawSocket{fd: -1, six: ip.Is6()}
	family := unix.AF_INET
	if s.six {
		family = unix.AF_INET6
	}
	address, err := s.sockaddr(netip.AddrPortFrom(ip, port))
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	s.fd = fd
	if s.six && ip.IsUnspecified() {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0)
	}
	if buffer > 0 {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, buffer)
	}
	// Before it is bound, so that no datagram comes without a stamp.
	askForNotes(fd)
	if err := unix.Bind(fd, address); err != nil {
		s.close()
		return nil, fmt.Errorf("udp %v: %w", netip.AddrPortFrom(ip, port), os.NewSyscallError("bind", err))
	}
	if s.room, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF); err != nil {
		s.close()
		return nil, os.NewSyscallError("getsockopt", err)
	}
	return s, nil
}

func (s *rawSocket) local() netip.AddrPort {
	address, err := unix.Getsockname(s.fd)
	if err != nil {
		return netip.AddrPort{}
	}
	switch a := address.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		ip := netip.AddrFrom16(a.Addr).Unmap()
		if a.ZoneId != 0 {
			ip = ip.WithZone(strconv.FormatUint(uint64(a.ZoneId), 10))
		}
		return netip.AddrPortFrom(ip, uint16(a.Port))
	}
	return netip.AddrPort{}
}

func (s *rawSocket) send(b []byte, to netip.AddrPort) error {
	if s.fd < 0 {
		return net.ErrClosed
	}
	address, err := s.sockaddr(to)
	if err != nil {
		return err
	}
	return os.NewSyscallError("sendto", unix.Sendto(s.fd, b, unix.MSG_DONTWAIT, address))
}

func (s *rawSocket) close() {
	if s.fd >= 0 {
		_ = unix.Close(s.fd)
		s.fd = -1
	}
}

// sockaddr is an address in the form of the socket's family.
func (s *rawSocket) sockaddr(a netip.AddrPort) (unix.Sockaddr, error) {
	if !s.six {
		if ip := a.Addr().Unmap(); ip.Is4() {
			return &unix.SockaddrInet4{Port: int(a.Port()), Addr: ip.As4()}, nil
		}
		return nil, os.NewSyscallError("sockaddr", unix.EAFNOSUPPORT)
	}
	zone, err := zoneNumber(a.Addr().Zone())
	if err != nil {
		return nil, err
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16(), ZoneId: zone}, nil
}

// zoneNumber is the number of an interface that is named, or numbered already.
func zoneNumber(zone string) (uint32, error) {
	if zone == "" {
		return 0, nil
	}
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n), nil
	}
	named, err := net.InterfaceByName(zone)
	if err != nil {
		return 0, fmt.Errorf("zone %s: %w", zone, err)
	}
	return uint32(named.Index), nil
}
