package siprec

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"github.com/siprecd/siprecd/siprec/internal/front"
)

// touch notes what every request of a dialog tells: that the SRC lives, and
// where it is.
func (rs *RecordingSession) touch(r *request) {
	rs.heard, rs.unproven = r.At, false
	rs.flow = r.Flow
	rs.media.peer = r.Flow.Remote()
	if r.method() == sip.INVITE || r.method() == sip.UPDATE {
		rs.learnTarget(r.Request)
		rs.learnMethods(r.Request)
	}
}

func branchOf(r *request) string {
	if via := r.Request.Via(); via != nil {
		branch, _ := via.Params.Get("branch")
		return branch
	}
	return ""
}

// lostAnswer reports whether a request repeats the last one that another process took:
// whether its answer left is not known, so it is served again.
func (rs *RecordingSession) lostAnswer(r *request) bool {
	return rs.again && rs.unproven && r.Request.CSeq().SeqNo == rs.peerCSeq && rs.branch != "" && branchOf(r) == rs.branch
}

// serve judges a request within the dialog.
func (rs *RecordingSession) serve(r *request) *Event {
	cseq := r.Request.CSeq().SeqNo
	if cseq <= rs.peerCSeq && !rs.lostAnswer(r) {
		// RFC 3261 §12.2.2. Its metadata is not merged (RFC 7866 §9.2).
		rs.server.refuse(r, "", refuse(500, "CSeq is not above that of the request before"))
		return nil
	}
	rs.peerCSeq, rs.branch = cseq, branchOf(r)
	rs.touch(r)
	if !rs.offering {
		// A later request shows that the 200 before it arrived. When the ACK has to
		// bring an answer, that is not enough.
		rs.ackArrived(cseq)
	}
	if r.isCancelled() {
		rs.server.refuse(r, "", refuse(487, ""))
		return nil
	}
	c, ref := readContent(r.Request)
	switch r.method() {
	case sip.BYE:
		return rs.serveBye(r, c)
	case sip.PRACK:
		rs.servePrack(r, c)
		return nil
	}
	if ref == nil {
		ref = rs.judge(r, c)
	}
	if ref != nil {
		rs.logRefusal(r, ref)
		rs.server.refuse(r, "", ref)
		return nil
	}
	if r.method() == sip.OPTIONS {
		rs.server.answerOptions(r, "")
		return nil
	}
	told := telling(r.Request)
	if len(c.metadata) == 0 && len(c.parts) == 0 && rs.unchanged() && !rs.tellsMore(told, r.method()) {
		if rs.holdAnswer(r) {
			rs.turnDown(r, 487, "")
			return nil
		}
		rs.accept(r, c) // a refresh
		return nil
	}
	rs.told = told
	rs.log.Debug("recording session changed", zap.String("method", string(r.method())), zap.Uint32("cseq", cseq),
		zap.Bool("offer", c.offer != nil), zap.Int("metadata", len(c.metadata)))
	return rs.event(Changed, r, c)
}

// logRefusal tells of a request within the dialog that is refused.
func (rs *RecordingSession) logRefusal(r *request, ref *refusal) {
	rs.server.busyLog.Log(ref.level(), "request refused", append(rs.logFields(), zap.String("method", string(r.method())),
		zap.Uint32("cseq", r.Request.CSeq().SeqNo), zap.Int("status", ref.status), zap.String("why", ref.warning))...)
}

// judge finds what stands against a request that can be read, and makes the
// agreement that it leads to.
func (rs *RecordingSession) judge(r *request, c *content) *refusal {
	if ref := checkRequire(r.Request); ref != nil {
		return ref
	}
	if r.method() != sip.OPTIONS && rs.early() {
		return rs.server.tryLater("the INVITE waits for the PRACK of its provisional response")
	}
	if ref := checkInterval(r.Request, rs.src.SessionTimer); ref != nil {
		return ref
	}
	if ref := rs.crossing(r, c); ref != nil {
		return ref
	}
	return rs.propose(r, c)
}

// telling are the header fields of a request that may tell something of the call:
// all but those by which SIP itself works. Some SRCs name participants in nothing
// else, and name others in a re-INVITE whose SDP is as before.
func telling(req *sip.Request) []Header {
	var out []Header
	for _, h := range req.Headers() {
		switch strings.ToLower(h.Name()) {
		case "via", "v", "route", "record-route", "cseq", "call-id", "i", "to", "t", "max-forwards", "contact", "m",
			"content-length", "l", "content-type", "c", "session-expires", "x", "min-se", "supported", "k", "require",
			"allow", "accept", "date", "timestamp", "user-agent", "authorization", "proxy-authorization":
		default:
			out = append(out, Header{h.Name(), h.Value()})
		}
	}
	return out
}

