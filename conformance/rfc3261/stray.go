package rfc3261

import (
	"context"
	"fmt"
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// strays are the cases of messages that belong to nothing (RFC 3261 §17, §18.1.2).
func strays() []check.Case {
	return []check.Case{
		stray("rfc3261/17.2.3/1", "RFC 3261 §17.2.3, §13.2.2.4", "An ACK that belongs to nothing is never answered.", "ACK",
			func(address string) string { return "ACK sip:" + address + " SIP/2.0" }),
		stray("rfc3261/18.1.2/1", "RFC 3261 §18.1.2, §8.1.3", "A response that belongs to no request is passed over.", "INVITE",
			func(string) string { return "SIP/2.0 200 OK" }),
	}
}

// stray sends a message that wants no answer, and looks for one.
func stray(id, section, requirement, method string, start func(address string) string) check.Case {
	return check.Case{
		ID: id, Section: section, Level: check.Must, Shows: []string{"3261-17.2.3-01"}, Requirement: requirement,
		Run: func(ctx context.Context, t *check.T) {
			c := t.Client(ctx)
			callID := newBranch()
			_, fields, _ := strings.Cut(options(t, c, callID), "\r\n")
			fields = strings.Replace(fields, "1 OPTIONS", "1 "+method, 1)
			fields = strings.Replace(fields, "To: <sip:"+t.Address()+">", "To: <sip:"+t.Address()+">;tag=never-was", 1)
			t.Check(c.Send([]byte(start(t.Address())+"\r\n"+fields)), "send the message")
			// Who answers the later requests has seen this one.
			for range 2 {
				t.Status(t.Do(ctx, c, "OPTIONS", src.Request{}), 200)
			}
			for _, m := range c.Unexpected() {
				if m.Get("Call-ID") == callID { // the others answer OPTIONS that were sent again
					t.Errorf("it is answered by %s", strings.TrimSpace(fmt.Sprintf("%s %d %s", m.Method, m.Status, m.Reason)))
				}
			}
		},
	}
}
