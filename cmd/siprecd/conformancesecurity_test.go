package main

import (
	"crypto/tls"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/observe"
	"github.com/siprecd/siprecd/conformance/src"
)

// TestConformanceSecurity runs the cases of security against the program, as it is by
// default over each transport, and with the settings that cases need which rule others
// out.
func TestConformanceSecurity(t *testing.T) {
	authority, err := src.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := authority.Issue("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	certificate, key, ca, err := authority.Write(t.TempDir(), cert)
	if err != nil {
		t.Fatal(err)
	}
	believed := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: authority.Pool(), Certificates: []tls.Certificate{cert}}
	overTLS := []string{"--listen", "tls:127.0.0.1:0", "--tls-certificate", certificate, "--tls-key", key}
	passed := make(map[string]bool)
	for _, tt := range []struct {
		name       string
		transports []string
		srcs       string // file of SRCs
		args       []string
		sections   []string
		features   []string
	}{
		{"as it is", []string{"udp", "tcp", "tls"}, "", overTLS, []string{"security"}, nil},
		{
			"client certificates", []string{"tls"}, "", append([]string{"--tls-clients", "required", "--tls-ca", ca}, overTLS...),
			[]string{"security/tls"}, []string{"tls", "client-certificate"},
		},
		{
			"two clients", []string{"udp", "tcp"}, "- {name: one, addresses: [127.0.0.1]}\n- {name: two, addresses: [127.0.0.2]}\n", nil,
			[]string{"security/spoofing"}, []string{"bound", "update"},
		},
		{
			"password", []string{"udp", "tcp"}, "- name: one\n  addresses: [127.0.0.1]\n  digest:\n    md5: true\n    users: [{name: src, password-file: password}]\n", nil,
			[]string{"security/digest"}, []string{"digest"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"--drain", "0s"}, tt.args...)
			if tt.srcs != "" {
				dir := t.TempDir()
				list := filepath.Join(dir, "srcs.yaml")
				err := errors.Join(os.WriteFile(filepath.Join(dir, "password"), []byte("not to be guessed\n"), 0o600), os.WriteFile(list, []byte(tt.srcs), 0o600))
				if err != nil {
					t.Fatal(err)
				}
				args = append(args, "--srcs", list)
			}
			p, dir := serveProcess(t, args...)
			files, err := observe.Folder(dir, patience)
			if err != nil {
				t.Fatal(err)
			}
			targets := map[string]check.Target{"udp": {Address: p.udp}, "tcp": {Address: p.tcp}, "tls": {Address: p.tls, TLS: believed}}
			for _, transport := range tt.transports {
				target := targets[transport]
				target.Transport, target.Observer = transport, files
				report, err := conformance.Run(deadline(t), target, conformance.Options{Sections: tt.sections, Features: tt.features, Strict: true})
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range report.Results {
					passed[r.ID] = passed[r.ID] || r.Outcome == check.Pass
					if r.Outcome != check.Pass && r.Outcome != check.Skip {
						t.Errorf("%s over %s %s: %v\n%s", r.Outcome, transport, r.ID, r.Messages, r.Requirement)
					}
				}
			}
		})
	}
	cases, err := conformance.Choose(conformance.All(), []string{"security"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		// The program takes keys over UDP too: who asks for TLS says so of the SRC.
		if !passed[c.ID] && c.ID != "security/keys/4" {
			t.Errorf("%s is skipped by every server", c.ID)
		}
	}
}
