package metadata

import (
	"bytes"
	"errors"
	"fmt"
)

// Why a document cannot be read. The recording goes on without it (RFC 7866 §9.2).
var (
	ErrTooLarge    = errors.New("document too large")
	ErrTooDeep     = errors.New("elements nested too deeply")
	ErrTooMany     = errors.New("too many elements")
	ErrEntity      = errors.New("document type or entity")
	ErrSyntax      = errors.New("not well-formed XML")
	ErrNotMetadata = errors.New("not recording metadata")
	ErrDataMode    = errors.New("unknown datamode")
)

// What Decode reads at most.
const (
	MaxSize     = 1 << 20 // octets
	MaxDepth    = 64      // elements within each other, the root included
	MaxElements = 10000   // elements, comments, CDATA sections and instructions
)

// checkLimits refuses, before anything is built, what would cost more to read
// than it can be worth. Its time is linear in len(b).
func checkLimits(b []byte) error {
	markup := 0
	for i := 0; i < len(b); {
		switch b[i] {
		case '&':
			if n := entityLen(b[i:]); n > 0 && !predefined(b[i:i+n]) {
				return fmt.Errorf("%w: entity reference", ErrEntity)
			}
			i++
		case '<':
			if bytes.HasPrefix(b[i:], []byte("</")) {
				i += 2
				continue
			}
			markup++
			if markup > MaxElements {
				return fmt.Errorf("%w: more than %d", ErrTooMany, MaxElements)
			}
			n, err := skipMarkup(b[i:])
			if err != nil {
				return err
			}
			i += n
		default:
			i++
		}
	}
	return nil
}

// skipMarkup returns the length of a comment, CDATA section or processing
// instruction at the start of b, and 1 for a start tag, whose attributes are
// looked at like text. What has no end is left to the XML parser.
func skipMarkup(b []byte) (int, error) {
	for _, m := range [...]struct{ open, end string }{
		{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"},
	} {
		if !bytes.HasPrefix(b, []byte(m.open)) {
			continue
		}
		body := b[len(m.open):]
		end := bytes.Index(body, []byte(m.end))
		if end < 0 {
			return len(b), nil
		}
		return len(m.open) + end + len(m.end), nil
	}
	if bytes.HasPrefix(b, []byte("<!")) {
		// DOCTYPE, ENTITY and the like: metadata has no use for them, attackers do.
		return 0, fmt.Errorf("%w: declaration", ErrEntity)
	}
	return 1, nil
}

// maxEntity is the length of the longest reference looked for, & and ; included.
const maxEntity = 64

// entityLen returns the length of the reference "&name;" or "&#n;" at the start
// of b, 0 when there is none.
func entityLen(b []byte) int {
	for i := 1; i < len(b) && i < maxEntity; i++ {
		c := b[i]
		switch {
		case c == ';' && i > 1:
			return i + 1
		case c == '#', c == '_', c == '-', c == '.', c == ':', c >= 0x80,
			'0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		default:
			return 0
		}
	}
	return 0
}

// predefined reports whether a reference is a character reference or one of the
// five of XML 1.0 §4.6.
func predefined(ref []byte) bool {
	switch string(ref) {
	case "&amp;", "&lt;", "&gt;", "&quot;", "&apos;":
		return true
	}
	return ref[1] == '#'
}
