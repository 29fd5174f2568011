package recorder

import (
	"slices"

	"github.com/siprecd/siprecd/metadata"
	"github.com/siprecd/siprecd/rules"
)

// redirected notes what extension data says of a transfer that it did not say before.
func (i *interpreter) redirected(facts []metadata.Fact) {
	i.redirect = ""
	for _, f := range facts {
		switch f.Kind {
		case metadata.FactTransferFrom, metadata.FactTransferTo, metadata.FactTransferBy, metadata.FactTransferID:
			if !slices.Contains(i.redirects, f) {
				i.redirects, i.redirect = append(i.redirects, f), "extension data "+f.Field
			}
		}
	}
}

// transfers tells that one of the own people let the call go: into a queue that it is in
// from now on, or, as extension data says, to somebody who came in the same update.
// Without either he has left, and others may have come.
func (i *interpreter) transfers(now waits, s seating, out []rules.Event, say func(rules.Event)) {
	on := s.onCall()
	gone := those(i.present, func(id rules.PartyID) bool {
		return i.identity[id].Internal() && !slices.Contains(on, id) &&
			!slices.ContainsFunc(i.bridges.told, func(c consult) bool { return c.other == id })
	})
	came := those(out, func(e rules.Event) bool {
		return e.Kind == rules.PartyJoined && e.Identity.Role != rules.RoleQueue && e.Identity.Role != rules.RoleIVR
	})
	queued := those(now.queues, func(name string) bool { return !slices.Contains(i.waits.queues, name) })
	switch {
	case len(gone) != 1:
		return
	case len(queued) == 1:
		say(rules.Event{Kind: rules.TransferredToQueue, Party: gone[0], Name: queued[0]})
		i.waits.queues = union(i.waits.queues, queued)
	case i.redirect != "" && len(came) == 1:
		say(rules.Event{Kind: rules.TransferredBlind, Party: gone[0], Other: came[0].Party, Identity: came[0].Identity, Evidence: i.redirect})
	default:
		return
	}
	i.goes(gone[0])
}
