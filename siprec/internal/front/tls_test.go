package front

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
)

// believing is TLS with a certificate for 127.0.0.1 that asks the peer for one of
// the same authority.
func believing(t *testing.T, a *src.Authority) *TLS {
	t.Helper()
	cert := issue(t, a, "127.0.0.1", "srs.example")
	return &TLS{
		Server: func() *tls.Config {
			return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: a.Pool()}
		},
		Client: func(names []string) *tls.Config {
			return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}, RootCAs: a.Pool(), ServerName: names[0]}
		},
		Identify: func(cs tls.ConnectionState) ([]string, error) {
			if len(cs.VerifiedChains) == 0 {
				return nil, nil
			}
			return []string{cs.PeerCertificates[0].Subject.CommonName}, nil
		},
	}
}

func issue(t *testing.T, a *src.Authority, names ...string) tls.Certificate {
	t.Helper()
	cert, err := a.Issue(names...)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func authority(t *testing.T) *src.Authority {
	t.Helper()
	a, err := src.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// greet opens a TLS connection to the first endpoint.
func greet(t *testing.T, f *Front, roots *x509.CertPool, certs ...tls.Certificate) *tls.Conn {
	t.Helper()
	c := tls.Client(dialTo(t, f, 0), &tls.Config{RootCAs: roots, ServerName: "127.0.0.1", Certificates: certs})
	if err := c.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

func onTLS() Endpoint { return Endpoint{Network: "tls", Address: "127.0.0.1:0"} }

// TestTLS: messages both ways, the names of the peer, and a bad message that costs
// the connection nothing.
// Shows 7866-12-01.
func TestTLS(t *testing.T) {
	a := authority(t)
	f, got := serve(t, Config{TLS: believing(t, a)}, onTLS())
	if e := f.Endpoints()[0]; e.Network != "tls" || strings.HasSuffix(e.Address, ":0") {
		t.Errorf("endpoint %+v", e)
	}
	for _, tt := range []struct {
		certs []tls.Certificate
		want  []string
	}{{nil, nil}, {[]tls.Certificate{issue(t, a, "sbc.example")}, []string{"sbc.example"}}} {
		c := greet(t, f, a.Pool(), tt.certs...)
		write(t, c, options("first"))
		m := next(t, got)
		if m.Flow.Network() != "TLS" || m.Request.Transport() != "TLS" || !slices.Equal(m.Flow.Names(), tt.want) || m.Flow.Endpoint() != 0 {
			t.Errorf("flow %s, request %s, names %q", m.Flow.Network(), m.Request.Transport(), m.Flow.Names())
		}
		write(t, c, strings.Replace(wire{fields: []string{"Content-Length: x"}}.String(), "/UDP", "/TLS", 1))
		if res := readResponse(t, bufio.NewReader(c)); res.StatusCode != 400 {
			t.Errorf("a bad message got %d", res.StatusCode)
		}
		write(t, c, options("second"))
		if m := next(t, got); m.Request.Recipient.User != "second" {
			t.Errorf("after a bad message came %s", m.Request.Recipient.User)
		}
	}
}

// TestTLSNeedsACertificate: there is no listener that refuses everybody.
func TestTLSNeedsACertificate(t *testing.T) {
	if _, err := Listen(Config{Handle: func(*Message) {}, Listen: []Endpoint{onTLS()}}); err == nil || !strings.Contains(err.Error(), "no certificate") {
		t.Errorf("error is %v", err)
	}
}

// TestHalfOpenTLS: those who do not say hello keep nobody out, and are closed.
func TestHalfOpenTLS(t *testing.T) {
	a := authority(t)
	f, got := serve(t, Config{TLS: believing(t, a), Limits: Limits{MaxHandshakes: 3, Handshake: 50 * time.Millisecond}}, onTLS())
	var silent []net.Conn
	for range 20 {
		silent = append(silent, dialTo(t, f, 0))
	}
	_, _ = silent[19].Write([]byte("GET / HTTP/1.1\r\n\r\n")) // nor is this a hello
	c := greet(t, f, a.Pool())
	write(t, c, options("srs"))
	next(t, got)
	for i, s := range silent {
		if _, err := io.Copy(io.Discard, s); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("half-open connection %d stays", i)
		}
	}
	write(t, c, options("again"))
	next(t, got)
}

// TestSlowLoris: whoever sends a message drop by drop holds up nobody, gets its
// answer when its time is over, and can go on.
func TestSlowLoris(t *testing.T) {
	a := authority(t)
	for _, network := range []string{"tcp", "tls"} {
		t.Run(network, func(t *testing.T) {
			f, got := serve(t, Config{TLS: believing(t, a), Limits: Limits{PartialMessage: 400 * time.Millisecond}},
				Endpoint{Network: network, Address: "127.0.0.1:0"})
			open := func() net.Conn {
				if network == "tls" {
					return greet(t, f, a.Pool())
				}
				return dialTo(t, f, 0)
			}
			slow, quick := open(), open()
			text := options("slow")
			for i := range 40 {
				write(t, slow, text[i:i+1])
				write(t, quick, options("quick"))
				if m := next(t, got); m.Request.Recipient.User != "quick" {
					t.Fatalf("%s came", m.Request.Recipient.User)
				}
			}
			write(t, slow, text[40:len(text)-2]) // all but the end
			if res := readResponse(t, bufio.NewReader(slow)); res.StatusCode != 400 {
				t.Errorf("answered %d", res.StatusCode)
			}
			write(t, slow, "\r\n"+options("last"))
			if m := next(t, got); m.Request.Recipient.User != "last" {
				t.Errorf("%s came", m.Request.Recipient.User)
			}
		})
	}
}

// TestStrangersMakeRoom: a flood of connections of sources that nobody knows closes
// its own oldest, and one that shows a certificate is no stranger any more.
func TestStrangersMakeRoom(t *testing.T) {
	a := authority(t)
	f, got := serve(t, Config{
		TLS: believing(t, a), Known: func(int, netip.Addr) bool { return false }, Limits: Limits{MaxStrangers: 2},
	}, onTLS())
	friend := greet(t, f, a.Pool(), issue(t, a, "sbc.example"))
	write(t, friend, options("friend"))
	next(t, got)
	var strangers []net.Conn
	for range 4 {
		c := greet(t, f, a.Pool())
		write(t, c, options("stranger"))
		next(t, got)
		strangers = append(strangers, c)
	}
	for _, c := range strangers[:2] {
		if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("an old stranger stays: %v", err)
		}
	}
	for _, c := range append(strangers[2:], friend) {
		write(t, c, options("still there"))
		next(t, got)
	}
}

// TestHandshakesMakeRoom: those who do not get on with their handshake make room for
// each other, though they come from an address that is known.
func TestHandshakesMakeRoom(t *testing.T) {
	f, _ := serve(t, Config{TLS: believing(t, authority(t)), Limits: Limits{MaxHandshakes: 2}}, onTLS())
	silent := []net.Conn{dialTo(t, f, 0), dialTo(t, f, 0), dialTo(t, f, 0)}
	if _, err := silent[0].Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the oldest stays: %v", err)
	}
	if c := f.Counters(); c.Refused != 1 {
		t.Errorf("%d were turned away, want 1", c.Refused)
	}
}

