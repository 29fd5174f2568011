package media

import (
	"net/netip"
	"slices"
	"time"
)

const (
	// announcedWait is how long announced and configured sources have, from the
	// offer on, before a source that is neither may be taken.
	announcedWait = time.Second
	// silenceWait is how long the adopted source must have been silent before
	// another takes its place.
	silenceWait = 250 * time.Millisecond
	// offerWait is how long after an offer a change of source is explained by it.
	offerWait = 2 * time.Second
	// forwardWindow is how far ahead of the last sequence number a packet of
	// another source continues the stream: packets of about 1 s.
	forwardWindow = 64
)

// rank says how well a source is vouched for. More is better.
type rank int

const (
	unannounced rank = iota // neither announced nor configured
	candidate               // the signalling peer or a configured media network
	announced               // exactly the address and port of the SDP
)

// verdict is what becomes of a packet.
type verdict int

const (
	deliver verdict = iota + 1 // it is from the adopted source
	adopt                      // its source is adopted with it
	wait                       // its source may be adopted later
)

// latch decides whose packets belong to a stream. Everything it knows comes with
// its calls; it reads no clock.
//
// Two live sources are never mixed. One that is not adopted waits, for the old
// one to fall silent or for an offer that explains it; the reader forgets what
// waited too long.
type latch struct {
	expected Expected
	offered  bool // expect was called
	// former is what the port was used for just before. Who sent then may send on:
	// it is adopted only if the offer names its very port.
	former formerUse
	// vouched says that an announced or configured source sent since the offer.
	vouched bool

	source    netip.AddrPort // adopted; invalid when none is
	rank      rank           // of source, by the present offer
	adoptedAt time.Time
	ssrc      uint32 // of the last packet of source
	sequence  uint16 // highest of source
	last      time.Time
	flagged   bool
}

// expect renews what is announced.
func (l *latch) expect(e Expected) {
	e.RTP, e.RTCP = plainAddr(e.RTP), plainAddr(e.RTCP)
	e.Candidates = slices.Clone(e.Candidates)
	l.expected, l.offered, l.vouched = e, true, false
	if l.source.IsValid() {
		l.rank = l.rankOf(l.source)
	}
}

// plainAddr is the form in which sources come, whatever form an offer was read
// into: plain IPv4, no zone.
func plainAddr(a netip.AddrPort) netip.AddrPort {
	if !a.IsValid() {
		return a
	}
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

// judge says what becomes of a packet that arrived at an instant.
func (l *latch) judge(src netip.AddrPort, ssrc uint32, sequence uint16, at time.Time) verdict {
	if l.source.IsValid() && src == l.source {
		l.follow(ssrc, sequence, at)
		return deliver
	}
	k := l.rankOf(src)
	if !l.isFormer(k, ssrc, at) {
		l.vouch(k, at)
	}
	if !l.mayAdopt(k, ssrc, sequence, at) {
		return wait
	}
	l.take(src, k, at)
	l.ssrc, l.sequence, l.last = ssrc, sequence, at
	return adopt
}

// review judges a packet that waits once more, by the present instant, and says
// whether its source was adopted.
func (l *latch) review(w *waiter, now time.Time) bool {
	if !l.mayAdopt(w.rank, w.ssrc, w.sequence, now) {
		return false
	}
	l.take(w.source, w.rank, now)
	l.ssrc, l.sequence, l.last = w.ssrc, w.sequence, w.at
	return true
}

// take makes src the adopted source.
func (l *latch) take(src netip.AddrPort, k rank, at time.Time) {
	l.source, l.rank, l.adoptedAt = src, k, at
	l.flagged = l.flagged || k == unannounced
}

// follow notes a packet of the adopted source.
func (l *latch) follow(ssrc uint32, sequence uint16, at time.Time) {
	// A late packet must not take the sequence back.
	if ssrc != l.ssrc || int16(sequence-l.sequence) > 0 {
		l.ssrc, l.sequence = ssrc, sequence
	}
	l.last = at
	l.vouch(l.rank, at)
	// An offer may leave the adopted source neither announced nor configured.
	if l.rank == unannounced && l.unvouched(at) {
		l.flagged = true
	}
}

// vouch notes that an announced or configured source sends.
func (l *latch) vouch(k rank, at time.Time) {
	if k > unannounced && !l.vouched {
		l.vouched = !at.Before(l.expected.At)
	}
}

// mayAdopt says whether a source other than the adopted one takes its place.
func (l *latch) mayAdopt(k rank, ssrc uint32, sequence uint16, at time.Time) bool {
	if !l.offered {
		return false
	}
	if k == unannounced && !l.unvouched(at) {
		return false
	}
	if l.isFormer(k, ssrc, at) {
		return false
	}
	switch {
	case !l.source.IsValid():
		return true
	case l.rank == unannounced && k > unannounced:
		// What was taken for want of better gives way.
		return true
	case l.continues(ssrc, sequence):
		return true
	case at.Sub(l.last) >= silenceWait:
		return true
	case at.Sub(l.expected.At) <= offerWait:
		// One change for each offer, and never to a source that is vouched for
		// less: else two live sources would alternate until the time is over.
		return k > l.rank || k == l.rank && l.adoptedAt.Before(l.expected.At)
	}
	return false
}

// isFormer says that a packet is of what the port was used for before.
func (l *latch) isFormer(k rank, ssrc uint32, at time.Time) bool {
	return k < announced && ssrc == l.former.ssrc && at.Before(l.former.until)
}

// unvouched says that the time of the announced and configured sources is over
// and none of them sent.
func (l *latch) unvouched(at time.Time) bool {
	return l.offered && !l.vouched && at.Sub(l.expected.At) >= announcedWait
}

// continues says that a packet is the next of the adopted source's stream: an
// SSRC names a source whatever address its packets come from (RFC 3550 §8.2).
func (l *latch) continues(ssrc uint32, sequence uint16) bool {
	ahead := sequence - l.sequence
	return ssrc == l.ssrc && ahead >= 1 && ahead <= forwardWindow
}

// rankOf ranks a source by the present offer.
func (l *latch) rankOf(src netip.AddrPort) rank {
	if l.expected.SRTP != nil {
		// Only who has the key comes as far as this.
		return announced
	}
	// A prefix contains no address with a zone, and no SDP names one.
	ip := src.Addr().WithZone("")
	if l.expected.RTP.IsValid() && ip == l.expected.RTP.Addr() {
		if src.Port() == l.expected.RTP.Port() {
			return announced
		}
		// The SDP says where the SRC receives; it may send from another port
		// (RFC 3264 §5.1).
		return candidate
	}
	if l.configured(ip) {
		return candidate
	}
	return unannounced
}

// configured reports whether an address is among the candidates.
func (l *latch) configured(ip netip.Addr) bool {
	for _, p := range l.expected.Candidates {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}
