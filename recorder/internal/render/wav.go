package render

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/siprecd/siprecd/recorder/internal/seal"
	"github.com/siprecd/siprecd/recorder/internal/vault"
)

const (
	// wavHeader is the length of a RIFF header, rf64Header that of one with
	// 64-bit sizes (EBU Tech 3306 §3).
	wavHeader  = 44
	rf64Header = 80
	// maxRIFF is the largest size that the 32 bits of a RIFF header can say.
	maxRIFF = math.MaxUint32
	// bufferOctets is what is written with one call: memory for a file is found the
	// quicker the more of it is asked for at a time.
	bufferOctets = 256 << 10
	// holeOctets of silence are not written.
	holeOctets = 64 << 10
	// backOctets is what is read with one call.
	backOctets = 64 << 10
)

// A wavWriter writes a 16-bit PCM file of a length that is known before: a RIFF
// file, or an RF64 file when it would pass 4 GiB. The file has its name only when
// it is whole. Long silence takes no room on disk where files may have holes.
type wavWriter struct {
	f    *vault.File
	work *workspace
	buf  []byte // to be written at at
	at   int64
	sum  uint32 // CRC-32C of all octets so far
	left int64  // samples that must still come, of all channels
	size int64  // of the file when it is whole
}

// createWAV begins a file of so many samples per channel. limit is the largest
// RIFF file, [maxRIFF] but in tests. key is for a file whose name says that it is
// sealed.
func createWAV(path string, key *seal.Key, rate, channels int, samples, limit int64) (*wavWriter, error) {
	return new(workspace).createWAV(path, key, rate, channels, samples, limit)
}

// createWAV is the function of that name; it takes the buffers of the workspace until the
// file is whole.
func (w *workspace) createWAV(path string, key *seal.Key, rate, channels int, samples, limit int64) (*wavWriter, error) {
	f, err := vault.Create(path, key)
	if err != nil {
		return nil, fmt.Errorf("write WAV: %w", err)
	}
	octets := samples * 2 * int64(channels)
	out := &wavWriter{f: f, left: samples * int64(channels), work: w, buf: w.octets()}
	out.buf = appendWAVHeader(out.buf, rate, channels, octets, limit)
	out.size = int64(len(out.buf)) + octets
	return out, nil
}

// appendWAVHeader appends what stands before so many octets of samples.
func appendWAVHeader(b []byte, rate, channels int, octets, limit int64) []byte {
	le := binary.LittleEndian
	short := func(n int64) uint32 { return uint32(min(n, math.MaxUint32)) }
	if octets+wavHeader > limit {
		b = append(b, "RF64\xff\xff\xff\xffWAVEds64"...)
		b = le.AppendUint32(b, 28)
		b = le.AppendUint64(b, uint64(octets+rf64Header-8))
		b = le.AppendUint64(b, uint64(octets))
		b = le.AppendUint64(b, uint64(octets/int64(2*channels))) // samples of each channel
		b = le.AppendUint32(b, 0)                                // no other chunk is as long
		octets = math.MaxUint32                                  // ds64 says it
	} else {
		b = append(b, "RIFF"...)
		b = le.AppendUint32(b, short(octets+wavHeader-8))
		b = append(b, "WAVE"...)
	}
	b = append(b, "fmt "...)
	b = le.AppendUint32(b, 16)
	b = le.AppendUint16(b, 1) // PCM
	b = le.AppendUint16(b, uint16(channels))
	b = le.AppendUint32(b, uint32(rate))
	b = le.AppendUint32(b, uint32(rate*channels*2))
	b = le.AppendUint16(b, uint16(channels*2))
	b = le.AppendUint16(b, 16)
	b = append(b, "data"...)
	return le.AppendUint32(b, short(octets))
}

// write appends samples, interleaved.
func (w *wavWriter) write(pcm []int16) error {
	w.left -= int64(len(pcm))
	for len(pcm) > 0 {
		room := (cap(w.buf) - len(w.buf)) / 2
		n := min(room, len(pcm))
		w.buf = appendSamples(w.buf, pcm[:n])
		if pcm = pcm[n:]; n == room { // an odd octet may be left
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// silence appends samples that are 0.
func (w *wavWriter) silence(samples int64) error {
	w.left -= samples
	for octets := 2 * samples; octets > 0; {
		n := int(min(octets, int64(cap(w.buf)-len(w.buf))))
		w.buf = w.buf[:len(w.buf)+n]
		clear(w.buf[len(w.buf)-n:])
		if octets -= int64(n); len(w.buf) == cap(w.buf) {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// castagnoli gives the one table of the process each time.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// flush writes what waits. Silence is left out of the file: it is a hole.
func (w *wavWriter) flush() error {
	w.sum = crc32.Update(w.sum, castagnoli(), w.buf)
	for b := w.buf; len(b) > 0; {
		n := sounding(b)
		if n == 0 {
			n = min(len(b), holeOctets)
		} else if _, err := w.f.WriteAt(b[:n], w.at); err != nil {
			return fmt.Errorf("write WAV: %w", err)
		}
		w.at, b = w.at+int64(n), b[n:]
	}
	w.buf = w.buf[:0]
	return nil
}

// sounding is how many octets are to be written before the next hole.
func sounding(b []byte) (n int) {
	for n < len(b) {
		next := b[n:min(len(b), n+holeOctets)]
		if silent(next) {
			break
		}
		n += len(next)
	}
	return n
}

// silent reports whether all octets are 0.
func silent(b []byte) bool {
	for len(b) >= 8 {
		if binary.LittleEndian.Uint64(b) != 0 {
			return false
		}
		b = b[8:]
	}
	for _, o := range b {
		if o != 0 {
			return false
		}
	}
	return true
}

// commit gives the file its name, reads it back and returns its SHA-256. It is
// durable when the folder is.
func (w *wavWriter) commit() (string, error) {
	err := w.flush()
	if err == nil && w.left != 0 {
		err = fmt.Errorf("write WAV: %d samples short", w.left)
	}
	if err == nil {
		err = w.f.End(w.size) // it may end with a hole
	}
	if err != nil {
		return "", errors.Join(err, w.abort())
	}
	sum, err := w.verify()
	if err != nil {
		return "", errors.Join(fmt.Errorf("write WAV: %w", err), w.abort())
	}
	if err := w.f.Commit(); err != nil {
		return "", fmt.Errorf("write WAV: %w", err)
	}
	return sum, nil
}

// verify reads back what was written.
func (w *wavWriter) verify() (string, error) {
	back, err := w.f.Back()
	if err != nil {
		return "", fmt.Errorf("verify: %w", err)
	}
	sum, err := verify(back, w.size, w.sum, w.work.readBack())
	return sum, errors.Join(err, back.Close())
}

// abort leaves nothing behind.
func (w *wavWriter) abort() error { return w.f.Abort() }
