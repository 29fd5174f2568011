package body

import "strings"

// Media types that decide what a part is for.
const (
	TypeSDP         = "application/sdp"             // RFC 8866 §8.1
	TypeMetadata    = "application/rs-metadata+xml" // RFC 7866 §9, as RFC 9806 renamed it
	TypeOldMetadata = "application/rs-metadata"     // RFC 7866 §13.3, as first registered
)

// DispositionRecording marks metadata of a recording session (RFC 7866 §9).
const DispositionRecording = "recording-session"

// A Header is one header field of a part. Folded values are joined by one blank.
type Header struct{ Name, Value string }

// A Part is one body part. Multipart bodies do not appear as parts, except
// nested ones that could not be split further.
type Part struct {
	// Type is the media type in lower case without parameters. It is empty when
	// a whole body has no type and none could be told from its content.
	Type string
	// Params are the parameters of the media type, names in lower case; nil
	// when there are none.
	Params map[string]string
	// Disposition is the disposition type in lower case, or empty.
	Disposition string
	// Handling is the handling parameter of the disposition (RFC 5621 §8.2):
	// required, optional, or empty when it is absent, which means required.
	Handling string
	// Headers are the header fields of the part as sent, in order; nil for a
	// body that was not multipart.
	Headers []Header
	// Body is the content, any transfer encoding undone. It may share memory
	// with the bytes that were split.
	Body []byte
}

// IsSDP reports whether the part is the session description of the dialog.
// One for early media (RFC 3959 §3) is not.
func (p Part) IsSDP() bool {
	return p.Type == TypeSDP && p.Disposition != "early-session"
}

// IsMetadata reports whether the part is metadata of a recording session: one
// of the two media types of RFC 7866 §9, or plain XML whose disposition says so.
// A request for metadata (application/rs-metadata-request) is not.
func (p Part) IsMetadata() bool {
	switch p.Type {
	case TypeMetadata, TypeOldMetadata:
		return true
	case "application/xml", "text/xml":
		return p.Disposition == DispositionRecording
	}
	return false
}

func (p Part) isMultipart() bool { return strings.HasPrefix(p.Type, "multipart/") }

// setType reads a Content-Type value into the part.
func (p *Part) setType(value string) {
	main, params := parseParams(value)
	p.Type, p.Params = main, params
}

// setDisposition reads a Content-Disposition value into the part.
func (p *Part) setDisposition(value string) {
	main, params := parseParams(value)
	p.Disposition = main
	switch h := strings.ToLower(params["handling"]); h {
	case "required", "optional":
		p.Handling = h
	}
}

// header returns the first header field of that name, which is in lower case.
func (p Part) header(name string) string {
	for _, h := range p.Headers {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}