// tellsMore reports whether header fields hold anything that those before did not. What
// an INFO says it says anew (RFC 6086 §4.2): it refreshes nothing, so that it has no
// other use than to be told.
func (rs *RecordingSession) tellsMore(told []Header, method sip.RequestMethod) bool {
	isFrom := func(h Header) bool { return strings.EqualFold(h.Name, "From") || strings.EqualFold(h.Name, "f") }
	if method == sip.INFO && slices.ContainsFunc(told, func(h Header) bool { return !isFrom(h) }) {
		return true
	}
	return slices.ContainsFunc(told, func(h Header) bool { return !slices.Contains(rs.told, h) })
}

// unchanged reports whether a request leaves offer and answer as they are.
func (rs *RecordingSession) unchanged() bool {
	return rs.next == nil || rs.media.now != nil && len(rs.next.opened) == 0 && len(rs.next.closing) == 0 &&
		string(rs.next.body) == string(rs.media.now.body) && reflect.DeepEqual(rs.next.streams(), rs.media.now.streams())
}

// serveBye ends the recording session; a body that cannot be read, or a Require
// that is not understood, does not keep it alive (RFC 3261 §15.1.2).
func (rs *RecordingSession) serveBye(r *request, c *content) *Event {
	ev := rs.end(EndBye, r.At)
	if c == nil {
		c = &content{oddities: []string{"body of the BYE cannot be read"}}
	}
	bye := rs.event(Ended, r, c)
	bye.Reason = ev.Reason
	return bye
}

// reply answers the request of an event.
func (rs *RecordingSession) reply(ev *Event, r *request, c *content, status int, warning string) {
	if ev.Kind == Offered && status < 300 && !r.isCancelled() && rs.untilPrack(func() { rs.reply(ev, r, c, status, warning) }) {
		return
	}
	if status < 300 && rs.holdAnswer(r) || ev.Kind == Offered && r.isCancelled() {
		status, warning = 487, ""
	}
	if status >= 300 {
		rs.turnDown(r, status, warning)
		if ev.Kind == Offered {
			reason := EndRejected
			if status == 487 {
				reason = EndCancel
			}
			rs.inbox.post(endNote{reason})
			rs.server.tx.retire(r)
		}
		return
	}
	c.warnings = ev.warnings
	rs.accept(r, c)
	if ev.Kind == Offered {
		rs.confirmed = true
		rs.server.counts.accept(rs.src.Name)
		rs.watch()
	}
}

// turnDown answers a request with a status of 300 or above and gives back what it
// would have led to.
func (rs *RecordingSession) turnDown(r *request, status int, warning string) {
	next := rs.next
	rs.next = nil
	rs.takeProvisional()
	rs.server.refuse(r, rs.localTag, refuse(status, warning))
	if next != nil {
		rs.media.undo(next)
	}
}

// accept answers a request with 200 and puts its agreement in force; an offer of
// ours in a dialog that has an agreement is in force when the ACK answers it.
func (rs *RecordingSession) accept(r *request, c *content) {
	next := rs.next
	rs.next = nil
	if next == nil {
		rs.answerOK(r, c.warnings, nil)
		return
	}
	rs.offering, rs.proposed = c.offer == nil, nil
	if rs.offering && rs.media.now != nil {
		rs.proposed = next
	} else {
		rs.media.commit(next, rs.log)
	}
	if rs.offering {
		rs.offeringCSeq = r.Request.CSeq().SeqNo
	}
	rs.answerOK(r, c.warnings, next.body)
}

// answerOK sends 200. That to an INVITE is repeated until its ACK comes.
func (rs *RecordingSession) answerOK(r *request, warnings []string, sdpBody []byte) {
	res := rs.server.newResponse(r, 200, rs.localTag, nil)
	for _, text := range warnings {
		res.AppendHeader(sip.NewHeader("Warning", warning(text)))
	}
	if r.method() == sip.INVITE || r.method() == sip.UPDATE {
		res.AppendHeader(r.contact())
		describe(res, rs.src.SessionTimer)
		rs.agreeInterval(r.Request, res)
	}
	if sdpBody != nil {
		rs.media.now.warn(res)
		res.AppendHeader(sip.NewHeader("Content-Type", typeSDP))
		res.SetBody(sdpBody)
	}
	if r.method() == sip.INVITE {
		rs.awaitAck(r, res) // before the 200 leaves: its ACK may be there at once
	}
	rs.changed()
	rs.server.send(r, res)
}

// An awaitedAck is a 200 to an INVITE that is repeated until its ACK comes
// (RFC 3261 §13.3.1.4).
type awaitedAck struct {
	cseq     uint32
	flow     *front.Flow
	res      *sip.Response
	interval time.Duration
	deadline time.Time
	timer    Timer
	then     []endNote // posted when the ACK has come
	lenient  bool      // its ACK may have come to another process
}

