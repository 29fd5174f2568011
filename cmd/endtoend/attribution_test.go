package endtoend

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-audio/wav"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/recorder/store"
)

const half = 500 * time.Millisecond

// hears wants tones for so many seconds each, to within two frames, in the file
// of a participant.
func (l *lab) hears(m store.Manifest, who string, want map[float64]float64) {
	l.t.Helper()
	s := l.audio(m, who)
	for hz, sec := range want {
		if got := seconds(s, hz); got < sec-0.04 || got > sec+0.04 {
			l.t.Errorf("%s is heard with %.0f Hz for %.2f s, want %.2f s", who, hz, got, sec)
		}
	}
}

// TestLabelsAgainstOrder: who speaks is told by labels, not by the order of
// m-lines, of participants or of streams.
// Shows 7866-7.1.1-03.
func TestLabelsAgainstOrder(t *testing.T) {
	t.Parallel()
	l := newLab(t, "127.0.0.1", nil)
	c := l.client("udp")
	lines := src.TwoParties(src.PCMU())
	lines[0].Label, lines[1].Label = "2", "1"
	d := invite(t, c, src.Request{Streams: lines, Metadata: conversation(c).Complete()})
	play(t, d, src.PlayOptions{Duration: half}, src.Tone(880, false), src.Tone(440, false))
	do(t, d, "BYE", src.Request{})
	m := l.manifest()
	l.hears(m, "alice", map[float64]float64{440: 0.5, 880: 0})
	l.hears(m, "Bob", map[float64]float64{880: 0.5, 440: 0})
}

// TestLabelsSwapped: a re-INVITE swaps the labels of two m-lines, with metadata;
// the labels of that message hold for what follows, the old ones for what was.
// Shows 7866-7.1.1-03.
func TestLabelsSwapped(t *testing.T) {
	t.Parallel()
	l := newLab(t, "127.0.0.1", nil)
	c := l.client("udp")
	conv := conversation(c)
	d := invite(t, c, src.Request{Streams: src.TwoParties(src.PCMU()), Metadata: conv.Complete()})
	play(t, d, src.PlayOptions{Duration: half}, src.Tone(440, false), src.Tone(880, false))
	swapped := d.Offers()
	swapped[0].Label, swapped[1].Label = "2", "1"
	do(t, d, "INVITE", src.Request{Streams: swapped, Metadata: conv.Complete()})
	play(t, d, src.PlayOptions{Duration: half}, src.Tone(880, false), src.Tone(440, false))
	do(t, d, "BYE", src.Request{})
	m := l.manifest()
	l.hears(m, "alice", map[float64]float64{440: 1, 880: 0})
	l.hears(m, "Bob", map[float64]float64{880: 1, 440: 0})
}

// TestRelabelled: a re-INVITE gives both m-lines new labels, and the metadata of
// the same message its streams.
// Shows 7866-7.1.1-04.
func TestRelabelled(t *testing.T) {
	t.Parallel()
	l := newLab(t, "127.0.0.1", nil)
	c := l.client("tcp")
	conv := conversation(c)
	d := invite(t, c, src.Request{Streams: src.TwoParties(src.PCMU()), Metadata: conv.Complete()})
	play(t, d, src.PlayOptions{Duration: half}, src.Tone(440, false), src.Tone(880, false))
	lines := d.Offers()
	lines[0].Label, lines[1].Label = "left", "right"
	doc := conv.Document()
	doc.Streams[0].Label, doc.Streams[1].Label = "left", "right"
	do(t, d, "INVITE", src.Request{Streams: lines, Metadata: doc.XML()})
	play(t, d, src.PlayOptions{Duration: half}, src.Tone(440, false), src.Tone(880, false))
	do(t, d, "BYE", src.Request{})
	m := l.manifest()
	l.hears(m, "alice", map[float64]float64{440: 1, 880: 0})
	l.hears(m, "Bob", map[float64]float64{880: 1, 440: 0})
}

