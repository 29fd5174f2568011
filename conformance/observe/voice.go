package observe

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"strings"

	"github.com/siprecd/siprecd/conformance/src"
)

const (
	// Frame is how many samples a packet of a voice has: 20 ms at 8 kHz (RFC 3551
	// §4.2).
	Frame = 160
	// markA and markB are the code words of G.711 with which each packet begins, in
	// turn and twice. They are nowhere else in it.
	markA, markB = 0x00, 0x01
	// headWords is the length of the mark, of 3 words each for call and packet, of one
	// for the party, and of 2 that guard them.
	headWords = 4 + 3 + 1 + 3 + 2
	// MaxCalls, MaxParties and MaxPackets are one above the greatest number.
	MaxCalls, MaxParties, MaxPackets = 1 << 21, 1 << 7, 1 << 21
)

// A Voice is who is heard in a packet: party number Party of call number Call.
type Voice struct{ Call, Party int }

// A Code writes packets that can be recognised, in a law of G.711 as they are sent and
// in linear samples as they are written to files. It does not change.
type Code struct {
	pcm  [256]int16      // of each code word
	word map[int16]uint8 // the way back
	mark []byte          // as little-endian samples
}

// NewCode makes the code of PCMA for a codec of that name, and that of PCMU for all
// others: its samples are the same in L16.
func NewCode(codec src.Codec) (*Code, error) {
	if codec = (src.Codec{Name: strings.ToUpper(codec.Name)}); codec.Name != "PCMA" {
		codec.Name = "PCMU"
	}
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	pcm, err := src.Decode(codec, all)
	if err != nil {
		return nil, err
	}
	c := &Code{word: make(map[int16]uint8)}
	copy(c.pcm[:], pcm)
	for i, s := range pcm {
		if i != 0x7f { // in mu-law negative zero, the same sample as 0xff
			c.word[s] = uint8(i)
		}
	}
	for _, w := range []byte{markA, markB, markA, markB} {
		c.mark = binary.LittleEndian.AppendUint16(c.mark, uint16(c.pcm[w]))
	}
	return c, nil
}

// words are the code words of a packet.
func (c *Code) words(v Voice, packet int) []byte {
	b := []byte{markA, markB, markA, markB}
	b = append(number(b, v.Call, 3), 0x80|byte(v.Party))
	b = number(number(b, packet, 3), guard(v, packet), 2)
	rng := rand.New(rand.NewPCG(uint64(v.Call)<<32|uint64(v.Party), uint64(packet)))
	for len(b) < Frame {
		if w := byte(rng.Uint32()); w > markB && w != 0x7f {
			b = append(b, w)
		}
	}
	return b
}

// number writes a number, seven bits to a code word.
func number(b []byte, n, words int) []byte {
	for i := words - 1; i >= 0; i-- {
		b = append(b, 0x80|byte(n>>(7*i))&0x7f)
	}
	return b
}

// guard tells numbers from a mark that nobody wrote; it has 14 bits.
func guard(v Voice, packet int) int {
	x := uint32(v.Call)*0x9e3779b1 ^ uint32(v.Party)*0x85ebca77 ^ uint32(packet)*0xc2b2ae3d
	return int((x ^ x>>15 ^ x>>7 ^ 0x2a5b) & 0x3fff)
}

// Source is a voice without end. Packet n are its samples from n*Frame on.
func (c *Code) Source(v Voice) src.Source { return source{c, v} }

// A source is a voice without end.
type source struct {
	code  *Code
	voice Voice
}

// Samples gives the samples of whole packets; see [src.Source].
func (s source) Samples(from int64, dst []int16) int {
	for i := 0; i < len(dst); {
		packet, at := int(from+int64(i))/Frame, int(from+int64(i))%Frame
		for _, w := range s.code.words(s.voice, packet)[at:] {
			if i == len(dst) {
				break
			}
			dst[i] = s.code.pcm[w]
			i++
		}
	}
	return len(dst)
}

// A Sighting is a packet that was found.
type Sighting struct {
	Voice
	Packet int
	At     int  // octet at which it begins, from 0
	Whole  bool // all of it is as it was sent
}

// InSamples finds packets in little-endian samples of one channel.
func (c *Code) InSamples(b []byte, seen func(Sighting)) {
	for at := 0; ; {
		i := bytes.Index(b[at:], c.mark)
		if i < 0 {
			return
		}
		at += i
		c.look(func(n int) (uint8, bool) {
			w, ok := c.word[int16(binary.LittleEndian.Uint16(b[at+2*n:]))]
			return w, ok
		}, at, (len(b)-at)/2, seen)
		at += len(c.mark)
	}
}

// InWords finds packets in octets of G.711.
func (c *Code) InWords(b []byte, seen func(Sighting)) {
	mark := []byte{markA, markB, markA, markB}
	for at := 0; ; {
		i := bytes.Index(b[at:], mark)
		if i < 0 {
			return
		}
		at += i
		c.look(func(n int) (uint8, bool) { return b[at+n], true }, at, len(b)-at, seen)
		at += len(mark)
	}
}

// look reads the packet at a mark, of which so many words are there.
func (c *Code) look(word func(n int) (uint8, bool), octet, there int, seen func(Sighting)) {
	if there < headWords {
		return
	}
	at, good := 4, true
	next := func(words int) (v int) {
		for range words {
			w, ok := word(at)
			good = good && ok && w >= 0x80
			v, at = v<<7|int(w)&0x7f, at+1
		}
		return v
	}
	s := Sighting{Voice: Voice{Call: next(3), Party: next(1)}, Packet: next(3), At: octet}
	if sum := next(2); !good || sum != guard(s.Voice, s.Packet) {
		return
	}
	s.Whole = there >= Frame
	if s.Whole {
		for n, want := range c.words(s.Voice, s.Packet) {
			got, ok := word(n)
			s.Whole = s.Whole && ok && got == want
		}
	}
	seen(s)
}
