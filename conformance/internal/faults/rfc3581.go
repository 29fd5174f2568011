package faults

import (
	"net/netip"
	"strings"

	"github.com/siprecd/siprecd/conformance/internal/model"
)

// rfc3581 are mistakes with the way of responses (RFC 3581).
func rfc3581() []Fault {
	return []Fault{
		{
			Name: "wrong-rport", Says: "The rport of a response is not the port that the request came from.",
			Caught: []string{"rfc3581/4/1"},
			Config: alters(via(func(_ int, value string) string { return strings.Replace(value, ";rport=", ";rport=1", 1) })),
		},
		{
			Name: "rport-ignored", Says: "A response goes to the port of the Via although rport asks for the source port.",
			Caught: []string{"rfc3581/4/2"}, Timeout: second,
			Config: func() model.Config {
				return model.Config{Destination: func(m *message, right netip.AddrPort) netip.AddrPort {
					if strings.Contains(m.Get("Via"), ":9;") {
						return netip.AddrPortFrom(right.Addr(), 9)
					}
					return right
				}}
			},
		},
		{
			Name: "received-left-out", Says: "received is left out where the Via names the source address.",
			Caught: []string{"rfc3581/4/3"},
			Config: alters(via(func(_ int, value string) string {
				before, source, found := strings.Cut(value, ";received=")
				if found && strings.Contains(before, " "+source+":") {
					return before
				}
				return value
			})),
		},
	}
}
