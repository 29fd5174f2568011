package siprec

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap/zapcore"

	"github.com/siprecd/siprecd/siprec/internal/front"
)

// What this server understands, for Allow (RFC 3261 §20.5), Accept (§20.1) and
// Supported (§20.37). Responses carry SDP only, but metadata is accepted in
// both of its media types (RFC 7866 §9, RFC 9806).
const (
	allowedMethods = "INVITE, ACK, CANCEL, BYE, UPDATE, PRACK, INFO, OPTIONS"
	acceptedTypes  = "application/sdp, application/rs-metadata+xml, application/rs-metadata, multipart/mixed"
	supportedTags  = "siprec, 100rel" // timer too, see describe
	typeSDP        = "application/sdp"
)

// understood are the option tags that an SRC may require (RFC 3261 §20.32).
// Those after timer ask nothing of a server that follows no Replaces and tells
// nothing of what it forwards.
var understood = map[string]bool{
	"siprec": true, "100rel": true, "timer": true, "replaces": true, "record-aware": true,
	"norefersub": true, "histinfo": true, "from-change": true, "resource-priority": true,
}

var reasonPhrases = map[int]string{
	180: "Ringing", 200: "OK", 302: "Moved Temporarily", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
	405: "Method Not Allowed", 415: "Unsupported Media Type", 420: "Bad Extension",
	422: "Session Interval Too Small", 481: "Call/Transaction Does Not Exist", 482: "Loop Detected",
	487: "Request Terminated", 488: "Not Acceptable Here", 491: "Request Pending",
	500: "Server Internal Error", 503: "Service Unavailable", 504: "Server Time-out",
}

func reasonPhrase(status int) string {
	if p := reasonPhrases[status]; p != "" {
		return p
	}
	return "Refused"
}

// A refusal is an answer of 300 or above, with the words that explain it.
type refusal struct {
	status  int
	warning string
	headers []sip.Header
	reason  RefusalReason // empty where the status says it
	// usual says that refusing so is in the course of things: a first challenge.
	usual bool
}

// level is at which the refusal is logged.
func (r *refusal) level() zapcore.Level {
	if r.usual {
		return zapcore.DebugLevel
	}
	return zapcore.WarnLevel
}

func refuse(status int, warning string, headers ...sip.Header) *refusal {
	return &refusal{status: status, warning: warning, headers: headers}
}

func retryAfter() sip.Header { return sip.NewHeader("Retry-After", "5") }

// newResponse builds a response with our tag and the header fields that every
// answer of this server has.
func (s *Server) newResponse(r *request, status int, tag string, body []byte) *sip.Response {
	res := sip.NewResponseFromRequest(r.Request, status, reasonPhrase(status), body)
	if to := res.To(); to != nil && tag != "" && toTag(r.Request) == "" {
		to.Params.Add("tag", tag)
	}
	res.AppendHeader(sip.NewHeader("Server", s.cfg.UserAgent))
	return res
}

// refuse answers a request with a refusal. What this server cannot take now, another
// may.
func (s *Server) refuse(r *request, tag string, ref *refusal) {
	ref = s.elsewhere(r, ref)
	s.counts.refuse(r, ref)
	res := s.newResponse(r, ref.status, tag, nil)
	if ref.warning != "" {
		res.AppendHeader(sip.NewHeader("Warning", warning(ref.warning)))
	}
	if ref.status == 405 {
		res.AppendHeader(sip.NewHeader("Allow", allowedMethods))
	}
	for _, h := range ref.headers {
		res.AppendHeader(h)
	}
	s.send(r, res)
}

// warning writes a Warning value of code 399 (RFC 3261 §20.43).
func warning(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	return `399 siprecd "` + strings.NewReplacer(`\`, `\\`, `"`, `'`).Replace(text) + `"`
}

// describe adds what a message tells about the server (RFC 3261 §11.2, §13.2.1,
// §13.3.1.4). Session timers are not offered to an SRC that has none.
func describe(m sip.Message, t SessionTimer) {
	m.AppendHeader(sip.NewHeader("Allow", allowedMethods))
	m.AppendHeader(sip.NewHeader("Accept", acceptedTypes))
	tags := supportedTags + ", timer"
	if t.Off {
		tags = supportedTags
	}
	m.AppendHeader(sip.NewHeader("Supported", tags))
}

// elsewhere makes of a 503 to an INVITE the way to the other recording servers, if
// there are some; else it says when to try again. Other refusals stay as they are.
func (s *Server) elsewhere(r *request, ref *refusal) *refusal {
	if ref.status != 503 {
		return ref
	}
	if len(s.cfg.Redirect) > 0 && r.method() == sip.INVITE && toTag(r.Request) == "" {
		to := refuse(302, ref.warning).because(ref.reason)
		for _, uri := range s.cfg.Redirect {
			to.headers = append(to.headers, sip.NewHeader("Contact", "<"+uri+">"))
		}
		return to
	}
	for _, h := range ref.headers {
		if h.Name() == "Retry-After" {
			return ref
		}
	}
	return refuse(ref.status, ref.warning, append(ref.headers[:len(ref.headers):len(ref.headers)], retryAfter())...).because(ref.reason)
}

// contact is our Contact in an answer: the address that the peer reaches us at and the
// feature tag of a recording server (RFC 7866 §6.2), outside the angle brackets.
func (r *request) contact() sip.Header { return contact(scheme(r.Request), r.Flow) }

// contact is our Contact in a request.
func (rs *RecordingSession) contact() sip.Header { return contact(rs.requestURI.Scheme, rs.flow) }

func contact(scheme string, flow *front.Flow) sip.Header {
	host, port := flow.SentBy()
	return sip.NewHeader("Contact", "<"+contactURI(scheme, flow.Network(), host, port)+">;+sip.srs")
}

// contactURI: in a sips URI the transport is TLS over what the parameter names
// (RFC 3261 §26.2.2), so it has none.
func contactURI(scheme, network, host string, port int) string {
	if equalFold(scheme, "sips") {
		return "sips:siprecd@" + host + ":" + strconv.Itoa(port)
	}
	uri := "sip:siprecd@" + host + ":" + strconv.Itoa(port)
	if network != "UDP" {
		uri += ";transport=" + strings.ToLower(network)
	}
	return uri
}
