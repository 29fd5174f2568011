package recorder

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
	"github.com/siprecd/siprecd/siprec/media"
)

var update = flag.Bool("update", false, "write testdata/manifest.json anew")

// TestManifest compares the whole manifest of a recording with hold, a party
// that changes, a document that cannot be read and a video stream.
// Shows 7865-4-02, DRV6341-REQ-024-01.
func TestManifest(t *testing.T) {
	dir := t.TempDir()
	r, err := New(Config{
		Dir: dir, Policy: rules.RecordAll(), Finalisers: 1,
		Now: func() time.Time { return sec(100) }, Random: bytes.NewReader(make([]byte, 7)),
	})
	if err != nil {
		t.Fatal(err)
	}
	video := siprec.Stream{Index: 2, Label: "3", Media: "video", Direction: siprec.SendOnly}
	start := append(append([]siprec.Stream{}, both...), video)
	hold := append([]siprec.Stream{}, start...)
	hold[1] = mline(1, "2", siprec.Inactive)
	transfer := document("complete", twoStreams, sends("p1", "sip:alice@example.com", "s1"), sends("p3", "tel:+15550100", "s2"))
	r.serve(t.Context(), newFake(t,
		offered(start, twoParties), talk(0, 1, 0.1, 1), talk(1, 2, 0.1, 1),
		changed(1, hold), talk(0, 1, 1, 2), talk(1, 2, 1, 2),
		changed(2, start, transfer, "not a document"), talk(0, 1, 2, 3), talk(1, 2, 2, 3), ended(3)))
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	id := "20260304T100000Z-aaaaaaaaaa"
	m, err := store.Load(dir, id)
	if err != nil {
		t.Fatal(err)
	}
	folder, _ := store.Folder(dir, id)
	checkFolder(t, folder, m)
	for i := range m.Files {
		m.Files[i].SHA256 = "(checked)"
	}
	got, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "manifest.json")
	if *update {
		if err := store.WriteFile(golden, append(got, '\n')); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bytes.TrimSpace(want), got) {
		t.Errorf("manifest differs from %s:\n%s", golden, got)
	}
}

// checkFolder holds the folder to its manifest: every file is there with its
// hash, every document as it was sent, and nothing else.
func checkFolder(t *testing.T, folder string, m store.Manifest) {
	t.Helper()
	want := map[string]bool{store.ManifestName: true, journalName: true}
	for _, f := range m.Files {
		want[f.Name] = true
		b, err := os.ReadFile(filepath.Join(folder, f.Name))
		if sum := sha256.Sum256(b); err != nil || hex.EncodeToString(sum[:]) != f.SHA256 {
			t.Errorf("%s: hash %x, manifest %s, %v", f.Name, sum, f.SHA256, err)
		}
	}
	for _, d := range m.Metadata {
		want[d.File] = true
		b, err := os.ReadFile(filepath.Join(folder, d.File))
		if err != nil || strings.HasPrefix(string(b), "<?xml") != d.Readable {
			t.Errorf("%s: %v, %.20q", d.File, err, b)
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !want[e.Name()] {
			t.Errorf("%s is in the folder", e.Name())
		}
		delete(want, e.Name())
		if info, err := e.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s may be read by others: %v %v", e.Name(), info.Mode(), err)
		}
	}
	for name := range want {
		t.Errorf("%s is missing", name)
	}
}

// A mixed stream tells who is in it, and what its SDP says of it is kept.
// Shows 7865-6.7.1-01.
func TestManifestOfMixedStream(t *testing.T) {
	one := mline(0, "1", siprec.SendOnly)
	one.Content, one.SRTP = "speaker", "AEAD_AES_128_GCM"
	m, _, _ := run(t, func(f *fake) *siprec.Event {
		f.mixed = map[int][]media.Contributor{0: {{CSRC: 7, Packets: 50, CNAME: "seven@example.com", Name: "Seven"}}}
		return nil
	}, offered([]siprec.Stream{one}), talk(0, 1, 0, 1), ended(1))
	s := m.Streams[0]
	if s.Content != "speaker" || s.SRTP != "AEAD_AES_128_GCM" || !slices.Equal(s.Contributors, []store.Contributor{{CSRC: 7, Packets: 50, CNAME: "seven@example.com", Name: "Seven"}}) {
		t.Errorf("stream %+v", s)
	}
}
