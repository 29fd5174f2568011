package policy

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/rules/scenario"
)

// A party is one of a scenario, as the SRC shows it.
type party struct {
	name    string // in the scenario
	number  int    // in its voice
	aors    []string
	id      string // of the participant in metadata, ids those it had before
	ids     []string
	stream  string // id of its stream
	leg     *leg
	line    int // its m-line there
	present bool
	muted   bool // its stream is not sent, as metadata shows a hold (RFC 8068 §3.2.2)
	joined  time.Time
	left    time.Time
	// talk is the communication session of a consult in which it is, and by who
	// consults it; nil in the main one.
	talk *src.CommunicationSession
	by   *party
}

// isOwn reports whether a name is of one of the own people, whom the directory knows.
func isOwn(name string) bool { return strings.ContainsRune("ASU", rune(name[0])) }

func ownAOR(name string) string { return "sip:" + strings.ToLower(name) + "@contact.example.com" }

// aorOf is the address of a party when it is seen first. The customer has the number
// of the caller, a stranger none, and everybody else from outside one of his own,
// unless the scenario tells another at that instant.
func aorOf(s scenario.Scenario, name string) string {
	switch {
	case isOwn(name):
		return ownAOR(name)
	case name[0] == 'Z':
		return "sip:" + strings.ToLower(name) + "@visitor.example.org"
	}
	number := outsideNumber(name)
	if name == customerOf(s) {
		number = "+441"
		if n := flagOf(s, "caller"); n != "" {
			number = n
		}
	}
	var first time.Duration = -1
	for _, e := range s.Events {
		if first < 0 && slices.Contains(e.Args, name) {
			first = e.At
		}
		if e.Name == "number" && e.Args[0] == name && e.At == first {
			number = e.Args[1]
		}
	}
	if number == "anonymous" {
		return "sip:anonymous@anonymous.invalid" // RFC 3323 §4.1.1.3
	}
	return numberAOR(number)
}

func numberAOR(number string) string { return "sip:" + number + "@carrier.example.net;user=phone" }

// userOf is the user part of an address, which is a number where it has one.
func userOf(aor string) string {
	user, _, _ := strings.Cut(strings.TrimPrefix(aor, "sip:"), "@")
	return user
}

// outsideNumber is a number of nobody else.
func outsideNumber(name string) string {
	h := fnv.New32a()
	h.Write([]byte(name)) // never fails, says its documentation
	return fmt.Sprintf("+4930%07d", h.Sum32()%1e7)
}

// customerOf is with whom the call is: the caller from outside, or who was called.
func customerOf(s scenario.Scenario) string {
	for _, arg := range s.Events[0].Args {
		if arg[0] == 'C' {
			return arg
		}
	}
	return ""
}

// partiesOf are the parties of a scenario, in the order in which they are named.
func partiesOf(s scenario.Scenario) (names []string) {
	for _, e := range s.Events {
		for i, arg := range e.Args {
			if i < partyArgs(e.Name) && !slices.Contains(names, arg) {
				names = append(names, arg)
			}
		}
	}
	return names
}

// partyArgs is how many of the first words of an event are parties.
func partyArgs(event string) int {
	switch event {
	case "plan", "plan-is", "menu", "ivr+", "ivr-", "q+", "q-", "secure+", "secure-", "direction":
		return 0
	case "qxfer", "number":
		return 1
	}
	return 2
}

func flagOf(s scenario.Scenario, name string) string {
	for _, f := range s.Flags {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}
