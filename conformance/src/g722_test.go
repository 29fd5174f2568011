package src

import (
	"math"
	"testing"
)

// What is encoded in G.722 is alike when it is decoded, and about as loud.
func TestG722(t *testing.T) {
	const length = 4000
	for name, source := range map[string]Source{"tone": Tone(440, false), "high tone": Tone(3000, false), "voice": Voice(Deep), "bright voice": Voice(Bright)} {
		pcm := make([]int16, length)
		source.Samples(0, pcm)
		words := NewG722Encoder().Encode(pcm)
		if len(words) != length {
			t.Fatalf("%s: %d octets for %d samples", name, len(words), length)
		}
		wide := NewG722Decoder().Decode(words)
		if len(wide) != 2*length {
			t.Fatalf("%s: %d samples at 16 kHz", name, len(wide))
		}
		back := Resample(wide[23:], 16000) // the two filters are that late
		if likeness, level := compare(pcm[200:3900], back[200:3900]); likeness < 0.95 || level < 0.6 || level > 1.25 {
			t.Errorf("%s: likeness %.3f, level %.2f", name, likeness, level)
		}
	}
	quiet := NewG722Decoder().Decode(NewG722Encoder().Encode(make([]int16, 800)))
	for i, s := range quiet {
		if s > 40 || s < -40 {
			t.Fatalf("silence has the sample %d at %d", s, i)
		}
	}
}

// compare gives the correlation of two runs of samples, and the level of the second by
// that of the first.
func compare(a, b []int16) (likeness, level float64) {
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb), math.Sqrt(bb / aa)
}
