package capture

import (
	"encoding/binary"
	"time"
)

// pressedDigit is the payload type under which a digit is kept, which no RTP packet has.
const pressedDigit = 201

// A Digit is a telephone event as a whole, from its first packet to its last (RFC 4733
// §2.5). The arrival of the packet under which it is kept is that of its last one, so
// that nothing is left of it where that is taken back.
type Digit struct {
	Event    uint8         // its code, 0 to 15 for 0-9, *, # and A-D (RFC 4733 §3.2)
	Before   time.Duration // from when the key was pressed, at the earliest, until the arrival
	Duration time.Duration // for which it was pressed, as far as was told
}

const digitSize = 1 + 8 + 8

// NewDigit makes the packet under which a digit is kept whose last packet arrived at an
// instant, from an SSRC, with the RTP time at which the key was pressed.
func NewDigit(stream int, arrival time.Duration, ssrc, timestamp uint32, d Digit) Packet {
	b := append(make([]byte, 0, digitSize), d.Event)
	b = binary.LittleEndian.AppendUint64(b, uint64(d.Before))
	b = binary.LittleEndian.AppendUint64(b, uint64(d.Duration))
	return Packet{Stream: stream, Arrival: arrival, SSRC: ssrc, Timestamp: timestamp, PayloadType: pressedDigit, Payload: b}
}

// Digit reads a digit; not ok when p is none.
func (p *Packet) Digit() (d Digit, ok bool) {
	if p.PayloadType != pressedDigit || len(p.Payload) != digitSize {
		return Digit{}, false
	}
	before, duration := binary.LittleEndian.Uint64(p.Payload[1:]), binary.LittleEndian.Uint64(p.Payload[9:])
	return Digit{p.Payload[0], time.Duration(before), time.Duration(duration)}, true
}

// IsRTP says that p is an RTP packet, and neither a sender report nor a digit, nor the
// number of a packet that is not kept.
func (p *Packet) IsRTP() bool { return p.PayloadType < 128 }
