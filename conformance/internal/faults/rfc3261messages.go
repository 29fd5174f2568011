package faults

import (
	"bufio"
	"net/netip"
	"strings"

	"github.com/siprecd/siprecd/conformance/internal/model"
)

// rfc3261spelling are mistakes with how messages are read (RFC 3261 §7, §8.1, §8.2, §20).
func rfc3261spelling() []Fault {
	return []Fault{
		{
			Name: "names-in-one-case", Says: "Names of header fields are not read in capitals.",
			Caught: []string{"rfc3261/7.3.1/3"},
			Config: alters(holding("\r\nFROM: ", 400)),
		},
		{
			Name: "space-before-colon-refused", Says: "White space before the colon of a header field is refused.",
			Caught: []string{"rfc3261/7.3.1/4"},
			Config: alters(holding("\r\nFrom \t:", 400)),
		},
		{
			Name: "empty-lines-are-garbage", Says: "A message behind empty lines is dropped.",
			Caught: []string{"rfc3261/7.5/1"}, Timeout: second,
			Config: func() model.Config {
				return model.Config{Drop: func(m *message, _ int) bool { return m.Raw[0] == '\r' }}
			},
		},
		{
			Name: "unknown-field-refused", Says: "A header field that it does not know ends the INVITE.",
			Caught: []string{"rfc3261/8.2.2/1"},
			Config: alters(holding("\r\nX-Unheard-Of: ", 400)),
		},
		{
			Name: "malformed-field-refused", Says: "A malformed Date, which nobody needs, ends the INVITE.",
			Caught: []string{"rfc3261/8.2.2/2"},
			Config: alters(holding("\r\nDate: some day", 400)),
		},
		{
			Name: "bare-addresses-refused", Says: "A From without angle brackets is refused.",
			Caught: []string{"rfc3261/20/1"},
			Config: alters(holding("\r\nFrom: sip:", 400)),
		},
		{
			Name: "quoted-name-misread", Says: "A display name with quotes in it is refused.",
			Caught: []string{"rfc3261/20/2"},
			Config: alters(holding(`\"one\"`, 400)),
		},
		{
			Name: "nothing-is-malformed", Says: "What ought to be answered 400 is taken.",
			Caught: []string{"rfc3261/8.1.1.5/1", "rfc3261/21.4.1/1", "rfc3261/18.3/3"},
			Config: alters(insist(400, 200)),
		},
		{
			Name: "fails-without-contact", Says: "An INVITE without Contact gets 500.",
			Caught: []string{"rfc3261/8.1.1.8/1"},
			Config: alters(when(func(m *message) bool { return m.Method == "INVITE" && !m.Has("Contact") }, 500)),
		},
		{
			Name: "fails-at-subscribe", Says: "A SUBSCRIBE gets 500.",
			Caught: []string{"rfc3261/8.2.1/3"},
			Config: alters(answerAs("SUBSCRIBE", 1, 500)),
		},
		{
			Name: "any-scheme-taken", Says: "A Request-URI of an unknown scheme is taken.",
			Caught: []string{"rfc3261/8.2.2.1/1"},
			Config: alters(insist(416, 200)),
		},
		{
			Name: "foreign-to-refused", Says: "An INVITE to a telephone number gets 404.",
			Caught: []string{"rfc3261/8.2.2.1/2"},
			Config: alters(holding("\r\nTo: <tel:", 404)),
		},
		{
			Name: "merged-request-taken", Says: "A second copy of an INVITE, which came on another way, is taken.",
			Caught: []string{"rfc3261/8.2.2.2/1"},
			Config: alters(insist(482, 200)),
		},
		{
			Name: "cancel-minds-require", Says: "A CANCEL is refused for its Require.",
			Caught: []string{"rfc3261/8.2.2.3/4"},
			Config: alters(when(func(m *message) bool { return m.Method == "CANCEL" && m.Has("Require") }, 420)),
		},
		{
			Name: "proxy-require-minded", Says: "An INVITE is refused for its Proxy-Require.",
			Caught: []string{"rfc3261/8.2.2.3/5"},
			Config: alters(holding("\r\nProxy-Require: ", 420)),
		},
	}
}

