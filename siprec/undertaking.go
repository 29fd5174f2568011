package siprec

import (
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"github.com/siprecd/siprecd/siprec/internal/front"
)

// mostCollisions is how often one wish may meet a request of the SRC before it is
// given up.
const mostCollisions = 10

// wishes are what the server wants of the SRC as soon as nothing is in the way.
type wishes struct {
	refresh  bool // RFC 4028 §7.4
	reoffer  bool // the SDP no longer says what is wanted
	snapshot *snapshotRequest
}

// An undertaking is an INVITE or UPDATE of ours within the dialog that is not
// answered yet. There is one at a time.
type undertaking struct {
	req      *sip.Request
	wishes   wishes     // what it fulfils
	proposed *agreement // what its offer leads to; nil without an offer
}

type (
	// An answeredNote is the final response to an undertaking; nil for none.
	answeredNote struct {
		of  *undertaking
		res *sip.Response
	}
	// An againNote says that the wait after a collision is over.
	againNote struct{}
)

// undertake sends what is wished for next, unless something is in the way: an
// INVITE that the SRC was not answered or that it has not acknowledged, a request
// of ours, or the wait after two that met (RFC 3261 §14.1).
func (rs *RecordingSession) undertake() {
	w := &rs.wishes
	if !w.refresh && !w.reoffer && w.snapshot == nil {
		return
	}
	if rs.ended || !rs.confirmed || rs.undertaking != nil || rs.backoff != nil || rs.unfinished() {
		return
	}
	u := &undertaking{}
	switch {
	case w.snapshot != nil:
		u.req = rs.newRequest(sip.UPDATE)
		w.snapshot.put(u.req)
		u.wishes.snapshot, w.snapshot = w.snapshot, nil
	case w.reoffer || !rs.updates:
		u.req, u.proposed = rs.newRequest(sip.INVITE), rs.proposal()
		u.req.AppendHeader(sip.NewHeader("Require", "siprec"))
		u.req.AppendHeader(sip.NewHeader("Content-Type", typeSDP))
		u.req.SetBody(u.proposed.body)
		u.wishes.reoffer, u.wishes.refresh = w.reoffer, w.refresh
		w.reoffer, w.refresh = false, false
	default:
		u.req = rs.newRequest(sip.UPDATE)
		u.wishes.refresh, w.refresh = true, false
	}
	rs.keepInterval(u.req)
	rs.undertaking = u
	rs.send(u.req, func(res *sip.Response) { rs.inbox.post(answeredNote{u, res}) })
}

// unfinished reports whether an INVITE of the SRC is not answered or not
// acknowledged.
func (rs *RecordingSession) unfinished() bool {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return rs.ack != nil || rs.open.invite != nil
}

// answered deals with the final response to an undertaking.
func (rs *RecordingSession) answered(n answeredNote) *Event {
	u, res := n.of, n.res
	rs.undertaking = nil
	status := statusOf(res)
	switch {
	case status == 481:
		// RFC 3261 §12.2.1.2: there is nothing left to send a BYE to.
		return rs.end(EndGone, rs.server.cfg.Clock.Now())
	case status >= 200 && status < 300:
		return rs.fulfilled(u, res)
	case status == 491, status == 500 && front.Header(res, "Retry-After") != "":
		rs.collided(u, res)
		return nil
	}
	rs.log.Info("request of ours was refused", zap.String("method", string(u.req.Method)), zap.Int("status", status))
	rs.collisions = 0
	if u.req.Method == sip.UPDATE && (status == 405 || status == 501) {
		rs.updates = false
	}
	if u.wishes.refresh {
		if status == 0 || status == 408 { // RFC 4028 §10
			return rs.giveUp(EndGone, rs.server.cfg.Clock.Now())
		}
		rs.notRefreshed(u, res)
	}
	return nil
}

