package faults

import (
	"bufio"
	"bytes"
	"io"
	"strings"

	"github.com/siprecd/siprecd/conformance/internal/model"
	"github.com/siprecd/siprecd/conformance/src"
)

// framing is a server of TCP that finds the ends of messages in its own way.
func framing(frame func(r *bufio.Reader, right func(*bufio.Reader) ([]byte, error)) ([]byte, error)) func() model.Config {
	return func() model.Config { return model.Config{Network: "tcp", Frame: frame} }
}

// silentTo gives no answer to INVITEs that fit.
func silentTo(fits func(m *message) bool) mistake {
	return when(func(m *message) bool { return m.Method == "INVITE" && fits(m) }, 0)
}

// robustnessValid are servers that refuse what is valid but looks odd.
func robustnessValid() []Fault {
	refusing := func(name, says, expression string, caught ...string) Fault {
		return Fault{Name: name, Says: says, Caught: caught, Config: alters(matching("INVITE", expression, 400))}
	}
	return []Fault{
		refusing("blank-before-colon-refused", "A blank before the colon of a header field is refused.", `\r\nv  :`, "robustness/valid/1"),
		refusing("tokens-by-letter-and-digit", "A display name with other signs than letters and digits is refused.", "From: token1~`", "robustness/valid/2"),
		refusing("escaped-null-refused", "An escaped octet 0 in a user part is refused.", `From: <[^>]*%00`, "robustness/valid/3"),
		refusing("blank-before-bracket-demanded", "A display name that touches the angle bracket is refused.", `\r\nFrom: [a-z]+<`, "robustness/valid/4"),
		refusing("short-values-only", "A Call-ID of more than 200 characters is refused.", `\r\nCall-ID: [^\r]{200}`, "robustness/valid/5"),
		refusing("known-transports-only", "A Via of a transport that is not known is refused, wherever it stands.", `\r\nVia: SIP/2.0/SCTP`, "robustness/valid/6"),
		refusing("names-of-letters-only", "The name of a header field may have letters only.", "\r\nX!%[^\r]*:", "robustness/valid/7"),
		refusing("empty-parameters-refused", "A parameter with an empty value is refused.", `;y=;`, "robustness/valid/8"),
		refusing("fields-in-ascii", "A header field with UTF-8 is refused.", `\r\nFrom: "Ü`, "robustness/valid/9"),
		refusing("no-blank-at-line-end", "A line that ends in a blank is refused.", `[ \t]\r\nMax-Forwards`, "robustness/valid/10"),
		{
			Name: "text-bodies-only", Says: "A body with the octet 0 is refused.",
			Caught: []string{"robustness/valid/11"},
			Config: alters(when(func(m *message) bool { return bytes.IndexByte(m.Body, 0) >= 0 }, 400)),
		},
		{
			Name: "datagram-is-message", Says: "A datagram that goes on behind the body is refused.",
			Caught: []string{"robustness/valid/12"},
			Config: alters(when(func(m *message) bool { return !bytes.HasSuffix(m.Raw, m.Body) }, 400)),
		},
		{
			Name: "message-begins-at-once", Says: "A message behind empty lines is refused.",
			Caught: []string{"robustness/valid/13"},
			Config: alters(when(func(m *message) bool { return m.Raw[0] == '\r' }, 400)),
		},
		{
			Name: "branch-demanded", Says: "A request of a client of RFC 2543, without a branch, is refused.",
			Caught: []string{"robustness/valid/14"},
			Config: alters(when(func(m *message) bool { return m.Branch() == "" }, 400)),
		},
		refusing("sip-in-from-demanded", "A From of another scheme than sip is refused.", `\r\nFrom: <http`, "robustness/valid/15"),
		refusing("brackets-demanded", "An address without angle brackets is refused.", `\r\nTo: sip:`, "robustness/valid/16"),
	}
}

