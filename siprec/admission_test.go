package siprec

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/icholy/digest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/siprecd/siprecd/conformance/src"
)

// as is a Config that takes everybody for an SRC.
func as(s SRC) func(*Config) {
	return func(c *Config) { c.Admit = func(Origin) (SRC, error) { return s, nil } }
}

func TestRates(t *testing.T) {
	now := time.Now()
	r := newRates(func() time.Time { return now })
	take := func(name string, perSecond float64, want ...bool) {
		t.Helper()
		for i, w := range want {
			if got := r.take(name, perSecond); got != w {
				t.Errorf("%s, take %d: %v", name, i, got)
			}
		}
	}
	take("a", 2, true, true, false)
	take("b", 2, true)
	now = now.Add(500 * time.Millisecond)
	take("a", 2, true, false)
	now = now.Add(time.Hour)
	take("a", 2, true, true, false)
	now = now.Add(-time.Minute) // a clock that was set back gives nothing, and takes nothing
	take("a", 2, false)
	take("slow", 0.5, true, false)
	now = now.Add(2 * time.Second)
	take("slow", 0.5, true, false)
	take("free", 0, true, true, true)
}

// TestInvitesPerSecond: too many INVITEs in a second get 503 with Retry-After.
// Shows 3261-20.33-01.
func TestInvitesPerSecond(t *testing.T) {
	d := newDesk(t, nil, as(SRC{Name: "sbc", InvitesPerSecond: 1}))
	d.settled(d.invite(src.Request{}))
	d.want(Offered)
	if f := d.invite(src.Request{}).Final(); f.Status != 503 || !f.Has("Retry-After") || !f.Has("Warning") {
		t.Errorf("answered %d %s", f.Status, f.Get("Warning"))
	}
	d.clock.advance(time.Second)
	if f := d.invite(src.Request{}).Final(); f.Status != 200 {
		t.Errorf("a second later answered %d", f.Status)
	}
	d.want(Offered)
}

// TestGuessesAreCounted: with a password a call costs one INVITE, and so does each
// wrong one.
func TestGuessesAreCounted(t *testing.T) {
	d := newDesk(t, nil, as(SRC{Name: "sbc", InvitesPerSecond: 2, Digest: aDigest()}))
	for range 3 {
		challenges(t, d.invite(src.Request{}).Final())
	}
	c := challenges(t, d.invite(src.Request{}).Final())[0]
	challenges(t, d.invite(src.Request{Headers: []src.Header{answerTo(t, c, digest.Options{Password: "wrong"})}}).Final())
	right := src.Request{Headers: []src.Header{answerTo(t, c, digest.Options{Password: "right"})}}
	if f := d.invite(right).Final(); f.Status != 200 {
		t.Fatalf("answered %d", f.Status)
	}
	d.want(Offered)
	if f := d.invite(right).Final(); f.Status != 503 {
		t.Errorf("one too many was answered %d", f.Status)
	}
}

// TestRecordingSessionsOfAnSRC: the limit of one SRC is not that of another.
// Shows 3261-20.33-01.
func TestRecordingSessionsOfAnSRC(t *testing.T) {
	var name atomic.Value
	name.Store("a")
	d := newDesk(t, nil, func(c *Config) {
		c.Admit = func(Origin) (SRC, error) { return SRC{Name: name.Load().(string), MaxRecordingSessions: 1}, nil }
	})
	dialog := d.invite(src.Request{})
	d.want(Offered)
	if f := d.invite(src.Request{}).Final(); f.Status != 503 || !f.Has("Retry-After") {
		t.Errorf("answered %d", f.Status)
	}
	name.Store("b")
	if f := d.invite(src.Request{}).Final(); f.Status != 200 {
		t.Errorf("another was answered %d", f.Status)
	}
	d.want(Offered)
	if m, err := dialog.Bye(t.Context(), src.Request{}); err != nil || m.Status != 200 {
		t.Fatalf("BYE: %v %v", m, err)
	}
	d.want(Ended)
}

