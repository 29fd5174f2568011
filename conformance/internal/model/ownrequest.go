package model

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/siprecd/siprecd/conformance/src"
)

// ask sends a request of the server's own in a dialog (RFC 3261 §12.2.1.1). The header
// fields end with CRLF each. The caller holds mu.
func (s *Server) ask(d *dialog, method, headers, body string) {
	d.asked++
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bKmodel-%s-%d\r\n", method, d.target,
		strings.ToUpper(s.cfg.Network), s.addr, d.tag, d.asked)
	for _, route := range d.routes {
		fmt.Fprintf(&b, "Route: %s\r\n", route)
	}
	fmt.Fprintf(&b, "Max-Forwards: 70\r\nFrom: %s;tag=%s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\n", d.local, d.tag, d.peer, d.callID, d.asked, method)
	fmt.Fprintf(&b, "Contact: %s\r\n%sContent-Length: %d\r\n\r\n%s", d.contact, headers, len(body), body)
	text := b.String()
	if s.cfg.AlterRequest != nil {
		text = s.cfg.AlterRequest(text)
	}
	if text != "" {
		_ = d.write([]byte(text)) // a peer that is gone shows in the test
	}
}

// hangUp ends a dialog by a BYE. The caller holds mu.
func (s *Server) hangUp(d *dialog) {
	s.ask(d, "BYE", "", "")
	s.forget(d)
}

// wanted says that a snapshot has to be asked for: a partial document came before any
// whole one (RFC 7866 §9.2).
func (d *dialog) wanted(m *src.Message) bool {
	partial := bytes.Contains(m.Body, []byte("<datamode>partial"))
	if !partial && bytes.Contains(m.Body, []byte("<recording")) {
		d.whole = true
	}
	return partial && !d.whole
}

// askSnapshot sends the UPDATE of RFC 7866 §9.2, once in a dialog. The caller holds mu.
func (s *Server) askSnapshot(d *dialog) {
	if !d.lacking || d.snapshotAsked && !s.cfg.AskAlways {
		return
	}
	d.snapshotAsked = true
	s.ask(d, "UPDATE", "Require: siprec\r\nContent-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session\r\n",
		`<requestsnapshot xmlns="urn:ietf:params:xml:ns:recording:1"/>`)
}
