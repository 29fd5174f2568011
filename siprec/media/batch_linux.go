package media

import (
	"net/netip"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// batchSize is how many datagrams one system call takes: 640 ms of packets of
	// 20 ms.
	batchSize = 32
	// stride is the room of a datagram. It is no power of two, so that the beginnings
	// of all of them do not compete for the same lines of the processor's cache.
	stride = maxMedia + 64
)

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	header unix.Msghdr
	length uint32
}

// A batch is the room for the datagrams that one system call takes. It belongs to who
// reads, not to a socket.
type batch struct {
	headers [batchSize]mmsghdr
	vectors [batchSize]unix.Iovec
	names   [batchSize]unix.RawSockaddrInet6
	notes   [batchSize][noteRoom]byte
	data    [batchSize * stride]byte
	plain   [maxMedia]byte // what was decrypted last
}

func newBatch() *batch {
	b := new(batch)
	for i := range b.headers {
		h := &b.headers[i].header
		b.vectors[i].Base = &b.data[i*stride]
		// One octet more than is taken tells a longer datagram from the longest.
		b.vectors[i].SetLen(maxMedia + 1)
		h.Iov = &b.vectors[i]
		h.SetIovlen(1)
		h.Name = (*byte)(unsafe.Pointer(&b.names[i]))
		h.Control = &b.notes[i][0]
	}
	b.ready(batchSize)
	return b
}

// ready makes the first n rooms ready for a read: the kernel wrote over their lengths.
func (b *batch) ready(n int) {
	for i := range b.headers[:n] {
		h := &b.headers[i].header
		h.Namelen = unix.SizeofSockaddrInet6
		h.SetControllen(noteRoom)
	}
}

// canSweep says whether the kernel has recvmmsg and lets this process use it.
func canSweep() bool {
	var none mmsghdr
	_, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, ^uintptr(0), uintptr(unsafe.Pointer(&none)), 1, unix.MSG_DONTWAIT, 0, 0)
	return errno == unix.EBADF // it looked at the descriptor
}

// receive takes what a socket has queued and never waits. Between receive and ready
// the datagrams are in b.
func (b *batch) receive(fd int) (int, unix.Errno) {
	for {
		// It cannot block, so the scheduler need not be told.
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd),
			uintptr(unsafe.Pointer(&b.headers[0])), batchSize, unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			return int(n), 0
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

// octets are the datagram in a room.
func (b *batch) octets(i int) []byte {
	at := i * stride
	return b.data[at : at+int(b.headers[i].length)]
}

// said is what the kernel says of the datagram in a room.
func (b *batch) said(i int) notes {
	return notesOf(b.notes[i][:b.headers[i].header.Controllen])
}

// source is who sent the datagram in a room.
func (b *batch) source(i int) netip.AddrPort {
	name := &b.names[i]
	switch name.Family {
	case unix.AF_INET:
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(name))
		return netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), networkOrder(v4.Port))
	case unix.AF_INET6:
		ip := netip.AddrFrom16(name.Addr).Unmap()
		if name.Scope_id != 0 && ip.IsLinkLocalUnicast() {
			ip = ip.WithZone(strconv.FormatUint(uint64(name.Scope_id), 10))
		}
		return netip.AddrPortFrom(ip, networkOrder(name.Port))
	}
	return netip.AddrPort{}
}

// networkOrder reads a port that stands in memory in the order of the network.
func networkOrder(port uint16) uint16 {
	b := (*[2]byte)(unsafe.Pointer(&port))
	return uint16(b[0])<<8 | uint16(b[1])
}
