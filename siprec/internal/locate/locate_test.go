package locate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// A zone answers from tables.
type zone struct {
	srv   map[string][]*net.SRV // _sip._udp.example.com
	hosts map[string][]string
	fails map[string]bool // names for which the DNS fails
}

func (z zone) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	full := "_" + service + "._" + proto + "." + name
	if z.fails[full] {
		return "", nil, &net.DNSError{Err: "server failure", Name: full, IsTemporary: true}
	}
	if len(z.srv[full]) == 0 {
		return "", nil, &net.DNSError{Err: "no such host", Name: full, IsNotFound: true}
	}
	return full, z.srv[full], nil
}

func (z zone) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	var addrs []netip.Addr
	for _, a := range z.hosts[host] {
		addrs = append(addrs, netip.MustParseAddr(a))
	}
	if addrs == nil {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return addrs, nil
}

func names() zone {
	return zone{
		srv: map[string][]*net.SRV{
			"_sip._udp.u.example":  {{Target: "b.u.example.", Port: 5070, Priority: 20}, {Target: "a.u.example.", Port: 5080, Priority: 10}},
			"_sip._tcp.t.example":  {{Target: "a.u.example.", Port: 5060}},
			"_sip._udp.t.example":  {{Target: "b.u.example.", Port: 5060}},
			"_sips._tcp.s.example": {{Target: "a.u.example.", Port: 5443}},
			"_sip._tcp.no.example": {{Target: ".", Port: 0}},
			"_sip._udp.dead.example": {
				{Target: "gone.example.", Port: 5060, Priority: 1}, {Target: "b.u.example.", Port: 5060, Priority: 2},
			},
			"_sip._udp.all-dead.example": {{Target: "gone.example.", Port: 5060}},
		},
		hosts: map[string][]string{
			"a.u.example": {"192.0.2.1"}, "b.u.example": {"192.0.2.2", "2001:db8::2"}, "plain.example": {"192.0.2.9"},
			"t.example": {"192.0.2.99"},
		},
		fails: map[string]bool{"_sip._tcp.fail.example": true},
	}
}

// Shows 3263-4-01.
func TestResolve(t *testing.T) {
	for _, tt := range []struct{ uri, want, err string }{
		{uri: "sip:192.0.2.7", want: "udp 192.0.2.7:5060 -"},
		{uri: "sip:x@192.0.2.7:5090", want: "udp 192.0.2.7:5090 -"},
		{uri: "sip:192.0.2.7;transport=TCP", want: "tcp 192.0.2.7:5060 -"},
		{uri: "sip:192.0.2.7;transport=tls", want: "tls 192.0.2.7:5061 -"},
		{uri: "sips:192.0.2.7", want: "tls 192.0.2.7:5061 -"},
		{uri: "sips:192.0.2.7;transport=tcp", want: "tls 192.0.2.7:5061 -"},
		{uri: "sip:[2001:db8::1]", want: "udp [2001:db8::1]:5060 -"},
		{uri: "sip:plain.example", want: "udp 192.0.2.9:5060 plain.example"},
		{uri: "sips:plain.example", want: "tls 192.0.2.9:5061 plain.example"},
		{uri: "sip:plain.example;transport=tcp", want: "tcp 192.0.2.9:5060 plain.example"},
		{uri: "sip:u.example", want: "udp 192.0.2.1:5080 u.example, udp 192.0.2.2:5070 u.example, udp [2001:db8::2]:5070 u.example"},
		{uri: "sip:t.example", want: "tcp 192.0.2.1:5060 t.example"},
		{uri: "sip:t.example;transport=udp", want: "udp 192.0.2.2:5060 t.example, udp [2001:db8::2]:5060 t.example"},
		{uri: "sip:t.example:5555", want: "udp 192.0.2.99:5555 t.example"}, // a port: no SRV (RFC 3263 §4.2)
		{uri: "sip:s.example", want: "tls 192.0.2.1:5443 s.example"},
		{uri: "sips:s.example", want: "tls 192.0.2.1:5443 s.example"},
		{uri: "sip:dead.example", want: "udp 192.0.2.2:5060 dead.example, udp [2001:db8::2]:5060 dead.example"},
		{uri: "sip:x@u.example;maddr=192.0.2.44", want: "udp 192.0.2.44:5060 -"},
		{uri: "sip:all-dead.example", err: "no such host"},
		{uri: "sip:no.example", err: "offers no SIP over tcp"},
		{uri: "sip:fail.example", err: "server failure"},
		{uri: "sip:nowhere.example", err: "no such host"},
		{uri: "sips:192.0.2.7;transport=udp", err: "sips cannot go over udp"},
		{uri: "sip:192.0.2.7;transport=sctp", err: `"sctp" is not udp, tcp or tls`},
		{uri: "tel:+15550100", err: "is not sip or sips"},
	} {
		t.Run(tt.uri, func(t *testing.T) {
			var uri sip.Uri
			if err := sip.ParseUri(tt.uri, &uri); err != nil {
				t.Fatal(err)
			}
			targets, err := Resolve(t.Context(), names(), uri)
			var got []string
			for _, x := range targets {
				name := x.Name
				if name == "" {
					name = "-"
				}
				got = append(got, fmt.Sprintf("%s %s %s", x.Network, x.Addr, name))
			}
			if s := strings.Join(got, ", "); s != tt.want {
				t.Errorf("targets are %s, want %s", s, tt.want)
			}
			if (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error is %v, want %q", err, tt.err)
			}
		})
	}
}

// TestResolveIsBounded: a domain with very many records costs a bounded number of
// questions and tries.
func TestResolveIsBounded(t *testing.T) {
	z := zone{srv: map[string][]*net.SRV{}, hosts: map[string][]string{"h.example": {"192.0.2.1", "192.0.2.2", "192.0.2.3"}}}
	for range 1000 {
		z.srv["_sip._udp.big.example"] = append(z.srv["_sip._udp.big.example"], &net.SRV{Target: "h.example", Port: 5060})
	}
	targets, err := Resolve(t.Context(), z, sip.Uri{Scheme: "sip", Host: "big.example"})
	if err != nil || len(targets) != maxTargets {
		t.Errorf("%d targets, %v", len(targets), err)
	}
}

// TestWeights draws the first of three records with every number there is: each
// comes as often as its weight says, and one of weight 0 not never.
// Shows 3263-4-01.
func TestWeights(t *testing.T) {
	records := []*net.SRV{{Target: "three", Weight: 3}, {Target: "none", Weight: 0}, {Target: "one", Weight: 1}}
	count := map[string]int{}
	for draw := range 5 {
		l := locator{intn: func(n int) int { return min(draw, n-1) }}
		ordered := l.order(records)
		count[ordered[0].Target]++
		for _, r := range records {
			if !slices.Contains(ordered, r) {
				t.Fatalf("draw %d lost %s", draw, r.Target)
			}
		}
	}
	if count["three"] != 3 || count["one"] != 1 || count["none"] != 1 {
		t.Errorf("first were %v", count)
	}
}

// TestResolverIsTheStandardOne: what the program uses fits.
func TestResolverIsTheStandardOne(t *testing.T) {
	var r Resolver = net.DefaultResolver
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Resolve(ctx, r, sip.Uri{Scheme: "sip", Host: "recorder.invalid"}); err == nil {
		t.Error("an invalid name was found")
	} else if errors.As(err, new(*net.DNSError)) && !strings.Contains(err.Error(), "recorder.invalid") {
		t.Errorf("error does not say the name: %v", err)
	}
}
