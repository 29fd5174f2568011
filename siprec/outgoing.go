package siprec

import (
	"context"
	"net/netip"
	"strings"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"github.com/siprecd/siprecd/siprec/internal/front"
)

// sendRequest sends a request of ours within the dialog (RFC 3261 §12.2.1) over
// the way that the SRC's last request came, so that it leaves from the
// listener's address and reuses the SRC's connection. done gets the status of
// the final response, or 0 when none came within 64*T1; it is called by another
// goroutine.
func (rs *RecordingSession) sendRequest(method sip.RequestMethod, done func(status int)) {
	s, req, way := rs.server, rs.newRequest(method), rs.flow
	next := rs.nextHop()
	s.outgoing.Go(func() {
		status, err := s.transact(req, way, next)
		if err != nil {
			rs.log.Warn("request not sent", zap.String("method", string(method)), zap.Error(err))
		}
		done(status)
	})
}

// transact sends a request and waits for the status of its final response, at
// most 64*T1. When the connection it was to go over is lost, another is opened
// to next (RFC 3261 §18.1.1).
func (s *Server) transact(req *sip.Request, way *front.Flow, next netip.AddrPort) (status int, err error) {
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
		return 0, err
	}
	defer context.AfterFunc(ctx, tx.Terminate)()
	return finalStatus(tx), nil
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

// learnRoutes keeps the route set (RFC 3261 §12.1.1).
func (rs *RecordingSession) learnRoutes(req *sip.Request) {
	rs.routes = front.Values(req, "Record-Route")
	if hs := req.GetHeaders("Record-Route"); len(hs) > 0 {
		if first, ok := hs[0].(*sip.RecordRouteHeader); ok {
			rs.routePort = first.Address.Port
		}
	}
}

// finalStatus waits for the final response of a transaction.
func finalStatus(tx *sip.ClientTx) int {
	for {
		select {
		case res := <-tx.Responses():
			if res.StatusCode >= 200 {
				tx.Terminate()
				return res.StatusCode
			}
		case <-tx.Done():
			return 0
		}
	}
}

func (rs *RecordingSession) newRequest(method sip.RequestMethod) *sip.Request {
	rs.localCSeq++
	host, port := rs.flow.SentBy()
	req := sip.NewRequest(method, rs.target)
	via := &sip.ViaHeader{
		ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: rs.flow.Network(),
		Host: host, Port: port, Params: sip.NewParams(),
	}
	via.Params.Add("branch", sip.RFC3261BranchMagicCookie+rs.server.random(12))
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
	req.SetBody(nil)
	return req
}

// learnTarget keeps where requests of ours are addressed to: the Contact of the
// SRC (target refresh, RFC 3261 §12.2.2), or its From when that cannot be read.
func (rs *RecordingSession) learnTarget(req *sip.Request) {
	if uri, _, _, ok := front.ContactURI(req); ok {
		rs.target = uri
	} else if rs.target.Host == "" {
		rs.target = rs.remoteURI
	}
}
