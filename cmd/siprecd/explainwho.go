package main

import (
	"time"

	"github.com/siprecd/siprecd/metadata"
	"github.com/siprecd/siprecd/rules"
)

// A whois tells who the participants of one recording session are.
type whois struct{ roster *rules.Roster }

func (d directory) open() *whois { return &whois{rules.NewRoster(d.book, d.profile)} }

// update takes what is true after a message. What a placeholder was taken for
// and what ended with a BYE stays.
func (w *whois) update(view metadata.View, at time.Time, facts []metadata.Fact) {
	w.roster.Update(at, view, facts)
}

// describe writes the identity of a participant, and the evidence for it.
func (w *whois) describe(x *explainedParticipant, id metadata.ID) {
	ruling, ok := w.roster.Ruling(id)
	if !ok {
		x.Role, x.IdentifiedBy = rules.RoleUnknown.String(), rules.ByUnknown.String()
		x.Evidence = "was never there"
		if !x.Described && len(x.Present)+len(x.Sends) > 0 {
			x.Evidence = "no document describes it"
		}
		return
	}
	x.Role, x.IdentifiedBy = ruling.Role.String(), ruling.IdentifiedBy.String()
	x.Internal, x.FirstPair = ruling.Internal(), ruling.FirstPair
	x.Evidence, x.Because, x.Strength = ruling.Evidence, ruling.Because.String(), int(ruling.Strength)
	for _, e := range ruling.Considered {
		words := e.Words
		if !e.Noted && e.Role != ruling.Role {
			words += ": would be " + e.Role.String() // what was overruled is not to look like support
		}
		if e.Words != ruling.Evidence {
			x.Considered = appendOnce(x.Considered, words)
		}
	}
}

func (w *whois) direction() (explainedDirection, bool) {
	b := w.roster.Direction()
	return explainedDirection{Value: b.Direction.String(), Evidence: b.Evidence}, w.roster.RolesUnknown()
}
