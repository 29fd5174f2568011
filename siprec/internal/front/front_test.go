package front

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what should happen at once.
const patience = 10 * time.Second

// serve starts a front on the endpoints and returns it with a channel of what it
// hands on. It is closed, and has let go of all goroutines, when the test ends.
func serve(t *testing.T, cfg Config, eps ...Endpoint) (*Front, <-chan *Message) {
	t.Helper()
	got := make(chan *Message, 100)
	cfg.Listen = eps
	if cfg.Handle == nil {
		cfg.Handle = func(m *Message) { got <- m }
	}
	f, err := Listen(cfg)
	if errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) {
		t.Skipf("no such address here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	run(t, f)
	return f, got
}

func run(t *testing.T, f *Front) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

func next(t *testing.T, got <-chan *Message) *Message {
	t.Helper()
	select {
	case m := <-got:
		return m
	case <-time.After(patience):
		t.Fatal("no message")
		return nil
	}
}

// dialTo returns a socket to the i-th endpoint.
func dialTo(t *testing.T, f *Front, i int) net.Conn {
	t.Helper()
	ep := f.Endpoints()[i]
	c, err := net.Dial(strings.Replace(ep.Network, "tls", "tcp", 1), ep.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return c
}

func write(t *testing.T, c net.Conn, s string) {
	t.Helper()
	if _, err := c.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
}

// readResponse reads one message without a body, from a datagram or a stream.
func readResponse(t *testing.T, r *bufio.Reader) *sip.Response {
	t.Helper()
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("after %q: %v", b.String(), err)
		}
		b.WriteString(line)
		if line == "\r\n" {
			return mustParseResponse(t, []byte(b.String()))
		}
	}
}

func packets(c net.Conn) *bufio.Reader { return bufio.NewReaderSize(c, maxDatagram) }

func reply(t *testing.T, m *Message, status int, body []byte) {
	t.Helper()
	if err := m.Flow.WriteMsg(sip.NewResponseFromRequest(m.Request, status, "OK", body)); err != nil {
		t.Fatal(err)
	}
}

// TestBothWays: a message in, its answer out, on every kind of socket.
func TestBothWays(t *testing.T) {
	for _, ep := range []Endpoint{
		{Network: "udp", Address: "127.0.0.1:0"}, {Network: "tcp", Address: "127.0.0.1:0"}, {Network: "udp", Address: "[::1]:0"}, {Network: "tcp", Address: "[::1]:0"},
	} {
		t.Run(ep.Network+" "+ep.Address, func(t *testing.T) {
			f, got := serve(t, Config{}, ep)
			c := dialTo(t, f, 0)
			write(t, c, wire{body: "hello"}.String())
			m := next(t, got)
			if string(m.Request.Body()) != "hello" || m.Response != nil || m.At.IsZero() {
				t.Errorf("message %+v", m)
			}
			if m.Flow.Network() != strings.ToUpper(ep.Network) || m.Flow.Network() != m.Request.Transport() {
				t.Errorf("network %s, transport %s", m.Flow.Network(), m.Request.Transport())
			}
			if want := addrPortOf(c.LocalAddr()); m.Flow.Remote() != want || m.Request.Source() != want.String() {
				t.Errorf("remote %s, source %s, want %s", m.Flow.Remote(), m.Request.Source(), want)
			}
			if want := addrPortOf(f.Addrs()[0]); m.Flow.Local() != want || addrPortOf(m.Flow.LocalAddr()) != want {
				t.Errorf("local %s, want %s", m.Flow.Local(), want)
			}
			reply(t, m, 200, nil)
			res := readResponse(t, packets(c))
			if res.StatusCode != 200 {
				t.Errorf("status %d", res.StatusCode)
			}
			if rport, _ := res.Via().Params.Get("rport"); rport != portOf(c) {
				t.Errorf("rport %q, want %s", rport, portOf(c))
			}
		})
	}
}

func portOf(c net.Conn) string {
	_, port, err := net.SplitHostPort(c.LocalAddr().String())
	if err != nil {
		return ""
	}
	return port
}

func TestLargeStreamMessage(t *testing.T) {
	f, got := serve(t, Config{}, Endpoint{Network: "tcp", Address: "127.0.0.1:0"})
	c := dialTo(t, f, 0)
	for _, size := range []int{64 << 10, 1 << 20} {
		write(t, c, wire{body: strings.Repeat("m", size)}.String())
		if m := next(t, got); len(m.Request.Body()) != size {
			t.Errorf("body of %d octets, want %d", len(m.Request.Body()), size)
		}
	}
}

