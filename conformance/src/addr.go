package src

import (
	"fmt"
	"strings"
)

// A Param is one parameter of a header field or URI. HasValue tells ";x" from
// ";x=".
type Param struct {
	Name, Value string
	HasValue    bool
}

// An Addr is a name-addr or addr-spec with its header parameters (RFC 3261
// §20.10). URI parameters stay inside URI, so that a feature tag inside the
// angle brackets is told from one outside.
type Addr struct {
	Display string
	URI     string
	Params  []Param
}

// ParseAddr reads one element of a From, To, Contact or Record-Route field.
func ParseAddr(v string) (Addr, error) {
	v = strings.TrimSpace(v)
	open := indexOutside(v, '<')
	if open < 0 {
		// RFC 3261 §20: without angle brackets parameters belong to the header.
		uri, params, _ := strings.Cut(v, ";")
		if uri = strings.TrimSpace(uri); uri == "" {
			return Addr{}, fmt.Errorf("address %q has no URI", clip(v))
		}
		return Addr{URI: uri, Params: parseParams(params)}, nil
	}
	length := strings.IndexByte(v[open:], '>')
	if length < 0 {
		return Addr{}, fmt.Errorf("address %q has no closing bracket", clip(v))
	}
	a := Addr{
		Display: strings.Trim(strings.TrimSpace(v[:open]), `"`),
		URI:     strings.TrimSpace(v[open+1 : open+length]),
	}
	rest := strings.TrimSpace(v[open+length+1:])
	if rest != "" && rest[0] != ';' {
		return Addr{}, fmt.Errorf("address %q goes on after the bracket", clip(v))
	}
	a.Params = parseParams(strings.TrimPrefix(rest, ";"))
	return a, nil
}

func parseParams(s string) []Param {
	var out []Param
	for _, p := range splitOutside(s, ';') {
		name, value, has := strings.Cut(p, "=")
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		out = append(out, Param{name, strings.Trim(strings.TrimSpace(value), `"`), has})
	}
	return out
}

// Param looks a header parameter up, without case.
func (a Addr) Param(name string) (value string, found bool) {
	for _, p := range a.Params {
		if strings.EqualFold(p.Name, name) {
			return p.Value, true
		}
	}
	return "", false
}

// Feature says whether a boolean feature tag is set as a header parameter:
// present without a value or as "TRUE" (RFC 3840 §9).
func (a Addr) Feature(name string) bool {
	for _, p := range a.Params {
		if strings.EqualFold(p.Name, name) {
			return !p.HasValue || strings.EqualFold(p.Value, "TRUE")
		}
	}
	return false
}

// splitOutside splits at a separator that is neither in quotes nor in angle
// brackets.
func splitOutside(s string, sep byte) []string {
	var out []string
	start := 0
	for {
		i := indexOutside(s[start:], sep)
		if i < 0 {
			return append(out, s[start:])
		}
		out = append(out, s[start:start+i])
		start += i + 1
	}
}

// indexOutside finds a byte outside quotes and angle brackets.
func indexOutside(s string, c byte) int {
	quoted, depth := false, 0
	for i := 0; i < len(s); i++ {
		switch b := s[i]; {
		case quoted:
			if b == '\\' {
				i++
			} else if b == '"' {
				quoted = false
			}
		case b == c && depth == 0:
			return i
		case b == '"':
			quoted = true
		case b == '<':
			depth++
		case b == '>' && depth > 0:
			depth--
		}
	}
	return -1
}
