package body

import "strings"

// parseParams splits a header value such as `multipart/mixed; boundary="x"`
// (RFC 2045 §5.1) into its first part, in lower case without blanks, and its
// parameters. Of a parameter given twice the first counts.
func parseParams(value string) (main string, params map[string]string) {
	main, rest := cutParam(value)
	main = strings.ToLower(strings.Join(strings.Fields(main), ""))
	for rest != "" {
		var one string
		one, rest = cutParam(rest)
		name, val, _ := strings.Cut(one, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if name == "" {
			continue
		}
		if _, given := params[name]; given {
			continue
		}
		if params == nil {
			params = make(map[string]string)
		}
		params[name] = unquote(strings.TrimSpace(val))
	}
	return main, params
}

// cutParam cuts s at its first semicolon outside of a quoted string.
func cutParam(s string) (one, rest string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ';' && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// unquote undoes a quoted string (RFC 822 §3.3). The closing quote may be missing.
func unquote(s string) string {
	if !strings.HasPrefix(s, `"`) {
		return s
	}
	var b strings.Builder
	for i := 1; i < len(s) && s[i] != '"'; i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// quote writes s as a parameter value, quoted when it is not a token
// (RFC 2045 §5.1).
func quote(s string) string {
	if isToken(s) {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// isToken reports whether s is a token (RFC 2045 §5.1).
func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isTokenByte(s[i]) {
			return false
		}
	}
	return s != ""
}

func isTokenByte(c byte) bool {
	return c > ' ' && c < 0x7f && strings.IndexByte(`()<>@,;:\"/[]?=`, c) < 0
}
