package body

import (
	"bytes"
	"strconv"
	"strings"
)

// maxHeaderSize bounds the header fields of one part, in octets.
const maxHeaderSize = 16 << 10

// headers reads the header fields of a part and returns what follows them. The
// blank line after them may be missing when the body obviously begins.
func (s *splitter) headers(text []byte) (hs []Header, rest []byte) {
	limit := len(text) - maxHeaderSize
	for len(text) > 0 {
		if len(text) < limit {
			s.odd("part headers larger than %d octets", maxHeaderSize)
			return hs, text
		}
		line, next := cutLine(text)
		if isBlank(line) {
			if after := trimBlankLines(next); len(hs) == 0 && startsHeaders(after) {
				s.odd("blank line before the part headers")
				text = after
				continue
			}
			return hs, next
		}
		name, ok := cutHeader(line)
		if !ok {
			s.odd("no blank line after the part headers")
			return hs, text
		}
		next = skipFolded(next)
		field := text[:len(text)-len(next)]
		_, value, _ := bytes.Cut(field, []byte(":"))
		hs = append(hs, Header{name, strings.Join(strings.Fields(string(value)), " ")})
		text = next
	}
	return hs, nil
}

// cutHeader returns the name of the header field that the line begins, if it
// does; blanks may stand on either side of the colon.
func cutHeader(line []byte) (name string, ok bool) {
	n, _, found := bytes.Cut(line, []byte(":"))
	n = bytes.TrimRight(n, " \t")
	if !found || len(n) > 128 || !isToken(string(n)) {
		return "", false
	}
	return string(n), true
}

// skipFolded passes the continuation lines of a header field (RFC 822 §3.1.1).
func skipFolded(text []byte) []byte {
	for len(text) > 0 && (text[0] == ' ' || text[0] == '\t') {
		line, next := cutLine(text)
		if isBlank(line) {
			break
		}
		text = next
	}
	return text
}

func trimBlankLines(text []byte) []byte {
	for len(text) > 0 {
		line, next := cutLine(text)
		if !isBlank(line) {
			break
		}
		text = next
	}
	return text
}

// startsHeaders reports whether a Content- header field comes next.
func startsHeaders(text []byte) bool {
	line, _ := cutLine(text)
	name, ok := cutHeader(line)
	return ok && isContentName(name)
}

func isContentName(name string) bool {
	const prefix = "content-"
	return len(name) > len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
}

// extent is the body of a part: text without the line end before the next
// delimiter, which belongs to that (RFC 2046 §5.1.1). A Content-Length says
// more exactly how many of the line ends at the end are content, and is not
// believed when it says anything else.
func (s *splitter) extent(p Part, text []byte) []byte {
	if length := p.header("content-length"); length != "" {
		n, err := strconv.Atoi(length)
		if err == nil && 0 <= n && n <= len(text) && isBlank(text[n:]) {
			return text[:n]
		}
		s.odd("content-length of a part does not fit")
	}
	line := bytes.TrimSuffix(text, []byte("\n"))
	if len(line) < len(text) {
		line = bytes.TrimSuffix(line, []byte("\r"))
	}
	return line
}
