package siprec

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/siprec/internal/sdp"
	"github.com/siprecd/siprecd/siprec/media"
)

// maxStreams is how many m-lines of a recording session get a port.
const maxStreams = 128

// A slot is one m-line of a recording session with what was agreed on it.
type slot struct {
	stream   Stream
	answer   sdp.Slot
	recv     *media.Receiver // nil when the m-line is refused
	expected media.Expected  // what recv was told
}

// An agreement is the state of offer and answer (RFC 3264). It is not changed
// once it is in force; each offer makes the next.
type agreement struct {
	slots []*slot
	// gone are m-lines that an offer left out against RFC 3264 §8, closed. They
	// follow slots and say which generation a later m-line in their place has.
	gone    []*slot
	body    []byte // our SDP
	version uint64 // its o= version
	time    string // its t= line, that of the offer
	// opened are receivers that only this agreement has, closing those that it
	// no longer has.
	opened, closing []*media.Receiver
	oddities        []string
	// untaken says why m-lines of an answer to an offer of ours cannot be taken;
	// hopeless, that none can.
	untaken  []string
	hopeless bool
}

func (a *agreement) streams() []Stream {
	out := make([]Stream, 0, len(a.slots)+len(a.gone))
	for _, sl := range a.slots {
		out = append(out, sl.stream)
	}
	for _, sl := range a.gone {
		out = append(out, sl.stream)
	}
	return out
}

// before is the slot at a place of the SDP, also one that is gone; nil when
// there never was one.
func (a *agreement) before(i int) *slot {
	switch {
	case a == nil || i >= len(a.slots)+len(a.gone):
		return nil
	case i < len(a.slots):
		return a.slots[i]
	}
	return a.gone[i-len(a.slots)]
}

// acceptable reports whether anything of it can be received, or nothing was
// asked for.
func (a *agreement) acceptable() bool {
	for _, sl := range a.slots {
		if !sl.stream.Closed {
			return true
		}
	}
	return len(a.slots) == 0
}

// refusals says why m-lines were refused, each reason once.
func (a *agreement) refusals() string {
	var why []string
	for _, sl := range a.slots {
		if r := sl.stream.Refusal; r != "" {
			why = appendOnce(why, r)
		}
	}
	return strings.Join(why, "; ")
}

// undo gives back the ports of an agreement that was not come to, and tells the
// receivers that stay what they were told before: a refused offer announces no
// source.
func (n *negotiator) undo(a *agreement) {
	for _, r := range a.opened {
		r.Close()
	}
	n.share.give(len(a.opened))
	for i, sl := range a.slots {
		before := n.now.before(i)
		if before == nil || before.recv == nil || before.recv != sl.recv {
			continue
		}
		was := before.expected
		was.At = sl.expected.At
		before.recv.Expect(was)
	}
	a.wipeKeys(n.now)
}

// A negotiator makes the agreements of one recording session.
type negotiator struct {
	plane  *media.Plane
	now    *agreement     // in force; nil before the first
	origin uint64         // o= sess-id, constant (RFC 3264 §8), and its first version
	peer   netip.AddrPort // where the SRC signals from
	local  netip.Addr     // the address of ours that routes there
	said   netip.Addr     // what SDP says instead of local, behind NAT; invalid for nothing else
	nets   []netip.Prefix
	terms  sdp.Terms
	random io.Reader // for keys
	cname  string    // of this server in RTCP
	share  share
	closed bool
}

// answer makes the agreement that an offer leads to (RFC 3264 §6, §8; RFC 7866
// §7.2, §8.3): one m-line for each offered one, in order.
func (n *negotiator) answer(offer *sdp.Description, at time.Time) (*agreement, error) {
	next := &agreement{oddities: offer.Oddities, time: offer.Time}
	for i := range offer.Media {
		sl, err := n.slot(next, i, &offer.Media[i], at)
		if err != nil {
			n.undo(next)
			return nil, fmt.Errorf("m-line %d: %w", i+1, err)
		}
		next.slots = append(next.slots, sl)
	}
	n.leaveOut(next)
	n.write(next)
	return next, nil
}

