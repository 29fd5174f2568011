package rules

// A PartyState is how a party is on the call.
type PartyState struct {
	Party    PartyID
	Identity Identity
	Present  bool // on the call
	Dialled  bool // is being called, and did not answer yet
	Consult  bool // talks beside the main call, or will once it answers
	Holds    bool // pressed hold and did not retrieve; also of one who left since
}

// Parties are all parties there ever were, in the order in which they were invited.
func (c *Case) Parties() []PartyState {
	var out []PartyState
	for _, m := range c.members {
		out = append(out, PartyState{m.id, m.identity, m.joined, m.dialled, m.consult, m.holds})
	}
	return out
}

// Causes are the causes in force for the policy recording, of the whole interaction
// and of each stream that is there, every (cause, owner) once, with its earliest
// beginning. After the end they are those of the interaction that were in force then:
// no stream is there any more. That the recording is discarded is one of them.
func (c *Case) Causes() []ActiveCause {
	var out []ActiveCause
	if !c.decided && !c.opened.IsZero() {
		out = append(out, c.undecided())
	}
	out = append(out, c.pairs...)
	for _, s := range c.streams {
		if s.added && !c.ended {
			out = earlier(out, s.causes)
		}
	}
	if c.void {
		out = append(out, c.discarded())
	}
	return out
}

// undecided says that no decision to record is in force.
func (c *Case) undecided() ActiveCause {
	return ActiveCause{Cause: NoDecision, Owner: ownerPolicy, Since: c.opened, Flag: NoDecision.flag()}
}

// discarded says that everything is.
func (c *Case) discarded() ActiveCause {
	return ActiveCause{Cause: Void, Owner: ownerInteraction, Since: c.voidSince, Flag: c.voidFlag}
}

// Asking reports whether nothing is recorded for want of a yes of the caller: the
// policy asks every inbound caller, or somebody asked this one.
func (c *Case) Asking() bool { return c.asking() }

// Answered reports whether anything was ever said of the consent of the caller: yes,
// no, that there was no answer, or that it is taken back.
func (c *Case) Answered() bool { return c.answered }
