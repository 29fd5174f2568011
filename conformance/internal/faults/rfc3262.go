package faults

// rfc3262 are mistakes with reliable provisional responses (RFC 3262 §3).
func rfc3262() []Fault {
	return []Fault{
		{
			Name: "180-without-rseq", Says: "The provisional response to an SRC that requires 100rel has no RSeq.",
			Caught: []string{"rfc3262/3/1"},
			Config: alters(lacking(180, "RSeq")),
		},
		{
			Name: "180-once", Says: "A reliable provisional response is not repeated.",
			Caught: []string{"rfc3262/3/5"}, Timeout: second,
			Config: once(func(_ *message, status int) bool { return status < 200 }),
		},
		{
			Name: "rseq-0", Says: "The RSeq of a reliable provisional response is 0.",
			Caught: []string{"rfc3262/3/6"},
			Config: alters(setIn(180, "RSeq", "0")),
		},
		{
			Name: "cancelled-is-declined", Says: "An INVITE that was cancelled gets 603.",
			Caught: []string{"rfc3262/3/3"},
			Config: alters(insist(487, 603)),
		},
		{
			Name: "glare-without-retry-after", Says: "The 500 to an INVITE that met another has no Retry-After.",
			Caught: []string{"rfc3262/3/4"},
			Config: alters(lacking(500, "Retry-After")),
		},
	}
}
