package front

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// An advertised is how others reach an endpoint: host without brackets, and port.
// Empty and 0 are those of the socket.
type advertised struct {
	host string
	port int
}

// parseAdvertised reads host, host:port, an IPv6 address with or without brackets,
// or nothing.
func parseAdvertised(s string) (advertised, error) {
	if addr, err := netip.ParseAddr(strings.Trim(s, "[]")); s == "" || err == nil {
		if s != "" && (addr.IsUnspecified() || addr.Zone() != "") {
			return advertised{}, fmt.Errorf("advertise: nobody can reach %s", s)
		}
		return advertised{host: strings.Trim(s, "[]")}, nil
	}
	host, port := s, ""
	if strings.Contains(s, ":") {
		var err error
		if host, port, err = net.SplitHostPort(s); err != nil {
			return advertised{}, fmt.Errorf("advertise: %q is not host or host:port", s)
		}
	}
	a := advertised{host: host}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return advertised{}, fmt.Errorf("advertise: %q has no port from 1 to 65535", s)
		}
		a.port = int(n)
	}
	if !isHost(host) {
		return advertised{}, fmt.Errorf("advertise: %q is not a host", host)
	}
	return a, nil
}

// isHost says whether s may stand as a host in a SIP URI (RFC 3261 §25.1).
func isHost(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") == ""
}

// over is the address that others are told instead of local.
func (a advertised) over(local netip.AddrPort) (host string, port int) {
	host, port = local.Addr().WithZone("").String(), int(local.Port())
	if a.host != "" {
		host = a.host
	}
	if a.port != 0 {
		port = a.port
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host, port
}
