package siprec

import (
	"context"
	"net/netip"
	"strings"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"github.com/siprecd/siprecd/siprec/internal/front"
)

// send sends a request of ours within the dialog (RFC 3261 §12.2.1) over the way
// that the SRC's last request came, so that it leaves from the listener's address
// and reuses the SRC's connection. done gets the final response, or nil when none
// came within 64*T1; it is called by another goroutine.
func (rs *RecordingSession) send(req *sip.Request, done func(*sip.Response)) {
	s, way, next := rs.server, rs.flow, rs.nextHop()
	s.outgoing.Go(func() {
		res, err := s.transact(req, way, next, done)
		if err != nil {
			rs.log.Warn("request not sent", zap.String("method", string(req.Method)), zap.Error(err))
		}
		if res == nil {
			done(nil)
		}
	})
}

// transact sends a request and waits for its final response, at most 64*T1; an
// INVITE that is being worked on then is cancelled and has as long again. When the
// connection it was to go over is lost, another is opened to next (RFC 3261
// §18.1.1). done is told of a final response before the ACK of a 2xx leaves: what
// the SRC sends after that ACK finds the offer and answer closed.
func (s *Server) transact(req *sip.Request, way *front.Flow, next netip.AddrPort, done func(*sip.Response)) (*sip.Response, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	giveUp := s.cfg.Clock.AfterFunc(64*s.cfg.T1, cancel)
	defer giveUp.Stop()
	tx, err := s.tx.request(req, way)
	if err != nil && way.Network() != "UDP" {
		if way, err = way.Anew(ctx, next, expectedHost(req)); err == nil {
			tx, err = s.tx.request(req, way)
		}
	}
	if err != nil {
		return nil, err
	}
	res, working := finalResponse(ctx, tx)
	if res == nil && working && req.Method == sip.INVITE {
		res = s.cancelInvite(req, tx, way)
	}
	if res == nil || req.Method != sip.INVITE {
		tx.Terminate()
	}
	if res == nil {
		return nil, nil
	}
	done(res)
	if req.Method == sip.INVITE && res.IsSuccess() && !answerDue(res, req) {
		s.confirm(tx, way, req, s.newAck(req, res, nil))
	}
	return res, nil
}

// expectedHost is what the certificate at the other end of a new connection is for:
// the host of the Contact, unless a route comes first, whose host may be an address of
// a private network.
func expectedHost(req *sip.Request) string {
	if req.GetHeader("Route") != nil {
		return ""
	}
	return strings.Trim(req.Recipient.Host, "[]")
}

// answerDue reports whether a 2xx brings an offer, which its ACK has to answer: the
// INVITE had none (RFC 3261 §13.2.2.4).
func answerDue(res *sip.Response, invite *sip.Request) bool {
	return len(invite.Body()) == 0 && len(res.Body()) > 0
}

// confirm sends the ACK of a 2xx to an INVITE, and again for each repetition of the
// 2xx (RFC 3261 §13.2.2.4). A 2xx with another To tag is no repetition.
func (s *Server) confirm(tx *sip.ClientTx, way *front.Flow, invite, ack *sip.Request) {
	forks := &forks{server: s, way: way, invite: invite, first: ack, others: make(map[string]*sip.Request)}
	tx.OnRetransmission(forks.confirm)
	if err := way.WriteMsg(ack); err != nil {
		s.log.Warn("ack not sent", zap.Stringer("to", way.Remote()), zap.Error(err))
	}
}

// cancelInvite takes back an INVITE that is being worked on for too long (RFC 3261
// §9.1) and waits for its final response, again at most 64*T1.
func (s *Server) cancelInvite(invite *sip.Request, tx *sip.ClientTx, way *front.Flow) *sip.Response {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	defer s.cfg.Clock.AfterFunc(64*s.cfg.T1, stop).Stop()
	req := s.derive(invite, sip.CANCEL, invite.Recipient, invite.Via().Clone())
	cancelling, err := s.tx.request(req, way)
	if err != nil {
		return nil
	}
	defer cancelling.Terminate() // what it is answered does not matter
	res, _ := finalResponse(ctx, tx)
	return res
}

// newAck is the ACK of a 2xx to an INVITE of ours, with an answer if the 2xx had
// an offer. It has a transaction of its own (RFC 3261 §17.1.1.3).
func (s *Server) newAck(invite *sip.Request, res *sip.Response, sdpBody []byte) *sip.Request {
	target := invite.Recipient
	if uri, _, _, ok := front.ContactURI(res); ok {
		target = uri
	}
	via := invite.Via().Clone()
	via.Params.Remove("branch")
	via.Params.Add("branch", s.newBranch())
	ack := s.derive(invite, sip.ACK, target, via)
	ack.ReplaceHeader(sip.HeaderClone(res.To()))
	if sdpBody != nil {
		ack.AppendHeader(sip.NewHeader("Content-Type", typeSDP))
		ack.SetBody(sdpBody)
	}
	return ack
}

// derive makes the ACK or CANCEL that goes with an INVITE: the same dialog and the
// same number (RFC 3261 §9.1, §13.2.2.4).
func (s *Server) derive(invite *sip.Request, method sip.RequestMethod, target sip.Uri, via *sip.ViaHeader) *sip.Request {
	req := sip.NewRequest(method, target)
	req.AppendHeader(via)
	for _, name := range []string{"Route", "From", "To", "Call-ID", "Max-Forwards", "User-Agent"} {
		for _, h := range invite.GetHeaders(name) {
			req.AppendHeader(sip.HeaderClone(h))
		}
	}
	req.AppendHeader(&sip.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: method})
	req.SetTransport(invite.Transport())
	req.SetDestination(invite.Destination())
	req.SetBody(nil)
	return req
}

