package faults

import "strings"

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
			Caught: []string{"rfc4028/9/2", "rfc4028/9/7"},
			Config: alters(set("INVITE", "Session-Expires", "1800;refresher=uac")),
		},
		{
			Name: "min-se-too-low", Says: "The Min-SE of a 422 is below 90 s.",
			Caught: []string{"rfc4028/9/4"},
			Config: alters(setIn(422, "Min-SE", "30")),
		},
		{
			Name: "refresher-left-open", Says: "The 200 does not say who refreshes.",
			Caught: []string{"rfc4028/9/6"},
			Config: alters(set("INVITE", "Session-Expires", "1800")),
		},
		{
			Name: "refresh-without-interval", Says: "A re-INVITE that refreshes gets a 200 without Session-Expires.",
			Caught: []string{"rfc4028/9/8"},
			Config: alters(always(func(m *message, r *response) {
				if m.Method == "INVITE" && strings.Contains(m.Get("To"), ";tag=") {
					r.Remove("Session-Expires")
				}
			})),
		},
		{
			Name: "min-se-ignored", Says: "The interval is made shorter than the SRC allows.",
			Caught: []string{"rfc4028/9/9"},
			Config: alters(set("INVITE", "Session-Expires", "1800;refresher=uac")),
		},
		{
			Name: "422-without-min-se", Says: "A 422 does not say how short an interval may be.",
			Caught: []string{"rfc4028/9/4", "rfc4028/9/10"},
			Config: alters(lacking(422, "Min-SE")),
		},
		{
			Name: "never-refreshes", Says: "It takes it upon itself to refresh, and does not.",
			Caught: []string{"rfc4028/7.4/1"}, Timeout: second,
			Config: mute("UPDATE"),
		},
		{
			Name: "never-expires", Says: "A recording session that nobody refreshes goes on for ever.",
			Caught: []string{"rfc4028/10/1"}, Timeout: 2 * second,
			Config: mute("BYE"),
		},
		{
			Name: "timer-forced", Says: "An SRC that does not know session timers is required to.",
			Caught: []string{"rfc4028/9/5"},
			Config: alters(set("INVITE", "Require", "timer")),
		},
	}
}
