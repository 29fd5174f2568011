package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/recorder/store"
)

// A marker is 20 ms of one law that nothing else sounds like. Every code word has a
// sample of its own.
func newMarker() []byte {
	b := make([]byte, 160)
	for i := range b {
		b[i] = byte(rand.IntN(0x60) + rand.IntN(2)*0x80)
	}
	return b
}

// unknown is a codec that no file can hold: it leaves the capture behind, so that it
// can be looked through.
func unknown() src.Codec { return src.Codec{Name: "X-UNKNOWN", PayloadType: 97} }

// say sends a payload again and again on both streams, in the codec of each and in
// the unknown one.
func (m *marking) say(payloads [2][]byte) {
	m.t.Helper()
	for i := range 2 {
		var script []src.ScriptPacket
		for range 20 {
			pt := uint8(8 * i) // PCMU, PCMA
			if m.n[i]%4 == 3 {
				pt = unknown().PayloadType
			}
			script = append(script, src.ScriptPacket{
				Offset:  time.Duration(len(script)) * 20 * time.Millisecond,
				Header:  rtp.Header{PayloadType: pt, SSRC: uint32(i + 1), SequenceNumber: uint16(m.n[i]), Timestamp: uint32(m.n[i]) * 160},
				Payload: payloads[i],
			})
			m.n[i]++
		}
		if err := m.d.Stream(i).Script(m.t.Context(), script); err != nil {
			m.t.Fatal(err)
		}
	}
}

// A marking is a recording session that markers are sent in.
type marking struct {
	t *testing.T
	d *src.Dialog
	n [2]int // packets that were sent on each stream
}

// hold makes both streams inactive. What came before is judged when it is answered.
func (m *marking) hold() {
	m.t.Helper()
	answer, err := m.d.Reinvite(deadline(m.t), src.Request{Streams: m.d.WithDirection(src.Inactive)})
	if err != nil || answer.Status != 200 {
		m.t.Fatalf("%v, %v", answer, err)
	}
}

// wantTraces compares what was found of the marker that must be there and of the one
// that must not.
func wantTraces(t *testing.T, where string, found map[string]int, want ...string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if strings.HasPrefix(name, "withheld") {
			t.Errorf("%s: %s, %d times", where, name, found[name])
		}
	}
	for _, name := range want {
		if found["allowed "+name] == 0 {
			t.Errorf("%s: the search does not find its control, %s: %v", where, name, found)
		}
	}
}

// TestNoTraceOfWhatIsWithheld sends one marker while audio may be kept and another
// while it is withheld. Of the first one the search finds what must be there: that
// shows that it can find something. Of the second there is nothing, in no form: not in
// the memory of the server while the call goes on, nor after it, nor in any file, the
// sealed pages of the capture and sealed files opened.
func TestNoTraceOfWhatIsWithheld(t *testing.T) {
	if testing.Short() {
		t.Skip("short: what it looks for is octets")
	}
	for _, tt := range []struct{ audio, reader string }{{"plain", "sweep"}, {"encrypted", "sweep"}, {"plain", "simple"}} {
		t.Run(tt.audio+" "+tt.reader, func(t *testing.T) {
			args := []string{"--hold-back", "3s", "--page-memory", "8MiB", "--ffmpeg", "off", "--audio", tt.audio, "--media-reader", tt.reader}
			var masters *recorder.MasterKeys
			if tt.audio == "encrypted" {
				path := filepath.Join(t.TempDir(), "keys")
				if err := os.WriteFile(path, []byte(strings.Repeat("5f", 32)), 0o600); err != nil {
					t.Fatal(err)
				}
				var err error
				if masters, err = recorder.ReadMasterKeys(path); err != nil {
					t.Fatal(err)
				}
				args = append(args, "--master-keys", path)
			}
			p, dir := serveProcess(t, args...)
			c := client(t, p)

			h := newHunt()
			laws := [2]string{"PCMU", "PCMA"}
			var allowed, withheld [2][]byte
			for i, law := range laws {
				allowed[i], withheld[i] = newMarker(), newMarker()
				h.mark(t, "allowed "+law, law, allowed[i])
				h.mark(t, "withheld "+law, law, withheld[i])
			}
			lines := src.TwoParties(src.PCMU(), unknown())
			lines[1].Codecs = []src.Codec{src.PCMA(), unknown()}
			d, err := c.Invite(deadline(t), src.Request{Streams: lines, Metadata: src.NewConversation(c.IDs(), time.Now(),
				src.Party{AOR: "sip:alice@example.com", Label: "1"}, src.Party{AOR: "sip:bob@example.com", Label: "2"}).Complete()})
			if err != nil || d.Final().Status != 200 {
				t.Fatalf("%v, %v", d, err)
			}

			m := &marking{t: t, d: d}
			m.say(allowed)
			m.hold()
			// It waits in its pages for the hold-back.
			wantTraces(t, "memory before", h.inMemory(t, p.cmd.Process.Pid), "PCMU in PCMU", "PCMA in PCMA")
			m.say(withheld)
			m.hold()
			wantTraces(t, "memory while it is withheld", h.inMemory(t, p.cmd.Process.Pid))
			if answer, err := d.Bye(deadline(t), src.Request{}); err != nil || answer.Status != 200 {
				t.Fatalf("%v, %v", answer, err)
			}
			if err := p.log.await(deadline(t), "recording finalised"); err != nil {
				t.Fatal(err)
			}
			wantTraces(t, "memory after the call", h.inMemory(t, p.cmd.Process.Pid))

			data := filepath.Join(dir, "data")
			list, err := store.List(data)
			if err != nil || len(list) != 1 {
				t.Fatalf("%v, %v", list, err)
			}
			id := list[0].ID
			packets := make(map[string]int)
			for packet, err := range recorder.Captured(data, id, masters) {
				if err != nil {
					t.Fatal(err)
				}
				h.in(packet.Payload, packets)
			}
			wantTraces(t, "capture", packets, "PCMU in PCMU", "PCMA in PCMA")

			if tt.audio == "plain" {
				wantTraces(t, "files", h.inFiles(t, data), "PCMU in PCM", "PCMA in PCM")
			} else if found := h.inFiles(t, data); len(found) > 0 {
				t.Errorf("files: sealed, and yet there is %v", found)
			}
			out := filepath.Join(t.TempDir(), "out")
			if _, err := recorder.Export(t.Context(), data, id, out, masters); err != nil {
				t.Fatal(err)
			}
			wantTraces(t, "export", h.inFiles(t, out), "PCMU in PCM", "PCMA in PCM")
			whole, err := recorder.Load(data, id, masters)
			if err != nil {
				t.Fatal(err)
			}
			for i, s := range whole.Streams {
				if s.Packets.Kept != 20 || s.Packets.Withheld != 20 {
					t.Errorf("stream %d: %+v", i, s.Packets)
				}
			}
			if t.Failed() {
				t.Log(fmt.Sprint(whole.Oddities, whole.Flags), p.log.String())
			}
		})
	}
}
