package faults

// rfc4028 are mistakes with session timers (RFC 4028).
func rfc4028() []Fault {
	return []Fault{
		{
			Name: "timer-not-required", Says: "The SRC has to refresh, and Require does not say so.",
			Caught: []string{"rfc4028/9/1"},
			Config: alters(lacking(200, "Require")),
		},
		{
			Name: "refresher-forced", Says: "The SRC is made to refresh although it asked the server to.",
			Caught: []string{"rfc4028/9/2"},
			Config: alters(set("INVITE", "Session-Expires", "1800;refresher=uac")),
		},
		{
			Name: "min-se-too-low", Says: "The Min-SE of a 422 is below 90 s.",
			Caught: []string{"rfc4028/9/4"},
			Config: alters(setIn(422, "Min-SE", "30")),
		},
		{
			Name: "timer-forced", Says: "An SRC that does not know session timers is required to.",
			Caught: []string{"rfc4028/9/5"},
			Config: alters(set("INVITE", "Require", "timer")),
		},
	}
}
