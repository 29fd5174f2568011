package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/recorder/store"
)

// TestServeTLS: the program calls itself over mutual TLS, is found in the file of SRCs
// by its certificate, and both are read again at SIGHUP; what cannot be read changes
// nothing.
// Shows 7866-12-01.
func TestServeTLS(t *testing.T) {
	ctx := deadline(t)
	dir, other := t.TempDir(), t.TempDir()
	authority, err := src.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	issue := func(dir string, names ...string) (certificate, key, ca string) {
		t.Helper()
		cert, err := authority.Issue(names...)
		if err != nil {
			t.Fatal(err)
		}
		if certificate, key, ca, err = authority.Write(dir, cert); err != nil {
			t.Fatal(err)
		}
		return certificate, key, ca
	}
	certificate, key, ca := issue(dir, "127.0.0.1")
	shown, shownKey, _ := issue(other, "sbc.example")
	list := filepath.Join(dir, "srcs.yaml")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(list, "- {name: edge-sbc, certificates: sbc.example, listeners: edge}\n")
	p, data := serveProcess(t, "--listen", "edge=tls:127.0.0.1:0", "--tls-certificate", certificate, "--tls-key", key,
		"--tls-ca", ca, "--tls-clients", "required", "--srcs", list)
	voice := filepath.Join(dir, "alice.wav")
	write(voice, string(toneWAV(440, 1, 8000)))
	ways := [][]string{{"--to", "sips:" + p.tls}, {"--to", "sip:" + p.tls + ";transport=tls"}, {"--to", "sip:" + p.tls, "--transport", "tls"}}
	call := func(want int, words string) {
		t.Helper()
		way := ways[0]
		ways = append(ways[1:], way)
		out, errs, code := program(t, append([]string{"call", voice, "--tls-certificate", shown, "--tls-key", shownKey, "--tls-ca", ca}, way...)...)
		if code != want || !strings.Contains(out+errs, words) {
			t.Fatalf("call: exit %d, %s%s, want %d, %q", code, out, errs, want, words)
		}
	}
	reload := func(words ...string) {
		t.Helper()
		if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		for _, w := range words {
			if err := p.log.await(ctx, w); err != nil {
				t.Fatal(err)
			}
		}
	}
	call(exitOK, "recording session ended")
	if _, errs, code := program(t, "call", voice, "--to", "sip:"+p.udp); code != exitFailed || !strings.Contains(errs, "403") {
		t.Errorf("a call over UDP: exit %d, %s", code, errs)
	}
	write(list, "- {name: edge-sbc, certificate: sbc.example}\n")
	write(certificate, "nothing")
	reload("certificate stays as it was", `unknown key \"certificate\", did you mean \"certificates\"?`)
	call(exitOK, "recording session ended")

	write(list, "- {name: edge-sbc, certificates: another.example}\n")
	issue(dir, "renewed.example")
	reload("certificate in force", "SRCs in force")
	call(exitFailed, "certificate") // it is for another host now
	issue(dir, "127.0.0.1")
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if err := p.log.awaitTimes(ctx, "SRCs in force", 2); err != nil {
		t.Fatal(err)
	}
	call(exitFailed, "403")

	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code, err := p.wait(); err != nil || code != exitOK {
		t.Fatalf("exit %d, %v\n%s", code, err, p.log.String())
	}
	made := manifests(t, data)
	if len(made) != 2 {
		t.Fatalf("%d recordings, want 2", len(made))
	}
	for _, path := range made {
		m, err := store.Load(filepath.Join(data, "data"), filepath.Base(filepath.Dir(path)))
		if err != nil || m.SRC.Name != "edge-sbc" || m.SRC.Transport != "TLS" {
			t.Errorf("recording of %+v, %v", m.SRC, err)
		}
	}
}

func TestSettingsOfTransportsRefused(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--listen=tls:127.0.0.1:0"}, "tls-certificate: TLS needs one"},
		{[]string{"--tls-certificate=a", "--tls-key=b"}, "nothing listens on TLS"},
		{[]string{"--tls-clients=required"}, "tls-clients: nothing listens on TLS"},
		{[]string{"--tls-clients=perhaps"}, "must be one of"},
		{[]string{"--listen==127.0.0.1:0"}, "has an empty name"},
		{[]string{"--advertise=edge=192.0.2.1"}, `no listener has the name "edge"`},
		{[]string{"--advertise-media=srs.example"}, "is not an IP address"},
		{[]string{"--redirect=tel:1"}, "is not a SIP URI"},
		{[]string{"--redirect=sip:a>b"}, "is not a SIP URI"},
		{[]string{"--record-from=sip:192.0.2.1;transport=sctp"}, `transport "sctp" is none of`},
		{[]string{"--record-from=sips:sbc.example"}, "record-from: sips:sbc.example needs a certificate"},
		{[]string{"--listen=tcp:127.0.0.1:0", "--record-from=sip:sbc.example;transport=udp"}, "is over UDP, but nothing listens there"},
		{[]string{"--max-unknown-connections=0"}, "max-unknown-connections: 0 is not from 1 to 256"},
		{[]string{"--max-unknown-connections=257"}, "max-unknown-connections: 257"},
		{[]string{"--min-free=much"}, "is no size"},
		{[]string{"--idle=0s"}, "idle: 0s"},
	} {
		if _, err := parseServe(t, tt.args...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, want %q", tt.args, err, tt.want)
		}
	}
}

// TestEndpoints: names and advertised addresses find their listeners.
func TestEndpoints(t *testing.T) {
	s, err := parseServe(t, "--listen=edge=udp:127.0.0.1:5060", "--listen=127.0.0.1:5070", "--advertise=203.0.113.1", "--advertise=edge=srs.example:5090",
		"--advertise-media=edge=203.0.113.9")
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.endpoints()
	if err != nil || len(list) != 3 {
		t.Fatalf("%+v, %v", list, err)
	}
	if e := list[0]; e.Name != "edge" || e.Network != "udp" || e.Advertise != "srs.example:5090" || e.AdvertiseMedia.String() != "203.0.113.9" {
		t.Errorf("edge is %+v", e)
	}
	for _, e := range list[1:] {
		if e.Name != "" || e.Advertise != "203.0.113.1" || e.AdvertiseMedia.IsValid() {
			t.Errorf("another is %+v", e)
		}
	}
}