// TestStrict: a strict SRC needs both marks; else one is enough.
// Shows 7866-6.1.2-03, 7866-6.2-01, 7866-6.2-02.
func TestStrict(t *testing.T) {
	d := newDesk(t, nil, as(SRC{Strict: true}))
	for _, tt := range []struct {
		name   string
		r      src.Request
		status int
	}{
		{"both", src.Request{}, 200},
		{"no feature tag", src.Request{NoFeatureTag: true}, 403},
		{"no option tag", src.Request{Require: []string{}}, 403},
		{"supported only", src.Request{Require: []string{}, Headers: []src.Header{{Name: "Supported", Value: "siprec"}}}, 403},
	} {
		if f := d.invite(tt.r).Final(); f.Status != tt.status || tt.status > 200 && !strings.Contains(f.Get("Warning"), "RFC 7866") {
			t.Errorf("%s: answered %d %s", tt.name, f.Status, f.Get("Warning"))
		}
		if tt.status == 200 {
			d.want(Offered)
		}
	}
}

// TestRedirect: what this server cannot take now is sent to others, within a dialog
// nothing is.
// Shows 3261-21.3.3-01.
func TestRedirect(t *testing.T) {
	var reject atomic.Bool
	d := newDesk(t, func(_ *RecordingSession, ev *Event) {
		if reject.Load() {
			ev.Reject(503, "no room on the disk")
		}
	}, func(c *Config) {
		c.MaxRecordingSessions = 1
		c.Redirect = []string{"sip:two.example", "sip:three.example:5070;transport=tcp"}
	})
	wantRedirect := func(m *src.Message) {
		t.Helper()
		if m.Status != 302 || !slices.Equal(m.All("Contact"), []string{"<sip:two.example>", "<sip:three.example:5070;transport=tcp>"}) || !m.Has("Warning") {
			t.Errorf("answered %d, Contact %q", m.Status, m.All("Contact"))
		}
	}
	reject.Store(true)
	wantRedirect(d.invite(src.Request{}).Final())
	d.want(Offered)
	d.want(Ended)
	for d.server.Up() > 0 { // until it is forgotten
		runtime.Gosched()
	}
	reject.Store(false)
	dialog := d.invite(src.Request{})
	d.want(Offered)
	wantRedirect(d.invite(src.Request{}).Final())
	reject.Store(true)
	if m, err := dialog.Update(t.Context(), src.Request{Metadata: []byte("<recording/>")}); err != nil || m.Status != 503 || !m.Has("Retry-After") {
		t.Errorf("UPDATE: %v %v", m, err)
	}
	d.want(Changed)
	reject.Store(false)
}

// TestUnavailable: until the reason is gone an INVITE is refused before the handler
// is asked, or sent elsewhere, and OPTIONS too; what is up goes on.
// Shows 3261-20.33-01.
func TestUnavailable(t *testing.T) {
	for _, redirect := range [][]string{nil, {"sip:two.example"}} {
		var why atomic.Value
		why.Store("")
		d := newDesk(t, nil, func(c *Config) {
			c.Redirect = redirect
			c.Unavailable = func() string { return why.Load().(string) }
		})
		dialog := d.invite(src.Request{})
		d.want(Offered)
		why.Store("no room")
		m := d.invite(src.Request{}).Final()
		switch {
		case !strings.Contains(m.Get("Warning"), "no room"):
			t.Errorf("Warning is %q", m.Get("Warning"))
		case redirect == nil && (m.Status != 503 || m.Get("Retry-After") == ""), redirect != nil && (m.Status != 302 || m.Get("Contact") != "<sip:two.example>"):
			t.Errorf("answered %d, Retry-After %q, Contact %q", m.Status, m.Get("Retry-After"), m.Get("Contact"))
		}
		if m, err := d.client.Options(t.Context(), src.Request{}); err != nil || m.Status != 503 || !m.Has("Retry-After") || !strings.Contains(m.Get("Warning"), "no room") {
			t.Errorf("OPTIONS: %v, %v", m, err)
		}
		if m, err := dialog.Options(t.Context(), src.Request{}); err != nil || m.Status != 200 {
			t.Errorf("OPTIONS in the dialog: %v, %v", m, err)
		}
		if err := d.server.Initiate(t.Context(), "sip:127.0.0.1:9", SRC{}); err == nil || err.Error() != "siprec: no room" {
			t.Errorf("Initiate: %v", err)
		}
		if m, err := dialog.Update(t.Context(), src.Request{Metadata: []byte("<recording/>")}); err != nil || m.Status != 200 {
			t.Errorf("UPDATE: %v, %v", m, err)
		}
		d.want(Changed)
		why.Store("")
		if m, err := d.client.Options(t.Context(), src.Request{}); err != nil || m.Status != 200 {
			t.Errorf("when it was over: OPTIONS: %v, %v", m, err)
		}
		if m := d.invite(src.Request{}).Final(); m.Status != 200 {
			t.Errorf("when it was over: answered %d", m.Status)
		}
		d.want(Offered)
	}
}

