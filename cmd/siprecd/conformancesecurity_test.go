package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/observe"
	"github.com/siprecd/siprecd/conformance/src"
)

// byConfiguration are the features that TestConformance cannot claim, since their settings
// rule others out.
var byConfiguration = []string{"bound", "client-certificate", "digest"}

// guarded is the password of the user src in TestConformanceSecurity.
const guarded = "not to be guessed"

// TestConformanceSecurity runs the cases of security against the program with the settings
// that they need.
func TestConformanceSecurity(t *testing.T) {
	overTLS, ca, believed := encrypted(t)
	passed := make(map[string]bool)
	for _, tt := range []struct {
		name       string
		transports []string
		srcs       string // file of SRCs
		args       []string
		sections   []string
		features   []string
	}{
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
			[]string{"security/digest", "rfc7866"}, []string{"digest", check.Password, "rtcp", "update"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"--drain", "0s"}, tt.args...)
			if tt.srcs != "" {
				dir := t.TempDir()
				list := filepath.Join(dir, "srcs.yaml")
				err := errors.Join(os.WriteFile(filepath.Join(dir, "password"), []byte(guarded+"\n"), 0o600), os.WriteFile(list, []byte(tt.srcs), 0o600))
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
				if target.Credentials, err = src.NewCredentials("src", guarded); err != nil {
					t.Fatal(err)
				}
				report, err := conformance.Run(deadline(t), target, conformance.Options{Sections: tt.sections, Features: tt.features, Strict: true})
				if err != nil {
					t.Fatal(err)
				}
				heard(t, report, passed)
			}
		})
	}
	for _, c := range conformance.All() {
		if !passed[c.ID] && slices.ContainsFunc(c.Needs, func(need string) bool { return slices.Contains(byConfiguration, need) }) {
			t.Errorf("%s is skipped by every server", c.ID)
		}
	}
}
