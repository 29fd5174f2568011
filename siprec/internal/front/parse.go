package front

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// A parsed message, before it is known where it came from.
type parsed struct {
	request  *sip.Request
	response *sip.Response
	oddities []string
}

// maxCSeq bounds the sequence number (RFC 3261 §8.1.1.5).
const maxCSeq = 1<<31 - 1

// parse turns head and body into a message. Via, From, To, Call-ID and CSeq must
// be readable: without them nothing can be answered or matched (RFC 3261
// §8.1.1). Any other header field that cannot be read is kept as text. The body
// is copied.
func parse(h *head, body []byte, limits Limits) (parsed, *fault) {
	if len(h.fields) > limits.MaxHeaders {
		return parsed{}, badRequest("too many header fields")
	}
	p, flt := parseStart(h)
	if flt != nil {
		return parsed{}, flt
	}
	b := builder{head: h, msg: p.request, left: limits.MaxHeaders}
	if p.response != nil {
		b.msg = p.response
	}
	if flt := b.fields(); flt != nil {
		return parsed{}, flt
	}
	if p.request != nil {
		if cseq := p.request.CSeq(); cseq.MethodName != p.request.Method {
			return parsed{}, badRequest("CSeq method differs from the request's")
		}
	}
	b.msg.SetBody(bytes.Clone(body)) // sets Content-Length too
	p.oddities = h.oddities
	return p, nil
}

func parseStart(h *head) (parsed, *fault) {
	line := h.start
	if isStatusLine([]byte(line)) {
		code, err := strconv.Atoi(line[8:11])
		if err != nil || code < 100 || code > 699 || !strings.EqualFold(line[:7], "SIP/2.0") {
			return parsed{}, badRequest("bad status line")
		}
		return parsed{response: sip.NewResponse(code, strings.TrimSpace(line[11:]))}, nil
	}
	first, last := strings.IndexAny(line, " \t"), strings.LastIndexAny(line, " \t")
	if first <= 0 || first == last || !isToken([]byte(line[:first])) {
		return parsed{}, badRequest("bad request line")
	}
	method, target, version := line[:first], line[first+1:last], line[last+1:]
	if flt := h.checkVersion(version); flt != nil {
		return parsed{}, flt
	}
	uri, flt := h.requestURI(strings.TrimSpace(target))
	if flt != nil {
		return parsed{}, flt
	}
	return parsed{request: sip.NewRequest(sip.RequestMethod(method), uri)}, nil
}

// checkVersion takes SIP/2.0 in any case (RFC 3261 §7.1).
func (h *head) checkVersion(version string) *fault {
	switch {
	case version == "SIP/2.0":
		return nil
	case strings.EqualFold(version, "SIP/2.0"):
		h.odd("SIP version not in upper case")
		return nil
	case isVersion([]byte(version)):
		return &fault{505, "only SIP/2.0 is spoken"} // RFC 3261 §21.5.6
	}
	return badRequest("bad request line")
}

// requestURI reads the Request-URI. A server does not route by it here, so
// brackets and blanks that must not be there do no harm (RFC 4475 §3.1.2.7).
func (h *head) requestURI(s string) (sip.Uri, *fault) {
	if inner, ok := strings.CutPrefix(s, "<"); ok {
		h.odd("angle brackets around the Request-URI")
		s = strings.TrimSuffix(inner, ">")
	}
	scheme, _, ok := strings.Cut(s, ":")
	lower := sip.ASCIIToLower(scheme)
	switch {
	case !ok || strings.ContainsAny(scheme, "@ \t"):
		return sip.Uri{}, badRequest("bad Request-URI")
	case lower != "sip" && lower != "sips" && lower != "tel":
		return sip.Uri{}, &fault{416, "only sip, sips and tel URIs are understood"} // RFC 3261 §8.2.2.1
	}
	uri, repair, err := parseURI(s)
	if err != nil || (uri.Host == "" && lower != "tel") {
		return sip.Uri{}, badRequest("bad Request-URI")
	}
	if repair != "" {
		h.odd("Request-URI: " + repair)
	}
	return uri, nil
}

// parseCSeq reads "101 INVITE" (RFC 3261 §20.16).
func parseCSeq(s string) (*sip.CSeqHeader, bool) {
	digits := 0
	for digits < len(s) && isDigit(s[digits]) {
		digits++
	}
	n, err := strconv.ParseUint(s[:digits], 10, 32)
	method := strings.TrimSpace(s[digits:])
	if err != nil || n > maxCSeq || !isToken([]byte(method)) {
		return nil, false
	}
	return &sip.CSeqHeader{SeqNo: uint32(n), MethodName: sip.RequestMethod(method)}, true
}
