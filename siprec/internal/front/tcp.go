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
	index    int  // in Config.Listen
	secure   bool // TLS
	said     advertised
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

func (l *tcpListener) accepted(nc net.Conn) {
	known := l.front.cfg.Known
	stranger := known != nil && !known(l.index, addrPortOf(nc.RemoteAddr()).Addr())
	if l.secure {
		nc = l.front.secure(nc)
	}
	c := newTCPConn(l.front, nc, l)
	c.secure, c.greeting, c.stranger = l.secure, l.secure, stranger
	l.front.adopt(c, true)
}

// adopt takes over a connection and reads from it; false once the front is closed,
// or when there are too many. Limits bind only those that others opened.
func (f *Front) adopt(c *tcpConn, accepted bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	why := ""
	switch {
	case f.closed:
		why = "closed"
	case accepted:
		why = f.makeRoom(c)
	}
	if why != "" {
		f.turnAway(c, why)
		return false
	}
	f.opened++
	c.number = f.opened
	f.conns[c] = struct{}{}
	f.count.connections.Add(1)
	f.wg.Go(c.serve)
	return true
}

func (f *Front) turnAway(c *tcpConn, why string) {
	f.count.turnedAway.Add(1)
	f.quiet.Info("connection turned away", zap.Stringer("source", c.remote), zap.String("why", why))
	c.abort()
}

// makeRoom says why one more connection cannot be taken, or is empty. Strangers,
// and those who have not said hello yet, make room for each other: a flood of them
// keeps nobody out. f.mu is held.
func (f *Front) makeRoom(next *tcpConn) (why string) {
	limits := f.cfg.Limits
	var all, own, strangers, ownStrangers, greeting int
	var stranger, greeter *tcpConn // the oldest of each
	for c := range f.conns {
		if c.dead.Load() {
			continue
		}
		same := c.remote.Addr() == next.remote.Addr()
		all++
		own += one(same)
		strangers += one(c.stranger)
		ownStrangers += one(c.stranger && same)
		greeting += one(c.greeting)
		if c.stranger && (stranger == nil || c.number < stranger.number) {
			stranger = c
		}
		if c.greeting && (greeter == nil || c.number < greeter.number) {
			greeter = c
		}
	}
	switch {
	case own >= limits.MaxConnectionsPerSource || next.stranger && ownStrangers >= limits.MaxStrangersPerSource:
		return "too many connections from this source"
	case next.stranger && strangers >= limits.MaxStrangers:
		f.turnAway(stranger, "a stranger made room for another")
	case all >= limits.MaxConnections && stranger != nil:
		f.turnAway(stranger, "a stranger made room")
	case all >= limits.MaxConnections:
		return "too many connections"
	}
	if next.greeting && greeting >= limits.MaxHandshakes && greeter != nil {
		f.turnAway(greeter, "too many TLS handshakes")
	}
	return ""
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (f *Front) isStranger(c *tcpConn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return c.stranger
}

func (f *Front) forget(c *tcpConn) {
	f.mu.Lock()
	delete(f.conns, c)
	f.mu.Unlock()
}

// live returns an open connection to remote, with TLS or without, or nil.
func (f *Front) live(remote netip.AddrPort, secure bool) *tcpConn {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.conns {
		if c.remote == remote && c.secure == secure && !c.greeting && !c.dead.Load() {
			return c
		}
	}
	return nil
}
