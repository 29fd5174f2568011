package src

import (
	"encoding/binary"
	"errors"
)

// Packet types of RTCP (RFC 3550 §12.1, RFC 4585 §6.1).
const (
	RTCPSenderReport   = 200
	RTCPReceiverReport = 201
	RTCPDescription    = 202
	RTCPGoodbye        = 203
	RTCPRTPFeedback    = 205
	RTCPMediaFeedback  = 206
)

// A Compound is one datagram of RTCP (RFC 3550 §6.1).
type Compound struct {
	Types  []byte // packet types, in their order
	Sender uint32 // SSRC of who wrote the first packet
	CNAME  string // of Sender; empty when none is told
	Blocks []ReceptionReport
	Byes   []uint32 // SSRCs that leave (RFC 3550 §6.6)
}

// A ReceptionReport is what a report says of one source (RFC 3550 §6.4.1).
type ReceptionReport struct {
	SSRC     uint32
	Fraction uint8  // lost since the report before, in 1/256
	Lost     int    // packets in all; below 0 with duplicates
	Highest  uint32 // sequence number, extended by its cycles
	Jitter   uint32 // in units of RTP time
	LastSR   uint32 // the middle of the NTP stamp of the last sender report; 0 without one
	Delay    uint32 // since that report came, in 1/65536 s
}

// errNotRTCP says that a datagram cannot be read as packets of RTCP.
var errNotRTCP = errors.New("not packets of RTCP one after the other")

// ParseCompound reads a datagram of RTCP. Packets of other types are listed only. The
// error says that it is not made of whole packets of version 2.
func ParseCompound(b []byte) (Compound, error) {
	var c Compound
	for len(b) > 0 {
		if len(b) < 8 || b[0]>>6 != 2 {
			return c, errNotRTCP
		}
		size := 4 * (int(binary.BigEndian.Uint16(b[2:])) + 1)
		if size < 8 || size > len(b) {
			return c, errNotRTCP
		}
		c.packet(b[:size])
		b = b[size:]
	}
	if len(c.Types) == 0 {
		return c, errNotRTCP
	}
	return c, nil
}

func (c *Compound) packet(p []byte) {
	if len(c.Types) == 0 {
		c.Sender = binary.BigEndian.Uint32(p[4:])
	}
	c.Types = append(c.Types, p[1])
	count := int(p[0] & 31)
	switch p[1] {
	case RTCPSenderReport:
		c.blocks(p, 28, count)
	case RTCPReceiverReport:
		c.blocks(p, 8, count)
	case RTCPDescription:
		c.description(p[4:], count)
	case RTCPGoodbye:
		for i := 0; i < count && 8+4*i <= len(p); i++ {
			c.Byes = append(c.Byes, binary.BigEndian.Uint32(p[4+4*i:]))
		}
	}
}

func (c *Compound) blocks(p []byte, at, count int) {
	for ; count > 0 && at+24 <= len(p); count, at = count-1, at+24 {
		word := func(n int) uint32 { return binary.BigEndian.Uint32(p[at+4*n:]) }
		c.Blocks = append(c.Blocks, ReceptionReport{
			SSRC: word(0), Fraction: p[at+4], Lost: int(int32(word(1)<<8) >> 8), Highest: word(2),
			Jitter: word(3), LastSR: word(4), Delay: word(5),
		})
	}
}

// description reads the CNAME of the sender out of its chunk (RFC 3550 §6.5).
func (c *Compound) description(p []byte, chunks int) {
	for ; chunks > 0 && len(p) >= 8; chunks-- {
		n := 4
		for n+2 <= len(p) && p[n] != 0 && n+2+int(p[n+1]) <= len(p) {
			if p[n] == 1 && binary.BigEndian.Uint32(p) == c.Sender {
				c.CNAME = string(p[n+2 : n+2+int(p[n+1])])
			}
			n += 2 + int(p[n+1])
		}
		p = p[min((n+4)&^3, len(p)):]
	}
}

// About is the report on one source; ok is false when there is none.
func (c *Compound) About(ssrc uint32) (r ReceptionReport, ok bool) {
	for _, r := range c.Blocks {
		if r.SSRC == ssrc {
			return r, true
		}
	}
	return ReceptionReport{}, false
}
