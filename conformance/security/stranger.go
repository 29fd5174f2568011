package security

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// A stranger sends datagrams from a socket that no SDP names.
type stranger struct{ conn *net.UDPConn }

// newStranger opens a socket at an address of this machine; it is closed after the case.
func newStranger(t *check.T, at netip.Addr) *stranger {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(at, 0)))
	if err != nil {
		t.Skipf("nobody can send from %s: %v", at, err)
	}
	t.Cleanup(func() {
		// It holds nothing that could be lost.
		_ = conn.Close()
	})
	return &stranger{conn}
}

// send writes one datagram.
func (s *stranger) send(t *check.T, to netip.AddrPort, packet []byte) {
	t.Check(s.write(t, to, packet), "send as a stranger")
}

// intrude writes one packet after the other until ctx ends.
func (s *stranger) intrude(ctx context.Context, t *check.T, to netip.AddrPort, packet func(i int) []byte) error {
	tick := time.NewTicker(spacing)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-tick.C:
			if err := s.write(t, to, packet(i)); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *stranger) write(t *check.T, to netip.AddrPort, packet []byte) error {
	protocol := src.RTP
	if len(packet) > 1 && packet[1] >= 192 && packet[1] <= 223 { // RFC 5761 §4
		protocol = src.RTCP
	}
	t.Packet(src.Packet{
		At: time.Now(), Direction: src.Out, Protocol: protocol, Transport: "UDP",
		Local: s.conn.LocalAddr().(*net.UDPAddr).AddrPort(), Remote: to, Data: packet,
	})
	_, err := s.conn.WriteToUDPAddrPort(packet, to)
	return err
}
