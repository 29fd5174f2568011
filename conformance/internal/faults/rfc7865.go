package faults

import "strings"

// rfc7865 are mistakes with metadata (RFC 7865).
func rfc7865() []Fault {
	return []Fault{
		{
			Name: "byte-order-mark-refused", Says: "Metadata with a byte order mark is refused.",
			Caught: []string{"rfc7865/5.1/1"},
			Config: alters(refuse("INVITE", "\xef\xbb\xbf")),
		},
		{
			Name: "ascii-only", Says: "Names beyond ASCII are refused.",
			Caught: []string{"rfc7865/5.1/2"},
			Config: alters(refuse("INVITE", "\u5289")),
		},
		{
			Name: "prefix-refused", Says: "Metadata whose namespace has a prefix is refused.",
			Caught: []string{"rfc7865/5.1.1/1"},
			Config: alters(refuse("INVITE", "<rec:")),
		},
		{
			Name: "datamode-demanded", Says: "Metadata without a datamode is refused.",
			Caught: []string{"rfc7865/5.1.2/1"},
			Config: alters(without("<datamode")),
		},
		{
			Name: "call-demanded", Says: "Metadata without a communication session is refused.",
			Caught: []string{"rfc7865/6.1.2/1"},
			Config: alters(without("<session")),
		},
		{
			Name: "version-2-refused", Says: "A version of metadata that is not 1 ends the INVITE.",
			Caught: []string{"rfc7865/6.11/1"},
			Config: alters(refuse("INVITE", "recording:2")),
		},
		{
			Name: "group-times-demanded", Says: "A group without times is refused.",
			Caught: []string{"rfc7865/6.2.1/1"},
			Config: alters(refuse("INVITE", "\">\n  </group>")),
		},
		{
			Name: "reason-refused", Says: "A communication session with a reason is refused.",
			Caught: []string{"rfc7865/6.3.1/1"},
			Config: alters(refuse("INVITE", "<reason")),
		},
		{
			Name: "anonymous-refused", Says: "An anonymous participant is refused.",
			Caught: []string{"rfc7865/6.5.1/1"},
			Config: alters(refuse("INVITE", "anonymous.invalid")),
		},
		{
			Name: "stream-label-demanded", Says: "A stream of the metadata without a label is refused.",
			Caught: []string{"rfc7865/6.7/1"},
			Config: alters(refuse("INVITE", "\">\n  </stream>")),
		},
		{
			Name: "plain-uuid-refused", Says: "Identifiers that are no UUID in base64 are refused.",
			Caught: []string{"rfc7865/6.10/1"},
			Config: alters(refuse("INVITE", "urn:uuid")),
		},
		{
			Name: "order-demanded", Says: "Elements in another order are refused.",
			Caught: []string{"rfc7865/9/1"},
			Config: alters(when(func(m *message) bool {
				at := strings.Index(string(m.Body), "<participant ")
				return at >= 0 && at < strings.Index(string(m.Body), "<group ")
			}, 400)),
		},
		{
			Name: "extension-refused", Says: "Elements of another namespace are refused.",
			Caught: []string{"rfc7865/9/2"},
			Config: alters(refuse("INVITE", "urn:example:agents")),
		},
		{
			Name: "draft-elements-refused", Says: "Elements that only drafts had are refused.",
			Caught: []string{"rfc7865/9/3"},
			Config: alters(refuse("INVITE", "extensiondata")),
		},
	}
}