// TestAdvertise: Via, Contact and SDP have the address that others reach; the ports
// stay ours.
func TestAdvertise(t *testing.T) {
	for _, tt := range []struct {
		advertise, media string
		contact, address string
	}{
		{"203.0.113.7:5090", "", "sip:siprecd@203.0.113.7:5090", "203.0.113.7"},
		{"srs.example:5090", "", "sip:siprecd@srs.example:5090", "127.0.0.1"},
		{"srs.example:5090", "203.0.113.8", "sip:siprecd@srs.example:5090", "203.0.113.8"},
	} {
		ready := make(chan *RecordingSession, 1)
		d := newDesk(t, func(rs *RecordingSession, ev *Event) {
			if ev.Kind == Offered {
				ready <- rs
			}
		}, func(c *Config) {
			c.Listen[0].Advertise = tt.advertise
			if tt.media != "" {
				c.Listen[0].AdvertiseMedia = netip.MustParseAddr(tt.media)
			}
		})
		dialog := d.invite(src.Request{})
		if got := mustAddr(t, dialog.Final().Get("Contact")).URI; got != tt.contact {
			t.Errorf("Contact is %s, want %s", got, tt.contact)
		}
		answer, err := dialog.Answer()
		if err != nil {
			t.Fatal(err)
		}
		streams := d.want(Offered).Streams
		for i := range answer.Media {
			if got := answer.AddressOf(i); got.Addr().String() != tt.address || got.Port() != streams[i].Local.Port() || !streams[i].Local.Addr().IsLoopback() {
				t.Errorf("m-line %d is %s, bound to %s", i, got, streams[i].Local)
			}
		}
		d.settled(dialog)
		(<-ready).End()
		bye, err := dialog.NextRequest(t.Context(), "BYE")
		if err != nil || !strings.Contains(bye.Get("Via"), " "+strings.TrimPrefix(tt.contact, "sip:siprecd@")+";") {
			t.Errorf("Via of the BYE is %v, %v", bye, err)
		}
		d.want(Ended)
	}
}

// TestStrangersLeaveNothing: requests of 10,000 addresses that nobody knows are
// answered, the same again when they are repeated, and leave neither transactions nor
// many lines in the log behind.
// Shows 3261-8.2.7-01.
func TestStrangersLeaveNothing(t *testing.T) {
	core, logged := observer.New(zapcore.DebugLevel)
	d := newDesk(t, nil, func(c *Config) {
		c.Log = zap.New(core)
		c.Admit = func(o Origin) (SRC, error) {
			if o.Source.Addr() != netip.MustParseAddr("127.0.0.1") {
				return SRC{}, errors.New("not on the list")
			}
			return SRC{}, nil
		}
	})
	target := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(d.server.Endpoints()[0].Address))
	buf := make([]byte, 4096)
	ask := func(c *net.UDPConn, text string) string {
		t.Helper()
		if _, err := c.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		n, err := c.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		return string(buf[:n])
	}
	for i := range 10000 {
		c, err := net.DialUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 9, byte(i>>8), byte(i))}, target)
		if errors.Is(err, syscall.EADDRNOTAVAIL) {
			t.Skip("only one loopback address here")
		}
		if err != nil {
			t.Fatal(err)
		}
		method := []string{"INVITE", "OPTIONS", "BYE", "REGISTER"}[i%4]
		text := fmt.Sprintf("%s sip:srs@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bK%d\r\nFrom: <sip:x@y>;tag=%d\r\n"+
			"To: <sip:srs@127.0.0.1>\r\nCall-ID: stranger-%d\r\nCSeq: 1 %s\r\nContact: <sip:x@127.0.0.1>\r\nContent-Length: 0\r\n\r\n", method, i, i, i, method)
		got := ask(c, text)
		want := map[string]string{"INVITE": "403", "OPTIONS": "200", "BYE": "481", "REGISTER": "405"}[method]
		if !strings.HasPrefix(got, "SIP/2.0 "+want) {
			t.Fatalf("%s got %.40q, want %s", method, got, want)
		}
		if i < 8 {
			if again := ask(c, text); again != got {
				t.Errorf("repeated: %q, then %q", got, again)
			}
		}
		c.Close()
	}
	d.server.tx.mu.Lock()
	if n := len(d.server.tx.server); n != 0 {
		t.Errorf("%d transactions are left", n)
	}
	d.server.tx.mu.Unlock()
	// The log's own clock runs on while this takes place.
	if n := logged.FilterMessage("invite refused").Len(); n == 0 || n > 600 {
		t.Errorf("%d lines about strangers", n)
	}
	if f := d.invite(src.Request{}).Final(); f.Status != 200 {
		t.Errorf("an SRC was answered %d after them", f.Status)
	}
	d.want(Offered)
}

