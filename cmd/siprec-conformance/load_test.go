package main

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestLoadUsedWrongly(t *testing.T) {
	closed, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	nobody := "sip:" + closed.Addr().String()
	closed.Close()
	for want, args := range map[string][]string{
		"missing flags: --target": {},
		"is not a sip: URI":       {"--target", "127.0.0.1"},
		"0 calls at a time":       {"--target", nobody, "--calls", "0"},
		"ptime 70ms":              {"--target", nobody, "--ptime", "70ms"},
		"are for --transport tls": {"--target", nobody, "--tls-ca", "x.pem"},
		"reach 127.0.0.1":         {"--target", nobody, "--transport", "tcp"},
		"no such file":            {"--target", nobody, "--floor", filepath.Join(t.TempDir(), "nowhere")},
	} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), append([]string{"load"}, args...), &stdout, &stderr)
		if code != exitError || !strings.Contains(stderr.String(), want) {
			t.Errorf("%q: code %d, %q, want %q", args, code, stderr.String(), want)
		}
	}
}

func TestLoadThatTheServerRefuses(t *testing.T) {
	var stdout, stderr bytes.Buffer
	file := filepath.Join(t.TempDir(), "report.json")
	code := run(t.Context(), []string{"load", "--target", echo(t, "486 Busy Here"), "--calls", "2", "--duration", "20ms", "--json", file}, &stdout, &stderr)
	if code != exitFailed || !strings.Contains(stdout.String(), "2 times: 486 Busy Here") {
		t.Errorf("code %d\n%s%s", code, &stdout, &stderr)
	}
	text, err := os.ReadFile(file)
	if err != nil || !bytes.Contains(text, []byte(`"outcome": "fail"`)) || !bytes.Contains(text, []byte(`"refused": 2`)) {
		t.Errorf("%v: %s", err, text)
	}
	stdout.Reset()
	code = run(t.Context(), []string{"load", "--target", echo(t, "486 Busy Here"), "--calls", "1", "--duration", "20ms", "--json", "-"}, &stdout, &stderr)
	if code != exitFailed || !strings.HasPrefix(stdout.String(), "{") {
		t.Errorf("code %d\n%s%s", code, &stdout, &stderr)
	}
}

func TestFloorCommand(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the floor program is for Linux")
	}
	stdin, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	write.Close()
	var out bytes.Buffer
	c := floorCommand{Sockets: 2, Address: "127.0.0.1", Dir: t.TempDir(), Files: 1, Sweep: 1, Threads: 1}
	if err := c.run(t.Context(), stdin, &out); err != nil || strings.Count(out.String(), "port ") != 2 || !strings.HasSuffix(out.String(), "ready\nreceived 0\n") {
		t.Errorf("%v: %s", err, &out)
	}
	c.Address = "here"
	if err := c.run(t.Context(), stdin, io.Discard); err == nil {
		t.Error("an address that is none is taken")
	}
}