// fulfilled takes a 2xx: the target, the session timer, the answer if there was
// an offer, and metadata, which some SRCs put into it.
func (rs *RecordingSession) fulfilled(u *undertaking, res *sip.Response) *Event {
	now := rs.server.cfg.Clock.Now()
	rs.heard, rs.unproven, rs.collisions = now, false, 0
	defer rs.changed()
	rs.learnTarget(res)
	rs.learnMethods(res)
	rs.granted(res)
	c, ref := readBody(res, u.req.Method)
	if ref != nil {
		rs.log.Warn("body of a response cannot be read", zap.String("why", ref.warning))
		return nil
	}
	changed := false
	if u.proposed != nil && c.offer != nil {
		before := rs.media.now.streams()
		rs.conclude(u.proposed, c, now)
		if rs.media.now.hopeless {
			return rs.giveUp(EndNoAnswer, now)
		}
		changed = !reflect.DeepEqual(before, rs.media.now.streams())
	}
	if !changed && len(c.metadata) == 0 {
		return nil
	}
	ev := &Event{
		Kind: Changed, At: now, Method: string(u.req.Method), CSeq: u.req.CSeq().SeqNo,
		HasOffer: changed, Streams: rs.media.now.streams(), Metadata: c.metadata, Parts: c.parts, Headers: headersOf(res),
	}
	rs.pending = &handed{event: ev}
	return ev
}

// conclude puts an agreement in force that the SRC answered. Streams that are
// paused are inactive because this server asked for that: what the SRC offered
// last still holds.
func (rs *RecordingSession) conclude(proposed *agreement, c *content, at time.Time) {
	before := rs.media.now
	rs.media.commit(proposed, rs.log)
	agreed := rs.media.concluded(c.offer, at)
	for i, sl := range agreed.slots {
		if was := before.before(i); rs.paused[i] && was != nil && !sl.stream.Closed {
			sl.stream.Direction, sl.stream.Receiving = was.stream.Direction, was.stream.Receiving
		}
	}
	rs.media.commit(agreed, rs.log)
	rs.tellUntaken(agreed)
}

// tellUntaken logs what of an answer of the SRC cannot be taken.
func (rs *RecordingSession) tellUntaken(agreed *agreement) {
	if len(agreed.untaken) > 0 {
		rs.log.Warn("answer cannot be taken", zap.Stringer("source", rs.flow.Remote()), zap.Strings("why", agreed.untaken))
	}
}

// collided waits before an undertaking is tried again: for the time that RFC 3261
// §14.1 asks for, or that the SRC does.
func (rs *RecordingSession) collided(u *undertaking, res *sip.Response) {
	if rs.collisions++; rs.collisions > mostCollisions {
		rs.log.Warn("request of ours met requests of the SRC again and again; given up", zap.String("method", string(u.req.Method)))
		rs.collisions = 0
		if u.wishes.refresh {
			rs.notRefreshed(u, res)
		}
		return
	}
	w := &rs.wishes
	w.refresh = w.refresh || u.wishes.refresh
	w.reoffer = w.reoffer || u.wishes.reoffer
	if w.snapshot == nil {
		w.snapshot = u.wishes.snapshot
	}
	wait := rs.server.glareWait(rs.initiated)
	if value := front.Header(res, "Retry-After"); res.StatusCode == 500 {
		wait = retryWait(value)
	}
	rs.backoff = rs.after(wait, func(rs *RecordingSession) { rs.inbox.post(againNote{}) })
}

// glareWait is how long who sent an INVITE that met another waits, in steps of
// 10 ms: 2.1 to 4 s for the owner of the Call-ID, 0 to 2 s for the other (RFC 3261
// §14.1).
func (s *Server) glareWait(owner bool) time.Duration {
	const step = 10 * time.Millisecond
	if owner {
		return time.Duration(210+s.dice(191)) * step
	}
	return time.Duration(s.dice(201)) * step
}

// retryWait reads a Retry-After (RFC 3261 §20.33), which a comment may follow. It
// is at most a minute.
func retryWait(value string) time.Duration {
	digits, _, _ := strings.Cut(strings.TrimSpace(value), ";")
	digits, _, _ = strings.Cut(digits, "(")
	n, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 32)
	if err != nil {
		n = 5
	}
	return min(time.Duration(n)*time.Second, time.Minute)
}

// dice gives one of n numbers, n at most 65536; the slight bias does not matter.
func (s *Server) dice(n int) int {
	v, _ := strconv.ParseUint(s.random(4), 16, 64) // the digits are ours
	return int(v % uint64(n))
}
