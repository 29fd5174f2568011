package recorder

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/seal"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
)

// command has a person on the call ask for something.
func command(in *interaction, at float64, kind rules.Kind, who rules.PartyID) {
	events := []rules.Event{{At: sec(at), Kind: kind, Party: who}}
	decisions := in.decide(events)
	absent := in.carryOut(decisions)
	in.note(in.legs[0], &siprec.Event{Kind: siprec.Changed, At: sec(at)}, nil, events, decisions, absent)
}

// A packet goes into each recording whose permit covers it, sealed under its key:
// what alice records for herself beside the policy recording, or where that holds
// nothing, begins and ends by her command and has a folder of its own.
func TestUserRecording(t *testing.T) {
	for _, tt := range []struct {
		name   string
		other  string // who is on the call with her
		policy int    // s of audio in the policy recording
	}{
		{"beside the policy recording", "sip:bob@example.net", 3},
		{"of a call that is not recorded", "sip:carol@example.com", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			book := openBook(t, dir, ourPeople)
			publish(t, book, trunkFile("    user-recordings: all\n", ""), sec(-10))
			r, err := New(Config{Dir: dir, Rulebook: book, Now: func() time.Time { return sec(100) }})
			if err != nil {
				t.Fatal(err)
			}
			f := newFake(t)
			in := begun(t, r, f)
			call := document("complete", twoStreams, sends("p1", "sip:alice@example.com", "s1"), sends("p2", tt.other, "s2"))
			talking := func(from float64) {
				talk(0, 1, from, from+1)(f)
				talk(1, 2, from, from+1)(f)
			}
			in.legs[0].handle(offered(both, call)(f))
			talking(0)
			command(in, 1, rules.UserRecordingStarted, "p1")
			talking(1)
			if len(in.users) != 1 {
				t.Fatalf("%d user recordings", len(in.users))
			}
			user := in.users[0]
			tr := f.sinks[0].(*Track)
			if err := tr.Allow(permitFor(t, "r", "0.0", sec(1)), 0); !errors.Is(err, ErrForeignPermit) {
				t.Errorf("a permit of a recording that is none of the track's: %v", err)
			}
			keys := make(map[string]bool)
			for _, folder := range []string{in.folder, user.folder} {
				b, err := os.ReadFile(filepath.Join(folder, seal.FileName))
				if err != nil {
					t.Fatal(err)
				}
				keys[string(b)] = true
			}
			if len(keys) != 2 {
				t.Error("two recordings have one key")
			}
			command(in, 2, rules.UserRecordingStopped, "p1")
			talking(2)
			in.legs[0].handle(ended(3)(f))
			in.finish()
			r.finaliseAll(in)
			if err := r.Close(t.Context()); err != nil {
				t.Fatal(err)
			}

			m, err := store.Load(dir, string(in.id))
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range m.Streams {
				if s.Packets.Kept != uint64(tt.policy)*50 || s.Packets.Withheld != uint64(3-tt.policy)*50 {
					t.Errorf("policy recording: %+v", s.Packets)
				}
			}
			if m.Of != "" || m.Maker != "" || slices.ContainsFunc(m.Decisions, func(d store.Decision) bool { return d.Because == "user-recordings: p1 records" }) {
				t.Errorf("policy recording is of %q by %q: %+v", m.Of, m.Maker, m.Decisions)
			}
			u, err := store.Load(dir, string(user.id))
			if err != nil {
				t.Fatal(err)
			}
			if u.Of != string(in.id) || u.Maker != "p1" || len(u.Files) != 2 || u.CallID != m.CallID || u.Timeline.DurationMS != 1000 {
				t.Errorf("user recording of %q by %q: %d files, %+v", u.Of, u.Maker, len(u.Files), u.Timeline)
			}
			for _, s := range u.Streams {
				if s.Packets.Kept != 50 || s.Packets.Received != 150 || s.Packets.Withheld != 100 {
					t.Errorf("user recording: %+v", s.Packets)
				}
			}
			if got, want := journalEvents(t, user.folder), "started allowed(0.0) allowed(1.0) stopped(0.0) stopped(1.0) stopped(0.0) stopped(1.0) ended finalised"; got != want {
				t.Errorf("its journal: %s, want %s", got, want)
			}
		})
	}
}

// A disk that is not there when a user recording begins costs nothing of it, if it
// comes back before the end.
func TestUserRecordingIsWrittenLater(t *testing.T) {
	for _, back := range []bool{true, false} {
		dir := t.TempDir()
		book := openBook(t, dir, ourPeople)
		publish(t, book, trunkFile("    user-recordings: all\n", ""), sec(-10))
		r, err := New(Config{Dir: dir, Rulebook: book, Now: func() time.Time { return sec(100) }})
		if err != nil {
			t.Fatal(err)
		}
		f := newFake(t)
		in := begun(t, r, f)
		in.legs[0].handle(offered(both, document("complete", twoStreams, sends("p1", "sip:alice@example.com", "s1"), sends("p2", "sip:bob@example.net", "s2")))(f))
		r.cfg.Dir = filepath.Join(dir, "gone", "\x00")
		command(in, 0, rules.UserRecordingStarted, "p1")
		talk(0, 1, 0, 1)(f)
		if back {
			r.cfg.Dir = dir
		}
		in.legs[0].handle(ended(1)(f))
		in.finish()
		r.finaliseAll(in)
		if err := r.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		list, err := store.List(dir)
		if want := map[bool]int{true: 2, false: 1}[back]; err != nil || len(list) != want {
			t.Fatalf("%d recordings, want %d: %v", len(list), want, err)
		}
		u, err := store.Load(dir, string(in.users[0].id))
		if back && (err != nil || u.Streams[0].Packets.Kept != 50 || !slices.Contains(u.Flags, flagDisk)) {
			t.Errorf("%v, flags %v, %+v", err, u.Flags, u.Streams)
		}
	}
}

// Where recordings are encrypted, user recordings are too, and each opens with the
// key of its own.
func TestUserRecordingIsEncrypted(t *testing.T) {
	masters, err := ParseMasterKey(strings.Repeat("5a", seal.Size))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	book := openBook(t, dir, ourPeople)
	publish(t, book, trunkFile("    user-recordings: all\n", ""), sec(-10))
	r, err := New(Config{Dir: dir, Rulebook: book, Encrypt: true, Masters: masters, Now: func() time.Time { return sec(100) }})
	if err != nil {
		t.Fatal(err)
	}
	f := newFake(t)
	in := begun(t, r, f)
	in.legs[0].handle(offered(both, document("complete", twoStreams, sends("p1", "sip:alice@example.com", "s1"), sends("p2", "sip:bob@example.net", "s2")))(f))
	command(in, 0, rules.UserRecordingStarted, "p1")
	talk(0, 1, 0, 1)(f)
	in.legs[0].handle(ended(1)(f))
	in.finish()
	r.finaliseAll(in)
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	user := in.users[0]
	entries, err := os.ReadDir(user.folder)
	if err != nil || len(entries) < 4 {
		t.Fatalf("%v, %v", entries, err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(user.folder, e.Name()))
		if err != nil || strings.Contains(string(b), "alice") || strings.Contains(e.Name(), "alice") || strings.HasPrefix(string(b), "RIFF") {
			t.Errorf("%s tells who speaks, or what: %v", e.Name(), err)
		}
	}
	m, err := Load(dir, string(user.id), masters)
	if err != nil || len(m.Files) != 1 || m.Maker != "p1" || m.Streams[0].Packets.Kept != 50 {
		t.Errorf("%v, %+v", err, m.Files)
	}
}