func (s *Server) newBranch() string { return sip.RFC3261BranchMagicCookie + s.random(12) }

// nextHop is where a new connection to the SRC goes: the port of the first
// route or of its Contact, at the address it was last heard from. What host they
// name is not followed: an SRC must not point the server at others.
func (rs *RecordingSession) nextHop() netip.AddrPort {
	port := rs.target.Port
	if len(rs.routes) > 0 {
		port = rs.routePort
	}
	if port <= 0 || port > 65535 {
		port = 5060 // RFC 3261 §19.1.2
		if rs.flow.Network() == "TLS" {
			port = 5061
		}
	}
	return netip.AddrPortFrom(rs.flow.Remote().Addr(), uint16(port))
}

// learnRoutes keeps the route set (RFC 3261 §12.1): the Record-Route values, the
// nearest to us first.
func (rs *RecordingSession) learnRoutes(recorded []string) {
	rs.routes, rs.routePort = recorded, 0
	if len(recorded) == 0 {
		return
	}
	var uri sip.Uri
	var params sip.HeaderParams
	if _, err := sip.ParseAddressValue(recorded[0], &uri, &params); err == nil {
		rs.routePort = uri.Port
	}
}

// finalResponse waits for the final response of a transaction; working says that a
// provisional one came.
func finalResponse(ctx context.Context, tx *sip.ClientTx) (res *sip.Response, working bool) {
	for {
		select {
		case res := <-tx.Responses():
			if res.StatusCode >= 200 {
				return res, working
			}
			working = true
		case <-tx.Done():
			return nil, working
		case <-ctx.Done():
			return nil, working
		}
	}
}

// statusOf is the status of a response, 0 for none.
func statusOf(res *sip.Response) int {
	if res == nil {
		return 0
	}
	return res.StatusCode
}

func (rs *RecordingSession) newRequest(method sip.RequestMethod) *sip.Request {
	rs.localCSeq++
	host, port := rs.flow.SentBy()
	req := sip.NewRequest(method, rs.target)
	via := &sip.ViaHeader{
		ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: rs.flow.Network(),
		Host: host, Port: port, Params: sip.NewParams(),
	}
	via.Params.Add("branch", rs.server.newBranch())
	via.Params.Add("rport", "")
	req.AppendHeader(via)
	for _, route := range rs.routes {
		req.AppendHeader(sip.NewHeader("Route", route))
	}
	from := &sip.FromHeader{Address: rs.localURI, Params: sip.NewParams()}
	from.Params.Add("tag", rs.localTag)
	to := &sip.ToHeader{Address: rs.remoteURI, Params: sip.NewParams()}
	if rs.remoteTag != "" {
		to.Params.Add("tag", rs.remoteTag)
	}
	callID := sip.CallIDHeader(rs.callID)
	maxForwards := sip.MaxForwardsHeader(70)
	req.AppendHeader(from)
	req.AppendHeader(to)
	req.AppendHeader(&callID)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: rs.localCSeq, MethodName: method})
	req.AppendHeader(&maxForwards)
	req.AppendHeader(rs.contact())
	req.AppendHeader(sip.NewHeader("User-Agent", rs.server.cfg.UserAgent))
	req.SetTransport(rs.flow.Network())
	req.SetDestination(rs.flow.Remote().String())
	if method == sip.INVITE || method == sip.UPDATE {
		describe(req, rs.src.SessionTimer)
	}
	req.SetBody(nil)
	return req
}

// learnTarget keeps where requests of ours are addressed to: the Contact of the SRC
// (target refresh, RFC 3261 §12.2.2). An SRC that gives none that can be used, against
// RFC 3261 §8.1.1.8, is addressed where it was last heard: there they go anyway.
func (rs *RecordingSession) learnTarget(m sip.Message) {
	uri, _, _, ok := front.ContactURI(m)
	switch {
	case ok:
		rs.target, rs.noContact = uri, false
	case rs.target.Host == "" || rs.noContact:
		rs.target, rs.noContact = sourceURI(rs.remoteURI.User, rs.flow), true
	}
}

// sourceURI is where the peer of a flow is. The port from which it opened a connection
// is not one to connect to.
func sourceURI(user string, flow *front.Flow) sip.Uri {
	remote := flow.Remote()
	uri := sip.Uri{Scheme: "sip", User: user, Host: remote.Addr().String()}
	if remote.Addr().Is6() {
		uri.Host = "[" + uri.Host + "]"
	}
	if flow.Network() == "UDP" {
		uri.Port = int(remote.Port())
		return uri
	}
	uri.UriParams = sip.NewParams()
	uri.UriParams.Add("transport", strings.ToLower(flow.Network()))
	return uri
}

// learnMethods keeps whether the SRC takes UPDATE (RFC 3261 §20.5, RFC 3311 §4):
// it says so, or sends one.
func (rs *RecordingSession) learnMethods(m sip.Message) {
	if req, ok := m.(*sip.Request); ok && req.Method == sip.UPDATE {
		rs.updates = true
	} else if len(m.GetHeaders("Allow")) > 0 {
		rs.updates = lists(m, "Allow", "UPDATE")
	}
}
