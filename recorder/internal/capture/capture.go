// Package capture keeps encoded payloads with their timing on disk, one
// append-only file for each recording and recording session.
//
// Packets are gathered in pages, each of one stream and about 0.3 s. A page waits
// in memory for the hold-back, so that a pause that comes late still finds it
// there, and until the line of the journal that permits it is durable. Then it is
// sealed and written by one of the few goroutines of a [Spool]. What is on disk
// can still be taken back, by [Writer.Cut].
//
// A file is a header and pages; all numbers are little endian.
//
//	header:  magic [8]byte "siprecap" · version uint16 · zero [6]byte
//	page:    length uint32 · kind uint8 · zero [3]byte · number uint64 ·
//	         epoch [16]byte · first int64 (ns) · last int64 (ns) · stream int32 ·
//	         body [length]byte
//	body:    sealed (kind 0x53): base int64 (ns) · packets · tag [16]byte
//	         erased (kind 0xac): zeros, or what is about to be overwritten
//	packet:  arrival - base int32 (ns) · SSRC uint32 · timestamp uint32 ·
//	         sequence uint16 · payload type uint8 · flags uint8 (1 = marker) ·
//	         length uint16 · payload
//	report:  a packet of payload type 200, which no RTP packet has: timestamp is the
//	         RTP time of a sender report, payload NTP uint64 · CNAME
//	digit:   a packet of payload type 201: arrival is that of the last packet of a
//	         telephone event, timestamp its RTP time, payload event uint8 · time before
//	         the arrival at which it began int64 (ns) · duration int64 (ns)
//	passed:  a packet of payload type 202: one with that SSRC and sequence came, of
//	         which nothing else is kept; timestamp 0, no payload
//
// A sealed body is AES-256-GCM (NIST SP 800-38D) with the header of the page and
// the id of the recording as associated data. The key comes from the key of the
// recording and the epoch, which is drawn anew each time that a process opens the
// file; the nonce is the number of the page, which is given out once in an epoch.
// So no nonce is used twice, whatever was torn or failed before. Numbers rise
// within an epoch and may leave some out. first and last are the earliest and the
// latest arrival in the page.
package capture

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/seal"
)

// A Packet is one RTP packet as it is kept. Payload is valid during the call
// that takes or gives it.
type Packet struct {
	Stream      int           // number of the stream within the recording, within int32
	Arrival     time.Duration // since the capture's zero
	SSRC        uint32
	Timestamp   uint32
	Sequence    uint16
	PayloadType uint8
	Marker      bool
	Payload     []byte // at most 65535 octets
	// Decision is the ordinal of the decision that permits the packet: it does
	// not reach the disk before [Writer.Release] named it. It is not kept.
	Decision uint64
}

// A Secret is what a capture is sealed with.
type Secret struct {
	Recording string
	Key       *seal.Key
}

// ErrFormat is wrapped by the errors of [Open] and [Spool.Reopen] for files that
// are no captures or of a version that is not known.
var ErrFormat = errors.New("not a capture of a known version")

const (
	magic   = "siprecap"
	version = 2

	fileHeader   = 16
	pageHeader   = 52
	bodyHeader   = 8
	packetHeader = 18
	tagSize      = 16

	flagMarker = 1

	// maxPage bounds what a reader allocates for a length it cannot trust.
	maxPage = 1 << 20
)

// The kinds of pages, which no slip of a bit turns into each other.
const (
	kindSealed = 0x53
	kindErased = 0xac // what it held was taken back

	kindAt = 4 // in the header
)

// appendFileHeader appends the header of a file.
func appendFileHeader(b []byte) []byte {
	b = append(b, magic...)
	b = binary.LittleEndian.AppendUint16(b, version)
	return append(b, make([]byte, 6)...)
}

// A header is the part of a page that stands in the clear.
type header struct {
	length      int // of the body, in octets
	kind        uint8
	number      uint64
	epoch       [seal.EpochSize]byte
	first, last time.Duration
	stream      int
}

func (h *header) append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(h.length))
	b = append(b, h.kind, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, h.number)
	b = append(b, h.epoch[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.first))
	b = binary.LittleEndian.AppendUint64(b, uint64(h.last))
	return binary.LittleEndian.AppendUint32(b, uint32(int32(h.stream)))
}

// parse reads a header of pageHeader octets and reports whether it can be one.
func (h *header) parse(b []byte) bool {
	*h = header{
		length: int(binary.LittleEndian.Uint32(b[0:])),
		kind:   b[kindAt],
		number: binary.LittleEndian.Uint64(b[8:]),
		epoch:  [seal.EpochSize]byte(b[16:32]),
		first:  time.Duration(binary.LittleEndian.Uint64(b[32:])),
		last:   time.Duration(binary.LittleEndian.Uint64(b[40:])),
		stream: int(int32(binary.LittleEndian.Uint32(b[48:]))),
	}
	return h.length >= bodyHeader+tagSize && h.length <= maxPage && (h.kind == kindSealed || h.kind == kindErased) &&
		b[5]|b[6]|b[7] == 0
}

// fits reports whether p can be written without loss.
func (p *Packet) fits() bool {
	return len(p.Payload) <= math.MaxUint16 && int(int32(p.Stream)) == p.Stream
}

// putPacket writes p to the body of a page, which has room for it, and returns
// its length there.
func putPacket(b []byte, p *Packet, base time.Duration) int {
	binary.LittleEndian.PutUint32(b[0:], uint32(int32(p.Arrival-base)))
	binary.LittleEndian.PutUint32(b[4:], p.SSRC)
	binary.LittleEndian.PutUint32(b[8:], p.Timestamp)
	binary.LittleEndian.PutUint16(b[12:], p.Sequence)
	b[14], b[15] = p.PayloadType, 0
	if p.Marker {
		b[15] = flagMarker
	}
	binary.LittleEndian.PutUint16(b[16:], uint16(len(p.Payload)))
	return packetHeader + copy(b[packetHeader:], p.Payload)
}

// takePacket reads the first packet of body into p and returns what follows it.
func takePacket(p *Packet, body []byte, stream int, base time.Duration) (rest []byte, ok bool) {
	if len(body) < packetHeader {
		return nil, false
	}
	n := int(binary.LittleEndian.Uint16(body[16:]))
	if len(body) < packetHeader+n {
		return nil, false
	}
	p.Stream, p.Decision = stream, 0
	p.Arrival = base + time.Duration(int32(binary.LittleEndian.Uint32(body[0:])))
	p.SSRC = binary.LittleEndian.Uint32(body[4:])
	p.Timestamp = binary.LittleEndian.Uint32(body[8:])
	p.Sequence = binary.LittleEndian.Uint16(body[12:])
	p.PayloadType, p.Marker = body[14], body[15]&flagMarker != 0
	p.Payload = body[packetHeader : packetHeader+n : packetHeader+n]
	return body[packetHeader+n:], true
}
