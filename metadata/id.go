package metadata

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode"
)

// An ID names an element (RFC 7865 §6.10) in a form that can be compared: a UUID
// sent as base64 is 32 lower-case hex digits, anything else is the text as sent
// without the white space around it. An ID comes from the wire: it may be of any
// length and is no file name.
//
// An element that was sent without an id gets a made-up one, such as
// "participant 2" for the second participant of its document.
type ID string

// The length of 16 octets in base64 (RFC 4648 §4), padding included.
const uuidBase64Len = 24

// ParseID returns the comparable form of an identifier as sent. Version and
// variant of a UUID are not looked at: the examples of RFC 7865 hold some that
// RFC 4122 does not know.
func ParseID(raw string) ID {
	trimmed := strings.TrimSpace(raw)
	// White space within occurs where a sender wrapped the line (RFC 8068 §3.2.1).
	packed := removeSpace(trimmed)
	if len(packed) != uuidBase64Len || packed[uuidBase64Len-2:] != "==" {
		return ID(trimmed)
	}
	var uuid [18]byte
	// Strict, so that two identifiers that differ as text never become one.
	n, err := base64.StdEncoding.Strict().Decode(uuid[:], []byte(packed))
	if err != nil || n != 16 {
		return ID(trimmed)
	}
	return ID(hex.EncodeToString(uuid[:n]))
}

func removeSpace(s string) string {
	if strings.IndexFunc(s, unicode.IsSpace) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}
