package rfc3261

import (
	"context"
	"regexp"
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// opens is a case of a recording session that is taken although its requests are edited.
func opens(id, section string, level check.Level, requirement, shows string, edit func(text string) string) check.Case {
	return check.Case{
		ID: id, Section: section, Level: level, Shows: []string{shows}, Requirement: requirement,
		Run: func(ctx context.Context, t *check.T) {
			d := t.Open(ctx, src.Request{Metadata: check.Conversation().Complete(), Edit: edit})
			t.Answer(d)
			m, err := d.Bye(ctx, src.Request{Edit: edit})
			t.Check(err, "BYE")
			t.Status(m, 200)
		},
	}
}

var (
	fieldNames = regexp.MustCompile(`(?m)^(From|To|Call-ID|CSeq|Contact|Content-Type|Require): `)
	fromField  = regexp.MustCompile(`(?m)^From: <([^>]*)>`)
	toField    = regexp.MustCompile(`(?m)^To: <([^>]*)>`)
)

// spellings are the cases of how header fields may be written (RFC 3261 §7.3, §20).
func spellings() []check.Case {
	return []check.Case{
		opens("rfc3261/7.3.1/3", "RFC 3261 §7.3.1", check.Must, "Names of header fields are read in any case.", "3261-7.3.1-02",
			func(text string) string {
				return fieldNames.ReplaceAllStringFunc(strings.Replace(text, "\r\nVia: ", "\r\nvIA: ", 1), strings.ToUpper)
			}),
		opens("rfc3261/7.3.1/4", "RFC 3261 §7.3.1, §25.1", check.Must, "White space may stand before and behind the colon of a header field.", "3261-7.3.1-02",
			func(text string) string { return fieldNames.ReplaceAllString(text, "$1 \t:   ") }),
		opens("rfc3261/8.2.2/1", "RFC 3261 §8.2.2", check.Must, "Header fields that nobody knows are passed over.", "3261-8.2.2-01",
			func(text string) string {
				return strings.Replace(text, "\r\nMax-Forwards", "\r\nX-Unheard-Of: \"a, (b); c=<\r\nUnheard: \r\nMax-Forwards", 1)
			}),
		opens("rfc3261/8.2.2/2", "RFC 3261 §8.2.2", check.Should, "Header fields that are malformed and not needed are passed over.", "3261-8.2.2-01",
			func(text string) string {
				return strings.Replace(text, "\r\nMax-Forwards", "\r\nDate: some day\r\nWarning: ;;\r\nRetry-After: soon\r\nMax-Forwards", 1)
			}),
		opens("rfc3261/20/1", "RFC 3261 §20, §20.20", check.Must, "A From and a To without angle brackets are read: their parameters are those of the header field.", "3261-20-01",
			func(text string) string {
				return toField.ReplaceAllString(fromField.ReplaceAllString(text, "From: $1"), "To: $1")
			}),
		opens("rfc3261/20/2", "RFC 3261 §20.10, §25.1", check.Must, "A display name in quotes may hold what would end it elsewhere: commas, semicolons, brackets, and quotes behind a backslash.", "3261-20-01",
			func(text string) string {
				const name = `"Desk, \"one\" <sip:x@y>;tag=no" `
				text = toField.ReplaceAllString(fromField.ReplaceAllString(text, "From: "+name+"<$1>"), "To: "+name+"<$1>")
				return strings.Replace(text, "\r\nContact: <", "\r\nContact: "+name+"<", 1)
			}),
	}
}
