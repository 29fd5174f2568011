package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/siprecd/siprecd/conformance/src"
)

// A server without ffmpeg keeps what it cannot decode and says so; with ffmpeg,
// siprecd recordings finalise makes a file of it, and the capture goes.
func TestRecordingsFinalise(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		if os.Getenv("SIPRECD_CI") != "" {
			t.Fatal(err)
		}
		t.Skip("needs ffmpeg (Debian package ffmpeg)")
	}
	p, dir := serveProcess(t, "--ffmpeg", "off")
	ctx := deadline(t)
	codec := src.Codec{Name: "G726-32", PayloadType: 97, ClockRate: 8000}
	d, err := client(t, p).Invite(ctx, src.Request{Streams: []src.StreamOffer{{Label: "1", Codecs: []src.Codec{codec}, Direction: src.SendOnly}}})
	if err != nil {
		t.Fatal(err)
	}
	if status := d.Final().Status; status != 200 {
		t.Fatalf("INVITE answered %d", status)
	}
	var packets []src.ScriptPacket
	for i := range 50 {
		payload := make([]byte, 80)
		for j := range payload {
			payload[j] = byte(j * (i + 7))
		}
		packets = append(packets, src.ScriptPacket{
			Offset: time.Duration(i) * 20 * time.Millisecond, Payload: payload,
			Header: rtp.Header{PayloadType: 97, SequenceNumber: uint16(i), Timestamp: uint32(i) * 160, SSRC: 9},
		})
	}
	if err := d.Stream(0).Script(ctx, packets); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Bye(ctx, src.Request{}); err != nil {
		t.Fatal(err)
	}
	if err := p.log.awaitTimes(ctx, "recording finalised", 1); err != nil {
		t.Fatal(err)
	}
	if said := p.log.String(); !strings.Contains(said, "partial") || !strings.Contains(said, "G726-32 is in the capture") {
		t.Errorf("the log does not say what is missing:\n%s", said)
	}
	data := filepath.Join(dir, "data")
	found, err := filepath.Glob(filepath.Join(data, "*", "*", "*", "*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("recordings %v, %v", found, err)
	}
	id := filepath.Base(found[0])
	if out, errs, code := program(t, "recordings", "finalise", id, "--data", data, "--ffmpeg", "off"); code != exitFailed || !strings.Contains(errs, "in its capture alone") || !strings.Contains(out, "verdict partial") {
		t.Errorf("without ffmpeg: exit %d, %q, %q", code, out, errs)
	}
	if out, errs, code := program(t, "recordings", "finalise", id, "--data", data); code != exitOK || !strings.Contains(out, "verdict ok") || !strings.Contains(out, "file 01-stream-1.wav") {
		t.Errorf("with ffmpeg: exit %d, %q, %q", code, out, errs)
	}
	left, err := os.ReadDir(found[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		if strings.HasPrefix(e.Name(), "capture") || strings.HasPrefix(e.Name(), "plan") || e.Name()[0] == '.' {
			t.Errorf("%s is left", e.Name())
		}
	}
	for _, tt := range []struct {
		id, says string
		code     int
	}{
		{id, "all of it is in its files", exitFailed},
		{"20260102T030405Z-abcdefghij", "there is no recording", exitFailed},
		{"../../etc", "not the id of a recording", exitUsage},
	} {
		if _, errs, code := program(t, "recordings", "finalise", tt.id, "--data", data); code != tt.code || !strings.Contains(errs, tt.says) {
			t.Errorf("%s: exit %d, %q", tt.id, code, errs)
		}
	}
	if _, errs, code := program(t, "recordings", "finalise", id, "--data", data, "--ffmpeg", filepath.Join(dir, "none")); code != exitFailed || !strings.Contains(errs, "ffmpeg") {
		t.Errorf("a program that is not there: exit %d, %q", code, errs)
	}
}
