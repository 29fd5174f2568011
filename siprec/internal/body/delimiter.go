package body

import (
	"bytes"
	"strings"
)

// maxDelimiters bounds how many delimiter lines of one multipart are looked at.
const maxDelimiters = 4 * MaxParts

// A delimiter is one delimiter line (RFC 2046 §5.1.1).
type delimiter struct {
	start, end int  // its first octet; the first octet after its line end
	closing    bool // --boundary--
	exact      bool // case as in the boundary parameter
}

// delimiters finds the delimiter lines of a multipart text and the boundary
// they carry. A boundary parameter that is missing or fits no line is replaced
// by what the first line that begins with -- holds.
func (s *splitter) delimiters(text []byte, boundary string) ([]delimiter, string) {
	if boundary != "" {
		if ds := s.onlyExact(scan(text, boundary)); len(ds) > 0 {
			return ds, boundary
		}
	}
	found := firstBoundary(text)
	if found == "" {
		return nil, ""
	}
	if boundary == "" {
		s.odd("multipart without boundary parameter")
	} else {
		s.odd("boundary parameter does not match the text")
	}
	return s.onlyExact(scan(text, found)), found
}

// scan lists the lines of text that are delimiters of boundary, without regard
// to case and to blanks after them.
func scan(text []byte, boundary string) []delimiter {
	var ds []delimiter
	for pos := 0; pos < len(text) && len(ds) < maxDelimiters; {
		line, next := cutLine(text[pos:])
		end := len(text) - len(next)
		if bytes.HasPrefix(line, []byte("--")) {
			if d, ok := match(line[2:], boundary); ok {
				d.start, d.end = pos, end
				ds = append(ds, d)
			}
		}
		pos = end
	}
	return ds
}

// match tells whether rest, what follows the -- of a line, makes it a delimiter.
func match(rest []byte, boundary string) (delimiter, bool) {
	rest = bytes.TrimRight(rest, " \t\r")
	if len(rest) < len(boundary) {
		return delimiter{}, false
	}
	name := string(rest[:len(boundary)])
	if !strings.EqualFold(name, boundary) {
		return delimiter{}, false
	}
	d := delimiter{exact: name == boundary}
	switch string(bytes.TrimLeft(rest[len(boundary):], " \t")) {
	case "":
		return d, true
	case "--":
		d.closing = true
		return d, true
	}
	return d, false
}

// onlyExact drops the delimiters that differ in case from the boundary when
// the exact ones make a whole: boundaries are case sensitive (RFC 2046 §5.1.1),
// but some devices change the case on the way.
func (s *splitter) onlyExact(ds []delimiter) []delimiter {
	var exact []delimiter
	opens, closes := false, false
	for _, d := range ds {
		if d.exact {
			exact = append(exact, d)
			opens = opens || !d.closing
			closes = closes || d.closing
		}
	}
	if opens && closes {
		return exact
	}
	if len(exact) < len(ds) {
		s.odd("boundary differs in case")
	}
	return ds
}

// firstBoundary is what follows the first -- at the start of a line, if that
// may be a boundary; closing dashes are taken off.
func firstBoundary(text []byte) string {
	for len(text) > 0 {
		var line []byte
		line, text = cutLine(text)
		if !bytes.HasPrefix(line, []byte("--")) {
			continue
		}
		b := bytes.TrimRight(line[2:], " \t\r")
		if len(b) > 2 {
			b = bytes.TrimSuffix(b, []byte("--"))
		}
		if isBoundary(b) {
			return string(b)
		}
	}
	return ""
}

// isBoundary reports whether b is made of bchars (RFC 2046 §5.1.1). More than
// the 70 characters that are allowed there do no harm, up to a limit.
func isBoundary(b []byte) bool {
	for _, c := range b {
		if !isAlnum(c) && strings.IndexByte("'()+_,-./:=? ", c) < 0 {
			return false
		}
	}
	return 0 < len(b) && len(b) <= 256
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// cutLine returns the first line without its line end (CRLF or LF) and what
// follows it.
func cutLine(text []byte) (line, rest []byte) {
	i := bytes.IndexByte(text, '\n')
	if i < 0 {
		return text, nil
	}
	return bytes.TrimSuffix(text[:i], []byte("\r")), text[i+1:]
}
