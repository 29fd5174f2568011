package front

import "strings"

// splitList splits a header field value at the commas that stand outside quotes
// and angle brackets (RFC 3261 §7.3.1). Elements are trimmed; empty ones stay.
func splitList(s string) []string { return splitOutside(s, ',') }

// splitOutside splits s at each sep outside quotes and angle brackets and trims
// the parts. A quote or bracket without its end does not count as one, so that a
// slip of the pen does not hide the rest of the line.
func splitOutside(s string, sep byte) []string {
	if strings.IndexByte(s, sep) < 0 {
		return []string{strings.TrimSpace(s)}
	}
	var out []string
	start := 0
	quotes, brackets := true, true // whether one may still have an end
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == sep:
			out = append(out, strings.TrimSpace(s[start:i]))
			start = i + 1
		case s[i] == '"' && quotes:
			n := quotedEnd(s[i:])
			quotes = n > 0
			i += max(n-1, 0)
		case s[i] == '<' && brackets:
			n := strings.IndexByte(s[i:], '>')
			brackets = n > 0
			i += max(n, 0)
		}
	}
	return append(out, strings.TrimSpace(s[start:]))
}

// quotedEnd returns the length of the quoted string at the start of s with both
// quotes (RFC 3261 §25.1), or 0 when it has no end.
func quotedEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}
