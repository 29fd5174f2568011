package capture

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// all reads to the end.
func all(t *testing.T, r *Reader) (out []Packet) {
	t.Helper()
	var p Packet
	for {
		err := r.Next(&p)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		p.Payload = bytes.Clone(p.Payload)
		out = append(out, p)
	}
}

func open(t *testing.T, path string, secret Secret, room []byte) *Reader {
	t.Helper()
	r, err := Open(path, secret, room)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The packets of one stream are those of it that the whole reading gives, and end
// where that ended, whatever lies behind.
func TestOnly(t *testing.T) {
	secret := newSecret(t)
	path := write(t, 3000, 0, secret)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, flipped := range []int{-1, len(whole) / 2} {
		b := bytes.Clone(whole)
		if flipped >= 0 {
			b[flipped] ^= 1
		}
		path := filepath.Join(t.TempDir(), "c")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		first := open(t, path, secret, nil)
		everything := all(t, first)
		if first.Torn() != (flipped >= 0) || first.End() > int64(len(b)) || (first.End() == int64(len(b))) != (flipped < 0) {
			t.Fatalf("flipped at %d: torn %v, ended at %d of %d", flipped, first.Torn(), first.End(), len(b))
		}
		given := 0
		for stream := -1; stream <= 2; stream++ {
			r := open(t, path, secret, nil)
			r.Only(stream, first.End())
			got := all(t, r)
			want := slices.Clone(everything)
			want = slices.DeleteFunc(want, func(p Packet) bool { return p.Stream != stream })
			if !slices.EqualFunc(got, want, same) {
				t.Errorf("flipped at %d: %d packets of stream %d, want %d", flipped, len(got), stream, len(want))
			}
			if r.Torn() || r.End() != first.End() {
				t.Errorf("flipped at %d: torn %v, ended at %d, want %d", flipped, r.Torn(), r.End(), first.End())
			}
			given += len(got)
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
		if given != len(everything) || given == 0 {
			t.Errorf("flipped at %d: %d packets of all streams, want %d", flipped, given, len(everything))
		}
		if err := first.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A page of the stream that is wanted is opened, and not believed when it was damaged
// since it was read first; one of another stream is nothing to this one.
func TestOnlyBelievesNothing(t *testing.T) {
	secret := newSecret(t)
	path := write(t, 300, 0, secret)
	first := open(t, path, secret, nil)
	all(t, first)
	end := first.End()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var h header
	if !h.parse(whole[fileHeader:]) {
		t.Fatal("no page")
	}
	whole[fileHeader+pageHeader] ^= 1
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	for stream := -1; stream <= 1; stream++ {
		r := open(t, path, secret, nil)
		r.Only(stream, end)
		got := all(t, r)
		if damaged := stream == h.stream; r.Torn() != damaged || (len(got) == 0) != damaged {
			t.Errorf("stream %d of a capture whose first page, of stream %d, is damaged: torn %v, %d packets", stream, h.stream, r.Torn(), len(got))
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Memory that is lent is used, and holds nothing afterwards; a page that is larger is
// read all the same.
func TestLentMemory(t *testing.T) {
	secret := newSecret(t)
	s := newSpool(t, Options{})
	w, path := create(t, s, secret)
	large := bytes.Repeat([]byte{0x5a}, 65_000)
	for i := range 3 {
		w.Append(&Packet{Stream: i, Payload: large})
		w.Append(&Packet{Stream: 8 + i, Payload: large[:200]})
	}
	if err := w.Close(); err != nil || w.Dropped() != 0 {
		t.Fatalf("%v, %d dropped", err, w.Dropped())
	}
	for _, room := range [][]byte{nil, make([]byte, 1), make([]byte, ReadOctets), make([]byte, 2*ReadOctets)} {
		r := open(t, path, secret, room)
		n := 0
		for _, p := range all(t, r) {
			if !bytes.Equal(p.Payload, large[:len(p.Payload)]) {
				t.Errorf("packet %d with %d octets of room is not what was written", n, len(room))
			}
			n++
		}
		used := r.room
		if err := r.Close(); err != nil || n != 6 {
			t.Errorf("%d packets with %d octets of room, %v", n, len(room), err)
		}
		for _, b := range [][]byte{room, used} {
			if slices.ContainsFunc(b, func(o byte) bool { return o != 0 }) {
				t.Errorf("%d octets of room: something is left in it", len(room))
			}
		}
	}
}

// Where there was room for all of a capture, its streams are given again without it.
func TestAgain(t *testing.T) {
	secret := newSecret(t)
	path := write(t, 3000, 0, secret)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	torn := filepath.Join(t.TempDir(), "torn")
	if err := os.WriteFile(torn, whole[:len(whole)*2/3], 0o600); err != nil {
		t.Fatal(err)
	}
	if len(whole) <= ReadOctets {
		t.Fatalf("%d octets are too few", len(whole))
	}
	for _, c := range []struct {
		path string
		room int
		kept bool
	}{
		{path, len(whole) + ReadSpare, true},
		{path, 2 * len(whole), true},
		{path, len(whole) - 1, false},
		{path, 0, false},
		{torn, len(whole), true},
	} {
		room := make([]byte, c.room)
		first := open(t, c.path, secret, room)
		everything := all(t, first)
		given := 0
		for stream := -1; stream <= 2; stream++ {
			r, ok := first.Again(stream)
			if ok != c.kept {
				t.Fatalf("%d octets in %d of room: kept %v", len(whole), c.room, ok)
			}
			if !ok {
				continue
			}
			want := slices.DeleteFunc(slices.Clone(everything), func(p Packet) bool { return p.Stream != stream })
			got := all(t, r)
			if !slices.EqualFunc(got, want, same) || r.Next(new(Packet)) != io.EOF {
				t.Errorf("%d packets of stream %d, want %d", len(got), stream, len(want))
			}
			given += len(got)
		}
		if c.kept && (given != len(everything) || given == 0) {
			t.Errorf("%d packets of all streams, want %d", given, len(everything))
		}
		if err := first.Close(); err != nil {
			t.Error(err)
		}
		if slices.ContainsFunc(room, func(o byte) bool { return o != 0 }) {
			t.Errorf("something is left in %d octets of room", c.room)
		}
	}
}
