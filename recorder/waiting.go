package recorder

import (
	"cmp"
	"slices"

	"github.com/siprecd/siprecd/metadata"
	"github.com/siprecd/siprecd/rules"
)

// waits is where the call is that nobody has answered: in which queues and IVR flows,
// by name, as the rules were told. A queue is one by the address of a participant that
// the directory lists as one, or one that extension data names, while none of the own
// people is on the call; a flow one by the address of a participant, for as long as it
// is there; or either as the SRC signals it, until it signals the end.
type waits struct{ queues, flows []string }

// waiting tells which queues and flows the call enters and leaves.
func (i *interpreter) waiting(now waits, say func(rules.Event)) {
	diff := func(was, now []string, kind rules.Kind) {
		for _, name := range now {
			if !slices.Contains(was, name) {
				say(rules.Event{Kind: kind, Name: name})
			}
		}
	}
	diff(i.waits.queues, now.queues, rules.QueueEntered)
	diff(now.queues, i.waits.queues, rules.QueueLeft)
	diff(i.waits.flows, now.flows, rules.FlowEntered)
	diff(now.flows, i.waits.flows, rules.FlowLeft)
	i.waits = now
}

func (i *interpreter) waitsNow(view metadata.View, p told, s seating) waits {
	now := waits{slices.Clone(i.signs.queues), slices.Clone(i.signs.flows)}
	answered := slices.ContainsFunc(s.onCall(), func(id rules.PartyID) bool { return i.ruled[id].Internal() })
	for _, presence := range view.Participants {
		id := rules.PartyID(p.person(presence.ID))
		if !slices.Contains(s.main, id) {
			continue
		}
		switch role := i.ruled[id].Role; {
		case role == rules.RoleQueue && !answered:
			now.queues = union(now.queues, []string{i.nameOf(presence)})
		case role == rules.RoleIVR:
			now.flows = union(now.flows, []string{i.nameOf(presence)})
		}
	}
	for _, f := range p.facts() {
		if f.Kind == metadata.FactQueueName && f.Value != "" && !answered {
			now.queues = union(now.queues, []string{f.Value})
		}
	}
	return now
}

// nameOf is what a queue or flow is called: as in the directory, else by the name that
// is shown with it, else by the user part of its address.
func (i *interpreter) nameOf(presence metadata.Presence) string {
	for _, aor := range presence.AORs() {
		if name := i.book.NameOf(aor); name != "" {
			return name
		}
	}
	for _, name := range presence.Names() {
		return name
	}
	for _, aor := range presence.AORs() {
		if a := i.numbering.Address(aor); a.User != "" || a.Number != "" {
			return cmp.Or(a.User, a.Number)
		}
	}
	return presence.Raw
}
