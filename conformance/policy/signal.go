package policy

import (
	"slices"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/rules/scenario"
)

// A turn is when the signal of an event leaves, among those of its instant. What
// begins to withhold comes before what the metadata shows, so that nobody is taken for
// somebody who simply joined, and what lets go comes last, so that nothing slips
// through between the two.
type turn int

const (
	turnBegin turn = iota
	turnWire
	turnEnd
)

// turnOf says when the signal of an event leaves.
func (c *call) turnOf(e scenario.Event) turn {
	if c.dialect == Consults && slices.Contains([]string{"consult", "cend", "conf", "xfer"}, e.Name) {
		return turnWire
	}
	switch e.Name {
	case "in", "out", "int", "unknown", "join", "leave", "number", "sdp-", "sdp+", "nop", "end":
		return turnWire
	case "hold", "retrieve":
		if c.showsHold(e) {
			return turnWire
		}
	case "ans":
		if !c.present(e.Args[0]) && !c.dialled(e) {
			return turnWire // who was called without a consult simply joins
		}
		return turnBegin
	case "pause":
		if !c.present(e.Args[0]) {
			return turnEnd
		}
	}
	if slices.Contains([]string{"hold", "pause", "consult", "dial", "cend", "bxfer", "xfer", "qxfer", "secure+", "ivr+", "q+",
		"dnr", "ask", "no", "noans", "withdraw", "urec-"}, e.Name) {
		return turnBegin
	}
	return turnEnd
}

// showsHold reports whether metadata can show a hold: it says that nobody hears the
// other side any more, not who holds, so one of the own people has to be there alone,
// in no consult. It is taken back the way it was told.
func (c *call) showsHold(e scenario.Event) bool {
	if c.dialect == OpenSIPS || c.dialect == BroadWorks || !c.present(e.Args[0]) {
		return false
	}
	if e.Name == "retrieve" {
		return slices.ContainsFunc(c.parties, func(p *party) bool { return p.muted })
	}
	own, outside := 0, 0
	for _, p := range c.parties {
		switch {
		case !p.present:
		case isOwn(p.name):
			own++
		default:
			outside++
		}
	}
	return own == 1 && outside == 1 && isOwn(e.Args[0]) && c.aloneWhileHeld(e)
}

// aloneWhileHeld reports whether nothing but a retrieve happens until then: who comes
// or consults meanwhile would leave open whose hold it is.
func (c *call) aloneWhileHeld(e scenario.Event) bool {
	i := slices.IndexFunc(c.scenario.Events, func(x scenario.Event) bool { return x.Line == e.Line })
	for _, next := range c.scenario.Events[i+1:] {
		switch next.Name {
		case "retrieve":
			return next.At > e.At && next.Args[0] == e.Args[0]
		case "join", "leave", "hold", "consult", "dial", "bxfer", "xfer", "qxfer", "conf", "ans", "end":
			return false
		}
	}
	return false
}

// dialled reports whether a party that answers was dialled in a consult.
func (c *call) dialled(e scenario.Event) bool {
	return slices.ContainsFunc(c.scenario.Events, func(x scenario.Event) bool {
		return x.Name == "dial" && x.At <= e.At && x.Args[1] == e.Args[0]
	})
}

// changes takes an event into what the wire shows.
func (c *call) changes(e scenario.Event, at time.Time) error {
	arg := append(slices.Clone(e.Args), "", "")
	switch e.Name {
	case "in", "unknown", "join", "ans":
		return c.joins(arg[0], at)
	case "out":
		return c.joins(arg[0], at) // whom it calls is not on the call yet
	case "int":
		if err := c.joins(arg[0], at); err != nil {
			return err
		}
		return c.joins(arg[1], at)
	case "consult":
		if c.dialect == Consults {
			return c.consults(arg[0], arg[1], at)
		}
		return c.joins(arg[1], at)
	case "conf":
		c.unites("", at)
	case "xfer":
		c.unites(arg[0], at)
		c.leaves(arg[0], at)
	case "leave", "cend", "bxfer", "qxfer":
		c.leaves(arg[0], at)
	case "hold", "retrieve":
		if c.showsHold(e) {
			c.holds(e.Name == "hold")
		}
	case "number":
		c.numbered(arg[0], arg[1])
	case "sdp-":
		c.pauses(arg[0], true)
	case "sdp+":
		c.pauses(arg[0], false)
	case "nop":
		c.legs[0].news.offer = true
	}
	return nil
}

