package siprec

import (
	"net"
	"net/netip"
	"time"

	"github.com/siprecd/siprecd/siprec/internal/sdp"
	"github.com/siprecd/siprecd/siprec/media"
)

// open binds the ports of a stream, if the SRC may have them.
func (n *negotiator) open(m *sdp.Media) (*media.Receiver, error) {
	if !n.share.take() {
		return nil, errTooManyStreams
	}
	recv, err := n.plane.Open(n.addressFor(m))
	if err != nil {
		n.share.give(1)
	}
	return recv, err
}

// needs is how many streams of an offer need ports.
func (n *negotiator) needs(offer *sdp.Description) int {
	streams := 0
	for i := range offer.Media[:min(len(offer.Media), maxStreams)] {
		if offer.Media[i].Plan(n.terms) != sdp.Refuse {
			streams++
		}
	}
	return streams
}

// bind puts the ports and formats of a slot into its stream and its answer, and
// tells the receiver what to expect.
func (n *negotiator) bind(sl *slot, m *sdp.Media, srtp *media.SRTP, at time.Time) {
	local := sl.recv.RTPAddr()
	sl.stream.Local = local
	sl.answer.Port = local.Port()
	sl.answer.Codecs = m.Choose(n.terms)
	sl.answer.RTCPMux = m.RTCPMux
	sl.answer.Ptime, sl.answer.MaxPtime, sl.answer.Content = m.Ptime, m.MaxPtime, m.Content
	sl.stream.Content = m.Content
	if rtcp := sl.recv.RTCPAddr().Port(); rtcp != local.Port()+1 {
		sl.answer.RTCPPort = rtcp
	}
	if local.Addr() != n.local {
		sl.answer.Addr = local.Addr()
	}
	if m.Addr.IsValid() && !m.Null && m.Port > 0 {
		sl.stream.Remote = netip.AddrPortFrom(m.Addr, uint16(m.Port))
	}
	sl.stream.SRTP = ""
	if srtp != nil && !srtp.UnencryptedRTP {
		sl.stream.SRTP = string(srtp.Suite)
	}
	sl.expected = media.Expected{
		RTP: sl.stream.Remote, RTCP: rtcpAddr(m), Candidates: n.candidates(),
		Mux: m.RTCPMux, Clocks: clocksOf(sl.answer.Codecs), SRTP: srtp, CNAME: n.cname, At: at,
	}
	sl.recv.Expect(sl.expected)
}

// rtcpAddr is what a=rtcp names (RFC 3605); invalid without it.
func rtcpAddr(m *sdp.Media) netip.AddrPort {
	addr := m.RTCPAddr
	if !addr.IsValid() {
		addr = m.Addr
	}
	if m.RTCPPort == 0 || !addr.IsValid() || m.Null {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(addr, uint16(m.RTCPPort))
}

// clocksOf are the clock rates of the formats whose RTP time is that of their
// sending. That of an event is when it began (RFC 4733 §2.5.1.2).
func clocksOf(codecs []sdp.Codec) map[uint8]uint32 {
	clocks := make(map[uint8]uint32, len(codecs))
	for _, c := range codecs {
		if c.Name != "TELEPHONE-EVENT" && c.ClockRate > 0 {
			clocks[c.PayloadType] = uint32(c.ClockRate)
		}
	}
	return clocks
}

// reused reports whether an m-line slot was free and is now used for another
// stream, or changed its medium (RFC 3264 §8.1, RFC 7866 §7.1.1.1).
func reused(before *slot, m *sdp.Media) bool {
	return before.stream.Closed && m.Port > 0 || before.stream.Media != m.Type
}

// candidates are the networks an SRC may send RTP from beside its SDP: its
// signalling address and what is configured for it.
func (n *negotiator) candidates() []netip.Prefix {
	peer := n.peer.Addr()
	return append([]netip.Prefix{netip.PrefixFrom(peer, peer.BitLen())}, n.nets...)
}

// addressFor is the address of ours to receive a stream on: the one that routes
// to the SRC, or to the stream's address when that is of the other IP version.
func (n *negotiator) addressFor(m *sdp.Media) netip.Addr {
	if !m.Addr.IsValid() || m.Addr.Is4() == n.local.Is4() {
		return n.local
	}
	if routed, ok := routeTo(m.Addr); ok {
		return routed
	}
	return n.local
}

// routeTo is the address of ours from which packets to an address leave. No
// packet is sent.
func routeTo(to netip.Addr) (netip.Addr, bool) {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(to, 9)))
	if err != nil {
		return netip.Addr{}, false
	}
	defer conn.Close()
	local, ok := conn.LocalAddr().(*net.UDPAddr)
	if !ok {
		return netip.Addr{}, false
	}
	return local.AddrPort().Addr().Unmap(), true
}
