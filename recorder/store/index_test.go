package store_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/store"
)

// numbered is the id of the nth recording, which began n minutes after the first.
func numbered(t testing.TB, n int) string {
	t.Helper()
	var random [7]byte
	binary.BigEndian.PutUint32(random[:], uint32(n))
	id, err := store.NewID(at.Add(time.Duration(n)*time.Minute), bytes.NewReader(random[:]))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// finished makes the folder of the nth recording, which is to be deleted after so many
// days; 0 for never. It is not made durable.
func finished(t testing.TB, dir string, n, days int) string {
	t.Helper()
	id := numbered(t, n)
	folder, err := store.Folder(dir, id)
	if err != nil {
		t.Fatal(err)
	}
	begin := at.Add(time.Duration(n) * time.Minute).UTC()
	m := store.Manifest{
		Recording: id, CallID: "c1@example.com", Storage: store.Plain,
		Times: store.Times{Invite: begin, End: begin.Add(time.Minute)}, Timeline: store.Timeline{DurationMS: 60000},
		Participants: []store.Participant{{ID: "p1", AORs: []string{"sip:alice@example.com"}}},
		Files:        []store.File{{Name: "01-alice.wav"}},
	}
	if days > 0 {
		m.Retention = &store.Retention{DeleteAt: m.Times.End.AddDate(0, 0, days)}
	}
	b, err := store.Encode(m)
	if err == nil {
		err = os.MkdirAll(folder, 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, store.ManifestName), b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// entries is what the index of a folder tells, and how many folders were looked into.
func entries(t testing.TB, x *store.Index) (list []store.Entry, read int) {
	t.Helper()
	l, err := x.Entries(context.Background())
	if err != nil || l.Unsaved != nil {
		t.Fatal(err, l.Unsaved)
	}
	return l.Entries, l.Read
}

// truth is what is read from the folders.
func truth(t testing.TB, dir string) []store.Entry {
	t.Helper()
	l, err := store.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []store.Entry
	for _, s := range l {
		e, err := store.ReadEntry(dir, s.ID)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

func note(t testing.TB, x *store.Index, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if err := x.Note(id); err != nil {
			t.Fatal(err)
		}
	}
}

// Whatever becomes of the index, it comes to tell what the folders do, and then without
// looking into them.
func TestIndexTellsTheTruth(t *testing.T) {
	for _, tt := range []struct {
		name string
		harm func(t *testing.T, dir, path string)
		read int // folders that are looked into
	}{
		{"as it was left", func(*testing.T, string, string) {}, 0},
		{"lost", func(t *testing.T, _, path string) { remove(t, path) }, 4},
		{"cut off within a line", func(t *testing.T, _, path string) { change(t, path, func(b []byte) []byte { return b[:len(b)-30] }) }, 1},
		{"a digit of an instant changed", func(t *testing.T, _, path string) {
			change(t, path, func(b []byte) []byte { return bytes.Replace(b, []byte("2026-12"), []byte("2096-12"), 1) })
		}, 1},
		{"of something else", func(t *testing.T, _, path string) {
			change(t, path, func([]byte) []byte { return []byte("#!/bin/sh\n\x00\xff\n\n{}\n") })
		}, 4},
		{"one line of 1 MiB", func(t *testing.T, _, path string) {
			change(t, path, func(b []byte) []byte { return append(b, bytes.Repeat([]byte("x"), 1<<20)...) })
		}, 0},
		{"a recording that it does not know", func(t *testing.T, dir, _ string) { finished(t, dir, 7, 1) }, 1},
		{"a manifest that was written again", func(t *testing.T, dir, _ string) {
			m, err := store.Load(dir, numbered(t, 1))
			if err != nil {
				t.Fatal(err)
			}
			folder, _ := store.Folder(dir, numbered(t, 1))
			m.Retention = nil
			later(t, folder, func() error { return store.Write(folder, m) })
		}, 1},
		{"a recording that is gone", func(t *testing.T, dir, _ string) {
			folder, _ := store.Folder(dir, numbered(t, 2))
			if err := os.RemoveAll(folder); err != nil {
				t.Fatal(err)
			}
		}, 0},
		{"a recording that was erased", func(t *testing.T, dir, _ string) {
			folder, _ := store.Folder(dir, numbered(t, 1))
			later(t, folder, func() error { return store.WriteTombstone(folder, store.Tombstone{Complete: true}) })
		}, 1},
		{"a recording that goes on", func(t *testing.T, dir, _ string) {
			if _, err := store.Create(dir, numbered(t, 9)); err != nil {
				t.Fatal(err)
			}
		}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			x := store.OpenIndex(dir)
			for n, days := range []int{0, 30, 10, 0} {
				note(t, x, finished(t, dir, n, days))
			}
			path := filepath.Join(dir, store.IndexName)
			tt.harm(t, dir, path)
			got, read := entries(t, x)
			if want := truth(t, dir); !slices.Equal(got, want) || read != tt.read {
				t.Errorf("read %d of %d folders, and\n%+v\nis not\n%+v", read, len(want), got, want)
			}
			again, read := entries(t, store.OpenIndex(dir))
			unfinished := 0
			for _, e := range again {
				if e.State == store.Unfinished {
					unfinished++
				}
			}
			if !slices.Equal(again, got) || read != unfinished {
				t.Errorf("once more: read %d folders, and\n%+v\nis not\n%+v", read, again, got)
			}
		})
	}
}

// later does something in a folder until the file system's clock has gone on.
func later(t *testing.T, folder string, do func() error) {
	t.Helper()
	before, err := os.Lstat(folder)
	for after := before; err == nil && after.ModTime().Equal(before.ModTime()); {
		if err = do(); err == nil {
			after, err = os.Lstat(folder)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func change(t *testing.T, path string, how func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, how(b), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// The index names nobody, whatever the manifests say.
func TestIndexNamesNobody(t *testing.T) {
	dir := t.TempDir()
	x := store.OpenIndex(dir)
	note(t, x, finished(t, dir, 0, 1))
	b, err := os.ReadFile(filepath.Join(dir, store.IndexName))
	if err != nil || strings.Contains(string(b), "alice") || !strings.Contains(string(b), numbered(t, 0)) {
		t.Errorf("%s, %v", b, err)
	}
}

// Since tells what was noted by others too, and when it cannot.
func TestIndexSince(t *testing.T) {
	dir := t.TempDir()
	mine, other := store.OpenIndex(dir), store.OpenIndex(dir)
	since := func(want string, wantWhole bool) {
		t.Helper()
		list, whole, err := mine.Since()
		got := ""
		for _, e := range list {
			got += fmt.Sprintf("%v,%v ", e.ID == numbered(t, 0), e.Held)
		}
		if err != nil || got != want || whole != wantWhole {
			t.Errorf("told %q, whole %v, %v; want %q, %v", got, whole, err, want, wantWhole)
		}
	}
	since("", false)
	id := finished(t, dir, 0, 1)
	note(t, mine, id)
	since("true,false ", false)
	since("", false)
	folder, _ := store.Folder(dir, id)
	if err := (store.Holds{{Held: true, By: "Ann", Reason: "case 7"}}).Write(folder); err != nil {
		t.Fatal(err)
	}
	note(t, other, id)
	since("true,true ", false)

	path := filepath.Join(dir, store.IndexName)
	remove(t, path)
	since("", true)
	entries(t, mine)
	since("", false)
	finished(t, dir, 1, 1)
	entries(t, other) // writes it anew
	since("", true)
	entries(t, mine)
	change(t, path, func(b []byte) []byte { return append(b, "torn"...) })
	note(t, other, id)
	since("true,true ", true)
	if list, read := entries(t, mine); len(list) != 2 || read != 0 {
		t.Errorf("%+v, read %d", list, read)
	}
}

// Many note, list and write the index anew at the same time: nothing that was noted is
// forgotten, and what was told last counts.
func TestIndexOfMany(t *testing.T) {
	dir := t.TempDir()
	var working sync.WaitGroup
	for w := range 4 {
		working.Go(func() {
			x := store.OpenIndex(dir)
			for n := w * 8; n < (w+1)*8; n++ {
				id := finished(t, dir, n, 1)
				note(t, x, id)
				folder, _ := store.Folder(dir, id)
				if err := (store.Holds{{Held: true, By: "Ann", Reason: "case 7"}}).Write(folder); err != nil {
					t.Error(err)
				}
				note(t, x, id)
				if n%4 == 0 {
					entries(t, x)
				}
			}
		})
	}
	working.Wait()
	list, read := entries(t, store.OpenIndex(dir))
	if want := truth(t, dir); len(list) != 32 || read != 0 || !slices.Equal(list, want) {
		t.Errorf("%d entries, read %d folders\n%+v\nis not\n%+v", len(list), read, list, want)
	}
	for _, e := range list {
		if !e.Held {
			t.Errorf("%s is not held", e.ID)
		}
	}
}

// An index that is appended to does not grow without end.
func TestIndexIsWrittenAnew(t *testing.T) {
	dir := t.TempDir()
	x := store.OpenIndex(dir)
	id := finished(t, dir, 0, 1)
	for range 1100 {
		note(t, x, id)
	}
	entries(t, x)
	b, err := os.ReadFile(filepath.Join(dir, store.IndexName))
	if err != nil || bytes.Count(b, []byte("\n")) != 1 {
		t.Errorf("%d lines, %v", bytes.Count(b, []byte("\n")), err)
	}
}

// Where the index cannot be written its folders are told of all the same.
func TestIndexThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	finished(t, dir, 0, 1)
	if err := os.MkdirAll(filepath.Join(dir, store.IndexName+".tmp", "in-the-way"), 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := store.OpenIndex(dir).Entries(t.Context())
	if err != nil || l.Unsaved == nil || len(l.Entries) != 1 {
		t.Errorf("%+v, %v", l, err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := store.OpenIndex(dir).Entries(cancelled); err == nil {
		t.Error("it goes on when nobody waits any more")
	}
}

func TestHolds(t *testing.T) {
	dir := t.TempDir()
	line := func(held bool, matter string) store.HoldLine {
		return store.HoldLine{At: at.UTC().Round(0), Held: held, Matter: matter, By: "Ann", Reason: "r"}
	}
	var all store.Holds
	for i, tt := range []struct {
		line           store.HoldLine
		without, under int // in force, without and under a hold of the policy
	}{
		{line(true, "a"), 1, 2}, {line(true, "a"), 1, 2}, {line(true, ""), 2, 3}, {line(false, "a"), 1, 2},
		{line(false, "b"), 1, 2}, {line(false, store.PolicyMatter), 1, 1}, {line(false, ""), 0, 0}, {line(true, "a"), 1, 1},
	} {
		all = append(all, tt.line)
		if err := all.Write(dir); err != nil {
			t.Fatal(err)
		}
		got, err := store.LoadHolds(dir)
		if err != nil || !slices.Equal(got, all) {
			t.Errorf("line %d: read %+v, %v", i, got, err)
		}
		if n := len(got.InForce(nil)); n != tt.without {
			t.Errorf("line %d: %d in force, want %d", i, n, tt.without)
		}
		if n := len(got.InForce(&store.Retention{Held: true})); n != tt.under {
			t.Errorf("line %d: under a policy %d in force, want %d", i, n, tt.under)
		}
	}
	if got, err := store.LoadHolds(t.TempDir()); err != nil || got != nil {
		t.Errorf("none: %v, %v", got, err)
	}
	for _, text := range []string{"", "{", "{}\n\n", "\x00"} {
		if err := os.WriteFile(filepath.Join(dir, store.HoldsName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := store.LoadHolds(dir); err == nil {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
	if _, err := store.ReadEntry(dir, numbered(t, 0)); err == nil {
		t.Error("an entry of nothing")
	}
}

// The history of holds of 10,000 recordings costs nothing to those that have none, and an
// index of them is read without a look into a folder.
func TestIndexOfTenThousand(t *testing.T) {
	if testing.Short() {
		t.Skip("10,000 folders")
	}
	dir := t.TempDir()
	for n := range 10_000 {
		finished(t, dir, n, n%3)
	}
	if list, read := entries(t, store.OpenIndex(dir)); len(list) != 10_000 || read != 10_000 {
		t.Fatalf("%d entries, read %d", len(list), read)
	}
	list, read := entries(t, store.OpenIndex(dir))
	if len(list) != 10_000 || read != 0 || list[0].ID != numbered(t, 9_999) || list[9_999].ID != numbered(t, 0) {
		t.Errorf("%d entries, read %d, from %s to %s", len(list), read, list[0].ID, list[len(list)-1].ID)
	}
}

// BenchmarkIndex lists 100,000 recordings, as it is left and with the index lost, and
// notes the end of one. CPU time is that of the process, whatever the disk does.
func BenchmarkIndex(b *testing.B) {
	const recordings = 100_000
	dir := b.TempDir()
	for n := range recordings {
		finished(b, dir, n, n%3)
	}
	rebuild := func(b *testing.B) {
		if err := os.Remove(filepath.Join(dir, store.IndexName)); err != nil && !isNone(err) {
			b.Fatal(err)
		}
		if list, read := entries(b, store.OpenIndex(dir)); len(list) != recordings || read != recordings {
			b.Fatal(len(list), read)
		}
	}
	b.Run("rebuild", func(b *testing.B) {
		defer processor(b)()
		for b.Loop() {
			rebuild(b)
		}
	})
	b.Run("list", func(b *testing.B) {
		defer processor(b)()
		for b.Loop() {
			if list, read := entries(b, store.OpenIndex(dir)); len(list) != recordings || read != 0 {
				b.Fatal(len(list), read)
			}
		}
	})
	b.Run("note", func(b *testing.B) {
		m, err := store.Load(dir, numbered(b, 5))
		if err != nil {
			b.Fatal(err)
		}
		x := store.OpenIndex(dir)
		defer processor(b)()
		for b.Loop() {
			if err := x.NoteFinished(m); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// processor reports the time that the processor spent on one turn, once it is called.
func processor(b *testing.B) func() {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	return func() { b.ReportMetric(float64((used()-before).Microseconds())/float64(b.N), "CPU-us/op") }
}

func isNone(err error) bool { return errors.Is(err, fs.ErrNotExist) }
