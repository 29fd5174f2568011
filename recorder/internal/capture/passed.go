package capture

import "time"

// passedPacket is the payload type under which the number of a packet is kept that came
// and is not, which no RTP packet has.
const passedPacket = 202

// NewPassed makes the packet under which it is kept that one of an SSRC came at an
// instant, whatever it held. Its number alone says that it was not lost.
func NewPassed(stream int, arrival time.Duration, ssrc uint32, sequence uint16) Packet {
	return Packet{Stream: stream, Arrival: arrival, SSRC: ssrc, Sequence: sequence, PayloadType: passedPacket}
}

// IsPassed says that p is no RTP packet, and that one came with its number.
func (p *Packet) IsPassed() bool { return p.PayloadType == passedPacket }
