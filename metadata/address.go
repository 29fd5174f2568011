package metadata

import (
	"net/url"
	"strings"
)

// An address is what two spellings of one address have in common: the user part
// or number, and the host in lower case. Either may be empty.
type address struct{ user, host string }

// parseAddress reads an address in any spelling that metadata holds: a sip, sips
// or tel URI, with or without angle brackets and display name, user@host without
// a scheme, a bare number, a host.
func parseAddress(s string) address {
	s = addrSpec(s)
	if scheme, rest, ok := strings.Cut(s, ":"); ok {
		switch strings.ToLower(scheme) {
		case "sip", "sips", "tel":
			s = rest
		}
	}
	user, host, both := strings.Cut(s, "@")
	if !both {
		if user, _, _ = strings.Cut(s, ";"); isNumber(user) {
			return address{user: plainNumber(user)}
		}
		return address{host: hostOf(s)}
	}
	// RFC 3261 §19.1.1: user parameters and a password do not name another user here.
	user, _, _ = strings.Cut(user, ";")
	user, _, _ = strings.Cut(user, ":")
	if plain, err := url.PathUnescape(user); err == nil {
		user = plain
	}
	if isNumber(user) {
		user = plainNumber(user)
	}
	return address{user: user, host: hostOf(host)}
}

// addrSpec returns what stands in angle brackets, or all of s without them.
func addrSpec(s string) string {
	s = strings.TrimSpace(s)
	// A display name in quotes may hold brackets (RFC 3261 §25.1).
	from := 0
	if strings.HasPrefix(s, `"`) {
		if end := strings.LastIndexByte(s, '"'); end > 0 {
			from = end + 1
		}
	}
	open := strings.IndexByte(s[from:], '<')
	if open < 0 {
		return s
	}
	s = s[from+open+1:]
	if end := strings.IndexByte(s, '>'); end >= 0 {
		s = s[:end]
	}
	return strings.TrimSpace(s)
}

func hostOf(s string) string {
	if end := strings.IndexAny(s, ";?/"); end >= 0 {
		s = s[:end]
	}
	if strings.HasPrefix(s, "[") {
		if end := strings.IndexByte(s, ']'); end >= 0 {
			s = s[:end+1]
		}
	} else {
		s, _, _ = strings.Cut(s, ":")
	}
	return strings.ToLower(strings.TrimSpace(s))
}

// isNumber reports whether s is a telephone number with or without the visual
// separators of RFC 3966 §5.1.1.
func isNumber(s string) bool {
	digits := 0
	for i, c := range s {
		switch {
		case '0' <= c && c <= '9', c == '*', c == '#':
			digits++
		case c == '+' && i == 0, c == '-', c == '.', c == '(', c == ')', c == ' ':
		default:
			return false
		}
	}
	return digits > 0
}

func plainNumber(s string) string {
	return strings.Map(func(c rune) rune {
		if strings.ContainsRune("-.() ", c) {
			return -1
		}
		return c
	}, s)
}

// names reports whether the address can tell one person from another: anonymous
// callers all have the same (RFC 3323 §4.1.1.3).
func (a address) names() bool {
	return a.user != "" && !strings.EqualFold(a.user, "anonymous") && !strings.EqualFold(a.user, "unavailable") &&
		!strings.HasSuffix(a.host, ".invalid")
}

// An addressBook finds participants by their addresses, each in constant time.
type addressBook struct {
	full     map[address]ID // "" when several have it
	byUser   map[string]ID  // all, without their hosts
	hostless map[string]ID
}

func newAddressBook(ps []Participant) *addressBook {
	b := &addressBook{full: make(map[address]ID), byUser: make(map[string]ID), hostless: make(map[string]ID)}
	for _, p := range ps {
		for _, n := range p.NameIDs {
			a := parseAddress(n.AOR)
			if !a.names() {
				continue
			}
			enter(b.full, a, p.ID)
			enter(b.byUser, a.user, p.ID)
			if a.host == "" {
				enter(b.hostless, a.user, p.ID)
			}
		}
	}
	return b
}

// enter gives a key to a participant, and to nobody when two want it.
func enter[K comparable](m map[K]ID, k K, id ID) {
	if have, taken := m[k]; taken && have != id {
		id = ""
	}
	m[k] = id
}

// find returns the participant of an address, "" when there is none or several.
// An address without a host matches any.
func (b *addressBook) find(s string) ID {
	a := parseAddress(s)
	if !a.names() {
		return ""
	}
	if a.host == "" {
		return b.byUser[a.user]
	}
	if id, known := b.full[a]; known {
		return id
	}
	return b.hostless[a.user]
}

// What a number has at least in common with a longer spelling of it, and the
// longest number looked at (E.164 knows 15 digits).
const minTail, maxDigits = 7, 20

// findTail returns the participant whose number is the end of a longer one: the
// international spelling of a national number.
func (b *addressBook) findTail(s string) ID {
	if id := b.find(s); id != "" {
		return id
	}
	n := strings.TrimPrefix(parseAddress(s).user, "+")
	if len(n) > maxDigits {
		return ""
	}
	for ; len(n) >= minTail; n = n[1:] {
		if id := b.byUser[n]; id != "" {
			return id
		}
	}
	return ""
}