// A bell is a clock whose calls are made by hand.
type bell struct {
	mu    sync.Mutex
	now   time.Time
	calls []func()
	armed chan time.Duration
}

func (b *bell) Now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *bell) AfterFunc(d time.Duration, f func()) func() bool {
	b.mu.Lock()
	b.calls = append(b.calls, f)
	b.mu.Unlock()
	b.armed <- d
	return func() bool { return true }
}

// ring moves the clock and makes the call that was asked for last.
func (b *bell) ring(d time.Duration) {
	b.mu.Lock()
	b.now = b.now.Add(d)
	call := b.calls[len(b.calls)-1]
	b.mu.Unlock()
	call()
}

// TestIdle: a connection is closed when it carried nothing for the limit; neither a
// keep-alive nor a recording session lets that happen.
func TestIdle(t *testing.T) {
	b := &bell{now: time.Now(), armed: make(chan time.Duration, 9)}
	busy := true
	f, got := serve(t, Config{
		Now: b.Now, AfterFunc: b.AfterFunc, Busy: func(netip.AddrPort) bool { return busy }, Limits: Limits{Idle: time.Minute},
	}, Endpoint{Network: "tcp", Address: "127.0.0.1:0"})
	c := dialTo(t, f, 0)
	wantArmed := func(d time.Duration) {
		t.Helper()
		if got := <-b.armed; got != d {
			t.Errorf("asked for %v, want %v", got, d)
		}
	}
	wantArmed(time.Minute)
	b.mu.Lock()
	b.now = b.now.Add(40 * time.Second)
	b.mu.Unlock()
	write(t, c, "\r\n\r\n")
	if _, err := io.ReadFull(c, make([]byte, 2)); err != nil { // the pong
		t.Fatal(err)
	}
	b.ring(20 * time.Second)
	wantArmed(40 * time.Second)
	b.ring(40 * time.Second) // idle, but with a recording session
	wantArmed(time.Minute)
	write(t, c, options("srs"))
	next(t, got)
	busy = false
	b.ring(59 * time.Second)
	wantArmed(time.Second)
	b.ring(time.Second)
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("idle connection: %v", err)
	}
}

