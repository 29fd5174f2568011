package front

import (
	"errors"
	"net/netip"
	"strings"

	"github.com/emiago/sipgo/sip"
)

var errURI = errors.New("unreadable URI")

// parseURI reads the URI of an address. It returns what was repaired, or "".
// URIs of other schemes are kept as they are.
func parseURI(s string) (uri sip.Uri, repair string, err error) {
	s = strings.TrimSpace(s)
	if strings.ContainsAny(s, " \t") { // RFC 3261 §25.1: none may stand in a URI
		s, repair = strings.NewReplacer(" ", "", "\t", "").Replace(s), "blank in a URI"
	}
	if s == "*" {
		err = sip.ParseUri(s, &uri)
		return uri, repair, err
	}
	if strings.ContainsAny(s, "<>\"") {
		return uri, "", errURI
	}
	if fixed := withScheme(s); fixed != s {
		s, repair = fixed, "URI without a scheme"
	}
	if err = readURI(s, &uri); err == nil {
		return uri, repair, nil
	}
	if fixed, ok := withBrackets(s); ok {
		if err = readURI(fixed, &uri); err == nil {
			return uri, "IPv6 address without brackets", nil
		}
	}
	return sip.Uri{}, "", errURI
}

// readURI is sip.ParseUri, which leaves much unsaid, with a look at the result.
func readURI(s string, uri *sip.Uri) error {
	*uri = sip.Uri{}
	if err := sip.ParseUri(s, uri); err != nil {
		return err
	}
	if uri.Scheme != "sip" && uri.Scheme != "sips" {
		if uri.Scheme == "" || uri.Raw() == "" {
			return errURI
		}
		return nil
	}
	if uri.Wildcard || uri.Port < 0 || uri.Port > 65535 || strings.HasPrefix(uri.Host, "//") {
		return errURI
	}
	uri.UriParams = uriParams(uri.UriParams)
	return nil
}

// uriParams drops parameters without a name, as in "sip:example.com;;lr".
func uriParams(p sip.HeaderParams) sip.HeaderParams {
	kept := p[:0]
	for _, kv := range p {
		if kv.K != "" {
			kept = append(kept, kv)
		}
	}
	return kept
}

// withScheme puts the scheme before a URI that has none, and the colon into
// "sip192.0.2.1:5060", which some SRCs send as their Contact.
func withScheme(s string) string {
	scheme, _, colon := strings.Cut(s, ":")
	lower := sip.ASCIIToLower(scheme)
	if colon && (lower == "sip" || lower == "sips") {
		return s
	}
	if tail, ok := strings.CutPrefix(sip.ASCIIToLower(s), "sip"); ok && hostLike(tail) {
		return "sip:" + s[len("sip"):]
	}
	if colon && strings.IndexByte(scheme, '@') < 0 && !hostLike(s) {
		return s // another scheme
	}
	if !strings.ContainsAny(s, "@.[") {
		return s
	}
	return "sip:" + s
}

// hostLike says whether s begins with an IP address, which no scheme does.
func hostLike(s string) bool {
	if strings.HasPrefix(s, "[") {
		return true
	}
	host, _, _ := strings.Cut(s, ";")
	host, _, _ = strings.Cut(host, ":")
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Is4()
}

// withBrackets puts the brackets around the IPv6 address that is the host of a
// SIP URI.
func withBrackets(s string) (string, bool) {
	begin := strings.IndexByte(s, ':') + 1
	end := begin + strings.IndexAny(s[begin:]+";", ";?")
	if at := strings.LastIndexByte(s[begin:end], '@'); at >= 0 {
		begin += at + 1
	}
	if strings.Count(s[begin:end], ":") < 2 || strings.IndexByte(s[begin:end], '[') >= 0 {
		return "", false
	}
	host, port, err := splitBareIPv6(s[begin:end])
	if err != nil {
		return "", false
	}
	if port != "" {
		port = ":" + port
	}
	return s[:begin] + "[" + host + "]" + port + s[end:], true
}
