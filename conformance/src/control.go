package src

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// ControlRemote is where the server wants RTCP: the port of RTP where the answer has
// a=rtcp-mux (RFC 5761 §5.1.1), that of a=rtcp (RFC 3605), else the next one. It is
// invalid when the answer wants no RTP.
func (st *Stream) ControlRemote() netip.AddrPort {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.controlRemote()
}

// controlRemote is ControlRemote; the caller holds mu.
func (st *Stream) controlRemote() netip.AddrPort {
	if !st.remote.IsValid() || st.muxed() {
		return st.remote
	}
	if value, found := st.answer.Attribute("rtcp"); found {
		text, _, _ := strings.Cut(value, " ")
		if port, err := strconv.ParseUint(text, 10, 16); err == nil {
			return netip.AddrPortFrom(st.remote.Addr(), uint16(port))
		}
	}
	return netip.AddrPortFrom(st.remote.Addr(), st.remote.Port()+1)
}

// muxed reports whether RTP and RTCP share a port; the caller holds mu.
func (st *Stream) muxed() bool {
	_, mux := st.answer.Attribute("rtcp-mux")
	return mux
}

// controlConn is the socket of RTCP; the caller holds mu.
func (st *Stream) controlConn() *net.UDPConn {
	if st.muxed() {
		return st.rtp
	}
	return st.rtcp
}

// SSRC is the source of the packet that would be sent next.
func (st *Stream) SSRC() uint32 {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.next.SSRC
}

// Report sends a sender report with CNAME about the source that plays next, with the
// counts given, and behind it further packets of RTCP in the same datagram. The number
// is its NTP time stamp (RFC 3550 §6.4.1).
func (st *Stream) Report(packets, octets uint32, further ...[]byte) (ntp uint64, err error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	now := st.dialog.src.cfg.Now()
	report := senderReport(st.next.SSRC, st.next.Timestamp, packets, octets, now, st.dialog.localTag)
	for _, p := range further {
		report = append(report, p...)
	}
	return ntpOf(now), st.control(report)
}

// Goodbye sends a BYE for a source behind an empty receiver report (RFC 3550 §6.6).
func (st *Stream) Goodbye(ssrc uint32) error {
	id := []byte{byte(ssrc >> 24), byte(ssrc >> 16), byte(ssrc >> 8), byte(ssrc)}
	packet := append([]byte{0x80, RTCPReceiverReport, 0, 1}, id...)
	packet = append(append(packet, 0x81, RTCPGoodbye, 0, 1), id...)
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.control(packet)
}

// control protects and sends a datagram of RTCP; the caller holds mu.
func (st *Stream) control(packet []byte) error {
	if st.sending != nil {
		packet = st.sending.RTCP(packet)
	}
	return st.datagram(st.controlConn(), packet, st.controlRemote())
}

// ReadControl waits for one datagram of the server where RTCP is to come, and takes its
// protection off.
func (st *Stream) ReadControl(ctx context.Context) (plain []byte, from netip.AddrPort, err error) {
	st.mu.Lock()
	mux := st.muxed()
	st.mu.Unlock()
	read := st.ReadRTCP
	if mux {
		read = st.ReadRTP
	}
	raw, from, err := read(ctx)
	if err != nil {
		return nil, from, err
	}
	plain, err = st.OpenRTCP(raw)
	return plain, from, err
}
