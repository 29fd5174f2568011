package security

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// tlsCases are the cases of SIP over TLS; over other transports they are skipped.
func tlsCases() []check.Case {
	return []check.Case{
		{
			ID: "security/tls/1", Section: "RFC 7866 §12.1, RFC 3261 §26.3.2.1", Level: check.Must, Needs: []string{"tls", "client-certificate"},
			Shows:       []string{"7866-12.1-01"},
			Requirement: "Who shows no certificate opens no recording session.",
			Run: func(ctx context.Context, t *check.T) {
				how := overTLS(t)
				how.Certificates, how.GetClientCertificate = nil, nil
				notAdmitted(ctx, t, how, "without a certificate")
			},
		},
		{
			ID: "security/tls/2", Section: "RFC 7866 §12.1, RFC 5280 §6", Level: check.Must, Needs: []string{"tls", "client-certificate"},
			Shows:       []string{"7866-12.1-01"},
			Requirement: "Who shows a certificate of an authority that nobody knows opens no recording session.",
			Run: func(ctx context.Context, t *check.T) {
				how := overTLS(t)
				stranger, err := src.NewAuthority()
				t.Check(err, "make an authority")
				cert, err := stranger.Issue("127.0.0.1")
				t.Check(err, "make a certificate")
				// It is shown even when the server names authorities of which it is not.
				how.Certificates = nil
				how.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }
				notAdmitted(ctx, t, how, "with a certificate of an unknown authority")
			},
		},
		{
			ID: "security/tls/3", Section: "RFC 9325 §4.1, RFC 7465 §2", Level: check.Must, Needs: []string{"tls"}, Shows: []string{"7866-12-02"},
			Requirement: "Suites with RC4 are not spoken, nor those with 3DES.",
			Run: func(ctx context.Context, t *check.T) {
				how := overTLS(t)
				how.MinVersion, how.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
				how.CipherSuites = []uint16{
					tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA, tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA, tls.TLS_RSA_WITH_RC4_128_SHA,
					tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA,
				}
				c, err := src.New(ctx, src.Config{Target: t.Address(), Transport: "tls", TLS: how})
				switch {
				case err == nil:
					t.Errorf("RC4 or 3DES is spoken")
					t.Check(c.Close(), "close SRC")
				case errors.Is(err, context.DeadlineExceeded):
					t.Errorf("RC4 and 3DES are not refused: %v", err)
				}
			},
		},
		{
			ID: "security/tls/4", Section: "RFC 3261 §26.2.1", Level: check.Derived, Needs: []string{"tls"},
			Requirement: "SIP in the clear on the port of TLS is not answered.",
			Run: func(ctx context.Context, t *check.T) {
				overTLS(t)
				conn := dial(ctx, t)
				_, err := conn.Write([]byte("OPTIONS sip:srs@" + t.Address() + " SIP/2.0\r\nVia: SIP/2.0/TCP " + conn.LocalAddr().String() +
					";branch=z9hG4bKclear\r\nMax-Forwards: 70\r\nFrom: <sip:src@example.com>;tag=clear\r\nTo: <sip:srs@example.com>\r\n" +
					"Call-ID: in-the-clear\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"))
				t.Check(err, "write")
				t.Check(conn.SetReadDeadline(time.Now().Add(echoWait)), "deadline")
				line, err := bufio.NewReader(conn).ReadString('\n')
				if strings.HasPrefix(line, "SIP/2.0") {
					t.Errorf("answered in the clear: %q (%v)", line, err)
				}
			},
		},
		{
			ID: "security/tls/5", Section: "RFC 3261 §26.1.5", Level: check.Derived, Needs: []string{"tls"},
			Requirement: "Handshakes that go no further keep nobody else out.",
			Run: func(ctx context.Context, t *check.T) {
				overTLS(t)
				for range 16 {
					// The first octets of a record of a handshake (RFC 8446 §5.1).
					_, err := dial(ctx, t).Write([]byte{22, 3, 1})
					t.Check(err, "write")
				}
				t.Open(ctx, src.Request{})
			},
		},
	}
}

// overTLS is what is believed and shown; the case ends over other transports.
func overTLS(t *check.T) *tls.Config {
	if t.Transport() != "tls" {
		t.Skipf("this is %s", t.Transport())
	}
	return t.TLS()
}

// dial opens a connection to the port of TLS that says nothing yet.
func dial(ctx context.Context, t *check.T) net.Conn {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", t.Address())
	t.Check(err, "connect")
	t.Cleanup(func() {
		// The server may have closed it before.
		_ = conn.Close()
	})
	return conn
}

// notAdmitted fails when an INVITE opens a recording session. The server may end the
// handshake or the connection, or refuse the INVITE.
func notAdmitted(ctx context.Context, t *check.T, how *tls.Config, who string) {
	c, err := src.New(ctx, src.Config{Target: t.Address(), Transport: "tls", TLS: how, Credentials: t.Credentials(), T1: 200 * time.Millisecond, Packets: t.Packet})
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the handshake %s is not ended: %v", who, err)
		}
		return
	}
	defer c.Close() // the server may have closed it before
	d, err := c.Invite(ctx, src.Request{Streams: src.TwoParties()})
	if err != nil {
		if errors.Is(err, src.ErrNoResponse) {
			t.Errorf("the INVITE %s was not answered, nor the connection closed", who)
		}
		return
	}
	t.Ends(d)
	if m := d.Final(); m.Status < 300 {
		t.Errorf("the INVITE %s was answered %d", who, m.Status)
	}
}
