package codec

import (
	"math/bits"
	"slices"
)

// muLaw and aLaw are ITU-T G.711 tables 2 and 1 in 16-bit scale: the 14-bit
// values of mu-law times 4, the 13-bit values of A-law times 8.
var (
	muLaw = muLawTable()
	aLaw  = aLawTable()
)

func muLawTable() (t [256]int16) {
	for i := range t {
		code := ^byte(i) // all bits are sent inverted
		v := (int(code&0x0f)<<3+muBias)<<(code>>4&7) - muBias
		if code&0x80 != 0 {
			v = -v
		}
		t[i] = int16(v)
	}
	return t
}

func aLawTable() (t [256]int16) {
	for i := range t {
		code := byte(i) ^ 0x55 // every second bit is sent inverted
		v := int(code&0x0f)<<4 + 8
		if segment := code >> 4 & 7; segment > 0 {
			v = (v + 0x100) << (segment - 1)
		}
		if code&0x80 == 0 {
			v = -v
		}
		t[i] = int16(v)
	}
	return t
}

// g711 decodes one octet to one sample (RFC 3551 §4.5.14).
type g711 struct {
	table          *[256]int16
	rate, channels int
}

func (g *g711) Rate() int                  { return g.rate }
func (g *g711) Samples(payload []byte) int { return len(payload) / g.channels }

func (g *g711) Decode(dst []int16, payload []byte) []int16 {
	if g.channels == 1 {
		n := len(dst)
		dst = slices.Grow(dst, len(payload))[:n+len(payload)]
		g.each(dst[n:], payload)
		return dst
	}
	for ; len(payload) >= g.channels; payload = payload[g.channels:] {
		sum := 0
		for _, b := range payload[:g.channels] {
			sum += int(g.table[b])
		}
		dst = append(dst, int16(sum/g.channels))
	}
	return dst
}

// each decodes octets to as many samples: eight at a time, since that is most of what
// finishing a file of speech takes, but for its sums.
func (g *g711) each(dst []int16, payload []byte) {
	table := g.table
	for len(payload) >= 8 && len(dst) >= 8 {
		to, from := dst[:8:8], payload[:8:8]
		to[0], to[1] = table[from[0]], table[from[1]]
		to[2], to[3] = table[from[2]], table[from[3]]
		to[4], to[5] = table[from[4]], table[from[5]]
		to[6], to[7] = table[from[6]], table[from[7]]
		dst, payload = dst[8:], payload[8:]
	}
	for i, b := range payload {
		dst[i] = table[b]
	}
}

const (
	muBias = 0x84  // 33 of the 14-bit scale
	muMax  = 32635 // the largest magnitude that stays in the last segment
)

// EncodePCMU appends the mu-law octets of pcm to dst and returns it.
func EncodePCMU(dst []byte, pcm []int16) []byte {
	for _, s := range pcm {
		v, sign := int(s), byte(0)
		if v < 0 {
			v, sign = -v, 0x80
		}
		v = min(v, muMax) + muBias
		segment := bits.Len(uint(v)) - 8
		dst = append(dst, ^(sign | byte(segment)<<4 | byte(v>>(segment+3))&0x0f))
	}
	return dst
}

// EncodePCMA appends the A-law octets of pcm to dst and returns it.
func EncodePCMA(dst []byte, pcm []int16) []byte {
	for _, s := range pcm {
		v, sign := int(s), byte(0x80)
		if v < 0 {
			v, sign = ^v, 0 // the intervals below zero mirror those above
		}
		code := byte(v >> 4)
		if segment := bits.Len(uint(v)) - 8; segment > 0 {
			code = byte(segment)<<4 | byte(v>>(segment+3))&0x0f
		}
		dst = append(dst, (sign|code)^0x55)
	}
	return dst
}
