package front

import (
	"bufio"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

// TestOverTransactions: sipgo's server transaction works on a Flow.
func TestOverTransactions(t *testing.T) {
	f, got := serve(t, Config{}, Endpoint{Network: "udp", Address: "127.0.0.1:0"})
	c := dialTo(t, f, 0)
	write(t, c, options("srs"))
	m := next(t, got)
	key, err := sip.ServerTxKeyMake(m.Request)
	if err != nil {
		t.Fatal(err)
	}
	tx := sip.NewServerTx(key, m.Request, m.Flow, sip.DefaultLogger())
	if err := tx.Init(); err != nil {
		t.Fatal(err)
	}
	defer tx.Terminate()
	if err := tx.Respond(sip.NewResponseFromRequest(m.Request, 200, "OK", nil)); err != nil {
		t.Fatal(err)
	}
	if res := readResponse(t, packets(c)); res.StatusCode != 200 {
		t.Errorf("status %d", res.StatusCode)
	}
}

// TestWithoutRport: the response goes to the port of the Via (RFC 3261 §18.2.2).
// Shows 3261-18.2.1-01.
func TestWithoutRport(t *testing.T) {
	f, got := serve(t, Config{}, Endpoint{Network: "udp", Address: "127.0.0.1:0"})
	other, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	_, port, _ := net.SplitHostPort(other.LocalAddr().String())
	c := dialTo(t, f, 0)
	write(t, c, wire{without: "Via", fields: []string{"Via: SIP/2.0/UDP src.example.com:" + port + ";branch=z9hG4bK1"}}.String())
	reply(t, next(t, got), 200, nil)
	buf := make([]byte, 2000)
	if err := other.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	n, _, err := other.ReadFrom(buf)
	if err != nil {
		t.Fatal(err)
	}
	res := mustParseResponse(t, buf[:n])
	if received, _ := res.Via().Params.Get("received"); received != "127.0.0.1" {
		t.Errorf("received %q", received)
	}
}

// TestResponseTarget: where there is no port in the Via, it is 5060.
func TestResponseTarget(t *testing.T) {
	for via, want := range map[string]string{
		"SIP/2.0/UDP h.example.com":            "192.0.2.20:5060",
		"SIP/2.0/UDP h.example.com:5080":       "192.0.2.20:5080",
		"SIP/2.0/UDP h.example.com:5080;rport": "192.0.2.20:5070",
	} {
		v, err := parseVia(via)
		if err != nil {
			t.Fatal(err)
		}
		if got := responseTarget(v, source); got.String() != want {
			t.Errorf("%s: %s, want %s", via, got, want)
		}
	}
	if got := responseTarget(nil, source); got != source {
		t.Errorf("without Via: %s", got)
	}
}

func TestLargeDatagram(t *testing.T) {
	f, got := serve(t, Config{}, Endpoint{Network: "udp", Address: "127.0.0.1:0"})
	c := dialTo(t, f, 0)
	write(t, c, wire{body: strings.Repeat("m", 60000)}.String())
	m := next(t, got)
	reply(t, m, 200, []byte(strings.Repeat("r", 65000)))
	buf := make([]byte, maxDatagram)
	n, err := c.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	if res := mustParseResponse(t, buf[:n]); len(res.Body()) != 65000 {
		t.Errorf("body of %d octets", len(res.Body()))
	}
}

func TestWildcardLocal(t *testing.T) {
	f, got := serve(t, Config{}, Endpoint{Network: "udp", Address: "0.0.0.0:0"})
	port := addrPortOf(f.Addrs()[0]).Port()
	c, err := net.Dial("udp", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port).String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	write(t, c, options("srs"))
	m := next(t, got)
	for range 2 { // the second time from the cache
		if local := m.Flow.Local(); local != addrPortOf(c.RemoteAddr()) {
			t.Errorf("local %s, want %s", local, c.RemoteAddr())
		}
	}
}

// TestDeadConnection: a response whose connection was lost goes over a new one
// to the port of the Via; a request fails (RFC 3261 §18.2.2, §18.4).
func TestDeadConnection(t *testing.T) {
	f, got := serve(t, Config{}, Endpoint{Network: "tcp", Address: "127.0.0.1:0"})
	src, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	c := dialTo(t, f, 0)
	write(t, c, wire{without: "Via", fields: []string{"Via: SIP/2.0/TCP " + src.Addr().String() + ";branch=z9hG4bK1;rport"}}.String())
	m := next(t, got)
	m.Flow.tcp.close()
	if err := m.Flow.WriteMsg(m.Request); !errors.Is(err, net.ErrClosed) {
		t.Errorf("request: %v", err)
	}
	reply(t, m, 200, nil)
	anew, err := src.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer anew.Close()
	if err := anew.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if res := readResponse(t, packets(anew)); res.StatusCode != 200 {
		t.Errorf("status %d", res.StatusCode)
	}
	write(t, anew, options("back")) // the front reads from what it opened
	if m := next(t, got); m.Request.Recipient.User != "back" {
		t.Errorf("request for %q", m.Request.Recipient.User)
	}
}

// TestStrangersAreNotCalledBack: a stranger whose connection is lost has no other
// opened for his answers.
func TestStrangersAreNotCalledBack(t *testing.T) {
	f, got := serve(t, Config{Known: func(int, netip.Addr) bool { return false }}, Endpoint{Network: "tcp", Address: "127.0.0.1:0"})
	src, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	write(t, dialTo(t, f, 0), wire{without: "Via", fields: []string{"Via: SIP/2.0/TCP " + src.Addr().String() + ";branch=z9hG4bK1;rport"}}.String())
	m := next(t, got)
	m.Flow.tcp.close()
	before := f.Counters().Connections
	if err := m.Flow.WriteMsg(sip.NewResponseFromRequest(m.Request, 403, "Forbidden", nil)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("response: %v", err)
	}
	if now := f.Counters().Connections; now != before {
		t.Errorf("%d connections, %d before the answer", now, before)
	}
}

// TestPeerThatIsLost is called back once, not for each answer it is owed.
func TestPeerThatIsLost(t *testing.T) {
	f, got := serve(t, Config{}, Endpoint{Network: "tcp", Address: "127.0.0.1:0"})
	src, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	where := src.Addr().String()
	src.Close()
	write(t, dialTo(t, f, 0), wire{without: "Via", fields: []string{"Via: SIP/2.0/TCP " + where + ";branch=z9hG4bK1;rport"}}.String())
	m := next(t, got)
	m.Flow.tcp.close()
	answer := sip.NewResponseFromRequest(m.Request, 200, "OK", nil)
	if err := m.Flow.WriteMsg(answer); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("first response: %v", err)
	}
	if err := m.Flow.WriteMsg(answer); !errors.Is(err, net.ErrClosed) {
		t.Errorf("second response: %v", err)
	}
}