// TestForgedRequestsLeaveNothing: whoever writes the address of an SRC into his
// datagrams gets what opens no recording session answered, each time in the same
// words, and takes no memory by it.
func TestForgedRequestsLeaveNothing(t *testing.T) {
	d := newDesk(t, nil, func(c *Config) {
		c.Admit = func(Origin) (SRC, error) { return SRC{Name: "sbc", MaxRecordingSessions: 1}, nil }
	})
	d.invite(src.Request{})
	d.want(Offered)
	before := d.server.tx.pending()
	c := newBareSRC(t, "udp", d.server.Endpoints()[0].Address, 0)
	for _, tt := range []struct{ method, tag, want string }{
		{"OPTIONS", "", "200"}, {"OPTIONS", "none", "481"}, {"BYE", "", "481"}, {"BYE", "none", "481"}, {"UPDATE", "none", "481"},
		{"INVITE", "none", "481"}, {"CANCEL", "", "481"}, {"REGISTER", "", "405"}, {"INVITE", "", "503"},
	} {
		text := c.text(tt.method, "forged", tt.tag, 1, "")
		first := ""
		for i := range 2 {
			if _, err := c.conn.Write(text); err != nil {
				t.Fatal(err)
			}
			got, err := c.next()
			if err != nil || !strings.HasPrefix(got, "SIP/2.0 "+tt.want) {
				t.Errorf("%s %s: %v, %.40q, want %s", tt.method, tt.tag, err, got, tt.want)
			}
			if i == 0 {
				first = got
			} else if got != first {
				t.Errorf("%s %s: %q, repeated %q", tt.method, tt.tag, first, got)
			}
		}
	}
	if now := d.server.tx.pending(); now > before {
		t.Errorf("%d transactions, %d before", now, before)
	}
}

