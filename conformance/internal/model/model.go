// Package model is a small Session Recording Server (RFC 7866) for the tests of
// the suite and of its SRC: it answers correctly as far as the cases look, and
// can be made wrong in one place by [Config.Alter], so that each case is shown
// to fail when the server is wrong. With [Config.Record] it writes what it hears.
package model

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pion/rtp"

	"github.com/siprecd/siprecd/conformance/src"
)

// Config configures a Server.
type Config struct {
	Network string        // "udp", "tcp" or "tls"
	TLS     *tls.Config   // for tls
	IP      string        // default 127.0.0.1
	T1      time.Duration // before the first repetition of a response; default 50 ms
	Second  time.Duration // how long a second of a session timer lasts; default 10 ms
	// Alter may change a response before it is written; a Status of 0 sends
	// none.
	Alter func(req *src.Message, r *Response)
	// Drop swallows a request; nth counts its arrivals from 1.
	Drop func(req *src.Message, nth int) bool
	// AlterRequest may change a request of the server before it is written; empty sends
	// none.
	AlterRequest func(text string) string
	// Repeat is how long to wait for the nth repetition of a response, counted from 1,
	// where right would be right; below 0 there is no more.
	Repeat func(req *src.Message, status, nth int, right time.Duration) time.Duration
	// Destination is where responses over UDP go instead.
	Destination func(req *src.Message, right netip.AddrPort) netip.AddrPort
	// Add is text that is sent when a message has come, beside what is right; it may be
	// empty.
	Add func(m *src.Message) string
	// AskAlways asks for a snapshot again and again, once it was missing.
	AskAlways bool
	// Reports takes RTP and RTCP, and reports on each stream every 100 ms.
	Reports bool
	// AlterReport may change a report of RTCP before it is protected and written; nil
	// sends none.
	AlterReport func(packet []byte) []byte
	// Overlook swallows a packet of RTP, by its header.
	Overlook func(h *rtp.Header) bool
	// Trusting takes SRTP that is not authentic or came before, and RTP of any version.
	Trusting bool
	// AlterKey may change the a=crypto that is accepted of an m-line, counted from 0, as
	// packets are opened by it; it is empty for plain RTP.
	AlterKey func(i int, accepted string) string
	// NewCounters begins the rollover counters anew with each offer.
	NewCounters bool
	// AnySource takes RTP from whomever it comes.
	AnySource bool
	// GoodbyeEnds ends a stream by a BYE of RTCP from whomever it comes.
	GoodbyeEnds bool
	// NextPort sends RTCP from its own port and to the one after that of RTP, whatever
	// was agreed on or a=rtcp names.
	NextPort bool
	// PlainReports sends RTCP without the protection that was agreed.
	PlainReports bool
	// Record has files written; nil writes none.
	Record *Record
	// Asks challenges each INVITE that opens a recording session; with AsksAlways
	// each request but ACK and CANCEL.
	Asks, AsksAlways bool
	// Account is whose password is right; nil: no password is.
	Account *Account
	// Unread is what of an Authorization is not looked at: "nonce", whether it was given,
	// "count", whether it is new, "uri", whether it is that of the request, or "method",
	// which may be OPTIONS then.
	Unread []string
	// ProtectedKeys accepts keys of SRTP over TLS only.
	ProtectedKeys bool
	// AnyTag are methods whose dialog is found by the Call-ID alone.
	AnyTag []string
	// AnyCSeq takes requests of a dialog in whatever order.
	AnyCSeq bool
	// LateCancel ends a recording session by a CANCEL that comes after the 200.
	LateCancel bool
	// Tag makes To tags; default: random ones.
	Tag func() string
	// Forget takes each repeated request for a new one.
	Forget bool
	// Fragile loses its dialogs over a message that it cannot take, and Hangup closes the
	// connection that brought it.
	Fragile, Hangup bool
	// Serial handles one connection after the other.
	Serial bool
	// Frame reads a message from a stream instead of the right way.
	Frame func(r *bufio.Reader, right func(*bufio.Reader) ([]byte, error)) ([]byte, error)
	// Ring sends 180 to the first INVITE and waits for CANCEL, which it answers
	// with 200 and the INVITE with 487.
	Ring bool
}

