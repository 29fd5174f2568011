package policy

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/siprecd/siprecd/conformance/src"
)

// pcm are samples of a voice as a file holds them.
func pcm(t *testing.T, c *code, v Voice, from int64, n int) []byte {
	t.Helper()
	samples := make([]int16, n)
	if got := (source{c, v}).Samples(from, samples); got != n {
		t.Fatalf("%d samples, want %d", got, n)
	}
	var b []byte
	for _, s := range samples {
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	return b
}

// A packet is found in mu-law as it is sent, and in samples.
func TestVoiceIsFound(t *testing.T) {
	c, err := newCode()
	if err != nil {
		t.Fatal(err)
	}
	v := Voice{Call: maxCalls - 1, Party: maxParties - 1}
	samples := make([]int16, 3*frame)
	source{c, v}.Samples(0, samples)
	sent, err := src.Encode(src.PCMU(), samples)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		if !bytes.Equal(sent[n*frame:(n+1)*frame], c.words(v, n)) {
			t.Errorf("packet %d is not sent as it is written", n)
		}
	}
	var got []sighting
	take := func(s sighting) { got = append(got, s) }
	c.inWords(append([]byte("junk"), sent...), take)
	c.inSamples(append([]byte("odd"), pcm(t, c, v, 0, 3*frame)...), take)
	var want []sighting
	for i := range 6 {
		want = append(want, sighting{v, i % 3, true})
	}
	if !slices.Equal(got, want) {
		t.Errorf("found %+v, want %+v", got, want)
	}
}

// What is no packet is none, and what was changed or cut off is not whole.
func TestVoiceIsNotFound(t *testing.T) {
	c, err := newCode()
	if err != nil {
		t.Fatal(err)
	}
	v := Voice{Call: 7, Party: 1}
	whole := c.words(v, 5)
	for _, tt := range []struct {
		name string
		text []byte
		want []sighting
	}{
		{"silence", bytes.Repeat([]byte{0xff}, 1000), nil},
		{"a mark alone", []byte{markA, markB, markA, markB}, nil},
		{"a mark before something else", append([]byte{markA, markB, markA, markB}, bytes.Repeat([]byte{0x80}, 200)...), nil},
		{"a number changed", append(append(bytes.Clone(whole[:8]), whole[8]^1), whole[9:]...), nil},
		{"a sample changed", append(append(bytes.Clone(whole[:99]), whole[99]^1), whole[100:]...), []sighting{{v, 5, false}}},
		{"cut off", whole[:100], []sighting{{v, 5, false}}},
	} {
		var got []sighting
		c.inWords(tt.text, func(s sighting) { got = append(got, s) })
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

// A voice leaks in whatever form it lies anywhere.
func TestLeaks(t *testing.T) {
	c, err := newCode()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	v, other := Voice{Call: 1, Party: 2}, Voice{Call: 1, Party: 3}
	mono := pcm(t, c, v, 0, frame)
	var stereo []byte
	for i := 0; i < len(mono); i += 2 {
		stereo = append(append(stereo, mono[i:i+2]...), 0, 0)
	}
	for name, text := range map[string][]byte{"a.rtp": c.words(v, 0), "b.wav": mono, "c.wav": stereo, "d.wav": pcm(t, c, other, 0, frame)} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found, err := Leaks(dir, map[Voice]bool{v: true})
	if err != nil || len(found) != 3 {
		t.Errorf("found %q (%v), want it in three files", found, err)
	}
}