// TestIdleConnections: a connection with a recording session stays, one without is
// closed; so is one too many of a stranger.
func TestIdleConnections(t *testing.T) {
	ready := make(chan *RecordingSession, 1)
	var strange atomic.Bool
	d := newDesk(t, func(rs *RecordingSession, ev *Event) {
		if ev.Kind == Offered {
			ready <- rs
		}
	}, func(c *Config) {
		c.Vanish = -1
		c.Idle = time.Minute
		c.Listen = append(c.Listen, Endpoint{Name: "edge", Network: "tcp", Address: "127.0.0.1:0"})
		c.Admit = func(o Origin) (SRC, error) {
			if strange.Load() {
				return SRC{}, errors.New("not on the list")
			}
			return SRC{Name: o.Listener}, nil
		}
	})
	open := func() *src.SRC {
		t.Helper()
		c, err := src.New(t.Context(), src.Config{Target: d.server.Endpoints()[1].Address, Transport: "tcp"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if m, err := c.Options(t.Context(), src.Request{}); err != nil || m.Status != 200 {
			t.Fatalf("OPTIONS: %v %v", m, err)
		}
		return c
	}
	used, idle := open(), open()
	dialog, err := used.Invite(t.Context(), src.Request{Streams: src.TwoParties(src.PCMU())})
	if err != nil {
		t.Fatal(err)
	}
	d.want(Offered)
	if rs := <-ready; rs.SRC().Name != "edge" {
		t.Errorf("the SRC is %q", rs.SRC().Name)
	}
	d.settledWithoutWatch(dialog)
	d.clock.advance(10 * time.Minute)
	if _, err := idle.Options(t.Context(), src.Request{}); !errors.Is(err, src.ErrClosed) {
		t.Errorf("an idle connection: %v", err)
	}
	if m, err := dialog.Bye(t.Context(), src.Request{}); err != nil || m.Status != 200 {
		t.Errorf("BYE on a silent one: %v %v", m, err)
	}
	d.want(Ended)

	strange.Store(true)
	var first *src.SRC
	for range 32 {
		if c := open(); first == nil {
			first = c
		}
	}
	c, err := src.New(t.Context(), src.Config{Target: d.server.Endpoints()[1].Address, Transport: "tcp"})
	if err == nil {
		_, err = c.Options(t.Context(), src.Request{})
		c.Close()
	}
	if err == nil {
		t.Error("a stranger has more than 32 connections")
	}
	if m, err := first.Options(t.Context(), src.Request{}); err != nil || m.Status != 200 {
		t.Errorf("the first of them: %v %v", m, err)
	}
}

// settledWithoutWatch waits until the ACK of the INVITE is noted.
func (d *desk) settledWithoutWatch(dialog *src.Dialog) {
	d.t.Helper()
	if m, err := dialog.Options(d.t.Context(), src.Request{}); err != nil || m.Status != 200 {
		d.t.Fatalf("OPTIONS: %v, %v", m, err)
	}
}

// A safe is what TLS needs in a test.
type safe struct {
	authority *src.Authority
	dir       string
	tls       *TLS
}

func newSafe(t *testing.T, clients ClientCertificates) *safe {
	t.Helper()
	s := &safe{dir: t.TempDir()}
	var err error
	if s.authority, err = src.NewAuthority(); err != nil {
		t.Fatal(err)
	}
	certificate, key, ca := s.put(t, "127.0.0.1")
	if s.tls, err = LoadTLS(TLSFiles{Certificate: certificate, Key: key, CA: ca, Clients: clients}); err != nil {
		t.Fatal(err)
	}
	return s
}

// put writes a certificate for names in place of the one before.
func (s *safe) put(t *testing.T, names ...string) (certificate, key, ca string) {
	t.Helper()
	cert, err := s.authority.Issue(names...)
	if err != nil {
		t.Fatal(err)
	}
	if certificate, key, ca, err = s.authority.Write(s.dir, cert); err != nil {
		t.Fatal(err)
	}
	return certificate, key, ca
}

// shown is the TLS of an SRC that believes the authority, with a certificate for names
// of some authority or without one.
func (s *safe) shown(t *testing.T, by *src.Authority, names ...string) *tls.Config {
	t.Helper()
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: s.authority.Pool()}
	if len(names) > 0 {
		cert, err := by.Issue(names...)
		if err != nil {
			t.Fatal(err)
		}
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }
	}
	return cfg
}

// secured is a desk with a TLS listener.
func secured(t *testing.T, s *safe, act func(*RecordingSession, *Event), change ...func(*Config)) *desk {
	return newDesk(t, act, append([]func(*Config){func(c *Config) {
		c.TLS = s.tls
		c.Listen = append(c.Listen, Endpoint{Name: "edge", Network: "tls", Address: "127.0.0.1:0"})
	}}, change...)...)
}

func (d *desk) overTLS(how *tls.Config) (*src.SRC, error) {
	c, err := src.New(d.t.Context(), src.Config{Target: d.server.Endpoints()[1].Address, Transport: "tls", TLS: how})
	if err == nil {
		d.t.Cleanup(func() { c.Close() })
	}
	return c, err
}