// A Response is an answer before it is written.
type Response struct {
	Status  int
	Headers []src.Header // besides Via, From, To, Call-ID, CSeq and the length
	ToTag   string
	SDP     string                           // or another body, of this type
	Type    string                           // default application/sdp
	CallID  string                           // instead of that of the request
	Via     func(i int, value string) string // may change a Via; empty leaves it out
	To      func(value string) string        // may change the To
}

// Set replaces a header field.
func (r *Response) Set(name, value string) {
	r.Remove(name)
	r.Headers = append(r.Headers, src.Header{Name: name, Value: value})
}

// Remove deletes a header field.
func (r *Response) Remove(name string) {
	var kept []src.Header
	for _, h := range r.Headers {
		if !strings.EqualFold(h.Name, name) {
			kept = append(kept, h)
		}
	}
	r.Headers = kept
}

// A Server is a running model SRS. Its dialogs belong to one mutex; every
// message is handled by the goroutine that read it.
type Server struct {
	cfg  Config
	addr netip.AddrPort
	udp  *net.UDPConn
	tcp  *net.TCPListener
	wg   sync.WaitGroup

	mu       sync.Mutex
	conns    map[net.Conn]bool
	received []*src.Message
	news     chan struct{}
	arrivals map[string]int
	stored   map[string][]byte // response by branch and method
	dialogs  map[string]*dialog
	last     func([]byte) error // writes to the peer heard last
	media    []*net.UDPConn
	control  []*net.UDPConn // of the same streams; only with Reports
	written  int            // recording sessions
	closed   bool
	stop     chan struct{}
	ringing  *src.Message
	reliable map[string]*early        // by Call-ID: INVITEs that wait for a PRACK
	acks     map[string]chan struct{} // by ackID, or branch of a refusal: closed by the ACK
	tags     map[string]string        // by Call-ID
	nonces   map[string][]string      // those given, with the counts that were used
	initial  map[string]string        // branch of what began a dialog, or might
}

// Start listens on a free loopback port.
func Start(cfg Config) (*Server, error) {
	if cfg.IP == "" {
		cfg.IP = "127.0.0.1"
	}
	if cfg.T1 == 0 {
		cfg.T1 = 50 * time.Millisecond
	}
	if cfg.Second == 0 {
		cfg.Second = 10 * time.Millisecond
	}
	s := &Server{
		cfg: cfg, conns: make(map[net.Conn]bool), news: make(chan struct{}),
		arrivals: make(map[string]int), stored: make(map[string][]byte),
		dialogs: make(map[string]*dialog), stop: make(chan struct{}), reliable: make(map[string]*early),
		acks: make(map[string]chan struct{}), tags: make(map[string]string), initial: make(map[string]string), nonces: make(map[string][]string),
	}
	ip := net.ParseIP(cfg.IP)
	if cfg.Network != "udp" {
		l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: ip})
		if err != nil {
			return nil, err
		}
		s.tcp, s.addr = l, l.Addr().(*net.TCPAddr).AddrPort()
		s.wg.Go(s.accept)
		return s, nil
	}
	u, err := net.ListenUDP("udp", &net.UDPAddr{IP: ip})
	if err != nil {
		return nil, err
	}
	s.udp, s.addr = u, u.LocalAddr().(*net.UDPAddr).AddrPort()
	s.wg.Go(s.readUDP)
	return s, nil
}

// Addr is host:port of the server.
func (s *Server) Addr() string { return s.addr.String() }

// Close ends the server and waits for its goroutines.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	close(s.stop)
	var errs []error
	for c := range s.conns {
		// The other side may be gone, and then TLS cannot tell it of the end.
		_ = c.Close()
	}
	for _, c := range append(s.media, s.control...) {
		errs = append(errs, c.Close())
	}
	if s.udp != nil {
		errs = append(errs, s.udp.Close())
	}
	if s.tcp != nil {
		errs = append(errs, s.tcp.Close())
	}
	s.mu.Unlock()
	s.wg.Wait()
	return errors.Join(errs...)
}