// pauses has the SRC pause the stream of a party, or all (RFC 7866 §7.1.1.1; the old
// way is c=0.0.0.0, RFC 3264 §8.4).
func (c *call) pauses(name string, on bool) {
	if c.dialect == BroadWorks {
		for _, p := range c.parties {
			if name == "" || p.name == name {
				p.leg.offers[p.line].Address, p.leg.news.offer = "", true
				if on {
					p.leg.offers[p.line].Address = "0.0.0.0"
				}
			}
		}
		return
	}
	direction := src.SendOnly
	if on {
		direction = src.Inactive
	}
	c.direct(name, direction)
}

// command is the command of an event; its action is empty when there is none.
func (c *call) command(e scenario.Event) command {
	arg := append(slices.Clone(e.Args), "", "")
	party, other, chosen := c.reference(arg[0]), c.reference(arg[1]), "typed"
	if arg[1] != "" && isOwn(arg[1]) {
		chosen = "list"
	}
	switch e.Name {
	case "consult":
		return command{Action: "consult", Party: party, Other: other, Chosen: chosen}
	case "dial":
		return command{Action: "consult-dialled", Party: party, Other: other, Chosen: chosen}
	case "bxfer":
		return command{Action: "transfer-blind", Party: party, Other: other, Chosen: chosen}
	case "qxfer":
		return command{Action: "transfer-to-queue", Party: party, Name: arg[1]}
	case "cend":
		return command{Action: "consult-ended", Other: party}
	case "alt":
		return command{Action: c.alternate(e), Party: party}
	case "conf":
		return command{Action: "conference"}
	case "record":
		return command{Action: "record", Party: party}
	case "dnr":
		return command{Action: "do-not-record", Reason: "as the scenario says"}
	case "plan-is":
		return command{Action: "plan", Name: planName(e)}
	case "ask", "yes", "no", "noans", "withdraw":
		word := map[string]string{"ask": "asked", "yes": "given", "no": "refused", "noans": "unanswered", "withdraw": "withdrawn"}
		return command{Action: "consent-" + word[e.Name], Reason: "as the scenario says"}
	case "direction":
		return command{Action: "direction", Name: map[string]string{"in": "inbound", "out": "outbound", "int": "internal"}[arg[0]]}
	}
	if action := named()[e.Name]; action != "" {
		return command{Action: action, Name: arg[0]}
	}
	return command{Action: pressed()[e.Name], Party: party}
}

// named are the actions about a flow, queue, option or owner.
func named() map[string]string {
	return map[string]string{
		"menu": "menu", "ivr+": "flow-entered", "ivr-": "flow-left", "q+": "queue-entered", "q-": "queue-left",
		"secure+": "secure-start", "secure-": "secure-stop",
	}
}

// pressed are the actions about a party alone.
func pressed() map[string]string {
	return map[string]string{
		"hold": "hold", "retrieve": "retrieve", "pause": "pause", "resume": "resume", "ans": "answered", "xfer": "transfer",
		"pyes": "party-agreed", "urec+": "user-recording-start", "urec-": "user-recording-stop",
	}
}

// alternate says whether one who consults goes back to the call, or away again.
func (c *call) alternate(e scenario.Event) string {
	before := 0
	for _, x := range c.scenario.Events {
		if x.Line < e.Line && x.Name == "alt" && x.Args[0] == e.Args[0] {
			before++
		}
	}
	if before%2 == 0 {
		return "alternate-back"
	}
	return "alternate-away"
}

// reference is how a command names a party: its number, or its address, or its id
// where it hides its number.
func (c *call) reference(name string) string {
	if name == "" {
		return ""
	}
	aor := aorOf(c.scenario, name)
	if p := c.known(name); p != nil {
		aor = p.aors[len(p.aors)-1]
		if strings.Contains(aor, "anonymous") {
			return p.id
		}
	}
	if user := userOf(aor); user[0] == '+' {
		return user
	}
	return aor
}