// TestCertificateNotBelieved: who shows a certificate that cannot be believed is let in
// without a name where none is required, and the log says why.
// Shows 7866-12.1-01.
func TestCertificateNotBelieved(t *testing.T) {
	other, err := src.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	core, logged := observer.New(zapcore.WarnLevel)
	s := newSafe(t, ClientsOptional)
	d := secured(t, s, nil, func(c *Config) { c.Log = zap.New(core) })
	for _, by := range []*src.Authority{s.authority, other} {
		c, err := d.overTLS(s.shown(t, by, "sbc.example"))
		if err != nil {
			t.Fatal(err)
		}
		if m, err := c.Options(t.Context(), src.Request{}); err != nil || m.Status != 200 {
			t.Fatalf("OPTIONS: %v, %v", m, err)
		}
	}
	lines := logged.All()
	if len(lines) != 1 {
		t.Fatalf("the log is %v", lines)
	}
	said := lines[0].ContextMap()
	if lines[0].Level != zap.WarnLevel || !strings.Contains(said["subject"].(string), "sbc.example") ||
		!strings.Contains(said["why"].(string), "unknown authority") || !strings.HasPrefix(said["source"].(string), "127.0.0.1:") {
		t.Errorf("the log is %v", said)
	}
}

// TestMutualTLS: who is let in, and as whom, by what it shows.
// Shows 7866-12-04, 7866-12.1-01, 7866-12.3-01, 7865-10-01.
func TestMutualTLS(t *testing.T) {
	other, err := src.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	for _, clients := range []ClientCertificates{ClientsOff, ClientsOptional, ClientsRequired} {
		s := newSafe(t, clients)
		origins := make(chan Origin, 9)
		d := secured(t, s, func(rs *RecordingSession, ev *Event) {
			if ev.Kind == Offered {
				origins <- rs.Origin()
			}
		})
		for _, tt := range []struct {
			name  string
			how   *tls.Config
			names []string
			out   bool // when certificates are required
		}{
			{"none", s.shown(t, nil), nil, true},
			{"ours", s.shown(t, s.authority, "sbc.example", "sip:rec.example"), []string{"sbc.example", "sbc.example", "sip:rec.example"}, false},
			{"of another authority", s.shown(t, other, "sbc.example"), nil, true},
		} {
			t.Run(string(clients)+", "+tt.name, func(t *testing.T) {
				c, err := d.overTLS(tt.how)
				var dialog *src.Dialog
				if err == nil { // with TLS 1.3 the server refuses after the client has finished
					dialog, err = c.Invite(t.Context(), src.Request{Streams: src.TwoParties(src.PCMU())})
				}
				if out := tt.out && clients == ClientsRequired; out != (err != nil) {
					t.Fatalf("error is %v", err)
				} else if out {
					return
				}
				if f := dialog.Final(); f.Status != 200 || !strings.HasSuffix(mustAddr(t, f.Get("Contact")).URI, ";transport=tls") {
					t.Errorf("answered %d, Contact %s", f.Status, f.Get("Contact"))
				}
				d.want(Offered)
				want := tt.names
				if clients == ClientsOff {
					want = nil
				}
				if o := <-origins; o.Transport != "TLS" || o.Listener != "edge" || !slices.Equal(o.Certificate, want) {
					t.Errorf("origin is %+v", o)
				}
				if m, err := dialog.Bye(t.Context(), src.Request{}); err != nil || m.Status != 200 {
					t.Errorf("BYE: %v %v", m, err)
				}
				d.want(Ended)
			})
		}
	}
}

