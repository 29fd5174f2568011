package faults

import (
	"strings"

	"github.com/siprecd/siprecd/conformance/internal/model"
	"github.com/siprecd/siprecd/conformance/src"
)

// rfc7866course are mistakes in how a recording session goes on (RFC 7866 §5, §6, §9.2).
func rfc7866course() []Fault {
	return []Fault{
		{
			Name: "call-in-the-first-invite", Says: "A stream that comes with a later call is refused.",
			Caught: []string{"rfc7866/5.1/3"},
			Config: alters(port(3, "0")),
		},
		{
			Name: "one-snapshot", Says: "A second snapshot is refused.",
			Caught: []string{"rfc7866/5.2/1"},
			Config: alters(func() alter {
				snapshots := 0
				return func(req *message, r *response) {
					if strings.Contains(string(req.Body), "<datamode>complete") {
						if snapshots++; snapshots > 1 {
							r.Status = 400
						}
					}
				}
			}),
		},
		{
			Name: "same-uri-refused", Says: "An INVITE whose From is its To is refused.",
			Caught: []string{"rfc7866/6.1.1/6"},
			Config: alters(when(func(m *message) bool {
				from, err := src.ParseAddr(m.Get("From"))
				to, wrong := src.ParseAddr(m.Get("To"))
				return m.Method == "INVITE" && err == nil && wrong == nil && from.URI == to.URI
			}, 403)),
		},
		{
			Name: "call-taken-unmarked", Says: "An INVITE without marks is taken, and the answer has none.",
			Caught: []string{"rfc7866/6.1.1/7"},
			Config: alters(always(func(req *message, r *response) {
				if !strings.Contains(req.Get("Contact"), "+sip.src") {
					r.Set("Contact", "<sip:srs@192.0.2.1>")
				}
			})),
		},
		{
			Name: "offer-without-labels", Says: "What the server offers has no labels.",
			Caught: []string{"rfc7866/7.2/9"},
			Config: alters(edit(1, "a=label:", "a=mid:")),
		},
		{
			Name: "silent-while-inactive", Says: "Nothing is sent while nothing comes.",
			Caught: []string{"rfc7866/8.1.6/1"}, Timeout: second,
			Config: reporting(func(b []byte) []byte {
				if b[0]&31 == 0 {
					return nil
				}
				return b
			}),
		},
		{
			Name: "asks-at-each-change", Says: "A snapshot is asked for at each change until it comes.",
			Caught: []string{"rfc7866/9.1/8"},
			Config: func() model.Config { return model.Config{AskAlways: true} },
		},
		{
			Name: "snapshot-refused-afterwards", Says: "Once a snapshot came in a response, none is taken in a request.",
			Caught: []string{"rfc7866/9.2/5"},
			Config: func() model.Config {
				came := false
				return model.Config{
					Add: func(m *message) string {
						came = came || m.Status == 200 && strings.Contains(string(m.Body), "<recording")
						return ""
					},
					Alter: func(req *message, r *response) {
						if came && strings.Contains(string(req.Body), "<datamode>complete") {
							r.Status, r.SDP = 500, ""
						}
					},
				}
			},
		},
		{
			Name: "unknown-ids-refused", Says: "A change of what was not described is refused.",
			Caught: []string{"rfc7866/9.2/6"},
			Config: alters(func() alter {
				known := ""
				return func(req *message, r *response) {
					text := string(req.Body)
					_, rest, found := strings.Cut(text, `participant_id="`)
					id, _, _ := strings.Cut(rest, `"`)
					switch {
					case !partial(req):
						known += text
					case found && !strings.Contains(known, id):
						r.Status = 400
					}
				}
			}),
		},
	}
}
