package front

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

const (
	readSize     = 16 << 10        // octets taken from a TCP connection at a time
	writeTimeout = 5 * time.Second // for one message; a peer that does not read is lost
)

// A tcpConn is one TCP connection, whoever opened it.
type tcpConn struct {
	front  *Front
	conn   net.Conn
	remote netip.AddrPort
	local  netip.AddrPort
	dead   atomic.Bool

	write sync.Mutex // one message at a time
}

func newTCPConn(f *Front, nc net.Conn) *tcpConn {
	return &tcpConn{front: f, conn: nc, remote: addrPortOf(nc.RemoteAddr()), local: addrPortOf(nc.LocalAddr())}
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
			c.front.log.Info("message not completed in time", zap.Stringer("source", c.remote))
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
	err := c.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	if err == nil {
		_, err = c.conn.Write(b)
	}
	if err != nil {
		c.close()
	}
	return err
}
