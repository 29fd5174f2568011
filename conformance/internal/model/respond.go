package model

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/siprecd/siprecd/conformance/src"
)

const (
	allow  = "INVITE, ACK, BYE, CANCEL, UPDATE, PRACK, OPTIONS, INFO"
	accept = "application/sdp, application/rs-metadata+xml, application/rs-metadata, multipart/mixed"
)

// handle takes one message, and says whether the connection that brought it is to be
// closed.
func (s *Server) handle(raw []byte, from netip.AddrPort, write func([]byte) error) (closes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := src.Parse(bytes.TrimLeft(raw, "\r\n"))
	if err != nil {
		return s.unreadable(raw, from, write)
	}
	m.Source, m.Raw = from, raw
	s.take(m, write)
	return s.cfg.Hangup && malformed(m)
}

// take handles a message that could be read. The caller holds mu.
func (s *Server) take(m *src.Message, write func([]byte) error) {
	s.last = write
	s.received = append(s.received, m)
	close(s.news)
	s.news = make(chan struct{})
	if s.cfg.Add != nil {
		if text := s.cfg.Add(m); text != "" {
			_ = write([]byte(text)) // a peer that is gone shows in the test
		}
	}
	if m.Method == "" {
		return
	}
	key := m.Branch() + " " + m.Method
	if m.Branch() == "" { // RFC 3261 §17.2.3, of clients of RFC 2543
		key = strings.Join([]string{m.Get("Call-ID"), tagOf(m.Get("From")), m.Get("CSeq"), m.Method}, " ")
	}
	s.arrivals[key]++
	if s.cfg.Drop != nil && s.cfg.Drop(m, s.arrivals[key]) {
		return
	}
	d := s.dialogs[m.Get("Call-ID")]
	if m.Method == "ACK" {
		s.acknowledged(m)
		if d != nil {
			d.acknowledged()
			s.askSnapshot(d)
		}
		return
	}
	back := s.way(m, write)
	if out := s.stored[key]; out != nil && !s.cfg.Forget {
		_ = back(out)
		return
	}
	if s.cfg.Ring && m.Method == "INVITE" && d == nil {
		s.ringing = m
		_ = back(s.compose(m, &Response{Status: 180, ToTag: "model-ring"}))
		return
	}
	if s.early(m, back) {
		return
	}
	if m.Method == "INVITE" && d == nil && m.Lists("Require", "100rel") && s.ring(m, back) {
		return
	}
	s.settle(m, d, key, write)
}

// settle sends the final response.
func (s *Server) settle(m *src.Message, d *dialog, key string, write func([]byte) error) {
	r := s.respond(m, d, write)
	out := s.compose(m, r)
	if out == nil {
		return
	}
	back := s.way(m, write)
	s.stored[key] = out
	_ = back(out)
	if m.Method == "CANCEL" && s.ringing != nil {
		_ = back(s.compose(s.ringing, &Response{Status: 487, ToTag: "model-ring"}))
	}
	d = s.dialogs[m.Get("Call-ID")]
	switch {
	case m.Method == "INVITE":
		s.unacknowledged(m, r.Status, out, back)
	case m.Method == "UPDATE" && d != nil:
		s.askSnapshot(d)
	}
}

// respond decides the response; the caller holds mu.
func (s *Server) respond(m *src.Message, d *dialog, write func([]byte) error) *Response {
	r := &Response{Status: 200}
	if d != nil {
		r.ToTag = d.tag
	}
	if s.refuses(m, d, r) {
		return s.altered(m, r)
	}
	switch m.Method {
	case "OPTIONS":
		r.Headers = append(r.Headers, src.Header{Name: "Allow", Value: allow}, src.Header{Name: "Accept", Value: accept},
			src.Header{Name: "Accept-Encoding", Value: "identity"}, src.Header{Name: "Accept-Language", Value: "en"},
			src.Header{Name: "Supported", Value: "timer, 100rel"})
	case "CANCEL":
		if s.ringing == nil && s.stored[m.Branch()+" INVITE"] == nil {
			r.Status = 481
		} else if d != nil && s.cfg.LateCancel {
			s.forget(d)
		}
	default:
		if m.Method == "INVITE" && tagOf(m.Get("To")) == "" {
			d = s.open(m, write)
			r.ToTag = d.tag
		}
		d.cseq, _ = m.CSeq()
		d.write = write
		s.accepted(m, d, r)
	}
	return s.altered(m, r)
}

