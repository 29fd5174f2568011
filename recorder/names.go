package recorder

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// maxName is the longest name part of a file, in bytes.
const maxName = 40

// fileName is the name of a track's file: its number and the first candidate
// of which something is left after sanitising.
func fileName(number int, candidates ...string) string {
	for _, c := range candidates {
		if s := sanitise(c); s != "" {
			return fmt.Sprintf("%02d-%s.wav", number, s)
		}
	}
	return fmt.Sprintf("%02d-unknown.wav", number)
}

// sanitise leaves of a text from the wire what is safe in a file name on any
// system: at most 40 of [A-Za-z0-9._-], not beginning or ending with a dot and
// not the name of a device. It is empty when nothing is left.
func sanitise(s string) string {
	var b strings.Builder
	gap := false
	for i := 0; i < len(s) && b.Len() < maxName; i++ {
		c := s[i]
		if !isNameByte(c) {
			gap = true
			continue
		}
		if gap && b.Len() > 0 && b.Len() < maxName-1 {
			b.WriteByte('-')
		}
		gap = false
		b.WriteByte(c)
	}
	name := strings.Trim(b.String(), ".-")
	if isDevice(name) {
		return "_" + name[:min(len(name), maxName-1)]
	}
	return name
}

func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-'
}

// isDevice reports whether Windows takes the name for a device, whatever stands
// behind the first dot.
func isDevice(name string) bool {
	base, _, _ := strings.Cut(strings.ToLower(name), ".")
	if len(base) == 4 && (strings.HasPrefix(base, "com") || strings.HasPrefix(base, "lpt")) {
		return '0' <= base[3] && base[3] <= '9'
	}
	return slices.Contains([]string{"con", "prn", "aux", "nul"}, base)
}

// userPart is the user part of an address of record: of a sip or sips URI what
// stands before the @ (RFC 3261 §19.1.1), of a tel URI the number (RFC 3966 §3);
// of anything else, the whole. It is empty for a URI of a host alone.
func userPart(aor string) string {
	aor = strings.TrimSpace(aor)
	scheme, rest, found := strings.Cut(aor, ":")
	scheme = strings.ToLower(scheme)
	isSIP := found && (scheme == "sip" || scheme == "sips")
	if isSIP || found && scheme == "tel" {
		aor = rest
	}
	user, _, hasHost := strings.Cut(aor, "@")
	if isSIP && !hasHost {
		return ""
	}
	user, _, _ = strings.Cut(user, ";")
	if isSIP {
		user, _, _ = strings.Cut(user, ":") // a password
	}
	if plain, err := url.PathUnescape(user); err == nil {
		return plain
	}
	return user
}
