package codec

import (
	"errors"
	"hash/crc32"
	"math"
	"slices"
	"testing"
)

// G.711 in its own words: a magnitude in segment s with step m is
// (2m+33)*2^s-33 of 14 bits for mu-law; 2m+1 (segment 0) or (2m+33)*2^(s-1) of
// 13 bits for A-law.
func TestG711Tables(t *testing.T) {
	for i := range 256 {
		u := byte(i) ^ 0xff
		want := (2*float64(u&15)+33)*math.Pow(2, float64(u>>4&7)) - 33
		if u&0x80 != 0 {
			want = -want
		}
		if got := float64(muLaw[i]); got != 4*want {
			t.Errorf("mu-law %#02x = %v, want %v", i, got, 4*want)
		}
		a := byte(i) ^ 0x55
		want = 2*float64(a&15) + 1
		if s := a >> 4 & 7; s > 0 {
			want = (2*float64(a&15) + 33) * math.Pow(2, float64(s)-1)
		}
		if a&0x80 == 0 {
			want = -want
		}
		if got := float64(aLaw[i]); got != 8*want {
			t.Errorf("A-law %#02x = %v, want %v", i, got, 8*want)
		}
	}
}

func TestG711Extremes(t *testing.T) {
	for _, c := range []struct {
		name string
		law  *[256]int16
		code byte
		want int16
	}{
		{"mu-law lowest", &muLaw, 0x00, -32124}, {"mu-law highest", &muLaw, 0x80, 32124},
		{"mu-law zero", &muLaw, 0xff, 0}, {"A-law least", &aLaw, 0xd5, 8},
		{"A-law least negative", &aLaw, 0x55, -8}, {"A-law highest", &aLaw, 0xaa, 32256},
		{"A-law lowest", &aLaw, 0x2a, -32256},
	} {
		if got := c.law[c.code]; got != c.want {
			t.Errorf("%s: %#02x = %d, want %d", c.name, c.code, got, c.want)
		}
	}
}

func TestG711EncodeEverySample(t *testing.T) {
	for _, c := range []struct {
		name   string
		encode func([]byte, []int16) []byte
		table  *[256]int16
	}{{"PCMU", EncodePCMU, &muLaw}, {"PCMA", EncodePCMA, &aLaw}} {
		for v := math.MinInt16; v <= math.MaxInt16; v++ {
			code := c.encode(nil, []int16{int16(v)})[0]
			back := int(c.table[code])
			// A segment's step is a 32nd of its top; 16 is the finest of A-law.
			limit := max(8, (max(v, -v)+132)/32)
			if max(v, -v) > 32124 {
				limit = 32768 - 32124
			}
			if d := back - v; max(d, -d) > limit {
				t.Fatalf("%s: %d encodes to %#02x = %d", c.name, v, code, back)
			}
			if again := c.encode(nil, []int16{int16(back)})[0]; c.table[again] != c.table[code] {
				t.Fatalf("%s: code %#02x is not stable", c.name, code)
			}
		}
	}
}

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		name            string
		codec           string
		clock, channels int
		payload         []byte
		rate            int
		want            []int16
	}{
		{"PCMU", "PCMU", 8000, 1, []byte{0xff, 0x80}, 8000, []int16{0, 32124}},
		{"lower case", "pcma", 8000, 0, []byte{0xd5}, 8000, []int16{8}},
		{"stereo PCMA is averaged", "PCMA", 16000, 2, []byte{0xaa, 0xd5, 0x2a}, 16000, []int16{16132}},
		{"L16", "L16", 44100, 1, []byte{0x12, 0x34, 0xff, 0xff, 0x01}, 44100, []int16{0x1234, -1}},
		{"L16 stereo is averaged", "L16", 48000, 2, []byte{0x80, 0, 0x80, 0, 0x7f, 0xff, 0x7f, 0xff, 1}, 48000, []int16{-32768, 32767}},
		{"empty", "L16", 8000, 1, nil, 8000, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := New(c.codec, c.clock, c.channels, "")
			if err != nil {
				t.Fatal(err)
			}
			got := d.Decode(nil, c.payload)
			if !slices.Equal(got, c.want) || d.Rate() != c.rate {
				t.Errorf("got %v at %d Hz, want %v at %d", got, d.Rate(), c.want, c.rate)
			}
			if n := d.Samples(c.payload); n != len(got) {
				t.Errorf("Samples says %d, Decode gave %d", n, len(got))
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		name            string
		codec           string
		clock, channels int
	}{
		{"unknown", "OPUS", 48000, 2}, {"empty", "", 8000, 1}, {"rate", "L16", 12345, 1},
		{"no rate", "PCMU", 0, 1}, {"channels", "L16", 8000, 7},
		{"G722 by its sampling rate", "G722", 16000, 1}, {"stereo G722", "G722", 8000, 2},
	} {
		if d, err := New(c.codec, c.clock, c.channels, ""); !errors.Is(err, ErrUnsupported) || d != nil {
			t.Errorf("%s: got %v, %v", c.name, d, err)
		}
	}
}

// g722Octets is a fixed octet pattern that visits all codes of both bands.
func g722Octets(n int) []byte {
	out, x := make([]byte, n), uint32(1)
	for i := range out {
		x = x*1664525 + 1013904223
		out[i] = byte(x >> 24)
	}
	return out
}

// The sums are those of the output of an independent decoder (FFmpeg's) for the
// same octets, computed once.
func TestG722Reference(t *testing.T) {
	d, err := New("G722", 8000, 1, "")
	if err != nil {
		t.Fatal(err)
	}
	pcm := d.Decode(nil, g722Octets(8000))
	if len(pcm) != 16000 || d.Samples(make([]byte, 8000)) != 16000 || d.Rate() != 16000 {
		t.Fatalf("%d samples at %d Hz for a second", len(pcm), d.Rate())
	}
	if got := crc32.ChecksumIEEE(littleEndian(pcm)); got != g722Sum {
		t.Errorf("checksum %#08x, want %#08x", got, g722Sum)
	}
}

const g722Sum uint32 = 0x9c908027

func littleEndian(pcm []int16) []byte {
	var out []byte
	for _, s := range pcm {
		out = append(out, byte(s), byte(uint16(s)>>8))
	}
	return out
}

func TestDecodeDoesNotAllocate(t *testing.T) {
	payload, dst := g722Octets(160), make([]int16, 0, 320)
	for _, name := range []string{"PCMU", "PCMA", "L16", "G722"} {
		d, err := New(name, 8000, 1, "")
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() { d.Decode(dst, payload) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("PCMU", 1, []byte{1, 2, 3})
	f.Add("L16", 2, []byte{1, 2, 3, 4, 5})
	f.Add("G722", 1, []byte{0xff, 0x00, 0x55})
	f.Fuzz(func(t *testing.T, name string, channels int, payload []byte) {
		d, err := New(name, 8000, channels, "")
		if err != nil {
			return
		}
		if got := len(d.Decode(nil, payload)); got != d.Samples(payload) {
			t.Errorf("%d samples, announced %d", got, d.Samples(payload))
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	payload, dst := g722Octets(160), make([]int16, 0, 320)
	for _, name := range []string{"PCMU", "PCMA", "L16", "G722"} {
		b.Run(name, func(b *testing.B) {
			d, err := New(name, 8000, 1, "")
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				d.Decode(dst, payload)
			}
		})
	}
}
