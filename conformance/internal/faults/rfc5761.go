package faults

import "github.com/siprecd/siprecd/conformance/internal/model"

// rfc5761 are mistakes with RTP and RTCP on one port (RFC 5761).
func rfc5761() []Fault {
	return []Fault{
		{
			Name: "mux-not-offered", Says: "rtcp-mux is answered where it was not offered.",
			Caught: []string{"rfc5761/5.1.1/1"},
			Config: alters(edit(0, "a=recvonly", "a=rtcp-mux\r\na=recvonly")),
		},
		{
			Name: "mux-answered-not-done", Says: "rtcp-mux is answered, and RTCP leaves from the next port all the same.",
			Caught: []string{"rfc5761/5.1.1/2"},
			Config: func() model.Config { return model.Config{NextPort: true} },
		},
		{
			Name: "mux-drops-rtcp", Says: "RTCP that comes to the port of RTP is dropped.",
			Caught: []string{"rfc5761/4/1"},
			Config: func() model.Config { return model.Config{AlterReport: lastSR(0)} },
		},
	}
}
