package main

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/siprec"
)

func networks(t *testing.T, texts ...string) []network {
	t.Helper()
	var list []network
	for _, text := range texts {
		var n network
		if err := n.UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
		list = append(list, n)
	}
	return list
}

// Shows 7866-6.1.1-01, 7866-12.1-03.
func TestAdmit(t *testing.T) {
	for _, tt := range []struct {
		name          string
		accept, plain []string
		source        string
		admitted      bool
		wantPlain     bool
		wantName      string
	}{
		{name: "nothing configured, this machine", source: "127.0.0.1:5060", admitted: true, wantName: "loopback"},
		{name: "nothing configured, this machine on IPv6", source: "[::1]:5060", admitted: true, wantName: "loopback"},
		{name: "nothing configured, another machine", source: "192.0.2.1:5060"},
		{name: "in the network", accept: []string{"198.51.100.0/24", "192.0.2.0/24"}, source: "192.0.2.7:5060", admitted: true, wantName: "192.0.2.0/24"},
		{name: "beside the network", accept: []string{"192.0.2.0/25"}, source: "192.0.2.200:5060"},
		{name: "a list shuts out this machine", accept: []string{"192.0.2.0/24"}, source: "127.0.0.1:5060"},
		{name: "one address", accept: []string{"192.0.2.7"}, source: "192.0.2.7:1", admitted: true, wantName: "192.0.2.7"},
		{name: "the address beside", accept: []string{"192.0.2.7"}, source: "192.0.2.8:1"},
		{name: "IPv4 in IPv6", accept: []string{"192.0.2.0/24"}, source: "[::ffff:192.0.2.7]:1", admitted: true, wantName: "192.0.2.0/24"},
		{name: "a network of IPv4 in IPv6", accept: []string{"::ffff:192.0.2.0/120"}, source: "192.0.2.7:1", admitted: true, wantName: "::ffff:192.0.2.0/120"},
		{name: "beside a network of IPv4 in IPv6", accept: []string{"::ffff:192.0.2.0/120"}, source: "192.0.3.7:1"},
		{name: "host bits are ignored", accept: []string{"192.0.2.9/24"}, source: "192.0.2.1:1", admitted: true, wantName: "192.0.2.9/24"},
		{name: "any, IPv4", accept: []string{"any"}, source: "203.0.113.1:1", admitted: true, wantName: "any"},
		{name: "any, IPv6", accept: []string{"any"}, source: "[2001:db8::1]:1", admitted: true, wantName: "any"},
		{name: "plain", plain: []string{"127.0.0.1"}, source: "127.0.0.1:1", admitted: true, wantPlain: true, wantName: "loopback"},
		{name: "plain for another", plain: []string{"127.0.0.2"}, source: "127.0.0.1:1", admitted: true, wantName: "loopback"},
		{name: "plain does not admit", plain: []string{"192.0.2.1"}, source: "192.0.2.1:1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, err := newAdmission(settings{
				Accept: networks(t, tt.accept...), PlainInvite: networks(t, tt.plain...),
				MediaNetwork: networks(t, "203.0.113.0/24", "2001:db8::/32"),
			})
			if err != nil {
				t.Fatal(err)
			}
			src, err := a.admit(siprec.Origin{Source: netip.MustParseAddrPort(tt.source)})
			if tt.admitted != (err == nil) {
				t.Fatalf("error = %v, want admitted = %v", err, tt.admitted)
			}
			if err != nil {
				if !errors.Is(err, errNotAccepted) {
					t.Errorf("error = %v, want %v", err, errNotAccepted)
				}
				return
			}
			if src.Name != tt.wantName || src.PlainInvite != tt.wantPlain {
				t.Errorf("SRC = %q plain %v, want %q plain %v", src.Name, src.PlainInvite, tt.wantName, tt.wantPlain)
			}
			if len(src.MediaNetworks) != 2 {
				t.Errorf("media networks = %v, want the two configured", src.MediaNetworks)
			}
		})
	}
}