// TestBadBetweenGood: on UDP and TCP a bad message is answered and costs neither
// of its neighbours anything.
// Shows 3261-21.4.1-01.
func TestBadBetweenGood(t *testing.T) {
	bad := map[string]struct {
		text   string
		status int
	}{
		"no Call-ID":      {wire{without: "Call-ID", body: "abc"}.String(), 400},
		"bad Via":         {wire{without: "Via", fields: []string{"Via: ?"}}.String(), 400},
		"version":         {strings.Replace(options("x"), "com SIP/2.0", "com SIP/9.9", 1), 505},
		"bad length":      {wire{fields: []string{"Content-Length: many"}}.String(), 400},
		"not SIP":         {"GET / HTTP/1.1\r\n" + strings.Join(defaults("GET"), "\r\n") + "\r\n\r\n", 400},
		"no Request-URI":  {wire{start: "OPTIONS SIP/2.0"}.String(), 400},
		"far too many":    {wire{fields: strings.Split(strings.Repeat("X: y\n", 4999)+"X: y", "\n")}.String(), 400},
		"foreign URI":     {wire{start: "OPTIONS mailto:x@example.com SIP/2.0"}.String(), 416},
		"conflicting":     {wire{fields: []string{"Content-Length: 0", "l: 1"}}.String(), 400},
		"From beyond all": {wire{without: "From", fields: []string{"From: <"}}.String(), 400},
	}
	for _, network := range []string{"udp", "tcp"} {
		for name, tt := range bad {
			t.Run(network+" "+name, func(t *testing.T) {
				f, got := serve(t, Config{}, Endpoint{Network: network, Address: "127.0.0.1:0"})
				c := dialTo(t, f, 0)
				r := packets(c)
				write(t, c, options("first"))
				next(t, got)
				write(t, c, tt.text)
				res := readResponse(t, r)
				if res.StatusCode != tt.status || Header(res, "Warning") == "" {
					t.Errorf("%d %s, want %d", res.StatusCode, Header(res, "Warning"), tt.status)
				}
				write(t, c, options("last"))
				m := next(t, got)
				if m.Request.Recipient.User != "last" {
					t.Errorf("request for %q", m.Request.Recipient.User)
				}
				reply(t, m, 200, nil)
				if res := readResponse(t, r); res.StatusCode != 200 {
					t.Errorf("status %d", res.StatusCode)
				}
				if n := f.Counters(); n.Messages != 3 || n.Refused400 != 1 || n.Dropped != 0 {
					t.Errorf("counters %+v", n)
				}
			})
		}
	}
}

func TestOversizeOnTCP(t *testing.T) {
	f, got := serve(t, Config{Limits: Limits{MaxMessage: 8000}}, Endpoint{Network: "tcp", Address: "127.0.0.1:0"})
	c := dialTo(t, f, 0)
	write(t, c, wire{body: strings.Repeat("b", 50000)}.String()+options("after"))
	if res := readResponse(t, packets(c)); res.StatusCode != 413 {
		t.Errorf("status %d", res.StatusCode)
	}
	if m := next(t, got); m.Request.Recipient.User != "after" {
		t.Errorf("request for %q", m.Request.Recipient.User)
	}
}

func TestPing(t *testing.T) {
	f, _ := serve(t, Config{}, Endpoint{Network: "tcp", Address: "127.0.0.1:0"})
	c := dialTo(t, f, 0)
	write(t, c, "\r\n\r\n")
	pong := make([]byte, 3)
	n, err := c.Read(pong)
	if err != nil || string(pong[:n]) != "\r\n" {
		t.Errorf("%q %v", pong[:n], err)
	}
	if n := f.Counters(); n.Messages != 0 {
		t.Errorf("counters %+v", n)
	}
}

// TestPartialMessage: a message that does not come to its end is answered, and
// the connection stays.
func TestPartialMessage(t *testing.T) {
	f, got := serve(t, Config{Limits: Limits{PartialMessage: 30 * time.Millisecond}}, Endpoint{Network: "tcp", Address: "127.0.0.1:0"})
	c := dialTo(t, f, 0)
	write(t, c, wire{body: "abc\r\n", fields: []string{"Content-Length: 10"}}.String())
	if res := readResponse(t, packets(c)); res.StatusCode != 400 {
		t.Errorf("status %d", res.StatusCode)
	}
	write(t, c, options("after"))
	next(t, got)
}