func (rs *RecordingSession) awaitAck(r *request, res *sip.Response) {
	cfg := &rs.server.cfg
	a := &awaitedAck{
		cseq: r.Request.CSeq().SeqNo, flow: r.Flow, res: res,
		interval: cfg.T1, deadline: cfg.Clock.Now().Add(64 * cfg.T1),
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.dropAck()
	rs.ack = a
	a.timer = rs.after(a.interval, func(rs *RecordingSession) { rs.repeat(a) })
}

// repeat sends a 200 again, or gives up after 64*T1. Who waits for rs.mu must
// not wait for a connection, so the 200 is written without it.
func (rs *RecordingSession) repeat(a *awaitedAck) {
	if rs.mayRepeat(a) {
		// What cannot be written now is repeated like what was lost.
		_ = a.flow.WriteMsg(a.res)
		rs.repeatLater(a)
	}
}

func (rs *RecordingSession) mayRepeat(a *awaitedAck) bool {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.ack != a {
		return false
	}
	if !rs.server.cfg.Clock.Now().Before(a.deadline) {
		rs.ack = nil
		if !a.lenient {
			a.then = []endNote{{EndNoAck}}
		}
		for _, n := range a.then {
			rs.inbox.post(n)
		}
		return false
	}
	return true
}

func (rs *RecordingSession) repeatLater(a *awaitedAck) {
	cfg := &rs.server.cfg
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.ack != a {
		return
	}
	a.interval = min(2*a.interval, cfg.T2)
	a.timer = rs.after(min(a.interval, a.deadline.Sub(cfg.Clock.Now())), func(rs *RecordingSession) { rs.repeat(a) })
}

// postpone keeps the end of the recording session until the ACK has come, or
// will not come any more: a BYE before it is against RFC 3261 §15. It reports
// whether there is an ACK to wait for.
func (rs *RecordingSession) postpone(n endNote) bool {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.ack == nil {
		return false
	}
	rs.ack.then = append(rs.ack.then, n)
	return true
}

// awaitsAck reports whether a 200 to an INVITE is being repeated.
func (rs *RecordingSession) awaitsAck() bool {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return rs.ack != nil
}

// dropAck stops waiting for an ACK; rs.mu is held.
func (rs *RecordingSession) dropAck() {
	if rs.ack != nil {
		rs.ack.timer.Stop()
		rs.ack = nil
	}
}

// ackArrived notes that a 200 to an INVITE of at most this CSeq was received.
func (rs *RecordingSession) ackArrived(cseq uint32) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.ack == nil || rs.ack.cseq > cseq {
		return
	}
	for _, n := range rs.ack.then {
		rs.inbox.post(n)
	}
	rs.dropAck()
}

// An ackNote is an ACK of a 2xx. It may bring an answer, or be what the server
// waits for.
type ackNote struct{ *front.Message }

// acked takes an ACK, on the goroutine that reads the transport.
func (rs *RecordingSession) acked(m *front.Message) {
	rs.ackArrived(m.Request.CSeq().SeqNo)
	rs.inbox.post(ackNote{m})
}

// serveAck takes the answer to an offer of ours (RFC 3261 §13.2.1). Without one,
// what was agreed before stays.
func (rs *RecordingSession) serveAck(n ackNote) *Event {
	rs.heard = n.At
	if rs.waits { // the 200 need not be repeated any more
		rs.changed()
	}
	if !rs.offering || n.Request.CSeq().SeqNo != rs.offeringCSeq {
		return nil
	}
	proposed := rs.proposed
	rs.offering, rs.proposed = false, nil
	r := loose(n.Message)
	c, ref := readContent(n.Request)
	if ref != nil || c.offer == nil {
		return rs.unanswered(proposed, n.At)
	}
	if proposed != nil {
		rs.conclude(proposed, c, r.At)
	}
	agreed := rs.media.now
	if proposed == nil {
		agreed = rs.media.concluded(c.offer, r.At)
		rs.tellUntaken(agreed)
	}
	if proposed == nil && !agreed.hopeless && !agreed.acceptable() {
		rs.log.Warn("answer cannot be taken", zap.Stringer("source", r.Flow.Remote()), zap.Strings("why", []string{"no stream is left"}))
		agreed.hopeless = true
	}
	if agreed.hopeless {
		return rs.giveUp(EndNoAnswer, n.At)
	}
	ev := rs.event(Changed, r, c)
	rs.pending.req = nil // an ACK is not answered
	ev.Streams, ev.HasOffer = agreed.streams(), true
	ev.reply = func(int, string) {
		if rs.media.now != agreed {
			rs.media.commit(agreed, rs.log)
		}
		rs.changed()
	}
	return ev
}

// unanswered takes an ACK without the answer that it owes. What was agreed before
// stays; a first offer of SRTP is worth nothing without the key of the SRC.
func (rs *RecordingSession) unanswered(proposed *agreement, at time.Time) *Event {
	rs.log.Warn("ack without a readable answer")
	if proposed == nil && slices.ContainsFunc(rs.media.now.slots, func(sl *slot) bool { return sl.expected.SRTP != nil }) {
		return rs.giveUp(EndNoAnswer, at)
	}
	return nil
}

// giveUp ends the recording session by BYE.
func (rs *RecordingSession) giveUp(why EndReason, at time.Time) *Event {
	rs.sendBye(why)
	return rs.end(why, at)
}
