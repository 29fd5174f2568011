package media

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"
)

// simpleReader reads each socket by a goroutine of its own.
type simpleReader struct{ plane *Plane }

func (s simpleReader) bind(ip netip.Addr, port uint16) (pair, error) {
	listen := func(port uint16) (boundConn, error) { return listenUDP(ip, port) }
	rtp, rtcp, err := bindPair(listen, port)
	if err != nil {
		return nil, err
	}
	if err := rtp.conn.SetReadBuffer(s.plane.cfg.ReadBuffer); err != nil {
		s.plane.cfg.Log.Warn("receive buffer not set", zap.Error(err))
	}
	return &simplePair{
		rtp:  newSocket(rtp.conn, maxMedia, s.plane.clock),
		rtcp: newSocket(rtcp.conn, maxControl, s.plane.clock),
	}, nil
}

func (simpleReader) close() {}

// boundConn is a connection of the standard library as bindPair wants it.
type boundConn struct{ conn *net.UDPConn }

func listenUDP(ip netip.Addr, port uint16) (boundConn, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, port)))
	return boundConn{conn}, err
}

func (b boundConn) local() netip.AddrPort { return localAddr(b.conn) }

func (b boundConn) close() { _ = b.conn.Close() }

func localAddr(c *net.UDPConn) netip.AddrPort {
	a, ok := c.LocalAddr().(*net.UDPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := a.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// simplePair is a pair with a goroutine for each socket.
type simplePair struct {
	rtp, rtcp *socket
	receiver  *Receiver
	readers   sync.WaitGroup
	draining  bool
}

func (p *simplePair) local() netip.AddrPort { return localAddr(p.rtp.conn) }

func (p *simplePair) start(r *Receiver) {
	p.receiver = r
	p.readers.Go(func() { p.read(p.rtp, r.takeRTP) })
	p.readers.Go(func() { p.read(p.rtcp, r.takeRTCP) })
}

// poll does nothing: what has arrived is being read.
func (p *simplePair) poll() {}

func (p *simplePair) wakeAt(t time.Time) { _ = p.rtp.conn.SetReadDeadline(t) }

func (p *simplePair) send(b []byte, to netip.AddrPort, shared bool) error {
	s := p.rtcp
	if shared {
		s = p.rtp
	}
	_, err := s.conn.WriteToUDPAddrPort(b, to)
	return err
}

// drain wakes both readers by a deadline that is over. It holds the lock, as woken
// does, so that a reader never drains under that deadline.
func (p *simplePair) drain() {
	p.receiver.mu.Lock()
	p.draining = true
	past := time.Unix(1, 0)
	_ = p.rtp.conn.SetReadDeadline(past)
	_ = p.rtcp.conn.SetReadDeadline(past)
	p.receiver.mu.Unlock()
	p.readers.Wait()
}

func (p *simplePair) close() {
	_ = p.rtp.conn.Close()
	_ = p.rtcp.conn.Close()
	p.readers.Wait()
}

// maxReadErrors is how many reads in a row may fail before a reader gives up: an
// ICMP message fails one, a broken socket all.
const maxReadErrors = 100

// read is the loop of one socket's goroutine.
func (p *simplePair) read(s *socket, take func(*datagram)) {
	locked := func(d *datagram) {
		p.receiver.mu.Lock()
		defer p.receiver.mu.Unlock()
		take(d)
	}
	failed := 0
	for {
		d, err := s.read()
		switch {
		case err == nil:
			failed = 0
			locked(d)
		case isDeadline(err):
			if p.woken(s) {
				s.drain(locked)
				return
			}
		case errors.Is(err, net.ErrClosed):
			return
		default:
			if failed++; failed == maxReadErrors {
				p.receiver.brokenSocket(err)
				return
			}
		}
	}
}

// woken handles a deadline that is over: the end of the receiver, which it reports,
// or an instant at which the receiver wished to be woken.
func (p *simplePair) woken(s *socket) (draining bool) {
	p.receiver.mu.Lock()
	defer p.receiver.mu.Unlock()
	_ = s.conn.SetReadDeadline(time.Time{})
	if p.draining {
		return true
	}
	p.receiver.wake()
	return false
}
