package model

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/siprecd/siprecd/conformance/src"
)

func (s *Server) altered(m *src.Message, r *Response) *Response {
	if s.cfg.Alter != nil {
		s.cfg.Alter(m, r)
	}
	return r
}

// compose writes a response; nil when there is none.
func (s *Server) compose(m *src.Message, r *Response) []byte {
	if r.Status == 0 {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %d Model\r\n", r.Status)
	for i, via := range m.All("Via") {
		if i == 0 {
			via = routed(via, m.Source)
		}
		if r.Via != nil {
			via = r.Via(i, via)
		}
		if via != "" {
			fmt.Fprintf(&b, "Via: %s\r\n", via)
		}
	}
	to := m.Get("To")
	if tagOf(to) == "" {
		to += ";tag=" + cmp.Or(r.ToTag, "model-none")
	}
	if r.To != nil {
		to = r.To(to)
	}
	callID := m.Get("Call-ID")
	if r.CallID != "" {
		callID = r.CallID
	}
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\n", m.Get("From"), to, callID, m.Get("CSeq"))
	for _, h := range r.Headers {
		fmt.Fprintf(&b, "%s: %s\r\n", h.Name, h.Value)
	}
	if r.SDP != "" {
		fmt.Fprintf(&b, "Content-Type: %s\r\n", cmp.Or(r.Type, "application/sdp"))
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(r.SDP), r.SDP)
	return []byte(b.String())
}
