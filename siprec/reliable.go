package siprec

import (
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"github.com/siprecd/siprecd/siprec/internal/front"
)

// A provisional is a 180 that is repeated until its PRACK comes (RFC 3262 §3). It
// is sent only to an SRC that requires it. It is guarded by the mu of its
// recording session.
type provisional struct {
	invite   *request
	res      *sip.Response
	rseq     uint32
	interval time.Duration
	deadline time.Time
	timer    Timer
	then     func() // sends the 200 once the handler has accepted; nil before
}

type (
	// A noPrackNote says that the PRACK did not come within 64*T1.
	noPrackNote struct{ of *provisional }
	// A cancelNote says that an INVITE was cancelled.
	cancelNote struct {
		of    *exchange
		again bool // a re-INVITE
	}
)

// ring sends the reliable 180. It has no SDP: the answer comes in the 200. To an
// INVITE without an offer it may not be sent, as the first reliable response would
// have to bring ours (RFC 3261 §13.2.1).
func (rs *RecordingSession) ring(r *request) {
	cfg := &rs.server.cfg
	res := rs.server.newResponse(r, 180, rs.localTag, nil)
	p := &provisional{
		invite: r, res: res, rseq: uint32(1 + rs.server.dice(1<<16)),
		interval: cfg.T1, deadline: cfg.Clock.Now().Add(64 * cfg.T1),
	}
	res.AppendHeader(r.contact())
	res.AppendHeader(sip.NewHeader("Require", "100rel"))
	res.AppendHeader(sip.NewHeader("RSeq", strconv.FormatUint(uint64(p.rseq), 10)))
	describe(res, rs.src.SessionTimer)
	rs.mu.Lock()
	rs.provisional = p
	p.timer = cfg.Clock.AfterFunc(p.interval, func() { rs.ringAgain(p) })
	rs.mu.Unlock()
	rs.server.send(r, res)
}

// ringAgain repeats the 180, twice as late each time, or gives up.
func (rs *RecordingSession) ringAgain(p *provisional) {
	cfg := &rs.server.cfg
	rs.mu.Lock()
	if rs.provisional != p {
		rs.mu.Unlock()
		return
	}
	now := cfg.Clock.Now()
	if !now.Before(p.deadline) {
		rs.mu.Unlock()
		rs.inbox.post(noPrackNote{p})
		return
	}
	p.interval *= 2
	p.timer = cfg.Clock.AfterFunc(min(p.interval, p.deadline.Sub(now)), func() { rs.ringAgain(p) })
	rs.mu.Unlock()
	// What cannot be written now is repeated like what was lost.
	_ = p.invite.Flow.WriteMsg(p.res)
}

// untilPrack keeps the 200 to the initial INVITE back while a reliable 180 is not
// acknowledged (RFC 3262 §3), and reports whether it did.
func (rs *RecordingSession) untilPrack(then func()) bool {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.provisional == nil {
		return false
	}
	rs.provisional.then = then
	return true
}

// early reports whether the answer to the initial INVITE is being kept back.
func (rs *RecordingSession) early() bool {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return rs.provisional != nil
}

// takeProvisional ends the repetition.
func (rs *RecordingSession) takeProvisional() *provisional {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	p := rs.provisional
	if p != nil {
		p.timer.Stop()
		rs.provisional = nil
	}
	return p
}

// servePrack answers a PRACK, and the INVITE if that has waited for it. The offer
// of the INVITE is still open then, so SDP in a PRACK cannot be answered.
func (rs *RecordingSession) servePrack(r *request, c *content) {
	if !rs.rings(front.Header(r.Request, "RAck")) {
		rs.server.refuse(r, "", refuse(481, "RAck matches no provisional response that waits for its PRACK"))
		return
	}
	p := rs.takeProvisional()
	if c != nil && len(c.parts) > 0 && c.parts[0].Type == typeSDP {
		rs.server.refuse(r, "", refuse(488, "SDP in a PRACK is not accepted while the offer of the INVITE is open"))
	} else {
		rs.answerOK(r, nil, nil)
	}
	if p.then != nil {
		p.then()
	}
}

// rings reports whether a RAck is about the 180 that is repeated now (RFC 3262
// §7.2).
func (rs *RecordingSession) rings(rack string) bool {
	f := strings.Fields(rack)
	rs.mu.Lock()
	defer rs.mu.Unlock()
	p := rs.provisional
	if p == nil || len(f) != 3 || !strings.EqualFold(f[2], "INVITE") {
		return false
	}
	rseq, err := strconv.ParseUint(f[0], 10, 32)
	cseq, err2 := strconv.ParseUint(f[1], 10, 32)
	return err == nil && err2 == nil && uint32(rseq) == p.rseq && uint32(cseq) == p.invite.Request.CSeq().SeqNo
}

// hangUp refuses the initial INVITE if its 200 is being kept back.
func (rs *RecordingSession) hangUp(status int, warning string) bool {
	p := rs.takeProvisional()
	if p == nil || p.then == nil {
		return false
	}
	ref := refuse(status, warning)
	ref.usual = status == 487 // the SRC took it back
	rs.log.Log(ref.level(), "invite refused", zap.Int("status", status), zap.String("why", warning))
	rs.server.refuse(p.invite, rs.localTag, ref)
	if rs.next != nil {
		rs.media.undo(rs.next)
		rs.next = nil
	}
	return true
}
