package src

import (
	"bytes"
	"fmt"
	"strings"
)

// Media types of the metadata (RFC 7866 §9, RFC 7865 §5).
const (
	TypeMetadata    = "application/rs-metadata+xml"
	TypeOldMetadata = "application/rs-metadata"
	typeSDP         = "application/sdp"
)

// A Part is one part of a body. In a Request it is sent after the others; from
// a Message it is what the server sent.
type Part struct {
	Type        string // media type; in lower case and without parameters when received
	Disposition string // Content-Disposition as written; empty for none
	Headers     []Header
	Body        []byte
}

// Quirks are ways in which real devices write their bodies and headers.
type Quirks struct {
	MetadataFirst      bool   // the metadata part before the SDP
	NoClosingDelimiter bool   // the last boundary lacks "--"
	LF                 bool   // bare LF as line end, in header and body
	NoDisposition      bool   // metadata without Content-Disposition
	QuotedBoundary     bool   // boundary="..."
	Boundary           string // default "src-boundary"
	Preamble           string // text before the first delimiter
	Compact            bool   // compact header names (RFC 3261 §7.3.3)
	Folded             bool   // Content-Type folded over two lines (RFC 3261 §7.3.1)
	Wrap               bool   // multipart even around a single part
	// PadTo grows the metadata by an XML comment until it has at least this
	// many octets.
	PadTo int
}

// content is a body with the header fields that describe it.
type content struct {
	headers []Header
	body    []byte
}

// write joins parts to a body: alone when there is one, multipart/mixed
// otherwise (RFC 7866 §9.1).
func (q Quirks) write(parts []Part) content {
	if len(parts) == 0 {
		return content{}
	}
	if len(parts) == 1 && !q.Wrap {
		h := []Header{{"Content-Type", parts[0].Type}}
		if parts[0].Disposition != "" {
			h = append(h, Header{"Content-Disposition", parts[0].Disposition})
		}
		return content{append(h, parts[0].Headers...), parts[0].Body}
	}
	boundary := q.Boundary
	if boundary == "" {
		boundary = "src-boundary"
	}
	var b bytes.Buffer
	if q.Preamble != "" {
		b.WriteString(q.Preamble + "\r\n")
	}
	for _, p := range parts {
		fmt.Fprintf(&b, "--%s\r\nContent-Type: %s\r\n", boundary, p.Type)
		if p.Disposition != "" {
			fmt.Fprintf(&b, "Content-Disposition: %s\r\n", p.Disposition)
		}
		for _, h := range p.Headers {
			fmt.Fprintf(&b, "%s: %s\r\n", h.Name, h.Value)
		}
		b.WriteString("\r\n")
		b.Write(p.Body)
		b.WriteString("\r\n")
	}
	if !q.NoClosingDelimiter {
		b.WriteString("--" + boundary + "--\r\n")
	}
	sep, mark := ";", boundary
	if q.Folded {
		sep = ";\r\n "
	}
	if q.QuotedBoundary {
		mark = `"` + boundary + `"`
	}
	return content{[]Header{{"Content-Type", "multipart/mixed" + sep + "boundary=" + mark}}, b.Bytes()}
}

// pad grows a document by a comment, which XML allows after the root element.
func (q Quirks) pad(doc []byte) []byte {
	const open, end = "\n<!-- ", " -->\n"
	missing := q.PadTo - len(doc) - len(open) - len(end)
	if missing <= 0 {
		return doc
	}
	out := append([]byte(nil), doc...)
	out = append(out, open...)
	out = append(out, bytes.Repeat([]byte("x"), missing)...)
	return append(out, end...)
}

// Parts splits the body into its parts; a body that is not multipart is one.
func (m *Message) Parts() []Part {
	if len(m.Body) == 0 {
		return nil
	}
	return splitParts(m.Get("Content-Type"), m.Get("Content-Disposition"), m.Body, 0)
}

// splitParts opens nested multiparts up to three deep (RFC 5621 §4.2).
func splitParts(contentType, disposition string, body []byte, depth int) []Part {
	kind, params, _ := strings.Cut(contentType, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	boundary := ""
	for _, p := range parseParams(params) {
		if strings.EqualFold(p.Name, "boundary") {
			boundary = p.Value
		}
	}
	if !strings.HasPrefix(kind, "multipart/") || boundary == "" || depth > 3 {
		return []Part{{Type: kind, Disposition: disposition, Body: body}}
	}
	var out []Part
	for _, section := range sections(body, boundary) {
		section = bytes.TrimPrefix(bytes.TrimPrefix(section, []byte("\r")), []byte("\n"))
		head, inner, found := splitHead(append([]byte("\n"), section...))
		if !found {
			head, inner = nil, section
		}
		p := &Message{}
		for _, line := range unfold(head) {
			if name, value, ok := strings.Cut(line, ":"); ok {
				p.Headers = append(p.Headers, Header{strings.TrimSpace(name), strings.TrimSpace(value)})
			}
		}
		for _, leaf := range splitParts(p.Get("Content-Type"), p.Get("Content-Disposition"), inner, depth+1) {
			if leaf.Headers == nil {
				leaf.Headers = p.Headers
			}
			out = append(out, leaf)
		}
	}
	return out
}

// sections cuts a multipart body at its delimiters (RFC 2046 §5.1.1).
func sections(body []byte, boundary string) [][]byte {
	delimiter := []byte("\n--" + boundary)
	text := append([]byte("\n"), body...)
	var out [][]byte
	pieces := bytes.Split(text, delimiter)
	for _, piece := range pieces[1:] {
		if bytes.HasPrefix(piece, []byte("--")) {
			break
		}
		out = append(out, bytes.TrimSuffix(piece, []byte("\r")))
	}
	return out
}
