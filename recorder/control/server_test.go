package control

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/recorder"
)

// listen serves a bench on a free port of loopback until the test ends.
func listen(t *testing.T, b *bench, c *Certificate) *Server {
	t.Helper()
	s, err := Listen("127.0.0.1:0", c, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	s.Serve(b.Handler)
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// get asks with a client of its own.
func get(t *testing.T, url string, cfg *tls.Config) (status int, text string, err error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret("crm"))
	transport := &http.Transport{TLSClientConfig: cfg}
	defer transport.CloseIdleConnections()
	got, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return 0, "", err
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	return got.StatusCode, string(body), err
}

func TestServer(t *testing.T) {
	b := newBench(t, entry(t, "crm", []string{"*"}, "read"))
	s := listen(t, b, nil)
	status, text, err := get(t, "http://"+s.Address()+"/v1/interactions/one", nil)
	if err != nil || status != 200 || !strings.Contains(text, `"recording":"one"`) {
		t.Errorf("%d %s, %v", status, text, err)
	}
	if _, err := Listen(s.Address(), nil, zap.NewNop()); err == nil {
		t.Error("the address was taken twice")
	}
}

// TLS below 1.2 is refused, and the certificate can be renewed.
func TestServerTLS(t *testing.T) {
	authority, err := src.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	issue := func(name string) (certificate, key string) {
		t.Helper()
		c, err := authority.Issue(name)
		if err != nil {
			t.Fatal(err)
		}
		certificate, key, _, err = authority.Write(dir, c)
		if err != nil {
			t.Fatal(err)
		}
		return certificate, key
	}
	certificate, key := issue("127.0.0.1")
	if _, err := LoadCertificate(certificate, certificate); err == nil {
		t.Error("a certificate is no key")
	}
	c, err := LoadCertificate(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	s := listen(t, newBench(t, entry(t, "crm", []string{"*"}, "read")), c)
	url := "https://" + s.Address() + "/v1/interactions/one"
	fine := &tls.Config{RootCAs: authority.Pool()}
	if status, text, err := get(t, url, fine); err != nil || status != 200 {
		t.Errorf("%d %s, %v", status, text, err)
	}
	if _, _, err := get(t, url, &tls.Config{RootCAs: authority.Pool(), MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 is taken")
	}
	if status, _, err := get(t, "http://"+s.Address()+"/v1/interactions/one", nil); err == nil && status != 400 {
		t.Errorf("without TLS it is answered %d", status)
	}
	issue("sbc.example")
	if _, _, err := get(t, url, fine); err != nil {
		t.Errorf("before it is told: %v", err)
	}
	if err := c.Reload(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := get(t, url, fine); err == nil {
		t.Error("the certificate of before is still shown")
	}
	fine.ServerName = "sbc.example"
	if _, _, err := get(t, url, fine); err != nil {
		t.Error(err)
	}
}

// Who stops lets what is worked on be answered, and takes nothing new.
func TestClose(t *testing.T) {
	b := newBench(t, entry(t, "crm", []string{"*"}, "control"))
	begun, goOn := make(chan struct{}), make(chan struct{})
	b.rec.command = func(context.Context, recorder.Query, recorder.Command) (recorder.Answer, error) {
		close(begun)
		<-goOn
		return recorder.Answer{}, nil
	}
	s, err := Listen("127.0.0.1:0", nil, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	s.Serve(b.Handler)
	r, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+s.Address()+"/v1/interactions/one/commands", strings.NewReader(pauseAgent))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret("crm"))
	r.Header.Set("Content-Type", "application/json")
	status := make(chan int, 1)
	go func() {
		transport := &http.Transport{DisableKeepAlives: true}
		got, err := (&http.Client{Transport: transport}).Do(r)
		if err != nil {
			status <- 0
			return
		}
		_ = got.Body.Close()
		status <- got.StatusCode
	}()
	<-begun
	closed := make(chan error, 1)
	go func() { closed <- s.Close(context.Background()) }()
	for { // until nothing new is taken
		c, err := net.DialTimeout("tcp", s.Address(), time.Second)
		if err != nil {
			break
		}
		_ = c.Close()
	}
	select {
	case err := <-closed:
		t.Errorf("closed before the command was answered: %v", err)
	default:
	}
	close(goOn)
	if got := <-status; got != 200 {
		t.Errorf("the command was answered %d", got)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// One that is in a hurry cuts off what is worked on; one that never served closes too.
func TestCloseInAHurry(t *testing.T) {
	b := newBench(t, entry(t, "crm", []string{"*"}, "read"))
	s, err := Listen("127.0.0.1:0", nil, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	s.Serve(b.Handler)
	c, err := net.Dial("tcp", s.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET /v1/interactions HTTP/1.1\r\n"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = s.Close(ctx) // an error where the connection was seen already
	if _, err := io.ReadAll(c); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Error(err)
	}
	idle, err := Listen("127.0.0.1:0", nil, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	if err := idle.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// A further connection is closed, and one that ends makes room.
func TestFewConnections(t *testing.T) {
	l := &fewConnections{of: make(map[netip.Addr]int)}
	a, z := network("192.0.2.1:5").Addr(), network("192.0.2.2:5").Addr()
	for range mostOfAddress {
		if !l.enter(a) {
			t.Fatal("there was room")
		}
	}
	if l.enter(a) || !l.enter(z) {
		t.Error("the limit is not of each address")
	}
	l.leave(a)
	if !l.enter(a) || l.enter(a) {
		t.Error("one that left makes room for one")
	}
	for i := range mostConnections - mostOfAddress - 1 {
		if !l.enter(network("198.51.100.1:5").Addr()) {
			t.Fatalf("no room for %d", i)
		}
	}
	if l.enter(z) {
		t.Error("the limit of all does not hold")
	}
	for range mostOfAddress {
		l.leave(a)
	}
	if len(l.of) != 2 {
		t.Errorf("%v is remembered", l.of)
	}
}

// What is accepted counts until it is closed, however often.
func TestConnectionsAreCounted(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer inner.Close()
	l := &fewConnections{Listener: inner, of: make(map[netip.Addr]int)}
	dial := func() net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	for range mostOfAddress {
		l.enter(network(inner.Addr().String()).Addr())
	}
	refused := dial()
	taken := make(chan net.Conn)
	go func() {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
		}
		taken <- c
	}()
	if _, err := refused.Read(make([]byte, 1)); err == nil {
		t.Error("one too many is not closed")
	}
	l.leave(network(inner.Addr().String()).Addr())
	dial()
	c := <-taken
	if l.all != mostOfAddress {
		t.Errorf("%d connections", l.all)
	}
	for range 2 {
		_ = c.Close()
	}
	if l.all != mostOfAddress-1 {
		t.Errorf("%d connections", l.all)
	}
}
