package policy

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"

	"github.com/siprecd/siprecd/conformance/src"
)

const (
	// frame is how many samples a packet has: 20 ms at 8 kHz (RFC 3551 §4.2).
	frame = 160
	// markA and markB are the code words of mu-law with which each packet begins, in
	// turn and twice. They are nowhere else in it.
	markA, markB = 0x00, 0x01
	// headWords is the length of the mark, of 3 words each for call and packet, of one
	// for the party, and of 2 that guard them.
	headWords = 4 + 3 + 1 + 3 + 2
	// maxCalls, maxParties and maxPackets are one above the greatest number.
	maxCalls, maxParties, maxPackets = 1 << 21, 1 << 7, 1 << 21
)

// A Voice is who is heard in a packet: party number Party of call number Call.
type Voice struct{ Call, Party int }

// A code writes packets that can be recognised, in mu-law as they are sent and in
// linear samples as they are written to files. It does not change.
type code struct {
	pcm  [256]int16      // of each code word
	word map[int16]uint8 // the way back
	mark []byte          // as little-endian samples
}

func newCode() (*code, error) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	pcm, err := src.Decode(src.PCMU(), all)
	if err != nil {
		return nil, err
	}
	c := &code{word: make(map[int16]uint8)}
	copy(c.pcm[:], pcm)
	for i, s := range pcm {
		if i != 0x7f { // negative zero is the same sample as 0xff
			c.word[s] = uint8(i)
		}
	}
	for _, w := range []byte{markA, markB, markA, markB} {
		c.mark = binary.LittleEndian.AppendUint16(c.mark, uint16(c.pcm[w]))
	}
	return c, nil
}

// words are the code words of a packet.
func (c *code) words(v Voice, packet int) []byte {
	b := []byte{markA, markB, markA, markB}
	b = append(number(b, v.Call, 3), 0x80|byte(v.Party))
	b = number(number(b, packet, 3), guard(v, packet), 2)
	rng := rand.New(rand.NewPCG(uint64(v.Call)<<32|uint64(v.Party), uint64(packet)))
	for len(b) < frame {
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

// A source is a voice without end.
type source struct {
	code  *code
	voice Voice
}

// Samples gives the samples of whole packets; see [src.Source].
func (s source) Samples(from int64, dst []int16) int {
	for i := 0; i < len(dst); {
		packet, at := int(from+int64(i))/frame, int(from+int64(i))%frame
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

// A sighting is a packet that was found.
type sighting struct {
	Voice
	packet int
	whole  bool // all of it is as it was sent
}

// inSamples finds packets in little-endian samples of one channel.
func (c *code) inSamples(b []byte, seen func(sighting)) {
	for at := 0; ; {
		i := bytes.Index(b[at:], c.mark)
		if i < 0 {
			return
		}
		at += i
		c.look(func(n int) (uint8, bool) {
			w, ok := c.word[int16(binary.LittleEndian.Uint16(b[at+2*n:]))]
			return w, ok
		}, (len(b)-at)/2, seen)
		at += len(c.mark)
	}
}

// inWords finds packets in mu-law.
func (c *code) inWords(b []byte, seen func(sighting)) {
	mark := []byte{markA, markB, markA, markB}
	for at := 0; ; {
		i := bytes.Index(b[at:], mark)
		if i < 0 {
			return
		}
		at += i
		c.look(func(n int) (uint8, bool) { return b[at+n], true }, len(b)-at, seen)
		at += len(mark)
	}
}

// look reads the packet at a mark, of which so many words are there.
func (c *code) look(word func(n int) (uint8, bool), there int, seen func(sighting)) {
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
	s := sighting{Voice: Voice{Call: next(3), Party: next(1)}, packet: next(3)}
	if sum := next(2); !good || sum != guard(s.Voice, s.packet) {
		return
	}
	s.whole = there >= frame
	if s.whole {
		for n, want := range c.words(s.Voice, s.packet) {
			got, ok := word(n)
			s.whole = s.whole && ok && got == want
		}
	}
	seen(s)
}
