package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// ReadOctets is what a [Reader] reads at a time: some seconds of speech. A page that
// is larger is read as a whole.
const ReadOctets = 64 << 10

// ReadSpare is what a [Reader] needs to look for more behind the end of a file.
const ReadSpare = pageHeader

// A Reader gives the packets of a capture, those of each stream in the order in
// which they were appended. It believes nothing behind the first page that is
// torn or damaged, and passes over pages that were erased. It is not safe for
// concurrent use.
type Reader struct {
	f      *os.File // nil for one that [Reader.Again] made
	room   []byte   // what was read; the page that is being given was opened in it
	used   int      // octets of room that were read into so far
	unread []byte   // what was read behind that page
	at     int      // where in room that is
	sealer sealer
	head   header
	clear  [pageHeader]byte // the header that is being read, where the page moves it
	rest   []byte           // packets of the page that were not given yet
	base   time.Duration
	begun  bool    // a page was read: its epoch and number are in head
	end    int64   // of what can be believed
	doomed []place // pages that are marked, and not overwritten
	torn   bool
	err    error // what Next returns from now on

	one    bool // gives one stream only, up to limit
	stream int
	limit  int64

	kept []body // opened pages, as long as all of them are in room
	lost bool   // they are not
}

// A body is an opened page.
type body struct {
	stream  int
	base    time.Duration
	packets []byte
}

// Open opens a capture. A file that ends within its header is a torn one without
// packets; the error wraps [ErrFormat] when it is something else. With the wrong
// secret every page is a damaged one. room is memory of any length to work with, for
// this Reader alone until it is closed; it may be nil. Close wipes it. Where all of the
// file fits into it, with [ReadSpare] octets to spare, [Reader.Again] needs no second
// reading.
func Open(path string, secret Secret, room []byte) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open capture: %w", err)
	}
	if cap(room) < ReadOctets {
		room = make([]byte, ReadOctets)
	}
	r := &Reader{f: f, room: room[:cap(room)], sealer: sealer{secret: secret}}
	if err := r.readFileHeader(); err != nil {
		return nil, errors.Join(fmt.Errorf("open capture: %w", err), f.Close())
	}
	return r, nil
}

// Only has the Reader give one stream of a capture that another Reader has gone through
// and that was not changed since: up to end, where that came to. The pages of other
// streams are passed over unopened: that one has opened them. It is called before Next.
func (r *Reader) Only(stream int, end int64) { r.one, r.stream, r.limit = true, stream, end }

// Again gives a Reader of the packets of one stream that has them from what r read. r has
// to have returned io.EOF, and to stay open; not ok when its room was too small for all.
// The Reader that is given is not closed.
func (r *Reader) Again(stream int) (again *Reader, ok bool) {
	if r.lost {
		return nil, false
	}
	return &Reader{kept: r.kept, one: true, stream: stream}, true
}

// End is up to where the file can be believed, in octets. It is known when Next has
// returned io.EOF.
func (r *Reader) End() int64 { return r.end }

func (r *Reader) readFileHeader() error {
	want := appendFileHeader(nil)
	b, err := r.take(fileHeader)
	if string(b) != string(want[:len(b)]) {
		return ErrFormat
	}
	switch {
	case errors.Is(err, io.EOF):
		r.torn, r.err = true, io.EOF
	case err != nil:
		return err
	default:
		r.end = fileHeader
	}
	return nil
}

// take gives the next n octets of the file; they are valid until it is called again.
// Where the file ends before, it gives what is left, and io.EOF.
func (r *Reader) take(n int) ([]byte, error) {
	for len(r.unread) < n {
		if err := r.fill(n); err != nil {
			b := r.unread
			r.unread = nil
			return b, err
		}
	}
	b := r.unread[:n:n]
	r.unread, r.at = r.unread[n:], r.at+n
	return b, nil
}

// fill reads more of the file, and makes room for n octets that were not taken yet.
func (r *Reader) fill(n int) error {
	at := r.at
	held := len(r.unread)
	switch {
	case n > len(r.room):
		larger := make([]byte, n)
		copy(larger, r.unread)
		clear(r.room)
		r.room, r.used, at = larger, 0, 0
		r.lose()
	case r.lost || at+n > len(r.room):
		copy(r.room, r.unread)
		at = 0
		r.lose()
	}
	got, err := r.f.Read(r.room[at+held : min(len(r.room), at+held+ReadOctets)])
	r.at, r.unread = at, r.room[at:at+held+got]
	r.used = max(r.used, at+held+got)
	return err
}

// lose gives up keeping pages: their place is taken by others.
func (r *Reader) lose() { r.lost, r.kept = true, nil }

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
	if r.f == nil {
		return r.nextKept()
	}
	if r.one && r.end >= r.limit {
		return io.EOF
	}
	head, err := r.take(pageHeader)
	switch {
	case errors.Is(err, io.EOF) && len(head) > 0:
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
	return r.readPage(&h, head)
}

// nextKept goes to the next page that another Reader has opened.
func (r *Reader) nextKept() error {
	for i, b := range r.kept {
		if b.stream == r.stream {
			r.head.stream, r.base, r.rest = b.stream, b.base, b.packets
			r.kept = r.kept[i+1:]
			return nil
		}
	}
	return io.EOF
}

// readPage reads what follows a header.
func (r *Reader) readPage(h *header, head []byte) error {
	if len(r.unread) < h.length { // head would be moved
		copy(r.clear[:], head)
		head = r.clear[:]
	}
	sealed, err := r.take(h.length)
	switch {
	case errors.Is(err, io.EOF):
		return r.cut()
	case err != nil:
		return fmt.Errorf("read capture: %w", err)
	}
	if !r.open(h, head, sealed) {
		return r.cut()
	}
	r.head, r.begun = *h, true
	r.end += pageHeader + int64(h.length)
	return nil
}

// open opens the page that was read, if its packets are wanted, and reports whether it
// is sound.
func (r *Reader) open(h *header, head, sealed []byte) bool {
	if h.kind == kindErased {
		if slices.ContainsFunc(sealed, func(b byte) bool { return b != 0 }) {
			r.doomed = append(r.doomed, place{r.end, *h})
		}
		return true
	}
	if r.one && h.stream != r.stream {
		return true
	}
	opened, err := r.sealer.open(h, head, sealed)
	if err != nil || len(opened) < bodyHeader {
		return false
	}
	r.base = time.Duration(binary.LittleEndian.Uint64(opened))
	r.rest = opened[bodyHeader:]
	if !r.lost && !r.one {
		r.kept = append(r.kept, body{h.stream, r.base, r.rest})
	}
	return true
}

// Torn reports whether the end of the file was cut off because it was torn or
// damaged. It is known when Next has returned io.EOF.
func (r *Reader) Torn() bool { return r.torn }

// Close wipes what was read last and closes the file.
func (r *Reader) Close() error {
	clear(r.room[:r.used])
	if err := r.f.Close(); err != nil {
		return fmt.Errorf("close capture: %w", err)
	}
	return nil
}
