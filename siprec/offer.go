package siprec

import (
	"fmt"
	"io"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/siprec/internal/sdp"
	"github.com/siprecd/siprecd/siprec/media"
)

// maxStreams is how many m-lines of a recording session get a port.
const maxStreams = 128

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
