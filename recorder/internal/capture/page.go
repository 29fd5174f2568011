package capture

import (
	"encoding/binary"
	"math"
	"time"
)

// A page holds packets of one stream under one decision, in a slot of the arena:
// room for the header, the body, room for the tag.
type page struct {
	stream      int
	decision    uint64
	slot        slot
	used        int // octets of the slot, from its begin
	base        time.Duration
	first, last time.Duration
	end         time.Duration // it takes packets that arrived before
	packets     uint64
}

// begin makes the page an empty one of a stream, which ends at an instant.
func (p *page) begin(s slot, of *Packet, end time.Duration) {
	*p = page{
		stream: of.Stream, decision: of.Decision, slot: s, used: pageHeader + bodyHeader,
		base: of.Arrival, first: of.Arrival, last: of.Arrival, end: end,
	}
	binary.LittleEndian.PutUint64(s.memory[pageHeader:], uint64(p.base))
}

// room is how large a slot has to be for one packet.
func (p *Packet) room() int { return pageHeader + bodyHeader + packetHeader + len(p.Payload) + tagSize }

// add appends a packet and reports whether there was room for it.
func (p *page) add(of *Packet) bool {
	delta := of.Arrival - p.base
	if p.used+packetHeader+len(of.Payload)+tagSize > len(p.slot.memory) || delta > math.MaxInt32 || delta < math.MinInt32 {
		return false
	}
	p.used += putPacket(p.slot.memory[p.used:], of, p.base)
	p.first, p.last = min(p.first, of.Arrival), max(p.last, of.Arrival)
	p.packets++
	return true
}

// wouldFit reports whether the page and one packet more of its mean size would have had
// room in a slot of so many octets.
func (p *page) wouldFit(size int) bool {
	mean := (p.used - pageHeader - bodyHeader) / max(int(p.packets), 1)
	return p.used+mean+tagSize <= size
}

// body is what is to be sealed.
func (p *page) body() []byte { return p.slot.memory[pageHeader:p.used] }

// cut removes the packets that arrived at or after an instant, overwrites what
// they were, and returns how many there were.
func (p *page) cut(from time.Duration) (removed uint64) {
	if p.last < from {
		return 0
	}
	var kept uint64
	n, first, last := cutBody(p.body(), from, func(time.Duration) { kept++ })
	removed = p.packets - kept
	p.used, p.first, p.last, p.packets = pageHeader+n, first, last, kept
	return removed
}

// cutBody removes the packets that arrived at or after an instant from a body
// and overwrites what they were. It returns what is left of its length, and the
// earliest and the latest arrival that is kept, each of which it tells.
func cutBody(body []byte, from time.Duration, tell func(arrival time.Duration)) (length int, first, last time.Duration) {
	base := time.Duration(binary.LittleEndian.Uint64(body))
	length, first, last = bodyHeader, math.MaxInt64, math.MinInt64
	var p Packet
	for rest := body[bodyHeader:]; len(rest) > 0; {
		next, ok := takePacket(&p, rest, 0, base)
		if !ok {
			break
		}
		if p.Arrival < from {
			length += copy(body[length:], rest[:len(rest)-len(next)])
			first, last = min(first, p.Arrival), max(last, p.Arrival)
			tell(p.Arrival)
		}
		rest = next
	}
	clear(body[length:])
	return length, first, last
}
