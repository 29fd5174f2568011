package model

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pion/rtp"

	"github.com/siprecd/siprecd/conformance/src"
)

// reportEvery is the time between two reports of a stream. It is far below that of RFC
// 3550 §6.2, so that tests need not wait.
const reportEvery = 100 * time.Millisecond

// A receiver takes RTP and RTCP of one m-line and reports on them (RFC 3550 §6).
type receiver struct {
	cfg       *Config
	rtp, rtcp *net.UDPConn
	own       uint32 // SSRC of the reports
	done      chan struct{}

	mu       sync.Mutex
	ended    bool
	mux      bool           // RTCP leaves from the port of RTP (RFC 5761 §5.1.1)
	to       netip.AddrPort // where reports go
	sender   netip.AddrPort // announced by the offer; invalid without one
	lastAt   time.Time      // of what came from there
	came     bool           // RTCP came, from there
	opener   *src.Protector // takes off what the SRC protects; nil for plain RTP
	openedBy src.SRTPKey
	former   *src.Protector // of the key before
	sealer   *src.Protector // of the reports
	seen     reception
	track    *Track  // what is recorded; nil without Record
	marks    []*mark // of flush, on their way
}

// receive binds an even port for RTP and the next for RTCP (RFC 3550 §11); nil when
// none was free. The caller holds the mutex of the server.
func (s *Server) receive() *receiver {
	ip := net.ParseIP(s.cfg.IP)
	for range 64 {
		if s.closed {
			return nil
		}
		c, err := net.ListenUDP("udp", &net.UDPAddr{IP: ip})
		if err != nil {
			return nil
		}
		port := c.LocalAddr().(*net.UDPAddr).Port
		control, err := net.ListenUDP("udp", &net.UDPAddr{IP: ip, Port: port + 1})
		if port%2 != 0 || err != nil {
			_ = c.Close() // another pair is tried
			if err == nil {
				_ = control.Close()
			}
			continue
		}
		s.media, s.control = append(s.media, c), append(s.control, control)
		r := &receiver{cfg: &s.cfg, rtp: c, rtcp: control, own: 77, done: make(chan struct{})}
		s.wg.Go(func() { r.read(c, r.datagram) })
		s.wg.Go(func() { r.read(control, r.controlDatagram) })
		s.wg.Go(func() { r.tick(s.stop) })
		return r
	}
	return nil
}

// expect takes what an offer says of the m-line, and the a=crypto lines that were
// accepted of it and answered.
func (r *receiver) expect(offer *src.SDP, i int, accepted, answered string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := offer.Media[i]
	_, r.mux = m.Attribute("rtcp-mux")
	r.sender = offer.AddressOf(i)
	if at := r.sender; at.IsValid() && !r.came {
		r.to = at
		if port, found := m.Attribute("rtcp"); found && !r.mux && !r.cfg.NextPort {
			n, _ := strconv.ParseUint(strings.Fields(port)[0], 10, 16)
			r.to = netip.AddrPortFrom(at.Addr(), uint16(n))
		} else if !r.mux {
			r.to = netip.AddrPortFrom(at.Addr(), at.Port()+1)
		}
	}
	if r.cfg.AlterKey != nil {
		accepted = r.cfg.AlterKey(i, accepted)
	}
	r.protect(accepted, answered)
}

// protect takes the keys of both sides; those that stay keep their counters. The caller
// holds mu.
func (r *receiver) protect(accepted, answered string) {
	_, theirs, err := src.ParseSRTPKey(accepted)
	if err != nil {
		r.opener, r.former, r.sealer, r.openedBy = nil, nil, nil, src.SRTPKey{}
		return
	}
	if r.opener != nil && r.openedBy.Equal(theirs) && !r.cfg.NewCounters {
		return
	}
	_, ours, _ := src.ParseSRTPKey(answered)
	r.former, r.openedBy = r.opener, theirs
	if r.cfg.NewCounters {
		r.former = nil
	}
	r.opener, _ = src.NewProtector(theirs)
	r.sealer, _ = src.NewProtector(ours)
}

// read hands datagrams on until the socket is closed.
func (r *receiver) read(c *net.UDPConn, take func(b []byte, from netip.AddrPort, at time.Time)) {
	buf := make([]byte, 2048)
	for {
		n, from, err := c.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		r.mu.Lock()
		if r.marked(from) {
			r.mu.Unlock()
			continue
		}
		if !r.ended {
			take(buf[:n], from, time.Now())
		}
		r.mu.Unlock()
	}
}

