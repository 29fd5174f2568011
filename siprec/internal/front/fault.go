package front

// A fault is why a message cannot be taken: the status of the response that says
// so and the text of its Warning header field (RFC 3261 §20.43), which must not
// need quoting.
type fault struct {
	status int
	text   string
}

func badRequest(text string) *fault { return &fault{400, text} }

func tooLarge() *fault { return &fault{413, "message too large"} }

// phrase returns the reason phrase (RFC 3261 §21).
func (f *fault) phrase() string {
	switch f.status {
	case 413:
		return "Request Entity Too Large"
	case 416:
		return "Unsupported URI Scheme"
	case 505:
		return "Version Not Supported"
	}
	return "Bad Request"
}
