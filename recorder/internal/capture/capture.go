// Package capture keeps encoded payloads with their timing on disk, one
// append-only file for each recording and recording session. Pages are written
// behind the caller's back; a torn last page is cut off when the file is read.
//
// A file is a header and pages; all numbers are little endian.
//
//	header:  magic [8]byte "siprecap" · version uint16 · sealing uint16 · zero uint32
//	page:    length uint32 · number uint64 · CRC-32C uint32 · body [length]byte
//	body:    packets
//	packet:  stream int32 · arrival int64 (ns) · SSRC uint32 · timestamp uint32 ·
//	         sequence uint16 · payload type uint8 · flags uint8 (1 = marker) ·
//	         length uint16 · payload
//
// Pages are numbered from 0. The checksum (Castagnoli) covers length, number and
// body. Sealing is 0 for bodies in the clear, the only kind there is; length and
// number stand outside the body so that a sealed one can use the number as its
// nonce and be skipped without its key.
package capture

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"time"
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
}

// ErrFormat is wrapped by the errors of [Open] for files that are no captures or
// of a version that is not known.
var ErrFormat = errors.New("not a capture of a known version")

const (
	magic   = "siprecap"
	version = 1
	sealing = 0 // bodies in the clear

	fileHeader   = 16
	pageHeader   = 16
	packetHeader = 26

	flagMarker = 1

	// maxPage bounds what a reader allocates for a length it cannot trust.
	maxPage = 1 << 20
)

// appendFileHeader appends the header of a file.
func appendFileHeader(b []byte) []byte {
	b = append(b, magic...)
	b = binary.LittleEndian.AppendUint16(b, version)
	b = binary.LittleEndian.AppendUint16(b, sealing)
	return binary.LittleEndian.AppendUint32(b, 0)
}

// finishPage fills the header of a page whose body stands behind it.
func finishPage(page []byte, number uint64) {
	binary.LittleEndian.PutUint32(page[0:], uint32(len(page)-pageHeader))
	binary.LittleEndian.PutUint64(page[4:], number)
	binary.LittleEndian.PutUint32(page[12:], checksum(page[:12], page[pageHeader:]))
}

func checksum(head, body []byte) uint32 {
	// MakeTable gives the one Castagnoli table of the process each time.
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Update(0, table, head), table, body)
}

// fits reports whether p can be written without loss.
func (p *Packet) fits() bool {
	return len(p.Payload) <= math.MaxUint16 && int(int32(p.Stream)) == p.Stream
}

// appendPacket appends p to the body of a page.
func appendPacket(b []byte, p *Packet) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(int32(p.Stream)))
	b = binary.LittleEndian.AppendUint64(b, uint64(p.Arrival))
	b = binary.LittleEndian.AppendUint32(b, p.SSRC)
	b = binary.LittleEndian.AppendUint32(b, p.Timestamp)
	b = binary.LittleEndian.AppendUint16(b, p.Sequence)
	var flags byte
	if p.Marker {
		flags |= flagMarker
	}
	b = append(b, p.PayloadType, flags)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(p.Payload)))
	return append(b, p.Payload...)
}

// takePacket reads the first packet of body into p and returns what follows it.
func takePacket(p *Packet, body []byte) (rest []byte, ok bool) {
	if len(body) < packetHeader {
		return nil, false
	}
	n := int(binary.LittleEndian.Uint16(body[24:]))
	if len(body) < packetHeader+n {
		return nil, false
	}
	*p = Packet{
		Stream:      int(int32(binary.LittleEndian.Uint32(body[0:]))),
		Arrival:     time.Duration(binary.LittleEndian.Uint64(body[4:])),
		SSRC:        binary.LittleEndian.Uint32(body[12:]),
		Timestamp:   binary.LittleEndian.Uint32(body[16:]),
		Sequence:    binary.LittleEndian.Uint16(body[20:]),
		PayloadType: body[22],
		Marker:      body[23]&flagMarker != 0,
		Payload:     body[packetHeader : packetHeader+n : packetHeader+n],
	}
	return body[packetHeader+n:], true
}
