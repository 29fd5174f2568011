package front

import (
	"errors"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// An address is the value of a From, To, Contact, Route ... element:
// [ display-name ] <URI> *( ;param ), or a URI without brackets.
type address struct {
	display string // without its quotes; escapes stay
	uri     sip.Uri
	params  sip.HeaderParams
	repairs []string
}

var errAddress = errors.New("unreadable address")

// parseAddress reads one element (RFC 3261 §20.10) and repairs what has one
// meaning only.
func parseAddress(s string) (address, error) {
	var a address
	uri, params := a.cut(strings.TrimSpace(s))
	var repair string
	var err error
	a.uri, repair, err = parseURI(uri)
	if err != nil {
		return address{}, errAddress
	}
	if repair != "" {
		a.repaired(repair)
	}
	a.params = parseParams(params)
	return a, nil
}

func (a *address) repaired(what string) { a.repairs = append(a.repairs, what) }

// cut takes the display name off and returns the URI and the parameters.
func (a *address) cut(s string) (uri, params string) {
	name, rest, bracket := "", s, false
	if n := quotedLen(s); n > 0 {
		a.display, s = s[1:n-1], strings.TrimSpace(s[n:])
		name, rest, bracket = strings.Cut(s, "<")
		if strings.TrimSpace(name) != "" {
			a.repaired("text between display name and URI")
		}
	} else if name, rest, bracket = strings.Cut(s, "<"); bracket {
		a.display = a.unquoted(strings.TrimSpace(name))
	}
	if !bracket {
		// RFC 3261 §20.10: without brackets parameters belong to the header field.
		uri, params, _ = strings.Cut(s, ";")
		return uri, params
	}
	uri, params, closed := strings.Cut(rest, ">")
	if !closed {
		a.repaired("no > after a URI")
		return cutHeaderParams(rest)
	}
	if before, after, _ := strings.Cut(params, ";"); strings.TrimSpace(before) != "" {
		a.repaired("text after a URI")
		params = after
	}
	return uri, params
}

// quotedLen is the length of the quoted string at the start of s, or 0.
func quotedLen(s string) int {
	if s == "" || s[0] != '"' {
		return 0
	}
	return quotedEnd(s)
}

// unquoted makes a display name without quotes fit to stand between them, as it
// is written.
func (a *address) unquoted(name string) string {
	if strings.IndexByte(name, '"') >= 0 {
		a.repaired("unbalanced quote in a display name")
		name = strings.TrimSpace(strings.ReplaceAll(name, `"`, ""))
	}
	return strings.ReplaceAll(name, `\`, `\\`)
}

// cutHeaderParams ends a URI that lacks its bracket before the first parameter
// that can only belong to the header field.
func cutHeaderParams(s string) (uri, params string) {
	for at := 0; ; {
		i := strings.IndexByte(s[at:], ';')
		if i < 0 {
			return s, ""
		}
		at += i + 1
		name, _, _ := strings.Cut(s[at:], ";")
		name, _, _ = strings.Cut(name, "=")
		name = sip.ASCIIToLower(strings.TrimSpace(name))
		switch {
		case name == "tag", name == "q", name == "expires", isFeature(name):
			return s[:at-1], s[at:]
		}
	}
}

// isFeature says whether a parameter name in lower case is a media feature tag
// of SIP (RFC 3840) or the src that older SRCs write for +sip.src.
func isFeature(name string) bool { return strings.HasPrefix(name, "+") || name == "src" }
