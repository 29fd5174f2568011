package faults

import "strings"

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
			Config: alters(edit(0, strings.Repeat("B", 40), strings.Repeat("A", 40))),
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
	}
}
