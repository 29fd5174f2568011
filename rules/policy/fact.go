package policy

import "slices"

// A Fact is a kind of event that an SRC, or a system beside it, can tell of.
type Fact int

// The facts.
const (
	FactParties       Fact = iota // who joins and leaves
	FactDirection                 // inbound or outbound
	FactRole                      // agent, supervisor, outsider
	FactChosen                    // picked from the directory or a typed number
	FactCaller                    // the number of the caller
	FactHold                      // hold and retrieve
	FactConsult                   // consult, alternate, conference, transfer
	FactIVR                       // entering and leaving a flow
	FactQueue                     // entering and leaving a queue
	FactMenu                      // the option a caller chose
	FactConsent                   // asked, yes, no
	FactWithdrawal                // consent taken back
	FactPartyConsent              // consent of each party
	FactManual                    // pause and resume by a person
	FactUserRecording             // start and stop of a user recording
)

func factWords() []string {
	return []string{
		"parties", "direction", "role", "chosen", "caller", "hold", "consult", "ivr", "queue", "menu",
		"consent", "withdrawal", "party-consent", "manual", "user-recording",
	}
}

// String returns the name of the fact as it stands in a file.
func (f Fact) String() string { return name(factWords(), int(f), "fact") }

// A Profile says which facts an SRC delivers, and by which way.
type Profile struct {
	Name      string
	Line      int
	Wire      []Fact // SDP and metadata of RFC 7865
	Extension []Fact // extension data and header fields
	API       []Fact // told by another system
	directory []Fact // told by the directory of addresses
}

// Standard is the profile of an SRC of which nothing is said: what RFC 7865
// metadata alone can be relied on to tell.
func Standard() Profile {
	return Profile{Name: "standard", Wire: []Fact{FactParties, FactCaller, FactHold}}
}

// profile is that of a trunk, with what the directory adds.
func (f *File) profile(name string) Profile {
	found := Standard()
	for _, p := range f.Profiles {
		if p.Name == name {
			found = p
		}
	}
	found.directory = f.directoryTells(found, name)
	return found
}

// A Feed is how a setting comes to know what it acts on.
type Feed int

// The feeds.
const (
	Enforced      Feed = iota // from the SRC alone
	EnforcedByAPI             // only with facts from the API
	NeverFed                  // nothing ever tells
)

func feedWords() []string {
	return []string{"enforced", "enforced only with facts from the API", "never fed"}
}

// String says the feed in words.
func (f Feed) String() string { return name(feedWords(), int(f), "feed") }

// feed is that of something which needs facts.
func (p Profile) feed(needs ...Fact) Feed {
	feed := Enforced
	for _, n := range needs {
		feed = max(feed, p.source(n))
	}
	return feed
}

func (p Profile) source(n Fact) Feed {
	switch {
	case p.sends(n), slices.Contains(p.directory, n):
		return Enforced
	case slices.Contains(p.API, n):
		return EnforcedByAPI
	default:
		return NeverFed
	}
}

// sends reports whether the SRC itself tells of it.
func (p Profile) sends(n Fact) bool {
	return slices.Contains(p.Wire, n) || slices.Contains(p.Extension, n)
}
