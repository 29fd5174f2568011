package src

import (
	"math"
	"math/rand/v2"
)

// VoiceKind chooses one of the two generated voices.
type VoiceKind int

// The voices: one near 105 Hz, one near 210 Hz with higher formants.
const (
	Deep VoiceKind = iota + 1
	Bright
)

// voiceSeconds is the length of the loop, in seconds.
const voiceSeconds = 8

// vowel is a set of formants, in Hz, for a deep voice.
type vowel [3]float64

// Voice is endless speech-like sound: glottal pulses through three formant
// resonators, in syllables and phrases. It says nothing and belongs to no one.
// The same kind always gives the same samples.
func Voice(kind VoiceKind) Source {
	pitch, stretch, seed := 105.0, 1.0, uint64(1)
	if kind == Bright {
		pitch, stretch, seed = 210, 1.18, 2
	}
	rng := rand.New(rand.NewPCG(seed, 7))
	vowels := []vowel{{730, 1090, 2440}, {270, 2290, 3010}, {300, 870, 2240}, {530, 1840, 2480}, {570, 840, 2410}}
	const length = voiceSeconds * sampleRate
	var raw []float64
	for len(raw) < length {
		for range 3 + rng.IntN(4) {
			v := vowels[rng.IntN(len(vowels))]
			raw = append(raw, syllable(v, pitch*(0.9+0.25*rng.Float64()), stretch, 0.14+0.1*rng.Float64(), rng)...)
		}
		raw = append(raw, make([]float64, sampleRate*(2+rng.IntN(3))/10)...) // a pause for breath
	}
	return loop(normalised(raw[:length], 14000))
}

// syllable is one vowel of the given length in seconds.
func syllable(v vowel, pitch, stretch, seconds float64, rng *rand.Rand) []float64 {
	n := int(seconds * sampleRate)
	out := make([]float64, n)
	phase := 0.0
	for i := range out {
		at := float64(i) / float64(n)
		phase += pitch * (1.05 - 0.15*at) / sampleRate // pitch falls within a syllable
		if phase >= 1 {
			phase--
			out[i] = 1
		}
		out[i] += 0.01 * (rng.Float64() - 0.5) // breath
	}
	for k, f := range v {
		out = resonate(out, min(f*stretch, 3600), 60+40*float64(k))
	}
	for i := range out {
		at := float64(i) / float64(n)
		out[i] *= math.Pow(math.Sin(math.Pi*at), 0.6) // rise and fall
	}
	return normalisedFloat(out)
}

// resonate is a two-pole filter at a frequency with a bandwidth, both in Hz.
func resonate(in []float64, hz, bandwidth float64) []float64 {
	r := math.Exp(-math.Pi * bandwidth / sampleRate)
	a, b := 2*r*math.Cos(2*math.Pi*hz/sampleRate), -r*r
	out := make([]float64, len(in))
	var y1, y2 float64
	for i, x := range in {
		y := (1-r)*x + a*y1 + b*y2
		out[i], y2, y1 = y, y1, y
	}
	return out
}

func peak(in []float64) float64 {
	top := 1e-9
	for _, x := range in {
		top = max(top, math.Abs(x))
	}
	return top
}

func normalisedFloat(in []float64) []float64 {
	top := peak(in)
	for i := range in {
		in[i] /= top
	}
	return in
}

func normalised(in []float64, level float64) []int16 {
	top := peak(in)
	out := make([]int16, len(in))
	for i, x := range in {
		out[i] = int16(level * x / top)
	}
	return out
}
