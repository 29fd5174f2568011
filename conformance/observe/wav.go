package observe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/siprecd/siprecd/conformance/src"
)

// Formats of WAV files (RFC 2361).
const (
	FormatPCM        = 1
	FormatFloat      = 3
	FormatALaw       = 6
	FormatMuLaw      = 7
	formatExtensible = 0xfffe
)

// A WAV is what the header of a WAV file says of its samples.
type WAV struct {
	Format   int
	Channels int
	Rate     int // Hz
	Bits     int // of a sample
}

// ErrNotWAV says that a file is no WAV file, or not yet one.
var ErrNotWAV = errors.New("not a WAV file")

// OpenWAV reads up to the samples of a RIFF or RF64 file. Behind it, r gives samples:
// length octets of them, or all that come when length is below 0. An error other than
// [ErrNotWAV] says that the samples are of a form that cannot be read.
func OpenWAV(r io.Reader) (w WAV, length int64, err error) {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return w, 0, ErrNotWAV
	}
	if kind := string(head[:4]); kind != "RIFF" && kind != "RF64" || string(head[8:]) != "WAVE" {
		return w, 0, ErrNotWAV
	}
	for {
		var chunk [8]byte
		if _, err := io.ReadFull(r, chunk[:]); err != nil {
			return w, 0, ErrNotWAV
		}
		size := int64(binary.LittleEndian.Uint32(chunk[4:]))
		switch string(chunk[:4]) {
		case "data":
			if w.Channels == 0 {
				return w, 0, ErrNotWAV
			}
			if size == 0 || size == 0xffffffff { // not known yet, or longer than can be said
				size = -1
			}
			return w, size, w.check()
		case "fmt ":
			if size < 16 || size > 1024 {
				return w, 0, ErrNotWAV
			}
			b := make([]byte, size+size%2)
			if _, err := io.ReadFull(r, b); err != nil {
				return w, 0, ErrNotWAV
			}
			w.read(b)
		default:
			if _, err := io.CopyN(io.Discard, r, size+size%2); err != nil {
				return w, 0, ErrNotWAV
			}
		}
	}
}

func (w *WAV) read(b []byte) {
	w.Format, w.Channels = int(binary.LittleEndian.Uint16(b)), int(binary.LittleEndian.Uint16(b[2:]))
	w.Rate, w.Bits = int(binary.LittleEndian.Uint32(b[4:])), int(binary.LittleEndian.Uint16(b[14:]))
	if w.Format == formatExtensible && len(b) >= 26 {
		w.Format = int(binary.LittleEndian.Uint16(b[24:]))
	}
}

func (w WAV) check() error {
	if w.decoder() == nil || w.Channels < 1 || w.Channels > 64 || w.Rate < 1000 || w.Rate > 384000 {
		return fmt.Errorf("%d channels of format %d with %d bits at %d Hz cannot be read", w.Channels, w.Format, w.Bits, w.Rate)
	}
	return nil
}

// decoder makes 16 bits of one sample; nil for a form that is not known.
func (w WAV) decoder() func(b []byte) int16 {
	switch [2]int{w.Format, w.Bits} {
	case [2]int{FormatPCM, 16}:
		return func(b []byte) int16 { return int16(binary.LittleEndian.Uint16(b)) }
	case [2]int{FormatPCM, 24}:
		return func(b []byte) int16 { return int16(binary.LittleEndian.Uint16(b[1:])) }
	case [2]int{FormatPCM, 32}:
		return func(b []byte) int16 { return int16(binary.LittleEndian.Uint16(b[2:])) }
	case [2]int{FormatFloat, 32}:
		return func(b []byte) int16 {
			x := float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
			return int16(math.Round(min(max(x*32768, -32768), 32767)))
		}
	case [2]int{FormatMuLaw, 8}:
		return lawOf(src.PCMU())
	case [2]int{FormatALaw, 8}:
		return lawOf(src.PCMA())
	}
	return nil
}

// lawOf decodes a law of G.711.
func lawOf(codec src.Codec) func(b []byte) int16 {
	c, err := NewCode(codec)
	if err != nil {
		return nil
	}
	return func(b []byte) int16 { return c.pcm[b[0]] }
}

// blockOctets is how much of a file is read at a time, at most.
const blockOctets = 256 << 10

// EachChannel reads the samples and gives the pieces of each channel, from 0,
// little-endian of 16 bits, to take. A frame that is not complete is left out.
func (w WAV) EachChannel(r io.Reader, length int64, take func(channel int, pcm []byte)) error {
	sample := w.Bits / 8
	frame := w.Channels * sample
	size := int64(blockOctets - blockOctets%frame)
	if length >= 0 {
		r = io.LimitReader(r, length)
		size = min(size, length-length%int64(frame)+int64(frame))
	}
	block, decode := make([]byte, size), w.decoder()
	linear := w.Format == FormatPCM && w.Bits == 16
	var single []byte
	for {
		n, err := io.ReadFull(r, block)
		got := block[:n-n%frame]
		if w.Channels == 1 && linear {
			take(0, got)
		} else {
			for c := range w.Channels {
				single = single[:0]
				for i := c * sample; i < len(got); i += frame {
					single = binary.LittleEndian.AppendUint16(single, uint16(decode(got[i:])))
				}
				take(c, single)
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
