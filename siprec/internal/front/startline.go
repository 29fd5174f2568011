package front

import (
	"bytes"
	"strings"
)

// nextLine returns the line that begins at start and the offset after its line
// feed, or -1 when there is none. A line may end in CRLF or LF.
func nextLine(b []byte, start int) (end int, line []byte) {
	i := bytes.IndexByte(b[start:], '\n')
	if i < 0 {
		return -1, nil
	}
	return start + i + 1, bytes.TrimRight(b[start:start+i], "\r")
}

// isStartLine says whether a line looks like the start line of a message
// (RFC 3261 §7.1, §7.2) of any SIP version. No header field does: its name ends
// in a colon.
func isStartLine(line []byte) bool {
	line = bytes.TrimRight(line, " \t\r\n")
	if isStatusLine(line) {
		return true
	}
	sp := bytes.IndexAny(line, " \t")
	if sp <= 0 || !isToken(line[:sp]) {
		return false
	}
	last := bytes.LastIndexAny(line, " \t")
	return last > sp && isVersion(line[last+1:])
}

// isStatusLine matches SIP/2.0 nnn.
func isStatusLine(line []byte) bool {
	if len(line) < 11 || !isVersion(line[:7]) || line[7] != ' ' {
		return false
	}
	for _, c := range line[8:11] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(line) == 11 || line[11] == ' '
}

// isVersion matches SIP/d.d without case.
func isVersion(b []byte) bool {
	return len(b) == 7 && bytes.EqualFold(b[:4], []byte("SIP/")) &&
		isDigit(b[4]) && b[5] == '.' && isDigit(b[6])
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isToken matches the token of RFC 3261 §25.1.
func isToken(b []byte) bool {
	for _, c := range b {
		switch {
		case isDigit(c), 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		case strings.IndexByte("-.!%*_+`'~", c) >= 0:
		default:
			return false
		}
	}
	return len(b) > 0
}

// findStart returns the offset at which a start line begins in a line of debris,
// or -1. A body without its length and without a last line feed runs into the
// next message, so the start line may stand anywhere; then only known methods
// and SIP or tel URIs count. They count first: words of a body before them look
// like a method and the begin of a Request-URI.
func findStart(line []byte) int {
	line = bytes.TrimRight(line, " \t\r\n")
	if at := findRequestLine(line); at >= 0 {
		return at
	}
	if isStartLine(line) {
		return 0
	}
	for at := 0; ; {
		i := bytes.Index(line[at:], []byte("SIP/"))
		if i < 0 {
			break
		}
		if at += i; isStatusLine(line[at:]) {
			return at
		}
		at++
	}
	return -1
}

// findBehindRest returns the offset of a request line behind what a body that is
// longer than its Content-Length has left, or -1. Such a line looks like a start
// line with blanks in its Request-URI.
func findBehindRest(line []byte) int {
	if len(bytes.Fields(line)) <= 3 {
		return -1
	}
	if at := findRequestLine(bytes.TrimRight(line, " \t\r\n")); at > 0 {
		return at
	}
	return -1
}

// findRequestLine matches ...METHOD sip:... SIP/d.d at the end of a line.
func findRequestLine(line []byte) int {
	last := bytes.LastIndexByte(line, ' ')
	if last <= 0 || !isVersion(line[last+1:]) {
		return -1
	}
	mid := bytes.LastIndexByte(line[:last], ' ')
	if mid <= 0 {
		return -1
	}
	scheme, _, _ := bytes.Cut(line[mid+1:last], []byte(":"))
	switch strings.ToLower(string(scheme)) {
	case "sip", "sips", "tel":
	default:
		return -1
	}
	for _, m := range []string{
		"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "PRACK", "SUBSCRIBE",
		"NOTIFY", "PUBLISH", "INFO", "REFER", "MESSAGE", "UPDATE",
	} {
		if bytes.HasSuffix(line[:mid], []byte(m)) {
			return mid - len(m)
		}
	}
	return -1
}
