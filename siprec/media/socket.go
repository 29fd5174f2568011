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
	// stampRoom takes one control message with a stamp.
	stampRoom = 64
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
}

// socket is a UDP socket whose datagrams carry their instant of arrival. One
// goroutine reads it.
type socket struct {
	conn     *net.UDPConn
	now      func() time.Time
	started  time.Time // of the system's clocks, with a monotonic reading
	arrivals arrivals
	buf      []byte
	oob      []byte
}

// newSocket takes over an open connection and datagrams of up to longest octets.
// Where the kernel gives no stamps,
// packets carry the instant at which they were read.
func newSocket(conn *net.UDPConn, longest int, now func() time.Time) *socket {
	askForStamps(conn)
	return &socket{
		conn:     conn,
		now:      now,
		started:  time.Now(), // the kernel stamps by the system's clock, not by now
		arrivals: arrivals{floor: now()},
		// One octet more than is taken tells a longer datagram from the longest.
		buf: make([]byte, longest+1),
		oob: make([]byte, stampRoom),
	}
}

// read waits for a datagram. It returns an error when the socket was closed, its
// deadline is over or the network reported one.
func (s *socket) read() (datagram, error) {
	n, oobn, _, src, err := s.conn.ReadMsgUDPAddrPort(s.buf, s.oob)
	if err != nil {
		return datagram{}, err
	}
	return s.datagram(n, oobn, src), nil
}

// datagram dates what lies in the buffers.
func (s *socket) datagram(n, oobn int, src netip.AddrPort) datagram {
	now := s.now()
	system := time.Now()
	stamp, stamped := stampOf(s.oob[:oobn])
	// Round takes the monotonic reading off, so that one difference is of the
	// wall clock and the other of the monotonic one.
	base := s.started.Round(0)
	at := s.arrivals.at(now, system.Round(0).Sub(base), system.Sub(s.started), stamp.Sub(base), stamped)
	return datagram{
		data:   s.buf[:n],
		source: netip.AddrPortFrom(src.Addr().Unmap(), src.Port()),
		at:     at,

		truncated: n == len(s.buf),
	}
}

// drain gives every datagram that the kernel has queued by now to take. The
// socket must have no deadline.
func (s *socket) drain(take func(datagram)) {
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
