package capture

import (
	"encoding/binary"
	"time"
)

// senderReport is the payload type under which sender reports are kept: their packet
// type in RTCP (RFC 3550 §12.1), more than the seven bits of one in RTP.
const senderReport = 200

// A Report is what an RTCP sender report says of a source's clock (RFC 3550 §6.4.1).
type Report struct {
	// NTP is the sender's clock as a 64-bit fixed-point number of seconds, of any
	// beginning. The RTP time of the same instant is the Timestamp of the packet.
	NTP   uint64
	CNAME string // what the source calls itself, at most 255 octets; may be empty
}

// NewReport makes the packet under which a report about an SSRC is kept, that arrived
// at an instant and whose RTP time is timestamp.
func NewReport(stream int, arrival time.Duration, ssrc, timestamp uint32, r Report) Packet {
	b := binary.LittleEndian.AppendUint64(make([]byte, 0, 8+len(r.CNAME)), r.NTP)
	return Packet{
		Stream: stream, Arrival: arrival, SSRC: ssrc, Timestamp: timestamp,
		PayloadType: senderReport, Payload: append(b, r.CNAME...),
	}
}

// IsReport says that p is no RTP packet but a sender report.
func (p *Packet) IsReport() bool { return p.PayloadType == senderReport }

// Report reads a sender report; not ok when p is none.
func (p *Packet) Report() (r Report, ok bool) {
	if !p.IsReport() || len(p.Payload) < 8 {
		return Report{}, false
	}
	return Report{binary.LittleEndian.Uint64(p.Payload), string(p.Payload[8:])}, true
}
