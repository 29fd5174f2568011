package src

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// A Header is one SIP header field as it stood in the message, with the value
// unfolded and trimmed. Compact names are spelt out (RFC 3261 §7.3.3).
type Header struct{ Name, Value string }

// A Message is one SIP message as it was received (RFC 3261 §7). Nothing is
// repaired: what the peer did wrong stays visible in Raw and Headers.
type Message struct {
	Raw        []byte
	Method     string // empty for a response
	RequestURI string // empty for a response
	Status     int    // 0 for a request
	Reason     string
	Headers    []Header
	Body       []byte // Content-Length octets, or the rest of the datagram
	At         time.Time
	Source     netip.AddrPort
}

// errNotSIP is what Parse reports for text without a SIP start line.
var errNotSIP = errors.New("not a SIP message")

// Parse reads one SIP message. Line ends may be CRLF or LF; a body longer than
// Content-Length is cut, a shorter one is an error.
func Parse(raw []byte) (*Message, error) {
	head, body, found := splitHead(raw)
	if !found {
		return nil, fmt.Errorf("no end of header: %w", errNotSIP)
	}
	m := &Message{Raw: raw, Body: body}
	lines := unfold(head)
	if len(lines) == 0 {
		return nil, errNotSIP
	}
	if err := m.startLine(lines[0]); err != nil {
		return nil, err
	}
	for _, line := range lines[1:] {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("header line %q has no colon", clip(line))
		}
		m.Headers = append(m.Headers, Header{longName(strings.TrimSpace(name)), strings.TrimSpace(value)})
	}
	return m, m.cutBody()
}

// clip keeps messages of errors short.
func clip(s string) string {
	if len(s) > 60 {
		return s[:60] + "..."
	}
	return s
}

func (m *Message) startLine(line string) error {
	if rest, ok := strings.CutPrefix(line, "SIP/2.0 "); ok {
		code, reason, _ := strings.Cut(rest, " ")
		n, err := strconv.Atoi(code)
		if err != nil || n < 100 || n > 699 {
			return fmt.Errorf("status %q: %w", clip(code), errNotSIP)
		}
		m.Status, m.Reason = n, reason
		return nil
	}
	f := strings.Fields(line)
	if len(f) != 3 || f[2] != "SIP/2.0" {
		return fmt.Errorf("start line %q: %w", clip(line), errNotSIP)
	}
	m.Method, m.RequestURI = f[0], f[1]
	return nil
}

func (m *Message) cutBody() error {
	v := m.Get("Content-Length")
	if v == "" {
		return nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		return fmt.Errorf("content length %q is not a number", clip(v))
	}
	if n > len(m.Body) {
		return fmt.Errorf("content length is %d, body has %d octets", n, len(m.Body))
	}
	m.Body = m.Body[:n]
	return nil
}

// splitHead finds the empty line that ends the header.
func splitHead(raw []byte) (head, body []byte, found bool) {
	crlf := bytes.Index(raw, []byte("\r\n\r\n"))
	lf := bytes.Index(raw, []byte("\n\n"))
	switch {
	case crlf >= 0 && (lf < 0 || crlf < lf):
		return raw[:crlf], raw[crlf+4:], true
	case lf >= 0:
		return raw[:lf], raw[lf+2:], true
	}
	return nil, nil, false
}

// unfold joins continuation lines (RFC 3261 §7.3.1).
func unfold(head []byte) []string {
	var lines []string
	for line := range strings.SplitSeq(string(head), "\n") {
		line = strings.TrimSuffix(line, "\r")
		if line != "" && (line[0] == ' ' || line[0] == '\t') && len(lines) > 0 {
			lines[len(lines)-1] += " " + strings.TrimSpace(line)
			continue
		}
		if line == "" && len(lines) == 0 {
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

// longName spells a compact header name out (RFC 3261 §20).
func longName(name string) string {
	if len(name) != 1 {
		return name
	}
	switch name[0] | 0x20 {
	case 'v':
		return "Via"
	case 'f':
		return "From"
	case 't':
		return "To"
	case 'i':
		return "Call-ID"
	case 'm':
		return "Contact"
	case 'c':
		return "Content-Type"
	case 'l':
		return "Content-Length"
	case 'k':
		return "Supported"
	case 's':
		return "Subject"
	case 'e':
		return "Content-Encoding"
	}
	return name
}

// shortName is the compact form of a name, or the name itself.
func shortName(name string) string {
	switch strings.ToLower(name) {
	case "via":
		return "v"
	case "from":
		return "f"
	case "to":
		return "t"
	case "call-id":
		return "i"
	case "contact":
		return "m"
	case "content-type":
		return "c"
	case "content-length":
		return "l"
	case "supported":
		return "k"
	}
	return name
}

// Get is the value of the first header field of that name, without case.
func (m *Message) Get(name string) string {
	for _, h := range m.Headers {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

// Has says whether a header field of that name is present, even an empty one.
func (m *Message) Has(name string) bool {
	for _, h := range m.Headers {
		if strings.EqualFold(h.Name, name) {
			return true
		}
	}
	return false
}

// All holds the values of all header fields of that name, one per field line.
func (m *Message) All(name string) []string {
	var out []string
	for _, h := range m.Headers {
		if strings.EqualFold(h.Name, name) {
			out = append(out, h.Value)
		}
	}
	return out
}

// List holds the comma separated elements of all fields of that name.
func (m *Message) List(name string) []string {
	var out []string
	for _, v := range m.All(name) {
		for _, e := range splitOutside(v, ',') {
			if e = strings.TrimSpace(e); e != "" {
				out = append(out, e)
			}
		}
	}
	return out
}

// Lists says whether the named header lists a token, without case.
func (m *Message) Lists(name, token string) bool {
	for _, e := range m.List(name) {
		if strings.EqualFold(e, token) {
			return true
		}
	}
	return false
}

// CSeq is the sequence number and method of the CSeq header field.
func (m *Message) CSeq() (uint32, string) {
	f := strings.Fields(m.Get("CSeq"))
	if len(f) != 2 {
		return 0, ""
	}
	n, err := strconv.ParseUint(f[0], 10, 32)
	if err != nil {
		return 0, f[1]
	}
	return uint32(n), f[1]
}

// Branch is the branch parameter of the topmost Via (RFC 3261 §8.1.1.7).
func (m *Message) Branch() string {
	vias := m.List("Via")
	if len(vias) == 0 {
		return ""
	}
	_, params, _ := strings.Cut(vias[0], ";")
	for p := range strings.SplitSeq(params, ";") {
		if k, v, _ := strings.Cut(strings.TrimSpace(p), "="); strings.EqualFold(strings.TrimSpace(k), "branch") {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// ContentType is the media type of the body in lower case, without parameters.
func (m *Message) ContentType() string {
	t, _, _ := strings.Cut(m.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// SDP reads the session description in the body, in a multipart body or alone.
// It returns nil without an error when there is none.
func (m *Message) SDP() (*SDP, error) {
	for _, p := range m.Parts() {
		if p.Type == "application/sdp" {
			return ParseSDP(p.Body)
		}
	}
	return nil, nil
}
