package src

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"
)

// A Request says what a request carries. The zero value is a correct request of
// its method without a body; everything else is a choice or a fault.
type Request struct {
	// Streams are all m-lines of an offer; nil sends no offer. In a dialog they
	// meet the earlier ones by index, and new ones are bound to new ports.
	Streams []StreamOffer
	// SDP replaces the text of the offer; Streams still binds ports and the
	// words {port0}, {port1} ... and {address} in SDP become their values.
	SDP string
	// FixedVersion leaves the o= version as it was although the offer changed.
	FixedVersion bool
	// Metadata is an RFC 7865 document, of type MetadataType (default
	// TypeMetadata).
	Metadata     []byte
	MetadataType string
	Parts        []Part // further body parts
	// Body and ContentType replace the whole body.
	Body        []byte
	ContentType string
	Quirks      Quirks
	// Edit changes the text of the request before it is sent, {length} in it becomes the
	// number of octets after the header; the Content-Length reads so before.
	Edit func(text string) string

	// Require lists option tags; nil is "siprec" in an INVITE (RFC 7866
	// §6.1.1) and nothing elsewhere, empty is none.
	Require []string
	// ContactParams follow the Contact URI; empty is ";+sip.src".
	ContactParams string
	NoFeatureTag  bool     // Contact without parameters
	MaxForwards   string   // default "70"
	Headers       []Header // further header fields, before the body's

	// The following open a dialog; in one they are ignored.
	RequestURI string // default "sip:srs@" target
	From, To   string // URIs; default "sip:src@" local address and RequestURI
	SameURI    bool   // From and To are the Request-URI, as OpenSIPS does
	CallID     string

	// WithholdACK leaves the final response to an INVITE without ACK until Dialog.Ack; a
	// challenge that is answered has its ACK.
	WithholdACK bool
	// NoCredentials says no password, and leaves a challenge unanswered. So does an
	// Authorization or Proxy-Authorization among Headers.
	NoCredentials bool

	// Faults: a value here replaces the right one in this request only.
	CSeq    uint32
	FromTag string
	ToTag   string
	NoToTag bool
	Branch  string
}

// envelope is what identifies one request of a dialog.
type envelope struct {
	method     string
	requestURI string
	branch     string
	cseq       uint32
	cseqMethod string
	from, to   string // with tags
	callID     string
	routes     []string
	// authorization says passwords; an ACK repeats that of its INVITE (RFC 3261 §22.1).
	authorization []Header
}

// compose writes the text of a request.
func (s *SRC) compose(e envelope, r Request, c content) []byte {
	h := []Header{
		{"Via", fmt.Sprintf("SIP/2.0/%s %s;branch=%s;rport", s.conn.transport, s.conn.local, e.branch)},
		{"Max-Forwards", cmp.Or(r.MaxForwards, "70")},
		{"From", e.from},
		{"To", e.to},
		{"Call-ID", e.callID},
		{"CSeq", fmt.Sprintf("%d %s", e.cseq, e.cseqMethod)},
	}
	for _, route := range e.routes {
		h = append(h, Header{"Route", route})
	}
	if e.method != "ACK" && e.method != "CANCEL" {
		h = append(h, Header{"Contact", s.contact(r, e.requestURI)}, Header{"User-Agent", s.cfg.UserAgent})
		h = append(h, Header{"Allow", allowed})
	}
	if require := r.require(e.method); len(require) > 0 {
		h = append(h, Header{"Require", strings.Join(require, ", ")})
	}
	h = append(h, e.authorization...)
	h = append(h, r.Headers...)
	h = append(h, c.headers...)
	if len(c.headers) > 0 {
		h = append(h, Header{"MIME-Version", "1.0"})
	}
	return serialise(e.method+" "+e.requestURI+" SIP/2.0", h, c.body, r.Quirks, r.Edit)
}

// allowed are the methods an SRC of this package answers.
const allowed = "INVITE, ACK, BYE, CANCEL, UPDATE, OPTIONS, INFO"

func (r Request) require(method string) []string {
	switch {
	case method == "ACK" || method == "CANCEL":
		// RFC 3261 §9.1, §20.32: neither may carry Require.
		return nil
	case r.Require != nil:
		return r.Require
	case method == "INVITE":
		return []string{"siprec"}
	}
	return nil
}

// contact is the Contact of this SRC; the feature tag stands outside the angle
// brackets (RFC 7866 §6.1.1). With a sips Request-URI it is one of sips (RFC 3261
// §8.1.1.8), which needs no transport.
func (s *SRC) contact(r Request, requestURI string) string {
	uri := fmt.Sprintf("<sip:src@%s", s.conn.local)
	if len(requestURI) > 5 && strings.EqualFold(requestURI[:5], "sips:") {
		uri = fmt.Sprintf("<sips:src@%s", s.conn.local)
	} else if s.conn.reliable() {
		uri += ";transport=" + strings.ToLower(s.conn.transport)
	}
	switch {
	case r.NoFeatureTag:
		return uri + ">"
	case r.ContactParams != "":
		return uri + ">" + r.ContactParams
	}
	return uri + ">;+sip.src"
}

// lengthWord stands for the length of the body in a text that is edited.
const lengthWord = "{length}"

// serialise writes a message. Content-Length is right for the body that is sent,
// unless edit sets another one.
func serialise(start string, headers []Header, body []byte, q Quirks, edit func(string) string) []byte {
	if q.LF {
		body = bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n"))
	}
	length := fmt.Sprint(len(body))
	if edit != nil {
		length = lengthWord
	}
	var b bytes.Buffer
	b.WriteString(start + "\r\n")
	for _, h := range append(headers, Header{"Content-Length", length}) {
		name := h.Name
		if q.Compact {
			name = shortName(name)
		}
		b.WriteString(name + ": " + h.Value + "\r\n")
	}
	b.WriteString("\r\n")
	head := b.Bytes()
	if q.LF {
		head = bytes.ReplaceAll(head, []byte("\r\n"), []byte("\n"))
	}
	raw := append(head, body...)
	if edit == nil {
		return raw
	}
	raw = []byte(edit(string(raw)))
	_, edited, _ := splitHead(bytes.TrimLeft(raw, "\r\n"))
	return bytes.ReplaceAll(raw, []byte(lengthWord), []byte(fmt.Sprint(len(edited))))
}

// content assembles the body of a request from its offer and metadata.
func (r Request) content(offer []byte) content {
	if r.Body != nil {
		return content{[]Header{{"Content-Type", r.ContentType}}, r.Body}
	}
	var parts []Part
	if offer != nil {
		parts = append(parts, Part{Type: typeSDP, Body: offer})
	}
	if r.Metadata != nil {
		p := Part{Type: r.MetadataType, Disposition: "recording-session", Body: r.Quirks.pad(r.Metadata)}
		if p.Type == "" {
			p.Type = TypeMetadata
		}
		if r.Quirks.NoDisposition {
			p.Disposition = ""
		}
		if r.Quirks.MetadataFirst {
			parts = append([]Part{p}, parts...)
		} else {
			parts = append(parts, p)
		}
	}
	return r.Quirks.write(append(parts, r.Parts...))
}
