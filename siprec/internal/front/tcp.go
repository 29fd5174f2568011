package front

import (
	"errors"
	"net"
	"net/netip"

	"go.uber.org/zap"
)

// A tcpListener accepts connections on one TCP port.
type tcpListener struct {
	front    *Front
	listener net.Listener
	bound    netip.AddrPort
}

func newTCPListener(f *Front, l net.Listener) *tcpListener {
	return &tcpListener{front: f, listener: l, bound: addrPortOf(l.Addr())}
}

func (l *tcpListener) serve() {
	failures := 0
	for {
		c, err := l.listener.Accept()
		if err == nil {
			failures = 0
			l.accepted(c)
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
		// EMFILE and the like pass; a listener that ended would not come back.
		failures++
		l.front.log.Warn("accepting a TCP connection failed", zap.Stringer("local", l.bound), zap.Error(err))
		if !l.front.pause(failures) {
			return
		}
	}
}

func (l *tcpListener) accepted(c net.Conn) {
	source := addrPortOf(c.RemoteAddr()).Addr()
	if admit := l.front.cfg.Admit; admit != nil && !admit("tcp", source) {
		l.front.turnAway(c, source, "not admitted")
		return
	}
	if _, err := l.front.adopt(c, true); err != nil {
		l.front.turnAway(c, source, err.Error())
	}
}

func (f *Front) turnAway(c net.Conn, source netip.Addr, why string) {
	f.count.turnedAway.Add(1)
	f.log.Info("TCP connection turned away", zap.Stringer("source", source), zap.String("why", why))
	if err := c.Close(); err != nil {
		f.log.Debug("closing a TCP connection failed", zap.Error(err))
	}
}

// adopt takes over a connection and reads from it. Limits bind only those that
// others opened.
func (f *Front) adopt(nc net.Conn, accepted bool) (*tcpConn, error) {
	c := newTCPConn(f, nc)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, net.ErrClosed
	}
	if accepted {
		if err := f.withinLimits(c.remote.Addr()); err != nil {
			return nil, err
		}
	}
	f.conns[c] = struct{}{}
	f.count.connections.Add(1)
	f.wg.Go(c.serve)
	return c, nil
}

// withinLimits is called with f.mu held.
func (f *Front) withinLimits(source netip.Addr) error {
	if len(f.conns) >= f.cfg.Limits.MaxConnections {
		return errors.New("too many connections")
	}
	n := 0
	for c := range f.conns {
		if c.remote.Addr() == source {
			n++
		}
	}
	if n >= f.cfg.Limits.MaxConnectionsPerSource {
		return errors.New("too many connections from this source")
	}
	return nil
}

func (f *Front) forget(c *tcpConn) {
	f.mu.Lock()
	delete(f.conns, c)
	f.mu.Unlock()
}

// live returns an open connection to remote, or nil.
func (f *Front) live(remote netip.AddrPort) *tcpConn {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.conns {
		if c.remote == remote && !c.dead.Load() {
			return c
		}
	}
	return nil
}
