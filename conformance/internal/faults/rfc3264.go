package faults

import (
	"fmt"
	"strings"
)

// rfc3264 are mistakes of answers (RFC 3264).
func rfc3264() []Fault {
	return []Fault{
		{
			Name: "offers-a-way-back", Says: "Its offer in the first 200 has a stream that it sends.",
			Caught: []string{"rfc3264/5/1"},
			Config: alters(edit(0, "t=0 0\r\n", "t=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=sendrecv\r\n")),
		},
		{
			Name: "port-0-answered-live", Says: "An m-line offered with port 0 is answered with a port.",
			Caught: []string{"rfc3264/6/1"},
			Config: alters(port(0, "4000")),
		},
		{
			Name: "removed-stream-lives-on", Says: "A stream that a later offer removed is answered with a port.",
			Caught: []string{"rfc3264/8.2/1"},
			Config: alters(port(1, "4000")),
		},
		{
			Name: "format-of-its-own", Says: "Every stream is answered with a format that was not offered.",
			Caught: []string{"rfc3264/6.1/1"},
			Config: alters(format("18")),
		},
		{
			Name: "unknown-format-replaced", Says: "A stream in an unknown format is answered with PCMU.",
			Caught: []string{"rfc3264/6/2"},
			Config: alters(format("0")),
		},
		{
			Name: "version-stays", Says: "The o= version does not rise with a change.",
			Caught: []string{"rfc3264/8/1"},
			Config: alters(always(func(_ *message, r *response) {
				r.SDP = strings.ReplaceAll(r.SDP, " 77 2 IN", " 77 1 IN")
			})),
		},
		{
			Name: "version-always-rises", Says: "The o= version rises without a change.",
			Caught: []string{"rfc3264/8/2"},
			Config: alters(func() alter {
				version := 0
				return func(_ *message, r *response) {
					version++
					r.SDP = strings.ReplaceAll(r.SDP, " 77 1 ", fmt.Sprintf(" 77 %d ", version))
				}
			}),
		},
		{
			Name: "new-origin", Says: "A later answer has a new id in its o= line, as if it were of another recording session.",
			Caught: []string{"rfc3264/8/1", "rfc3264/8/2"},
			Config: alters(edit(1, "o=model 77 ", "o=model 78 ")),
		},
		{
			Name: "direction-for-all-ignored", Says: "A direction in front of the first m-line is not read.",
			Caught: []string{"rfc3264/5.1/1"},
			Config: alters(edit(0, "a=inactive", "a=recvonly")),
		},
		{
			Name: "timing-of-its-own", Says: "The answer has t=0 0, whatever the offer has.",
			Caught: []string{"rfc3264/6/3"},
			Config: alters(edit(0, "t=3900000000 3900003600", "t=0 0")),
		},
		{
			Name: "unknown-attribute-answered", Says: "Attributes that it does not know are answered.",
			Caught: []string{"rfc3264/6/4"},
			Config: alters(edit(0, "a=recvonly", "a=x-unheard-of:1\r\na=recvonly")),
		},
		{
			Name: "foreign-attribute-refused", Says: "An offer is refused for an m-line whose attribute it does not know.",
			Caught: []string{"rfc3264/6/4"},
			Config: alters(holding("a=x-unheard-of", 488)),
		},
		{
			Name: "number-of-its-own", Says: "A format is answered under another payload type than that of the offer.",
			Caught: []string{"rfc3551/6/2"},
			Config: alters(edit(0, "117", "118")),
		},
		{
			Name: "format-without-name", Says: "A dynamic payload type is answered without its name.",
			Caught: []string{"rfc3264/6.1/4"},
			Config: alters(edit(0, "a=rtpmap:107", "a=x-rtpmap:107")),
		},
		{
			Name: "last-stream-may-not-go", Says: "An offer that removes all streams is refused.",
			Caught: []string{"rfc3264/8.2/2"},
			Config: alters(when(func(m *message) bool { return strings.Count(string(m.Body), "m=audio 0 ") == 2 }, 488)),
		},
		{
			Name: "source-port-pinned", Says: "An offer that moves a stream of the SRC to another port is refused.",
			Caught: []string{"rfc3264/8.3.1/2"},
			Config: alters(holding("m=audio 40002 ", 488)),
		},
		{
			Name: "formats-of-before", Says: "A later answer has the formats of the first.",
			Caught: []string{"rfc3264/8.3.2/2"},
			Config: alters(edit(1, "RTP/AVP 8\r\n", "RTP/AVP 0\r\n")),
		},
		{
			Name: "ports-move", Says: "A stream gets another port with every answer.",
			Caught: []string{"rfc3264/8.1/1"},
			Config: alters(func() alter {
				n := 10
				return func(req *message, r *response) {
					n += 2
					port(0, fmt.Sprint(n))()(req, r)
				}
			}),
		},
	}
}
