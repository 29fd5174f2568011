package front

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

var errVia = errors.New("unreadable Via")

// parseVia reads one Via element (RFC 3261 §20.42) with the blanks its grammar
// allows around slashes and colons.
func parseVia(s string) (*sip.ViaHeader, error) {
	name, rest, ok := strings.Cut(s, "/")
	version, rest, ok2 := strings.Cut(rest, "/")
	rest = strings.TrimLeft(rest, " \t")
	sp := strings.IndexAny(rest, " \t")
	if !ok || !ok2 || sp < 0 {
		return nil, errVia
	}
	v := &sip.ViaHeader{
		ProtocolName:    strings.TrimSpace(name),
		ProtocolVersion: strings.TrimSpace(version),
		Transport:       rest[:sp],
	}
	for _, tok := range []string{v.ProtocolName, v.ProtocolVersion, v.Transport} {
		if !isToken([]byte(tok)) {
			return nil, errVia
		}
	}
	sentBy, params, _ := strings.Cut(rest[sp:], ";")
	var err error
	if v.Host, v.Port, err = parseHostPort(sentBy); err != nil {
		return nil, err
	}
	v.Params = parseParams(params)
	return v, nil
}

// parseHostPort reads host [ ":" port ] with blanks around the parts. The host
// of an IPv6 address is returned without its brackets, port 0 when absent.
func parseHostPort(s string) (host string, port int, err error) {
	s = strings.TrimSpace(s)
	portText := ""
	switch {
	case strings.HasPrefix(s, "["):
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return "", 0, errVia
		}
		host, portText = s[1:end], strings.TrimSpace(s[end+1:])
		if _, err := netip.ParseAddr(host); err != nil || (portText != "" && portText[0] != ':') {
			return "", 0, errVia
		}
		portText = strings.TrimPrefix(portText, ":")
	case strings.Count(s, ":") > 1:
		if host, portText, err = splitBareIPv6(s); err != nil {
			return "", 0, err
		}
	default:
		host, portText, _ = strings.Cut(s, ":")
		host = strings.TrimSpace(host)
	}
	if host == "" || strings.ContainsAny(host, " \t\"<>@,/") {
		return "", 0, errVia
	}
	if portText = strings.TrimSpace(portText); portText != "" {
		p, err := strconv.ParseUint(portText, 10, 16)
		if err != nil {
			return "", 0, errVia
		}
		port = int(p)
	}
	return host, port, nil
}

// splitBareIPv6 reads an IPv6 address that lacks its brackets, where that can be
// done in one way only: 2001:db8::1:5060 may be an address with a port or
// without one.
func splitBareIPv6(s string) (host, port string, err error) {
	last := strings.LastIndexByte(s, ':')
	_, errAll := netip.ParseAddr(s)
	_, errCut := netip.ParseAddr(s[:last])
	switch {
	case errAll == nil && errCut != nil:
		return s, "", nil
	case errAll != nil && errCut == nil:
		return s[:last], s[last+1:], nil
	}
	return "", "", errVia
}

// completeVia notes in the top Via of a request where it really came from
// (RFC 3261 §18.2.1, RFC 3581 §4), whatever the sender wrote there.
func completeVia(v *sip.ViaHeader, source netip.AddrPort) {
	asked := v.Params.Has("rport")
	host, err := netip.ParseAddr(v.Host)
	ip := source.Addr().WithZone("").String()
	if asked || err != nil || host.Unmap() != source.Addr().WithZone("") {
		v.Params.Add("received", ip)
	} else {
		v.Params.Remove("received")
	}
	if asked {
		v.Params.Add("rport", strconv.Itoa(int(source.Port())))
	}
}
