package faults

// rfc5761 are mistakes with RTP and RTCP on one port (RFC 5761).
func rfc5761() []Fault {
	return []Fault{
		{
			Name: "mux-not-offered", Says: "rtcp-mux is answered where it was not offered.",
			Caught: []string{"rfc5761/5.1.1/1"},
			Config: alters(edit(0, "a=recvonly", "a=rtcp-mux\r\na=recvonly")),
		},
	}
}
