package main

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/siprec"
)

// TestSRCsTellApart: two that fit equally well are an error that names the second.
func TestSRCsTellApart(t *testing.T) {
	for _, tt := range []struct{ name, first, second, want string }{
		{"the same address", "addresses: 192.0.2.1", "addresses: [198.51.100.1, 192.0.2.1], digest: {users: [{name: u, md5: 00112233445566778899aabbccddeeff}]}",
			"srcs.yaml:2: SRC b: addresses: SRC a has 192.0.2.1/32 too"},
		{"the same in IPv6 notation", "addresses: 192.0.2.1", `addresses: "::ffff:192.0.2.1"`, "SRC a has 192.0.2.1/32 too"},
		{"the same network", "addresses: 192.0.2.0/24", "addresses: 192.0.2.9/24", "SRC a has 192.0.2.0/24 too"},
		{"any", "addresses: any", "addresses: '::/0'", "SRC a has ::/0 too"},
		{"a shared listener", "addresses: any, listeners: [x, y]", "addresses: any, listeners: [y, z]", "SRC b: addresses"},
		{"one that may come to all", "addresses: any, listeners: x", "addresses: any", "SRC b: addresses"},
		{"the same certificate", "certificates: [o, n]", "certificates: N", "srcs.yaml:2: SRC b: certificates: SRC a has one of the same name"},
		{"the same certificate and network", "certificates: n, addresses: 192.0.2.0/24", "certificates: n, addresses: 192.0.2.0/24", "SRC b: certificates"},
		{"the same certificate with a dot", "certificates: n.example.", "certificates: N.example", "SRC b: certificates"},
		{"the same certificate from anywhere", "certificates: n", "certificates: n, addresses: any", "SRC b: certificates"},

		{"other addresses", "addresses: 192.0.2.1", "addresses: 192.0.2.2", ""},
		{"a narrower network", "addresses: 10.0.0.0/8", "addresses: 10.1.2.3", ""},
		{"other listeners", "addresses: any, listeners: x", "addresses: any, listeners: y", ""},
		{"only one has a certificate", "addresses: any", "addresses: any, certificates: n", ""},
		{"other certificates", "certificates: n", "certificates: o", ""},
		{"a certificate from a narrower network", "certificates: n", "certificates: n, addresses: 192.0.2.0/24", ""},
		{"a certificate from every address of one kind", "certificates: n", "certificates: n, addresses: 0.0.0.0/0", ""},
		{"a certificate from other networks", "certificates: n, addresses: 192.0.2.1", "certificates: n, addresses: 192.0.2.2", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseSRCs(srcFile{"srcs.yaml", t.TempDir()}, []byte("- {name: a, "+tt.first+"}\n- {name: b, "+tt.second+"}\n"))
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error = %v, want %q in it", err, tt.want)
			}
		})
	}
}

// TestMostSpecificIsMeant: whatever the order in the file.
func TestMostSpecificIsMeant(t *testing.T) {
	entries := []string{"- {name: all, addresses: any}\n", "- {name: net, addresses: 10.0.0.0/8}\n", "- {name: one, addresses: 10.1.2.3}\n",
		"- {name: shown, certificates: n}\n", "- {name: shown-there, certificates: n, addresses: 10.0.0.0/8}\n"}
	for range entries {
		entries = append(entries[1:], entries[0])
		list, err := parseSRCs(srcFile{"srcs.yaml", t.TempDir()}, []byte(strings.Join(entries, "")))
		if err != nil {
			t.Fatal(err)
		}
		for source, want := range map[string]string{"10.1.2.3": "one", "10.1.2.4": "net", "11.1.2.3": "all", "2001:db8::1": "all"} {
			if src, _ := find(list, siprec.Origin{Source: netip.AddrPortFrom(netip.MustParseAddr(source), 1)}); src.Name != want {
				t.Errorf("%s is %q, want %q, in\n%s", source, src.Name, want, entries)
			}
		}
		for source, want := range map[string]string{"10.1.2.3": "shown-there", "11.1.2.3": "shown"} {
			origin := siprec.Origin{Source: netip.AddrPortFrom(netip.MustParseAddr(source), 1), Certificate: []string{"n."}}
			if src, _ := find(list, origin); src.Name != want {
				t.Errorf("%s with a certificate is %q, want %q, in\n%s", source, src.Name, want, entries)
			}
		}
	}
}

