package src

import (
	"net"
	"net/netip"
	"time"
)

// Protocol says what a Packet holds.
type Protocol string

// The protocols of an SRC. Of a port that has both RTP and RTCP, the packet type
// tells them apart (RFC 5761 §4).
const (
	SIP  Protocol = "SIP"
	RTP  Protocol = "RTP"
	RTCP Protocol = "RTCP"
)

// A Packet is one SIP message or one datagram of media as it was sent or received.
type Packet struct {
	At        time.Time
	Direction Direction
	Protocol  Protocol
	Transport string // "UDP", "TCP" or "TLS"
	Local     netip.AddrPort
	Remote    netip.AddrPort
	// Data is the message, decrypted over TLS, or the datagram as it was on the
	// wire. It must not be changed, and is valid during the call only.
	Data []byte
}

// mediaProtocol tells RTCP from RTP by the packet type (RFC 5761 §4).
func mediaProtocol(raw []byte) Protocol {
	if len(raw) > 1 && raw[1] >= 192 && raw[1] <= 223 {
		return RTCP
	}
	return RTP
}

// sip tells of a SIP message.
func (s *SRC) sip(dir Direction, remote netip.AddrPort, at time.Time, raw []byte) {
	if s.cfg.Packets != nil {
		s.cfg.Packets(Packet{
			At: at, Direction: dir, Protocol: SIP, Transport: s.conn.transport,
			Local: s.conn.local, Remote: remote, Data: raw,
		})
	}
	s.trace(dir, at, raw)
}

// media tells of a datagram of RTP or RTCP.
func (s *SRC) media(dir Direction, c *net.UDPConn, remote netip.AddrPort, raw []byte) {
	if s.cfg.Packets == nil {
		return
	}
	s.cfg.Packets(Packet{
		At: s.cfg.Now(), Direction: dir, Protocol: mediaProtocol(raw), Transport: "UDP",
		Local: unmap(c.LocalAddr().(*net.UDPAddr).AddrPort()), Remote: remote, Data: raw,
	})
}