// rfc3261responses are mistakes with what a response holds (RFC 3261 §8.2, §9.2, §11.2).
func rfc3261responses() []Fault {
	return []Fault{
		{
			Name: "requires-what-nobody-supports", Says: "The 200 requires an extension that the INVITE did not list.",
			Caught: []string{"rfc3261/8.2.4/1"},
			Config: alters(set("INVITE", "Require", "x-extension")),
		},
		{
			Name: "refusal-without-tag", Says: "A refusal has no tag in its To.",
			Caught: []string{"rfc3261/8.2.6.2/2"},
			Config: alters(to(func(_ *message, r *response) bool { return r.Status >= 400 }, "")),
		},
		{
			Name: "481-with-its-own-tag", Says: "A 481 has another tag in its To than the request.",
			Caught: []string{"rfc3261/8.2.6.2/3"},
			Config: alters(to(func(_ *message, r *response) bool { return r.Status == 481 }, ";tag=own")),
		},
		{
			Name: "tag-changes", Says: "The 180 to an INVITE has another tag than its 200.",
			Caught: []string{"rfc3261/8.2.6.2/4"},
			Config: alters(to(func(_ *message, r *response) bool { return r.Status == 180 }, ";tag=early")),
		},
		{
			Name: "cancel-has-another-tag", Says: "The 200 to a CANCEL has another tag than the 487 to its INVITE.",
			Caught: []string{"rfc3261/9.2/4"},
			Config: alters(to(func(m *message, _ *response) bool { return m.Method == "CANCEL" }, ";tag=cancel")),
		},
		{
			Name: "cancel-ends-the-dialog", Says: "A CANCEL that comes after the 200 ends the recording session.",
			Caught: []string{"rfc3261/9.2/3"},
			Config: alters(func() alter {
				ended := false
				return func(m *message, r *response) {
					if ended && m.Method == "INVITE" {
						r.Status, r.SDP = 481, ""
					}
					ended = ended || m.Method == "CANCEL"
				}
			}),
		},
		{
			Name: "options-in-dialog-refused", Says: "OPTIONS within a dialog gets 481.",
			Caught: []string{"rfc3261/11.2/2"},
			Config: alters(when(func(m *message) bool { return m.Method == "OPTIONS" && strings.Contains(m.Get("To"), ";tag=") }, 481)),
		},
		{
			Name: "options-without-supported", Says: "The 200 to OPTIONS has no Supported.",
			Caught: []string{"rfc3261/11.2/3"},
			Config: alters(lacking(200, "Supported")),
		},
	}
}

// rfc3261transport are mistakes with datagrams and streams (RFC 3261 §18).
func rfc3261transport() []Fault {
	return []Fault{
		{
			Name: "4096-octets-at-most", Says: "A datagram of more than 4,096 octets is dropped.",
			Caught: []string{"rfc3261/18.1.1/1"}, Timeout: second,
			Config: func() model.Config {
				return model.Config{Drop: func(m *message, _ int) bool { return len(m.Raw) > 4096 }}
			},
		},
		{
			Name: "source-not-told", Says: "A response does not say in received where the request came from.",
			Caught: []string{"rfc3261/18.2.1/2", "rfc3581/4/3"},
			Config: alters(via(func(_ int, value string) string {
				before, _, _ := strings.Cut(value, ";received=")
				return before
			})),
		},
		{
			Name: "always-to-the-source", Says: "A response goes to the source port although rport does not ask for it.",
			Caught: []string{"rfc3261/18.2.2/1"}, Timeout: second,
			Config: func() model.Config {
				return model.Config{Destination: func(m *message, _ netip.AddrPort) netip.AddrPort { return m.Source }}
			},
		},
		{
			Name: "bound-to-its-connection", Says: "A request of a dialog that comes on another connection gets 481.",
			Caught: []string{"rfc3261/18.2.2/2"},
			Config: over("tcp", alters(func() alter {
				var first netip.AddrPort
				return func(m *message, r *response) {
					switch {
					case m.Method != "INVITE":
					case !first.IsValid():
						first = m.Source
					case first != m.Source:
						r.Status, r.SDP = 481, ""
					}
				}
			})),
		},
		{
			Name: "reads-behind-the-body", Says: "What stands in a datagram behind the body is read as if it were of it.",
			Caught: []string{"rfc3261/18.3/1"},
			Config: alters(always(func(m *message, r *response) {
				if len(m.Body) > 0 && !strings.HasSuffix(string(m.Raw), string(m.Body)) {
					r.SDP = strings.ReplaceAll(r.SDP, "a=recvonly", "a=inactive")
				}
			})),
		},
		{
			Name: "content-length-demanded", Says: "A datagram without Content-Length is refused.",
			Caught: []string{"rfc3261/18.3/2"},
			Config: alters(when(func(m *message) bool { return !m.Has("Content-Length") }, 400)),
		},
		{
			Name: "a-segment-a-message", Says: "Each segment of a stream is taken for one message.",
			Caught: []string{"rfc3261/18.3/4", "rfc3261/18.3/5"}, Timeout: second,
			Config: func() model.Config {
				return model.Config{Network: "tcp", Frame: func(r *bufio.Reader, _ func(*bufio.Reader) ([]byte, error)) ([]byte, error) {
					segment := make([]byte, 1<<16)
					n, err := r.Read(segment)
					return segment[:n], err
				}}
			},
		},
		{
			Name: "ack-is-answered", Says: "An ACK that belongs to nothing gets 481.",
			Caught: []string{"rfc3261/17.2.3/1"},
			Config: answers(func(m *message) bool { return m.Method == "ACK" }, 481),
		},
		{
			Name: "responses-are-answered", Says: "A response that belongs to nothing gets 400.",
			Caught: []string{"rfc3261/18.1.2/1"},
			Config: answers(func(m *message) bool { return m.Status != 0 }, 400),
		},
	}
}

// answers is a server that sends a response to what has none.
func answers(fits func(m *message) bool, status int) func() model.Config {
	return func() model.Config {
		return model.Config{Add: func(m *message) string {
			if !fits(m) {
				return ""
			}
			return plainResponse(m, status)
		}}
	}
}
