package front

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"

	"go.uber.org/zap"
)

// A TLS says how the front presents itself on TLS and whom it believes. Its
// functions are called for each connection, so that certificates may change while
// the front serves. They may be called by several goroutines.
type TLS struct {
	Server func() *tls.Config
	// Client is for a connection that the front opens to a peer that is expected
	// to be one of names.
	Client func(names []string) *tls.Config
	// Identify gives the names of the certificate that the peer has shown. The error
	// says why they cannot be believed; who has shown none has no names and no error.
	Identify func(tls.ConnectionState) ([]string, error)
}

// handshake makes the connection ready for messages. It is called by the goroutine
// that reads the connection, so that nobody else waits for the peer.
func (c *tcpConn) handshake(ctx context.Context) bool {
	secured, ok := c.conn.(*tls.Conn)
	if !ok || secured.ConnectionState().HandshakeComplete {
		return true
	}
	// The limit is in the time of the runtime, as all deadlines of sockets are.
	ctx, cancel := context.WithTimeout(ctx, c.front.cfg.Limits.Handshake)
	defer cancel()
	err := secured.HandshakeContext(ctx)
	var names []string
	if err == nil {
		names = c.front.identify(secured.ConnectionState(), c.remote)
	}
	c.front.mu.Lock()
	c.greeting = false
	if err == nil {
		c.names = names
		c.stranger = c.stranger && len(c.names) == 0
	}
	c.front.mu.Unlock()
	if err != nil {
		c.front.quiet.Info("TLS handshake failed", zap.Stringer("source", c.remote), zap.Error(err))
		return false
	}
	return true
}

// identify gives the names of the peer's certificate. One that cannot be believed counts
// as none, and its owner would look in vain for why it is not known by it.
func (f *Front) identify(cs tls.ConnectionState, remote netip.AddrPort) []string {
	names, err := f.cfg.TLS.Identify(cs)
	if err != nil {
		f.quiet.Warn("certificate cannot be believed and counts as none", zap.Stringer("source", remote),
			zap.String("subject", Shortened(cs.PeerCertificates[0].Subject.String())), zap.String("why", Shortened(err.Error())))
	}
	return names
}

// secure puts TLS over an accepted connection; the handshake comes later.
func (f *Front) secure(nc net.Conn) net.Conn { return tls.Server(nc, f.cfg.TLS.Server()) }
