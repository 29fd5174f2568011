package front

import (
	"bytes"
	"errors"
)

// ErrNotSIP: the text does not begin with the start line of a SIP message.
var ErrNotSIP = errors.New("not a SIP message")

// A Refusal is the answer that the front gives by itself to a message which it
// cannot hand on.
type Refusal struct {
	Start  string // start line of the message
	Status int
	Text   string // of the Warning
}

func (r *Refusal) Error() string { return r.Text }

// Read reads the first message of a text as if it had arrived in a datagram, and
// returns what comes behind it: further messages, or nothing. Flow and At of the
// message are not set.
//
// The text is what somebody saved, so one thing is taken that no datagram may
// be: lines that now end in LF alone while Content-Length still counts CRLF. The
// message then reaches to the next start line.
//
// The error is ErrNotSIP or a *Refusal; behind a message that would be refused
// the text can be read on.
func Read(text []byte) (m *Message, rest []byte, err error) {
	text = bytes.TrimLeft(text, "\r\n\t ")
	if !isStartLine(firstLine(text)) {
		return nil, nil, ErrNotSIP
	}
	message, rest, odd := cutMessage(text)
	h, body, flt, _ := frameDatagram(message, Limits{}.withDefaults())
	if odd == changedLines {
		end, _ := headEnd(message)
		body, flt = message[end:], nil
	}
	if odd != "" {
		h.odd(odd)
	}
	if flt != nil {
		return nil, rest, &Refusal{h.start, flt.status, flt.text}
	}
	p, flt := readSafely(&h, body)
	if flt != nil {
		return nil, rest, &Refusal{h.start, flt.status, flt.text}
	}
	return &Message{Request: p.request, Response: p.response, Oddities: p.oddities}, rest, nil
}

// readSafely is parse without its panics, which come from a parser that is not
// ours.
func readSafely(h *head, body []byte) (p parsed, flt *fault) {
	defer func() {
		if recover() != nil {
			p, flt = parsed{}, badRequest("unreadable message")
		}
	}()
	return parse(h, body, Limits{}.withDefaults())
}

// What may be odd about the end of a saved message.
const (
	changedLines = "line ends were changed after it was sent"
	textBehind   = "text behind the body is ignored"
)

// cutMessage cuts the first message off, and says what was odd about its end.
func cutMessage(text []byte) (message, rest []byte, odd string) {
	end, _ := headEnd(text)
	h := scanHead(string(text[:end]))
	n, present, flt := h.contentLength()
	next := nextStart(text, end)
	if flt != nil || !present {
		return text[:next], text[next:], ""
	}
	if n <= len(text)-end {
		// With changed line ends the length may reach into the next message.
		inside := end+n <= next || !bareLF(string(text[:end+n]))
		behind := bytes.TrimLeft(text[end+n:], "\r\n\t ")
		if inside && (len(behind) == 0 || isStartLine(firstLine(behind))) {
			return text[:end+n], behind, ""
		}
	}
	if bareLF(string(text[:next])) {
		return text[:next], text[next:], changedLines
	}
	if n <= len(text)-end {
		return text[:end+n], text[max(next, end+n):], textBehind // RFC 3261 §18.3
	}
	return text[:next], text[next:], ""
}

// nextStart returns the offset of the first whole line from start on that begins
// a message, or the length of the text.
func nextStart(text []byte, start int) int {
	for start < len(text) {
		end, line := nextLine(text, start)
		if end < 0 {
			line, end = text[start:], len(text)
		}
		if isStartLine(line) && (isStatusLine(line) || findRequestLine(bytes.TrimRight(line, " \t\r")) == 0) {
			return start
		}
		start = end
	}
	return len(text)
}

func firstLine(text []byte) []byte {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return bytes.TrimRight(line, "\r")
}
