package capture

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// readOctets is what is read at a time: some pages of speech. A larger one is read by
// itself.
const readOctets = 16 << 10

// A Reader gives the packets of a capture, those of each stream in the order in
// which they were appended. It believes nothing behind the first page that is
// torn or damaged, and passes over pages that were erased. It is not safe for
// concurrent use.
type Reader struct {
	f      *os.File
	in     *bufio.Reader
	sealer sealer
	head   header
	clear  [pageHeader]byte // the header that is being read
	page   []byte           // the page that is being read, kept for its room
	rest   []byte           // packets of it that were not given yet
	base   time.Duration
	begun  bool    // a page was read: its epoch and number are in head
	end    int64   // of what can be believed
	doomed []place // pages that are marked, and not overwritten
	torn   bool
	err    error // what Next returns from now on
}

// Open opens a capture. A file that ends within its header is a torn one without
// packets; the error wraps [ErrFormat] when it is something else. With the wrong
// secret every page is a damaged one.
func Open(path string, secret Secret) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open capture: %w", err)
	}
	r := &Reader{f: f, in: bufio.NewReaderSize(f, readOctets), sealer: sealer{secret: secret}}
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
	default:
		r.end = fileHeader
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
	rest, ok := takePacket(p, r.rest, r.head.stream, r.base)
	if !ok { // a sealed body that is none
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
	head := r.clear[:]
	switch _, err := io.ReadFull(r.in, head); {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return r.cut()
	case errors.Is(err, io.EOF): // between two pages: the end of a whole file
		return io.EOF
	case err != nil:
		return fmt.Errorf("read capture: %w", err)
	}
	var h header
	if !h.parse(head) {
		return r.cut()
	}
	if r.begun && h.epoch == r.head.epoch && h.number <= r.head.number {
		return r.cut()
	}
	if cap(r.page) < h.length {
		r.page = make([]byte, (h.length/slotSmall+1)*slotSmall)
	}
	r.page = r.page[:h.length]
	switch _, err := io.ReadFull(r.in, r.page); {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return r.cut()
	case err != nil:
		return fmt.Errorf("read capture: %w", err)
	}
	if !r.take(&h, head) {
		return r.cut()
	}
	r.head, r.begun = h, true
	r.end += pageHeader + int64(h.length)
	return nil
}

// take opens the page that was read and reports whether it is sound.
func (r *Reader) take(h *header, head []byte) bool {
	if h.kind == kindErased {
		if slices.ContainsFunc(r.page, func(b byte) bool { return b != 0 }) {
			r.doomed = append(r.doomed, place{r.end, *h})
		}
		return true
	}
	body, err := r.sealer.open(h, head, r.page)
	if err != nil || len(body) < bodyHeader {
		return false
	}
	r.base = time.Duration(binary.LittleEndian.Uint64(body))
	r.rest = body[bodyHeader:]
	return true
}

// Torn reports whether the end of the file was cut off because it was torn or
// damaged. It is known when Next has returned io.EOF.
func (r *Reader) Torn() bool { return r.torn }

// Close wipes what was read last and closes the file.
func (r *Reader) Close() error {
	clear(r.page[:cap(r.page)])
	if err := r.f.Close(); err != nil {
		return fmt.Errorf("close capture: %w", err)
	}
	return nil
}
