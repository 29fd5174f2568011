package front

import (
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

const readSize = 16 << 10 // octets taken from a TCP connection at a time

// A tcpConn is one TCP connection, with TLS or without, whoever opened it.
type tcpConn struct {
	front    *Front
	conn     net.Conn
	listener *tcpListener // that took it, or for which it was opened; may be nil
	secure   bool
	remote   netip.AddrPort
	local    netip.AddrPort
	dead     atomic.Bool
	lost     atomic.Bool // dead, and its peer is not reached at the port of its Via either
	opened   time.Time
	used     atomic.Int64 // how long after that it last carried something whole, in ns

	write sync.Mutex // one message at a time

	// These are guarded by the mutex of the front.
	number   uint64   // the later it was opened, the higher
	stranger bool     // nobody known is at that address
	greeting bool     // in its TLS handshake
	names    []string // of the verified certificate of the peer
}

func newTCPConn(f *Front, nc net.Conn, l *tcpListener) *tcpConn {
	return &tcpConn{front: f, conn: nc, listener: l, remote: addrPortOf(nc.RemoteAddr()), local: addrPortOf(nc.LocalAddr()), opened: f.cfg.Now()}
}

// watch closes the connection when it has been idle for too long. It returns what
// ends the watch.
func (c *tcpConn) watch() (stop func()) {
	var mu sync.Mutex
	var cancel func() bool
	stopped := false
	var look func()
	arm := func(d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		if !stopped {
			cancel = c.front.cfg.AfterFunc(d, look)
		}
	}
	limit := c.front.cfg.Limits.Idle
	look = func() {
		idle := c.front.cfg.Now().Sub(c.opened) - time.Duration(c.used.Load())
		switch busy := c.front.cfg.Busy; {
		case idle < limit:
			arm(limit - idle)
		case busy != nil && busy(c.remote):
			arm(limit)
		default:
			c.front.quiet.Info("idle connection closed", zap.Stringer("source", c.remote))
			c.close()
		}
	}
	arm(limit)
	return func() {
		mu.Lock()
		defer mu.Unlock()
		stopped = true
		if cancel != nil {
			cancel()
		}
	}
}

// abort closes the connection without a word to the peer, who may not listen.
func (c *tcpConn) abort() {
	if c.dead.Swap(true) {
		return
	}
	conn := c.conn
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	if err := conn.Close(); err != nil {
		c.front.log.Debug("closing a connection failed", zap.Error(err))
	}
}

func (c *tcpConn) close() {
	if c.dead.Swap(true) {
		return
	}
	if err := c.conn.Close(); err != nil {
		c.front.log.Debug("closing a TCP connection failed", zap.Error(err))
	}
}

// serve reads until the peer or the front closes the connection. No message,
// however bad, ends it: all recording sessions of an SRC may share it.
func (c *tcpConn) serve() {
	defer c.front.forget(c)
	defer c.close()
	defer c.watch()()
	if !c.handshake(c.front.ctx) {
		return
	}
	fr := newFramer(c.front.cfg.Limits)
	buf := make([]byte, readSize)
	var started time.Time // when the message that is not complete began
	for {
		n, err := c.conn.Read(buf)
		at := c.front.cfg.Now()
		fr.feed(buf[:n])
		if c.drain(fr, at) || started.IsZero() {
			// Deadlines of sockets are in the time of the runtime, whatever
			// clock stamps the messages.
			started = time.Now()
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			c.front.quiet.Info("message not completed in time", zap.Stringer("source", c.remote))
			fr.abandon()
			c.drain(fr, at)
		} else if err != nil {
			return
		}
		var deadline time.Time
		if fr.partial() {
			deadline = started.Add(c.front.cfg.Limits.PartialMessage)
		} else {
			started = time.Time{}
		}
		if err := c.conn.SetReadDeadline(deadline); err != nil {
			return
		}
	}
}

// drain handles every frame that is complete and says whether there was one.
func (c *tcpConn) drain(fr *framer, at time.Time) bool {
	found := false
	for {
		m, ok := fr.next()
		if !ok {
			return found
		}
		found = true
		c.used.Store(int64(at.Sub(c.opened)))
		if m.ping {
			// RFC 5626 §4.4.1: the pong is one CRLF.
			if err := c.send([]byte("\r\n")); err != nil {
				c.front.log.Debug("answering a keep-alive failed", zap.Stringer("source", c.remote), zap.Error(err))
			}
			continue
		}
		c.front.deliver(&Flow{front: c.front, tcp: c, remote: c.remote}, at, m.head, m.body, m.fault)
	}
}

// send writes one message. After a failure part of it may be on the wire, so
// the connection is of no more use.
func (c *tcpConn) send(b []byte) error {
	c.write.Lock()
	defer c.write.Unlock()
	if c.dead.Load() {
		return net.ErrClosed
	}
	err := c.conn.SetWriteDeadline(time.Now().Add(c.front.cfg.Limits.Write))
	if err == nil {
		_, err = c.conn.Write(b)
	}
	if err != nil {
		c.close()
	}
	return err
}
