package faults

import (
	"regexp"
	"strings"

	"github.com/siprecd/siprecd/conformance/internal/model"
)

// rfc4568 are mistakes with keys in SDP (RFC 4568).
func rfc4568() []Fault {
	return []Fault{
		{
			Name: "another-crypto-tag", Says: "The accepted crypto attribute is answered under another tag.",
			Caught: []string{"rfc4568/5.1.2/1"},
			Config: alters(edit(0, "a=crypto:1", "a=crypto:3")),
		},
		{
			Name: "one-key-for-all", Says: "Two streams are answered with one key.",
			Caught: []string{"rfc4568/5.1.2/2"},
			Config: alters(keyed(func(_ int, first, _ string) string { return first })),
		},
		{
			Name: "savp-without-key-taken", Says: "A stream of RTP/SAVP without a crypto attribute is taken.",
			Caught: []string{"rfc4568/5.1.2/3", "rfc4568/5.1.2/6"},
			Config: alters(port(0, "4000")),
		},
		{
			Name: "invalid-crypto-chosen", Says: "A crypto attribute with parameters that nobody knows is accepted.",
			Caught: []string{"rfc4568/5.1.2/4"},
			Config: alters(edit(0, "a=crypto:7", "a=crypto:1")),
		},
		{
			Name: "savpf-answered-savp", Says: "RTP/SAVPF is answered with RTP/SAVP.",
			Caught: []string{"rfc4568/5.1.2/5"},
			Config: alters(profile("RTP/SAVP")),
		},
		{
			Name: "invalid-crypto-taken", Says: "A crypto attribute is taken whose key, lifetime or MKI is invalid.",
			Caught: []string{"rfc4568/6.1/1", "rfc4568/6.1/2", "rfc4568/6.1/3"},
			Config: alters(port(1, "4000")),
		},
		{
			Name: "lifetime-not-understood", Says: "A key with a lifetime is refused.",
			Caught: []string{"rfc4568/6.1/4"},
			Config: alters(refuseLine(1, "|2^31")),
		},
		{
			Name: "mki-taken-for-tag", Says: "A key with an MKI is accepted, and packets with an MKI are taken for forged ones.",
			Caught: []string{"rfc4568/6.1/5"},
			Config: func() model.Config {
				return model.Config{AlterKey: func(_ int, key string) string {
					plain, _, _ := strings.Cut(key, "|")
					return plain
				}}
			},
		},
		{
			Name: "another-suite", Says: "AES_CM_128_HMAC_SHA1_32 is answered as AES_CM_128_HMAC_SHA1_80.",
			Caught: []string{"rfc4568/6.2/1"},
			Config: alters(edit(0, "SHA1_32", "SHA1_80")),
		},
		{
			Name: "clear-srtcp-not-told", Says: "UNENCRYPTED_SRTCP is accepted, and missing in the answer.",
			Caught: []string{"rfc4568/6.3.2/1"},
			Config: alters(edit(0, " UNENCRYPTED_SRTCP", "")),
		},
		{
			Name: "window-not-understood", Says: "A key with a hint of the window size is refused.",
			Caught: []string{"rfc4568/6.3.6/1"},
			Config: alters(refuseLine(0, " WSH=64")),
		},
		{
			Name: "dash-not-understood", Says: "A key with an optional parameter that is unknown is refused.",
			Caught: []string{"rfc4568/6.3.7/1"},
			Config: alters(refuseLine(0, " -X-UNHEARD")),
		},
		{
			Name: "first-key-for-ever", Says: "The first key of a stream stays, whatever later offers say.",
			Caught: []string{"rfc4568/7.1.4/1"},
			Config: func() model.Config {
				first := make(map[int]string)
				return model.Config{AlterKey: func(i int, key string) string {
					if first[i] == "" {
						first[i] = key
					}
					return first[i]
				}}
			},
		},
		{
			Name: "crypto-stays", Says: "A stream that was SRTP is answered with a key after that, too.",
			Caught: []string{"rfc4568/7.1.4/4"},
			Config: alters(edit(1, "RTP/AVP 0 8\r\n", "RTP/AVP 0 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:"+strings.Repeat("A", 40)+"\r\n")),
		},
		{
			Name: "counters-begin-anew", Says: "Each offer begins the rollover counters anew.",
			Caught: []string{"rfc4568/7.1.4/2"},
			Config: func() model.Config { return model.Config{NewCounters: true} },
		},
		{
			Name: "own-key-changes", Says: "Each answer has another key.",
			Caught: []string{"rfc4568/7.1.4/3"},
			Config: alters(changingKeys()),
		},
	}
}

// refuseLine answers an m-line with port 0 when the request holds some text.
func refuseLine(i int, text string) mistake {
	refused := port(i, "0")()
	return always(func(req *message, r *response) {
		if strings.Contains(string(req.Body), text) {
			refused(req, r)
		}
	})
}

// inlineKey is a key in a description.
var inlineKey = regexp.MustCompile(`inline:[A-Za-z0-9+/=]+`)

// keyed gives the streams other keys than they were to have; change has the place of
// the key in the description, from 0, the first one of it, and the key itself.
func keyed(change func(i int, first, own string) string) mistake {
	return always(func(_ *message, r *response) {
		i, first := -1, ""
		r.SDP = inlineKey.ReplaceAllStringFunc(r.SDP, func(own string) string {
			if i++; i == 0 {
				first = own
			}
			return change(i, first, own)
		})
	})
}

// changingKeys gives another key with each description.
func changingKeys() mistake {
	return func() alter {
		n := 0
		return func(req *message, r *response) {
			n++
			keyed(func(int, string, string) string { return "inline:" + strings.Repeat(string(rune('A'+n%26)), 40) })()(req, r)
		}
	}
}
