package faults

import "github.com/siprecd/siprecd/conformance/internal/model"

// rfc3711 are mistakes with SRTP (RFC 3711).
func rfc3711() []Fault {
	return []Fault{
		{
			Name: "trusts-everybody", Says: "SRTP is taken that is not authentic, or came before.",
			Caught: []string{"rfc3711/3.3/1", "rfc3711/3.3.2/1"},
			Config: func() model.Config { return model.Config{Trusting: true} },
		},
		{
			Name: "reports-in-the-clear", Says: "Reports about a stream of SRTP are not protected.",
			Caught: []string{"rfc3711/3.4/1"},
			Config: func() model.Config { return model.Config{PlainReports: true} },
		},
		{
			Name: "one-source-of-a-key", Says: "Of the sources under one key the first only is received.",
			Caught: []string{"rfc3711/9.1/1"},
			Config: firstSource(),
		},
	}
}
