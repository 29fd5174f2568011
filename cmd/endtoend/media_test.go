package endtoend

import (
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
	"github.com/siprecd/siprecd/siprec"
	"github.com/siprecd/siprecd/siprec/media"
)

// TestNewSource: a party goes on with another SSRC, alone or from another port
// too. All of it is one file, nothing is lost.
// Shows 7866-8.1.3-01.
func TestNewSource(t *testing.T) {
	t.Parallel()
	ssrc := uint32(0xfeedbeef)
	for _, tt := range []struct {
		name   string
		change src.Change
	}{
		{"SSRC", src.Change{At: 25, SSRC: &ssrc}},
		{"SSRC, sequence and timestamp", src.Change{At: 25, SSRC: &ssrc, Sequence: 31000, Timestamp: 1 << 31, Marker: true}},
		{"sequence and timestamp alone", src.Change{At: 25, Sequence: 31000, Timestamp: 77 << 20}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, "127.0.0.1", nil)
			c := l.client("udp")
			d := invite(t, c, src.Request{Streams: src.TwoParties(src.PCMU()), Metadata: conversation(c).Complete()})
			play(t, d, src.PlayOptions{Count: 50, Faults: src.Faults{Changes: []src.Change{tt.change}}}, src.Tone(440, false), src.Tone(880, false))
			do(t, d, "BYE", src.Request{})
			m := l.manifest()
			l.hears(m, "alice", map[float64]float64{440: 1, 880: 0})
			l.hears(m, "Bob", map[float64]float64{880: 1, 440: 0})
			for _, s := range m.Streams {
				if s.Packets.Kept != 50 || s.Packets.Lost != 0 || s.Epochs != 2 {
					t.Errorf("stream %s: %+v in %d epochs, want 50 kept in 2", s.ID, s.Packets, s.Epochs)
				}
				wantSources(t, s, tt.change.SSRC != nil)
			}
		})
	}
}

// wantSources wants each SSRC of a stream to be told, with the half of the packets
// that was its own.
func wantSources(t *testing.T, s store.Stream, changed bool) {
	t.Helper()
	want := []store.Source{{Packets: 50}}
	if changed {
		want = []store.Source{{Packets: 25}, {Packets: 25, Change: "unknown"}}
	}
	if len(s.Sources) != len(want) {
		t.Fatalf("stream %s has the sources %+v", s.ID, s.Sources)
	}
	for i, k := range s.Sources {
		if k.Packets != want[i].Packets || k.Change != want[i].Change || k.Address != s.Source {
			t.Errorf("stream %s has the sources %+v", s.ID, s.Sources)
		}
	}
}

// TestUpdateWhileASourceWaits: packets from another port wait until the old
// source has been silent long enough. A message meanwhile must not cost them.
func TestUpdateWhileASourceWaits(t *testing.T) {
	t.Parallel()
	l := newLab(t, "127.0.0.1", nil)
	c := l.client("udp")
	conv := conversation(c)
	d := invite(t, c, src.Request{Streams: src.TwoParties(src.PCMU()), Metadata: conv.Complete()})
	old := src.PlayOptions{Count: 5}
	play(t, d, old, src.Tone(440, false))
	if err := d.Stream(0).Rebind(); err != nil {
		t.Fatal(err)
	}
	ssrc := uint32(0xfeedbeef)
	fresh := src.PlayOptions{Count: 5, SSRC: &ssrc}
	play(t, d, fresh, src.Tone(440, false))
	do(t, d, "UPDATE", src.Request{Metadata: conv.Complete()})
	fresh.Count = 20
	play(t, d, fresh, src.Tone(440, false))
	do(t, d, "BYE", src.Request{})
	m := l.manifest()
	if p := m.Streams[0].Packets; p.Kept != 30 {
		t.Errorf("kept %d of 30 packets: %+v", p.Kept, p)
	}
}

