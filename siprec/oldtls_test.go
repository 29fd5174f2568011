package siprec

import (
	"crypto/tls"
	"testing"
)

// TestOldTLSIsRefused: nothing below TLS 1.2 is spoken, and no weak suite (RFC 7866
// §12, RFC 9325 §3.1.1, §4.1).
// Shows 7866-12-01, 7866-12-02.
func TestOldTLSIsRefused(t *testing.T) {
	s := newSafe(t, ClientsOff)
	d := secured(t, s, nil)
	for _, tt := range []struct {
		name   string
		from   uint16
		to     uint16
		suites []uint16
		spoken bool
	}{
		{"1.0 and 1.1", tls.VersionTLS10, tls.VersionTLS11, nil, false},
		{"RC4", tls.VersionTLS12, tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA}, false},
		{"1.2", tls.VersionTLS12, tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}, true},
		{"1.3", tls.VersionTLS13, tls.VersionTLS13, nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			how := s.shown(t, nil)
			how.MinVersion, how.MaxVersion, how.CipherSuites = tt.from, tt.to, tt.suites
			if _, err := d.overTLS(how); (err == nil) != tt.spoken {
				t.Errorf("handshake: %v", err)
			}
		})
	}
}
