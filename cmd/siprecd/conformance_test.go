package main

import (
	"crypto/tls"
	"slices"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/observe"
	"github.com/siprecd/siprecd/conformance/src/srctest"
)

// TestConformance runs the suite against the program, strict, over each transport, but for
// what runs alone or waits for timers of minutes, which .ci/conformance runs. What a case
// skips over one transport it must show over another; over TCP nobody looks at the files.
// With -short TCP is all there is.
func TestConformance(t *testing.T) {
	args, _, believed := encrypted(t)
	p, dir := serveProcess(t, append(args, "--drain", "0s", "--plain-invite", "127.0.0.1")...)
	files, err := observe.Folder(dir, patience)
	if err != nil {
		t.Fatal(err)
	}
	targets := []check.Target{
		{Address: p.udp, Transport: "udp", Observer: files, Duration: 2 * time.Second},
		{Address: p.tcp, Transport: "tcp"},
		{Address: p.tls, Transport: "tls", TLS: believed, Observer: files, Duration: 2 * time.Second},
	}
	if testing.Short() {
		targets = targets[1:2]
	}
	cases := slices.DeleteFunc(conformance.All(), func(c check.Case) bool { return c.Alone || c.Timeout > time.Minute/2 })
	passed := make(map[string]bool)
	for _, target := range targets {
		t.Run(target.Transport, func(t *testing.T) {
			report, err := conformance.Run(t.Context(), target, conformance.Options{Cases: cases, Strict: true})
			if err != nil {
				t.Fatal(err)
			}
			heard(t, report, passed)
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

// encrypted are the arguments of a listener of TLS, the file of its authority, and what a
// client believes and may show.
func encrypted(t *testing.T) (args []string, ca string, client *tls.Config) {
	t.Helper()
	authority := srctest.NewAuthority(t)
	cert := authority.Issue("127.0.0.1")
	certificate, key, ca := authority.Write(cert)
	return []string{"--listen", "tls:127.0.0.1:0", "--tls-certificate", certificate, "--tls-key", key}, ca,
		authority.Client(cert)
}

// heard notes what passed of a run of the suite, and complains of what neither did nor
// was skipped.
func heard(t *testing.T, report *conformance.Report, passed map[string]bool) {
	t.Helper()
	for _, r := range report.Results {
		passed[r.ID] = passed[r.ID] || r.Outcome == check.Pass
		if r.Outcome != check.Pass && r.Outcome != check.Skip {
			t.Errorf("%s over %s %s: %v\n%s", r.Outcome, report.Transport, r.ID, r.Messages, r.Requirement)
		}
	}
}
