package front

import (
	"strings"

	"github.com/emiago/sipgo/sip"
)

// parseParams reads ;name=value;name ... (RFC 3261 §25.1, generic-param). s may
// or may not begin with the semicolon. Quotes around a value stay, so that it is
// written as it was read, unless it holds blanks: then they are added again when
// it is written. Names that the SIP elements themselves use are lowered.
func parseParams(s string) sip.HeaderParams {
	var params sip.HeaderParams
	for _, one := range splitOutside(s, ';') {
		name, value, _ := strings.Cut(one, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if name == "" {
			continue
		}
		if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' && strings.ContainsAny(value, " \t") {
			value = value[1 : len(value)-1]
		}
		params = append(params, sip.HeaderKV{K: paramName(name), V: value})
	}
	return params
}

// paramName lowers the names that are looked up by their usual spelling
// (RFC 3261 §7.3.1: parameter names are compared without case).
func paramName(name string) string {
	switch lower := sip.ASCIIToLower(name); lower {
	case "tag", "branch", "rport", "received", "maddr", "ttl", "lr", "expires", "q", "+sip.src", "src":
		return lower
	}
	return name
}
