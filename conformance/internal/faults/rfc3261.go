package faults

// rfc3261 are mistakes with single requests (RFC 3261 §7 to §11).
func rfc3261() []Fault {
	return []Fault{
		{
			Name: "420-never-sent", Says: "An option that it does not know is taken for one that it does.",
			Caught: []string{"rfc3261/8.2.2.3/1", "rfc3261/8.2.2.3/2", "rfc3261/8.2.2.3/3", "rfc3261/7.3.1/1", "rfc3261/7.3.1/2"},
			Config: alters(insist(420, 200)),
		},
		{
			Name: "420-without-unsupported", Says: "A 420 does not say which option is unknown.",
			Caught: []string{"rfc3261/8.2.2.3/1", "rfc3261/7.3.1/2"},
			Config: alters(lacking(420, "Unsupported")),
		},
		{
			Name: "unsupported-lists-siprec", Says: "A 420 calls siprec unknown too.",
			Caught: []string{"rfc3261/8.2.2.3/1"},
			Config: alters(setIn(420, "Unsupported", "siprec, x-unheard-of")),
		},
		{
			Name: "options-mind-no-require", Says: "Require is not looked at in OPTIONS.",
			Caught: []string{"rfc3261/8.2.2.3/2"},
			Config: alters(answerAs("OPTIONS", 2, 200)),
		},
		{
			Name: "refused-offer-is-applied", Says: "A re-INVITE that is refused with 420 changes the streams all the same.",
			Caught: []string{"rfc3261/8.2.2.3/3"},
			Config: alters(edit(1, "a=recvonly", "a=inactive")),
		},
		{
			Name: "compact-names-unknown", Says: "Compact names of header fields are not read.",
			Caught: []string{"rfc3261/7.3.3/1"},
			Config: alters(holding("\r\nf: ", 400)),
		},
		{
			Name: "max-forwards-0-refused", Says: "A request that has arrived with Max-Forwards 0 gets 483.",
			Caught: []string{"rfc3261/8.1.1.6/1"},
			Config: alters(holding("Max-Forwards: 0\r\n", 483)),
		},
		{
			Name: "any-method-taken", Says: "A method that nobody knows is answered 200.",
			Caught: []string{"rfc3261/8.2.1/1", "rfc3261/8.2.1/2"},
			Config: alters(insist(405, 200)),
		},
		{
			Name: "allow-lists-the-unknown", Says: "The Allow of a 405 repeats the method that it refuses.",
			Caught: []string{"rfc3261/8.2.1/1"},
			Config: alters(set("UNHEARD", "Allow", "UNHEARD")),
		},
		{
			Name: "any-body-taken", Says: "A body of unknown type is taken.",
			Caught: []string{"rfc3261/8.2.3/1", "rfc5621/8/3"},
			Config: alters(insist(415, 200)),
		},
		{
			Name: "415-without-accept", Says: "A 415 does not say what is understood.",
			Caught: []string{"rfc3261/8.2.3/1"},
			Config: alters(lacking(415, "Accept")),
		},
		{
			Name: "415-without-accept-encoding", Says: "A 415 for an encoding does not say which are understood.",
			Caught: []string{"rfc3261/8.2.3/2"},
			Config: alters(lacking(415, "Accept-Encoding")),
		},
		{
			Name: "another-call-id", Says: "Responses have a Call-ID of the server's own.",
			Caught: []string{"rfc3261/8.2.6.2/1"}, Timeout: second,
			Config: alters(always(func(_ *message, r *response) { r.CallID = "another" })),
		},
		{
			Name: "cancel-fails", Says: "Every CANCEL gets 500.",
			Caught: []string{"rfc3261/9.2/1"},
			Config: alters(answerAs("CANCEL", 1, 500)),
		},
		{
			Name: "any-cancel-taken", Says: "A CANCEL that matches no INVITE is answered 200.",
			Caught: []string{"rfc3261/9.2/2"},
			Config: alters(answerAs("CANCEL", 1, 200)),
		},
		{
			Name: "options-without-metadata", Says: "The Accept of OPTIONS does not list metadata.",
			Caught: []string{"rfc3261/11.2/1"},
			Config: alters(set("OPTIONS", "Accept", "application/sdp")),
		},
		{
			Name: "one-via-returned", Says: "Responses have the topmost Via only.",
			Caught: []string{"rfc3261/18.2.1/1"},
			Config: alters(via(func(i int, value string) string {
				if i > 0 {
					return ""
				}
				return value
			})),
		},
	}
}
