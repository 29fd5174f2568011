// Package locate finds where a request that the server starts by itself goes: the
// transport, the address and the port of a SIP URI (RFC 3263 §4). NAPTR is not
// asked: the transport is that of the URI, or the first for which the domain has
// SRV records.
package locate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// maxTargets bounds what a domain can make the server try.
const maxTargets = 16

// A Resolver asks the DNS. *net.Resolver is one.
type Resolver interface {
	// LookupSRV gives the SRV records of _service._proto.name (RFC 2782).
	LookupSRV(ctx context.Context, service, proto, name string) (cname string, records []*net.SRV, err error)
	// LookupNetIP gives the addresses of a host; network is "ip".
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// A Target is one place to send a request to.
type Target struct {
	Network string // udp, tcp or tls
	Addr    netip.AddrPort
	// Name is what the certificate must name on TLS: the host of the URI, not
	// what the DNS made of it (RFC 5922 §4). Empty when the URI has an address.
	Name string
}

// Resolve gives the places of a sip or sips URI in the order in which they are to
// be tried, 1 to 16 of them: by SRV priority, and by weight within one (RFC 2782).
// An error says that the URI has another scheme, that its transport is not spoken
// here or not secure enough for sips, or what the DNS answered.
func Resolve(ctx context.Context, r Resolver, uri sip.Uri) ([]Target, error) {
	l := locator{resolver: r, intn: rand.IntN}
	targets, err := l.locate(ctx, uri)
	if err != nil {
		return nil, fmt.Errorf("locate %s:%s: %w", uri.Scheme, uri.Host, err)
	}
	return targets[:min(len(targets), maxTargets)], nil
}

// A locator is one resolution. intn gives a number from 0 to below n.
type locator struct {
	resolver Resolver
	intn     func(n int) int
}

func (l locator) locate(ctx context.Context, uri sip.Uri) ([]Target, error) {
	network, err := transport(uri)
	if err != nil {
		return nil, err
	}
	host := strings.Trim(uri.Host, "[]")
	if maddr, ok := uri.UriParams.Get("maddr"); ok {
		host = strings.Trim(maddr, "[]") // RFC 3263 §4: the target is the maddr
	}
	if host == "" {
		return nil, errors.New("no host")
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		network = cmp.Or(network, fallback(uri))
		return []Target{{Network: network, Addr: netip.AddrPortFrom(addr.Unmap(), port(uri.Port, network))}}, nil
	}
	if uri.Port > 0 {
		return l.hosts(ctx, Target{Network: cmp.Or(network, fallback(uri)), Name: host}, host, uri.Port)
	}
	networks := []string{network}
	if network == "" {
		networks = candidates(uri)
	}
	for _, n := range networks {
		targets, err := l.service(ctx, n, host)
		if err != nil || len(targets) > 0 {
			return targets, err
		}
	}
	network = cmp.Or(network, fallback(uri))
	return l.hosts(ctx, Target{Network: network, Name: host}, host, int(port(0, network)))
}

// transport is what the URI itself asks for, or empty (RFC 3263 §4.1).
func transport(uri sip.Uri) (string, error) {
	secure := strings.EqualFold(uri.Scheme, "sips")
	if !secure && !strings.EqualFold(uri.Scheme, "sip") {
		return "", fmt.Errorf("the scheme %q is not sip or sips", uri.Scheme)
	}
	if uri.Port < 0 || uri.Port > 65535 {
		return "", fmt.Errorf("port %d", uri.Port)
	}
	value, _ := uri.UriParams.Get("transport")
	switch network := strings.ToLower(value); {
	case secure && network == "udp":
		return "", errors.New("sips cannot go over udp") // RFC 3261 §26.2.1
	case secure:
		// RFC 3261 §26.2.2: transport=tcp in a sips URI means TLS over TCP.
		return "tls", nil
	case network == "" || network == "udp" || network == "tcp" || network == "tls":
		return network, nil
	default:
		return "", fmt.Errorf("the transport %q is not udp, tcp or tls", value)
	}
}

// fallback is the transport when nothing else says one.
func fallback(uri sip.Uri) string {
	if strings.EqualFold(uri.Scheme, "sips") {
		return "tls"
	}
	return "udp"
}

// candidates are the transports whose SRV records are asked for, in our order:
// an INVITE with metadata does not fit into a datagram well (RFC 3261 §18.1.1).
func candidates(uri sip.Uri) []string {
	if strings.EqualFold(uri.Scheme, "sips") {
		return []string{"tls"}
	}
	return []string{"tcp", "udp", "tls"}
}

// port is the port of the URI or the default one (RFC 3261 §19.1.2).
func port(given int, network string) uint16 {
	switch {
	case given > 0:
		return uint16(given)
	case network == "tls":
		return 5061
	}
	return 5060
}

// service gives the targets of the SRV records for a transport; none when there
// are no records.
func (l locator) service(ctx context.Context, network, domain string) ([]Target, error) {
	service, proto := "sip", network
	if network == "tls" {
		service, proto = "sips", "tcp"
	}
	_, records, err := l.resolver.LookupSRV(ctx, service, proto, domain)
	if absent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if len(records) == 1 && strings.Trim(records[0].Target, ".") == "" {
		return nil, fmt.Errorf("the domain offers no SIP over %s", network) // RFC 2782: "."
	}
	var targets []Target
	var failed error
	for _, srv := range l.order(records) {
		host := strings.TrimSuffix(srv.Target, ".")
		if len(targets) >= maxTargets || host == "" || srv.Port == 0 {
			continue
		}
		found, err := l.hosts(ctx, Target{Network: network, Name: domain}, host, int(srv.Port))
		if err != nil {
			failed = err // one dead name leaves the others
			continue
		}
		targets = append(targets, found...)
	}
	if len(targets) == 0 {
		return nil, failed
	}
	return targets, nil
}

// hosts completes a target with each address of a host.
func (l locator) hosts(ctx context.Context, t Target, host string, port int) ([]Target, error) {
	addrs, err := l.resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	var targets []Target
	for _, addr := range addrs {
		t.Addr = netip.AddrPortFrom(addr.Unmap(), uint16(port))
		targets = append(targets, t)
	}
	if len(targets) == 0 {
		return nil, fmt.Errorf("%s has no address", host)
	}
	return targets, nil
}

// absent says that the DNS knows no such record, which is an answer.
func absent(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}
