package siprec

import "github.com/emiago/sipgo/sip"

// holdAnswer waits until the profile of the SRC lets the 200 to an INVITE leave:
// there are SRCs that lose the ACK of one that comes too soon. Only this dialog
// waits, and it does not when the SRC goes on: what it asks for next may end the
// recording or stop it. It reports whether that is a BYE, by which the INVITE needs
// no 200 any more (RFC 3261 §15.1.2).
func (rs *RecordingSession) holdAnswer(r *request) (bye bool) {
	clock := rs.server.cfg.Clock
	left := r.At.Add(rs.src.AnswerDelay).Sub(clock.Now())
	if rs.src.AnswerDelay <= 0 || left <= 0 || r.method() != sip.INVITE {
		return false
	}
	over := make(chan struct{})
	timer := clock.AfterFunc(left, func() { close(over) })
	defer timer.Stop()
	next, _ := rs.inbox.await(func(item any) bool { return endsHold(item, r) }, over).(*request)
	return next != nil && next.method() == sip.BYE
}

// endsHold reports whether an item of the inbox is a reason not to keep the 200 to
// an INVITE back any longer.
func endsHold(item any, invite *request) bool {
	switch it := item.(type) {
	case *request:
		return it.method() != sip.PRACK && it.method() != sip.OPTIONS
	case cancelNote:
		return it.of == invite.exchange
	case endNote:
		return true
	}
	return false
}