// TestPeerThatDoesNotRead loses its connection: who writes to it must not wait for
// ever.
func TestPeerThatDoesNotRead(t *testing.T) {
	f, got := serve(t, Config{Limits: Limits{Write: 50 * time.Millisecond}}, Endpoint{Network: "tcp", Address: "127.0.0.1:0"})
	c := dialTo(t, f, 0)
	write(t, c, options("greedy"))
	fl := next(t, got).Flow
	full := make([]byte, 1<<20)
	written := make(chan error, 1)
	go func() {
		for {
			if err := fl.tcp.send(full); err != nil {
				written <- err
				return
			}
		}
	}()
	select {
	case err := <-written:
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("still writing")
	}
	if !fl.tcp.dead.Load() {
		t.Error("the connection is not given up")
	}
}

func TestReachUDP(t *testing.T) {
	f, got := serve(t, Config{}, Endpoint{Network: "udp", Address: "127.0.0.1:0"}, Endpoint{Network: "udp", Address: "127.0.0.1:0"})
	peer, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	for i := range 2 {
		local := addrPortOf(f.Addrs()[i])
		fl, err := f.Reach(t.Context(), "UDP", addrPortOf(peer.LocalAddr()), local)
		if err != nil {
			t.Fatal(err)
		}
		if fl.Local() != local {
			t.Errorf("local %s, want %s", fl.Local(), local)
		}
		req := mustParseRequest(t, options("src"))
		if err := fl.WriteMsg(req); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 2000)
		_, from, err := peer.ReadFrom(buf)
		if err != nil || addrPortOf(from) != local {
			t.Fatalf("from %v: %v", from, err)
		}
		if _, err := peer.WriteTo([]byte(wire{start: "SIP/2.0 200 OK", without: "CSeq", fields: []string{"CSeq: 7 OPTIONS"}}.String()), from); err != nil {
			t.Fatal(err)
		}
		if m := next(t, got); m.Response == nil || m.Response.StatusCode != 200 || m.Request != nil {
			t.Errorf("message %+v", m)
		}
	}
	if _, err := f.Reach(t.Context(), "udp", netip.MustParseAddrPort("[2001:db8::1]:5060"), netip.AddrPort{}); err == nil {
		t.Error("an IPv4 socket reached an IPv6 address")
	}
	if _, err := f.Reach(t.Context(), "ws", source, netip.AddrPort{}); err == nil {
		t.Error("ws was taken")
	}
}

