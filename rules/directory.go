package rules

import (
	"strings"
	"time"

	"github.com/siprecd/siprecd/metadata"
)

// A Directory is what the operator says about addresses. The zero Directory says
// nothing: then only extension data, direction and profile tell who is who.
type Directory struct {
	Agents      []Entry   `yaml:"agents"`
	Supervisors []Entry   `yaml:"supervisors"`
	Users       []Entry   `yaml:"users"` // own people who are no agents
	IVRs        []Entry   `yaml:"ivrs"`
	Queues      []Entry   `yaml:"queues"`
	Inside      Inside    `yaml:"inside"`
	Numbering   Numbering `yaml:"numbering"`
	Profiles    []Profile `yaml:"profiles"`
	// InsideRole is the role of own people whom no entry names: agent, which is
	// also the default, supervisor or user.
	InsideRole Role `yaml:"inside_role"`
}

// An Entry is one person, or one group of people of one role. What it lists are
// alternatives.
type Entry struct {
	Name       string   `yaml:"name"` // for evidence and reports; may be empty
	AORs       []string `yaml:"aors"` // sip:user@host, user@host
	Numbers    []string `yaml:"numbers"`
	Extensions []string `yaml:"extensions"` // 3 to 6 digits
	// Patterns hold * for any text and ? for one character. One with @ is for
	// user@host, one without for the user part at any host.
	Patterns []string `yaml:"patterns"`
	Domains  []string `yaml:"domains"` // as Inside.Domains
}

// Inside is where own people are.
type Inside struct {
	// Domains are hosts of AORs: a name, *.name for all below it, an IP address,
	// or a network such as 192.0.2.0/24.
	Domains []string `yaml:"domains"`
	Realms  []string `yaml:"realms"` // as the SRC names them, without case; * and ? as in patterns
	// Numbers are ranges, +15550100-+15550199, both ends included and equally
	// long, or prefixes, +15550*.
	Numbers []string `yaml:"numbers"`
}

// An Order is a place in the first pair, in the order in which the SRC described
// the two.
type Order int

// The places.
const (
	OrderNone Order = iota // not said
	OrderFirst
	OrderSecond
)

func orderWords() words { return words{"", "first", "second"} }

// String returns the name of the place.
func (o Order) String() string { return orderWords().name(int(o), "order") }

// MarshalText returns the name of the place.
func (o Order) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads the name of a place, without case.
func (o *Order) UnmarshalText(b []byte) error {
	i, err := orderWords().index(b, "order")
	*o = Order(i)
	return err
}

// InactiveMeans is what an SRC means by a stream it makes inactive.
type InactiveMeans int

// The meanings. RFC 7866 §7.1.1.1 leaves it to the SRC.
const (
	InactivePause  InactiveMeans = iota // the SRC pauses the recording; the default
	InactiveHold                        // the communication session is held
	InactiveManual                      // a person pressed pause
)

func inactiveWords() words { return words{"src_pause", "hold", "manual"} }

// String returns the name of the meaning.
func (m InactiveMeans) String() string { return inactiveWords().name(int(m), "inactive-means") }

// MarshalText returns the name of the meaning.
func (m InactiveMeans) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads the name of a meaning, without case.
func (m *InactiveMeans) UnmarshalText(b []byte) error {
	i, err := inactiveWords().index(b, "meaning of inactive")
	*m = InactiveMeans(i)
	return err
}

// NumbersMean is what the number of an agent means when it joins a call later.
type NumbersMean int

// The meanings.
const (
	NumbersTyped NumbersMean = iota // a telephone number, from outside; the default
	NumbersAgent                    // the agent: the SRC describes its own people by number
)

func numbersWords() words { return words{"typed-number", "agent"} }

// String returns the name of the meaning.
func (m NumbersMean) String() string { return numbersWords().name(int(m), "numbers-mean") }

// MarshalText returns the name of the meaning.
func (m NumbersMean) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads the name of a meaning, without case.
func (m *NumbersMean) UnmarshalText(b []byte) error {
	i, err := numbersWords().index(b, "meaning of numbers")
	*m = NumbersMean(i)
	return err
}

// A Profile is what is peculiar to one SRC or to a group of them. The zero
// Profile leaves all to the dialect.
type Profile struct {
	Name string `yaml:"name"`
	// RecordedLabel is the a=label of the stream that the recorded user sends, and
	// RecordedOrder the place of the recorded user in the first pair. At most one
	// is set. With either the form of numbers places nobody.
	RecordedLabel string `yaml:"recorded_label"`
	RecordedOrder Order  `yaml:"recorded_order"`
	// Caller is who of the first pair called, where extension data does not say.
	Caller Order `yaml:"caller"`
	// Direction is that of all calls of this SRC, for a trunk of one direction.
	Direction     Direction     `yaml:"direction"`
	InactiveMeans InactiveMeans `yaml:"inactive_means"`
	NumbersMean   NumbersMean   `yaml:"numbers_mean"`
	// QueueWindow is how soon after the beginning a second party must be replaced
	// to count as the queue or IVR in front of the agent. 0 is 10 s; negative is
	// never.
	QueueWindow time.Duration `yaml:"queue_window"`
	// Placeholders are addresses that the SRC sends before it knows the party,
	// besides those known from the dialect.
	Placeholders []string `yaml:"placeholders"`
	// Dialect is for an SRC that cannot be told from what it sends.
	Dialect metadata.Dialect `yaml:"dialect"`
}

const queueWindow = 10 * time.Second

func (p Profile) window() time.Duration {
	if p.QueueWindow == 0 {
		return queueWindow
	}
	return p.QueueWindow
}

// words names the profile in evidence.
func (p Profile) words() string { return strings.TrimSpace("profile " + p.Name) }

// sections are the entries with their roles, in the order in which they are
// looked at: when two say the same of one address, the first counts, and [Check]
// tells of it. Who is no agent is never counted as one by accident.
func (d Directory) sections() []section {
	return []section{
		{"queues", RoleQueue, d.Queues},
		{"ivrs", RoleIVR, d.IVRs},
		{"users", RoleUser, d.Users},
		{"supervisors", RoleSupervisor, d.Supervisors},
		{"agents", RoleAgent, d.Agents},
	}
}

type section struct {
	name    string
	role    Role
	entries []Entry
}

// Profile returns the profile of that name.
func (d Directory) Profile(name string) (Profile, bool) {
	for _, p := range d.Profiles {
		if p.Name == name {
			return p, true
		}
	}
	return Profile{}, false
}

// insideRole is the role of own people whom no entry names.
func (d Directory) insideRole() Role {
	if d.InsideRole.own() {
		return d.InsideRole
	}
	return RoleAgent
}
