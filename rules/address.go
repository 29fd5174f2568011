package rules

import (
	"net/netip"
	"net/url"
	"strings"
)

// Numbering says how numbers are dialled where the SRC stands. The zero Numbering
// takes numbers as they are, but for 00, which is + before a long number.
type Numbering struct {
	CountryCode   string `yaml:"country_code"`    // digits, such as 49
	Trunk         string `yaml:"trunk"`           // national prefix, such as 0
	International string `yaml:"international"`   // international prefix; 00 when empty
	National      int    `yaml:"national_length"` // digits of a national number without prefix; 0 when they vary
}

// An Address is an address of a party in a form that can be compared.
type Address struct {
	User   string // without parameters, decoded
	Host   string // lower case, without port
	Number string // digits, with + when international; empty when the user is no number
	Phone  bool   // said to be a telephone number: tel, user=phone (RFC 3261 §19.1.6)
	Urn    string // a service instead of all this (RFC 5031), lower case
}

// Digits of numbers. A number of E.164 has up to 15; one without + that has at
// least whole of them holds its country code, since national ones are shorter.
const (
	whole     = 11
	long      = 8 // what is shorter is no number of another network
	longest   = 15
	shortest  = 3 // of an extension
	extension = 6 // longest extension
)

// Address reads an address as an SRC writes it: a sip, sips or tel URI, in angle
// brackets or not, with a display name or not, user@host, a host or a number.
func (n Numbering) Address(raw string) Address {
	s := strings.TrimSpace(raw)
	if open := strings.LastIndexByte(s, '<'); open >= 0 {
		s, _, _ = strings.Cut(s[open+1:], ">")
	}
	scheme, rest, found := strings.Cut(s, ":")
	switch scheme = strings.ToLower(scheme); {
	case found && (scheme == "sip" || scheme == "sips" || scheme == "tel"):
		s = rest
	case found && scheme == "urn":
		return Address{Urn: strings.ToLower(s)}
	default:
		scheme = ""
	}
	i := strings.LastIndexByte(s, '@')
	if i < 0 {
		return n.lone(s, scheme)
	}
	user, host := s[:i], s[i+1:]
	host, uriParams, _ := strings.Cut(host, ";")
	host, _, _ = strings.Cut(host, "?")
	user, userParams, _ := strings.Cut(user, ";")
	user, _, _ = strings.Cut(user, ":") // a password
	if decoded, err := url.PathUnescape(user); err == nil {
		user = decoded
	}
	a := Address{User: user, Host: cleanHost(host), Phone: param(uriParams, "user") == "phone"}
	// Some networks tell the kind of number beside the URI: noa=international.
	a.Number = n.number(user, a.Phone, param(uriParams, "noa"), userParams)
	return a
}

// lone reads what has no @: a tel URI, a number, or a host (RFC 7865 §6.5.1).
func (n Numbering) lone(s, scheme string) Address {
	body, params, _ := strings.Cut(s, ";")
	body = strings.TrimSpace(body)
	if _, err := netip.ParseAddr(body); err == nil {
		return Address{Host: body}
	}
	a := Address{Phone: scheme == "tel" || param(params, "user") == "phone"}
	a.Number = n.number(body, true, param(params, "noa"), params)
	if a.Number == "" {
		a.Host = cleanHost(body)
		return a
	}
	a.User = body
	if context := param(params, "phone-context"); context != "" && context[0] != '+' {
		a.Host = cleanHost(context) // RFC 3966 §5.1.5
	}
	return a
}

// number returns a user part as number. Dots are separators only in what is said
// to be a number (RFC 3966 §5.1.1): 192.0.2.1 is none.
func (n Numbering) number(user string, phone bool, kind, params string) string {
	digits := digitsOf(user, phone)
	if digits == "" {
		return ""
	}
	context := param(params, "phone-context")
	switch {
	case digits[0] == '+':
	case strings.HasPrefix(context, "+"):
		digits = "+" + digitsOf(context[1:], true) + digits
	case kind == "international" && len(digits) >= long:
		digits = "+" + digits
	default:
		digits = n.dialled(digits)
	}
	if ext := digitsOf(param(params, "ext"), true); ext != "" {
		digits += ";ext=" + ext
	}
	return digits
}

