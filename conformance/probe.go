package conformance

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
)

// kind is what a probe met.
type kind int

const (
	unknown     kind = iota
	sip              // a SIP response
	refused          // nothing listens
	foreign          // an answer that is no SIP
	ended            // the connection was closed without an answer
	silent           // no answer
	unconnected      // no connection in time
	unsecured        // a connection, and no handshake of TLS in time
)

// finding is what a probe met over a transport.
type finding struct {
	transport string
	kind      kind
	said      string // the first line of a foreign answer
}

// final says that waiting longer would change nothing.
func (f finding) final() bool { return f.kind == refused || f.kind == foreign || f.kind == ended }

// findings are what was met at an address: over the transport of the target, and the
// others over which there is a SIP server.
type findings struct {
	own    finding
	others []string
}

// look probes an address over every transport at a time.
func look(ctx context.Context, target check.Target, limit time.Duration) (f findings) {
	all := []string{"udp", "tcp", "tls"}
	found := make(chan finding, len(all))
	for _, transport := range all {
		go func() { found <- probe(ctx, target, transport, limit) }()
	}
	for range all {
		switch one := <-found; {
		case one.transport == target.Transport:
			f.own = one
		case one.kind == sip:
			f.others = append(f.others, one.transport)
		}
	}
	slices.Sort(f.others)
	return f
}

// elsewhere says which other transport to choose; empty when there is none.
func (f findings) elsewhere() string {
	if len(f.others) == 0 {
		return ""
	}
	return fmt.Sprintf("; it answers over %s: choose --transport %s", strings.Join(f.others, " and "), f.others[0])
}

// probe sends one OPTIONS in plain words over a transport and looks at whatever comes
// back. Over UDP the socket is connected, so that the network can say that nothing
// listens; over TLS any certificate will do, since nothing is trusted to it.
func probe(ctx context.Context, target check.Target, transport string, limit time.Duration) finding {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	f := finding{transport: transport}
	network := "tcp"
	if transport == "udp" {
		network = "udp"
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, network, target.Address)
	if err != nil {
		f.kind = kindOf(err, unconnected)
		return f
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() {
		// A failure means that the socket is closed, which ends the read too.
		_ = c.SetDeadline(time.Unix(1, 0))
	})
	defer stop()
	if transport == "tls" {
		cfg := &tls.Config{MinVersion: tls.VersionTLS12}
		if target.TLS != nil {
			cfg = target.TLS.Clone()
		}
		cfg.InsecureSkipVerify = true
		secured := tls.Client(c, cfg)
		if err := secured.HandshakeContext(ctx); err != nil {
			if f.kind = unknown; ctx.Err() != nil {
				f.kind = unsecured
			}
			return f
		}
		c = secured
	}
	return f.ask(c)
}

// ask sends OPTIONS and reads the begin of the answer.
func (f finding) ask(c net.Conn) finding {
	if _, err := c.Write(options(c, f.transport)); err != nil {
		f.kind = kindOf(err, ended)
		return f
	}
	buf := make([]byte, 4096)
	n, err := c.Read(buf)
	switch line, _, _ := bytes.Cut(buf[:n], []byte("\n")); {
	case n == 0:
		f.kind = kindOf(err, ended)
	case bytes.HasPrefix(buf[:n], []byte("SIP/2.0 ")):
		f.kind = sip
	default:
		f.kind, f.said = foreign, strings.TrimSpace(string(line[:min(len(line), 60)]))
	}
	return f
}

// kindOf is what an error of the network means.
func kindOf(err error, otherwise kind) kind {
	var network net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), strings.Contains(err.Error(), "refused"): // the word where errors are others
		return refused
	case otherwise == ended && errors.As(err, &network) && network.Timeout():
		return silent
	}
	return otherwise
}

// options is an OPTIONS request without body (RFC 3261 §11.1).
func options(c net.Conn, transport string) []byte {
	local, remote := c.LocalAddr().String(), c.RemoteAddr().String()
	id := fmt.Sprintf("%x", time.Now().UnixNano())
	return fmt.Appendf(nil, "OPTIONS sip:%s SIP/2.0\r\n"+
		"Via: SIP/2.0/%s %s;branch=z9hG4bK-probe-%s;rport\r\n"+
		"Max-Forwards: 70\r\nFrom: <sip:siprec-conformance@%s>;tag=%s\r\nTo: <sip:%s>\r\n"+
		"Call-ID: probe-%s@%s\r\nCSeq: 1 OPTIONS\r\nContact: <sip:siprec-conformance@%s>\r\n"+
		"Accept: application/sdp\r\nContent-Length: 0\r\n\r\n",
		remote, strings.ToUpper(transport), local, id, local, id, remote, id, local, local)
}
