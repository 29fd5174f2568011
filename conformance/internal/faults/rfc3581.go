package faults

import "strings"

// rfc3581 are mistakes with the way of responses (RFC 3581).
func rfc3581() []Fault {
	return []Fault{
		{
			Name: "wrong-rport", Says: "The rport of a response is not the port that the request came from.",
			Caught: []string{"rfc3581/4/1"},
			Config: alters(via(func(_ int, value string) string { return strings.Replace(value, ";rport=", ";rport=1", 1) })),
		},
	}
}
