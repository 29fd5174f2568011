package media

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"time"
)

const (
	// maxMedia is the longest datagram that is taken from an RTP port, in octets:
	// 20 ms of L16 at 48 kHz in stereo are 3,840.
	maxMedia = 4096
	// maxControl is the same of an RTCP port. A compound packet is to fit into
	// one frame of the network (RFC 3550 §6.1).
	maxControl = 1500
	// noteRoom takes the control messages of a datagram: a stamp and a count.
	noteRoom = 64
	// drainLimit ends a Drain against a flood. No receive buffer that Linux
	// grants without privilege holds as many datagrams.
	drainLimit = 1 << 16
)

// A datagram as it was read. Its data is valid until the next read.
type datagram struct {
	data   []byte
	source netip.AddrPort
	at     time.Time
	// truncated says that the datagram was longer than the socket takes.
	truncated bool
	// dropped is how many before it were lost because the receive buffer was full,
	// where the kernel tells.
	dropped uint32
}

// socket is a UDP socket of the standard library whose datagrams carry their instant
// of arrival. One goroutine reads it.
type socket struct {
	conn     *net.UDPConn
	clock    func() instant
	arrivals arrivals
	dropped  uint32 // by the kernel so far
	buf      []byte
	oob      []byte
	last     datagram
}

// newSocket takes over an open connection and datagrams of up to longest octets.
// Where the kernel gives no stamps, packets carry the instant at which they were
// read.
func newSocket(conn *net.UDPConn, longest int, clock func() instant) *socket {
	if raw, err := conn.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { askForNotes(int(fd)) })
	}
	return &socket{
		conn:     conn,
		clock:    clock,
		arrivals: newArrivals(clock()),
		// One octet more than is taken tells a longer datagram from the longest.
		buf: make([]byte, longest+1),
		oob: make([]byte, noteRoom),
	}
}

// read waits for a datagram. It returns an error when the socket was closed, its
// deadline is over or the network reported one.
func (s *socket) read() (*datagram, error) {
	n, oobn, _, src, err := s.conn.ReadMsgUDPAddrPort(s.buf, s.oob)
	if err != nil {
		return nil, err
	}
	return s.datagram(n, oobn, src), nil
}

// datagram dates what lies in the buffers.
func (s *socket) datagram(n, oobn int, src netip.AddrPort) *datagram {
	i := s.clock()
	s.arrivals.read(i)
	said := notesOf(s.oob[:oobn])
	s.last = datagram{
		data:      s.buf[:n],
		source:    netip.AddrPortFrom(src.Addr().Unmap(), src.Port()),
		at:        s.arrivals.at(i, said.stamp, said.stamped),
		truncated: n == len(s.buf),
	}
	s.last.dropped = newlyDropped(&s.dropped, said)
	return &s.last
}

// newlyDropped is how many more datagrams the kernel says it dropped than before.
func newlyDropped(before *uint32, said notes) uint32 {
	if !said.counted {
		return 0
	}
	n := said.dropped - *before
	*before = said.dropped
	return n
}

// drain gives every datagram that the kernel has queued by now to take. The
// socket must have no deadline.
func (s *socket) drain(take func(*datagram)) {
	for range drainLimit {
		n, oobn, src, err := s.readQueued()
		switch {
		case err == nil:
			take(s.datagram(n, oobn, src))
		case errors.Is(err, errNothingQueued) || errors.Is(err, net.ErrClosed):
			return
		}
		// Any other error is an ICMP message about something we sent; the
		// datagrams behind it are still there.
	}
}

var errNothingQueued = errors.New("nothing is queued")

// isDeadline says that a read ended because the deadline of its socket was over.
func isDeadline(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
