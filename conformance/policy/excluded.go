package policy

import (
	"slices"

	"github.com/siprecd/siprecd/rules/scenario"
)

// Excluded says why a scenario cannot be played in a dialect; empty when it can.
func Excluded(s scenario.Scenario, d Dialect) string {
	if s.Access != nil {
		return "it asks who may listen, and no call is made"
	}
	if flagOf(s, "ao") == "1" && flagOf(s, "mixed") == "1" {
		return "a policy file with agent-only on a trunk of mixed streams is refused"
	}
	if why := beyondBroadWorks(s); d == BroadWorks && why != "" {
		return why
	}
	if d == Legs {
		if why := notOfLegs(s); why != "" {
			return why
		}
	}
	if d == Consults {
		if why := notOnTheWire(s); why != "" {
			return why
		}
	}
	dialled := make(map[string]bool)
	draws := 0
	for i, e := range s.Events {
		switch e.Name {
		case "plan":
			if draws++; draws > 1 {
				return "the server draws by itself, once"
			}
		case "dial", "bxfer":
			dialled[e.Args[1]] = true
		case "ans", "join":
			delete(dialled, e.Args[0])
		case "number":
			if dialled[e.Args[0]] {
				return "the number of a party that only rings is told with the command that dials it, once"
			}
		case "resume":
			if slices.ContainsFunc(s.Events[:i], func(x scenario.Event) bool {
				return x.Name == "pause" && x.At == e.At && x.Args[0] != e.Args[0]
			}) {
				return "two commands are never of one instant"
			}
		}
	}
	return ""
}

// notOnTheWire says why nothing of a scenario is shown by communication sessions that
// is not shown without.
func notOnTheWire(s scenario.Scenario) string {
	consults := false
	for _, e := range s.Events {
		switch e.Name {
		case "consult":
			consults = true
		case "alt", "dial":
			return "who rings, and who alternates, has no stream that shows it"
		}
	}
	if !consults {
		return "nobody is consulted"
	}
	return ""
}

// beyondBroadWorks says why a scenario cannot be played in that dialect.
func beyondBroadWorks(s scenario.Scenario) string {
	switch profile := profileOf(s); {
	case flagOf(s, "caller") == "anonymous":
		return "who hides his number cannot be known again when all ids are new"
	case profile == "unknown":
		return "the dialect tells the direction"
	case profile == "strangers":
		return "the dialect tells who is the recorded user"
	}
	return ""
}

// notOfLegs says why a scenario has no second recording session, or one that would have to
// begin again.
func notOfLegs(s scenario.Scenario) string {
	joined := make(map[string]bool)
	further := false
	for _, e := range s.Events {
		name := ""
		switch e.Name {
		case "join", "ans", "in", "out":
			name = e.Args[0]
		case "consult":
			name = e.Args[1]
		}
		if name == "" || !isOwn(name) {
			continue
		}
		if joined[name] {
			return "a recording session that has ended does not begin again"
		}
		joined[name] = true
		further = further || e.At > 0
	}
	if !further {
		return "no agent comes later"
	}
	return ""
}
