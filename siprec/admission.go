package siprec

import (
	"encoding/hex"
	"hash/fnv"
	"net/netip"
	"strings"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"github.com/siprecd/siprecd/siprec/internal/front"
)

// origin is where the messages of a flow come from.
func (s *Server) origin(flow *front.Flow) Origin {
	o := Origin{Transport: flow.Network(), Source: flow.Remote(), Local: flow.Local(), Certificate: flow.Names()}
	if i := flow.Endpoint(); i >= 0 {
		o.Listener = s.cfg.Listen[i].Name
	}
	return o
}

// known says whether a configured SRC may call from an address.
func (s *Server) known(endpoint int, source netip.Addr) bool {
	e := s.cfg.Listen[endpoint]
	_, err := s.admitted(Origin{
		Transport: strings.ToUpper(e.Network), Source: netip.AddrPortFrom(source, 0), Listener: e.Name,
	})
	return err == nil
}

// busy says whether a recording session has its signalling over the connection to an
// address.
func (s *Server) busy(remote netip.AddrPort) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, rs := range s.dialogs {
		if way := rs.way.Load(); way != nil && way.Remote() == remote {
			return true
		}
	}
	return false
}

// mediaAddress is the address of ours that SDP has on a flow; invalid for the one that
// routes to the SRC.
func (s *Server) mediaAddress(flow *front.Flow) netip.Addr {
	if i := flow.Endpoint(); i >= 0 {
		return s.cfg.Listen[i].media()
	}
	return netip.Addr{}
}

// receiveStranger answers a request of somebody who is no SRC. It keeps nothing, not
// even a transaction: addresses of datagrams are easily forged, and the answer to a
// repeated request is the same again (RFC 3261 §8.2.7).
func (s *Server) receiveStranger(m *front.Message, why error) {
	if m.Request.Method != sip.INVITE {
		s.receiveOutside(m)
		return
	}
	s.quiet.Warn("invite refused", append(s.origin(m.Flow).LogFields(), zap.String("call_id", shortened(m.Request.CallID().Value())),
		zap.Int("status", 403), zap.String("why", why.Error()))...)
	s.refuse(loose(m), s.statelessTag(m.Request), refuse(403, why.Error()).because(RefusedStranger))
}

// statelessTag is a tag that is the same for each repetition of a request.
func (s *Server) statelessTag(req *sip.Request) string {
	sum := fnv.New64a()
	sum.Write([]byte(serverKey(req, req.Method)))
	sum.Write([]byte(fromTag(req)))
	return hex.EncodeToString(sum.Sum(nil))
}

// admit says why an SRC may not open a recording session now.
func (s *Server) admit(r *request, src SRC) *refusal {
	// The INVITE that only asks for a challenge is not counted, each guess is.
	guess := src.Digest == nil || r.Request.GetHeader("Authorization") != nil
	if guess && !s.rates.take(src.Name, src.InvitesPerSecond) {
		return refuse(503, "this client asks for too many recording sessions in a second", retryAfter()).because(RefusedLimit)
	}
	return s.authenticated(r, src)
}

// authenticated asks an SRC with users for a password. A CANCEL has no answer to a
// challenge, nor has an ACK (RFC 3261 §22.1).
func (s *Server) authenticated(r *request, src SRC) *refusal {
	if src.Digest == nil {
		return nil
	}
	return s.authenticate(r.Request, src.Digest)
}

// bothMarks says whether an INVITE is marked as RFC 7866 §6.1.1 asks an SRC to do.
func bothMarks(req *sip.Request) bool {
	for _, value := range front.Values(req, "Require") {
		for _, tag := range strings.Fields(value) {
			if equalFold(tag, "siprec") {
				return isSourceTag(front.Header(req, "Contact"))
			}
		}
	}
	return false
}
