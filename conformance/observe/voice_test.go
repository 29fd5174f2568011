package observe

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/siprecd/siprecd/conformance/src"
)

// pcm are samples of a voice as a file holds them.
func pcm(t *testing.T, c *Code, v Voice, from int64, n int) []byte {
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
	c, err := NewCode(src.PCMU())
	if err != nil {
		t.Fatal(err)
	}
	v := Voice{Call: MaxCalls - 1, Party: MaxParties - 1}
	samples := make([]int16, 3*Frame)
	source{c, v}.Samples(0, samples)
	sent, err := src.Encode(src.PCMU(), samples)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		if !bytes.Equal(sent[n*Frame:(n+1)*Frame], c.words(v, n)) {
			t.Errorf("packet %d is not sent as it is written", n)
		}
	}
	var got []Sighting
	take := func(s Sighting) { got = append(got, s) }
	c.InWords(append([]byte("junk"), sent...), take)
	c.InSamples(append([]byte("odd"), pcm(t, c, v, 0, 3*Frame)...), take)
	var want []Sighting
	for i := range 3 {
		want = append(want, Sighting{v, i, 4 + i*Frame, true})
	}
	for i := range 3 {
		want = append(want, Sighting{v, i, 3 + 2*i*Frame, true})
	}
	if !slices.Equal(got, want) {
		t.Errorf("found %+v, want %+v", got, want)
	}
}

// What is no packet is none, and what was changed or cut off is not whole.
func TestVoiceIsNotFound(t *testing.T) {
	c, err := NewCode(src.PCMU())
	if err != nil {
		t.Fatal(err)
	}
	v := Voice{Call: 7, Party: 1}
	whole := c.words(v, 5)
	for _, tt := range []struct {
		name string
		text []byte
		want []Sighting
	}{
		{"silence", bytes.Repeat([]byte{0xff}, 1000), nil},
		{"a mark alone", []byte{markA, markB, markA, markB}, nil},
		{"a mark before something else", append([]byte{markA, markB, markA, markB}, bytes.Repeat([]byte{0x80}, 200)...), nil},
		{"a number changed", append(append(bytes.Clone(whole[:8]), whole[8]^1), whole[9:]...), nil},
		{"a sample changed", append(append(bytes.Clone(whole[:99]), whole[99]^1), whole[100:]...), []Sighting{{v, 5, 0, false}}},
		{"cut off", whole[:100], []Sighting{{v, 5, 0, false}}},
	} {
		var got []Sighting
		c.InWords(tt.text, func(s Sighting) { got = append(got, s) })
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}
