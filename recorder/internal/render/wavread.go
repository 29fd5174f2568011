package render

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/siprecd/siprecd/recorder/internal/seal"
	"github.com/siprecd/siprecd/recorder/internal/vault"
)

// ErrVerify is wrapped when a file does not read as it was written.
var ErrVerify = errors.New("file does not read as it was written")

// verify reads a file back: its header has to be that of a WAV file whose samples
// end with the file, its length and its CRC-32C have to be those of what was
// written. It returns the SHA-256 of what was read, by way of buf.
func verify(f io.ReadSeeker, size int64, sum uint32, buf []byte) (string, error) {
	r := &wavReader{in: bufio.NewReaderSize(f, 512)}
	if err := r.readHeader(); err != nil {
		return "", fmt.Errorf("verify: %w", err)
	}
	if r.begin+2*int64(r.channels)*r.samples != size {
		return "", fmt.Errorf("verify: header says %d samples: %w", r.samples, ErrVerify)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", fmt.Errorf("verify: %w", err)
	}
	h := sha256.New()
	read, got := int64(0), uint32(0)
	for {
		n, err := f.Read(buf)
		got = crc32.Update(got, castagnoli(), buf[:n])
		h.Write(buf[:n])
		read += int64(n)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", fmt.Errorf("verify: %w", err)
		}
	}
	if read != size || got != sum {
		return "", fmt.Errorf("verify: %d octets of %d: %w", read, size, ErrVerify)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
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

// A wavReader reads the samples of a 16-bit PCM file, RIFF or RF64.
type wavReader struct {
	f        *vault.Reader
	name     string
	in       *bufio.Reader
	rate     int
	channels int
	samples  int64 // of each channel, not read yet
	begin    int64 // where the samples begin
	scratch  []byte
}

// openWAV opens a mono file; key is for a sealed one.
func openWAV(path string, key *seal.Key) (*wavReader, error) {
	f, err := vault.Open(path, key)
	if err != nil {
		return nil, fmt.Errorf("read WAV: %w", err)
	}
	r := &wavReader{f: f, name: filepath.Base(path), in: bufio.NewReaderSize(f, bufferOctets)}
	err = r.readHeader()
	if err == nil && r.channels != 1 {
		err = fmt.Errorf("%d channels where one is expected", r.channels)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read %s: %w", r.name, err), f.Close())
	}
	return r, nil
}

// readHeader goes to the first sample. Chunks that are not known are skipped.
func (r *wavReader) readHeader() error {
	var riff [12]byte
	if _, err := io.ReadFull(r.in, riff[:]); err != nil {
		return err
	}
	kind := string(riff[:4])
	if kind != "RIFF" && kind != "RF64" || string(riff[8:]) != "WAVE" {
		return errors.New("not a WAV file")
	}
	r.begin = 12
	long := int64(-1) // length of the samples, from ds64
	for {
		var chunk [8]byte
		if _, err := io.ReadFull(r.in, chunk[:]); err != nil {
			return err
		}
		r.begin += 8
		size := int64(binary.LittleEndian.Uint32(chunk[4:]))
		var err error
		switch string(chunk[:4]) {
		case "data":
			return r.readData(size, long)
		case "fmt ":
			err = r.readFormat(size)
		case "ds64":
			long, err = r.readSizes(size)
		default:
			err = r.skip(size)
		}
		if err != nil {
			return err
		}
	}
}

// readData takes the length of the samples, which begin here.
func (r *wavReader) readData(size, long int64) error {
	if r.rate == 0 {
		return errors.New("no format before the samples")
	}
	if size == math.MaxUint32 && long >= 0 {
		size = long
	}
	r.samples = size / int64(2*r.channels)
	return nil
}

// head reads the first octets of a chunk and skips the rest.
func (r *wavReader) head(b []byte, size int64) error {
	if size < int64(len(b)) {
		return errors.New("short chunk")
	}
	if _, err := io.ReadFull(r.in, b); err != nil {
		return err
	}
	r.begin += int64(len(b))
	return r.skip(size - int64(len(b)))
}

func (r *wavReader) skip(octets int64) error {
	octets += octets % 2 // chunks begin at even places
	r.begin += octets
	_, err := io.CopyN(io.Discard, r.in, octets)
	return err
}

// readSizes reads the length of the samples from a ds64 chunk.
func (r *wavReader) readSizes(size int64) (int64, error) {
	var b [28]byte
	if err := r.head(b[:], size); err != nil {
		return 0, err
	}
	n := binary.LittleEndian.Uint64(b[8:])
	if n > 1<<50 {
		return 0, errors.New("sizes out of range")
	}
	return int64(n), nil
}

func (r *wavReader) readFormat(size int64) error {
	var b [16]byte
	if err := r.head(b[:], size); err != nil {
		return err
	}
	le := binary.LittleEndian
	rate, channels := le.Uint32(b[4:]), le.Uint16(b[2:])
	if le.Uint16(b[:]) != 1 || channels == 0 || channels > 2 || le.Uint16(b[14:]) != 16 || rate == 0 || rate > 192_000 {
		return errors.New("not 16-bit PCM of one or two channels")
	}
	r.rate, r.channels = int(rate), int(channels)
	return nil
}

// read appends up to n samples of a mono file to dst; none are left when it
// appends none.
func (r *wavReader) read(dst []int16, n int) ([]int16, error) {
	n = int(min(int64(n), r.samples))
	if cap(r.scratch) < 2*n {
		r.scratch = make([]byte, 2*n)
	}
	b := r.scratch[:2*n]
	if _, err := io.ReadFull(r.in, b); err != nil {
		return dst, fmt.Errorf("read %s: %w", r.name, err)
	}
	r.samples -= int64(n)
	for i := 0; i < len(b); i += 2 {
		dst = append(dst, int16(binary.LittleEndian.Uint16(b[i:])))
	}
	return dst, nil
}

func (r *wavReader) close() error { return r.f.Close() }
