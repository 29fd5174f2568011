package model

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/siprecd/siprecd/conformance/src"
)

// An early is an INVITE whose reliable 180 waits for its PRACK (RFC 3262 §3).
type early struct {
	invite *src.Message
	key    string
}

// open makes the dialog of an INVITE, and the request for a snapshot when its
// metadata is a partial document.
func (s *Server) open(m *src.Message) *dialog {
	d := &dialog{tag: fmt.Sprintf("model%d", len(s.dialogs)), acked: make(chan struct{})}
	s.dialogs[m.Get("Call-ID")] = d
	if bytes.Contains(m.Body, []byte("<datamode>partial")) {
		d.asks = s.snapshotRequest(m, d)
	}
	return d
}

// ring sends the 180; false says that a mistake of the test left it out.
func (s *Server) ring(m *src.Message, write func([]byte) error) bool {
	r := &Response{Status: 180, ToTag: "model-early"}
	r.Set("Require", "100rel")
	r.Set("RSeq", "5000")
	r.Set("Contact", fmt.Sprintf("<sip:srs@%s>;+sip.srs", s.addr))
	s.altered(m, r)
	if r.Status != 180 {
		return false
	}
	s.reliable[m.Get("Call-ID")] = &early{m, m.Branch() + " " + m.Method}
	_ = write(s.compose(m, r))
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
		delete(s.reliable, m.Get("Call-ID"))
		_ = write(s.compose(m, s.altered(m, &Response{Status: 200, ToTag: "model-early"})))
		_ = write(s.compose(waits.invite, s.altered(waits.invite, &Response{Status: 487, ToTag: "model-early"})))
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
		delete(s.reliable, m.Get("Call-ID"))
		s.settle(waits.invite, nil, waits.key, write)
	}
}

// tooShort says that an SRC asks for a session timer below 90 s (RFC 4028 §5).
func tooShort(m *src.Message) bool {
	value, _, _ := strings.Cut(m.Get("Session-Expires"), ";")
	n, err := strconv.Atoi(value)
	return err == nil && n < 90
}

// grant gives the session timer that a request asks for (RFC 4028 §9).
func grant(m *src.Message, r *Response) {
	value := m.Get("Session-Expires")
	if value == "" {
		return
	}
	if !strings.Contains(value, "refresher=") {
		value += ";refresher=uac"
	}
	r.Set("Session-Expires", value)
	if strings.HasSuffix(value, "uac") {
		r.Set("Require", "timer")
	}
}

// snapshotRequest is the UPDATE of RFC 7866 §9.2.
func (s *Server) snapshotRequest(m *src.Message, d *dialog) string {
	target, err := src.ParseAddr(m.Get("Contact"))
	if err != nil {
		return ""
	}
	body := `<requestsnapshot xmlns="urn:ietf:params:xml:ns:recording:1"/>`
	var b strings.Builder
	fmt.Fprintf(&b, "UPDATE %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKmodel-%s\r\n", target.URI, s.addr, d.tag)
	for _, route := range m.All("Record-Route") {
		fmt.Fprintf(&b, "Route: %s\r\n", route)
	}
	fmt.Fprintf(&b, "Max-Forwards: 70\r\nFrom: %s;tag=%s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: 1 UPDATE\r\n", m.Get("To"), d.tag, m.Get("From"), m.Get("Call-ID"))
	fmt.Fprintf(&b, "Contact: <sip:srs@%s>;+sip.srs\r\nRequire: siprec\r\nContent-Type: application/rs-metadata+xml\r\n", s.addr)
	fmt.Fprintf(&b, "Content-Disposition: recording-session\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	return b.String()
}

// ask sends the request for a snapshot, if there is one.
func (s *Server) ask(d *dialog, write func([]byte) error) {
	text := d.asks
	if s.cfg.AlterRequest != nil && text != "" {
		text = s.cfg.AlterRequest(text)
	}
	if text != "" {
		_ = write([]byte(text))
	}
}
