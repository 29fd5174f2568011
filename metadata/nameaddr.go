package metadata

import "strings"

// A nameAddr is an item of a header field with a URI and parameters (RFC 3261
// §25.1, name-addr and addr-spec). The parameters are those after the URI; inside
// angle brackets they belong to it.
type nameAddr struct {
	uri    string
	params []Param
}

func (n nameAddr) param(name string) string {
	for _, p := range n.params {
		if strings.EqualFold(p.Name, name) {
			return p.Value
		}
	}
	return ""
}

func (n nameAddr) has(name string) bool {
	for _, p := range n.params {
		if strings.EqualFold(p.Name, name) {
			return true
		}
	}
	return false
}

func parseNameAddr(s string) nameAddr {
	s = strings.TrimSpace(s)
	if open := unquotedIndex(s, '<'); open >= 0 {
		rest := s[open+1:]
		uri, after, _ := strings.Cut(rest, ">")
		return nameAddr{strings.TrimSpace(uri), parseParams(after)}
	}
	// Without brackets the parameters are those of the header field (§20.10).
	if end := unquotedIndex(s, ';'); end >= 0 {
		return nameAddr{strings.TrimSpace(s[:end]), parseParams(s[end:])}
	}
	return nameAddr{uri: s}
}

func parseParams(s string) []Param {
	var out []Param
	for _, item := range splitOutside(s, ';') {
		name, value, _ := strings.Cut(item, "=")
		if name = strings.TrimSpace(name); name != "" {
			out = append(out, Param{name, strings.Trim(strings.TrimSpace(value), `"`)})
		}
	}
	return out
}

// splitList splits at the commas between the items of a header field.
func splitList(s string) []string { return splitOutside(s, ',') }

// splitOutside splits at a character that is neither in quotes nor in angle
// brackets.
func splitOutside(s string, at byte) []string {
	var out []string
	quoted, bracketed, from := false, false, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<':
			bracketed = true
		case c == '>':
			bracketed = false
		case c == at && !bracketed:
			out = append(out, s[from:i])
			from = i + 1
		}
	}
	return append(out, s[from:])
}

// unquotedIndex returns where a character first stands outside quotes, or -1.
func unquotedIndex(s string, want byte) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == want && !quoted:
			return i
		}
	}
	return -1
}