// TestDigitsAreStoredNowhere sends digits in every form in which they come, and
// searches the folder for them. Audio that no file can hold leaves the capture
// behind, so that it can be searched too.
func TestDigitsAreStoredNowhere(t *testing.T) {
	t.Parallel()
	const digit, control = "\x09\x8a\x5e\xc2", "CONTROL-OF-THE-SEARCH-IN-A-CODEC-NOBODY-KNOWS"
	l := newLab(t, "127.0.0.1", nil)
	c := l.client("udp")
	lines := src.TwoParties(src.PCMU(), src.Codec{Name: "X-UNKNOWN", PayloadType: 97}, src.TelephoneEvent(101),
		src.Codec{Name: "red", PayloadType: 121, FMTP: "101/101"})
	d := invite(t, c, src.Request{Streams: lines, Metadata: conversation(c).Complete()})
	var script []src.ScriptPacket
	send := func(pt uint8, payload string) {
		n := len(script)
		script = append(script, src.ScriptPacket{
			Offset:  time.Duration(n) * 20 * time.Millisecond,
			Header:  rtp.Header{PayloadType: pt, SSRC: 5, SequenceNumber: uint16(n), Timestamp: uint32(n) * 160},
			Payload: []byte(payload),
		})
	}
	send(97, control)
	send(101, digit)
	send(110, digit)
	send(40, digit+digit)
	send(121, "\xe5\x00\x00\x04\x65"+digit+digit)
	send(97, control)
	if err := d.Stream(0).Script(t.Context(), script); err != nil {
		t.Fatal(err)
	}
	do(t, d, "BYE", src.Request{})
	m := l.manifest()
	if p := m.Streams[0].Packets; p.Events != 4 || p.Kept != 2 {
		t.Errorf("packets %+v, want 4 events and 2 kept", p)
	}
	folder, err := store.Folder(l.dir, m.Recording)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for p, err := range recorder.Captured(l.dir, m.Recording, nil) {
		if err != nil {
			t.Fatal(err)
		}
		found = found || strings.Contains(string(p.Payload), control)
		if strings.Contains(string(p.Payload), digit) {
			t.Error("the capture holds a digit")
		}
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), digit) {
			t.Errorf("%s holds a digit", e.Name())
		}
	}
	if !found {
		t.Error("the search does not find its control")
	}
}

// TestCodecChanges: a re-INVITE changes the codec in mid-call; one file holds
// both.
// Shows 7866-8.2.1.2-01.
func TestCodecChanges(t *testing.T) {
	t.Parallel()
	l := newLab(t, "127.0.0.1", nil)
	c := l.client("udp")
	conv := conversation(c)
	d := invite(t, c, src.Request{Streams: src.TwoParties(src.PCMU()), Metadata: conv.Complete()})
	play(t, d, src.PlayOptions{Duration: half}, src.Tone(440, false), src.Tone(880, false))
	lines := d.Offers()
	for i := range lines {
		lines[i].Codecs = []src.Codec{src.PCMA()}
	}
	do(t, d, "INVITE", src.Request{Streams: lines})
	play(t, d, src.PlayOptions{Duration: half}, src.Tone(440, false), src.Tone(880, false))
	do(t, d, "BYE", src.Request{})
	m := l.manifest()
	l.hears(m, "alice", map[float64]float64{440: 1, 880: 0})
	l.hears(m, "Bob", map[float64]float64{880: 1, 440: 0})
}

// TestClockStoodStillOnHold: a sender whose RTP clock stands still while it is
// on hold is heard from the first packet after it.
func TestClockStoodStillOnHold(t *testing.T) {
	t.Parallel()
	l := newLab(t, "127.0.0.1", nil)
	c := l.client("udp")
	d := invite(t, c, src.Request{Streams: src.TwoParties(src.PCMU()), Metadata: conversation(c).Complete()})
	play(t, d, src.PlayOptions{Count: 25}, src.Tone(440, false), src.Tone(440, false))
	active := d.Offers()
	do(t, d, "INVITE", src.Request{Streams: d.WithDirection(src.Inactive)})
	play(t, d, src.PlayOptions{Duration: time.Second}, nil, src.Tone(3000, false))
	do(t, d, "INVITE", src.Request{Streams: active})
	sent := d.Stream(0).Sent()
	next := sent[len(sent)-1].Timestamp + 160
	play(t, d, src.PlayOptions{Count: 50, Timestamp: &next}, src.Tone(880, false), nil)
	do(t, d, "BYE", src.Request{})
	m := l.manifest()
	l.hears(m, "alice", map[float64]float64{440: 0.5, 880: 1})
	if p := strongest(l.audio(m, "Bob"), 3000); p > edgeShare {
		t.Errorf("audio sent while held is in the file (%.3f)", p)
	}
	if p := m.Streams[0].Packets; p.Kept != 75 || p.Withheld != 0 {
		t.Errorf("packets %+v, want 75 kept", p)
	}
}

