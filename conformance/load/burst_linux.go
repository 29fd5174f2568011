package load

import (
	"errors"
	"net"
	"net/netip"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// An address is a destination as the kernel takes it.
type address struct {
	raw  unix.RawSockaddrInet6 // or a RawSockaddrInet4 at its beginning
	size uint32
}

func newAddress(to netip.AddrPort) *address {
	a := new(address)
	port := [2]byte{byte(to.Port() >> 8), byte(to.Port())}
	if ip := to.Addr().Unmap(); ip.Is4() {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(&a.raw))
		v4.Family, v4.Addr = unix.AF_INET, ip.As4()
		v4.Port = *(*uint16)(unsafe.Pointer(&port))
		a.size = unix.SizeofSockaddrInet4
		return a
	}
	a.raw.Family, a.raw.Addr = unix.AF_INET6, to.Addr().As16()
	a.raw.Port = *(*uint16)(unsafe.Pointer(&port))
	a.size = unix.SizeofSockaddrInet6
	return a
}

// message is struct mmsghdr (sendmmsg(2)).
type message struct {
	head unix.Msghdr
	sent uint32
}

// A burst is packets that leave with one system call.
type burst struct {
	raw      syscall.RawConn
	messages []message
	vectors  []unix.Iovec
	space    []byte
	size     int // octets for each packet
	n        int
	from     int // first that has not left
	errno    syscall.Errno
	write    func(fd uintptr) bool
}

func newBurst(c *net.UDPConn, packets, octets int) (*burst, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	b := &burst{
		raw: raw, messages: make([]message, packets), vectors: make([]unix.Iovec, packets),
		space: make([]byte, packets*octets), size: octets,
	}
	for i := range b.messages {
		b.vectors[i].Base = &b.space[i*octets]
		b.messages[i].head.Iov = &b.vectors[i]
		b.messages[i].head.SetIovlen(1)
	}
	b.write = b.writeTo
	return b, nil
}

// room is where the next packet can be written.
func (b *burst) room() []byte { return b.space[b.n*b.size : (b.n+1)*b.size : (b.n+1)*b.size] }

// add takes the packet that was written into room.
func (b *burst) add(packet []byte, to *address) {
	b.vectors[b.n].SetLen(len(packet))
	b.messages[b.n].head.Name = (*byte)(unsafe.Pointer(&to.raw))
	b.messages[b.n].head.Namelen = to.size
	b.n++
}

func (b *burst) full() bool   { return b.n == len(b.messages) }
func (b *burst) packets() int { return b.n }

// flush sends all, and says how many could not be sent, and why.
func (b *burst) flush() (unsent int, err error) {
	for b.from = 0; b.from < b.n; {
		b.errno = 0
		if bad := b.raw.Write(b.write); bad != nil {
			unsent, err = unsent+b.n-b.from, bad
			break
		}
		if b.errno != 0 {
			// The first of them cannot be sent; those behind it may be.
			unsent, err = unsent+1, errors.Join(b.errno)
			b.from++
		}
	}
	b.n = 0
	return unsent, err
}

// writeTo sends what is left; false waits until the socket takes more.
func (b *burst) writeTo(fd uintptr) bool {
	left := b.messages[b.from:b.n]
	n, _, errno := syscall.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&left[0])), uintptr(len(left)), 0, 0, 0)
	runtime.KeepAlive(b)
	switch errno {
	case 0:
		b.from += int(n)
	case unix.EAGAIN:
		return false
	case unix.EINTR:
	default:
		b.errno = errno
	}
	return true
}
