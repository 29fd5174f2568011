package metadata

import (
	"slices"
	"strings"
)

// What follows reads facts together: a vendor's fields that mean something only
// with others.

// Oddities of facts.
const oddNumbersSwapped = "called and calling number exchanged"

// pick returns the facts of a dialect and kind.
func (f *factReader) pick(dialect Dialect, kind FactKind) []*Fact {
	var out []*Fact
	for i := range f.facts {
		if f.facts[i].Dialect == dialect && f.facts[i].Kind == kind {
			out = append(out, &f.facts[i])
		}
	}
	return out
}

// setRightNumbers undoes that jambonz writes the calling number as the called one
// and the other way round. Its caller is the first participant: a release that
// writes them right shows by that.
func setRightNumbers(f *factReader) {
	called, calling := f.pick(DialectJambonz, FactCalledNumber), f.pick(DialectJambonz, FactCallingNumber)
	if len(called)+len(calling) == 0 {
		return
	}
	if ps := f.d.Participants; len(ps) > 1 {
		caller, other := firstUser(ps[0]), firstUser(ps[1])
		if same(called, other) || same(calling, caller) {
			return
		}
	}
	for _, fact := range called {
		fact.Kind = FactCallingNumber
	}
	for _, fact := range calling {
		fact.Kind = FactCalledNumber
	}
	f.oddities = append(f.oddities, oddNumbersSwapped)
}

func same(facts []*Fact, user string) bool {
	return len(facts) > 0 && user != "" &&
		strings.TrimPrefix(parseAddress(facts[0].Value).user, "+") == strings.TrimPrefix(user, "+")
}

func firstUser(p Participant) string {
	for _, n := range p.NameIDs {
		if a := parseAddress(n.AOR); a.names() {
			return a.user
		}
	}
	return ""
}

// findUser finds the participant of a BroadWorks user whose address is that of
// the user's line and not of the user: of two participants the one who is not
// the far end of the call.
func findUser(f *factReader) {
	dirs, ps := f.pick(DialectBroadWorks, FactDirection), f.d.Participants
	if len(dirs) != 1 || len(ps) != 2 {
		return
	}
	far := FactCalledNumber
	if dirs[0].Value == "inbound" {
		far = FactCallingNumber
	}
	var user ID
	for _, number := range f.pick(DialectBroadWorks, far) {
		switch f.addresses().find(number.Value) {
		case ps[0].ID:
			user = ps[1].ID
		case ps[1].ID:
			user = ps[0].ID
		}
	}
	if user == "" {
		return
	}
	for _, kind := range [...]FactKind{FactInitiator, FactUserID} {
		facts := f.pick(DialectBroadWorks, kind)
		if slices.ContainsFunc(facts, func(o *Fact) bool { return o.Of == ParticipantKind }) {
			continue // found by the address
		}
		for _, fact := range facts {
			fact.About, fact.Of = user, ParticipantKind
		}
	}
}

// joinDirections tells the direction of the whole call from what NetSapiens says
// per subscriber, and of labels that all name the same one. A call between two
// subscribers, or two parties of one tenant, is internal.
func joinDirections(f *factReader) {
	f.joinUsers()
	f.joinLabels()
}

func (f *factReader) joinUsers() {
	users := f.pick(DialectNetSapiens, FactUserDirection)
	whole := Fact{Kind: FactDirection, Dialect: DialectNetSapiens}
	for _, u := range users {
		if whole.Value != "" && whole.Value != u.Value {
			whole.Value = "internal"
			break
		}
		whole.Value, whole.Field = u.Value, u.Field
	}
	if parties := f.pick(DialectNetSapiens, FactPartyID); len(parties) == 2 {
		first, second := parseAddress(parties[0].Value), parseAddress(parties[1].Value)
		if first.host != "" && first.host == second.host {
			whole.Value, whole.Field = "internal", parties[1].Field
		}
	}
	if whole.Value != "" {
		f.facts = append(f.facts, whole)
	}
}

func (f *factReader) joinLabels() {
	facts := f.pick(DialectTelnyx, FactStreamDirection)
	if len(facts) == 0 || len(facts) != len(f.d.Streams) {
		return
	}
	if slices.ContainsFunc(facts, func(o *Fact) bool { return o.Value != facts[0].Value }) {
		return // inbound and outbound tracks of one call
	}
	f.facts = append(f.facts, Fact{Kind: FactDirection, Value: facts[0].Value, Dialect: DialectTelnyx, Field: "stream/label"})
}

// nameTransfer makes who did a NetSapiens action the one who transferred, when
// the action is a transfer.
func nameTransfer(f *factReader) {
	for _, action := range f.pick(DialectNetSapiens, FactAction) {
		if !strings.HasPrefix(strings.ToLower(action.Value), "xfer") {
			continue
		}
		for _, by := range f.pick(DialectNetSapiens, FactActionBy) {
			by.Kind = FactTransferBy
		}
	}
}