// refuses looks for reasons to refuse a request in the order of RFC 3261 §8.2, and
// fills in the refusal.
func (s *Server) refuses(m *src.Message, d *dialog, r *Response) bool {
	_, method, readable := cut(m.Get("CSeq"))
	_, err := src.ParseAddr(m.Get("To"))
	cseq, _ := m.CSeq()
	inDialog := tagOf(m.Get("To")) != ""
	unknown := unknownOptions(m)
	switch {
	case err != nil || !readable || method != m.Method || malformed(m):
		r.Status = 400
		if s.cfg.Fragile {
			clear(s.dialogs)
		}
	case !slices.Contains(strings.Split(allow, ", "), m.Method):
		r.Status = 405
		r.Set("Allow", allow)
	case !strings.HasPrefix(m.RequestURI, "sip:") && !strings.HasPrefix(m.RequestURI, "sips:"):
		r.Status = 416
	case !inDialog && s.merged(m):
		r.Status = 482
	case len(unknown) > 0 && m.Method != "CANCEL":
		r.Status = 420
		r.Set("Unsupported", strings.Join(unknown, ", "))
	case m.Method == "CANCEL", d != nil && slices.Contains(s.cfg.AnyTag, m.Method):
		return false
	case inDialog && !d.matches(m) || !inDialog && m.Method != "INVITE" && m.Method != "OPTIONS":
		r.Status = 481
	case inDialog && d.from != m.Source.Addr():
		r.Status = 403 // it is not of the SRC
	case inDialog && cseq <= d.cseq && !s.cfg.AnyCSeq:
		r.Status = 500
	case s.asks(m, inDialog, r):
		return true
	default:
		return refusesBody(m, r) || m.Method != "OPTIONS" && refusesTerms(m, r)
	}
	return true
}

// unknownOptions are those that a request requires and nobody knows.
func unknownOptions(m *src.Message) []string {
	var out []string
	for _, option := range m.List("Require") {
		if option != "siprec" && option != "100rel" && option != "timer" {
			out = append(out, option)
		}
	}
	return out
}

// merged says that a request came before on another way (RFC 3261 §8.2.2.2).
func (s *Server) merged(m *src.Message) bool {
	id := strings.Join([]string{m.Get("Call-ID"), tagOf(m.Get("From")), m.Get("CSeq")}, " ")
	if branch, came := s.initial[id]; came && m.Method != "CANCEL" {
		return branch != m.Branch()
	}
	s.initial[id] = m.Branch()
	return false
}

// refusesBody looks at the body (RFC 3261 §8.2.3, RFC 5621 §8.3).
func refusesBody(m *src.Message, r *Response) bool {
	switch {
	case len(m.Body) == 0:
		return false
	case m.Has("Content-Encoding"):
		r.Status = 415
		r.Set("Accept-Encoding", "identity")
		return true
	case strings.HasPrefix(m.ContentType(), "multipart/") && !strings.Contains(strings.ToLower(m.Get("Content-Type")), "boundary="):
		r.Status = 400
		return true
	}
	for _, p := range m.Parts() {
		optional := strings.Contains(strings.ToLower(p.Disposition), "handling=optional")
		if !slices.Contains(strings.Split(accept, ", "), p.Type) && !optional {
			r.Status = 415
			r.Set("Accept", accept)
			return true
		}
	}
	return false
}

// mostLines bounds an offer: the answer to it has to fit into a datagram.
const mostLines = 256

// refusesTerms looks at the session timer and the offer (RFC 4028 §9, RFC 3261 §21.4.26).
func refusesTerms(m *src.Message, r *Response) bool {
	offer, err := offerOf(m)
	switch {
	case tooShort(m):
		r.Status = 422
		r.Set("Min-SE", fmt.Sprint(leastInterval))
	case err != nil || offer != nil && (offer.Origin == "" || len(offer.Media) > mostLines):
		r.Status = 488
		r.Set("Warning", `399 model "the description cannot be read"`)
	default:
		return false
	}
	return true
}

// offerOf is the offer of a request; a description of another disposition is none
// (RFC 3959 §4).
func offerOf(m *src.Message) (*src.SDP, error) {
	for _, p := range m.Parts() {
		if p.Type == "application/sdp" && !strings.HasPrefix(strings.ToLower(p.Disposition), "early-session") {
			return src.ParseSDP(p.Body)
		}
	}
	return nil, nil
}

// accepted fills a 200 of a request in a dialog.
func (s *Server) accepted(m *src.Message, d *dialog, r *Response) {
	if m.Method == "BYE" {
		// Its own retransmission is answered from the stored response.
		s.forget(d)
	}
	if m.Method != "INVITE" && m.Method != "UPDATE" {
		return
	}
	if target, err := src.ParseAddr(m.Get("Contact")); err == nil {
		d.target = target.URI
	}
	d.lacking = d.lacking || d.wanted(m)
	if !readable(m) {
		r.Set("Warning", `399 model "the metadata cannot be read"`)
	}
	r.Set("Contact", s.contact(m))
	r.Set("Allow", allow)
	s.grant(m, d, r)
	for _, route := range m.All("Record-Route") {
		r.Headers = append(r.Headers, src.Header{Name: "Record-Route", Value: route})
	}
	names(m, d.names)
	if offer, _ := offerOf(m); offer != nil {
		r.SDP = s.answer(d, offer)
	} else if m.Method == "INVITE" {
		r.SDP = d.describe(s.addr.Addr().String())
	}
}
