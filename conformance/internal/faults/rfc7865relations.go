package faults

import (
	"regexp"
	"strings"

	"github.com/siprecd/siprecd/conformance/internal/model"
)

// refuseMetadata gives 400 to INVITEs whose document fits a pattern.
func refuseMetadata(pattern string) mistake {
	p := regexp.MustCompile(pattern)
	return when(func(m *message) bool { return m.Method == "INVITE" && p.Match(m.Body) }, 400)
}

// rfc7865relations are mistakes with what metadata relates (RFC 7865 §6).
func rfc7865relations() []Fault {
	return append([]Fault{
		{
			Name: "group-demanded", Says: "A communication session of a group that is not described is refused.",
			Caught: []string{"rfc7865/6.3.1/2"},
			Config: alters(without("<group ")),
		},
		{
			Name: "call-without-id-refused", Says: "A communication session without an identifier ends the INVITE.",
			Caught: []string{"rfc7865/6.3.1/3"},
			Config: alters(refuseMetadata(`<session>`)),
		},
		{
			Name: "stopped-call-refused", Says: "A communication session that has stopped is refused.",
			Caught: []string{"rfc7865/6.3.1/4"},
			Config: alters(refuseMetadata(`<stop-time>`)),
		},
		{
			Name: "one-call-only", Says: "A second communication session is refused.",
			Caught: []string{"rfc7865/6.3.2/1", "rfc8068/3.5/1"},
			Config: alters(refuseMetadata(`(?s)<session .*<session `)),
		},
		{
			Name: "stream-without-call-refused", Says: "A stream of no communication session is refused.",
			Caught: []string{"rfc7865/6.3.2/2"},
			Config: alters(refuseMetadata(`<stream stream_id="[^"]*">`)),
		},
		{
			Name: "associated-once", Says: "A second association with the recording session is refused.",
			Caught: []string{"rfc7865/6.4/1"},
			Config: alters(refuseMetadata(`(?s)<sessionrecordingassoc .*<sessionrecordingassoc `)),
		},
		{
			Name: "sender-demanded", Says: "Streams that nobody sends are refused.",
			Caught: []string{"rfc7865/6.5.2/1"},
			Config: alters(without("<send>")),
		},
		{
			Name: "nobody-comes-back", Says: "Who left cannot join again.",
			Caught: []string{"rfc7865/6.6/1"},
			Config: alters(func() alter {
				left := false
				return func(req *message, r *response) {
					text := string(req.Body)
					if left && strings.Contains(text, "<associate-time>") {
						r.Status, r.SDP = 400, ""
					}
					left = left || strings.Contains(text, "<disassociate-time>")
				}
			}),
		},
		{
			Name: "parameters-refused", Says: "Parameters of a participant are refused.",
			Caught: []string{"rfc7865/6.6.1/1"},
			Config: alters(refuseMetadata(`<param `)),
		},
		{
			Name: "m-line-demanded", Says: "A stream whose label no m-line has is refused.",
			Caught: []string{"rfc7865/6.7.1/1"},
			Config: alters(refuseMetadata(`undelivered`)),
		},
	}, rfc7865values()...)
}

// rfc7865values are mistakes with values, and with errors.
func rfc7865values() []Fault {
	return []Fault{
		{
			Name: "content-refused", Says: "Streams whose contents are told by a=content are refused.",
			Caught: []string{"rfc7865/6.7.1/2"},
			Config: alters(refuseLine(1, "a=content:")),
		},
		{
			Name: "one-stream-each", Says: "A participant that sends several streams is refused.",
			Caught: []string{"rfc7865/6.8.1/1"},
			Config: alters(refuseMetadata(`</send>\s*<send>`)),
		},
		{
			Name: "utc-demanded", Says: "Times that are not of UTC are refused.",
			Caught: []string{"rfc7865/6.9/1"},
			Config: alters(refuseMetadata(`\+\d\d:?\d\d<`)),
		},
		{
			Name: "twice-named-refused", Says: "An identifier of two kinds of element ends the INVITE.",
			Caught: []string{"rfc7865/6.10/2"},
			Config: alters(when(func(m *message) bool {
				party := regexp.MustCompile(`<participant participant_id="([^"]*)"`).FindSubmatch(m.Body)
				return party != nil && strings.Contains(string(m.Body), `stream_id="`+string(party[1])+`"`)
			}, 400)),
		},
		{
			Name: "path-refused", Says: "An identifier with dots and slashes makes the server fail.",
			Caught: []string{"rfc7865/6.10/3"},
			Config: alters(when(func(m *message) bool { return strings.Contains(string(m.Body), "../..") }, 500)),
		},
		{
			Name: "call-of-one-client", Says: "A call that another SRC records is refused.",
			Caught: []string{"rfc7865/6.2.1/2"},
			Config: alters(onceOnly(regexp.MustCompile(`<session session_id="[^"]+"`))),
		},
		{
			Name: "error-not-told", Says: "Nothing is said of metadata that cannot be read.",
			Caught: []string{"rfc7865/5.1/3", "rfc7865/5.1.2/2"},
			Config: alters(lacking(200, "Warning")),
		},
		{
			Name: "request-with-contents", Says: "The request for a snapshot has an element that the schema lacks.",
			Caught: []string{"rfc7865/7/1"},
			Config: func() model.Config {
				return model.Config{AlterRequest: func(text string) string {
					const old, body = `recording:1"/>`, `recording:1"><why/></requestsnapshot>`
					text = strings.Replace(text, "Content-Length: 61", "Content-Length: 84", 1)
					return strings.Replace(text, old, body, 1)
				}}
			},
		},
	}
}
