package recorder

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/siprec"
)

// A journal that cannot be written costs no audio, and no answer: the recording
// goes on, and is left with capture and without manifest in the end.
func TestJournalFails(t *testing.T) {
	dir := t.TempDir()
	r := newRecorder(t, dir)
	ev := offered(both, twoParties)(nil)
	f := newFake(t)
	in, err := unattended(r, ev, f)
	if err != nil {
		t.Fatal(err)
	}
	answered := 0
	in.accept = func(*siprec.Event) { answered++ }
	in.journal.open = func() (journalFile, error) { return nil, syscall.EROFS }
	in.legs[0].handle(ev)
	talk(0, 1, 0, 1)(f)
	in.legs[0].handle(ended(1)(nil))
	in.finish()
	if answered != 2 || !slices.Contains(in.flags, flagDisk) {
		t.Errorf("answered %d, flags %v", answered, in.flags)
	}
	if got := f.sinks[0].(*Track).count(in.id); got.Received != 50 || got.Withheld != 0 {
		t.Errorf("packets %+v", got)
	}
	r.stop() // else it would wait for the disk
	r.finalise(in.recording)
	list, err := store.List(dir)
	if err != nil || len(list) != 1 || list[0].State != store.Unfinished {
		t.Errorf("recordings %+v, %v", list, err)
	}
}

// Documents are kept as they came, whatever they are.
func TestMetadataIsKeptAsSent(t *testing.T) {
	junk := "\x00\xff<not xml" + strings.Repeat("x", 5000)
	m, folder, _ := run(t, offered(both, junk, twoParties), ended(1))
	if len(m.Metadata) != 2 || m.Metadata[0].Readable || m.Metadata[0].Error == "" || !m.Metadata[1].Readable {
		t.Errorf("documents %+v", m.Metadata)
	}
	for i, want := range []string{junk, twoParties} {
		if b, err := os.ReadFile(filepath.Join(folder, m.Metadata[i].File)); err != nil || string(b) != want {
			t.Errorf("document %d: %d bytes, %v", i, len(b), err)
		}
	}
	if len(m.Participants) != 2 {
		t.Errorf("participants %+v", m.Participants)
	}
}