// TestLateMetadata: metadata that comes by UPDATE tells who spoke before it, too
// (RFC 7866 §9.1).
// Shows 7866-9.1-11.
func TestLateMetadata(t *testing.T) {
	t.Parallel()
	l := newLab(t, "127.0.0.1", nil)
	c := l.client("udp")
	d := invite(t, c, src.Request{Streams: src.TwoParties(src.PCMU())})
	play(t, d, src.PlayOptions{Duration: half}, src.Tone(440, false), src.Tone(880, false))
	do(t, d, "UPDATE", src.Request{Metadata: conversation(c).Complete()})
	play(t, d, src.PlayOptions{Duration: half}, src.Tone(440, false), src.Tone(880, false))
	do(t, d, "BYE", src.Request{})
	m := l.manifest()
	l.hears(m, "alice", map[float64]float64{440: 1, 880: 0})
	l.hears(m, "Bob", map[float64]float64{880: 1, 440: 0})
	if len(m.Files) != 2 {
		t.Errorf("%d files, want 2", len(m.Files))
	}
}

// TestTransfer: one leaves, another joins on the same m-line. Each is heard in a
// file of their own, and nobody in that of the other.
func TestTransfer(t *testing.T) {
	t.Parallel()
	l := newLab(t, "127.0.0.1", nil)
	c := l.client("udp")
	conv := conversation(c)
	d := invite(t, c, src.Request{Streams: src.TwoParties(src.PCMU()), Metadata: conv.Complete()})
	play(t, d, src.PlayOptions{Duration: half}, src.Tone(440, false), src.Tone(880, false))
	do(t, d, "UPDATE", src.Request{Metadata: conv.Leave(1, time.Now())})
	carol := src.Party{AOR: "sip:carol@desk.example.com", Name: "Carol", Label: "2"}
	do(t, d, "INVITE", src.Request{Streams: d.Offers(), Metadata: conv.Join(carol, time.Now())})
	play(t, d, src.PlayOptions{Duration: half}, src.Tone(440, false), src.Tone(1500, false))
	do(t, d, "BYE", src.Request{Metadata: conv.Stop(time.Now())})
	m := l.manifest()
	l.hears(m, "alice", map[float64]float64{440: 1, 880: 0, 1500: 0})
	l.hears(m, "Bob", map[float64]float64{880: 0.5, 1500: 0})
	l.hears(m, "carol", map[float64]float64{1500: 0.5, 880: 0})
}

// TestSameCallID: two dialogs of one Call-ID and different tags are two
// recordings, each with its own audio.
func TestSameCallID(t *testing.T) {
	t.Parallel()
	l := newLab(t, "127.0.0.1", nil)
	var dialogs []*src.Dialog
	for range 2 {
		c := l.client("udp")
		dialogs = append(dialogs, invite(t, c, src.Request{CallID: "the-same", Streams: src.TwoParties(src.PCMU()), Metadata: conversation(c).Complete()}))
	}
	tones := [][2]float64{{440, 880}, {1200, 1700}}
	for i, d := range dialogs {
		play(t, d, src.PlayOptions{Duration: half}, src.Tone(tones[i][0], false), src.Tone(tones[i][1], false))
		do(t, d, "BYE", src.Request{})
	}
	all := l.manifests()
	if len(all) != 2 {
		t.Fatalf("%d recordings, want 2", len(all))
	}
	if all[0].Times.Invite.After(all[1].Times.Invite) {
		all[0], all[1] = all[1], all[0]
	}
	for i, m := range all {
		if m.CallID != "the-same" {
			t.Errorf("Call-ID %q", m.CallID)
		}
		other := tones[1-i]
		l.hears(m, "alice", map[float64]float64{tones[i][0]: 0.5, other[0]: 0, other[1]: 0})
		l.hears(m, "Bob", map[float64]float64{tones[i][1]: 0.5, other[0]: 0, other[1]: 0})
	}
}

