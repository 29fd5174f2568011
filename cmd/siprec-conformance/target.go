package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
)

// reachFlags say where the server is and how to talk to it.
type reachFlags struct {
	Target         string `required:"" help:"Server, as sip:[user@]host[:port]; the port is 5060 when absent, with tls 5061." placeholder:"URI"`
	Transport      string `enum:"udp,tcp,tls" default:"udp" help:"udp, tcp or tls."`
	TLSCertificate string `name:"tls-certificate" help:"Certificate to show on TLS, PEM, with --tls-key." placeholder:"FILE"`
	TLSKey         string `name:"tls-key" help:"Private key of the certificate, PEM." placeholder:"FILE"`
	TLSCA          string `name:"tls-ca" help:"Authorities that the certificate of the server may be of, PEM. When empty, those of the system." placeholder:"FILE"`
	loginFlags     `embed:""`
}

// target is the server that the flags name.
func (c reachFlags) target() (check.Target, error) {
	target, err := parseTarget(c.Target, c.Transport)
	if err != nil {
		return target, err
	}
	target.Transport = c.Transport
	if target.TLS, err = c.tls(); err != nil {
		return target, err
	}
	target.Credentials, err = c.credentials()
	return target, err
}

// tls is what is shown and believed on TLS.
func (c reachFlags) tls() (*tls.Config, error) {
	if c.Transport != "tls" {
		if c.TLSCertificate+c.TLSKey+c.TLSCA != "" {
			return nil, errors.New("--tls-certificate, --tls-key and --tls-ca are for --transport tls")
		}
		return nil, nil
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.TLSCertificate+c.TLSKey != "" {
		cert, err := tls.LoadX509KeyPair(c.TLSCertificate, c.TLSKey)
		if err != nil {
			return nil, fmt.Errorf("read --tls-certificate and --tls-key: %w", err)
		}
		cfg.Certificates = []tls.Certificate{cert}
	}
	if c.TLSCA != "" {
		text, err := os.ReadFile(c.TLSCA)
		if err != nil {
			return nil, err
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s holds no certificate", c.TLSCA)
		}
	}
	return cfg, nil
}

// parseTarget reads sip:[user@]host[:port]; an IPv6 host stands in brackets
// (RFC 3261 §19.1.1). A user becomes part of the Request-URI. The port is that of
// the transport when absent (§19.1.2).
func parseTarget(uri, transport string) (check.Target, error) {
	rest, ok := strings.CutPrefix(uri, "sip:")
	if !ok {
		return check.Target{}, fmt.Errorf("target %q is not a sip: URI", uri)
	}
	user, hostport, hasUser := strings.Cut(rest, "@")
	if !hasUser {
		hostport = rest
	}
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		host, port = strings.Trim(hostport, "[]"), "5060"
		if transport == "tls" {
			port = "5061"
		}
	}
	if strings.ContainsAny(port, ";?") {
		return check.Target{}, fmt.Errorf("target %q has parameters: leave them out, the transport is that of --transport", uri)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return check.Target{}, fmt.Errorf("target %q has no port from 1 to 65535", uri)
	}
	if host == "" || strings.ContainsAny(host, " ;?<>/") {
		return check.Target{}, fmt.Errorf("target %q has no host that can be used", uri)
	}
	t := check.Target{Address: net.JoinHostPort(host, port)}
	if hasUser && user != "" {
		t.RequestURI = "sip:" + user + "@" + t.Address
	}
	return t, nil
}
