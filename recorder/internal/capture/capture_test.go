package capture

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// numbered is a packet of which every field tells its number.
func numbered(i int) Packet {
	return Packet{
		Stream: i%3 - 1, Arrival: time.Duration(i) * 20 * time.Millisecond,
		SSRC: 0xdead0000 + uint32(i), Timestamp: uint32(i) * 160, Sequence: uint16(i),
		PayloadType: uint8(i % 128), Marker: i%2 == 0,
		Payload: bytes.Repeat([]byte{byte(i)}, i%40),
	}
}

func same(a, b Packet) bool {
	p, q := a.Payload, b.Payload
	a.Payload, b.Payload = nil, nil
	return bytes.Equal(p, q) && a.Stream == b.Stream && a.Arrival == b.Arrival && a.SSRC == b.SSRC &&
		a.Timestamp == b.Timestamp && a.Sequence == b.Sequence && a.PayloadType == b.PayloadType && a.Marker == b.Marker
}

// write makes a capture of n numbered packets.
func write(t testing.TB, n int, opt Options) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "c")
	w, err := Create(path, opt)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		p := numbered(i)
		w.Append(&p)
	}
	if err := w.Close(); err != nil || w.Dropped() != 0 {
		t.Fatalf("close: %v, %d dropped", err, w.Dropped())
	}
	return path
}

// read gives all packets of a capture and whether it is torn.
func read(t testing.TB, path string) ([]Packet, bool) {
	t.Helper()
	r, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	var out []Packet
	var p Packet
	for {
		switch err := r.Next(&p); {
		case err == io.EOF:
			return out, r.Torn()
		case err != nil:
			t.Fatal(err)
		}
		p.Payload = bytes.Clone(p.Payload)
		out = append(out, p)
	}
}

func TestRoundTrip(t *testing.T) {
	for _, c := range []struct {
		name    string
		packets int
		opt     Options
	}{
		{"empty", 0, Options{}},
		{"one page", 10, Options{}},
		{"many pages", 3000, Options{PageBytes: 200}},
		{"each packet larger than a page", 50, Options{PageBytes: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, torn := read(t, write(t, c.packets, c.opt))
			if torn || len(got) != c.packets {
				t.Fatalf("%d packets, torn %v; want %d", len(got), torn, c.packets)
			}
			for i, p := range got {
				if !same(p, numbered(i)) {
					t.Fatalf("packet %d came back as %+v", i, p)
				}
			}
		})
	}
}

func TestLargestPayload(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	w, err := Create(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	w.Append(&Packet{Payload: make([]byte, 65535)})
	w.Append(&Packet{Payload: make([]byte, 65536)}) // no datagram is that large
	w.Append(&Packet{Stream: 1 << 40})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w.Append(&Packet{})
	got, _ := read(t, path)
	if len(got) != 1 || len(got[0].Payload) != 65535 || w.Dropped() != 3 {
		t.Errorf("%d packets in the file, %d dropped", len(got), w.Dropped())
	}
}

func TestCreateRefuses(t *testing.T) {
	path := write(t, 5, Options{})
	if _, err := Create(path, Options{}); !errors.Is(err, os.ErrExist) {
		t.Errorf("an existing file: %v", err)
	}
	if got, _ := read(t, path); len(got) != 5 {
		t.Errorf("the existing file was touched: %d packets", len(got))
	}
	fresh := filepath.Join(t.TempDir(), "d")
	for _, opt := range []Options{{PageBytes: -1}, {PageBytes: maxPageBytes + 1}, {PageAge: -1}} {
		if _, err := Create(fresh, opt); err == nil {
			t.Errorf("%+v was taken", opt)
		}
	}
}

// Whatever is cut off or damaged, what is read is a prefix of what was written.
func TestTornAnywhere(t *testing.T) {
	const n = 40
	whole, err := os.ReadFile(write(t, n, Options{PageBytes: 300}))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "torn")
	check := func(what string, at int, b []byte) int {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if at < fileHeader && len(b) == len(whole) {
			if r, err := Open(path); !errors.Is(err, ErrFormat) {
				t.Fatalf("%s %d: %v, %v", what, at, r, err)
			}
			return 0
		}
		got, torn := read(t, path)
		for i, p := range got {
			if !same(p, numbered(i)) {
				t.Fatalf("%s %d: packet %d is not what was written", what, at, i)
			}
		}
		if len(got) < n && !torn && len(b) == len(whole) {
			t.Fatalf("%s %d: %d packets and not torn", what, at, len(got))
		}
		return len(got)
	}
	last := 0
	for i := range whole {
		got := check("cut at", i, whole[:i])
		if got < last {
			t.Fatalf("cut at %d: %d packets, %d when cut shorter", i, got, last)
		}
		last = got
		flipped := bytes.Clone(whole)
		flipped[i] ^= 1 << (i % 8)
		if got := check("flipped at", i, flipped); got == n {
			t.Fatalf("flipped at %d: all packets believed", i)
		}
	}
	if got := check("garbage behind", len(whole), append(slices.Clone(whole), 1, 2, 3)); got != n {
		t.Errorf("garbage behind a whole file: %d packets", got)
	}
}

func TestConcurrentAppend(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	w, err := Create(path, Options{PageBytes: 500})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for s := range 4 {
		wg.Go(func() {
			for i := range 500 {
				w.Append(&Packet{Stream: s, Sequence: uint16(i), Payload: []byte{byte(s)}})
			}
		})
	}
	wg.Wait()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, _ := read(t, path)
	next := make([]uint16, 4)
	for _, p := range got {
		if p.Sequence != next[p.Stream] || int(p.Payload[0]) != p.Stream {
			t.Fatalf("stream %d: packet %d, want %d", p.Stream, p.Sequence, next[p.Stream])
		}
		next[p.Stream]++
	}
	if len(got) != 2000 || w.Dropped() != 0 {
		t.Errorf("%d packets, %d dropped", len(got), w.Dropped())
	}
}

func FuzzReader(f *testing.F) {
	whole, err := os.ReadFile(write(f, 12, Options{PageBytes: 100}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)-3])
	f.Add(whole[:fileHeader])
	f.Add([]byte{})
	// A page with a sound checksum over a body that is no packet.
	bad := appendFileHeader(nil)
	page := append(make([]byte, pageHeader), 1, 2, 3)
	finishPage(page, 0)
	f.Add(append(bad, page...))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(dir, "f")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Open(path)
		if err != nil {
			return
		}
		defer r.Close()
		var p Packet
		octets := fileHeader
		for {
			if err := r.Next(&p); err != nil {
				if err != io.EOF || r.Next(&p) != io.EOF {
					t.Fatalf("ends with %v", err)
				}
				break
			}
			octets += packetHeader + len(p.Payload)
		}
		if octets > max(len(b), fileHeader) {
			t.Errorf("%d octets of packets out of %d", octets, len(b))
		}
	})
}

func BenchmarkReader(b *testing.B) {
	path := write(b, 100_000, Options{})
	for b.Loop() {
		r, err := Open(path)
		if err != nil {
			b.Fatal(err)
		}
		var p Packet
		for r.Next(&p) == nil {
		}
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100_000, "ns/packet")
}