// TestClosedAndUsedAgain: an m-line is closed and then used for another stream.
// Both are in the manifest with where their packets came from, to the last one
// before the offer.
// Shows 7866-7.1.1.1-02.
func TestClosedAndUsedAgain(t *testing.T) {
	t.Parallel()
	l := newLab(t, "127.0.0.1", nil)
	c := l.client("udp")
	d := invite(t, c, src.Request{Streams: src.TwoParties(src.PCMU()), Metadata: conversation(c).Complete()})
	play(t, d, src.PlayOptions{Count: 10}, nil, src.Tone(880, false))
	from := d.Stream(1).Local().String()
	lines := d.Offers()
	lines[1] = src.StreamOffer{Codecs: lines[1].Codecs, Direction: src.Inactive, Port: src.PortZero}
	do(t, d, "INVITE", src.Request{Streams: lines})
	lines[1] = src.StreamOffer{Codecs: lines[1].Codecs, Direction: src.SendOnly, Label: "9"}
	do(t, d, "INVITE", src.Request{Streams: lines})
	play(t, d, src.PlayOptions{Count: 10}, nil, src.Tone(1500, false))
	do(t, d, "BYE", src.Request{})
	m := l.manifest()
	if len(m.Streams) != 3 {
		t.Fatalf("streams %+v, want 3", m.Streams)
	}
	for i, want := range []string{"", "2", "9"} {
		if s := m.Streams[i]; i > 0 && (s.Label != want || s.Source != from || s.Packets.Kept != 10) {
			t.Errorf("stream %s: label %q, source %q, %+v; want label %q, source %q, 10 kept", s.ID, s.Label, s.Source, s.Packets, want, from)
		}
	}
	l.hears(m, "Bob", map[float64]float64{880: 0.2, 1500: 0})
}

// TestNoRoom: packets for which a port had no room are missing from the file, and the
// manifest says how many they were and why.
func TestNoRoom(t *testing.T) {
	t.Parallel()
	l := newLab(t, "127.0.0.1", func(cfg *siprec.Config) {
		cfg.Media = media.Config{Reader: media.ReaderSweep, ReadBuffer: 4096}
	})
	c := l.client("udp")
	d := invite(t, c, src.Request{Streams: src.TwoParties(src.PCMU()), Metadata: conversation(c).Complete()})
	const burst, after = 400, 20
	first := d.Streams()[0]
	if err := first.Burst(t.Context(), src.Tone(440, false), burst, src.PlayOptions{}); err != nil {
		t.Fatal(err)
	}
	// The next one that finds room tells of those that did not.
	play(t, d, src.PlayOptions{Count: after}, src.Tone(440, false), src.Tone(880, false))
	do(t, d, "BYE", src.Request{})
	m := l.manifest()
	p := m.Streams[0].Packets
	if p.Overrun == 0 || p.Overrun+p.Received > burst+after || p.Overrun < p.Lost {
		t.Errorf("packets %+v", p)
	}
	if !slices.ContainsFunc(m.Reasons, func(r string) bool { return strings.Contains(r, "found no room") }) {
		t.Errorf("verdict %v for the reasons %q", m.Verdict, m.Reasons)
	}
	if other := m.Streams[1].Packets; other.Overrun != 0 || other.Received != after {
		t.Errorf("packets of the other stream %+v", other)
	}
}