// robustnessStreams are servers that lose their way on connections, or keep too few.
func robustnessStreams() []Fault {
	return []Fault{
		{
			Name: "empty-line-ends-connection", Says: "An empty line between two messages ends the connection.",
			Caught: []string{"robustness/stream/1"}, Timeout: second,
			Config: framing(func(r *bufio.Reader, right func(*bufio.Reader) ([]byte, error)) ([]byte, error) {
				if b, err := r.Peek(2); err == nil && string(b) == "\r\n" {
					return nil, io.ErrUnexpectedEOF
				}
				return right(r)
			}),
		},
		{
			Name: "one-read-one-message", Says: "What one read brings is taken for one message.",
			Caught: []string{"robustness/stream/2", "robustness/stream/3"}, Timeout: second,
			Config: framing(func(r *bufio.Reader, _ func(*bufio.Reader) ([]byte, error)) ([]byte, error) {
				if _, err := r.Peek(1); err != nil {
					return nil, err
				}
				raw := make([]byte, r.Buffered())
				_, err := io.ReadFull(r, raw)
				return raw, err
			}),
		},
		{
			Name: "one-connection-at-a-time", Says: "A connection waits until the one before has ended.",
			Caught: []string{"robustness/stream/5", "robustness/stream/9", "robustness/stream/10"}, Timeout: second,
			Config: func() model.Config { return model.Config{Network: "tcp", Serial: true} },
		},
		{
			Name: "bad-message-ends-connection", Says: "A connection is closed over one bad message, with all that runs on it.",
			Caught: []string{"robustness/fields/1", "robustness/survival/fields", "robustness/start-line/1"},
			Config: func() model.Config { return model.Config{Network: "tcp", Hangup: true} },
		},
		{
			Name: "repetitions-are-new", Says: "Each repetition of an INVITE opens a recording session.",
			Caught: []string{"robustness/flood/3"},
			Config: func() model.Config { return model.Config{Forget: true} },
		},
		{
			Name: "full-for-ever", Says: "Once five hundred INVITEs have come, everything is answered 503.",
			Caught: []string{"robustness/flood/1"},
			Config: alters(func() alter {
				seen := 0
				return func(req *message, r *response) {
					if req.Method == "INVITE" {
						seen++
					}
					if seen > 500 {
						r.Status, r.SDP = 503, ""
					}
				}
			}),
		},
	}
}

