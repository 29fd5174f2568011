package main

import (
	"crypto/tls"
	"slices"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/observe"
	"github.com/siprecd/siprecd/conformance/src"
)

// TestConformance runs the suite against the program, but for what waits for timers of
// minutes, which .ci/conformance runs. What a case skips over one transport it must show
// over another; over TCP nobody looks at the files. With -short UDP is all there is.
func TestConformance(t *testing.T) {
	authority, err := src.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := authority.Issue("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	certificate, key, _, err := authority.Write(t.TempDir(), cert)
	if err != nil {
		t.Fatal(err)
	}
	p, dir := serveProcess(t, "--drain", "0s", "--plain-invite", "127.0.0.1", "--listen", "tls:127.0.0.1:0", "--tls-certificate", certificate, "--tls-key", key)
	files, err := observe.Folder(dir, patience)
	if err != nil {
		t.Fatal(err)
	}
	cases := slices.DeleteFunc(conformance.All(), func(c check.Case) bool { return c.Timeout > time.Minute/2 })
	passed := make(map[string]bool)
	for _, target := range []check.Target{
		{Address: p.udp, Transport: "udp", Observer: files, Duration: 2 * time.Second},
		{Address: p.tcp, Transport: "tcp"},
		{Address: p.tls, Transport: "tls", TLS: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: authority.Pool()}, Observer: files, Duration: 2 * time.Second},
	} {
		if testing.Short() && target.Transport != "udp" {
			continue
		}
		t.Run(target.Transport, func(t *testing.T) {
			report, err := conformance.Run(t.Context(), target, conformance.Options{Cases: cases})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range report.Results {
				passed[r.ID] = passed[r.ID] || r.Outcome == check.Pass
				if r.Outcome != check.Pass && r.Outcome != check.Skip {
					t.Errorf("%s %s: %v\n%s", r.Outcome, r.ID, r.Messages, r.Requirement)
				}
			}
		})
	}
	if testing.Short() {
		return
	}
	must, err := conformance.Choose(cases, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range must {
		if !passed[c.ID] {
			t.Errorf("%s is skipped over every transport", c.ID)
		}
	}
}
