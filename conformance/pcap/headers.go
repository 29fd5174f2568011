package pcap

import (
	"encoding/binary"
	"net/netip"
)

// Numbers of protocols in IP, and flags of TCP (RFC 9293 §3.1).
const (
	protocolTCP = 6
	protocolUDP = 17

	flagSYN = 0x02
	flagPSH = 0x08
	flagACK = 0x10
)

// ip is the header of a packet of IPv4 (RFC 791 §3.1) or, when one of the addresses
// is, of IPv6 (RFC 8200 §3).
func ip(from, to netip.Addr, protocol byte, payload int) []byte {
	from, to = from.Unmap(), to.Unmap()
	if !from.Is4() || !to.Is4() {
		h := []byte{0x60, 0, 0, 0}
		h = binary.BigEndian.AppendUint16(h, uint16(payload))
		h = append(h, protocol, 64)
		a, b := from.As16(), to.As16()
		return append(append(h, a[:]...), b[:]...)
	}
	h := []byte{0x45, 0}
	h = binary.BigEndian.AppendUint16(h, uint16(20+payload))
	h = append(h, 0, 0, 0x40, 0, 64, protocol, 0, 0)
	a, b := from.As4(), to.As4()
	h = append(append(h, a[:]...), b[:]...)
	binary.BigEndian.PutUint16(h[10:], ^sum(0, h))
	return h
}

// maxDatagram is the most that a datagram has, in octets, in either version of IP.
const maxDatagram = 65535 - 20 - 8

// udp is a datagram with its header (RFC 768). What no datagram has room for is cut off.
func udp(from, to netip.AddrPort, data []byte) []byte {
	data = data[:min(len(data), maxDatagram)]
	b := ports(from, to)
	b = binary.BigEndian.AppendUint16(b, uint16(8+len(data)))
	b = append(append(b, 0, 0), data...)
	check := checksum(from.Addr(), to.Addr(), protocolUDP, b)
	if check == 0 {
		check = 0xffff // 0 says that there is none
	}
	binary.BigEndian.PutUint16(b[6:], check)
	return b
}

// tcp is a segment with its header (RFC 9293 §3.1).
func tcp(from, to netip.AddrPort, seq, ack uint32, flags byte, data []byte) []byte {
	b := ports(from, to)
	b = binary.BigEndian.AppendUint32(b, seq)
	b = binary.BigEndian.AppendUint32(b, ack)
	b = append(b, 5<<4, flags, 0xff, 0xff, 0, 0, 0, 0)
	b = append(b, data...)
	binary.BigEndian.PutUint16(b[16:], checksum(from.Addr(), to.Addr(), protocolTCP, b))
	return b
}

func ports(from, to netip.AddrPort) []byte {
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, from.Port()), to.Port())
}

// checksum is that of UDP and TCP, over a pseudo header too.
func checksum(from, to netip.Addr, protocol byte, b []byte) uint16 {
	partial := uint32(protocol) + uint32(len(b))
	for _, a := range []netip.Addr{from.Unmap(), to.Unmap()} {
		partial += uint32(sum(0, a.AsSlice()))
	}
	return ^sum(partial, b)
}

// sum is the sum of 16-bit words in one's complement (RFC 1071).
func sum(partial uint32, b []byte) uint16 {
	for ; len(b) > 1; b = b[2:] {
		partial += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		partial += uint32(b[0]) << 8
	}
	for partial > 0xffff {
		partial = partial>>16 + partial&0xffff
	}
	return uint16(partial)
}
