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
