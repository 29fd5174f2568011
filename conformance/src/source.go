package src

import (
	"encoding/binary"
	"math"
)

// sampleRate is the rate of all sources, in Hz.
const sampleRate = 8000

// A Source is audio at 8 kHz that can be read at any place, so that several
// streams may play the same one.
type Source interface {
	// Samples fills dst with the samples from the given one on and returns how
	// many there are; less than len(dst) means that the source ends.
	Samples(from int64, dst []int16) int
}

// A payloadSource gives code words instead of samples.
type payloadSource interface {
	payload(from int64, octets int) []byte
}

type sourceFunc func(i int64) int16

func (f sourceFunc) Samples(from int64, dst []int16) int {
	for i := range dst {
		dst[i] = f(from + int64(i))
	}
	return len(dst)
}

// Silence is endless digital silence.
func Silence() Source { return sourceFunc(func(int64) int16 { return 0 }) }

// Tone is an endless sine at half of full scale. With clicks, the first
// millisecond of each second is near full scale, a mark that can be found to
// the sample.
func Tone(hz float64, clicks bool) Source {
	return sourceFunc(func(i int64) int16 {
		if clicks && i%sampleRate < sampleRate/1000 {
			return 31000
		}
		// The phase is reduced first, so that the last second is as exact as
		// the first.
		_, phase := math.Modf(float64(i) * hz / sampleRate)
		return int16(16000 * math.Sin(2*math.Pi*phase))
	})
}

// Counter is a source of code words that walk through all values, so that the
// place of each can be recognised: octet i of the stream is CounterWord(i). In
// L16, sample i is its own number modulo 65536.
func Counter(c Codec) Source { return counter{c} }

// CounterWord is octet i of a counter: each 256 octets hold every value, and
// each block starts one higher than the one before. It repeats after 65536
// octets, or about 8 s of G.711, with another shift.
func CounterWord(i int64) byte { return byte(i + i>>8 + 3*(i>>16)) }

type counter struct{ codec Codec }

func (c counter) payload(from int64, octets int) []byte {
	out := make([]byte, octets)
	if size, err := sampleSize(c.codec); err == nil && size == 2 {
		for i := 0; i+1 < octets; i += 2 {
			binary.BigEndian.PutUint16(out[i:], uint16(from+int64(i/2)))
		}
		return out
	}
	for i := range out {
		out[i] = CounterWord(from + int64(i))
	}
	return out
}

// Samples decodes the code words.
func (c counter) Samples(from int64, dst []int16) int {
	size, err := sampleSize(c.codec)
	if err != nil {
		return 0
	}
	pcm, err := Decode(c.codec, c.payload(from, size*len(dst)))
	if err != nil {
		return 0
	}
	return copy(dst, pcm)
}

// Limited ends a source after a number of samples. A Counter is better ended
// with PlayOptions.Count, which keeps its code words as they are.
func Limited(s Source, samples int64) Source { return limited{s, samples} }

type limited struct {
	Source
	end int64
}

func (l limited) Samples(from int64, dst []int16) int {
	if left := l.end - from; left < int64(len(dst)) {
		dst = dst[:max(left, 0)]
	}
	return l.Source.Samples(from, dst)
}

// loop repeats a recording without end.
type loop []int16

func (l loop) Samples(from int64, dst []int16) int {
	for i := range dst {
		dst[i] = l[(from+int64(i))%int64(len(l))]
	}
	return len(dst)
}

// clipped is a recording that ends.
type clipped []int16

func (c clipped) Samples(from int64, dst []int16) int {
	if from >= int64(len(c)) {
		return 0
	}
	return copy(dst, c[from:])
}
