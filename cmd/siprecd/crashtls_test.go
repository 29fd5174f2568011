package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/conformance/src/srctest"
)

// TestKilledServerGoesOnOverTLS kills a server with a recording session over mutual TLS
// and SRTP, with a stream on hold, and starts it again. The connection is lost and the
// recording session goes on: still on hold, with its keys, and with the requests that
// its SRC sends over a new connection; those of another certificate are refused.
func TestKilledServerGoesOnOverTLS(t *testing.T) {
	ctx, dir := deadline(t), t.TempDir()
	authority := srctest.NewAuthority(t)
	certificate, key, ca := authority.Write(authority.Issue("127.0.0.1"))
	list := filepath.Join(dir, "srcs.yaml")
	if err := os.WriteFile(list, []byte("- {name: edge-sbc, certificates: sbc.example}\n- {name: other-sbc, certificates: other.example}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	first := 21000 + 40*rand.IntN(20)
	args := []string{
		"--rtp-ports", fmt.Sprintf("%d-%d", first, first+39), "--min-free", "0", "--tls-certificate", certificate, "--tls-key", key,
		"--tls-ca", ca, "--tls-clients", "required", "--srcs", list, "--listen",
	}
	p, err := startProcess(dir, append(args, "tls:127.0.0.1:0")...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { p.kill() }()
	args = append(args, "tls:"+p.tls)
	connect := func(name string) *src.SRC {
		t.Helper()
		c, err := src.New(ctx, src.Config{
			Target: p.tls, Transport: "tls",
			TLS: authority.Client(authority.Issue(name)),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() }) // its connection may be lost
		return c
	}

	c := connect("sbc.example")
	call := &crashCall{t: t, holds: true, secure: true}
	for range 2 {
		k, err := c.IDs().SRTPKey("AES_CM_128_HMAC_SHA1_80")
		if err != nil {
			t.Fatal(err)
		}
		call.keys = append(call.keys, k)
	}
	conversation := src.NewConversation(c.IDs(), time.Now(), src.Party{AOR: "sip:one@example.com", Label: "1"}, src.Party{AOR: "sip:two@example.com", Label: "2"})
	call.dialog, err = c.Invite(ctx, src.Request{Streams: call.streams(src.SendOnly), Metadata: conversation.Complete()})
	if err != nil || call.dialog.Final().Status != 200 {
		t.Fatalf("INVITE: %v", err)
	}
	call.began = time.Now()
	talking, hush := context.WithCancel(ctx)
	defer hush()
	var speaking sync.WaitGroup
	speaking.Go(func() { call.speak(talking, 0, src.Counter(src.PCMU()), 0) })
	call.speak(talking, 1, src.Counter(src.PCMU()), 2*time.Second)
	call.reinvite(ctx, src.Inactive)
	call.speak(talking, 1, marker{}, 300*time.Millisecond)

	o := outage{killed: time.Now()}
	p.kill()
	if p, err = startProcess(dir, args...); err != nil {
		t.Fatal(err)
	}
	o.ready = time.Now()
	call.speak(talking, 1, marker{}, lateToRise+300*time.Millisecond)

	call.dialog.Move(connect("other.example"))
	if m, err := call.dialog.Do(ctx, "INFO", src.Request{}); err != nil || m.Status != 403 {
		t.Errorf("a request under another certificate: %v, %v", m, err)
	}
	call.dialog.Move(connect("sbc.example"))
	call.reinvite(ctx, src.SendOnly)
	call.speak(talking, 1, src.Counter(src.PCMU()), time.Second)
	hush()
	speaking.Wait()
	call.bye(ctx)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code, err := p.wait(); err != nil || code != exitOK {
		t.Fatalf("exit code %d, %v\n%s", code, err, p.log.String())
	}
	var worst lost
	found := recordingsOf(t, filepath.Join(dir, "data"))
	call.check(found, []outage{o}, &worst)
	for _, r := range found[call.dialog.CallID()] {
		// At most 50 packets of the second stream were sent after the kill.
		if r.SRC.Name != "edge-sbc" || r.SRC.Transport != "TLS" || r.Streams[1].Packets.Kept < 60 || r.Streams[1].Packets.Withheld == 0 {
			t.Errorf("recording of %+v, second stream %+v", r.SRC, r.Streams[1].Packets)
		}
	}
	call.dialog.Close()
	if t.Failed() {
		t.Logf("the last process wrote\n%s", p.log.String())
	}
}
