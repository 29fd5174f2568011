package load

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/observe"
)

func TestEveryPacketIsFoundWhereverItStands(t *testing.T) {
	c := testCode(t)
	rng := rand.New(rand.NewPCG(1, 2))
	for _, pieces := range []int{2, 6, 34, 1000, 1 << 20} {
		var words []byte
		var want []sighting
		for packet := range 50 {
			words = append(words, bytes.Repeat([]byte{0xff}, rng.IntN(40))...)
			want = append(want, sighting{c.run, 9, packet, int64(len(words)), true})
			words = append(words, c.payloads(9, packet)...)
		}
		var got []sighting
		f := &finder{code: c, seen: func(s sighting) { got = append(got, s) }}
		for part := range slices.Chunk(pcmOf(t, words), pieces) {
			f.feed(part)
		}
		f.end()
		if !slices.Equal(got, want) {
			t.Errorf("in pieces of %d: found %v", pieces, got)
		}
	}
}

// TestNoPayloadLooksLikeAnother is about the mark: it is at the beginning of a payload
// and nowhere else, whatever the numbers are.
func TestNoPayloadLooksLikeAnother(t *testing.T) {
	c := testCode(t)
	seen := make(map[string]bool)
	for _, stream := range []int{0, 1, 127, 128, 16383, 16384, maxNumber - 1} {
		for _, packet := range []int{0, 1, 2, 127, 128, 20000, maxNumber - 1} {
			b := c.payloads(stream, packet)
			if bytes.Contains(b[4:], []byte{markA}) || bytes.Contains(b[4:], []byte{markB}) || bytes.Contains(b, []byte{0x7f}) {
				t.Errorf("payload %d of stream %d holds a word of the mark, or negative zero", packet, stream)
			}
			if seen[string(b)] {
				t.Errorf("payload %d of stream %d was there before", packet, stream)
			}
			seen[string(b)] = true
		}
	}
}

func TestCodeNeedsRoom(t *testing.T) {
	if _, err := newCode(1, codeWords-1); err == nil {
		t.Error("a payload without room for the code is taken")
	}
}