// leaveOut ends the streams that an offer has no m-line for.
func (n *negotiator) leaveOut(next *agreement) {
	if n.now != nil && len(n.now.slots) > len(next.slots) {
		// RFC 3264 §8: the number of m-lines never falls. The SRC's fault.
		next.oddities = append(next.oddities, "offer has fewer m-lines than before")
	}
	for i := len(next.slots); n.now.before(i) != nil; i++ {
		sl := *n.now.before(i)
		if sl.recv != nil {
			next.closing = append(next.closing, sl.recv)
		}
		sl.close()
		next.gone = append(next.gone, &sl)
	}
}

// close says that nothing comes on the m-line any more.
func (sl *slot) close() {
	sl.recv, sl.answer.Port = nil, 0
	sl.stream.Closed, sl.stream.Receiving = true, false
	sl.stream.Local, sl.stream.Remote = netip.AddrPort{}, netip.AddrPort{}
}

// slot makes one m-line of the answer.
func (n *negotiator) slot(next *agreement, i int, m *sdp.Media, at time.Time) (*slot, error) {
	before := n.now.before(i)
	sl := &slot{stream: Stream{
		Index: i, Label: m.Label, Media: m.Type, Direction: Direction(m.Direction),
		Codecs: codecsOf(m.Choose(n.terms)), Ptime: time.Duration(m.Ptime) * time.Millisecond,
	}}
	plan := m.Plan(n.terms)
	if m.Port != 0 {
		sl.stream.Refusal = m.Refusal(n.terms)
	}
	if i >= maxStreams && plan != sdp.Refuse {
		// RFC 3264 §6 lets any m-line be refused: one SRC must not take the ports
		// of all others.
		plan = sdp.Refuse
		sl.stream.Refusal = "m-lines beyond the first 128 are refused"
		next.oddities = append(next.oddities, sl.stream.Refusal)
	}
	if before != nil {
		sl.stream.Generation = before.stream.Generation
		switch {
		case plan == sdp.Refuse:
		case reused(before, m):
			sl.stream.Generation++
		default:
			sl.recv = before.recv
		}
		if before.recv != nil && sl.recv == nil {
			next.closing = append(next.closing, before.recv)
		}
	}
	sl.answer = sdp.Slot{Media: m.Type, Proto: m.Proto, Formats: m.Formats, Label: m.Label, Mid: m.Mid, Direction: "inactive"}
	if plan == sdp.Refuse {
		sl.stream.Closed = true
		return sl, nil
	}
	if sl.recv == nil {
		recv, err := n.open(m)
		if err != nil {
			return nil, err
		}
		sl.recv = recv
		next.opened = append(next.opened, recv)
	}
	sl.stream.Recordable = plan == sdp.Record
	if sl.stream.Recordable {
		sl.answer.Direction = m.AnswerDirection(n.terms)
	}
	sl.stream.Receiving = sl.answer.Direction == "recvonly"
	srtp, err := n.secure(sl, m, before)
	if err != nil {
		return nil, err
	}
	next.noteClear(srtp)
	n.bind(sl, m, srtp, at)
	return sl, nil
}

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

// write makes our SDP; its version rises when it says something new.
func (n *negotiator) write(a *agreement) {
	slots := make([]sdp.Slot, len(a.slots))
	for i, sl := range a.slots {
		slots[i] = sl.answer
	}
	local := sdp.Local{User: "siprecd", ID: n.origin, Version: n.origin, Addr: n.local, Time: a.time}
	if n.said.IsValid() {
		local.Addr = n.said
	}
	if n.now != nil {
		local.Version = n.now.version
	}
	a.body = sdp.Write(local, slots)
	if n.now != nil && !sdp.SameExceptVersion(a.body, n.now.body) {
		local.Version++
		a.body = sdp.Write(local, slots)
	}
	a.version = local.Version
}