// robustness are servers that stumble over what is wrong.
func robustness() []Fault {
	return []Fault{
		{
			Name: "bad-requests-unanswered", Says: "What would be answered 400 is dropped.",
			Caught: []string{"robustness/fields/1", "robustness/fields/7", "robustness/numbers/2", "robustness/body/3"}, Timeout: second,
			Config: alters(insist(400, 0)),
		},
		{
			Name: "bad-message-costs-dialogs", Says: "A message that cannot be taken costs every recording session.",
			Caught: []string{"robustness/survival/fields", "robustness/survival/numbers", "robustness/survival/start-line", "robustness/fields/4",
				"robustness/numbers/1", "robustness/datagram/2", "robustness/datagram/3", "robustness/datagram/6"},
			Config: func() model.Config { return model.Config{Fragile: true} },
		},
		{
			Name: "bad-requests-taken", Says: "What has to be answered 400 is answered 200.",
			Caught: []string{"robustness/fields/1", "robustness/fields/2", "robustness/fields/10", "robustness/fields/11", "robustness/numbers/1", "robustness/numbers/4", "robustness/numbers/10"},
			Config: alters(insist(400, 200)),
		},
		{
			Name: "any-version-taken", Says: "A request of another version of SIP is answered 200.",
			Caught: []string{"robustness/start-line/1"},
			Config: alters(insist(505, 200)),
		},
		{
			Name: "unknown-scheme-not-found", Says: "A Request-URI of an unknown scheme is answered 404.",
			Caught: []string{"robustness/start-line/2", "robustness/start-line/3"},
			Config: alters(insist(416, 404)),
		},
		{
			Name: "unknown-method-taken", Says: "A method of unusual characters is answered 200.",
			Caught: []string{"robustness/start-line/11", "robustness/start-line/12"},
			Config: alters(insist(405, 200)),
		},
		{
			Name: "malformed-optional-refused", Says: "A Date, Expires or Authorization that cannot be read is refused.",
			Caught: []string{"robustness/fields/22", "robustness/fields/23", "robustness/fields/24"},
			Config: alters(matching("INVITE", `\r\n(Date: yesterday|Expires: 9999|Authorization: NoOne)`, 400)),
		},
		{
			Name: "contact-believed", Says: "An INVITE whose Contact is no address is not answered.",
			Caught: []string{"robustness/fields/16", "robustness/fields/18"}, Timeout: second,
			Config: alters(silentTo(func(m *message) bool {
				a, err := src.ParseAddr(m.Get("Contact"))
				return err != nil || !strings.HasPrefix(a.URI, "sip:")
			})),
		},
		{
			Name: "max-forwards-crashes", Says: "A Max-Forwards that is no number of two digits is answered 500.",
			Caught: []string{"robustness/numbers/5", "robustness/numbers/8"},
			Config: alters(when(func(m *message) bool { return len(m.Get("Max-Forwards")) > 2 }, 500)),
		},
		{
			Name: "many-fields-unanswered", Says: "A message with more than a thousand header fields is dropped.",
			Caught: []string{"robustness/size/1"}, Timeout: second,
			Config: alters(silentTo(func(m *message) bool { return len(m.Headers) > 1000 })),
		},
		{
			Name: "long-lines-unanswered", Says: "A message with a line of more than 16,384 octets is dropped.",
			Caught: []string{"robustness/size/2", "robustness/size/3", "robustness/sdp/27"}, Timeout: second,
			Config: alters(silentTo(func(m *message) bool {
				for line := range bytes.SplitSeq(m.Raw, []byte("\n")) {
					if len(line) > 16384 {
						return true
					}
				}
				return false
			})),
		},
		{
			Name: "unknown-types-taken", Says: "A body of an unknown type or encoding is answered 200.",
			Caught: []string{"robustness/body/1", "robustness/body/2", "robustness/body/11"},
			Config: alters(insist(415, 200)),
		},
		{
			Name: "deep-bodies-crash", Says: "A multipart body of more than ten levels or a thousand parts is answered 500.",
			Caught: []string{"robustness/body/6", "robustness/body/7"},
			Config: alters(when(func(m *message) bool {
				return bytes.Count(m.Body, []byte("boundary=")) > 10 || bytes.Count(m.Body, []byte("\n--b")) > 1000
			}, 500)),
		},
		{
			Name: "document-type-hangs", Says: "Metadata with a document type is never answered.",
			Caught: []string{"robustness/xml/1", "robustness/xml/2", "robustness/xml/3"}, Timeout: second,
			Config: alters(silentTo(func(m *message) bool { return bytes.Contains(m.Body, []byte("<!DOCTYPE")) })),
		},
		{
			Name: "deep-documents-crash", Says: "Metadata of more than a thousand elements, one within the other, is answered 500.",
			Caught: []string{"robustness/xml/4", "robustness/xml/5"},
			Config: alters(when(func(m *message) bool { return bytes.Count(m.Body, []byte("<a>")) > 1000 }, 500)),
		},
		{
			Name: "unreadable-offers-unanswered", Says: "An offer that cannot be read is dropped.",
			Caught: []string{"robustness/sdp/2", "robustness/sdp/3", "robustness/sdp/4"}, Timeout: second,
			Config: alters(insist(488, 0)),
		},
		{
			Name: "sixteen-streams-answered", Says: "An answer has sixteen m-lines at most.",
			Caught: []string{"robustness/sdp/25"},
			Config: alters(always(func(_ *message, r *response) {
				if all := strings.SplitAfter(r.SDP, "\r\nm="); len(all) > 17 {
					r.SDP = strings.TrimSuffix(strings.Join(all[:17], ""), "m=")
				}
			})),
		},
		{
			Name: "one-bad-line-crashes", Says: "An m-line without formats is answered 500.",
			Caught: []string{"robustness/sdp/7"},
			Config: alters(when(func(m *message) bool { return bytes.Contains(m.Body, []byte("RTP/AVP\r\n")) }, 500)),
		},
	}
}