// TestEqualLabels: of two m-lines with one label nothing is lost, and nobody is
// named for the second.
func TestEqualLabels(t *testing.T) {
	t.Parallel()
	l := newLab(t, "127.0.0.1", nil)
	c := l.client("udp")
	lines := src.TwoParties(src.PCMU())
	lines[1].Label = "1"
	d := invite(t, c, src.Request{Streams: lines, Metadata: conversation(c).Complete()})
	play(t, d, src.PlayOptions{Duration: half}, src.Tone(440, false), src.Tone(880, false))
	do(t, d, "BYE", src.Request{})
	m := l.manifest()
	if len(m.Files) != 2 {
		t.Fatalf("files %+v, want 2", m.Files)
	}
	l.hears(m, "alice", map[float64]float64{440: 0.5, 880: 0})
	for _, f := range m.Files {
		if f.Streams[0] == "1.0" && (seconds(l.samples(m, f), 880) < 0.46 || f.Attribution == store.ByMetadata) {
			t.Errorf("second m-line: %s, attributed by %s", f.Name, f.Attribution)
		}
	}
}

// TestSixteenStreams: each of sixteen parties is heard in their own file.
// Shows 7866-8.4-01.
func TestSixteenStreams(t *testing.T) {
	t.Parallel()
	l := newLab(t, "127.0.0.1", nil)
	c := l.client("tcp")
	var parties []src.Party
	var lines []src.StreamOffer
	var sources []src.Source
	hz := func(i int) float64 { return 400 + 200*float64(i) }
	for i := range 16 {
		label := fmt.Sprintf("l%d", i)
		parties = append(parties, src.Party{AOR: fmt.Sprintf("sip:p%02d@example.com", i), Label: label})
		lines = append(lines, src.StreamOffer{Label: label, Codecs: []src.Codec{src.PCMA()}, Direction: src.SendOnly})
		sources = append(sources, src.Tone(hz(i), false))
	}
	d := invite(t, c, src.Request{Streams: lines, Metadata: src.NewConversation(c.IDs(), time.Now(), parties...).Complete()})
	play(t, d, src.PlayOptions{Duration: half}, sources...)
	do(t, d, "BYE", src.Request{})
	m := l.manifest()
	if len(m.Files) != 16 {
		t.Fatalf("%d files, want 16", len(m.Files))
	}
	for i := range 16 {
		l.hears(m, fmt.Sprintf("sip:p%02d@", i), map[float64]float64{hz(i): 0.5, hz((i + 1) % 16): 0})
	}
}

