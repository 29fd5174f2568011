package main

import (
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/recorder/store"
)

// onlyRecording stops a process and reads the manifest of the only recording.
func onlyRecording(t *testing.T, p *process, dir string) store.Manifest {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code, err := p.wait(); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v\n%s", code, err, p.log.String())
	}
	data := filepath.Join(dir, "data")
	list, err := store.List(data)
	if err != nil || len(list) != 1 {
		t.Fatalf("recordings %+v, %v", list, err)
	}
	m, err := store.Load(data, list[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestKilledServerFinishesWithoutItsPort has another program take a port of a recording
// session while the server is down.
func TestKilledServerFinishesWithoutItsPort(t *testing.T) {
	ctx := deadline(t)
	p, dir := serveProcess(t, "--rtp-ports", "15600-15799", "--hold-back", "0s")
	d := invite(t, ctx, client(t, p))
	port := d.Stream(0).Remote()
	p.kill()
	taken, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(port))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	again, err := startProcess(dir, "--rtp-ports", "15600-15799", "--listen", "udp:"+p.udp)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(again.kill)
	if m, err := d.Options(ctx, src.Request{}); err != nil || m.Status != 481 {
		t.Errorf("OPTIONS in a dialog that is not resumed: %v, %v", m, err)
	}
	m := onlyRecording(t, again, dir)
	if m.EndReason != "server-down" || m.Verdict != store.Partial || !slices.Contains(m.Flags, "server-was-down") || !strings.Contains(strings.Join(m.Reasons, " "), "could not be resumed") {
		t.Errorf("ended by %s, %v: %v, flags %v", m.EndReason, m.Verdict, m.Reasons, m.Flags)
	}
	if m.Streams[0].Packets.Kept == 0 || len(m.Files) != 1 {
		t.Errorf("packets %+v, files %+v", m.Streams[0].Packets, m.Files)
	}
}

// TestKilledServerKeepsWhomItCalled: an SRC that the server has called is not called
// again while that recording session goes on.
func TestKilledServerKeepsWhomItCalled(t *testing.T) {
	ctx := deadline(t)
	p, dir := serveProcess(t) // for its port
	p.kill()
	var invites atomic.Int32
	byes, acks := make(chan string, 8), make(chan struct{}, 8)
	c, err := src.New(ctx, src.Config{Target: p.udp, Handler: func(req *src.Message) *src.Reply {
		switch req.Method {
		case "INVITE":
			invites.Add(1)
			return &src.Reply{Status: 200, ContentType: "application/sdp", Body: []byte("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" +
				"m=audio 40000 RTP/AVP 0\r\na=sendonly\r\na=label:1\r\n")}
		case "BYE":
			byes <- req.Get("Call-ID")
		}
		return src.AutoReply(req)
	}, Trace: func(dir src.Direction, _ time.Time, text string) {
		if dir == src.In && strings.HasPrefix(text, "ACK ") {
			acks <- struct{}{}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	args := []string{"--rtp-ports", "15800-15999", "--listen", "udp:" + p.udp, "--drain", "0s", "--record-from", "sip:src@" + c.Local().String()}
	p, err = startProcess(dir, args...)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-acks: // the answer to the offer
	case <-ctx.Done():
		t.Fatalf("no ACK came\n%s", p.log.String())
	}
	p.kill()
	again, err := startProcess(dir, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(again.kill)
	if err := again.log.await(ctx, `"resumed": 1,`); err != nil {
		t.Fatalf("%v\n%s", err, again.log.String())
	}
	m := onlyRecording(t, again, dir)
	select {
	case id := <-byes:
		if id != m.CallID {
			t.Errorf("BYE of %s, recorded was %s", id, m.CallID)
		}
	case <-time.After(patience):
		t.Error("no BYE came")
	}
	if n := invites.Load(); n != 1 || len(m.Interruptions) != 1 {
		t.Errorf("%d INVITEs, interruptions %+v", n, m.Interruptions)
	}
}
