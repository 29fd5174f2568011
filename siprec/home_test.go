package siprec

import (
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"testing"

	"github.com/siprecd/siprecd/conformance/src"
)

// inNamespace is set in the environment of a test binary that was started again
// in a network namespace of its own.
const inNamespace = "SIPREC_TEST_NAMESPACE"

// TestWildcardListenerNamesTheAddressThatRoutes binds 0.0.0.0, which is done in
// a network namespace of its own only, with two networks on its loopback.
func TestWildcardListenerNamesTheAddressThatRoutes(t *testing.T) {
	if os.Getenv(inNamespace) == "" {
		again(t)
		return
	}
	for _, transport := range []string{"udp", "tcp"} {
		for _, home := range []string{"198.51.100.1", "198.51.100.129", "[2001:db8::1]"} {
			t.Run(transport+" "+home, func(t *testing.T) { checkHome(t, transport, home) })
		}
	}
}

// again runs the test in a network namespace.
func again(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("ip"); err != nil {
		const message = "ip is missing: install the Debian package iproute2"
		if os.Getenv("SIPRECD_CI") != "" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	if out, err := exec.Command("unshare", "-Urn", "true").CombinedOutput(); err != nil {
		t.Skipf("network namespaces are not allowed here: %v %s", err, out)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const script = `set -e
ip link set lo up
ip addr add 198.51.100.1/25 dev lo
ip addr add 198.51.100.129/25 dev lo
ip -6 addr add 2001:db8::1/64 dev lo nodad
exec "$0" "-test.run=^$1\$" -test.v`
	cmd := exec.CommandContext(t.Context(), "unshare", "-Urn", "sh", "-c", script, self, t.Name())
	cmd.Env = append(os.Environ(), inNamespace+"=1")
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		t.Errorf("in the namespace: %v\n%s", err, out)
	} else if err != nil {
		t.Fatal(err)
	}
}

// checkHome calls one address of a server that listens on all of them.
func checkHome(t *testing.T, transport, home string) {
	wildcard := "0.0.0.0:0"
	if home[0] == '[' {
		wildcard = "[::]:0"
	}
	d := newDesk(t, nil, func(c *Config) { c.Listen = []Endpoint{{Network: transport, Address: wildcard}} })
	port := netip.MustParseAddrPort(d.server.Endpoints()[0].Address).Port()
	target := netip.MustParseAddrPort(home + ":0")
	target = netip.AddrPortFrom(target.Addr(), port)
	client, err := src.New(t.Context(), src.Config{Target: target.String(), Transport: transport, Local: target.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	dialog, err := client.Invite(t.Context(), src.Request{Streams: src.TwoParties(src.PCMU())})
	if err != nil {
		t.Fatal(err)
	}
	checkAnswerNames(t, dialog, target, transport)
	for _, s := range d.want(Offered).Streams {
		if s.Local.Addr() != target.Addr() {
			t.Errorf("stream %d is received on %s", s.Index, s.Local)
		}
	}
	dialog.Handle(nil)
	if m, err := dialog.Bye(t.Context(), src.Request{}); err != nil || m.Status != 200 {
		t.Errorf("BYE: %v, %v", m, err)
	}
	d.want(Ended)
}

// checkAnswerNames wants an address of ours in Contact, o= and c=.
func checkAnswerNames(t *testing.T, dialog *src.Dialog, want netip.AddrPort, transport string) {
	t.Helper()
	uri := "sip:siprecd@" + want.String()
	if transport == "tcp" {
		uri += ";transport=tcp"
	}
	if got := mustAddr(t, dialog.Final().Get("Contact")); got.URI != uri || !got.Feature("+sip.srs") {
		t.Errorf("Contact is %+v, want %s", got, uri)
	}
	answer, err := dialog.Answer()
	if err != nil || answer == nil {
		t.Fatalf("answer: %v", err)
	}
	for i := range answer.Media {
		if got := answer.AddressOf(i).Addr(); got != want.Addr() {
			t.Errorf("m-line %d is received on %s, want %s", i, got, want.Addr())
		}
	}
}

// TestIPv6 has the addresses of the loopback in brackets where they belong.
func TestIPv6(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		d := newDesk(t, nil, func(c *Config) { c.Listen = []Endpoint{{Network: transport, Address: "[::1]:0"}} })
		target := netip.MustParseAddrPort(d.server.Endpoints()[0].Address)
		client, err := src.New(t.Context(), src.Config{Target: target.String(), Transport: transport})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { client.Close() })
		dialog, err := client.Invite(t.Context(), src.Request{Streams: src.TwoParties(src.PCMU())})
		if err != nil {
			t.Fatal(err)
		}
		d.want(Offered)
		checkAnswerNames(t, dialog, target, transport)
		if m, err := dialog.Bye(t.Context(), src.Request{}); err != nil || m.Status != 200 {
			t.Errorf("BYE: %v, %v", m, err)
		}
		d.want(Ended)
	}
}
