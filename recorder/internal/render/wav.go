package render

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"os"
	"path/filepath"
)

// ErrTooLong is wrapped when a file would not fit in the 4 GiB that a RIFF file
// can say it has.
var ErrTooLong = errors.New("longer than a WAV file can be")

const wavHeader = 44

// A wavWriter writes a 16-bit PCM file of a length that is known before. The
// file has its name only when it is whole and durable.
type wavWriter struct {
	f       *os.File
	path    string
	sum     hash.Hash
	to      io.Writer
	left    int64 // samples that must still come, of all channels
	scratch []byte
}

// createWAV begins a file of so many samples per channel.
func createWAV(path string, rate, channels int, samples int64) (*wavWriter, error) {
	octets := samples * 2 * int64(channels)
	if octets > math.MaxUint32-wavHeader {
		return nil, fmt.Errorf("write %s: %d samples: %w", filepath.Base(path), samples, ErrTooLong)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, fmt.Errorf("write WAV: %w", err)
	}
	w := &wavWriter{f: f, path: path, sum: sha256.New(), left: samples * int64(channels)}
	w.to = io.MultiWriter(f, w.sum)
	if _, err := w.to.Write(appendWAVHeader(nil, rate, channels, uint32(octets))); err != nil {
		return nil, errors.Join(fmt.Errorf("write WAV: %w", err), w.abort())
	}
	return w, nil
}

func appendWAVHeader(b []byte, rate, channels int, octets uint32) []byte {
	le := binary.LittleEndian
	b = append(b, "RIFF"...)
	b = le.AppendUint32(b, octets+wavHeader-8)
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, 16)
	b = le.AppendUint16(b, 1) // PCM
	b = le.AppendUint16(b, uint16(channels))
	b = le.AppendUint32(b, uint32(rate))
	b = le.AppendUint32(b, uint32(rate*channels*2))
	b = le.AppendUint16(b, uint16(channels*2))
	b = le.AppendUint16(b, 16)
	b = append(b, "data"...)
	return le.AppendUint32(b, octets)
}

// write appends samples, interleaved.
func (w *wavWriter) write(pcm []int16) error {
	w.scratch = w.scratch[:0]
	for _, s := range pcm {
		w.scratch = binary.LittleEndian.AppendUint16(w.scratch, uint16(s))
	}
	w.left -= int64(len(pcm))
	if _, err := w.to.Write(w.scratch); err != nil {
		return fmt.Errorf("write WAV: %w", err)
	}
	return nil
}

// commit makes the file durable, gives it its name and returns its SHA-256. The name
// is durable after [syncDir].
func (w *wavWriter) commit() (string, error) {
	if w.left != 0 {
		return "", errors.Join(fmt.Errorf("write WAV: %d samples short", w.left), w.abort())
	}
	if err := w.f.Sync(); err != nil {
		return "", errors.Join(fmt.Errorf("write WAV: %w", err), w.abort())
	}
	temporary := w.f.Name()
	if err := w.f.Close(); err != nil {
		return "", errors.Join(fmt.Errorf("write WAV: %w", err), os.Remove(temporary))
	}
	if err := os.Rename(temporary, w.path); err != nil {
		return "", errors.Join(fmt.Errorf("write WAV: %w", err), os.Remove(temporary))
	}
	return hex.EncodeToString(w.sum.Sum(nil)), nil
}

// abort leaves nothing behind.
func (w *wavWriter) abort() error {
	return errors.Join(w.f.Close(), os.Remove(w.f.Name()))
}

// syncDir makes the new names in a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("write WAV: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("write WAV: %w", err)
	}
	return nil
}

// A wavReader reads the samples of a mono 16-bit PCM file.
type wavReader struct {
	f       *os.File
	in      *bufio.Reader
	rate    int
	samples int64 // not read yet
	scratch []byte
}

func openWAV(path string) (*wavReader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read WAV: %w", err)
	}
	r := &wavReader{f: f, in: bufio.NewReaderSize(f, 64<<10)}
	if err := r.readHeader(); err != nil {
		return nil, errors.Join(fmt.Errorf("read %s: %w", filepath.Base(path), err), f.Close())
	}
	return r, nil
}

// readHeader goes to the first sample. Chunks that are not known are skipped.
func (r *wavReader) readHeader() error {
	var riff [12]byte
	if _, err := io.ReadFull(r.in, riff[:]); err != nil {
		return err
	}
	if string(riff[:4]) != "RIFF" || string(riff[8:]) != "WAVE" {
		return errors.New("not a WAV file")
	}
	for {
		var chunk [8]byte
		if _, err := io.ReadFull(r.in, chunk[:]); err != nil {
			return err
		}
		size := int64(binary.LittleEndian.Uint32(chunk[4:]))
		switch string(chunk[:4]) {
		case "data":
			if r.rate == 0 {
				return errors.New("no format before the samples")
			}
			r.samples = size / 2
			return nil
		case "fmt ":
			var b [16]byte
			if size < 16 {
				return errors.New("short format")
			}
			if _, err := io.ReadFull(r.in, b[:]); err != nil {
				return err
			}
			if err := r.readFormat(b[:]); err != nil {
				return err
			}
			size -= 16
		}
		if _, err := r.in.Discard(int(size + size%2)); err != nil {
			return err
		}
	}
}

func (r *wavReader) readFormat(b []byte) error {
	le := binary.LittleEndian
	rate := le.Uint32(b[4:])
	if le.Uint16(b) != 1 || le.Uint16(b[2:]) != 1 || le.Uint16(b[14:]) != 16 || rate == 0 || rate > 192_000 {
		return errors.New("not mono 16-bit PCM")
	}
	r.rate = int(rate)
	return nil
}

// read appends up to n samples to dst; none are left when it appends none.
func (r *wavReader) read(dst []int16, n int) ([]int16, error) {
	n = int(min(int64(n), r.samples))
	if cap(r.scratch) < 2*n {
		r.scratch = make([]byte, 2*n)
	}
	b := r.scratch[:2*n]
	if _, err := io.ReadFull(r.in, b); err != nil {
		return dst, fmt.Errorf("read %s: %w", filepath.Base(r.f.Name()), err)
	}
	r.samples -= int64(n)
	for i := 0; i < len(b); i += 2 {
		dst = append(dst, int16(binary.LittleEndian.Uint16(b[i:])))
	}
	return dst, nil
}

func (r *wavReader) close() error { return r.f.Close() }
