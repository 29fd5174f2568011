package conformance_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/internal/model"
	"github.com/siprecd/siprecd/conformance/src"
)

// unused is an address at which nothing listens: a port that no socket gets by chance.
const unused = "127.0.0.1:1"

// mute takes datagrams and says nothing.
func mute(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.LocalAddr().String()
}

// listen serves each connection by a function, and closes it then.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().String()
}

// untilEOF reads and says nothing.
func untilEOF(c net.Conn) {
	// The client ends the connection, in whatever way.
	_, _ = io.Copy(io.Discard, c)
}

// TestFirstContact: what a user reads who has the address, the transport or the server
// wrong. It is one line with what to do.
func TestFirstContact(t *testing.T) {
	web := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	secured := start(t, model.Config{Network: "tls"})
	demanding := start(t, model.Config{Network: "tls", TLS: &tls.Config{MinVersion: tls.VersionTLS12, ClientAuth: tls.RequireAnyClientCert}})
	plain := start(t, model.Config{Network: "tcp"}).Address
	for _, tt := range []struct {
		name   string
		target check.Target
		want   []string
	}{
		{"no such host", check.Target{Address: "srs.invalid:5060"}, []string{"the host srs.invalid has no address", "check the name"}},
		{"nothing over UDP", check.Target{Address: unused}, []string{"nothing listens on UDP port", "start the server"}},
		{"nothing over TCP", check.Target{Address: unused, Transport: "tcp"}, []string{"nothing listens on TCP port"}},
		{"nothing over TLS", check.Target{Address: unused, Transport: "tls"}, []string{"nothing listens on TCP port"}},
		{"silence over UDP", check.Target{Address: mute(t)}, []string{"no response to OPTIONS within 500ms", "firewall"}},
		{"silence over TCP", check.Target{Address: listen(t, untilEOF), Transport: "tcp"}, []string{"the connection is taken, but OPTIONS is not answered"}},
		{"hangs up", check.Target{Address: listen(t, func(c net.Conn) { c.Read(make([]byte, 1)) }), Transport: "tcp"}, []string{"the connection is closed without an answer"}},
		{"web server", check.Target{Address: web.Listener.Addr().String(), Transport: "tcp"}, []string{`no SIP server, it says "HTTP/1.1 400 Bad Request"`, "check the port"}},
		{"shell server", check.Target{Address: listen(t, func(c net.Conn) {
			if _, err := io.WriteString(c, "SSH-2.0-odd\r\n"); err == nil {
				untilEOF(c)
			}
		}), Transport: "tcp"}, []string{`it says "SSH-2.0-odd"`}},
		{"over TCP only", check.Target{Address: plain}, []string{"it answers over tcp: choose --transport tcp"}},
		{"TCP, and TLS is wanted", check.Target{Address: plain, Transport: "tls"}, []string{"does not speak TLS", "it answers over tcp: choose --transport tcp"}},
		{"over TLS only", check.Target{Address: secured.Address, Transport: "tcp"}, []string{"it answers over tls: choose --transport tls"}},
		{"unknown authority", check.Target{Address: secured.Address, Transport: "tls"}, []string{"the certificate of the server is not believed", "--tls-ca"}},
		{"certificate is demanded", demanding, []string{"certificate", "--tls-certificate"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			timeout := 5 * time.Second
			if strings.HasPrefix(tt.name, "silence") {
				timeout = 500 * time.Millisecond
			}
			r, err := conformance.Run(t.Context(), tt.target, conformance.Options{Timeout: timeout})
			var unreachable *conformance.UnreachableError
			if r != nil || !errors.As(err, &unreachable) || unreachable.Unwrap() == nil {
				t.Fatalf("%v, %v", r, err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "reach "+tt.target.Address) {
				t.Errorf("%q", err)
			}
		})
	}
}

// TestFirstContactInterrupted: who interrupts the first contact is told nothing else.
func TestFirstContactInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := conformance.Run(ctx, check.Target{Address: mute(t)}, conformance.Options{}); !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "reach") {
		t.Errorf("error is %v", err)
	}
}