// TestHostileNames records a hundred parties whose names want out of the folder.
// Each has a file with a harmless name, and is told of as it called itself.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	l := newLab(t, "127.0.0.1", nil)
	c := l.client("tcp")
	pieces := []string{
		"../../../etc/passwd", "..", ".", "/", `..\..\x`, "CON", "nul.wav", "manifest.json", "capture.rtp", "journal.jsonl",
		"a\u202egpj.wav", "\u0000", "$(reboot)", "`id`", "; rm -rf *", "-rf", "~", "%2e%2e%2f", "日本語", strings.Repeat("x", 4000),
	}
	var parties []src.Party
	var lines []src.StreamOffer
	var sources []src.Source
	for i := range 100 {
		label := fmt.Sprintf("%s-%d", strings.Trim(pieces[i%10], "/"), i)
		if i >= 20 {
			label = fmt.Sprintf("l%d", i)
		}
		name := pieces[i%len(pieces)]
		parties = append(parties, src.Party{AOR: "sip:" + name + "@" + name, Name: name, Label: label})
		lines = append(lines, src.StreamOffer{Label: label, Codecs: []src.Codec{src.PCMU()}, Direction: src.SendOnly})
		sources = append(sources, src.Tone(440, false))
	}
	doc := src.NewConversation(c.IDs(), time.Now(), parties...).Document()
	for i := range doc.Associations {
		doc.Associations[i].Recv = nil // who hears whom would be 9,900 elements
	}
	d := invite(t, c, src.Request{Streams: lines, Metadata: doc.XML()})
	play(t, d, src.PlayOptions{Count: 5}, sources...)
	do(t, d, "BYE", src.Request{})
	m := l.manifest()
	if len(m.Files) != 100 || len(m.Participants) != 100 {
		t.Fatalf("%d files of %d participants, want 100 of 100; flags %v, documents %+v", len(m.Files), len(m.Participants), m.Flags, m.Metadata)
	}
	folder, err := store.Folder(l.dir, m.Recording)
	if err != nil {
		t.Fatal(err)
	}
	harmless := regexp.MustCompile(`^[0-9]{2,3}-[A-Za-z0-9_][A-Za-z0-9._-]{0,39}\.wav$`)
	for _, f := range m.Files {
		if !harmless.MatchString(f.Name) {
			t.Errorf("file name %q", f.Name)
		}
		if _, err := os.Stat(filepath.Join(folder, f.Name)); err != nil {
			t.Error(err)
		}
	}
	if got := m.Participants[0].Names[0]; got != pieces[0] {
		t.Errorf("first participant is called %q, said %q", got, pieces[0])
	}
	walk := func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if path != l.dir && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v: others may read it", path, info.Mode())
		}
		// The locks of the process, and the index, which names nobody.
		ours := filepath.Dir(path) == l.dir && slices.Contains([]string{".in-use", ".indexing", store.IndexName}, filepath.Base(path))
		if !d.IsDir() && filepath.Dir(path) != folder && !ours {
			t.Errorf("%s is outside the folder of the recording", path)
		}
		return nil
	}
	if err := filepath.WalkDir(l.dir, walk); err != nil {
		t.Fatal(err)
	}
}

// TestStereoMix: the first participant is on the left, all others on the right,
// and neither on the other side.
func TestStereoMix(t *testing.T) {
	t.Parallel()
	l := newLab(t, "127.0.0.1", nil)
	c := l.client("udp")
	carol := src.Party{AOR: "sip:carol@desk.example.com", Name: "Carol", Label: "3"}
	lines := append(src.TwoParties(src.PCMU()), src.StreamOffer{Label: "3", Codecs: []src.Codec{src.PCMU()}, Direction: src.SendOnly})
	d := invite(t, c, src.Request{Streams: lines, Metadata: src.NewConversation(c.IDs(), time.Now(), alice, bob, carol).Complete()})
	play(t, d, src.PlayOptions{Duration: half}, src.Tone(440, false), src.Tone(880, false), src.Tone(1700, false))
	do(t, d, "BYE", src.Request{})
	m := l.manifest()
	path, err := recorder.Mix(t.Context(), l.dir, m.Recording, nil)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	dec := wav.NewDecoder(file)
	buf, err := dec.FullPCMBuffer()
	if err != nil || dec.NumChans != 2 {
		t.Fatalf("%d channels, %v", dec.NumChans, err)
	}
	var sides [2][]int16
	for i, s := range buf.Data {
		sides[i%2] = append(sides[i%2], int16(s))
	}
	for i, want := range []map[float64][2]float64{{440: {0.95, 1.01}, 880: {0, 0.01}, 1700: {0, 0.01}}, {440: {0, 0.01}, 880: {0.4, 0.6}, 1700: {0.4, 0.6}}} {
		from, to := loud(sides[i])
		for hz, share := range want {
			if p := power(sides[i][from:to], hz, 8000); p < share[0] || p > share[1] {
				t.Errorf("%s holds %.3f of %.0f Hz, want %.2f to %.2f", [2]string{"left", "right"}[i], p, hz, share[0], share[1])
			}
		}
	}
}
