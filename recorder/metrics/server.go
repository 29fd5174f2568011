package metrics

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	// mostConnections is how many connections there may be; a further one is closed.
	mostConnections = 32

	readTime    = 5 * time.Second
	idleTime    = 2 * time.Minute
	maxHeadings = 8 << 10 // octets
)

// A Server answers GET /metrics on one address.
type Server struct {
	listener net.Listener
	http     *http.Server
	served   chan struct{} // closed when Serve has returned; nil before Serve
	err      error         // what it returned; to be read after served
}

// Listen binds an address, host:port. Only who has an address in one of the networks
// may read. Requests are answered once [Server.Serve] is called.
func Listen(address string, from []netip.Prefix, m *Meter, log *zap.Logger) (*Server, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	// What net/http logs is of strangers.
	quiet, err := zap.NewStdLogAt(log, zap.DebugLevel)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", only(from, m.handler()))
	return &Server{
		listener: &fewConnections{Listener: l, places: make(chan struct{}, mostConnections)},
		http: &http.Server{
			Handler: mux, ReadTimeout: readTime, WriteTimeout: readTime + longestRead, IdleTimeout: idleTime,
			MaxHeaderBytes: maxHeadings, ErrorLog: quiet,
		},
	}, nil
}

// Address is where it listens, host:port.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Serve begins to answer requests, and returns.
func (s *Server) Serve() {
	s.served = make(chan struct{})
	go func() {
		defer close(s.served)
		s.err = s.http.Serve(s.listener)
	}()
}

// Close takes no further requests and waits until those that are worked on are
// answered; when ctx is done before, they are cut off. A server that never served is
// closed as well.
func (s *Server) Close(ctx context.Context) error {
	if s.served == nil {
		return s.listener.Close()
	}
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = s.http.Close()
	}
	<-s.served
	if !errors.Is(s.err, http.ErrServerClosed) {
		err = errors.Join(err, s.err)
	}
	return err
}

// only answers 403 to who has no address in one of the networks.
func only(from []netip.Prefix, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		addr := peer.Addr().Unmap().WithZone("")
		if err != nil || !slices.ContainsFunc(from, func(p netip.Prefix) bool { return p.Contains(addr) }) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"type":"urn:siprecd:problem:forbidden","title":"Forbidden","status":403,"detail":"this address may not read metrics (metrics-accept)"}` + "\n"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// fewConnections closes connections of which there are too many.
type fewConnections struct {
	net.Listener
	places chan struct{} // holds one for each
}

// Accept returns the next connection that may stay.
func (l *fewConnections) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.places <- struct{}{}:
			return &placed{Conn: c, leave: sync.OnceFunc(func() { <-l.places })}, nil
		default:
			_ = c.Close() // it is a stranger's
		}
	}
}

// placed is a connection that has a place until it is closed.
type placed struct {
	net.Conn
	leave func()
}

// Close closes the connection, once.
func (c *placed) Close() error {
	c.leave()
	return c.Conn.Close()
}
