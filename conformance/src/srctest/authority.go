// Package srctest gives tests what SIP over TLS needs: an authority, its certificates and
// their files.
package srctest

import (
	"crypto/tls"
	"testing"

	"github.com/siprecd/siprecd/conformance/src"
)

// An Authority is one whose failures end the test.
type Authority struct {
	*src.Authority
	t testing.TB
}

// NewAuthority makes an authority for one test.
func NewAuthority(t testing.TB) Authority {
	t.Helper()
	a, err := src.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	return Authority{a, t}
}

// Issue makes a certificate; see [src.Authority.Issue].
func (a Authority) Issue(names ...string) tls.Certificate {
	a.t.Helper()
	cert, err := a.Authority.Issue(names...)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert
}

// Write puts a certificate into a folder of its own, which goes with the test; see
// [src.Authority.Write].
func (a Authority) Write(cert tls.Certificate) (certificate, key, ca string) {
	a.t.Helper()
	certificate, key, ca, err := a.Authority.Write(a.t.TempDir(), cert)
	if err != nil {
		a.t.Fatal(err)
	}
	return certificate, key, ca
}

// Client is the configuration of a client that believes the authority and may show
// certificates, in TLS 1.2 and above.
func (a Authority) Client(certs ...tls.Certificate) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: a.Pool(), Certificates: certs}
}
