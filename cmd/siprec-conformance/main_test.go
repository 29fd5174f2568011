package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
)

func TestParseTarget(t *testing.T) {
	tests := []struct {
		uri, address, requestURI string
		bad                      bool
		transport                string
	}{
		{uri: "sip:192.0.2.1", address: "192.0.2.1:5060"},
		{uri: "sip:srs.example.com:5070", address: "srs.example.com:5070"},
		{uri: "sip:rec@192.0.2.1:5070", address: "192.0.2.1:5070", requestURI: "sip:rec@192.0.2.1:5070"},
		{uri: "sip:[2001:db8::1]:5070", address: "[2001:db8::1]:5070"},
		{uri: "sip:[2001:db8::1]", address: "[2001:db8::1]:5060"},
		{uri: "sip:192.0.2.1", address: "192.0.2.1:5061", transport: "tls"},
		{uri: "192.0.2.1:5060", bad: true},
		{uri: "sip:", bad: true},
		{uri: "sip:host;lr", bad: true},
		{uri: "sip:host:5070;transport=tcp", bad: true},
		{uri: "sip:host:0", bad: true},
		{uri: "sip:host:65536", bad: true},
	}
	for _, c := range tests {
		t.Run(c.uri, func(t *testing.T) {
			got, err := parseTarget(c.uri, c.transport)
			if (err != nil) != c.bad || got.Address != c.address || got.RequestURI != c.requestURI {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// echo answers every request over UDP with one status, in the manner of a
// server that is no SRS.
func echo(t *testing.T, status string) string {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 65536)
		for {
			n, from, err := c.ReadFromUDP(buf)
			if err != nil {
				return
			}
			head, _, _ := strings.Cut(string(buf[:n]), "\r\n\r\n")
			lines := strings.Split(head, "\r\n")
			if strings.HasPrefix(lines[0], "ACK") {
				continue
			}
			out := "SIP/2.0 " + status + "\r\n"
			for _, l := range lines[1:] {
				for _, name := range []string{"Via:", "From:", "To:", "Call-ID:", "CSeq:"} {
					if strings.HasPrefix(l, name) {
						out += l + "\r\n"
					}
				}
			}
			if _, err := c.WriteToUDP([]byte(out+"Content-Length: 0\r\n\r\n"), from); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		<-done
	})
	return "sip:" + c.LocalAddr().String()
}

func TestExitCodes(t *testing.T) {
	stranger := echo(t, "481 No Such Thing")
	gone, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	refused := "sip:" + gone.Addr().String()
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		args []string
		want int
		says string
	}{
		{"passes", []string{"run", "--target", stranger, "rfc3261/15.1.2/1"}, exitPassed, "1 passed, 0 failed"},
		{"fails", []string{"run", "--target", stranger, "rfc7866/6.2"}, exitFailed, "0 passed, 3 failed"},
		{"skips", []string{"run", "--target", stranger, "--features", "udp", "rfc3311"}, exitPassed, "0 passed, 0 failed, 0 warned, 0 errors, "},
		{"unreachable", []string{"run", "--target", refused, "--transport", "tcp"}, exitError, "reach"},
		{"no target", []string{"run"}, exitError, "target"},
		{"bad target", []string{"run", "--target", "tel:1"}, exitError, "sip:"},
		{"bad timeout", []string{"run", "--target", stranger, "--timeout", "0s"}, exitError, "timeout"},
		{"bad wait", []string{"run", "--target", stranger, "--await=-1s"}, exitError, "a wait of -1s for the server is below 0"},
		{"no such case", []string{"run", "--target", stranger, "rfc1"}, exitError, "rfc1"},
		{"unknown flag", []string{"run", "--fast"}, exitError, "fast"},
		{"list", []string{"list", "rfc7866/9"}, exitPassed, "rfc7866/9.1/2"},
		{"certificate without TLS", []string{"run", "--target", stranger, "--tls-ca", "ca.pem"}, exitError, "--transport tls"},
		{"no such authority", []string{"run", "--target", stranger, "--transport", "tls", "--tls-ca", "none.pem"}, exitError, "none.pem"},
		{"key without certificate", []string{"run", "--target", stranger, "--transport", "tls", "--tls-key", "none.pem"}, exitError, "--tls-certificate"},
		{"help", []string{"--help"}, exitPassed, "Usage"},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			if got := run(t.Context(), c.args, &out, &errs); got != c.want {
				t.Errorf("exit code %d, want %d\n%s%s", got, c.want, &out, &errs)
			}
			if text := out.String() + errs.String(); !strings.Contains(text, c.says) {
				t.Errorf("does not say %q:\n%s", c.says, text)
			}
		})
	}
}

func TestInterruptedRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	if got := run(ctx, []string{"run", "--target", echo(t, "200 OK")}, &out, &errs); got != exitError {
		t.Errorf("exit code %d", got)
	}
}

func TestJSONReport(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.json")
	target := echo(t, "405 Method Not Allowed")
	var out, errs bytes.Buffer
	if got := run(t.Context(), []string{"run", "--target", target, "--json", path, "rfc7866/6.2/1"}, &out, &errs); got != exitFailed {
		t.Fatalf("exit code %d: %s", got, &errs)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Failed  int
		Results []struct {
			ID, Outcome string
			Trace       []check.Message
		}
	}
	if err := json.Unmarshal(text, &r); err != nil || r.Failed != 1 || len(r.Results) != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	if got := r.Results[0]; got.ID != "rfc7866/6.2/1" || got.Outcome != check.Fail.String() || len(got.Trace) < 2 || !strings.HasPrefix(got.Trace[0].Text, "INVITE ") ||
		got.Trace[0].Direction != check.Sent || got.Trace[1].Transport != "UDP" || "sip:"+got.Trace[1].Remote.String() != target {
		t.Errorf("%+v", got)
	}
	out.Reset()
	if got := run(t.Context(), []string{"run", "--target", target, "--json", "-", "rfc7866/6.2/1"}, &out, &errs); got != exitFailed {
		t.Fatalf("exit code %d: %s", got, &errs)
	}
	if !json.Valid(out.Bytes()) {
		t.Errorf("standard output is not JSON alone: %s", &out)
	}
}

func TestListHasEveryCase(t *testing.T) {
	var out, errs bytes.Buffer
	if got := run(t.Context(), []string{"list"}, &out, &errs); got != exitPassed {
		t.Fatal(got)
	}
	if lines := strings.Count(out.String(), "\n"); lines != len(conformance.All()) {
		t.Errorf("%d lines for %d cases", lines, len(conformance.All()))
	}
}
