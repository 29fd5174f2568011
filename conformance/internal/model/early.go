package model

import (
	"fmt"

	"github.com/siprecd/siprecd/conformance/src"
)

// An early is an INVITE whose reliable 180 waits for its PRACK (RFC 3262 §3).
type early struct {
	invite *src.Message
	key    string
	tag    string
	over   chan struct{} // closed by what ends the wait
}

// ring sends the 180; false says that a mistake of the test left it out.
func (s *Server) ring(m *src.Message, write func([]byte) error) bool {
	waits := &early{m, m.Branch() + " " + m.Method, s.tagFor(m), make(chan struct{})}
	r := &Response{Status: 180, ToTag: waits.tag}
	r.Set("Require", "100rel")
	r.Set("RSeq", "5000")
	r.Set("Contact", fmt.Sprintf("<sip:srs@%s>;+sip.srs", s.addr))
	s.altered(m, r)
	if r.Status != 180 {
		return false
	}
	s.reliable[m.Get("Call-ID")] = waits
	out := s.compose(m, r)
	_ = write(out)
	s.repeat(m, 180, out, write, waits.over, func() {})
	return true
}

// early answers what comes while an INVITE waits for its PRACK, and reports whether
// it did.
func (s *Server) early(m *src.Message, write func([]byte) error) bool {
	waits := s.reliable[m.Get("Call-ID")]
	if waits == nil {
		return false
	}
	switch m.Method {
	case "PRACK":
		s.prack(m, waits, write)
	case "CANCEL":
		s.settled(m, waits)
		_ = write(s.compose(m, s.altered(m, &Response{Status: 200, ToTag: waits.tag})))
		r := s.altered(waits.invite, &Response{Status: 487, ToTag: waits.tag})
		out := s.compose(waits.invite, r)
		_ = write(out)
		s.unacknowledged(waits.invite, r.Status, out, write)
	case "INVITE", "UPDATE":
		if m.Branch() == waits.invite.Branch() {
			return false
		}
		r := &Response{Status: 500}
		r.Set("Retry-After", "1")
		_ = write(s.compose(m, s.altered(m, r)))
	default:
		return false
	}
	return true
}

// settled ends the wait.
func (s *Server) settled(m *src.Message, waits *early) {
	delete(s.reliable, m.Get("Call-ID"))
	close(waits.over)
}

// prack answers a PRACK, and then the INVITE.
func (s *Server) prack(m *src.Message, waits *early, write func([]byte) error) {
	cseq, _ := waits.invite.CSeq()
	r := &Response{Status: 200}
	if m.Get("RAck") != fmt.Sprintf("5000 %d INVITE", cseq) {
		r.Status = 481
	}
	s.altered(m, r)
	_ = write(s.compose(m, r))
	if r.Status == 200 {
		s.settled(m, waits)
		s.settle(waits.invite, nil, waits.key, write)
	}
}
