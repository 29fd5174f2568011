package store_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/store"
)

var at = time.Date(2026, 11, 21, 14, 30, 5, 999, time.FixedZone("", 3600))

func newID(t *testing.T, at time.Time, random byte) string {
	t.Helper()
	id, err := store.NewID(at, bytes.NewReader(bytes.Repeat([]byte{random}, 7)))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestNewID(t *testing.T) {
	if got, want := newID(t, at, 0), "20261121T133005Z-aaaaaaaaaa"; got != want {
		t.Errorf("id %s, want %s", got, want)
	}
	if newID(t, at, 1) == newID(t, at, 2) {
		t.Error("randomness does not show in the id")
	}
	if _, err := store.NewID(at, strings.NewReader("short")); err == nil {
		t.Error("no error without randomness")
	}
}

func TestFolder(t *testing.T) {
	for _, tt := range []struct {
		name, id, want string
	}{
		{"by day", "20261121T133005Z-aaaaaaaaaa", "data/2026/11/21/20261121T133005Z-aaaaaaaaaa"},
		{"empty", "", ""},
		{"traversal", "../../etc", ""},
		{"traversal behind a date", "20261121T133005Z-../../../a", ""},
		{"no such date", "20261321T133005Z-aaaaaaaaaa", ""},
		{"fraction", "20261121T133005.1Z-aaaaaaaaaa", ""},
		{"upper case", "20261121T133005Z-AAAAAAAAAA", ""},
		{"too long", "20261121T133005Z-aaaaaaaaaaa", ""},
		{"no random part", "20261121T133005Z", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := store.Folder("data", tt.id)
			if got != filepath.FromSlash(tt.want) || (err == nil) != (tt.want != "") || err != nil && !errors.Is(err, store.ErrID) {
				t.Errorf("folder %q, error %v", got, err)
			}
		})
	}
}

func FuzzFolder(f *testing.F) {
	f.Add("20261121T133005Z-aaaaaaaaaa")
	f.Add("20261121T133005Z-/../../../..")
	f.Fuzz(func(t *testing.T, id string) {
		folder, err := store.Folder("data", id)
		if err != nil {
			return
		}
		rel, err := filepath.Rel("data", folder)
		if err != nil || strings.HasPrefix(rel, "..") || strings.Count(filepath.ToSlash(rel), "/") != 3 || filepath.Base(folder) != id {
			t.Errorf("%q lies in %q", id, folder)
		}
	})
}

func TestCreateIsExclusive(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "data")
	id := newID(t, at, 3)
	folder, err := store.Create(dir, id)
	if err != nil {
		t.Fatal(err)
	}
	if want, _ := store.Folder(dir, id); folder != want {
		t.Errorf("created %s, want %s", folder, want)
	}
	if _, err := store.Create(dir, id); !errors.Is(err, fs.ErrExist) {
		t.Errorf("second create: %v", err)
	}
	if _, err := store.Create(dir, "x"); !errors.Is(err, store.ErrID) {
		t.Errorf("create of a bad id: %v", err)
	}
}

func TestListAndLoad(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a[b]*") // no pattern
	if got, err := store.List(dir); err != nil || len(got) != 0 {
		t.Fatalf("empty: %v, %v", got, err)
	}
	old, unfinished, broken, future := newID(t, at, 1), newID(t, at.Add(time.Hour), 2), newID(t, at.Add(2*time.Hour), 3), newID(t, at.Add(3*time.Hour), 4)
	for _, id := range []string{old, unfinished, broken, future} {
		if _, err := store.Create(dir, id); err != nil {
			t.Fatal(err)
		}
	}
	path := func(id string) string { f, _ := store.Folder(dir, id); return f }
	want := store.Manifest{
		Version: store.Version, Recording: old, CallID: "c1@example.com", EndReason: "bye",
		Times: store.Times{Invite: at.UTC(), End: at.UTC().Add(time.Minute)}, Timeline: store.Timeline{DurationMS: 1500},
		Participants: []store.Participant{{ID: "p1", Names: []string{"Ann"}, AORs: []string{"sip:a@example.com"}}, {ID: "p2", AORs: []string{"sip:b@example.com"}}, {ID: "p3"}},
		Files:        []store.File{{Name: "01-a.wav"}},
	}
	if err := store.Write(path(old), want); err != nil {
		t.Fatal(err)
	}
	write := func(id, text string) {
		if err := store.WriteFile(filepath.Join(path(id), store.ManifestName), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	write(broken, "{")
	write(future, `{"version": 2}`)
	if err := os.MkdirAll(filepath.Join(dir, "2026", "11", "21", "notes"), 0o700); err != nil {
		t.Fatal(err)
	}

	got, err := store.List(dir)
	if err != nil || len(got) != 4 {
		t.Fatalf("list: %v, %v", got, err)
	}
	for i, id := range []string{future, broken, unfinished, old} {
		if got[i].ID != id || got[i].Folder != path(id) {
			t.Errorf("place %d: %s, want %s", i, got[i].ID, id)
		}
	}
	if got[0].State != store.Unreadable || got[1].State != store.Unreadable || got[1].Error == "" || got[2].State != store.Unfinished {
		t.Errorf("states: %v %v %v", got[0].State, got[1].State, got[2].State)
	}
	if s := got[3]; s.State != store.Finished || strings.Join(s.People, ",") != "Ann,sip:b@example.com,p3" || s.Files[0] != "01-a.wav" ||
		s.Seconds != 1.5 || !s.Start.Equal(at) || s.CallID != "c1@example.com" || s.Reason != "bye" {
		t.Errorf("finished: %+v", s)
	}
	if m, err := store.Load(dir, old); err != nil || m.CallID != want.CallID || !m.Times.Invite.Equal(at) {
		t.Errorf("load: %+v, %v", m, err)
	}
	for _, tt := range []struct {
		name, id string
		want     error
	}{
		{"unfinished", unfinished, store.ErrUnfinished}, {"future", future, store.ErrVersion},
		{"absent", newID(t, at, 9), fs.ErrNotExist}, {"no id", "..", store.ErrID},
	} {
		if _, err := store.Load(dir, tt.id); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestWriteFileLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for _, text := range []string{"first", "second"} {
		if err := store.WriteFile(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != text {
			t.Errorf("read %q, %v", b, err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "d"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := store.WriteFile(filepath.Join(dir, "d"), nil); err == nil {
		t.Error("a directory was overwritten")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.tmp")); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}
