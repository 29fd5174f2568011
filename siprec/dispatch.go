package siprec

import (
	"encoding/hex"
	"errors"
	"io"
	"strconv"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"github.com/siprecd/siprecd/siprec/internal/front"
)

// receive takes each message in the order of its arrival. It must not block:
// everything that takes time is done by the goroutine of a recording session.
func (s *Server) receive(m *front.Message) {
	if m.Response != nil {
		s.tx.response(m.Response)
		return
	}
	if m.Request.Method == sip.ACK {
		s.receiveAck(m)
		return
	}
	src, ok := s.sourceOf(m)
	switch {
	case !ok:
	case s.tx.repeated(m.Request):
	case m.Request.Method == sip.CANCEL:
		s.receiveCancel(m)
	case toTag(m.Request) != "":
		s.receiveInDialog(m)
	case m.Request.Method == sip.INVITE:
		s.receiveInvite(m, src)
	default:
		s.receiveOutside(m)
	}
}

// receiveAck goes past the queue of the dialog: nothing in it waits for an ACK.
func (s *Server) receiveAck(m *front.Message) {
	if inv := s.tx.invite(m.Request); inv != nil && inv.finalStatus() >= 300 {
		_ = inv.tx.Receive(m.Request) // RFC 3261 §17.2.1: ends the transaction
		return
	}
	rs := s.dialog(dialogKey{m.Request.CallID().Value(), toTag(m.Request)})
	if rs == nil || rs.remoteTag != fromTag(m.Request) {
		return
	}
	if err := s.bound(rs, s.origin(m.Flow)); err != nil {
		s.tellForeign(m, rs, err)
		return
	}
	rs.acked(m)
}

// receiveCancel answers a CANCEL and marks the INVITE it is about; the INVITE is
// answered 487 by its own dialog if that is not too late (RFC 3261 §9.2).
func (s *Server) receiveCancel(m *front.Message) {
	inv := s.tx.invite(m.Request)
	if inv == nil {
		s.receiveOutside(m)
		return
	}
	r := s.tx.begin(loose(m))
	tag := inv.cancel()
	s.send(r, s.newResponse(r, 200, tag, nil))
	again := tag == "" // a re-INVITE: its To, which the CANCEL repeats, has the tag
	if again {
		tag = toTag(m.Request)
	}
	if rs := s.dialog(dialogKey{m.Request.CallID().Value(), tag}); rs != nil {
		rs.inbox.post(cancelNote{inv, again})
	}
}

func (s *Server) receiveInDialog(m *front.Message) {
	rs := s.dialog(dialogKey{m.Request.CallID().Value(), toTag(m.Request)})
	if rs == nil || rs.remoteTag != fromTag(m.Request) {
		s.refuse(loose(m), "", refuse(481, "no such recording session"))
		return
	}
	if rs.crowded(m.Request.Method) {
		s.refuse(loose(m), "", s.tryLater("too many requests in this dialog in a short time"))
		return
	}
	r := loose(m)
	box := rs.inbox // not rs: the transaction lives up to 64*T1 longer
	box.underway.Add(1)
	r.over = func() { box.underway.Add(-1) }
	s.tx.begin(r)
	if !inDialogMethod(r.method()) {
		s.refuse(r, "", refuse(405, string(r.method())+" is not for recording sessions"))
		return
	}
	if ref := s.authenticated(r, rs.src); ref != nil {
		rs.logRefusal(r, ref)
		s.refuse(r, "", ref)
		return
	}
	if ref := rs.overlap(r); ref != nil {
		s.refuse(r, "", ref)
		return
	}
	rs.way.Store(r.Flow)
	switch err := rs.inbox.push(r); {
	case errors.Is(err, errInboxClosed):
		s.answerLate(r)
	case err != nil:
		s.refuse(r, "", refuse(500, err.Error(), retryAfter()))
	}
}

// crowded reports whether a dialog has as many transactions as it may have.
func (rs *RecordingSession) crowded(method sip.RequestMethod) bool {
	most := int32(mostInDialog)
	if method == sip.BYE {
		most *= 2
	}
	return rs.inbox.underway.Load() >= most
}

// answerLate answers a request to a recording session that has ended: BYEs that
// cross each other are both right (RFC 5407).
func (s *Server) answerLate(r *request) {
	if r.method() == sip.BYE {
		s.send(r, s.newResponse(r, 200, "", nil))
		return
	}
	s.refuse(r, "", refuse(481, errInboxClosed.Error()))
}

func inDialogMethod(m sip.RequestMethod) bool {
	switch m {
	case sip.INVITE, sip.BYE, sip.UPDATE, sip.PRACK, sip.INFO, sip.OPTIONS:
		return true
	}
	return false
}

