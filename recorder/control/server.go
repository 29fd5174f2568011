package control

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

const (
	// mostConnections is how many connections there may be at a time, mostOfAddress how
	// many from one address. A further one is closed.
	mostConnections = 512
	mostOfAddress   = 256

	headerTime  = 5 * time.Second
	readTime    = 10 * time.Second
	writeTime   = 45 * time.Second // waiting for its turn, and then for the disk
	idleTime    = 2 * time.Minute
	maxHeadings = 16 << 10 // octets
)

// A Certificate is that of the control interface, in files of PEM. It may be used by
// many goroutines.
type Certificate struct {
	certificate, key string
	current          atomic.Pointer[tls.Certificate]
}

// LoadCertificate reads a certificate with its chain, and its private key.
func LoadCertificate(certificate, key string) (*Certificate, error) {
	c := &Certificate{certificate: certificate, key: key}
	return c, c.Reload()
}

// Reload reads the files again, for connections that are opened from now on. When one
// cannot be used, both stay as they were.
func (c *Certificate) Reload() error {
	pair, err := tls.LoadX509KeyPair(c.certificate, c.key)
	if err != nil {
		return fmt.Errorf("control certificate: %w", err)
	}
	c.current.Store(&pair)
	return nil
}

// A Server takes the requests of a [Handler] on one address.
type Server struct {
	listener net.Listener
	http     *http.Server
	served   chan struct{} // closed when Serve has returned
	err      error         // what it returned; to be read after served
}

// Listen binds an address, host:port. With a certificate it speaks TLS 1.2 and above.
// Requests are answered once [Server.Serve] is called.
func Listen(address string, c *Certificate, log *zap.Logger) (*Server, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	l = &fewConnections{Listener: l, of: make(map[netip.Addr]int)}
	if c != nil {
		l = tls.NewListener(l, &tls.Config{
			MinVersion:     tls.VersionTLS12,
			NextProtos:     []string{"http/1.1"},
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
		})
	}
	// What net/http logs is of strangers: handshakes that failed, and the like.
	quiet, err := zap.NewStdLogAt(log, zap.DebugLevel)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &Server{
		listener: l, served: make(chan struct{}),
		http: &http.Server{
			ReadHeaderTimeout: headerTime, ReadTimeout: readTime, WriteTimeout: writeTime, IdleTimeout: idleTime,
			MaxHeaderBytes: maxHeadings, ErrorLog: quiet,
		},
	}, nil
}

// Address is where it listens, host:port.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Serve begins to answer requests, and returns.
func (s *Server) Serve(h *Handler) {
	s.http.Handler = h
	go func() {
		defer close(s.served)
		s.err = s.http.Serve(s.listener)
	}()
}

// Close takes no further requests and waits until those that are worked on are
// answered; when ctx is done before, they are cut off. A server that never served is
// closed as well.
func (s *Server) Close(ctx context.Context) error {
	if s.http.Handler == nil {
		return s.listener.Close()
	}
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	<-s.served
	if !errors.Is(s.err, http.ErrServerClosed) {
		err = errors.Join(err, s.err)
	}
	return err
}

// fewConnections closes connections of which there are too many.
type fewConnections struct {
	net.Listener
	mu  sync.Mutex
	all int
	of  map[netip.Addr]int
}

// Accept returns the next connection that may stay.
func (l *fewConnections) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := network(c.RemoteAddr().String()).Addr()
		if l.enter(from) {
			return &counted{Conn: c, leave: sync.OnceFunc(func() { l.leave(from) })}, nil
		}
		_ = c.Close() // it is a stranger's
	}
}

func (l *fewConnections) enter(from netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all >= mostConnections || l.of[from] >= mostOfAddress {
		return false
	}
	l.all++
	l.of[from]++
	return true
}

func (l *fewConnections) leave(from netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all--
	if l.of[from]--; l.of[from] == 0 {
		delete(l.of, from)
	}
}

// counted is a connection that is counted until it is closed.
type counted struct {
	net.Conn
	leave func()
}

// Close closes the connection, once.
func (c *counted) Close() error {
	c.leave()
	return c.Conn.Close()
}
