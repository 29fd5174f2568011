package main

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
)

// Recordings are in the clear only when somebody says so or nobody else reaches the
// server; without a master key nothing is encrypted.
func TestEncrypts(t *testing.T) {
	find := func(_ context.Context, host string) ([]netip.Addr, error) {
		if host == "localhost" {
			return []netip.Addr{netip.IPv6Loopback()}, nil
		}
		return nil, errors.New("no such host")
	}
	const refused, useless = "there is no master key to encrypt recordings with", "nothing is encrypted without a master key"
	for _, tt := range []struct {
		audio  string
		listen []string
		key    bool
		want   bool
		err    string
	}{
		{"auto", []string{"127.0.0.1:5060", "tcp:[::1]:5060", "localhost:5070"}, false, false, ""},
		{"auto", []string{"127.0.0.1:5060"}, true, true, ""},
		{"auto", []string{"127.0.0.1:5060", "udp:0.0.0.0:5060"}, false, false, refused},
		{"auto", []string{"tls:192.0.2.1:5061"}, false, false, refused},
		{"auto", []string{":5060"}, false, false, refused},
		{"auto", []string{"other.example.com:5060"}, false, false, "no such host"},
		{"auto", []string{"0.0.0.0:5060"}, true, true, ""},
		{"plain", []string{"0.0.0.0:5060"}, false, false, ""},
		{"plain", []string{"0.0.0.0:5060"}, true, false, ""},
		{"encrypted", []string{"127.0.0.1:5060"}, false, false, useless},
		{"encrypted", []string{"0.0.0.0:5060"}, true, true, ""},
	} {
		s := settings{Audio: tt.audio}
		for _, text := range tt.listen {
			var l listener
			if err := l.UnmarshalText([]byte(text)); err != nil {
				t.Fatal(err)
			}
			s.Listen = append(s.Listen, l)
		}
		got, err := s.encrypts(t.Context(), find, tt.key)
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && (!strings.Contains(err.Error(), tt.err) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s on %v, key %v: %v, %v; want %v, %q", tt.audio, tt.listen, tt.key, got, err, tt.want, tt.err)
		}
	}
}

func TestReadMasterKeys(t *testing.T) {
	t.Setenv(masterKeyVariable, "")
	if keys, err := readMasterKeys(""); keys != nil || err != nil {
		t.Errorf("none: %v, %v", keys, err)
	}
	key := strings.Repeat("5f", 32)
	t.Setenv(masterKeyVariable, key)
	if keys, err := readMasterKeys(""); keys == nil || err != nil {
		t.Errorf("of the environment: %v, %v", keys, err)
	}
	t.Setenv(masterKeyVariable, key[:20])
	if _, err := readMasterKeys(""); err == nil || !strings.HasPrefix(err.Error(), masterKeyVariable+": ") || strings.Contains(err.Error(), key[:20]) {
		t.Errorf("too short: %v", err)
	}
}
