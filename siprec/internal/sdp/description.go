package sdp

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
)

// ErrNotSDP: the text has neither a v= nor an m= line.
var ErrNotSDP = errors.New("not a session description")

// Limits of what Parse reads. What goes beyond is left out, with an oddity.
const (
	MaxMedia      = 1000     // m-lines
	MaxAttributes = 10_000   // attributes that are kept, over all m-lines
	MaxLine       = 16 << 10 // octets of a line
)

// The values of a direction attribute (RFC 8866 §6.7).
const (
	SendRecv = "sendrecv"
	SendOnly = "sendonly"
	RecvOnly = "recvonly"
	Inactive = "inactive"
)

// A Description is one session description (RFC 8866 §5).
type Description struct {
	Origin Origin
	// Addr is the top-level c=; invalid when it is absent, unreadable, a name
	// or Null.
	Addr netip.Addr
	Null bool // the top-level c= is 0.0.0.0, :: or a name in .invalid
	// Time is the value of the first t= line, two numbers; empty when there is none
	// that can be read (RFC 8866 §5.9).
	Time  string
	Media []Media
	// Attributes are the top-level attributes in order.
	Attributes []Attribute
	// Oddities are deviations from the standards that were tolerated, at most
	// 64. M-lines are counted from 1 in them; they hold nothing of the content.
	Oddities []string
}

// An Origin is the o= line (RFC 8866 §5.2), fields as sent. Blanks in the user
// name are kept; fields that are missing are empty.
type Origin struct{ User, ID, Version, Net, AddrType, Addr string }

// An Attribute is one a= line (RFC 8866 §5.13), name and value as sent without
// blanks around them. Value is empty for a property attribute.
type Attribute struct{ Name, Value string }

// Media is one m-line and what belongs to it (RFC 8866 §5.14).
type Media struct {
	Type, Proto string // as sent
	// Port is the offered port; 0 refuses or removes the stream (RFC 3264 §6,
	// §8.2), and stands for one that cannot be read.
	Port    int
	Formats []string // as sent
	// Addr is the c= of the m-line, else the top-level one; invalid when it is
	// absent, unreadable, a name or Null.
	Addr netip.Addr
	// Null says that c= is 0.0.0.0 or ::, the hold of older devices (RFC 3264
	// §8.4), or a name in .invalid, its form for IPv6 (RFC 6157 §5.1).
	Null                bool
	Label, Mid, Content string // RFC 4574, RFC 5888, RFC 4796
	// Direction is that of the m-line, else the top-level one, else sendrecv.
	Direction      string
	DirectionGiven bool // Direction was sent, on either level
	// Codecs are the formats of an RTP m-line in their order, without those
	// that are no payload type and those given twice.
	Codecs          []Codec
	Ptime, MaxPtime int // ms; 0 when absent
	// RTCPPort and RTCPAddr are from a=rtcp (RFC 3605); 0 and invalid when absent.
	RTCPPort int
	RTCPAddr netip.Addr
	RTCPMux  bool // a=rtcp-mux (RFC 5761 §5.1.1)
	// Crypto are the values of a=crypto (RFC 4568) in order.
	Crypto []string
	// Fingerprint and Setup are of the m-line, else top-level (RFC 8842 §5).
	Fingerprint, Setup string
	// Attributes are all attributes of the m-line in order.
	Attributes []Attribute
}

// IsRTP reports whether the m-line is RTP over datagrams (RFC 8866 §5.14,
// RFC 5764 §8). RTP over TCP is not: nothing here could receive it.
func (m *Media) IsRTP() bool {
	switch strings.ToUpper(m.Proto) {
	case "RTP/AVP", "RTP/AVPF":
		return true
	}
	return m.isSRTP()
}

// isSRTP reports whether the m-line is SRTP over datagrams.
func (m *Media) isSRTP() bool {
	switch strings.ToUpper(m.Proto) {
	case "RTP/SAVP", "RTP/SAVPF", "UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF":
		return true
	}
	return false
}

// isDTLS reports whether the protocol asks for keys by DTLS (RFC 5764 §8).
func (m *Media) isDTLS() bool {
	return slices.Contains(strings.Split(strings.ToUpper(m.Proto), "/"), "TLS")
}

// IsAudio reports whether the media type is audio.
func (m *Media) IsAudio() bool { return strings.EqualFold(m.Type, "audio") }
