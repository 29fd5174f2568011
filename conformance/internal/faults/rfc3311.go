package faults

// rfc3311 are mistakes with UPDATE (RFC 3311).
func rfc3311() []Fault {
	return []Fault{
		{
			Name: "update-not-allowed", Says: "The Allow of the 200 does not list UPDATE.",
			Caught: []string{"rfc3311/4/1"},
			Config: alters(set("INVITE", "Allow", "INVITE, ACK, BYE")),
		},
		{
			Name: "update-answered-as-before", Says: "The answer to an UPDATE does not pause what the offer pauses.",
			Caught: []string{"rfc3311/5.2/1"},
			Config: alters(edit(1, "a=inactive", "a=recvonly")),
		},
		{
			Name: "update-without-answer", Says: "The 200 to an UPDATE with an offer has no answer.",
			Caught: []string{"rfc3311/5.2/1"},
			Config: alters(always(func(req *message, r *response) {
				if req.Method == "UPDATE" {
					r.SDP = ""
				}
			})),
		},
		{
			Name: "update-always-answered", Says: "The 200 to an UPDATE without an offer has a description.",
			Caught: []string{"rfc3311/5.2/2", "rfc4028/9/3", "rfc7866/9.1/2"},
			Config: alters(updateWithSDP()),
		},
	}
}
