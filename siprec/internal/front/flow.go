package front

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

const (
	defaultPort = 5060            // RFC 3261 §19.1.2
	dialTimeout = 4 * time.Second // less than a transaction lasts, so that its failure can still be told
)

// A Flow is one way to a peer: the UDP socket on which its message arrived and
// the address it came from, or a TCP connection. It implements sip.Connection.
// Its methods may be called by several goroutines at a time.
type Flow struct {
	front  *Front
	udp    *udpSocket // exactly one of udp and tcp is set
	tcp    *tcpConn
	remote netip.AddrPort
}

var _ sip.Connection = (*Flow)(nil)

// Network returns "UDP", "TCP" or "TLS", as in a Via header field.
func (fl *Flow) Network() string {
	switch {
	case fl.udp != nil:
		return "UDP"
	case fl.tcp.secure:
		return "TLS"
	}
	return "TCP"
}

// Endpoint returns the index in Config.Listen of the endpoint that the flow belongs
// to, or -1 for a connection that was opened without one.
func (fl *Flow) Endpoint() int {
	switch {
	case fl.udp != nil:
		return fl.udp.index
	case fl.tcp.listener != nil:
		return fl.tcp.listener.index
	}
	return -1
}

// Names are those of the verified certificate that the peer has shown on TLS: its
// common name, then its DNS and URI names. Empty when it has shown none.
func (fl *Flow) Names() []string {
	if fl.udp != nil {
		return nil
	}
	fl.front.mu.Lock()
	defer fl.front.mu.Unlock()
	return append([]string(nil), fl.tcp.names...)
}

// SentBy returns what stands in the Via and the Contact of what is sent on the
// flow: the host, an IPv6 address in brackets, and the port at which the peer
// reaches the endpoint. It is what the endpoint advertises, else [Flow.Local] with
// the port of the listener.
func (fl *Flow) SentBy() (host string, port int) {
	local := fl.Local()
	switch {
	case fl.udp != nil:
		return fl.udp.said.over(local)
	case fl.tcp.listener != nil:
		l := fl.tcp.listener
		return l.said.over(netip.AddrPortFrom(local.Addr(), l.bound.Port()))
	}
	return advertised{}.over(local)
}

// Remote returns the address of the peer.
func (fl *Flow) Remote() netip.AddrPort { return fl.remote }

// Local returns the address of ours that routes to the peer. It is never the
// unspecified address, so it may stand in a Contact header field.
func (fl *Flow) Local() netip.AddrPort {
	if fl.udp != nil {
		return fl.udp.localTo(fl.remote.Addr())
	}
	return fl.tcp.local
}

// LocalAddr returns [Flow.Local] as a net.Addr.
func (fl *Flow) LocalAddr() net.Addr {
	if fl.udp != nil {
		return net.UDPAddrFromAddrPort(fl.Local())
	}
	return net.TCPAddrFromAddrPort(fl.Local())
}

// Ref returns 1: flows are not counted, the front owns the sockets.
func (fl *Flow) Ref(int) int { return 1 }

// TryClose does nothing: the front owns the sockets.
func (fl *Flow) TryClose() (int, error) { return 1, nil }

// Close does nothing: the front owns the sockets.
func (fl *Flow) Close() error { return nil }

// WriteMsg sends a message to the peer. A request goes to [Flow.Remote], a
// response where RFC 3261 §18.2.2 and RFC 3581 §4 send it: to the source of the
// request if its Via asked for that with rport, else to the source's address and
// the port of the Via; on TCP over the connection of the request and, if that is
// lost, over one to the source's address and the port of the Via, unless that failed
// before. None is opened to a stranger, who could have the server wait for it as often
// as he likes.
//
// The maddr parameter of a Via is not followed. It would let anybody who can
// reach the server point its responses at any address.
//
// On UDP a message may have up to 65,507 octets (IPv4). On TCP a peer that does
// not take a message within Limits.Write loses the connection.
func (fl *Flow) WriteMsg(msg sip.Message) error {
	buf := fl.front.buffers.Get().(*bytes.Buffer)
	defer func() {
		if buf.Cap() <= 128<<10 { // a rare large message is not worth keeping
			fl.front.buffers.Put(buf)
		}
	}()
	buf.Reset()
	msg.StringWrite(buf)
	if _, isResponse := msg.(*sip.Response); isResponse {
		return fl.respond(buf.Bytes(), msg.Via())
	}
	if err := fl.send(buf.Bytes(), fl.remote); err != nil {
		return fmt.Errorf("send request to %s %s: %w", fl.Network(), fl.remote, err)
	}
	return nil
}

