package media

import (
	"encoding/binary"
	"time"
)

// Packet types of RTCP (RFC 3550 §12.1).
const (
	typeSR   = 200
	typeRR   = 201
	typeSDES = 202
	typeBYE  = 203
)

// Items of a source description (RFC 3550 §6.5.1, §6.5.2).
const (
	itemCNAME = 1
	itemNAME  = 2
)

// A SenderReport is the last one of the adopted source (RFC 3550 §6.4.1). It maps
// RTP time to the sender's wall clock.
type SenderReport struct {
	SSRC uint32
	// NTP is the sender's clock as a 64-bit fixed-point number of seconds since
	// 1900; RTP is the same instant in RTP time.
	NTP uint64
	RTP uint32
	// At is the arrival of the report; zero when none came.
	At time.Time
	// Packets and Octets are what the sender says it has sent of RTP.
	Packets, Octets uint32
}

// ntpEpoch is 1970 in seconds since 1900.
const ntpEpoch = 2208988800

// Time is NTP as an instant of the sender's wall clock, of the era that began in
// 1900. A sender without a clock counts from any instant.
func (r SenderReport) Time() time.Time {
	seconds, fraction := r.NTP>>32, r.NTP&(1<<32-1)
	return time.Unix(int64(seconds)-ntpEpoch, int64(fraction*1e9>>32)).UTC()
}

// heard is what one RTCP datagram said.
type heard struct {
	reports []SenderReport
	names   map[uint32]names
	byes    []uint32
}

// parseRTCP reads a compound packet (RFC 3550 §6.1). What cannot be read ends it:
// the packets before count.
func parseRTCP(b []byte, at time.Time) (h heard) {
	for len(b) >= 4 && b[0]>>6 == versionTwo {
		end := 4 * (int(binary.BigEndian.Uint16(b[2:])) + 1)
		if end > len(b) {
			break
		}
		p := b[:end]
		switch p[1] {
		case typeSR:
			if len(p) >= 28 {
				h.reports = append(h.reports, senderReport(p, at))
			}
		case typeSDES:
			h.sdes(p)
		case typeBYE:
			for i := range int(p[0] & 0x1f) {
				if 8+4*i <= len(p) {
					h.byes = append(h.byes, binary.BigEndian.Uint32(p[4+4*i:]))
				}
			}
		}
		b = b[end:]
	}
	return h
}

func senderReport(p []byte, at time.Time) SenderReport {
	return SenderReport{
		SSRC: binary.BigEndian.Uint32(p[4:]), NTP: binary.BigEndian.Uint64(p[8:]), RTP: binary.BigEndian.Uint32(p[16:]),
		At: at, Packets: binary.BigEndian.Uint32(p[20:]), Octets: binary.BigEndian.Uint32(p[24:]),
	}
}

// sdes reads the CNAMEs and NAMEs of a source description (RFC 3550 §6.5).
func (h *heard) sdes(p []byte) {
	chunks := int(p[0] & 0x1f)
	for p = p[4:]; chunks > 0 && len(p) >= 4; chunks-- {
		ssrc := binary.BigEndian.Uint32(p)
		n := 4
		for n < len(p) && p[n] != 0 {
			if n+2 > len(p) || n+2+int(p[n+1]) > len(p) {
				return
			}
			text := p[n+2 : n+2+int(p[n+1])]
			h.called(ssrc, p[n], text)
			n += 2 + len(text)
		}
		// At least one zero octet ends the items, up to the next word.
		n = (n + 4) &^ 3
		if n > len(p) {
			return
		}
		p = p[n:]
	}
}

// called takes one item of a source description.
func (h *heard) called(ssrc uint32, item byte, text []byte) {
	if item != itemCNAME && item != itemNAME {
		return
	}
	if h.names == nil {
		h.names = make(map[uint32]names)
	}
	said := h.names[ssrc]
	if item == itemCNAME {
		said.cname = string(text)
	} else {
		said.name = string(text)
	}
	h.names[ssrc] = said
}

// A block is one reception report (RFC 3550 §6.4.1).
type block struct {
	ssrc     uint32
	fraction uint8  // lost since the report before, in 1/256
	lost     int32  // packets in all, 24 bits
	highest  uint32 // extended sequence number
	jitter   uint32 // in units of RTP time
	lastSR   uint32 // middle of its NTP stamp; 0 without one
	delay    uint32 // since that report came, in 1/65536 s
}

// appendReport writes a receiver report, with or without a block, and CNAME: the
// least that RFC 3550 §6.1 asks of a compound packet.
func appendReport(b []byte, own uint32, rb *block, cname string) []byte {
	if rb == nil {
		b = append(b, versionTwo<<6, typeRR, 0, 1)
		b = binary.BigEndian.AppendUint32(b, own)
	} else {
		b = append(b, versionTwo<<6|1, typeRR, 0, 7)
		b = binary.BigEndian.AppendUint32(b, own)
		b = binary.BigEndian.AppendUint32(b, rb.ssrc)
		b = binary.BigEndian.AppendUint32(b, uint32(rb.fraction)<<24|uint32(rb.lost)&0xffffff)
		b = binary.BigEndian.AppendUint32(b, rb.highest)
		b = binary.BigEndian.AppendUint32(b, rb.jitter)
		b = binary.BigEndian.AppendUint32(b, rb.lastSR)
		b = binary.BigEndian.AppendUint32(b, rb.delay)
	}
	chunk := 4 + 2 + len(cname)
	padded := (chunk + 4) &^ 3
	b = append(b, versionTwo<<6|1, typeSDES, 0, byte(padded/4))
	b = binary.BigEndian.AppendUint32(b, own)
	b = append(b, itemCNAME, byte(len(cname)))
	b = append(b, cname...)
	return append(b, make([]byte, padded-chunk)...)
}

// appendBye writes a BYE (RFC 3550 §6.6).
func appendBye(b []byte, own uint32) []byte {
	b = append(b, versionTwo<<6|1, typeBYE, 0, 1)
	return binary.BigEndian.AppendUint32(b, own)
}
