package recorder

import (
	"slices"

	"github.com/siprecd/siprecd/rules"
)

// A carriedOn is what an interpreter told and may have to take back, for the one that
// goes on with its call.
type carriedOn struct {
	Holder           rules.PartyID   `json:",omitempty"` // who holds the others, by metadata
	Queues, Flows    []string        `json:",omitempty"`
	Signalled        [2][]string     `json:",omitempty"` // of these, by signals: queues and flows
	HeldBy, PausedBy []string        `json:",omitempty"` // owners of what inactive streams say
	Spoke            []rules.PartyID `json:",omitempty"` // of whom it was told that they send
}

// carriesOn is what the interpreter hands on.
func (i *interpreter) carriesOn() carriedOn {
	c := carriedOn{
		Holder: i.holder, Queues: i.waits.queues, Flows: i.waits.flows, Signalled: [2][]string{i.signs.queues, i.signs.flows},
		HeldBy: i.inactive.heldBy, PausedBy: i.inactive.pausedBy,
	}
	for p := range i.spoke {
		c.Spoke = append(c.Spoke, p)
	}
	slices.Sort(c.Spoke)
	return c
}

// carryOn takes over what another interpreter told: what does not hold any more by what
// is heard next is taken back. Who spoke before and is silent from the beginning is held.
func (i *interpreter) carryOn(c carriedOn, n rules.Names) {
	party := func(p rules.PartyID) rules.PartyID {
		if other, ok := n.Parties[p]; ok {
			return other
		}
		return p
	}
	if i.holder == "" && c.Holder != "" {
		i.holder = party(c.Holder)
	}
	i.waits.queues, i.waits.flows = union(i.waits.queues, c.Queues), union(i.waits.flows, c.Flows)
	i.signs.queues, i.signs.flows = union(i.signs.queues, c.Signalled[0]), union(i.signs.flows, c.Signalled[1])
	i.inactive.heldBy, i.inactive.pausedBy = union(i.inactive.heldBy, c.HeldBy), union(i.inactive.pausedBy, c.PausedBy)
	for _, p := range c.Spoke {
		i.spoke[party(p)] = true
	}
}

// adopt takes over what the streams of another interaction say, by the names that they
// have here.
func (n *inactive) adopt(o *inactive, names rules.Names) {
	if n.receiving == nil {
		n.receiving, n.turned = make(map[rules.StreamID]bool), make(map[rules.StreamID]silence)
	}
	for was, is := range names.Streams {
		if o.receiving[was] {
			n.receiving[is] = true
		}
		if s, ok := o.turned[was]; ok {
			n.turned[is] = s
		}
	}
}