// TestSRCsFitTheSettings: what cannot be with the listeners is an error of one line
// with file, line and SRC.
func TestSRCsFitTheSettings(t *testing.T) {
	for _, tt := range []struct {
		name, entry, clients, want string
		listen                     []listener
	}{
		{"an unknown listener", "addresses: any\n  listeners: [edge, egde]", "off", `:3: SRC a: listeners: no listener has the name "egde", there are edge`, []listener{{name: "edge"}, {}}},
		{"no listener with a name", "addresses: any\n  listeners: edge", "off", `:3: SRC a: listeners: no listener has the name "edge", nor any`, []listener{{}}},
		{"no TLS", "certificates: n", "off", ":2: SRC a: certificates: nothing listens on TLS", []listener{{network: "udp"}}},
		{"no TLS where it may come", "certificates: n\n  listeners: edge", "required", ":2: SRC a: certificates: none of its listeners is of TLS", []listener{{name: "edge"}, {network: "tls"}}},
		{"nobody asks", "certificates: n", "off", ":2: SRC a: certificates: SRCs are not asked for one", []listener{{network: "tls"}}},
		{"TLS that nothing listens on", "addresses: any\n  tls: required", "off", ":3: SRC a: tls: nothing listens on TLS", []listener{{network: "udp"}}},
		{"TLS elsewhere", "addresses: any\n  tls: required\n  listeners: edge", "off", ":3: SRC a: tls: none of its listeners is of TLS", []listener{{name: "edge"}, {network: "tls"}}},
		{"TLS", "addresses: any\n  tls: required", "off", "", []listener{{network: "udp"}, {network: "tls"}}},
		{"TLS if it likes", "addresses: any\n  tls: preferred", "off", "", []listener{{network: "udp"}}},
		{"asked", "certificates: n", "optional", "", []listener{{network: "tls"}}},
		{"asked there", "certificates: n\n  listeners: edge", "required", "", []listener{{name: "edge", network: "tls"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "srcs.yaml")
			if err := os.WriteFile(path, []byte("- name: a\n  "+tt.entry+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := newAdmission(settings{SRCs: path, Listen: tt.listen, TLSClients: tt.clients})
			switch {
			case tt.want == "" && err != nil, tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error = %v, want %q in it", err, tt.want)
			case err != nil && (strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), path)):
				t.Errorf("error is not one line with the file: %v", err)
			}
		})
	}
}

// TestReloadKeepsTheSRCs: a file that came to have an error changes nothing.
func TestReloadKeepsTheSRCs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "srcs.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("- {name: a, addresses: 192.0.2.1}\n")
	admitted, err := newAdmission(settings{SRCs: path})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"- {name: b, addresses: any}\n- {name: c, addresses: any}\n": "SRC c",
		"- {name: b, addresses: any, listeners: edge}\n":             "SRC b",
	} {
		write(text)
		if err := admitted.reload(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("reload: %v, want %q", err, want)
		}
		if src, err := admitted.admit(siprec.Origin{Source: netip.MustParseAddrPort("192.0.2.1:5060")}); err != nil || src.Name != "a" {
			t.Errorf("after it: %q, %v", src.Name, err)
		}
	}
}

// TestFileOfSRCsIsTheList: without an accept list nobody beside the file is let in,
// this machine neither.
func TestFileOfSRCsIsTheList(t *testing.T) {
	path := filepath.Join(t.TempDir(), "srcs.yaml")
	if err := os.WriteFile(path, []byte("- {name: a, addresses: 192.0.2.1}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	local := siprec.Origin{Source: netip.MustParseAddrPort("127.0.0.1:5060")}
	alone, err := newAdmission(settings{SRCs: path})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := alone.admit(local); !errors.Is(err, errNotAccepted) {
		t.Errorf("this machine: %v", err)
	}
	both, err := newAdmission(settings{SRCs: path, Accept: networks(t, "127.0.0.1")})
	if err != nil {
		t.Fatal(err)
	}
	if src, err := both.admit(local); err != nil || src.Name != "127.0.0.1" {
		t.Errorf("this machine on the accept list: %q, %v", src.Name, err)
	}
}

// TestWhyNot: the 403 blames what was wrong.
func TestWhyNot(t *testing.T) {
	list, err := parseSRCs(srcFile{"srcs.yaml", t.TempDir()}, []byte(`
- {name: shown, certificates: n}
- {name: shown-there, certificates: m, addresses: 192.0.2.1}
- {name: inside, addresses: 192.0.2.2, listeners: lan}
- {name: shown-inside, certificates: k, listeners: lan}
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		source, transport, certificate string
		want                           error
	}{
		{"203.0.113.1:1", "UDP", "", errNotAccepted},
		{"203.0.113.1:1", "TLS", "", errNoCertificate},
		{"203.0.113.1:1", "TLS", "x", errCertificate},
		{"203.0.113.1:1", "TLS", "m", errCertificate}, // it is of none of those who may come from there
		{"192.0.2.1:1", "UDP", "", errNoCertificate},
		{"192.0.2.1:1", "TLS", "x", errCertificate},
		{"192.0.2.2:1", "UDP", "", errListener},
		{"203.0.113.1:1", "TLS", "k", errListener},
	} {
		origin := siprec.Origin{Source: netip.MustParseAddrPort(tt.source), Transport: tt.transport}
		if tt.certificate != "" {
			origin.Certificate = []string{tt.certificate}
		}
		if _, found := find(list, origin); found {
			t.Errorf("%+v is somebody", tt)
		}
		if err := whyNot(list, origin); !errors.Is(err, tt.want) {
			t.Errorf("%s over %s with %q: %v, want %v", tt.source, tt.transport, tt.certificate, err, tt.want)
		}
	}
}
