package media

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/pion/rtp"
)

// control is the RTCP of one stream: what was heard, and what is told about the
// packets that came (RFC 3550 §6).
type control struct {
	own   uint32 // our SSRC
	cname string // ours, as it was told or made when it is needed
	// from is where RTCP of a source that may be answered came from; invalid
	// before the first.
	from      netip.AddrPort
	reception reception
	sender    SenderReport // of the adopted source
}

func newControl() control { return control{own: randomSSRC()} }

func randomSSRC() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails, says its documentation
	return binary.BigEndian.Uint32(b[:])
}

// newCNAME makes a CNAME of 96 random bits (RFC 7022 §4.2): it tells nothing of
// this machine.
func newCNAME() string {
	var b [12]byte
	_, _ = rand.Read(b[:])
	return base64.StdEncoding.EncodeToString(b[:])
}

// note counts a packet of the adopted source, and reports whether its SSRC was ours.
func (c *control) note(h *rtp.Header, clocks map[uint8]uint32, at time.Time) (collided bool) {
	if h.SSRC == c.own {
		c.own, collided = randomSSRC(), true // RFC 3550 §8.2
	}
	if h.SSRC != c.sender.SSRC {
		c.sender = SenderReport{} // one may come before the first packet
	}
	c.reception.note(h.SSRC, h.SequenceNumber, h.Timestamp, clocks[h.PayloadType], at)
	return collided
}

// hear takes what a source that may be answered told.
func (c *control) hear(h heard, src netip.AddrPort, stats *Stats) {
	c.from = src
	stats.Byes += uint64(len(h.byes))
	for _, r := range h.reports {
		// Before the first packet no SSRC is known.
		if !c.reception.started || r.SSRC == c.reception.ssrc {
			c.sender = r
			stats.SenderReport = r
		}
	}
	for ssrc, said := range h.names {
		if said.cname != "" && (!c.reception.started || ssrc == c.reception.ssrc) {
			stats.CNAME = said.cname
		}
	}
}

// compound makes a report, which ends with BYE when it is the last one.
func (c *control) compound(now time.Time, last bool) []byte {
	if c.cname == "" {
		c.cname = newCNAME()
	}
	b := appendReport(nil, c.own, c.reception.report(c.sender, now), c.cname)
	if last {
		b = appendBye(b, c.own)
	}
	return b
}

// reportTo is where reports go, and whether they leave from the RTP port: back to
// where RTCP came from, else to what the SDP names. A source that nobody vouches
// for gets none, and before there is one only a configured address does: whoever
// writes another's address into a packet or an offer must not make us send to it.
func (f *flow) reportTo() (to netip.AddrPort, shared bool) {
	l, e := &f.latch, &f.latch.expected
	if l.source.IsValid() && l.rankOf(l.source) == unannounced {
		return netip.AddrPort{}, false
	}
	from, named := f.control.from, e.RTCP
	if !named.IsValid() && e.RTP.IsValid() && e.RTP.Port() < 65535 {
		named = netip.AddrPortFrom(e.RTP.Addr(), e.RTP.Port()+1)
	}
	trusted := func(a netip.AddrPort) bool {
		return a.IsValid() && (a.Addr() == l.source.Addr() || l.configured(a.Addr()))
	}
	switch {
	case e.Mux && l.source.IsValid():
		return l.source, true
	case e.Mux && trusted(e.RTP):
		return e.RTP, true
	case e.Mux:
	case trusted(from):
		return from, false
	case trusted(named):
		return named, false
	}
	return netip.AddrPort{}, false
}