// TestOrder: messages are handed on in the order in which they came.
func TestOrder(t *testing.T) {
	f, got := serve(t, Config{}, Endpoint{Network: "tcp", Address: "127.0.0.1:0"})
	c := dialTo(t, f, 0)
	users := strings.Split("abcdefghijklmnopqrstuvwxyz", "")
	var all strings.Builder
	for _, u := range users {
		all.WriteString(options(u))
	}
	write(t, c, all.String())
	var last time.Time
	for _, u := range users {
		m := next(t, got)
		if m.Request.Recipient.User != u || m.At.Before(last) {
			t.Fatalf("%s at %v, want %s after %v", m.Request.Recipient.User, m.At, u, last)
		}
		last = m.At
	}
}

// TestListenAllOrNone: the error names the endpoint, and nothing stays bound.
func TestListenAllOrNone(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	handle := func(*Message) {}
	_, err = Listen(Config{Handle: handle, Listen: []Endpoint{{Network: "tcp", Address: address}, {Network: "tcp", Address: taken.Addr().String()}}})
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), taken.Addr().String()) {
		t.Errorf("error %v", err)
	}
	again, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatalf("still bound: %v", err)
	}
	again.Close()
	if _, err := Listen(Config{Handle: handle, Listen: []Endpoint{{Network: "sctp", Address: "127.0.0.1:0"}}}); err == nil {
		t.Error("sctp was taken")
	}
	if _, err := Listen(Config{}); err == nil {
		t.Error("no handler was taken")
	}
}

// scarce is a listener that runs out of file descriptors a few times.
type scarce struct {
	net.Listener
	failures atomic.Int32
}

func (s *scarce) Accept() (net.Conn, error) {
	if s.failures.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return s.Listener.Accept()
}

func TestAcceptFailures(t *testing.T) {
	got := make(chan *Message, 1)
	f, err := Listen(Config{Handle: func(m *Message) { got <- m }, Listen: []Endpoint{{Network: "tcp", Address: "127.0.0.1:0"}}})
	if err != nil {
		t.Fatal(err)
	}
	l := &scarce{Listener: f.tcp[0].listener}
	l.failures.Store(3)
	f.tcp[0].listener = l
	run(t, f)
	write(t, dialTo(t, f, 0), options("srs"))
	next(t, got)
	if n := l.failures.Load(); n >= 0 {
		t.Errorf("%d failures left", n)
	}
}

// TestConnectionLimits: connections over a limit are closed.
func TestConnectionLimits(t *testing.T) {
	tests := []struct {
		name string
		cfg  Config
		keep int
	}{
		{"in all", Config{Limits: Limits{MaxConnections: 2}}, 2},
		{"per source", Config{Limits: Limits{MaxConnectionsPerSource: 1}}, 1},
		{"not known", Config{Known: func(int, netip.Addr) bool { return false }, Limits: Limits{MaxStrangersPerSource: 1}}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, got := serve(t, tt.cfg, Endpoint{Network: "tcp", Address: "127.0.0.1:0"})
			for range tt.keep {
				write(t, dialTo(t, f, 0), options("srs"))
				next(t, got)
			}
			c := dialTo(t, f, 0)
			if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("not closed: %v", err)
			}
			if n := f.Counters(); n.Refused != 1 || n.Connections != uint64(tt.keep) {
				t.Errorf("counters %+v", n)
			}
		})
	}
}

// TestClose: Serve ends by Close as by its context, and afterwards nothing is
// taken or opened. TestMain looks for goroutines that stayed.
func TestClose(t *testing.T) {
	f, err := Listen(Config{Handle: func(*Message) {}, Listen: []Endpoint{{Network: "udp", Address: "127.0.0.1:0"}, {Network: "tcp", Address: "127.0.0.1:0"}}})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- f.Serve(context.Background()) }()
	dialTo(t, f, 1)
	for range 2 {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	peer, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	if _, err := f.Reach(context.Background(), "tcp", addrPortOf(peer.Addr()), netip.AddrPort{}); err == nil {
		t.Error("a closed front opened a connection")
	}
	if err := f.Serve(context.Background()); err != nil {
		t.Errorf("Serve after Close: %v", err)
	}
}
