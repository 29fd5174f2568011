// Package vault writes and reads the files of a recording, in the clear or sealed
// under its key. The name tells: one that ends in [Suffix] is sealed.
//
// A sealed file begins with 8 octets that name its form and a random salt; what
// follows is DARE 2.0 (package sio): AES-256-GCM over 64 KiB at a time under a key
// of that file alone, readable from any place. A changed, exchanged, shortened or
// renamed file does not open.
package vault

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/minio/sio"

	"github.com/siprecd/siprecd/recorder/internal/seal"
)

// Suffix ends the name of a sealed file.
const Suffix = ".sealed"

// Errors that a caller decides by.
var (
	// ErrKey: the file is sealed and there is no key for it.
	ErrKey = errors.New("file is sealed, and its key is not there")
	// ErrDamaged: the file is not as it was written, or of another recording.
	ErrDamaged = errors.New("sealed file is damaged, or not what its name says")
)

const (
	form     = "SIPRECF1"
	preamble = len(form) + seal.EpochSize
	// end follows the content, so that there is something to seal of an empty file.
	end = 1
)

// IsSealed reports whether a file of that name is sealed.
func IsSealed(name string) bool { return strings.HasSuffix(name, Suffix) }

// Name is what a file is called on disk: with a key its name tells that it is sealed.
func Name(name string, key *seal.Key) string {
	if key == nil || IsSealed(name) {
		return name
	}
	return name + Suffix
}

// ClearName is what the file would be called in the clear.
func ClearName(name string) string { return strings.TrimSuffix(name, Suffix) }

// config is how a file of that name is sealed.
func config(key *seal.Key, path string, salt []byte) (sio.Config, error) {
	if key == nil {
		return sio.Config{}, fmt.Errorf("%s: %w", filepath.Base(path), ErrKey)
	}
	b, err := key.FileKey(filepath.Base(path), salt)
	return sio.Config{MinVersion: sio.Version20, MaxVersion: sio.Version20, CipherSuites: []byte{sio.AES_256_GCM}, Key: b}, err
}

// A File is being written. It has its name only after [File.Commit].
type File struct {
	f    *os.File
	path string
	key  *seal.Key
	out  io.WriteCloser // seals; nil in the clear
	at   int64          // up to where it was written
}

// Create begins a file. key is only asked for when the name says that it is sealed.
func Create(path string, key *seal.Key) (*File, error) {
	w := &File{path: path, key: key}
	salt := make([]byte, seal.EpochSize)
	var how sio.Config
	if IsSealed(path) {
		if _, err := rand.Read(salt); err != nil {
			return nil, err
		}
		var err error
		if how, err = config(key, path, salt); err != nil {
			return nil, err
		}
		defer clear(how.Key)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, err
	}
	w.f = f
	if !IsSealed(path) {
		return w, nil
	}
	_, err = f.Write(append([]byte(form), salt...))
	if err == nil {
		w.out, err = sio.EncryptWriter(struct{ io.Writer }{f}, how) // it would close the file
	}
	if err != nil {
		return nil, errors.Join(err, w.Abort())
	}
	return w, nil
}

// WriteAt writes at a place that is not before the end of what was written; what
// is left out reads as zeros.
func (w *File) WriteAt(b []byte, at int64) (int, error) {
	if at < w.at {
		return 0, errors.New("write goes back")
	}
	if w.out == nil {
		n, err := w.f.WriteAt(b, at)
		w.at = at + int64(n)
		return n, err
	}
	if err := w.zeros(at); err != nil {
		return 0, err
	}
	n, err := w.out.Write(b)
	w.at += int64(n)
	return n, err
}

// Write writes behind what was written.
func (w *File) Write(b []byte) (int, error) { return w.WriteAt(b, w.at) }

// zeros seals zeros up to a place: a sealed file has no holes.
func (w *File) zeros(to int64) error {
	var none [4 << 10]byte
	for w.at < to {
		n, err := w.out.Write(none[:min(to-w.at, int64(len(none)))])
		w.at += int64(n)
		if err != nil {
			return err
		}
	}
	return nil
}

// End makes the file so long, which is not less than was written. Nothing is
// written after it.
func (w *File) End(size int64) error {
	if w.out == nil {
		return w.f.Truncate(size)
	}
	if err := w.zeros(size); err != nil {
		return err
	}
	if _, err := w.out.Write([]byte{end}); err != nil {
		return err
	}
	return w.out.Close()
}

// Back opens what was written, for reading, after [File.End].
func (w *File) Back() (*Reader, error) { return open(w.f.Name(), w.path, w.key) }

// Sync makes the content durable.
func (w *File) Sync() error { return w.f.Sync() }

// Commit gives the file its name. That is durable when the folder is.
func (w *File) Commit() error {
	if err := w.f.Close(); err != nil {
		return errors.Join(err, os.Remove(w.f.Name()))
	}
	if err := os.Rename(w.f.Name(), w.path); err != nil {
		return errors.Join(err, os.Remove(w.f.Name()))
	}
	return nil
}

// Abort leaves nothing behind.
func (w *File) Abort() error { return errors.Join(w.f.Close(), os.Remove(w.f.Name())) }

