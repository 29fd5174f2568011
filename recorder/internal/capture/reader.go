package capture

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// A Reader gives the packets of a capture in the order in which they were
// appended. It believes nothing behind the first page that is torn or damaged.
// It is not safe for concurrent use.
type Reader struct {
	f      *os.File
	in     *bufio.Reader
	page   []byte // the page that is being read, kept for its room
	rest   []byte // packets of it that were not given yet
	number uint64 // of the next page
	torn   bool
	err    error // what Next returns from now on
}

// Open opens a capture. A file that ends within its header is a torn one without
// packets; the error wraps [ErrFormat] when it is something else.
func Open(path string) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open capture: %w", err)
	}
	r := &Reader{f: f, in: bufio.NewReaderSize(f, 64<<10)}
	if err := r.readFileHeader(); err != nil {
		return nil, errors.Join(fmt.Errorf("open capture: %w", err), f.Close())
	}
	return r, nil
}

func (r *Reader) readFileHeader() error {
	var b [fileHeader]byte
	want := appendFileHeader(nil)
	n, err := io.ReadFull(r.in, b[:])
	if string(b[:n]) != string(want[:n]) {
		return ErrFormat
	}
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		r.torn, r.err = true, io.EOF
	case err != nil:
		return err
	}
	return nil
}

// Next reads the next packet into p. Its Payload is valid until Next is called
// again. At the end, or where the file is torn, it returns io.EOF.
func (r *Reader) Next(p *Packet) error {
	for len(r.rest) == 0 {
		if r.err == nil {
			r.err = r.nextPage()
		}
		if r.err != nil {
			return r.err
		}
	}
	rest, ok := takePacket(p, r.rest)
	if !ok { // a sound checksum over a body that is none
		return r.cut()
	}
	r.rest = rest
	return nil
}

// cut ends the file here.
func (r *Reader) cut() error {
	r.torn, r.rest, r.err = true, nil, io.EOF
	return r.err
}

func (r *Reader) nextPage() error {
	var head [pageHeader]byte
	switch _, err := io.ReadFull(r.in, head[:]); {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return r.cut()
	case errors.Is(err, io.EOF): // between two pages: the end of a whole file
		return io.EOF
	case err != nil:
		return fmt.Errorf("read capture: %w", err)
	}
	length := binary.LittleEndian.Uint32(head[0:])
	if length == 0 || length > maxPage || binary.LittleEndian.Uint64(head[4:]) != r.number {
		return r.cut()
	}
	if cap(r.page) < int(length) {
		r.page = make([]byte, length)
	}
	r.page = r.page[:length]
	switch _, err := io.ReadFull(r.in, r.page); {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return r.cut()
	case err != nil:
		return fmt.Errorf("read capture: %w", err)
	}
	if checksum(head[:12], r.page) != binary.LittleEndian.Uint32(head[12:]) {
		return r.cut()
	}
	r.rest = r.page
	r.number++
	return nil
}

// Torn reports whether the end of the file was cut off because it was torn or
// damaged. It is known when Next has returned io.EOF.
func (r *Reader) Torn() bool { return r.torn }

// Close closes the file.
func (r *Reader) Close() error {
	if err := r.f.Close(); err != nil {
		return fmt.Errorf("close capture: %w", err)
	}
	return nil
}
