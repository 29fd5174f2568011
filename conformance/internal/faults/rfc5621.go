package faults

import "strings"

// rfc5621 are mistakes with bodies of several parts (RFC 5621, RFC 2046).
func rfc5621() []Fault {
	return []Fault{
		{
			Name: "nested-multipart-refused", Says: "A multipart body within another is refused.",
			Caught: []string{"rfc5621/4.2/1"},
			Config: alters(refuse("INVITE", "multipart/related")),
		},
		{
			Name: "preamble-refused", Says: "Text before the first part is refused.",
			Caught: []string{"rfc5621/4.2/2"},
			Config: alters(refuse("INVITE", "for people")),
		},
		{
			Name: "last-delimiter-demanded", Says: "A body without its last delimiter is refused.",
			Caught: []string{"rfc5621/4.2/3"},
			Config: alters(without("--src-boundary--")),
		},
		{
			Name: "optional-part-refused", Says: "A part of unknown type is refused although its handling is optional.",
			Caught: []string{"rfc5621/8/1"},
			Config: alters(refuse("INVITE", "image/x-unheard-of")),
		},
		{
			Name: "required-handling-refused", Says: "Metadata is refused when its handling is required.",
			Caught: []string{"rfc5621/8/2"},
			Config: alters(refuse("INVITE", "Handling=required")),
		},
		{
			Name: "first-description-taken", Says: "The first description is taken for the offer, whatever its disposition.",
			Caught: []string{"rfc5621/8/4"},
			Config: alters(always(func(m *message, r *response) {
				if first, _, found := strings.Cut(r.SDP, "m=audio"); found && strings.Contains(string(m.Body), "early-session") {
					r.SDP = first + "m=audio 4000 RTP/AVP 0\r\na=recvonly\r\n"
				}
			})),
		},
	}
}