// shelfWith is a folder with files.
func shelfWith(t *testing.T, c *code, files map[string][]byte) *shelf {
	t.Helper()
	s := &shelf{dir: t.TempDir(), since: time.Now().Add(-time.Minute), code: c, hauls: make(map[string]*haul)}
	for name, b := range files {
		path := filepath.Join(s.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *shelf) all(t *testing.T, streams ...*stream) Found {
	t.Helper()
	paths, err := s.list()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.read(t.Context(), s.news(paths)); err != nil {
		t.Fatal(err)
	}
	return s.sum(streams)
}

// sentStream is a stream that sent so many packets, of a call that has ended.
func sentStream(packets int) *stream {
	return &stream{next: packets, call: &call{bye: time.Now().Add(-time.Second)}}
}

func TestPlantedFaultsAreFound(t *testing.T) {
	c := testCode(t)
	mono := func(words []byte) []byte { return wavFile(observe.FormatPCM, 1, pcmOf(t, words)) }
	spoilt := func(at int) []byte {
		words := c.payloads(0, upTo(10)...)
		words[at] ^= 0x80
		return mono(words)
	}
	other, err := newCode(78, 160)
	if err != nil {
		t.Fatal(err)
	}
	interleaved := func(a, b []byte) []byte {
		var out []byte
		a, b = pcmOf(t, a), pcmOf(t, b)
		for i := 0; i < len(a); i += 2 {
			out = append(out, a[i], a[i+1], b[i], b[i+1])
		}
		return wavFile(observe.FormatPCM, 2, out)
	}
	whole := Found{Files: 1, Sent: 10, Present: 10, Recorded: 1, Streams: 1}
	for _, tt := range []struct {
		name  string
		files map[string][]byte
		want  func(*Found)
	}{
		{"all is there", map[string][]byte{"deep/down/x.WAV": mono(c.payloads(0, upTo(10)...))}, func(*Found) {}},
		{"mu-law", map[string][]byte{"x.wav": wavFile(observe.FormatMuLaw, 1, c.payloads(0, upTo(10)...))}, func(*Found) {}},
		{"one is missing", map[string][]byte{"x.wav": mono(slices.Concat(c.payloads(0, upTo(4)...), bytes.Repeat([]byte{0xff}, 160), c.payloads(0, 5, 6, 7, 8, 9)))},
			func(f *Found) { f.Present, f.Missing, f.Recorded = 9, 1, 0.9 }},
		{"the first two and the last are missing", map[string][]byte{"x.wav": mono(c.payloads(0, upTo(10, 0, 1, 9)...))},
			func(f *Found) { f.Present, f.Missing, f.Recorded, f.AtStart, f.AtEnd = 7, 3, 0.7, 2, 1 }},
		{"what follows a lost one has moved", map[string][]byte{"x.wav": mono(c.payloads(0, upTo(10, 7)...))},
			func(f *Found) { f.Present, f.Missing, f.Recorded, f.Shifted = 9, 1, 0.9, 2 }},
		{"one is there twice", map[string][]byte{"x.wav": mono(c.payloads(0, append(upTo(10), 3)...))}, func(f *Found) { f.Twice = 1 }},
		{"there is a copy", map[string][]byte{"x.wav": mono(c.payloads(0, upTo(10)...)), "y.wav": mono(c.payloads(0, 1, 2))},
			func(f *Found) { f.Files, f.Copies = 2, 2 }},
		{"an octet of a payload is wrong", map[string][]byte{"x.wav": spoilt(3*160 + 100)},
			func(f *Found) { f.Present, f.Missing, f.Recorded, f.Damaged = 9, 1, 0.9, 1 }},
		{"an octet of a number is wrong", map[string][]byte{"x.wav": spoilt(3*160 + 6)},
			func(f *Found) { f.Present, f.Missing, f.Recorded = 9, 1, 0.9 }},
		{"the file ends in a payload", map[string][]byte{"x.wav": mono(c.payloads(0, upTo(10)...)[:1599])},
			func(f *Found) { f.Present, f.Missing, f.Recorded, f.Damaged, f.AtEnd = 9, 1, 0.9, 1, 1 }},
		{"one of another stream", map[string][]byte{"x.wav": mono(append(c.payloads(0, upTo(10)...), c.payloads(1, 4)...))},
			func(f *Found) { f.Foreign = 2 }}, // it is in the wrong place, and was never sent
		{"one that was never sent", map[string][]byte{"x.wav": mono(c.payloads(0, upTo(11)...))}, func(f *Found) { f.Foreign = 1 }},
		{"another run", map[string][]byte{"x.wav": mono(c.payloads(0, upTo(10)...)), "y.wav": mono(other.payloads(0, upTo(10)...))}, func(*Found) {}},
		{"not finished", map[string][]byte{"x.wav": mono(c.payloads(0, upTo(10)...)), ".y.wav": mono(c.payloads(0, 1)), ".z/z.wav": mono(c.payloads(0, 1))}, func(*Found) {}},
		{"a file that cannot be read", map[string][]byte{"x.wav": mono(c.payloads(0, upTo(10)...)), "y.wav": wavFile(3, 1, nil), "notes.txt": {1}},
			func(f *Found) {
				f.Unread, f.Why = 1, "1 channels of format 3 with 16 bits at 8000 Hz cannot be read"
			}},
		{"the second channel", map[string][]byte{"x.wav": interleaved(bytes.Repeat([]byte{0xff}, 1600), c.payloads(0, upTo(10)...))}, func(*Found) {}},
		{"nothing", nil, func(f *Found) { *f = Found{Sent: 10, Missing: 10, Nowhere: 1, Streams: 1} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := whole
			tt.want(&want)
			got := shelfWith(t, c, tt.files).all(t, sentStream(10))
			if p := got.ToFile.P50; got.Present > 0 && (p < 900 || p > 60_000) {
				t.Errorf("from BYE to file %v ms", p)
			}
			got.ToFile, got.Finalised = Spread{}, 0
			if got != want {
				t.Errorf("found %+v\n want %+v", got, want)
			}
		})
	}
}

// TestFilesThatGrowAreReadAgain is a server that writes its files in place.
func TestFilesThatGrowAreReadAgain(t *testing.T) {
	c := testCode(t)
	half := wavFile(observe.FormatPCM, 1, nil) // its length is not known: all that comes counts
	s := shelfWith(t, c, map[string][]byte{"x.wav": append(half, pcmOf(t, c.payloads(0, 0, 1))...), "y.wav": []byte("RIF")})
	if f := s.all(t, sentStream(4)); f.Missing != 2 || f.Unread != 1 {
		t.Errorf("of half a file: %+v", f)
	}
	for name, packets := range map[string][]int{"x.wav": {0, 1, 2}, "y.wav": {3}} {
		if err := os.WriteFile(filepath.Join(s.dir, name), wavFile(observe.FormatPCM, 1, pcmOf(t, c.payloads(0, packets...))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if f := s.all(t, sentStream(4)); f.Missing != 0 || f.Copies != 0 || f.Unread != 0 {
		t.Errorf("of whole files: %+v", f)
	}
	if paths, err := s.list(); err != nil || len(s.news(paths)) != 0 {
		t.Errorf("files are new that were read: %v", err)
	}
}

func BenchmarkSearch(b *testing.B) {
	c := testCode(b)
	path := filepath.Join(b.TempDir(), "x.wav")
	const packets = 3000
	if err := os.WriteFile(path, wavFile(observe.FormatPCM, 1, pcmOf(b, c.payloads(5, upTo(packets)...))), 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		h, err := c.search(path)
		if err != nil || len(h.catches) != 1 || h.catches[0].count != packets {
			b.Fatalf("%+v, %v", h, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/packets, "ns/packet")
}

func FuzzSearch(f *testing.F) {
	c := testCode(f)
	words := c.payloads(1, 0, 1)
	f.Add(wavFile(observe.FormatPCM, 1, pcmOf(f, words)))
	f.Add(wavFile(observe.FormatMuLaw, 2, words))
	f.Add([]byte("RIFF    WAVEfmt "))
	f.Fuzz(func(t *testing.T, b []byte) {
		h := new(haul)
		r := bytes.NewReader(b)
		l, length, err := openWAV(r)
		if err != nil {
			return
		}
		if err := c.searchChannels(h, l, r, length); err != nil {
			t.Fatal(err)
		}
		// A packet that is found has as many samples as it has words.
		total := 0
		for _, k := range h.catches {
			total += k.count + k.duplicates
		}
		if size := l.Bits / 8 * c.words; total*size > len(b) {
			t.Errorf("%d packets of %d octets in %d", total, size, len(b))
		}
	})
}

func TestWAVHeaders(t *testing.T) {
	good := wavFile(observe.FormatPCM, 1, []byte{1, 2, 3, 4})
	extensible := slices.Concat([]byte("RF64\xff\xff\xff\xffWAVEfmt \x28\x00\x00\x00\xfe\xff\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00\x16\x00\x10\x00\x00\x00\x00\x00"),
		[]byte{1, 0}, make([]byte, 14), []byte("data\xff\xff\xff\xff"))
	for i, tt := range []struct {
		file   []byte
		length int64
		bad    bool
	}{
		{good, 4, false},
		{extensible, -1, false},
		{good[:20], 0, true},
		{bytes.Replace(good, []byte("fmt "), []byte("fmtx"), 1), 0, true},
		{bytes.Replace(good, []byte{0x40, 0x1f}, []byte{0x80, 0x3e}, 1), 4, true}, // 16 kHz
	} {
		_, length, err := openWAV(bytes.NewReader(tt.file))
		if (err != nil) != tt.bad || length != tt.length {
			t.Errorf("%d: %d octets, %v", i, length, err)
		}
	}
}
