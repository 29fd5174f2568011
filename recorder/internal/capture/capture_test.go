package capture

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/seal"
)

const ms = time.Millisecond

// numbered is a packet of which every field tells its number.
func numbered(i int) Packet {
	return Packet{
		Stream: i%3 - 1, Arrival: time.Duration(i) * 20 * ms,
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

func newSecret(t testing.TB) Secret {
	t.Helper()
	k, err := seal.New(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return Secret{Recording: "r", Key: k}
}

func newSpool(t testing.TB, opt Options) *Spool {
	t.Helper()
	if opt.Dir == "" {
		opt.Dir = t.TempDir()
	}
	s, err := NewSpool(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func create(t testing.TB, s *Spool, secret Secret) (*Writer, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "c")
	w, err := s.Create(path, secret, time.Now(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return w, path
}

// write makes a capture of n numbered packets, in pages of a span.
func write(t testing.TB, n int, span time.Duration, secret Secret) string {
	t.Helper()
	w, path := create(t, newSpool(t, Options{PageSpan: span}), secret)
	w.listed = true // written here, not by the spool: as it comes, and in order
	scratch := make([]byte, 0, scratchSize)
	for i := range n {
		p := numbered(i)
		w.Append(&p)
		if i%300 == 299 {
			w.disk.lock()
			w.flush(&scratch, w.zero.Add(time.Hour), false)
			w.disk.unlock()
		}
	}
	if err := w.Close(); err != nil || w.Dropped() != 0 {
		t.Fatalf("close: %v, %d dropped", err, w.Dropped())
	}
	return path
}

// read gives all packets of a capture and whether it is torn.
func read(t testing.TB, path string, secret Secret) ([]Packet, bool) {
	t.Helper()
	r, err := Open(path, secret, nil)
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

// sorted puts the packets of all streams in the order of arrival.
func sorted(ps []Packet) []Packet {
	slices.SortStableFunc(ps, func(a, b Packet) int { return int(a.Arrival - b.Arrival) })
	return ps
}

func TestRoundTrip(t *testing.T) {
	for _, c := range []struct {
		name    string
		packets int
		span    time.Duration
	}{
		{"empty", 0, 0},
		{"one page for each stream", 10, 0},
		{"many pages", 3000, 0},
		{"a page for each packet", 50, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			secret := newSecret(t)
			got, torn := read(t, write(t, c.packets, c.span, secret), secret)
			if torn || len(got) != c.packets {
				t.Fatalf("%d packets, torn %v; want %d", len(got), torn, c.packets)
			}
			next := map[int]time.Duration{-1: -1, 0: -1, 1: -1}
			for _, p := range got {
				if p.Arrival <= next[p.Stream] {
					t.Fatalf("stream %d: %v after %v", p.Stream, p.Arrival, next[p.Stream])
				}
				next[p.Stream] = p.Arrival
			}
			for i, p := range sorted(got) {
				if !same(p, numbered(i)) {
					t.Fatalf("packet %d came back as %+v", i, p)
				}
			}
		})
	}
}

// Nobody reads a capture without its key, or as that of another recording.
func TestSecrecy(t *testing.T) {
	secret := newSecret(t)
	w, path := create(t, newSpool(t, Options{}), secret)
	marker := bytes.Repeat([]byte("marker!!"), 20)
	w.Append(&Packet{Payload: marker})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil || bytes.Contains(b, marker[:8]) {
		t.Fatalf("the payload stands in the clear: %v", err)
	}
	for what, other := range map[string]Secret{"another key": newSecret(t), "another recording": {Recording: "s", Key: secret.Key}} {
		if got, torn := read(t, path, other); len(got) != 0 || !torn {
			t.Errorf("%s: %d packets", what, len(got))
		}
	}
	if got, _ := read(t, path, secret); len(got) != 1 || !bytes.Equal(got[0].Payload, marker) {
		t.Errorf("with the key: %d packets", len(got))
	}
}

func TestLargestPayload(t *testing.T) {
	secret := newSecret(t)
	s := newSpool(t, Options{})
	w, path := create(t, s, secret)
	w.Append(&Packet{Payload: make([]byte, 65535)})
	if now, most := s.Held(); now < 65535 || most != defaultMemory {
		t.Errorf("pages hold %d of %d octets", now, most)
	}
	w.Append(&Packet{Payload: make([]byte, 65536)}) // no datagram is that large
	w.Append(&Packet{Stream: 1 << 40})
	w.Append(&Packet{Arrival: time.Hour, Payload: []byte{1}}) // beyond what a page spans
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w.Append(&Packet{})
	if now, _ := s.Held(); now != 0 || s.Dropped() != 3 {
		t.Errorf("pages hold %d octets after the end, %d packets dropped", now, s.Dropped())
	}
	got, _ := read(t, path, secret)
	if len(got) != 2 || len(got[0].Payload) != 65535 || got[1].Arrival != time.Hour || w.Dropped() != 3 {
		t.Errorf("%d packets in the file, %d dropped", len(got), w.Dropped())
	}
}

func TestCreateRefuses(t *testing.T) {
	secret := newSecret(t)
	path := write(t, 5, 0, secret)
	s := newSpool(t, Options{})
	if _, err := s.Create(path, secret, time.Now(), nil); !errors.Is(err, os.ErrExist) {
		t.Errorf("an existing file: %v", err)
	}
	if got, _ := read(t, path, secret); len(got) != 5 {
		t.Errorf("the existing file was touched: %d packets", len(got))
	}
	dir := t.TempDir()
	for _, opt := range []Options{
		{HoldBack: -1}, {HoldBack: MaxHoldBack + 1}, {PageSpan: -1}, {PageSpan: maxSpan + 1}, {Commit: -1}, {Writers: -1}, {Memory: MinMemory - 1},
	} {
		opt.Dir = dir
		if s, err := NewSpool(opt); err == nil {
			t.Errorf("%+v was taken", opt)
			s.Close()
		}
	}
	if _, err := NewSpool(Options{Dir: filepath.Join(dir, "x")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}

// Whatever is cut off or damaged, what is read is a prefix of what was written.
func TestTornAnywhere(t *testing.T) {
	const n = 40
	secret := newSecret(t)
	source := write(t, n, 100*ms, secret)
	whole, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	written, _ := read(t, source, secret)
	path := filepath.Join(t.TempDir(), "torn")
	check := func(what string, at int, b []byte) int {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if at < fileHeader && len(b) == len(whole) {
			if r, err := Open(path, secret, nil); !errors.Is(err, ErrFormat) {
				t.Fatalf("%s %d: %v, %v", what, at, r, err)
			}
			return 0
		}
		got, torn := read(t, path, secret)
		for i, p := range got {
			if !same(p, written[i]) {
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

// Whatever a crash left of a capture, the next process goes on with it.
func TestReopen(t *testing.T) {
	const n = 12
	secret := newSecret(t)
	source := write(t, n, 100*ms, secret)
	whole, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	s := newSpool(t, Options{})
	path := filepath.Join(t.TempDir(), "torn")
	for cut := range len(whole) + 1 {
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		before, _ := read(t, path, secret)
		w, err := s.Reopen(path, secret, time.Now(), nil)
		if err != nil {
			t.Fatal(err)
		}
		p := numbered(n)
		w.Append(&p)
		if absent, err := w.Cut(-1, 100*ms); err != nil || absent != 100*ms {
			t.Fatalf("cut at %d: %v, %v", cut, absent, err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		var want []Packet
		for _, b := range append(before, p) {
			if b.Stream != -1 || b.Arrival < 100*ms {
				want = append(want, b)
			}
		}
		got, torn := read(t, path, secret)
		got, want = sorted(got), sorted(want)
		if torn || len(got) != len(want) {
			t.Fatalf("cut at %d: %d packets, torn %v, want %d", cut, len(got), torn, len(want))
		}
		for i := range got {
			if !same(got[i], want[i]) {
				t.Fatalf("cut at %d: packet %d is %+v", cut, i, got[i])
			}
		}
	}
	if _, err := s.Reopen(path+"x", secret, time.Now(), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if err := os.WriteFile(path, bytes.Repeat([]byte("x"), 100), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Reopen(path, secret, time.Now(), nil); !errors.Is(err, ErrFormat) {
		t.Errorf("another file: %v", err)
	}
}

func TestConcurrentAppend(t *testing.T) {
	secret := newSecret(t)
	w, path := create(t, newSpool(t, Options{}), secret)
	var wg sync.WaitGroup
	for s := range 4 {
		wg.Go(func() {
			for i := range 500 {
				w.Append(&Packet{Stream: s, Arrival: time.Duration(i) * 20 * ms, Sequence: uint16(i), Payload: []byte{byte(s)}})
			}
		})
	}
	wg.Wait()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, _ := read(t, path, secret)
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
	secret := newSecret(f)
	whole, err := os.ReadFile(write(f, 12, 100*ms, secret))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)-3])
	f.Add(whole[:fileHeader])
	f.Add([]byte{})
	// A page that is sealed over what is no packet.
	s := sealer{secret: secret}
	if err := s.use([seal.EpochSize]byte{1}); err != nil {
		f.Fatal(err)
	}
	f.Add(s.seal(appendFileHeader(nil), header{}, make([]byte, bodyHeader+3)))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(dir, "f")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Open(path, secret, nil)
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
	secret := newSecret(b)
	path := write(b, 10_000, 0, secret)
	for b.Loop() {
		r, err := Open(path, secret, nil)
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
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_000, "ns/packet")
}
