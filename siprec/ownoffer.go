package siprec

import (
	"time"

	"github.com/siprecd/siprecd/siprec/internal/sdp"
)

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
