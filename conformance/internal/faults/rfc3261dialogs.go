package faults

import (
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance/internal/model"
)

// rfc3261dialogs are mistakes with dialogs and transactions (RFC 3261 §12 to §18).
func rfc3261dialogs() []Fault {
	return []Fault{
		{
			Name: "any-to-tag-accepted", Says: "A request is taken whatever dialog its To tag names.",
			Caught: []string{
				"rfc3261/12.2.2/1", "rfc3261/12.2.2/4", "rfc3261/12.2.2/5", "rfc3261/15.1.2/1", "rfc3261/15.1.2/2", "rfc3262/3/2", "rfc3262/3/7",
				"rfc3311/5.2/5",
			},
			Config: alters(insist(481, 200)),
		},
		{
			Name: "old-cseq-accepted", Says: "A request with a lower CSeq than the last is taken.",
			Caught: []string{"rfc3261/12.2.2/2", "rfc3261/12.2.2/7"},
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
			Name: "from-tag-ignored", Says: "A request is taken for one of a dialog whatever its From tag is.",
			Caught: []string{"rfc3261/12.2.2/4"},
			Config: alters(always(func(m *message, r *response) {
				if r.Status == 481 && strings.Contains(m.Get("From"), "not-this-one") {
					r.Status = 200
				}
			})),
		},
		{
			Name: "from-tag-demanded", Says: "An INVITE without a tag in its From is refused.",
			Caught: []string{"rfc3261/12.1.1/2"},
			Config: alters(when(func(m *message) bool { return !strings.Contains(m.Get("From"), ";tag=") }, 400)),
		},
		{
			Name: "contact-of-nowhere", Says: "The Contact of the 200 is 0.0.0.0.",
			Caught: []string{"rfc3261/12.1.1/3"},
			Config: alters(set("INVITE", "Contact", "<sip:srs@0.0.0.0:5060>;+sip.srs")),
		},
		{
			Name: "target-stays", Says: "Requests of the server go to the first Contact of the SRC, although it has another now.",
			Caught: []string{"rfc3261/12.2.2/6", "rfc3311/5.2/6"},
			Config: replace("UPDATE sip:moved@", "UPDATE sip:src@"),
		},
		{
			Name: "tags-the-wrong-way-round", Says: "Requests of the server have its tag in the To.",
			Caught: []string{"rfc3261/12.2.1.1/2"},
			Config: requesting(func(text string) string {
				return strings.NewReplacer("\r\nFrom: ", "\r\nTo: ", "\r\nTo: ", "\r\nFrom: ").Replace(text)
			}),
		},
		{
			Name: "old-branch", Says: "The branch of its requests is not one of RFC 3261.",
			Caught: []string{"rfc3261/12.2.1.1/2"},
			Config: replace("branch=z9hG4bK", "branch="),
		},
		{
			Name: "routes-reversed", Says: "Requests of the server have the routes in reversed order, as those of a caller.",
			Caught: []string{"rfc3261/12.2.1.1/3"},
			Config: requesting(reverseRoutes),
		},
		{
			Name: "waits-for-ever", Says: "A recording session whose 200 is never acknowledged is not ended.",
			Caught: []string{"rfc3261/13.3.1.4/2"}, Timeout: 2 * second,
			Config: func() model.Config {
				cfg := mute("BYE")()
				cfg.T1 = 10 * time.Millisecond
				return cfg
			},
		},
		{
			Name: "repeats-at-one-pace", Says: "The intervals between repetitions of a 200 do not grow.",
			Caught: []string{"rfc3261/13.3.1.4/3"},
			Config: func() model.Config {
				return model.Config{Repeat: func(*message, int, int, time.Duration) time.Duration { return 50 * time.Millisecond }}
			},
		},
		{
			Name: "deaf-to-ack", Says: "Final responses to INVITE are repeated although their ACK came.",
			Caught: []string{"rfc3261/13.3.1.4/4", "rfc3261/17.2.1/2"},
			Config: func() model.Config {
				return model.Config{Drop: func(m *message, _ int) bool { return m.Method == "ACK" }}
			},
		},
		{
			Name: "200-of-reinvite-once", Says: "The 200 to a re-INVITE is not repeated.",
			Caught: []string{"rfc3261/13.3.1.4/5"}, Timeout: second,
			Config: once(func(m *message, status int) bool { return status == 200 && strings.Contains(m.Get("To"), ";tag=") }),
		},
		{
			Name: "refusal-once", Says: "A refusal of an INVITE is not repeated.",
			Caught: []string{"rfc3261/17.2.1/2"}, Timeout: second,
			Config: once(func(_ *message, status int) bool { return status >= 300 }),
		},
		{
			Name: "any-description-taken", Says: "A description that cannot be read is taken.",
			Caught: []string{"rfc3261/14.2/2", "rfc3311/5.2/4"},
			Config: alters(insist(488, 200)),
		},
		{
			Name: "bye-waits-for-ack", Says: "A BYE that comes before the ACK gets 500.",
			Caught: []string{"rfc3261/15/1"},
			Config: func() model.Config {
				acked := false
				return model.Config{
					Add: func(m *message) string { acked = acked || m.Method == "ACK"; return "" },
					Alter: func(m *message, r *response) {
						if m.Method == "BYE" && !acked {
							r.Status = 500
						}
					},
				}
			},
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
			Caught: []string{"rfc3261/17.2.2/1", "rfc3261/17.2.2/2", "rfc3261/17.2.1/3"},
			Config: func() model.Config { return model.Config{Forget: true} },
		},
	}
}

// reverseRoutes turns the order of the Route header fields round.
func reverseRoutes(text string) string {
	lines := strings.Split(text, "\r\n")
	var at []int
	for i, line := range lines {
		if strings.HasPrefix(line, "Route: ") {
			at = append(at, i)
		}
	}
	for i, k := 0, len(at)-1; i < k; i, k = i+1, k-1 {
		lines[at[i]], lines[at[k]] = lines[at[k]], lines[at[i]]
	}
	return strings.Join(lines, "\r\n")
}