// datagram takes what comes to the port of RTP (RFC 5761 §4). The caller holds mu.
func (r *receiver) datagram(b []byte, from netip.AddrPort, at time.Time) {
	if len(b) >= 2 && b[1] >= 192 && b[1] <= 223 {
		r.controlDatagram(b, from, at)
		return
	}
	var h rtp.Header
	n, err := h.Unmarshal(b)
	if err != nil || h.Version != 2 && !r.cfg.Trusting || r.cfg.Overlook != nil && r.cfg.Overlook(&h) {
		return
	}
	plain := b
	if r.opener != nil {
		index := uint64(h.SSRC)<<16 | uint64(h.SequenceNumber)
		plain, err = r.opener.OpenRTP(b, n)
		if err != nil && r.former != nil {
			plain, err = r.former.OpenRTP(b, n)
		}
		if (err != nil || r.seen.indexes[index]) && !r.cfg.Trusting {
			return
		}
		if err != nil {
			plain = b // taken as it is
		}
	}
	if !r.vouched(from, &h, at) {
		return
	}
	if r.track != nil && len(plain) >= n {
		r.track.take(r.cfg.Record, Packet{At: at, From: from, Header: h, Payload: unpadded(h, bytes.Clone(plain[n:])), Suite: r.openedBy.Suite})
	}
	r.seen.note(&h, at)
}

// silence is how long the sender of a stream has to be silent before another port of its
// address takes its place.
const silence = 250 * time.Millisecond

// vouched reports whether a packet is of the SRC: it is authentic, comes from where the
// offer says, or from another port there and goes on with the stream or follows its end.
// The caller holds mu.
func (r *receiver) vouched(from netip.AddrPort, h *rtp.Header, at time.Time) bool {
	ahead := h.SequenceNumber - uint16(r.seen.highest)
	switch {
	case r.opener != nil || r.cfg.AnySource || !r.sender.IsValid() || from == r.sender:
	case from.Addr() != r.sender.Addr():
		return false
	case r.seen.started && !(h.SSRC == r.seen.ssrc && ahead >= 1 && ahead <= 64) && at.Sub(r.lastAt) < silence:
		return false
	}
	r.lastAt = at
	return true
}

// controlDatagram takes RTCP. The caller holds mu.
func (r *receiver) controlDatagram(b []byte, from netip.AddrPort, at time.Time) {
	if r.opener != nil {
		plain, err := r.opener.OpenRTCP(b)
		switch {
		case err == nil:
			b = plain
		case !r.cfg.Trusting:
			return
		}
	}
	if len(b) < 8 || b[0]>>6 != 2 {
		return
	}
	if c, err := src.ParseCompound(b); err == nil && len(c.Byes) > 0 {
		if r.cfg.GoodbyeEnds && !r.ended {
			r.ended = true
			close(r.done)
		}
		return
	}
	r.to, r.came = from, true
	if b[1] == src.RTCPSenderReport && len(b) >= 28 {
		r.seen.reportSSRC, r.seen.reportAt = binary.BigEndian.Uint32(b[4:]), at
		r.seen.reportNTP = uint32(binary.BigEndian.Uint64(b[8:]) >> 16)
	}
}

// tick reports until the end.
func (r *receiver) tick(stop <-chan struct{}) {
	t := time.NewTicker(reportEvery)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			r.mu.Lock()
			r.send(nil)
			r.mu.Unlock()
		case <-r.done:
			return
		case <-stop:
			return
		}
	}
}

// end says goodbye (RFC 3550 §6.6) and takes nothing more.
func (r *receiver) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	r.send([]byte{0x81, src.RTCPGoodbye, 0, 1, 0, 0, 0, byte(r.own)})
	r.ended = true
	close(r.done)
}

// send writes a report and what goes with it. The caller holds mu.
func (r *receiver) send(further []byte) {
	if r.ended || !r.to.IsValid() {
		return
	}
	packet := append(r.seen.report(r.own, time.Now()), further...)
	if r.cfg.AlterReport != nil {
		packet = r.cfg.AlterReport(packet)
	}
	if packet == nil {
		return
	}
	if r.sealer != nil && !r.cfg.PlainReports {
		packet = r.sealer.RTCP(packet)
	}
	c := r.rtcp
	if r.mux && !r.cfg.NextPort {
		c = r.rtp
	}
	_, _ = c.WriteToUDPAddrPort(packet, r.to) // a peer that is gone shows in the test
}
