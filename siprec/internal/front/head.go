package front

import (
	"slices"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// maxOddities bounds the notes about one message.
const maxOddities = 16

// A field is one header field: the name in full, the value on one line.
type field struct{ name, value string }

// A head is the start line and the header fields of a message.
type head struct {
	start    string
	fields   []field
	oddities []string
}

// scanHead reads a head, repairing what can be repaired without knowing the
// header field. It keeps everything that has a name and a colon.
func scanHead(text string) head {
	h := head{fields: make([]field, 0, 24)}
	if bareLF(text) {
		h.odd("bare LF")
	}
	h.start, text = cutLine(text)
	h.start = h.clean(strings.TrimSpace(h.start))
	for text != "" {
		var line string
		line, text = cutField(text)
		h.add(line)
	}
	return h
}

func bareLF(text string) bool {
	return strings.Count(text, "\n") != strings.Count(text, "\r\n")
}

// cutLine cuts the first line off, without its end.
func cutLine(text string) (line, rest string) {
	line, rest, _ = strings.Cut(text, "\n")
	return strings.TrimRight(line, "\r"), rest
}

// cutField cuts the first line off together with the lines that continue it
// (RFC 3261 §7.3.1).
func cutField(text string) (lines, rest string) {
	for at := 0; ; {
		i := strings.IndexByte(text[at:], '\n')
		if i < 0 {
			return text, ""
		}
		at += i + 1
		if at == len(text) || (text[at] != ' ' && text[at] != '\t') {
			return text[:at], text[at:]
		}
	}
}

// add reads one header field with its continuation lines.
func (h *head) add(lines string) {
	lines = strings.TrimRight(lines, "\r\n \t")
	if lines == "" {
		return
	}
	if strings.IndexByte(lines, '\n') >= 0 {
		lines = unfold(lines)
	}
	name, value, ok := strings.Cut(lines, ":")
	trimmed := strings.TrimRight(name, " \t")
	if !ok || trimmed == "" || !isToken([]byte(trimmed)) {
		h.odd("line that is not a header field dropped")
		return
	}
	h.fields = append(h.fields, field{canonical(trimmed), h.clean(strings.TrimSpace(value))})
}

// unfold joins continuation lines with one space each.
func unfold(lines string) string {
	var b strings.Builder
	b.Grow(len(lines))
	for lines != "" {
		var line string
		line, lines = cutLine(lines)
		if b.Len() > 0 {
			b.WriteByte(' ')
			line = strings.TrimLeft(line, " \t")
		}
		b.WriteString(strings.TrimRight(line, " \t"))
	}
	return b.String()
}

// clean puts a space in the place of each control character. None may stand in a
// header field but in a quoted pair, where it says nothing, and a carriage return
// copied into a response would end a line.
func (h *head) clean(s string) string {
	control := func(c byte) bool { return c < ' ' && c != '\t' }
	for i := 0; i < len(s); i++ {
		if !control(s[i]) {
			continue
		}
		h.odd("control character in the header section")
		b := []byte(s)
		for j := i; j < len(b); j++ {
			if control(b[j]) {
				b[j] = ' '
			}
		}
		return strings.TrimSpace(string(b))
	}
	return s
}

// odd notes a deviation, once.
func (h *head) odd(what string) {
	if len(h.oddities) < maxOddities && !slices.Contains(h.oddities, what) {
		h.oddities = append(h.oddities, what)
	}
}

func (h *head) has(name string) bool {
	for _, f := range h.fields {
		if f.name == name && f.value != "" {
			return true
		}
	}
	return false
}

// first returns the first value of a header field, by its canonical name.
func (h *head) first(name string) string {
	for _, f := range h.fields {
		if f.name == name {
			return f.value
		}
	}
	return ""
}

// contentLength reads Content-Length (RFC 3261 §20.14). Values that contradict
// each other leave the end of the message unknown (RFC 4475 §3.3.9).
func (h *head) contentLength() (n int, present bool, flt *fault) {
	for _, f := range h.fields {
		if f.name != "Content-Length" {
			continue
		}
		for _, v := range splitList(f.value) {
			if v == "" {
				continue
			}
			u, err := strconv.ParseUint(v, 10, 31)
			if err != nil {
				return 0, true, badRequest("bad Content-Length")
			}
			if present && int(u) != n {
				return 0, true, badRequest("conflicting Content-Length")
			}
			n, present = int(u), true
		}
	}
	return n, present, nil
}

// canonical returns the full name of a header field for a compact form, the
// usual spelling for the names the front reads itself, and other names as sent.
func canonical(name string) string {
	if len(name) == 1 {
		if full := expand(name[0] | 0x20); full != "" {
			return full
		}
		return name
	}
	switch sip.HeaderToLower(name) {
	case "via":
		return "Via"
	case "from":
		return "From"
	case "to":
		return "To"
	case "call-id":
		return "Call-ID"
	case "cseq":
		return "CSeq"
	case "contact":
		return "Contact"
	case "content-type":
		return "Content-Type"
	case "content-length":
		return "Content-Length"
	case "max-forwards":
		return "Max-Forwards"
	case "route":
		return "Route"
	case "record-route":
		return "Record-Route"
	case "refer-to":
		return "Refer-To"
	case "referred-by":
		return "Referred-By"
	}
	return name
}

// expand gives the name behind a compact form, as registered with IANA.
func expand(c byte) string {
	switch c {
	case 'a':
		return "Accept-Contact" // RFC 3841
	case 'b':
		return "Referred-By" // RFC 3892
	case 'c':
		return "Content-Type" // RFC 3261 §7.3.3, like the others without a number
	case 'd':
		return "Request-Disposition" // RFC 3841
	case 'e':
		return "Content-Encoding"
	case 'f':
		return "From"
	case 'i':
		return "Call-ID"
	case 'j':
		return "Reject-Contact" // RFC 3841
	case 'k':
		return "Supported"
	case 'l':
		return "Content-Length"
	case 'm':
		return "Contact"
	case 'n':
		return "Identity-Info" // RFC 4474
	case 'o':
		return "Event" // RFC 6665
	case 'r':
		return "Refer-To" // RFC 3515
	case 's':
		return "Subject"
	case 't':
		return "To"
	case 'u':
		return "Allow-Events" // RFC 6665
	case 'v':
		return "Via"
	case 'x':
		return "Session-Expires" // RFC 4028
	case 'y':
		return "Identity" // RFC 8224
	}
	return ""
}