// A Reader reads a file, in order or from any place. It is for one goroutine.
type Reader struct {
	*io.SectionReader
	f *os.File
	// begin gives the content from its beginning, in order: reading from any place
	// opens pieces of 64 KiB twice. It is nil in the clear.
	begin   func() (io.Reader, error)
	inOrder io.Reader // nil after a Seek elsewhere
	secret  []byte    // that begin works with
}

// Read reads on.
func (r *Reader) Read(b []byte) (int, error) {
	if r.inOrder != nil {
		return r.inOrder.Read(b)
	}
	return r.SectionReader.Read(b)
}

// Seek goes to a place from the beginning or the end.
func (r *Reader) Seek(at int64, whence int) (int64, error) {
	if whence == io.SeekCurrent {
		return 0, errors.New("seek from where it is")
	}
	place, err := r.SectionReader.Seek(at, whence)
	r.inOrder = nil
	if err == nil && place == 0 && r.begin != nil {
		r.inOrder, err = r.begin()
	}
	return place, err
}

// Open opens a file. Of a sealed one the last piece is read at once: a wrong key
// and a shortened file show here. The error may wrap [ErrKey] or [ErrDamaged].
func Open(path string, key *seal.Key) (*Reader, error) { return open(path, path, key) }

// open opens a file that may not have its name yet.
func open(at, path string, key *seal.Key) (*Reader, error) {
	f, err := os.Open(at)
	if err != nil {
		return nil, err
	}
	r, err := section(f, path, key)
	if err == nil {
		_, err = r.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return r, nil
}

func section(f *os.File, path string, key *seal.Key) (*Reader, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !IsSealed(path) {
		return &Reader{SectionReader: io.NewSectionReader(f, 0, info.Size()), f: f}, nil
	}
	damaged := fmt.Errorf("%s: %w", filepath.Base(path), ErrDamaged)
	head := make([]byte, preamble)
	if _, err := f.ReadAt(head, 0); err != nil || !bytes.HasPrefix(head, []byte(form)) {
		return nil, damaged
	}
	how, err := config(key, path, head[len(form):])
	if err != nil {
		return nil, err
	}
	size, err := sio.DecryptedSize(uint64(info.Size()) - uint64(preamble))
	if err != nil {
		return nil, damaged
	}
	pieces := func() io.ReaderAt { return io.NewSectionReader(f, int64(preamble), info.Size()-int64(preamble)) }
	plain, err := sio.DecryptReaderAt(pieces(), how)
	if err != nil {
		return nil, err
	}
	// Reading beyond the end says whether the last piece is the last.
	last := make([]byte, 2)
	if n, err := plain.ReadAt(last, int64(size)-1); n != 1 || !errors.Is(err, io.EOF) || last[0] != end {
		return nil, damaged
	}
	begin := func() (io.Reader, error) {
		r, err := sio.DecryptReader(io.NewSectionReader(pieces(), 0, info.Size()), how)
		return io.LimitReader(inOurWords{r, damaged}, int64(size)-1), err
	}
	return &Reader{SectionReader: io.NewSectionReader(inOurWordsAt{plain, damaged}, 0, int64(size)-1), f: f, begin: begin, secret: how.Key}, nil
}

// inOurWords says of a reader that the file is damaged.
type inOurWords struct {
	r       io.Reader
	damaged error
}

func (r inOurWords) Read(b []byte) (int, error) {
	n, err := r.r.Read(b)
	return n, orDamaged(err, r.damaged)
}

type inOurWordsAt struct {
	r       io.ReaderAt
	damaged error
}

func (r inOurWordsAt) ReadAt(b []byte, at int64) (int, error) {
	n, err := r.r.ReadAt(b, at)
	return n, orDamaged(err, r.damaged)
}

func orDamaged(err, damaged error) error {
	var bad sio.Error
	if errors.As(err, &bad) {
		return damaged
	}
	return err
}

// Close closes the file.
func (r *Reader) Close() error {
	clear(r.secret)
	return r.f.Close()
}

// Put writes a file that is there as a whole or not at all. It is durable when the
// folder and all in it is made so.
func Put(path string, data []byte, key *seal.Key) error {
	return put(path, data, key, func(*File) error { return nil })
}

// WriteFile is Put, and durable when it returns.
func WriteFile(path string, data []byte, key *seal.Key) error {
	if err := put(path, data, key, (*File).Sync); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func put(path string, data []byte, key *seal.Key, sync func(*File) error) error {
	w, err := Create(path, key)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	if err == nil {
		err = w.End(int64(len(data)))
	}
	if err == nil {
		err = sync(w)
	}
	if err != nil {
		return errors.Join(err, w.Abort())
	}
	return w.Commit()
}

// ReadFile reads a whole file of at most 64 MiB.
func ReadFile(path string, key *seal.Key) ([]byte, error) {
	const most = 64 << 20
	r, err := Open(path, key)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if r.Size() > most {
		return nil, fmt.Errorf("%s: more than %d octets", filepath.Base(path), most)
	}
	b := make([]byte, r.Size())
	_, err = io.ReadFull(r, b)
	return b, err
}