// respond sends a response whose top Via is via, nil when it is unreadable.
func (fl *Flow) respond(b []byte, via *sip.ViaHeader) error {
	to := fl.remote
	if fl.udp != nil {
		to = responseTarget(via, fl.remote)
	}
	err := fl.send(b, to)
	if err != nil && fl.tcp != nil && !fl.tcp.lost.Load() && !fl.front.isStranger(fl.tcp) {
		err = fl.respondAnew(b, portTarget(via, fl.remote))
	}
	if err != nil {
		return fmt.Errorf("send response to %s %s: %w", fl.Network(), to, err)
	}
	return nil
}

// respondAnew opens a connection for a response whose own connection was lost
// (RFC 3261 §18.2.2). When that fails it is not tried for the next one: a hundred
// answers would each wait for it.
func (fl *Flow) respondAnew(b []byte, to netip.AddrPort) error {
	ctx, cancel := context.WithTimeout(fl.front.ctx, dialTimeout)
	defer cancel()
	other, err := fl.Anew(ctx, to, "")
	if err != nil {
		fl.tcp.lost.Store(true)
		return err
	}
	return other.tcp.send(b)
}

func (fl *Flow) send(b []byte, to netip.AddrPort) error {
	if fl.udp != nil {
		return fl.udp.write(b, to)
	}
	return fl.tcp.send(b)
}

// responseTarget returns where a response over UDP goes.
func responseTarget(via *sip.ViaHeader, source netip.AddrPort) netip.AddrPort {
	if via == nil || via.Params.Has("rport") { // RFC 3581 §4
		return source
	}
	return portTarget(via, source)
}

// portTarget is the address of the source with the port of the Via's sent-by
// (RFC 3261 §18.2.2).
func portTarget(via *sip.ViaHeader, source netip.AddrPort) netip.AddrPort {
	port := uint16(defaultPort)
	if via != nil && via.Port > 0 && via.Port <= 65535 {
		port = uint16(via.Port)
	}
	return netip.AddrPortFrom(source.Addr(), port)
}

// Anew returns a flow to another port of the peer, or to it again after its
// connection was lost, by the same transport and from the same address of ours. On
// TLS the peer must show a certificate for host, if that is a name; else one with a
// name that it has shown before; else one for its address.
func (fl *Flow) Anew(ctx context.Context, to netip.AddrPort, host string) (*Flow, error) {
	names := fl.Names()
	if _, err := netip.ParseAddr(host); host != "" && err != nil {
		names = []string{host}
	} else if len(names) == 0 {
		names = []string{to.Addr().String()}
	}
	return fl.front.Reach(ctx, strings.ToLower(fl.Network()), to, fl.Local(), names...)
}

// Reach returns a flow for a message that the server sends by itself. On UDP it
// is the socket bound to the port of local; on TCP and TLS a live connection to
// remote or, when there is none, a new one from the address of local, or of the
// listener when local is not valid. Responses that come back on it are handed to
// Config.Handle. Network is "udp", "tcp" or "tls" in any case. A new TLS connection
// needs the certificate of one of names.
func (f *Front) Reach(ctx context.Context, network string, remote, local netip.AddrPort, names ...string) (*Flow, error) {
	remote, local = unmap(remote), unmap(local)
	switch network = strings.ToLower(network); network {
	case "udp":
		if u := f.socketFor(remote.Addr(), local); u != nil {
			return &Flow{front: f, udp: u, remote: remote}, nil
		}
		return nil, fmt.Errorf("reach udp %s: nothing listens on UDP for addresses of its family", remote)
	case "tcp", "tls":
		secure := network == "tls"
		if secure && f.cfg.TLS == nil {
			return nil, fmt.Errorf("reach tls %s: no certificate", remote)
		}
		c := f.live(remote, secure)
		if c == nil {
			var err error
			if c, err = f.dial(ctx, secure, remote, local, names); err != nil {
				return nil, fmt.Errorf("reach %s %s: %w", network, remote, err)
			}
		}
		return &Flow{front: f, tcp: c, remote: remote}, nil
	}
	return nil, fmt.Errorf("reach %s: unknown network %q", remote, network)
}