// TestSlowServer: who answers after the closer look is reached.
func TestSlowServer(t *testing.T) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 65536)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			// Only the client itself is answered, and only when it asks again.
			m, err := src.Parse(buf[:n])
			if err != nil || strings.Contains(m.Get("Via"), "probe") || m.Method != "OPTIONS" {
				continue
			}
			if again := c.SetReadDeadline(time.Now().Add(10 * time.Second)); again != nil {
				return
			}
			out := "SIP/2.0 200 OK\r\nServer: slow/1\r\n"
			for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
				out += name + ": " + m.Get(name) + "\r\n"
			}
			for probed := false; !probed; {
				if n, _, err = c.ReadFrom(buf); err != nil {
					return
				}
				probed = strings.Contains(string(buf[:n]), "probe")
			}
			if _, err := c.WriteTo([]byte(out+"Content-Length: 0\r\n\r\n"), from); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		c.Close()
		<-done
	})
	r, err := conformance.Run(t.Context(), check.Target{Address: c.LocalAddr().String()}, conformance.Options{
		Timeout: 4 * time.Second, Cases: []check.Case{{ID: "a/1", Run: func(context.Context, *check.T) {}}},
	})
	if err != nil || r.Server != "slow/1" {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestAwaited: a server that is just being started is asked again when the run is to wait
// for it, and only then.
func TestAwaited(t *testing.T) {
	target := start(t, model.Config{Network: "tcp"})
	run := func(wait time.Duration) error {
		late := target
		late.Address = lateTo(t, target.Address, 12)
		_, err := conformance.Run(t.Context(), late, conformance.Options{
			Await: wait, Cases: []check.Case{{ID: "a/1", Run: func(context.Context, *check.T) {}}},
		})
		return err
	}
	if err := run(time.Minute); err != nil {
		t.Error(err)
	}
	var unreachable *conformance.UnreachableError
	if err := run(0); !errors.As(err, &unreachable) {
		t.Errorf("without a wait the error is %v", err)
	}
}

// lateTo closes so many connections at once, and passes those after them on.
func lateTo(t *testing.T, address string, closed int) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for n := 0; ; n++ {
			in, err := l.Accept()
			if err != nil {
				return
			}
			if n < closed {
				in.Close()
				continue
			}
			out, err := net.Dial("tcp", address)
			if err != nil {
				in.Close()
				continue
			}
			for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
				all.Go(func() {
					_, _ = io.Copy(way[1], way[0])
					way[1].Close()
				})
			}
		}
	})
	t.Cleanup(func() { l.Close(); all.Wait() })
	return l.Addr().String()
}

// TestWrongPassword: a server that accepts no INVITE although a password was said is told
// from one that was not asked rightly.
func TestWrongPassword(t *testing.T) {
	target := start(t, model.Config{Network: "udp", Asks: true, Account: account()})
	var err error
	if target.Credentials, err = src.NewCredentials(account().Name, "guessed"); err != nil {
		t.Fatal(err)
	}
	r, err := conformance.Run(t.Context(), target, conformance.Options{Cases: []check.Case{
		{ID: "a/1", Level: check.Must, Run: func(ctx context.Context, t *check.T) { t.Open(ctx, src.Request{}) }},
	}})
	if err != nil || r.Failed != 1 || !strings.Contains(r.Hint, `although a password was said: check --user and --password-file`) || strings.Contains(r.Hint, "\n") {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestNoSRS: a server that accepts no recording session is told to be none.
func TestNoSRS(t *testing.T) {
	invite := check.Case{ID: "a/1", Level: check.Must, Run: func(ctx context.Context, t *check.T) { t.Open(ctx, src.Request{}) }}
	options := check.Case{ID: "a/2", Level: check.Must, Run: func(ctx context.Context, t *check.T) { t.Do(ctx, t.Client(ctx), "OPTIONS", src.Request{}) }}
	refuses := func(req *src.Message, r *model.Response) {
		if req.Method == "INVITE" {
			r.Status, r.SDP = 403, ""
		}
	}
	for _, tt := range []struct {
		name  string
		cfg   model.Config
		cases []check.Case
		want  string
	}{
		{"refuses", model.Config{Alter: refuses}, []check.Case{invite, invite}, `The server accepted no INVITE, and refused 2 of them with "403`},
		{"asks for a password", model.Config{Asks: true}, []check.Case{invite, invite, options},
			`The server accepted no INVITE, and refused 2 of them with "401 Model": it asks for a password, say one with --user and --password-file.`},
		{"redirects", model.Config{Alter: func(req *src.Message, r *model.Response) {
			refuses(req, r)
			if r.Status == 403 {
				r.Status = 302
			}
		}}, []check.Case{invite}, `The server accepted no INVITE, and sent 1 of them elsewhere with "302`},
		{"is silent", model.Config{Drop: func(req *src.Message, _ int) bool { return req.Method == "INVITE" }}, []check.Case{invite}, "The server answers, but not to INVITE"},
		{"accepts", model.Config{}, []check.Case{invite}, ""},
		{"is not asked", model.Config{Alter: refuses}, []check.Case{options}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.cfg.Network = "udp"
			r, err := conformance.Run(t.Context(), start(t, tt.cfg), conformance.Options{Cases: tt.cases, Timeout: 500 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(r.Hint, tt.want) || tt.want == "" && r.Hint != "" {
				t.Errorf("hint is %q", r.Hint)
			}
		})
	}
}
