package load

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/siprecd/siprecd/conformance/src"
)

// Formats of WAV files that can be searched (RFC 2361).
const (
	formatPCM        = 1
	formatMuLaw      = 7
	formatExtensible = 0xfffe
)

// A layout is what the header of a WAV file says of its samples.
type layout struct {
	format   int
	channels int
	rate     int // Hz
	bits     int // of a sample
}

// errNotWAV says that a file is no WAV file, or not yet one.
var errNotWAV = errors.New("not a WAV file")

// openWAV reads up to the samples of a RIFF or RF64 file. Behind it, r gives samples:
// length octets of them, or all that come when length is below 0.
func openWAV(r io.Reader) (l layout, length int64, err error) {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return l, 0, errNotWAV
	}
	if kind := string(head[:4]); kind != "RIFF" && kind != "RF64" || string(head[8:]) != "WAVE" {
		return l, 0, errNotWAV
	}
	for {
		var chunk [8]byte
		if _, err := io.ReadFull(r, chunk[:]); err != nil {
			return l, 0, errNotWAV
		}
		size := int64(binary.LittleEndian.Uint32(chunk[4:]))
		switch string(chunk[:4]) {
		case "data":
			if l.channels == 0 {
				return l, 0, errNotWAV
			}
			if size == 0 || size == 0xffffffff { // not known yet, or longer than can be said
				size = -1
			}
			return l, size, l.check()
		case "fmt ":
			if size < 16 || size > 1024 {
				return l, 0, errNotWAV
			}
			b := make([]byte, size+size%2)
			if _, err := io.ReadFull(r, b); err != nil {
				return l, 0, errNotWAV
			}
			l.read(b)
		default:
			if _, err := io.CopyN(io.Discard, r, size+size%2); err != nil {
				return l, 0, errNotWAV
			}
		}
	}
}

func (l *layout) read(b []byte) {
	l.format, l.channels = int(binary.LittleEndian.Uint16(b)), int(binary.LittleEndian.Uint16(b[2:]))
	l.rate, l.bits = int(binary.LittleEndian.Uint32(b[4:])), int(binary.LittleEndian.Uint16(b[14:]))
	if l.format == formatExtensible && len(b) >= 26 {
		l.format = int(binary.LittleEndian.Uint16(b[24:]))
	}
}

func (l layout) check() error {
	known := l.format == formatPCM && l.bits == 16 || l.format == formatMuLaw && l.bits == 8
	if !known || l.channels < 1 || l.channels > 64 || l.rate != 8000 {
		return fmt.Errorf("%d channels of format %d with %d bits at %d Hz cannot be searched", l.channels, l.format, l.bits, l.rate)
	}
	return nil
}

// blockOctets is how much of a file is read at a time, at most.
const blockOctets = 256 << 10

// eachChannel reads the samples and gives the pieces of each channel, little-endian of
// 16 bits, to take. A frame that is not complete is left out.
func (l layout) eachChannel(r io.Reader, length int64, take func(channel int, pcm []byte)) error {
	frame := l.channels * l.bits / 8
	size := int64(blockOctets - blockOctets%frame)
	if length >= 0 {
		r = io.LimitReader(r, length)
		size = min(size, length-length%int64(frame)+int64(frame))
	}
	block := make([]byte, size)
	var single []byte
	for {
		n, err := io.ReadFull(r, block)
		got := block[:n-n%frame]
		if l.format == formatMuLaw {
			pcm, bad := src.Decode(src.PCMU(), got)
			if bad != nil {
				return bad
			}
			wide := make([]byte, 0, 2*len(pcm))
			for _, s := range pcm {
				wide = binary.LittleEndian.AppendUint16(wide, uint16(s))
			}
			got = wide
		}
		if l.channels == 1 {
			take(0, got)
		} else {
			for c := range l.channels {
				single = single[:0]
				for i := 2 * c; i+1 < len(got); i += 2 * l.channels {
					single = append(single, got[i], got[i+1])
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