// dialled takes the prefixes of the numbering plan off a number.
func (n Numbering) dialled(digits string) string {
	international := n.International
	if international == "" {
		international = "00"
	}
	rest, cut := strings.CutPrefix(digits, international)
	if cut && len(rest) >= long {
		return "+" + rest
	}
	if n.CountryCode == "" {
		return digits
	}
	fits := func(s string) bool {
		if n.National == 0 {
			return len(s) >= long
		}
		return len(s) == n.National
	}
	if rest, cut := strings.CutPrefix(digits, n.Trunk); cut && n.Trunk != "" && fits(rest) {
		return "+" + n.CountryCode + rest
	}
	if n.National == 0 {
		return digits
	}
	if rest, cut := strings.CutPrefix(digits, n.CountryCode); cut && fits(rest) {
		return "+" + digits
	}
	if fits(digits) {
		return "+" + n.CountryCode + digits
	}
	return digits
}

// digitsOf returns digits without visual separators, or "" when there is
// anything else.
func digitsOf(s string, dots bool) string {
	var b strings.Builder
	for i, c := range strings.TrimSpace(s) {
		switch {
		case c >= '0' && c <= '9', c == '+' && i == 0:
			b.WriteRune(c)
		case c == '-' || c == '(' || c == ')' || c == ' ' || c == '\u00a0' || c == '.' && dots:
		default:
			return ""
		}
	}
	if out := b.String(); strings.TrimPrefix(out, "+") != "" {
		return out
	}
	return ""
}

func param(params, name string) string {
	for params != "" {
		var p string
		p, params, _ = strings.Cut(params, ";")
		key, value, _ := strings.Cut(p, "=")
		if strings.EqualFold(strings.TrimSpace(key), name) {
			return strings.ToLower(strings.TrimSpace(value))
		}
	}
	return ""
}

func cleanHost(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if rest, bracket := strings.CutPrefix(s, "["); bracket {
		s, _, _ = strings.Cut(rest, "]")
	} else if strings.Count(s, ":") == 1 {
		s, _, _ = strings.Cut(s, ":")
	}
	return strings.TrimSuffix(s, ".")
}

// numberKey is equal for two numbers that are the same: + is left out only where
// the country code is certainly there. No suffix is ever enough.
func numberKey(number string) string {
	digits, _, _ := strings.Cut(number, ";")
	if digits[0] == '+' {
		return number[1:]
	}
	if len(digits) >= whole {
		return number
	}
	return "=" + number
}

// Same reports whether two addresses are those of one party. Users are compared
// without case, against RFC 3261 §19.1.4: nobody gives two people addresses that
// differ in nothing else. Short numbers are only the same at the same host.
func (a Address) Same(b Address) bool {
	if a.Urn != "" { // of b alone: it has no user, number or host
		return a.Urn == b.Urn
	}
	hosts := a.Host == b.Host || a.Host == "" || b.Host == ""
	if a.Number != "" && b.Number != "" {
		key := numberKey(a.Number)
		return key == numberKey(b.Number) && (hosts || len(key) > long)
	}
	if a.User == "" {
		return b.User == "" && a.Host != "" && a.Host == b.Host
	}
	return hosts && strings.EqualFold(a.User, b.User)
}

// endsAlike reports whether the shorter number ends the longer one and has at
// least so many digits. It is only for dialects that write one number in two
// ways (see dialectRow).
func (a Address) endsAlike(b Address, least int) bool {
	x, y := strings.TrimPrefix(a.Number, "+"), strings.TrimPrefix(b.Number, "+")
	return least != 0 && min(len(x), len(y)) >= least && (strings.HasSuffix(x, y) || strings.HasSuffix(y, x))
}

// isShort reports whether the number can be an extension. Emergency numbers are
// as short and belong to nobody here.
func (a Address) isShort() bool {
	switch a.Number {
	case "000", "110", "112", "113", "115", "117", "118", "119", "911", "933", "999":
		return false
	}
	return !a.Phone && len(a.Number) >= shortest && len(a.Number) <= extension && a.Number[0] != '+'
}

// isLong reports whether the number is one of the telephone network.
func (a Address) isLong() bool {
	return a.Number != "" && (a.Number[0] == '+' || len(a.Number) > long)
}

// aor is the key of an address with a user and a host; "" for others.
func (a Address) aor() string {
	if a.User == "" || a.Host == "" {
		return ""
	}
	return strings.ToLower(a.User) + "@" + a.Host
}
