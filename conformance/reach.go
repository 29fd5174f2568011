package conformance

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// patience is how long a server may take for OPTIONS before it is looked at more
// closely, and longest how long that look takes.
const (
	patience = time.Second
	longest  = 2 * time.Second
)

// An UnreachableError says why no case could be run: in one line, with what to do.
type UnreachableError struct {
	Target string // host:port, and the transport
	Why    string
	Err    error // of the network, TLS or the transaction
}

func (e *UnreachableError) Error() string { return "reach " + e.Target + ": " + e.Why }

// Unwrap is what went wrong underneath.
func (e *UnreachableError) Unwrap() error { return e.Err }

// answer is what came of OPTIONS.
type answer struct {
	server string // Server of the response
	err    error
}

// again is how long after a server could not be reached it is asked again.
const again = 250 * time.Millisecond

// await asks a server that cannot be reached again until it can be, or the time for that
// is over: what it is then is told.
func await(ctx context.Context, within time.Duration, ask func() (server string, err error)) (string, error) {
	over := time.Now().Add(within)
	for {
		server, err := ask()
		if err == nil || time.Until(over) <= 0 {
			return server, err
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(again):
		}
	}
}

// reach asks for any response to OPTIONS, so that silence in a case is the server's and
// not the network's. It returns what the server calls itself (RFC 3261 §20.35), or an
// UnreachableError. A server that has not responded after a while is looked at more
// closely; what that finds may settle it before the time is over.
func reach(ctx context.Context, target check.Target, timeout time.Duration) (server string, err error) {
	whole := ctx
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	asked := make(chan answer, 1)
	go func() { asked <- ask(ctx, target) }()
	hurry := time.NewTimer(min(patience, timeout/2))
	defer hurry.Stop()
	var got answer
	select {
	case got = <-asked:
		if got.err == nil {
			return got.server, nil
		}
		asked <- got
	case <-hurry.C:
	}
	found := look(whole, target, min(longest, timeout))
	if found.own.final() || len(found.others) > 0 {
		cancel()
	}
	if got = <-asked; got.err == nil {
		return got.server, nil
	}
	if whole.Err() != nil {
		return "", whole.Err()
	}
	return "", &UnreachableError{
		Target: target.Address + " over " + target.Transport, Err: got.err,
		Why: explain(target, found.own, got.err, timeout) + found.elsewhere(),
	}
}

func ask(ctx context.Context, target check.Target) (a answer) {
	c, err := src.New(ctx, src.Config{Target: target.Address, Transport: target.Transport, TLS: target.TLS, Credentials: target.Credentials, Packets: target.Packets})
	if err != nil {
		return answer{err: err}
	}
	m, err := c.Options(ctx, src.Request{RequestURI: target.RequestURI})
	if closing := c.Close(); err == nil && closing != nil {
		err = closing
	}
	if err != nil {
		return answer{err: err}
	}
	return answer{server: m.Get("Server")}
}

// explain says in one sentence what is wrong and what to do.
func explain(target check.Target, found finding, err error, timeout time.Duration) string {
	host, port, _ := net.SplitHostPort(target.Address)
	name := strings.ToUpper(target.Transport)
	if name == "TLS" && found.kind != refused {
		if why := explainTLS(host, err); why != "" {
			return why
		}
	}
	var nowhere *net.DNSError
	switch {
	case errors.As(err, &nowhere):
		return fmt.Sprintf("the host %s has no address (%s); check the name, or give an IP address", host, nowhere.Err)
	case found.kind == refused:
		return fmt.Sprintf("nothing listens on %s port %s of %s; start the server, or check address and port",
			strings.Replace(name, "TLS", "TCP", 1), port, host)
	case found.kind == foreign:
		return fmt.Sprintf("what listens there is no SIP server, it says %q; check the port", found.said)
	case found.kind == ended:
		return "the connection is closed without an answer to OPTIONS; check that the port is for SIP, and that the server lets this machine in"
	case found.kind == unconnected:
		return fmt.Sprintf("no connection within %s; check address and port, and that no firewall is between", timeout)
	case found.kind == unsecured:
		return "the connection is taken, but the handshake of TLS is not answered: what listens there does not speak TLS; check the port, or choose another transport"
	case found.kind == silent && name != "UDP":
		return fmt.Sprintf("the connection is taken, but OPTIONS is not answered within %s; check that the port is for SIP", timeout)
	case found.kind == silent:
		return fmt.Sprintf("no response to OPTIONS within %s; check address and port, that no firewall is between, and that the server answers this machine", timeout)
	}
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}

// explainTLS says what is wrong with a handshake; empty when it is something else.
func explainTLS(host string, err error) string {
	var untrusted *tls.CertificateVerificationError
	var other tls.RecordHeaderError
	switch {
	case errors.As(err, &untrusted):
		return fmt.Sprintf("the certificate of the server is not believed (%v); name its authority with --tls-ca, and check that it is issued for %s", untrusted.Err, host)
	case errors.As(err, &other):
		return "what listens there does not speak TLS; check the port, or choose another transport"
	case strings.Contains(err.Error(), "remote error: tls:"):
		_, alert, _ := strings.Cut(err.Error(), "remote error: tls: ")
		return fmt.Sprintf("the server ends the handshake with %q; where it asks for a certificate, show one with --tls-certificate and --tls-key", alert)
	}
	return ""
}