func TestCheckReach(t *testing.T) {
	find := func(_ context.Context, host string) ([]netip.Addr, error) {
		switch host {
		case "localhost":
			return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()}, nil
		case "both.example.com":
			return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.1")}, nil
		case "empty.example.com":
			return nil, nil
		}
		return nil, errors.New("no such host")
	}
	const refused = "nothing says who may record"
	for _, tt := range []struct {
		name, listen string
		accept       []string
		want         string // in the error; empty for none
	}{
		{name: "IPv4 loopback", listen: "127.0.0.1:5060"},
		{name: "another loopback", listen: "127.8.9.10:5060"},
		{name: "IPv6 loopback", listen: "[::1]:5060"},
		{name: "a name of this machine", listen: "localhost:5060"},
		{name: "all of IPv4", listen: "0.0.0.0:5060", want: refused},
		{name: "all of IPv6", listen: "[::]:5060", want: refused},
		{name: "no host", listen: ":5060", want: refused},
		{name: "an address of the network", listen: "udp:192.0.2.1:5060", want: refused},
		{name: "a name that is also outside", listen: "both.example.com:5060", want: refused},
		{name: "a name without address", listen: "empty.example.com:5060", want: refused},
		{name: "an unknown name", listen: "other.example.com:5060", want: "no such host"},
		{name: "with a list", listen: "0.0.0.0:5060", accept: []string{"192.0.2.0/24"}},
		{name: "with any", listen: "[::]:5060", accept: []string{"any"}},
		{name: "with loopback on purpose", listen: "0.0.0.0:5060", accept: []string{"127.0.0.0/8"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var l listener
			if err := l.UnmarshalText([]byte(tt.listen)); err != nil {
				t.Fatal(err)
			}
			err := settings{Listen: []listener{l}, Accept: networks(t, tt.accept...)}.checkReach(t.Context(), find)
			if tt.want == "" && err != nil {
				t.Errorf("error = %v, want none", err)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error = %v, want %q in it", err, tt.want)
			}
		})
	}
}

// TestClusterOfTheAcceptList: entries of the list stand in for each other within a
// dialog, those of the file do not.
func TestClusterOfTheAcceptList(t *testing.T) {
	a := &admission{accept: networks(t, "192.0.2.1", "192.0.2.2")}
	list, err := parseSRCs(srcFile{"srcs", t.TempDir()}, []byte("- {name: sbc, addresses: 198.51.100.1}"))
	if err != nil {
		t.Fatal(err)
	}
	a.srcs.Store(&list)
	for source, want := range map[string]string{"192.0.2.1:1": listed, "192.0.2.2:1": listed, "198.51.100.1:1": ""} {
		src, err := a.admit(siprec.Origin{Source: netip.MustParseAddrPort(source)})
		if err != nil || src.Cluster != want {
			t.Errorf("%s: %+v, %v", source, src, err)
		}
	}
}

// TestShareStreams: of several SRCs none takes all ports, unless it is told to.
func TestShareStreams(t *testing.T) {
	for _, tt := range []struct {
		ports string
		mine  []int // what the file says
		want  []int
	}{
		{"16384-32767", []int{0, 0}, []int{6144, 6144}},
		{"16384-32767", []int{0}, []int{0}},
		{"16384-32767", []int{8192, 0, 5}, []int{8192, 6144, 5}},
		{"0-0", []int{0, 0}, []int{0, 0}},
		{"10001-10010", []int{0, 0}, []int{3, 3}}, // 10002 to 10009
	} {
		var ports portRange
		if err := ports.UnmarshalText([]byte(tt.ports)); err != nil {
			t.Fatal(err)
		}
		list := make([]profile, len(tt.mine))
		for i, n := range tt.mine {
			list[i].MaxStreams = n
		}
		shareStreams(list, ports)
		for i, want := range tt.want {
			if list[i].MaxStreams != want {
				t.Errorf("%s %v: SRC %d has %d, want %d", tt.ports, tt.mine, i, list[i].MaxStreams, want)
			}
		}
	}
}
