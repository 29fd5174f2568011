package metadata

import (
	"bytes"
	"strings"
)

// repair rewrites XML that is not well-formed so that it can be parsed: stray
// ampersands and angle brackets become text, quotes inside attribute values are
// escaped, end tags are made to match, what is missing at the end is closed and
// what follows the root is cut off. Devices put unescaped display names into
// their metadata. It reports false when nothing is left.
//
// Nothing it does can add an element that the text does not open.
func repair(b []byte) ([]byte, bool) {
	p := repairer{in: b}
	for p.i < len(p.in) && !p.done {
		p.step()
	}
	for len(p.open) > 0 {
		p.closeTop()
	}
	return p.out.Bytes(), p.done
}

type repairer struct {
	in   []byte
	i    int
	out  bytes.Buffer
	open []string // names of the elements that are open
	done bool     // a root element was closed
}

func (p *repairer) closeTop() {
	top := p.open[len(p.open)-1]
	p.open = p.open[:len(p.open)-1]
	p.out.WriteString("</" + top + ">")
	p.done = len(p.open) == 0
}

// step takes one character of text or one piece of markup.
func (p *repairer) step() {
	rest := p.in[p.i:]
	switch {
	case rest[0] != '<':
		if len(p.open) > 0 { // text outside the root is of no use
			p.text(rest[0])
		}
		p.i++
	case bytes.HasPrefix(rest, []byte("<!--")), bytes.HasPrefix(rest, []byte("<?")),
		bytes.HasPrefix(rest, []byte("<![CDATA[")):
		p.aside(rest)
	case bytes.HasPrefix(rest, []byte("</")):
		p.endTag(rest)
	case !p.startTag(rest):
		if len(p.open) > 0 {
			p.out.WriteString("&lt;")
		}
		p.i++
	}
}

// text writes one octet of character data or of an attribute value.
func (p *repairer) text(c byte) {
	switch {
	case c == '&':
		n := entityLen(p.in[p.i:])
		if n > 0 && predefined(p.in[p.i:p.i+n]) && p.in[p.i+1] != '#' {
			p.out.WriteByte(c)
			return
		}
		p.out.WriteString("&amp;")
	case c == '<':
		p.out.WriteString("&lt;")
	case c == '>':
		p.out.WriteString("&gt;") // "]]>" is not allowed in text
	case c == '"':
		p.out.WriteString("&quot;")
	case c == 0x7f, c < ' ' && c != '\t' && c != '\n' && c != '\r':
		p.out.WriteByte(' ') // XML 1.0 §2.2 knows no control characters
	default:
		p.out.WriteByte(c)
	}
}

// aside drops comments and instructions, and writes CDATA as text.
func (p *repairer) aside(rest []byte) {
	n, _ := skipMarkup(rest)
	if bytes.HasPrefix(rest, []byte("<![CDATA[")) && len(p.open) > 0 {
		end := p.i + n
		stop := end
		if bytes.HasSuffix(p.in[p.i:end], []byte("]]>")) {
			stop -= len("]]>")
		}
		for p.i += len("<![CDATA["); p.i < stop; p.i++ {
			if c := p.in[p.i]; c == '&' {
				p.out.WriteString("&amp;")
			} else {
				p.text(c)
			}
		}
		p.i = end
		return
	}
	p.i += n
}

// endTag closes the innermost element of that name with all that is open inside
// it; an end tag without a start is dropped.
func (p *repairer) endTag(rest []byte) {
	name := tagName(rest[2:])
	p.i += 2 + len(name)
	if end := bytes.IndexAny(p.in[p.i:], "<>"); end >= 0 {
		p.i += end
		if p.in[p.i] == '>' {
			p.i++
		}
	} else {
		p.i = len(p.in)
	}
	// No deeper than MaxDepth: what is nested further is refused anyway.
	for at := len(p.open) - 1; at >= max(0, len(p.open)-MaxDepth); at-- {
		if p.open[at] != name {
			continue
		}
		for len(p.open) > at {
			p.closeTop()
		}
		return
	}
}

// startTag writes a start tag; it reports false for an angle bracket that is
// text, such as that of a SIP address.
func (p *repairer) startTag(rest []byte) bool {
	name := tagName(rest[1:])
	if name == "" || isAddress(name) {
		return false
	}
	after := rest[1+len(name):]
	if len(after) > 0 && !bytes.ContainsRune([]byte(" \t\r\n/>"), rune(after[0])) {
		return false
	}
	p.out.WriteString("<" + name)
	p.i += 1 + len(name)
	if p.attributes() {
		p.out.WriteString("/>")
		p.done = len(p.open) == 0
		return true
	}
	p.out.WriteByte('>')
	p.open = append(p.open, name)
	return true
}

// attributes writes those of a start tag, up to and including its end, and
// reports whether the element is empty.
func (p *repairer) attributes() (empty bool) {
	for p.i < len(p.in) {
		switch c := p.in[p.i]; {
		case c == '>':
			p.i++
			return empty
		case c == '<': // the tag was never closed
			return empty
		case c == '/':
			empty = true
			p.i++
		default:
			name := tagName(p.in[p.i:])
			if name == "" {
				p.i++
				continue
			}
			p.i += len(name)
			p.attribute(name)
			empty = false
		}
	}
	return empty
}

// attribute writes one attribute of that name; without a quoted value it is
// dropped.
func (p *repairer) attribute(name string) {
	for p.i < len(p.in) && (isSpace(p.in[p.i]) || p.in[p.i] == '=') {
		p.i++
	}
	if p.i == len(p.in) || p.in[p.i] != '"' && p.in[p.i] != '\'' {
		return
	}
	quote := p.in[p.i]
	p.out.WriteString(" " + name + `="`)
	for p.i++; p.i < len(p.in) && !p.closesValue(quote); p.i++ {
		p.text(p.in[p.i])
	}
	p.i = min(p.i+1, len(p.in))
	p.out.WriteByte('"')
}

// closesValue reports whether the quote here ends the value: then white space,
// the end of the tag or the next attribute follows. Others belong to the value.
func (p *repairer) closesValue(quote byte) bool {
	if p.in[p.i] != quote {
		return false
	}
	if p.i+1 == len(p.in) {
		return true
	}
	next := p.in[p.i+1]
	if next == '>' || next == '?' || next == '/' {
		return true
	}
	if !isSpace(next) {
		return false
	}
	// A display name in quotes is followed by white space and an address.
	following := bytes.TrimLeft(p.in[p.i+1:min(len(p.in), p.i+16)], " \t\r\n")
	return !bytes.HasPrefix(following, []byte("<"))
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// maxName bounds the names looked at in a repair, in octets.
const maxName = 128

// tagName returns the name at the start of b, "" when there is none.
func tagName(b []byte) string {
	n := 0
	for n < len(b) && n < maxName {
		c := b[n]
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		inner := c == '-' || c == '.' || c == ':' || '0' <= c && c <= '9'
		if !letter && (n == 0 || !inner) {
			break
		}
		n++
	}
	return strings.TrimRight(string(b[:n]), ":")
}

// isAddress reports whether what looks like a tag is the begin of a URI.
func isAddress(name string) bool {
	scheme, _, ok := strings.Cut(strings.ToLower(name), ":")
	return ok && (scheme == "sip" || scheme == "sips" || scheme == "tel")
}