// TestReachTLS opens a connection to a peer whose certificate has the name that is
// asked for, and to no other.
func TestReachTLS(t *testing.T) {
	a := authority(t)
	far, heard := serve(t, Config{TLS: believing(t, a)}, onTLS())
	f, _ := serve(t, Config{TLS: believing(t, a)}, onTLS())
	to := netip.MustParseAddrPort(far.Endpoints()[0].Address)
	if _, err := f.Reach(t.Context(), "tls", to, netip.AddrPort{}, "other.example"); err == nil {
		t.Error("another name was believed")
	}
	fl, err := f.Reach(t.Context(), "TLS", to, netip.AddrPort{}, "srs.example")
	if err != nil {
		t.Fatal(err)
	}
	if err := fl.WriteMsg(mustParseRequest(t, options("far"))); err != nil {
		t.Fatal(err)
	}
	if m := next(t, heard); m.Request.Recipient.User != "far" || !slices.Equal(m.Flow.Names(), []string{"127.0.0.1"}) {
		t.Errorf("%s of %q", m.Request.Recipient.User, m.Flow.Names())
	}
	if host, port := fl.SentBy(); host != "127.0.0.1" || port != int(netip.MustParseAddrPort(f.Endpoints()[0].Address).Port()) {
		t.Errorf("sent by %s:%d, want the listener", host, port)
	}
	again, err := f.Reach(t.Context(), "tls", to, netip.AddrPort{}, "srs.example")
	if err != nil || again.tcp != fl.tcp {
		t.Errorf("the connection is not used again: %v", err)
	}
}

// TestAdvertised: what is said instead of the own address. A zone means something on
// this machine only, and has no place in a SIP URI (RFC 3261 §25.1).
func TestAdvertised(t *testing.T) {
	if host, port := (advertised{}).over(netip.MustParseAddrPort("[fe80::1%lo]:5060")); host != "[fe80::1]" || port != 5060 {
		t.Errorf("an address with a zone is said as %s:%d", host, port)
	}
	local := netip.MustParseAddrPort("10.0.0.1:5062")
	for _, tt := range []struct {
		in, host string
		port     int
		wrong    bool
	}{
		{in: "", host: "10.0.0.1", port: 5062},
		{in: "192.0.2.1", host: "192.0.2.1", port: 5062},
		{in: "192.0.2.1:5070", host: "192.0.2.1", port: 5070},
		{in: "srs.example:5061", host: "srs.example", port: 5061},
		{in: "2001:db8::1", host: "[2001:db8::1]", port: 5062},
		{in: "[2001:db8::1]", host: "[2001:db8::1]", port: 5062},
		{in: "[2001:db8::1]:5070", host: "[2001:db8::1]", port: 5070},
		{in: "0.0.0.0", wrong: true},
		{in: "srs.example:0", wrong: true},
		{in: "srs example", wrong: true},
		{in: "srs.example>\r\nX: y", wrong: true},
	} {
		a, err := parseAdvertised(tt.in)
		if (err != nil) != tt.wrong {
			t.Errorf("%q: %v", tt.in, err)
		}
		if host, port := a.over(local); !tt.wrong && (host != tt.host || port != tt.port) {
			t.Errorf("%q is %s:%d, want %s:%d", tt.in, host, port, tt.host, tt.port)
		}
	}
}
