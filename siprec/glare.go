package siprec

import (
	"strconv"

	"github.com/emiago/sipgo/sip"
)

// openRequests are the INVITE of the SRC, and its UPDATE with an offer, that were
// not answered yet. They are guarded by the mu of their recording session.
type openRequests struct{ invite, update *request }

// answered reports whether a request needs no answer any more.
func answered(r *request) bool { return r == nil || r.finalStatus() != 0 }

// overlap refuses what may not come before the answer to an earlier request: a
// second INVITE (RFC 3261 §14.2), and an UPDATE with an offer while one in an
// INVITE or UPDATE is open (RFC 3311 §5.2). It is asked on arrival, by the
// goroutine that reads the transport, since the queue of the dialog hides it.
//
// RFC 3311 §5.2 refuses a second UPDATE without an offer too. Those carry metadata,
// and SRCs that send one after the other do not send a refused one again: they are
// taken in their order.
func (rs *RecordingSession) overlap(r *request) *refusal {
	method := r.method()
	if method != sip.INVITE && (method != sip.UPDATE || !bringsOffer(r.Request)) {
		return nil
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	switch {
	case method == sip.INVITE && !answered(rs.open.invite):
		return rs.server.tryLater("the INVITE before is not answered yet")
	case method == sip.UPDATE && !answered(rs.open.update):
		return rs.server.tryLater("the UPDATE before is not answered yet")
	case method == sip.UPDATE && !answered(rs.open.invite):
		return rs.server.tryLater("the offer in the INVITE before is not answered yet")
	case method == sip.INVITE:
		rs.open.invite = r
	default:
		rs.open.update = r
	}
	return nil
}

// forgetAnswered lets go of requests that are answered: they are large.
func (rs *RecordingSession) forgetAnswered() {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if answered(rs.open.invite) {
		rs.open.invite = nil
	}
	if answered(rs.open.update) {
		rs.open.update = nil
	}
}

func bringsOffer(req *sip.Request) bool {
	c, ref := readContent(req)
	return ref == nil && c.offer != nil
}

// tryLater is a 500 with a Retry-After of 0 to 10 s.
func (s *Server) tryLater(why string) *refusal {
	return refuse(500, why, sip.NewHeader("Retry-After", strconv.Itoa(s.dice(11))))
}

// crossing refuses a request that met one of ours: an INVITE while an INVITE of
// ours is pending (RFC 3261 §14.2), an offer while an offer of ours is (RFC 3311
// §5.2), and an INVITE then too, since it brings an offer or asks for one (RFC 3264
// §4). An offer of ours in a 200 is pending as long as the 200 is repeated: an ACK that
// was lost comes again with the next repetition, before the SRC tries again.
func (rs *RecordingSession) crossing(r *request, c *content) *refusal {
	u := rs.undertaking
	offering := rs.offering && rs.awaitsAck()
	switch {
	case r.method() == sip.INVITE && offering:
		return refuse(491, "the offer in the 200 before is not answered yet")
	case r.method() == sip.INVITE && u != nil && u.req.Method == sip.INVITE:
		return refuse(491, "an INVITE of the recording server is pending")
	case r.method() == sip.UPDATE && c.offer != nil && (offering || u != nil && u.proposed != nil):
		return refuse(491, "an offer of the recording server is pending")
	}
	return nil
}