// offer makes the offer for the 200 to an offerless INVITE (RFC 3261 §14.2): the
// present m-lines, or, for a new dialog, one audio stream. It adds no m-line to
// a dialog that has some (RFC 7866 §7.2).
func (n *negotiator) offer(at time.Time) (*agreement, error) {
	next := &agreement{}
	if n.now != nil {
		next.gone, next.time = n.now.gone, n.now.time
		for _, before := range n.now.slots {
			sl := *before
			if sl.stream.Recordable && !sl.stream.Closed {
				sl.answer.Direction = "recvonly"
			}
			next.slots = append(next.slots, &sl)
		}
		n.write(next)
		return next, nil
	}
	m := sdp.Media{Type: "audio", Proto: "RTP/AVP", Direction: "sendonly", Codecs: sdp.DefaultAudio(), Port: 1, Null: true}
	if n.terms.SRTP == sdp.RequireSRTP {
		if err := n.offerSecure(&m); err != nil {
			return nil, err
		}
	}
	sl, err := n.slot(next, 0, &m, at)
	if err != nil {
		n.undo(next)
		return nil, err
	}
	sl.answer.Direction, sl.stream.Receiving = "recvonly", true
	next.slots = []*slot{sl}
	n.write(next)
	return next, nil
}

// concluded makes the agreement that the SRC's answer in an ACK leads to.
func (n *negotiator) concluded(answer *sdp.Description, at time.Time) *agreement {
	next := &agreement{oddities: answer.Oddities, body: n.now.body, version: n.now.version, time: n.now.time, gone: n.now.gone}
	taken := 0
	for i, before := range n.now.slots {
		sl := *before
		next.slots = append(next.slots, &sl)
		if i >= len(answer.Media) || sl.recv == nil {
			continue
		}
		m := &answer.Media[i]
		sl.stream.Direction = Direction(m.Direction)
		if m.Label != "" {
			sl.stream.Label = m.Label
		}
		if m.Port == 0 {
			next.closing = append(next.closing, sl.recv)
			sl.close()
			continue
		}
		if len(m.Codecs) == 0 {
			m.Codecs = before.answer.Codecs // it can mean nothing else
		}
		if err := m.KeepOffered(before.answer.Crypto); err != nil {
			next.untaken = appendOnce(next.untaken, err.Error())
			continue
		}
		if why := m.Refusal(n.terms); why != "" {
			// Nothing of it could be read: the stream stays as it was before.
			next.untaken = appendOnce(next.untaken, why)
			continue
		}
		srtp, err := n.secure(&sl, m, before)
		if err != nil {
			next.untaken = appendOnce(next.untaken, err.Error())
			continue
		}
		next.noteClear(srtp)
		taken++
		sl.stream.Receiving = sl.stream.Recordable && m.AnswerDirection(n.terms) == "recvonly"
		sl.stream.Codecs = codecsOf(m.Choose(n.terms))
		n.bind(&sl, m, srtp, at)
	}
	if len(answer.Media) != len(n.now.slots) {
		next.oddities = append(next.oddities, "answer has another number of m-lines than the offer")
	}
	next.hopeless = taken == 0 && len(next.untaken) > 0
	for _, why := range next.untaken {
		next.oddities = append(next.oddities, "answer cannot be taken: "+why)
	}
	return next
}

// commit puts an agreement in force. What was sent before it to a port that it
// no longer has still reaches its sink.
func (n *negotiator) commit(a *agreement, log *zap.Logger) {
	before := n.now
	n.now = a
	if before != nil {
		before.wipeKeys(a)
	}
	for _, r := range a.closing {
		r.Drain()
	}
	n.share.give(len(a.closing))
	a.opened, a.closing = nil, nil
	if a.clear() && !before.clear() {
		log.Warn(oddClear)
	}
	if len(a.oddities) > 0 {
		log.Debug("sdp oddities", zap.Strings("oddities", a.oddities))
	}
}

// close drains every port; the second time there is nothing to do.
func (n *negotiator) close() {
	if n.now == nil || n.closed {
		return
	}
	n.closed = true
	for _, sl := range n.now.slots {
		if sl.recv != nil {
			sl.recv.Drain()
			n.share.give(1)
		}
		wipe(sl.expected.SRTP, nil)
	}
}

func codecsOf(cs []sdp.Codec) []Codec {
	out := make([]Codec, len(cs))
	for i, c := range cs {
		out[i] = Codec{PayloadType: c.PayloadType, Name: c.Name, ClockRate: c.ClockRate, Channels: c.Channels, Params: c.Params}
	}
	return out
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