// receiveOutside answers what is neither of a dialog nor opens one. As with a
// stranger, nothing is kept of it: a forged address can be that of an SRC too.
func (s *Server) receiveOutside(m *front.Message) {
	r, tag := loose(m), s.statelessTag(m.Request)
	switch m.Request.Method {
	case sip.OPTIONS:
		ref := checkRequire(m.Request)
		switch {
		case toTag(m.Request) != "":
			ref = refuse(481, "no such recording session")
		case ref == nil:
			ref = s.open()
		}
		if ref != nil {
			s.refuse(r, tag, ref)
			return
		}
		s.answerOptions(r, tag)
	case sip.CANCEL:
		s.refuse(r, tag, refuse(481, "no INVITE to cancel"))
	case sip.BYE, sip.UPDATE, sip.INFO, sip.PRACK, sip.NOTIFY:
		s.refuse(r, tag, refuse(481, "no such recording session"))
	default:
		s.refuse(r, tag, refuse(405, string(m.Request.Method)+" is not supported"))
	}
}

// open gives the refusal that an INVITE would get now whoever sends it: OPTIONS is
// answered as an INVITE would be (RFC 3261 §11.2), so that an SBC which asks whether
// this server lives goes to another.
func (s *Server) open() *refusal {
	unavailable := s.cfg.Unavailable()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed(unavailable)
}

// answerOptions tells what the server can do (RFC 3261 §11.2).
func (s *Server) answerOptions(r *request, tag string) {
	res := s.newResponse(r, 200, tag, nil)
	res.AppendHeader(r.contact())
	describe(res, SessionTimer{})
	res.AppendHeader(sip.NewHeader("Accept-Encoding", "identity"))
	res.AppendHeader(sip.NewHeader("Accept-Language", "en"))
	s.send(r, res)
}

// receiveInvite starts the recording session that an INVITE of an SRC asks for. One
// that is refused before that leaves no transaction behind.
func (s *Server) receiveInvite(m *front.Message, src SRC) {
	r, req := loose(m), m.Request
	rs := &RecordingSession{
		server: s, origin: s.origin(r.Flow), src: src,
		callID: req.CallID().Value(), localTag: s.newTag(), remoteTag: fromTag(req),
		localURI: req.To().Address, remoteURI: req.From().Address, requestURI: req.Recipient,
		userAgent: front.Header(req, "User-Agent"),
		inbox:     newInbox(),
		flow:      r.Flow,
		started:   r.At,
	}
	rs.way.Store(r.Flow)
	rs.open.invite = r
	rs.log = s.log.With(rs.logFields()...)
	rs.inviteKey = rs.callID + "\x00" + rs.remoteTag + "\x00" + strconv.FormatUint(uint64(req.CSeq().SeqNo), 10)
	if s.repeatsResumed(rs.inviteKey) {
		return
	}
	r.setTag(rs.localTag)
	ref := s.admit(r, src)
	if ref == nil {
		ref = s.register(rs, rs.inviteKey)
	}
	if ref != nil {
		ref = s.elsewhere(r, ref)
		s.busyLog.Log(ref.level(), "invite refused", append(rs.logFields(), zap.Int("status", ref.status), zap.String("why", ref.warning))...)
		s.refuse(r, s.statelessTag(req), ref)
		return
	}
	s.tx.begin(r)
	go rs.run(func() bool { return rs.begin(r) })
}

// send gives a response to its transaction. A transport that fails is the
// peer's loss; the dialog ends by its own timers.
func (s *Server) send(r *request, res *sip.Response) {
	if err := r.respond(res); err != nil {
		s.quiet.Warn("response not sent", append(s.origin(r.Flow).LogFields(), zap.Int("status", res.StatusCode), zap.String("method", string(r.method())),
			zap.String("call_id", shortened(r.Request.CallID().Value())), zap.Error(err))...)
	}
}

// shortened bounds what comes from the wire for a log line.
func shortened(s string) string { return front.Shortened(s) }

// logFields are what each line of a log about a recording session tells: its Call-ID,
// its SRC by name, address, listener and certificate.
func (rs *RecordingSession) logFields() []zap.Field {
	return append([]zap.Field{zap.String("call_id", shortened(rs.callID)), zap.String("src", rs.src.Name)}, rs.origin.LogFields()...)
}

// LogFields are what a line of a log tells of an origin: address, transport, listener and
// certificate.
func (o Origin) LogFields() []zap.Field {
	fields := []zap.Field{zap.Stringer("source", o.Source), zap.String("transport", o.Transport)}
	if o.Listener != "" {
		fields = append(fields, zap.String("listener", o.Listener))
	}
	if len(o.Certificate) > 0 {
		fields = append(fields, zap.Strings("certificate", o.Certificate))
	}
	return fields
}

// originID makes the sess-id of an o= line: 32 random bits (RFC 8866 §5.2).
func (s *Server) originID() uint64 {
	id, _ := strconv.ParseUint(s.random(4), 16, 64) // the digits are ours
	return id
}

// newTag makes a tag of 64 random bits (RFC 3261 §19.3).
func (s *Server) newTag() string { return s.random(8) }

func (s *Server) random(octets int) string {
	b := make([]byte, octets)
	if _, err := io.ReadFull(s.cfg.Random, b); err != nil {
		panic("siprec: no randomness: " + err.Error())
	}
	return hex.EncodeToString(b)
}

func fromTag(m sip.Message) string {
	if h := m.From(); h != nil {
		tag, _ := h.Params.Get("tag")
		return tag
	}
	return ""
}

func toTag(m sip.Message) string {
	if h := m.To(); h != nil {
		tag, _ := h.Params.Get("tag")
		return tag
	}
	return ""
}
