package siprec

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync/atomic"

	"github.com/siprecd/siprecd/siprec/internal/front"
)

// ClientCertificates says whether an SRC has to show a certificate (mutual TLS,
// RFC 7866 §12).
type ClientCertificates string

// The ways.
const (
	// ClientsOff asks for none.
	ClientsOff ClientCertificates = "off"
	// ClientsOptional asks for one. Whoever shows none, or one that cannot be
	// believed, is let in without a name; of the latter a warning is logged.
	ClientsOptional ClientCertificates = "optional"
	// ClientsRequired lets nobody in without one that can be believed.
	ClientsRequired ClientCertificates = "required"
)

// TLSFiles are the files, in PEM, that TLS is made of.
type TLSFiles struct {
	// Certificate is ours with its chain, Key its private key.
	Certificate, Key string
	// CA holds the authorities whose certificates are believed, of SRCs and of
	// those that the server connects to. Empty means those of the system for the
	// latter, and is an error with another value of Clients than off.
	CA      string
	Clients ClientCertificates // empty means off
}

// A TLS is the identity of a server on TLS 1.2 and above, and whom it believes.
// Its methods may be called by any goroutine.
type TLS struct {
	files   TLSFiles
	current atomic.Pointer[credentials]
}

// credentials are what the files held when they were read last.
type credentials struct {
	certificate tls.Certificate
	authorities *x509.CertPool // nil for those of the system
}

// LoadTLS reads the files.
func LoadTLS(files TLSFiles) (*TLS, error) {
	switch files.Clients {
	case "":
		files.Clients = ClientsOff
	case ClientsOff:
	case ClientsOptional, ClientsRequired:
		if files.CA == "" {
			return nil, errors.New("TLS: certificates of clients are asked for, but nothing says whose are believed")
		}
	default:
		return nil, fmt.Errorf("TLS: client certificates %q are not off, optional or required", files.Clients)
	}
	t := &TLS{files: files}
	return t, t.Reload()
}

// Reload reads the files again, for connections that are opened from now on. When
// one cannot be used, all stay as they were.
func (t *TLS) Reload() error {
	var c credentials
	var err error
	if c.certificate, err = tls.LoadX509KeyPair(t.files.Certificate, t.files.Key); err != nil {
		return fmt.Errorf("TLS: %w", err)
	}
	if t.files.CA != "" {
		text, err := os.ReadFile(t.files.CA)
		if err != nil {
			return fmt.Errorf("TLS: %w", err)
		}
		c.authorities = x509.NewCertPool()
		if !c.authorities.AppendCertsFromPEM(text) {
			return fmt.Errorf("TLS: %s holds no certificate", t.files.CA)
		}
	}
	t.current.Store(&c)
	return nil
}

// front is what the transport layer needs; nil without TLS.
func (t *TLS) front() *front.TLS {
	if t == nil {
		return nil
	}
	return &front.TLS{Server: t.server, Client: t.client, Identify: t.identify}
}

func (t *TLS) server() *tls.Config {
	c := t.current.Load()
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{c.certificate}}
	switch t.files.Clients {
	case ClientsOptional:
		cfg.ClientAuth, cfg.ClientCAs = tls.RequestClientCert, c.authorities
	case ClientsRequired:
		cfg.ClientAuth, cfg.ClientCAs = tls.RequireAnyClientCert, c.authorities
		cfg.VerifyConnection = func(cs tls.ConnectionState) error { return verify(cs, c.authorities) }
	}
	return cfg
}

// client accepts a peer whose certificate has one of names (RFC 5922 §7.3). The
// check is ours since a name may be one of the certificate seen before.
func (t *TLS) client(names []string) *tls.Config {
	c := t.current.Load()
	cfg := &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{c.certificate},
		InsecureSkipVerify: true, // VerifyConnection does it
		VerifyConnection: func(cs tls.ConnectionState) error {
			if err := verify(cs, c.authorities); err != nil {
				return err
			}
			if leaf := cs.PeerCertificates[0]; !slices.ContainsFunc(names, func(n string) bool { return certifies(leaf, n) }) {
				return fmt.Errorf("the certificate is not for any of %q", names)
			}
			return nil
		},
	}
	if len(names) > 0 {
		cfg.ServerName = names[0] // crypto/tls leaves out what is no host name
	}
	return cfg
}

// identify gives the names of a certificate, or says why it cannot be believed. Without
// authorities of the operator's choice nobody is known by one.
func (t *TLS) identify(cs tls.ConnectionState) ([]string, error) {
	if t.files.CA == "" || len(cs.PeerCertificates) == 0 {
		return nil, nil
	}
	if err := verify(cs, t.current.Load().authorities); err != nil {
		return nil, err
	}
	return certificateNames(cs.PeerCertificates[0]), nil
}

// verify checks the chain of the peer. A certificate for servers is good for an SRC
// too: an SBC has one for both directions, and public authorities issue no others.
func verify(cs tls.ConnectionState, authorities *x509.CertPool) error {
	if len(cs.PeerCertificates) == 0 {
		return errors.New("no certificate")
	}
	between := x509.NewCertPool()
	for _, c := range cs.PeerCertificates[1:] {
		between.AddCert(c)
	}
	_, err := cs.PeerCertificates[0].Verify(x509.VerifyOptions{
		Roots: authorities, Intermediates: between,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	})
	return err
}

// certificateNames are the common name and the DNS and URI names of a certificate.
func certificateNames(c *x509.Certificate) []string {
	var names []string
	if cn := c.Subject.CommonName; cn != "" {
		names = append(names, cn)
	}
	names = append(names, c.DNSNames...)
	for _, u := range c.URIs {
		names = append(names, u.String())
	}
	return names
}

// certifies says whether a certificate is for a host, address or other name.
func certifies(c *x509.Certificate, name string) bool {
	return c.VerifyHostname(name) == nil || slices.ContainsFunc(certificateNames(c), func(n string) bool {
		return equalFold(n, name) || equalFold(n, "sip:"+name)
	})
}