// TestSips: the answer to a sips request has a sips Contact (RFC 3261 §12.1.1).
// Shows 7866-12-03.
func TestSips(t *testing.T) {
	s := newSafe(t, ClientsOff)
	d := secured(t, s, nil)
	c, err := d.overTLS(s.shown(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	dialog, err := c.Invite(t.Context(), src.Request{Streams: src.TwoParties(src.PCMU()), RequestURI: "sips:srs@127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := mustAddr(t, dialog.Final().Get("Contact")).URI, "sips:siprecd@"+d.server.Endpoints()[1].Address; got != want {
		t.Errorf("Contact is %s, want %s", got, want)
	}
	d.want(Offered)
}

// TestTLSReload: new files count for new connections; bad ones change nothing.
func TestTLSReload(t *testing.T) {
	s := newSafe(t, ClientsOff)
	d := secured(t, s, nil)
	nobody := s.shown(t, nil)
	nobody.ServerName = "renewed.example"
	if _, err := d.overTLS(nobody); err == nil {
		t.Fatal("the certificate is for anybody")
	}
	certificate, _, _ := s.put(t, "renewed.example")
	if err := s.tls.Reload(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.overTLS(nobody); err != nil {
		t.Errorf("after a reload: %v", err)
	}
	if err := os.WriteFile(certificate, []byte("not a certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.tls.Reload(); err == nil {
		t.Error("a bad certificate was taken")
	}
	if _, err := d.overTLS(nobody); err != nil {
		t.Errorf("after a bad reload: %v", err)
	}
}

func TestTLSFilesRefused(t *testing.T) {
	s := newSafe(t, ClientsOff)
	good := s.tls.files
	for _, tt := range []struct {
		name   string
		change func(*TLSFiles)
		want   string
	}{
		{"no certificate", func(f *TLSFiles) { f.Certificate += "x" }, "no such file"},
		{"no key", func(f *TLSFiles) { f.Key += "x" }, "no such file"},
		{"no authority", func(f *TLSFiles) { f.CA += "x" }, "no such file"},
		{"an authority that is none", func(f *TLSFiles) { f.CA = f.Key }, "holds no certificate"},
		{"required of nobody", func(f *TLSFiles) { f.CA, f.Clients = "", ClientsRequired }, "whose are believed"},
		{"another word", func(f *TLSFiles) { f.Clients = "maybe" }, "not off, optional or required"},
	} {
		files := good
		tt.change(&files)
		if _, err := LoadTLS(files); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestReconnectTLS: a request of ours opens a TLS connection to an SRC whose own was
// lost, and believes only the certificate that names the host of its Contact or what
// it has shown before.
func TestReconnectTLS(t *testing.T) {
	for _, tt := range []struct {
		name     string
		contact  string
		listener []string // names of the certificate at the other end
		heard    bool
	}{
		{"by the host of the Contact", "sbc.example", []string{"sbc.example"}, true},
		{"by what was shown", "127.0.0.1", []string{"sbc"}, true},
		{"by another name", "sbc.example", []string{"other.example"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSafe(t, ClientsRequired)
			ready := make(chan *RecordingSession, 1)
			d := secured(t, s, func(rs *RecordingSession, ev *Event) {
				if ev.Kind == Offered {
					ready <- rs
				}
			})
			cert, err := s.authority.Issue(tt.listener...)
			if err != nil {
				t.Fatal(err)
			}
			l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
			how := s.shown(t, s.authority, "sbc")
			how.ServerName = "127.0.0.1"
			conn, err := tls.Dial("tcp", d.server.Endpoints()[1].Address, how)
			if err != nil {
				t.Fatal(err)
			}
			p := &wirePeer{t: t}
			p.use(conn)
			_, port, err := net.SplitHostPort(l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			say := func(method, tag, sdp string) {
				t.Helper()
				if _, err := fmt.Fprintf(conn, "%s sip:srs@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1;branch=z9hG4bK%s\r\n"+
					"From: <sip:src@127.0.0.1>;tag=src\r\nTo: <sip:srs@127.0.0.1>%s\r\nCall-ID: tls\r\nCSeq: 1 %s\r\n"+
					"Contact: <sip:src@%s:%s;transport=tls>;+sip.src\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s",
					method, method, tag, method, tt.contact, port, len(sdp), sdp); err != nil {
					t.Fatal(err)
				}
			}
			say("INVITE", "", string(offerText("sendonly")))
			_, tag, _ := strings.Cut(p.want("SIP/2.0 200").Get("To"), ";")
			say("ACK", ";"+tag, "")
			d.want(Offered)
			p.hangUp()
			(<-ready).End()
			again, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer again.Close()
			if err := again.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 4)
			if _, err := io.ReadFull(again, b); (err == nil) != tt.heard || tt.heard && string(b) != "BYE " {
				t.Errorf("%q came, %v", b, err)
			}
			d.want(Ended)
		})
	}
}
