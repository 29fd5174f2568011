package faults

import (
	"time"

	"github.com/siprecd/siprecd/conformance/internal/model"
)

// rfc3261dialogs are mistakes with dialogs and transactions (RFC 3261 §12 to §18).
func rfc3261dialogs() []Fault {
	return []Fault{
		{
			Name: "any-to-tag-accepted", Says: "A request is taken whatever dialog its To tag names.",
			Caught: []string{"rfc3261/12.2.2/1", "rfc3261/15.1.2/1", "rfc3261/15.1.2/2", "rfc3262/3/2"},
			Config: alters(insist(481, 200)),
		},
		{
			Name: "old-cseq-accepted", Says: "A request with a lower CSeq than the last is taken.",
			Caught: []string{"rfc3261/12.2.2/2"},
			Config: alters(insist(500, 200)),
		},
		{
			Name: "cseq-may-not-jump", Says: "A CSeq that rises by much is refused.",
			Caught: []string{"rfc3261/12.2.2/3"},
			Config: alters(when(func(m *message) bool { n, _ := m.CSeq(); return n > 8000 }, 500)),
		},
		{
			Name: "no-record-route", Says: "Record-Route is not copied into the 200.",
			Caught: []string{"rfc3261/12.1.1/1"},
			Config: alters(lacking(200, "Record-Route")),
		},
		{
			Name: "no-route", Says: "Requests of the server do not go the way of the route set.",
			Caught: []string{"rfc3261/12.2.1.1/1"},
			Config: replace("\r\nRoute: ", "\r\nX-Route: "),
		},
		{
			Name: "not-to-the-contact", Says: "Requests of the server do not name the Contact of the SRC.",
			Caught: []string{"rfc3261/12.2.1.1/1"},
			Config: replace("UPDATE sip:src@", "UPDATE sip:way@"),
		},
		{
			Name: "200-not-repeated", Says: "A 200 to an INVITE is sent once, whether its ACK comes or not, and a repeated INVITE gets no answer.",
			Caught: []string{"rfc3261/13.3.1.4/1", "rfc3261/17.2.1/1"}, Timeout: second,
			Config: func() model.Config {
				return model.Config{T1: time.Hour, Drop: func(_ *message, nth int) bool { return nth > 1 }}
			},
		},
		{
			Name: "offers-to-send", Says: "Its offer in the 200 to a re-INVITE is sendrecv.",
			Caught: []string{"rfc3261/14.2/1"},
			Config: alters(edit(1, "a=recvonly", "a=sendrecv")),
		},
		{
			Name: "bye-fails", Says: "Every BYE gets 500.",
			Caught: []string{"rfc3261/15.1.2/2"},
			Config: alters(answerAs("BYE", 1, 500)),
		},
		{
			Name: "route-is-foreign", Says: "A request with a Route is not found to be its own.",
			Caught: []string{"rfc3261/16.12/1"},
			Config: alters(holding("\r\nRoute: ", 404)),
		},
		{
			Name: "repetition-is-new", Says: "A repeated request is taken for a new one, and refused for its old CSeq.",
			Caught: []string{"rfc3261/17.2.2/1"},
			Config: func() model.Config { return model.Config{Forget: true} },
		},
	}
}
