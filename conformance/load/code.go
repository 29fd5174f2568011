package load

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"github.com/siprecd/siprecd/conformance/src"
)

const (
	// digits is how many code words write a number; a word carries seven bits.
	digits = 3
	// maxNumber bounds runs, streams and packets.
	maxNumber = 1 << (7 * digits)
	// codeWords is the length of mark, run, stream, packet and check.
	codeWords = 4 + 3*digits + checkWords
	// checkWords guard the numbers.
	checkWords = 2
	// ringWords is the length of the sequence that fills payloads.
	ringWords = 8192
	// markA and markB are the code words of the mark. They are nowhere else.
	markA, markB = 0x00, 0x01
)

// A code writes payloads that can be recognised, and recognises them in samples.
// After newCode it does not change.
type code struct {
	run   int
	words int    // of a payload
	ring  []byte // mu-law, ringWords and a payload more
	pcm   []byte // the same as little-endian samples of 16 bits
	mark  []byte // as samples
	word  []int16
}

// newCode makes the code of one run, a number below maxNumber, for payloads of that
// many octets of PCMU.
func newCode(run, words int) (*code, error) {
	if words < codeWords {
		return nil, fmt.Errorf("a payload of %d octets has no room for the %d that tell it", words, codeWords)
	}
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	table, err := src.Decode(src.PCMU(), all)
	if err != nil {
		return nil, err
	}
	c := &code{run: run, words: words, word: make([]int16, 1<<16)}
	for i := range c.word {
		c.word[i] = -1
	}
	for w, s := range table {
		if w != 0x7f { // negative zero, the same sample as 0xff
			c.word[uint16(s)] = int16(w)
		}
	}
	rng := rand.New(rand.NewPCG(0x5349505245430002, 7866))
	for len(c.ring) < ringWords+words {
		if w := byte(rng.Uint32()); w > markB && w != 0x7f {
			c.ring = append(c.ring, w)
		}
	}
	samples := func(words ...byte) (out []byte) {
		for _, w := range words {
			out = binary.LittleEndian.AppendUint16(out, uint16(table[w]))
		}
		return out
	}
	c.pcm, c.mark = samples(c.ring...), samples(markA, markB, markA, markB)
	return c, nil
}

// write fills dst, a payload, for a packet of a stream.
func (c *code) write(dst []byte, stream, packet int) {
	dst[0], dst[1], dst[2], dst[3] = markA, markB, markA, markB
	number(dst[4:], c.run)
	number(dst[4+digits:], stream)
	number(dst[4+2*digits:], packet)
	sum := checksum(c.run, stream, packet)
	dst[codeWords-2], dst[codeWords-1] = 0x80|byte(sum>>7)&0x7f, 0x80|byte(sum)&0x7f
	copy(dst[codeWords:c.words], c.ring[place(stream, packet):])
}

func number(dst []byte, n int) {
	dst[0], dst[1], dst[2] = 0x80|byte(n>>14)&0x7f, 0x80|byte(n>>7)&0x7f, 0x80|byte(n)&0x7f
}

// checksum tells numbers from a mark that others made.
func checksum(run, stream, packet int) int {
	x := uint32(run)*0x9e3779b1 ^ uint32(stream)*0x85ebca77 ^ uint32(packet)*0xc2b2ae3d
	return int((x ^ x>>15 ^ x>>7) & 0x3fff)
}

// place is where in the ring the rest of a payload begins.
func place(stream, packet int) int { return (stream*7919 + packet*613) % ringWords }

// read says which packet samples begin with, which are at least codeWords of 16
// bits. ok is false when they are none of a code.
func (c *code) read(pcm []byte) (run, stream, packet int, ok bool) {
	at, good := 4, true
	next := func(n int) (v int) {
		for range n {
			w := c.word[binary.LittleEndian.Uint16(pcm[2*at:])]
			good = good && w >= 0x80
			v, at = v<<7|int(w)&0x7f, at+1
		}
		return v
	}
	run, stream, packet = next(digits), next(digits), next(digits)
	sum := next(checkWords)
	return run, stream, packet, good && sum == checksum(run, stream, packet)
}

// rest is how the samples after the code have to be.
func (c *code) rest(stream, packet int) []byte {
	from := 2 * place(stream, packet)
	return c.pcm[from : from+2*(c.words-codeWords)]
}
