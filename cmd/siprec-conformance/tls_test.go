package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/conformance/src/srctest"
)

// TestOverTLS: the server is believed by --tls-ca only, and is shown the certificate.
func TestOverTLS(t *testing.T) {
	authority := srctest.NewAuthority(t)
	cert := authority.Issue("127.0.0.1")
	certificate, key, ca := authority.Write(cert)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}, ClientCAs: authority.Pool(), ClientAuth: tls.RequireAndVerifyClientCert,
	})
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
			refuseAll(c)
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	for _, tt := range []struct {
		args []string
		want int
		says string
	}{
		{[]string{"--tls-ca", ca, "--tls-certificate", certificate, "--tls-key", key}, exitPassed, "1 passed"},
		{[]string{"--tls-ca", ca}, exitError, "reach"},
		{nil, exitError, "unknown authority"},
	} {
		var out, errs bytes.Buffer
		args := append([]string{"run", "--target", "sip:" + l.Addr().String(), "--transport", "tls", "rfc3261/15.1.2/1"}, tt.args...)
		if got := run(t.Context(), args, &out, &errs); got != tt.want || !strings.Contains(out.String()+errs.String(), tt.says) {
			t.Errorf("exit code %d with %d flags, want %d, %q\n%s%s", got, len(tt.args), tt.want, tt.says, &out, &errs)
		}
	}
}

// refuseAll answers each request without a body with 481, until the end of the
// connection.
func refuseAll(c net.Conn) {
	defer c.Close()
	lines := bufio.NewScanner(c)
	var kept []string
	for lines.Scan() {
		name, _, _ := strings.Cut(lines.Text(), ":")
		switch name {
		case "Via", "From", "To", "Call-ID", "CSeq":
			kept = append(kept, lines.Text())
		case "":
			fmt.Fprintf(c, "SIP/2.0 481 No Such Thing\r\n%s\r\nContent-Length: 0\r\n\r\n", strings.Join(kept, "\r\n"))
			kept = nil
		}
	}
}
