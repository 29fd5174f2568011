package rules

import (
	"time"

	"github.com/siprecd/siprecd/metadata"
)

// A Role is what a party is to the one who records. RFC 7865 §6.5 knows none:
// roles follow from configuration and from what vendors add.
type Role int

// The roles. Agents, supervisors and users are the own people; the customer is
// who they talk to, of the first pair; anybody from outside who comes later is
// external. Where a rule asks, unknown is external.
const (
	RoleUnknown Role = iota
	RoleAgent
	RoleSupervisor
	RoleUser // of the own people, no agent
	RoleCustomer
	RoleExternal
	RoleIVR
	RoleQueue
)

func roleWords() words {
	return words{"unknown", "agent", "supervisor", "user", "customer", "external", "ivr", "queue"}
}

// String returns the name of the role in lower case.
func (r Role) String() string { return roleWords().name(int(r), "role") }

// MarshalText returns the name of the role.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the name of a role, without case.
func (r *Role) UnmarshalText(b []byte) error {
	i, err := roleWords().index(b, "role")
	*r = Role(i)
	return err
}

// own reports whether the role is one of the own people.
func (r Role) own() bool { return r == RoleAgent || r == RoleSupervisor || r == RoleUser }

// machine reports whether nobody is behind the role yet.
func (r Role) machine() bool { return r == RoleIVR || r == RoleQueue }

// IdentifiedBy says how a party was identified when it was invited.
type IdentifiedBy int

// The ways. ByNumber is a party of whom a telephone number is known and nothing
// that says whose it is: the number was typed, or came from outside.
const (
	ByUnknown IdentifiedBy = iota
	ByDirectory
	ByNumber
)

func identifiedWords() words { return words{"unknown", "directory", "typed number"} }

// String returns the name of the way.
func (i IdentifiedBy) String() string { return identifiedWords().name(int(i), "identified-by") }

// MarshalText returns the name of the way.
func (i IdentifiedBy) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText reads the name of a way, without case.
func (i *IdentifiedBy) UnmarshalText(b []byte) error {
	n, err := identifiedWords().index(b, "way of identification")
	*i = IdentifiedBy(n)
	return err
}

// A Strength is the place of evidence in the order of trust: 1 is the strongest,
// 0 is no evidence.
type Strength int

// The strengths.
const (
	StrengthStated    Strength = iota + 1 // the API or extension data names the party
	StrengthDirectory                     // an entry or number range of the directory
	StrengthInside                        // AOR host or realm in the inside list
	StrengthDirection                     // calling or called, with the direction of the call
	StrengthForm                          // short number beside E.164, display name
	StrengthOrder                         // which participant or label, as the profile says
	StrengthRest                          // nothing of its own: what the other party is
)

// Evidence is one thing that speaks for a role.
type Evidence struct {
	Strength     Strength
	Role         Role
	IdentifiedBy IdentifiedBy
	Words        string // for a person
	// Noted is evidence that was considered and must not decide; Words says why.
	Noted bool
}

// An Identity is who a party is to the rules, and how that is known.
type Identity struct {
	Role         Role
	IdentifiedBy IdentifiedBy
	Name         string   // in the directory, by which the policy file selects users; empty without
	Evidence     string   // what decided, in words
	Strength     Strength // of what decided; 0 when nothing did
	FirstPair    bool     // one of the two with whom the recording began
	Since        time.Time
}

// Internal reports whether the party is one of the own people as the rules count
// them: agent, supervisor or user, and known to be so from the directory or from
// the place it has in the first pair. A typed number never is.
func (i Identity) Internal() bool {
	return i.Role.own() && (i.IdentifiedBy == ByDirectory || i.FirstPair && i.IdentifiedBy == ByUnknown)
}

// sure reports whether the identity rests on more than the place in a call.
func (i Identity) sure() bool { return i.Strength >= StrengthStated && i.Strength <= StrengthInside }

// A Ruling is the identity of one participant, with all that was considered.
type Ruling struct {
	Participant metadata.ID
	Identity
	Because Occasion
	// Continues is the participant that this one was before, of RuledContinued.
	Continues metadata.ID
	// Considered is all evidence, what decided first, then by strength.
	Considered []Evidence
}

// An Occasion is why a ruling was made. A role is fixed with RuledInvited; the
// other occasions are all there are to change it.
type Occasion int

// The occasions.
const (
	// RuledInvited: the party was invited.
	RuledInvited Occasion = iota + 1
	// RuledContinued: the SRC gave a party that stays another id, as BroadWorks
	// does on transfer. The identity is that of before.
	RuledContinued
	// RuledFilled: a placeholder got the address of a real party.
	RuledFilled
	// RuledPaired: the role was unknown until more of the first pair was known.
	RuledPaired
	// RuledIdentified: the API or extension data named a party that was not
	// identified. Extension data does not reach one identified by its number:
	// a consulted number stays one. The API, which tells how a party was
	// invited and may be late, does.
	RuledIdentified
	// RuledReplaced: an unidentified second party was replaced within the
	// window of the profile; it was the queue or IVR in front of the agent.
	RuledReplaced
)

func occasionWords() words {
	return words{"", "invited", "continued", "filled", "paired", "identified", "replaced"}
}

// String returns the name of the occasion.
func (o Occasion) String() string { return occasionWords().name(int(o), "occasion") }

// MarshalText returns the name of the occasion.
func (o Occasion) MarshalText() ([]byte, error) { return []byte(o.String()), nil }
