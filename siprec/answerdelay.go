package siprec

import "github.com/emiago/sipgo/sip"

// holdAnswer waits until the profile of the SRC lets the 200 to an INVITE leave:
// there are SRCs that lose the ACK of one that comes too soon. Only this dialog
// waits.
func (rs *RecordingSession) holdAnswer(r *request) {
	clock := rs.server.cfg.Clock
	left := r.At.Add(rs.src.AnswerDelay).Sub(clock.Now())
	if rs.src.AnswerDelay <= 0 || left <= 0 || r.method() != sip.INVITE {
		return
	}
	over := make(chan struct{})
	clock.AfterFunc(left, func() { close(over) })
	<-over
}
