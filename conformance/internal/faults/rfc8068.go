package faults

import (
	"regexp"
	"slices"
	"strings"
)

// rfc8068 are mistakes that break call flows (RFC 8068).
func rfc8068() []Fault {
	return append([]Fault{
		{
			Name: "no-metadata-in-update", Says: "An UPDATE with metadata is refused.",
			Caught: []string{"rfc8068/3.1/1"},
			Config: alters(refuse("UPDATE", "<recording")),
		},
		{
			Name: "third-stream-refused", Says: "A third stream is refused.",
			Caught: []string{"rfc8068/3.2.1/1", "rfc8068/3.2/1"},
			Config: alters(port(2, "0")),
		},
		{
			Name: "hold-ends-streams", Says: "A hold that metadata tells makes streams inactive.",
			Caught: []string{"rfc8068/3.2.2/1", "rfc8068/3.3.2/1"},
			Config: alters(inactiveIn(func(m *message) bool {
				return partial(m) && strings.Contains(string(m.Body), "<participantstreamassoc") && !strings.Contains(string(m.Body), "<session ")
			})),
		},
		{
			Name: "one-pauses-all", Says: "When one stream becomes inactive, all are answered inactive.",
			Caught: []string{"rfc8068/3.2.2/2"},
			Config: alters(inactiveIn(func(m *message) bool { return strings.Contains(string(m.Body), "a=inactive") })),
		},
		{
			Name: "undescribed-stream-refused", Says: "Metadata is refused that names a stream before it describes it.",
			Caught: []string{"rfc8068/3.2.3/1"},
			Config: alters(when(func(m *message) bool {
				text := string(m.Body)
				return partial(m) && strings.Contains(text, "<participant ") && strings.Contains(text, "<send>") && !strings.Contains(text, "<stream ")
			}, 400)),
		},
		{
			Name: "group-of-one", Says: "A recording session is refused whose group another had.",
			Caught: []string{"rfc8068/3.2.3/3"},
			Config: alters(onceOnly(regexp.MustCompile(`group_id="[^"]+"`))),
		},
		{
			Name: "bye-without-multipart", Says: "A BYE with a multipart body is refused.",
			Caught: []string{"rfc8068/3.2.4/1"},
			Config: alters(refuse("BYE", "multipart")),
		},
	}, calls()...)
}

// calls are mistakes with several parties and calls in one recording session.
func calls() []Fault {
	stopped := func(m *message) bool { return strings.Contains(string(m.Body), "<stop-time>") }
	return []Fault{
		{
			Name: "association-demanded", Says: "A snapshot without association of the recording session is refused.",
			Caught: []string{"rfc8068/3.3.1/1"},
			Config: alters(without("<sessionrecordingassoc")),
		},
		{
			Name: "one-sender-each", Says: "Metadata is refused in which two send one stream.",
			Caught: []string{"rfc8068/3.3.1/1", "rfc8068/3.3.2/1", "rfc8068/3.3.3/1", "rfc8068/3.5/1"},
			Config: alters(when(sharedStream, 400)),
		},
		{
			Name: "nobody-joins", Says: "A third party that joins is refused.",
			Caught: []string{"rfc8068/3.3.3/1"},
			Config: alters(when(func(m *message) bool { return partial(m) && strings.Contains(string(m.Body), "<participant ") }, 400)),
		},
		{
			Name: "ends-with-its-call", Says: "The recording session ends with the first call in it.",
			Caught: []string{"rfc8068/3.2.3/2", "rfc8068/3.4.1/1", "rfc8068/3.5/1"},
			Config: alters(func() alter {
				ended := false
				return func(req *message, r *response) {
					if ended && req.Method != "BYE" {
						r.Status, r.SDP = 481, ""
					}
					ended = ended || stopped(req)
				}
			}),
		},
		{
			Name: "metadata-gets-no-offer", Says: "A re-INVITE with metadata alone is answered without an offer.",
			Caught: []string{"rfc8068/3.4.1/1"},
			Config: alters(always(func(req *message, r *response) {
				if sdp, _ := req.SDP(); req.Method == "INVITE" && sdp == nil {
					r.SDP = ""
				}
			})),
		},
	}
}

// partial says that a request has a partial document.
func partial(m *message) bool { return strings.Contains(string(m.Body), "<datamode>partial") }

// inactiveIn answers all streams of requests that fit inactive.
func inactiveIn(fits func(m *message) bool) mistake {
	return always(func(req *message, r *response) {
		if fits(req) {
			r.SDP = strings.ReplaceAll(r.SDP, "a=recvonly", "a=inactive")
		}
	})
}

// onceOnly refuses an INVITE that opens a recording session and has the same text as one
// before.
func onceOnly(text *regexp.Regexp) mistake {
	return func() alter {
		seen := make(map[string]bool)
		return func(req *message, r *response) {
			if req.Method != "INVITE" || strings.Contains(req.Get("To"), "tag=") {
				return
			}
			found := text.FindString(string(req.Body))
			if found != "" && seen[found] {
				r.Status, r.SDP = 403, ""
			}
			seen[found] = true
		}
	}
}

// sharedStream says that metadata has two send one stream.
func sharedStream(m *message) bool {
	var ids []string
	for part := range strings.SplitSeq(string(m.Body), "<send>") {
		id, _, found := strings.Cut(part, "</send>")
		if found && slices.Contains(ids, id) {
			return true
		}
		ids = append(ids, id)
	}
	return false
}
