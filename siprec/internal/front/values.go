package front

import (
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Values returns the elements of all header fields of that name, in order: lists
// are split at commas outside quotes and angle brackets (RFC 3261 §7.3.1), and
// empty elements are left out. It is for header fields whose grammar is a list.
func Values(m sip.Message, name string) []string {
	var out []string
	for _, h := range m.GetHeaders(name) {
		for _, v := range splitList(h.Value()) {
			if v != "" {
				out = append(out, v)
			}
		}
	}
	return out
}

// Header returns the value of the first header field of that name, or "".
func Header(m sip.Message, name string) string {
	if hs := m.GetHeaders(name); len(hs) > 0 {
		return hs[0].Value()
	}
	return ""
}

// ContactURI reads the first Contact of a message. params are the parameters of
// the header field and, because some SRCs write them inside the angle brackets,
// the feature tags among those of the URI (+sip.src, or src from before RFC
// 7866). raw is the value of the header field. ok is false when there is no
// Contact or its URI cannot be read; params and raw are set all the same when
// there is one.
func ContactURI(m sip.Message) (uri sip.Uri, params sip.HeaderParams, raw string, ok bool) {
	hs := m.GetHeaders("Contact")
	if len(hs) == 0 {
		return sip.Uri{}, nil, "", false
	}
	raw = hs[0].Value()
	if c, typed := hs[0].(*sip.ContactHeader); typed {
		uri, params, ok = *c.Address.Clone(), c.Params.Clone(), !c.Address.Wildcard && c.Address.Host != ""
	} else {
		_, after := new(address).cut(raw)
		params = parseParams(after)
		if a, err := parseAddress(raw); err == nil {
			uri, ok = a.uri, !a.uri.Wildcard
		}
	}
	for _, kv := range uri.UriParams {
		if isFeature(strings.ToLower(kv.K)) && !params.Has(paramName(kv.K)) {
			params.Add(paramName(kv.K), kv.V)
		}
	}
	return uri, params, raw, ok
}