func TestReachTCP(t *testing.T) {
	f, got := serve(t, Config{}, Endpoint{Network: "tcp", Address: "127.0.0.1:0"})
	c := dialTo(t, f, 0)
	write(t, c, options("srs"))
	next(t, got)
	same, err := f.Reach(t.Context(), "tcp", addrPortOf(c.LocalAddr()), netip.AddrPort{})
	if err != nil || f.Counters().Connections != 1 {
		t.Fatalf("%v, counters %+v", err, f.Counters())
	}
	if err := same.WriteMsg(mustParseRequest(t, options("src"))); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil || line != "OPTIONS sip:src@rec.example.com SIP/2.0\r\n" {
		t.Errorf("%q %v", line, err)
	}
	src, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	remote := addrPortOf(src.Addr())
	fl, err := f.Reach(t.Context(), "tcp", remote, netip.AddrPort{})
	if err != nil || f.Counters().Connections != 2 {
		t.Fatalf("%v, counters %+v", err, f.Counters())
	}
	src.Close()
	fl.tcp.close()
	if _, err := f.Reach(t.Context(), "tcp", remote, netip.AddrPort{}); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("error %v", err)
	}
}

// TestAgain makes flows of another process: their connections are lost, and another
// leaves from the same listener.
func TestAgain(t *testing.T) {
	f, _ := serve(t, Config{}, Endpoint{Network: "udp", Address: "127.0.0.1:0"}, Endpoint{Network: "tcp", Address: "127.0.0.1:0"})
	udp, tcp := addrPortOf(f.Addrs()[0]), addrPortOf(f.Addrs()[1])
	src, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	before := netip.MustParseAddrPort("127.0.0.1:4")
	fl, err := f.Again("UDP", before, udp, nil)
	if err != nil || fl.Network() != "UDP" || fl.Endpoint() != 0 || fl.Local() != udp || fl.Remote() != before {
		t.Errorf("UDP: %+v, %v", fl, err)
	}
	fl, err = f.Again("TCP", before, tcp, []string{"a name"})
	if err != nil || fl.Network() != "TCP" || fl.Endpoint() != 1 || fl.Remote() != before || len(fl.Names()) != 1 {
		t.Fatalf("TCP: %+v, %v", fl, err)
	}
	if host, port := fl.SentBy(); host != "127.0.0.1" || port != int(tcp.Port()) {
		t.Errorf("sent by %s:%d, want %s", host, port, tcp)
	}
	if err := fl.WriteMsg(mustParseRequest(t, options("src"))); !errors.Is(err, net.ErrClosed) {
		t.Errorf("written to a connection that is lost: %v", err)
	}
	next, err := fl.Anew(t.Context(), addrPortOf(src.Addr()), "")
	if err != nil || next.Endpoint() != 1 {
		t.Fatalf("anew: %v", err)
	}
	if err := next.WriteMsg(mustParseRequest(t, options("src"))); err != nil {
		t.Error(err)
	}
	for network, peer := range map[string]string{"TLS": "127.0.0.1:4", "TCP": "[2001:db8::1]:4", "UDP": "[2001:db8::1]:4", "WS": "127.0.0.1:4"} {
		if _, err := f.Again(network, netip.MustParseAddrPort(peer), tcp, nil); err == nil {
			t.Errorf("%s with %s, where nothing listens", network, peer)
		}
	}
}
