package siprec

import (
	"net/netip"
	"strings"

	"github.com/emiago/sipgo/sip"

	"github.com/siprecd/siprecd/siprec/internal/front"
)

// What this server understands, for Allow (RFC 3261 §20.5), Accept (§20.1) and
// Supported (§20.37). Responses carry SDP only, but metadata is accepted in
// both of its media types (RFC 7866 §9, RFC 9806).
const (
	allowedMethods = "INVITE, ACK, CANCEL, BYE, UPDATE, INFO, OPTIONS"
	acceptedTypes  = "application/sdp, application/rs-metadata+xml, application/rs-metadata, multipart/mixed"
	supportedTags  = "siprec"
	typeSDP        = "application/sdp"
)

// understood are the option tags that an SRC may require (RFC 3261 §20.32).
// All but siprec ask nothing of a server that sends no provisional responses,
// starts no refresh and follows no Replaces.
var understood = map[string]bool{
	"siprec": true, "100rel": true, "timer": true, "replaces": true, "record-aware": true,
	"norefersub": true, "histinfo": true, "from-change": true, "resource-priority": true,
}

var reasonPhrases = map[int]string{
	200: "OK", 400: "Bad Request", 403: "Forbidden", 405: "Method Not Allowed", 415: "Unsupported Media Type",
	420: "Bad Extension", 481: "Call/Transaction Does Not Exist", 482: "Loop Detected",
	487: "Request Terminated", 488: "Not Acceptable Here", 491: "Request Pending",
	500: "Server Internal Error", 503: "Service Unavailable",
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

// refuse answers a request with a refusal.
func (s *Server) refuse(r *request, tag string, ref *refusal) {
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
	return `399 siprecd "` + strings.NewReplacer(`\`, `\\`, `"`, `'`, "\r", " ", "\n", " ").Replace(text) + `"`
}

// describe adds what an answer tells about the server (RFC 3261 §11.2, §13.3.1.4).
func describe(res *sip.Response) {
	res.AppendHeader(sip.NewHeader("Allow", allowedMethods))
	res.AppendHeader(sip.NewHeader("Accept", acceptedTypes))
	res.AppendHeader(sip.NewHeader("Supported", supportedTags))
}

// contact is our Contact: the address that routes to the peer and the feature
// tag of a recording server (RFC 7866 §6.2), outside the angle brackets.
func contact(flow *front.Flow) sip.Header {
	return sip.NewHeader("Contact", "<"+contactURI(flow.Network(), flow.Local())+">;+sip.srs")
}

func contactURI(network string, local netip.AddrPort) string {
	uri := "sip:siprecd@" + netip.AddrPortFrom(local.Addr().WithZone(""), local.Port()).String()
	if network != "UDP" {
		uri += ";transport=" + strings.ToLower(network)
	}
	return uri
}