func (s *Server) readUDP() {
	buf := make([]byte, 65536)
	for {
		n, from, err := s.udp.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		s.handle([]byte(string(buf[:n])), from, func(raw []byte) error {
			_, err := s.udp.WriteToUDPAddrPort(raw, from)
			return err
		})
	}
}

func (s *Server) accept() {
	for {
		var c net.Conn
		c, err := s.tcp.Accept()
		if err != nil {
			return
		}
		if s.cfg.Network == "tls" {
			c = tls.Server(c, s.cfg.TLS)
		}
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			// The server is gone, and so is whoever would care for an error.
			_ = c.Close()
			return
		}
		s.conns[c] = true
		s.wg.Add(1)
		s.mu.Unlock()
		read := func() {
			defer s.wg.Done()
			s.readTCP(c)
		}
		if s.cfg.Serial {
			read()
			continue
		}
		go read()
	}
}

func (s *Server) readTCP(c net.Conn) {
	r := bufio.NewReader(c)
	for {
		raw, err := s.frame(r)
		if err != nil {
			return
		}
		closes := s.handle(raw, c.RemoteAddr().(*net.TCPAddr).AddrPort(), func(raw []byte) error {
			_, err := c.Write(raw)
			return err
		})
		if closes {
			_ = c.Close() // the peer may have been first
		}
	}
}

// frame reads one message from a stream.
func (s *Server) frame(r *bufio.Reader) ([]byte, error) {
	if s.cfg.Frame != nil {
		return s.cfg.Frame(r, frame)
	}
	return frame(r)
}

// frame finds the end of a message by its Content-Length (RFC 3261 §18.3).
func frame(r *bufio.Reader) ([]byte, error) {
	var head strings.Builder
	name, length := "", 0
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return nil, err
		}
		head.WriteString(line)
		text := strings.TrimSpace(line)
		if text == "" {
			break
		}
		value := text // of a line that goes on with the one before
		if line[0] != ' ' && line[0] != '\t' {
			name, value, _ = strings.Cut(strings.ToLower(text), ":")
			name = strings.TrimSpace(name)
		}
		if value = strings.TrimSpace(value); value != "" && (name == "content-length" || name == "l") {
			if length, err = strconv.Atoi(value); err != nil || length < 0 || length > longest {
				return nil, fmt.Errorf("length %q cannot be used", value)
			}
		}
	}
	raw := make([]byte, head.Len()+length)
	for n := copy(raw, head.String()); n < len(raw); {
		m, err := r.Read(raw[n:])
		if err != nil {
			return nil, err
		}
		n += m
	}
	return raw, nil
}

// longest bounds a body from a stream, in octets.
const longest = 4 << 20

// Received holds all messages that came, retransmissions included.
func (s *Server) Received() []*src.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*src.Message(nil), s.received...)
}

// Wait returns the nth message, counted from 1, of a method, or for "" the nth
// response.
func (s *Server) Wait(ctx context.Context, method string, nth int) (*src.Message, error) {
	for {
		s.mu.Lock()
		count := 0
		for _, m := range s.received {
			if m.Method == method {
				if count++; count == nth {
					s.mu.Unlock()
					return m, nil
				}
			}
		}
		news := s.news
		s.mu.Unlock()
		select {
		case <-news:
		case <-ctx.Done():
			return nil, fmt.Errorf("message %d of %q did not come: %w", nth, method, ctx.Err())
		}
	}
}

// Send writes raw text to the peer that was heard last.
func (s *Server) Send(raw []byte) error {
	s.mu.Lock()
	write := s.last
	s.mu.Unlock()
	return write(raw)
}

// Media is the receiving socket of the nth RTP m-line answered so far, from 0.
func (s *Server) Media(n int) *net.UDPConn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.media[n]
}
