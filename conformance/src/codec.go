package src

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"strings"
)

// Encode writes 16-bit samples in a codec: PCMU, PCMA (ITU-T G.711) or L16
// (RFC 3551 §4.5.11).
func Encode(c Codec, pcm []int16) ([]byte, error) {
	switch strings.ToUpper(c.Name) {
	case "PCMU":
		out := make([]byte, len(pcm))
		for i, x := range pcm {
			out[i] = muLaw(x)
		}
		return out, nil
	case "PCMA":
		out := make([]byte, len(pcm))
		for i, x := range pcm {
			out[i] = aLaw(x)
		}
		return out, nil
	case "L16":
		out := make([]byte, 0, 2*len(pcm))
		for _, x := range pcm {
			out = binary.BigEndian.AppendUint16(out, uint16(x))
		}
		return out, nil
	}
	return nil, fmt.Errorf("codec %q cannot be encoded", c.Name)
}

// Decode is the inverse of Encode, as an oracle that shares nothing with the
// server's decoders.
func Decode(c Codec, payload []byte) ([]int16, error) {
	switch strings.ToUpper(c.Name) {
	case "PCMU":
		out := make([]int16, len(payload))
		for i, b := range payload {
			out[i] = fromMuLaw(b)
		}
		return out, nil
	case "PCMA":
		out := make([]int16, len(payload))
		for i, b := range payload {
			out[i] = fromALaw(b)
		}
		return out, nil
	case "L16":
		out := make([]int16, len(payload)/2)
		for i := range out {
			out[i] = int16(binary.BigEndian.Uint16(payload[2*i:]))
		}
		return out, nil
	}
	return nil, fmt.Errorf("codec %q cannot be decoded", c.Name)
}

// sampleSize is the number of octets of one sample.
func sampleSize(c Codec) (int, error) {
	switch strings.ToUpper(c.Name) {
	case "PCMU", "PCMA":
		return 1, nil
	case "L16":
		return 2, nil
	}
	return 0, fmt.Errorf("codec %q has no fixed sample size here", c.Name)
}

const muBias = 132

// muLaw follows the segment formula of G.711: eight segments whose steps
// double, code words inverted.
func muLaw(x int16) byte {
	v, sign := int(x), byte(0)
	if v < 0 {
		v, sign = -v, 0x80
	}
	v = min(v, 32635) + muBias
	segment := bits.Len(uint(v)) - 8
	return ^(sign | byte(segment)<<4 | byte(v>>(segment+3))&0x0f)
}

func fromMuLaw(b byte) int16 {
	b = ^b
	v := (int(b&0x0f)<<3+muBias)<<(b>>4&7) - muBias
	if b&0x80 != 0 {
		return int16(-v)
	}
	return int16(v)
}

// aLaw has a linear first segment; even bits are inverted on the line.
func aLaw(x int16) byte {
	v, sign := int(x), byte(0x80)
	if v < 0 {
		v, sign = -v-1, 0
	}
	var code byte
	if v < 256 {
		code = byte(v >> 4)
	} else {
		segment := bits.Len(uint(v)) - 8
		code = byte(segment)<<4 | byte(v>>(segment+3))&0x0f
	}
	return (code | sign) ^ 0x55
}

func fromALaw(b byte) int16 {
	b ^= 0x55
	v := int(b&0x0f)<<4 + 8
	if segment := b >> 4 & 7; segment > 0 {
		v = (v + 256) << (segment - 1)
	}
	if b&0x80 == 0 {
		return int16(-v)
	}
	return int16(v)
}