// Again returns a flow that another process had, for what this one sends by itself. On
// TCP and TLS its connection is lost. Network is in any case. It fails when nothing
// listens on that network for the family of the peer.
func (f *Front) Again(network string, remote, local netip.AddrPort, names []string) (*Flow, error) {
	remote, local = unmap(remote), unmap(local)
	secure := strings.EqualFold(network, "tls")
	if !secure && !strings.EqualFold(network, "tcp") {
		return f.Reach(f.ctx, network, remote, local)
	}
	c := &tcpConn{front: f, listener: f.listenerFor(secure, remote.Addr(), local), secure: secure, remote: remote, local: local, names: names}
	if c.listener == nil && (!secure || f.cfg.TLS == nil) {
		return nil, fmt.Errorf("go on over %s with %s: nothing listens there", network, remote)
	}
	c.dead.Store(true)
	return &Flow{front: f, tcp: c, remote: remote}, nil
}

// socketFor returns the UDP socket that fits local best: the same address and
// port, else the port on all addresses, else any that can reach the peer.
func (f *Front) socketFor(peer netip.Addr, local netip.AddrPort) *udpSocket {
	var best *udpSocket
	score := 0
	for _, u := range f.udp {
		own, s := u.bound, 1
		if !sameFamily(own.Addr(), peer) {
			continue
		}
		if own.Port() == local.Port() {
			s += 2
		}
		if own.Addr() == local.Addr() {
			s += 2
		} else if own.Addr().IsUnspecified() {
			s++
		}
		if s > score {
			best, score = u, s
		}
	}
	return best
}

// sameFamily says whether a socket bound to own can send to peer. The
// unspecified IPv6 address may be a dual-stack socket.
func sameFamily(own, peer netip.Addr) bool {
	return own.Is4() == peer.Is4() || own == netip.IPv6Unspecified()
}

// listenerFor returns the TCP or TLS listener that fits local best: the same
// address and port, else one of the family of the peer; nil when there is none.
func (f *Front) listenerFor(secure bool, peer netip.Addr, local netip.AddrPort) *tcpListener {
	var best *tcpListener
	score := 0
	for _, l := range f.tcp {
		if l.secure != secure || !sameFamily(l.bound.Addr(), peer) {
			continue
		}
		s := 1
		if l.bound.Port() == local.Port() {
			s += 2
		}
		if l.bound.Addr() == local.Addr() {
			s += 2
		} else if l.bound.Addr().IsUnspecified() {
			s++
		}
		if s > score {
			best, score = l, s
		}
	}
	return best
}

func (f *Front) dial(ctx context.Context, secure bool, remote, local netip.AddrPort, names []string) (*tcpConn, error) {
	l := f.listenerFor(secure, remote.Addr(), local)
	from := local.Addr()
	if !from.IsValid() && l != nil {
		from = l.bound.Addr()
	}
	d := net.Dialer{Timeout: dialTimeout}
	if from.IsValid() && !from.IsUnspecified() && from.Is4() == remote.Addr().Is4() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout) // with the handshake
	defer cancel()
	defer context.AfterFunc(f.ctx, cancel)() // Close ends a dial
	nc, err := d.DialContext(ctx, "tcp", remote.String())
	if err != nil {
		return nil, err
	}
	var certified []string
	if secure {
		secured := tls.Client(nc, f.cfg.TLS.Client(names))
		if err := secured.HandshakeContext(ctx); err != nil {
			nc.Close()
			return nil, err
		}
		nc, certified = secured, f.identify(secured.ConnectionState(), remote)
	}
	c := newTCPConn(f, nc, l)
	c.secure, c.names = secure, certified
	if !f.adopt(c, false) {
		return nil, net.ErrClosed
	}
	return c, nil
}
