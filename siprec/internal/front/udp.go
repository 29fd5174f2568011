package front

import (
	"errors"
	"net"
	"net/netip"
	"sync"

	"go.uber.org/zap"
)

const (
	maxDatagram = 65535   // what a read must be able to take
	readBuffer  = 4 << 20 // octets; an SRC that restarts sends all its INVITEs at once
	maxRoutes   = 4096    // entries of the cache of our addresses by peer
)

// A udpSocket is one bound UDP port.
type udpSocket struct {
	front *Front
	conn  *net.UDPConn
	bound netip.AddrPort
	index int // in Config.Listen
	said  advertised

	mu     sync.Mutex
	routes map[netip.Addr]netip.Addr // peer -> the address of ours that routes to it
}

func newUDPSocket(f *Front, conn *net.UDPConn) *udpSocket {
	if err := conn.SetReadBuffer(readBuffer); err != nil {
		f.log.Warn("receive buffer not set", zap.Error(err))
	}
	return &udpSocket{front: f, conn: conn, bound: addrPortOf(conn.LocalAddr()), routes: make(map[netip.Addr]netip.Addr)}
}

func (u *udpSocket) serve() {
	buf := make([]byte, maxDatagram)
	failures := 0
	for {
		n, source, err := u.conn.ReadFromUDPAddrPort(buf)
		if err == nil {
			failures = 0
			u.datagram(buf[:n], unmap(source))
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
		failures++
		u.front.log.Warn("reading from a UDP socket failed", zap.Stringer("local", u.bound), zap.Error(err))
		if !u.front.pause(failures) {
			return
		}
	}
}

// datagram handles one datagram, which is one message (RFC 3261 §18.3).
func (u *udpSocket) datagram(b []byte, source netip.AddrPort) {
	at := u.front.cfg.Now()
	h, body, flt, ok := frameDatagram(b, u.front.cfg.Limits)
	if !ok {
		return
	}
	u.front.deliver(&Flow{front: u.front, udp: u, remote: source}, at, h, body, flt)
}

// frameDatagram finds head and body of a datagram. It returns false for
// keep-alives: CRLFs (RFC 5626 §4.4.1), NULs and STUN (RFC 5626 §4.4.2), whose
// first octet is 0 to 3.
func frameDatagram(b []byte, limits Limits) (h head, body []byte, flt *fault, ok bool) {
	for len(b) > 0 && (b[0] == '\r' || b[0] == '\n' || b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	if len(b) == 0 || b[0] <= 3 {
		return head{}, nil, nil, false
	}
	end, blank := headEnd(b)
	if end > limits.MaxHeaderBytes {
		return scanHead(string(b[:limits.MaxHeaderBytes])), nil, badRequest("header section too long"), true
	}
	h, body = scanHead(string(b[:end])), b[end:]
	if !blank {
		h.odd("no empty line after the header fields")
	}
	if len(b) > limits.MaxMessage {
		return h, nil, tooLarge(), true
	}
	n, present, flt := h.contentLength()
	switch {
	case flt != nil:
		return h, nil, flt, true
	case !present: // RFC 3261 §18.3: the body ends with the packet
	case n > len(body):
		return h, nil, badRequest("body shorter than Content-Length"), true
	default:
		body = body[:n] // RFC 3261 §18.3: more MUST be discarded
	}
	return h, body, nil, true
}

// headEnd returns the offset after the empty line that ends the header fields,
// or the length of b and false when there is none.
func headEnd(b []byte) (int, bool) {
	for start := 0; start < len(b); {
		end, line := nextLine(b, start)
		if end < 0 {
			break
		}
		if len(line) == 0 {
			return end, true
		}
		start = end
	}
	return len(b), false
}

// localTo returns the address of ours that routes to peer.
func (u *udpSocket) localTo(peer netip.Addr) netip.AddrPort {
	if !u.bound.Addr().IsUnspecified() {
		return u.bound
	}
	u.mu.Lock()
	ip, known := u.routes[peer]
	u.mu.Unlock()
	if !known {
		ip = routeTo(peer)
		u.mu.Lock()
		if len(u.routes) >= maxRoutes { // hosts come and go: begin anew
			clear(u.routes)
		}
		u.routes[peer] = ip
		u.mu.Unlock()
	}
	return netip.AddrPortFrom(ip, u.bound.Port())
}

// routeTo asks the kernel for the source address towards peer with a connected
// UDP socket, which sends nothing. Without a route it is the loopback address.
func routeTo(peer netip.Addr) netip.Addr {
	const discard = 9 // any port will do
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(peer, discard)))
	if err == nil {
		defer c.Close()
		if ip := addrPortOf(c.LocalAddr()).Addr(); ip.IsValid() && !ip.IsUnspecified() {
			return ip
		}
	}
	if peer.Is4() {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.IPv6Loopback()
}

func (u *udpSocket) write(b []byte, to netip.AddrPort) error {
	_, err := u.conn.WriteToUDPAddrPort(b, to)
	return err
}

// unmap turns ::ffff:192.0.2.1, as a dual-stack socket reports it, into 192.0.2.1.
func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// addrPortOf returns the address of a UDP or TCP socket.
func addrPortOf(a net.Addr) netip.AddrPort {
	switch a := a.(type) {
	case *net.UDPAddr:
		return unmap(a.AddrPort())
	case *net.TCPAddr:
		return unmap(a.AddrPort())
	}
	return netip.AddrPort{}
}
