package main

import (
	"strings"
	"testing"
)

// TestCallTarget: where a call goes, and by what, is what its URI says and --transport
// adds.
func TestCallTarget(t *testing.T) {
	for _, tt := range []struct {
		to, transport string
		address, by   string
		wrong         string
	}{
		{to: "sip:srs.example", address: "srs.example:5060", by: "udp"},
		{to: "sip:srs.example", transport: "tls", address: "srs.example:5061", by: "tls"},
		{to: "sip:user;x@192.0.2.1:5070", transport: "tcp", address: "192.0.2.1:5070", by: "tcp"},
		{to: "SIP:[2001:db8::1];lr;Transport=TCP", address: "[2001:db8::1]:5060", by: "tcp"},
		{to: "sip:[2001:db8::1]:5070;transport=tls", address: "[2001:db8::1]:5070", by: "tls"},
		{to: "sips:rec@srs.example", address: "srs.example:5061", by: "tls"},
		{to: "sips:srs.example:5060;transport=tcp", transport: "tls", address: "srs.example:5060", by: "tls"},
		{to: "sips:srs.example", transport: "udp", wrong: "asks for tls"},
		{to: "sip:srs.example;transport=tls", transport: "tcp", wrong: "asks for tls"},
		{to: "sips:srs.example;transport=udp", wrong: "TLS and for UDP"},
		{to: "sip:srs.example;transport=sctp", wrong: "neither udp, tcp nor tls"},
		{to: "sip:", wrong: "is not sip:host"},
		{to: "tel:+15550100", wrong: "is not sip:host"},
		{to: "srs.example", wrong: "is not sip:host"},
		{to: "sip:srs.example?Subject=x", wrong: "is not sip:host"},
	} {
		c := callCommand{Transport: tt.transport}
		err := c.To.UnmarshalText([]byte(tt.to))
		if err == nil {
			err = c.Validate()
		}
		switch {
		case tt.wrong != "":
			if err == nil || !strings.Contains(err.Error(), tt.wrong) {
				t.Errorf("%s by %q: %v, want %q", tt.to, tt.transport, err, tt.wrong)
			}
		case err != nil || c.address() != tt.address || c.transport() != tt.by || c.To.uri != tt.to:
			t.Errorf("%s by %q: %s by %s, %v", tt.to, tt.transport, c.address(), c.transport(), err)
		}
	}
}
