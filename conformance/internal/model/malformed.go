package model

import (
	"net/netip"
	"strings"

	"github.com/siprecd/siprecd/conformance/src"
)

// unreadable answers what cannot be parsed as far as it can be read: what is no request,
// or says neither where it came from nor what it is, gets no answer (RFC 4475 §3.1.2).
// The caller holds mu.
func (s *Server) unreadable(raw []byte, from netip.AddrPort, write func([]byte) error) (closes bool) {
	if s.cfg.Fragile {
		clear(s.dialogs)
	}
	head, _, _ := strings.Cut(strings.TrimLeft(string(raw), "\r\n"), "\r\n\r\n")
	start, rest, _ := strings.Cut(head, "\r\n")
	m := &src.Message{Raw: raw, Source: from}
	for line := range strings.SplitSeq(rest, "\r\n") {
		if name, value, ok := strings.Cut(line, ":"); ok {
			m.Headers = append(m.Headers, src.Header{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)})
		}
	}
	m.Method, _, _ = strings.Cut(start, " ")
	if strings.HasPrefix(start, "SIP/") || m.Method == "ACK" || malformed(m) {
		return s.cfg.Hangup
	}
	r := &Response{Status: 400}
	if at := strings.LastIndex(start, " SIP/"); at >= 0 && strings.TrimSpace(start[at:]) != "SIP/2.0" {
		r.Status = 505
	}
	if out := s.compose(m, s.altered(m, r)); out != nil {
		_ = s.way(m, write)(out) // a peer that is gone shows in the test
	}
	return s.cfg.Hangup
}

// malformed says that a request lacks what each has to have, or has two of it that differ
// (RFC 3261 §8.1.1, RFC 4475 §3.3.1, §3.3.8).
func malformed(m *src.Message) bool {
	for _, name := range []string{"From", "To", "Call-ID", "CSeq", "Content-Length"} {
		all := m.All(name)
		if len(all) == 0 && name != "Content-Length" {
			return true
		}
		for _, other := range all {
			if other != all[0] {
				return true
			}
		}
	}
	return !strings.HasPrefix(m.Get("Via"), "SIP")
}
