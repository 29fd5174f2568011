package media

import (
	"encoding/binary"

	"github.com/pion/rtp"
)

// kind is what a datagram claims to be.
type kind int

const (
	malformed kind = iota
	mediaPacket
	controlPacket
)

const (
	fixedHeader   = 12   // octets of an RTP header without CSRCs, RFC 3550 §5.1
	versionTwo    = 2    // RFC 3550 §5.1
	extensionFlag = 0x10 // X in the first octet, RFC 3550 §5.1
	sourceCount   = 0x0f // CC in the first octet, RFC 3550 §5.1
)

// classify tells RTP from RTCP on one port: the second octet of RTCP is a packet
// type of 192 to 223, which is no legal mark and payload type of RTP (RFC 5761 §4).
func classify(b []byte) kind {
	if len(b) < 4 || b[0]>>6 != versionTwo {
		return malformed
	}
	if b[1] < 192 || b[1] > 223 {
		if len(b) < fixedHeader {
			return malformed
		}
		return mediaPacket
	}
	// The length counts 32-bit words minus one (RFC 3550 §6.4.1); an SRTCP
	// trailer or further packets of a compound may follow.
	if 4*(int(binary.BigEndian.Uint16(b[2:]))+1) > len(b) {
		return malformed
	}
	return controlPacket
}

// parse reads an RTP packet into h, which is reused, and returns its payload
// within b. It reports false when the lengths contradict each other.
//
// A header extension is stepped over by its length alone (RFC 3550 §5.3.1):
// elements inside it that make no sense must not cost the audio behind it.
func parse(h *rtp.Header, b []byte) ([]byte, bool) {
	// Checked here because pion formats an error, which allocates.
	if len(b) < fixedHeader || len(b) < fixedHeader+4*int(b[0]&sourceCount) {
		return nil, false
	}
	first := b[0]
	b[0] &^= extensionFlag
	n, err := h.Unmarshal(b)
	b[0] = first
	if err != nil {
		return nil, false
	}
	if first&extensionFlag != 0 {
		if len(b) < n+4 {
			return nil, false
		}
		n += 4 + 4*int(binary.BigEndian.Uint16(b[n+2:]))
	}
	end := len(b)
	if h.Padding {
		// The last octet counts the padding, itself included (RFC 3550 §5.1).
		pad := int(b[end-1])
		if pad == 0 {
			return nil, false
		}
		end -= pad
		h.Padding = false
	}
	if end < n {
		return nil, false
	}
	return b[n:end], true
}
