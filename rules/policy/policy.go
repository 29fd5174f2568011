// Package policy reads the policy file: the YAML that says of whom, when and why
// not audio is kept, in words that can be read aloud. It does not decide; it makes
// the [rules.Flags] under which package rules decides, and says in plain sentences
// what they mean.
//
// [Read] gives the file and all of its problems at once, each with its line.
// [File.Belongs] tells which account, trunk and plan an interaction belongs to,
// [File.Flags] what holds there. A [History] keeps every version that was ever
// published. Like rules, the package does no I/O and asks no clock.
package policy

import (
	"fmt"

	"github.com/siprecd/siprecd/rules"
)

// A Preset is whose defaults hold where the file says nothing.
type Preset int

// The presets.
const (
	Ours    Preset = iota // of this product; also without a preset
	Vonage                // as documented by that vendor
	Genesys               // as documented by that vendor
)

func presetWords() []string { return []string{"siprecd", "vonage", "genesys"} }

// String returns the name of the preset as it stands in a file.
func (p Preset) String() string { return name(presetWords(), int(p), "preset") }

// Flags are the defaults of the preset.
func (p Preset) Flags() rules.Flags {
	switch p {
	case Vonage:
		return rules.Vonage()
	case Genesys:
		return rules.Genesys()
	default:
		return rules.Ours()
	}
}

// A File is what a policy file says.
type File struct {
	Preset   Preset
	Accounts []Account
	Profiles []Profile
	Mapping  []Rule // in the order in which they are tried
	hash     string
	// directory tells who is who; see [File.Knowing].
	directory rules.Directory
	national  []national
	unread    bool
}

// Unread reports whether something in the file could not be read, so that what
// contradicts it was not looked for.
func (f *File) Unread() bool { return f.unread }

// An Account is one customer or department. Two accounts share nothing.
type Account struct {
	Name        string
	Line        int
	Preset      Preset
	Settings    Settings
	DoNotRecord []string // numbers, in the form of [rules.Address]
	Trunks      []Trunk
	Plans       []Plan
	Queues      []Queue
	Flows       []Flow
	Users       []User
	Retention   []rules.RetentionRule
	// Acknowledged are those of all of its trunks.
	Acknowledged []string
}

// A Trunk is where recording sessions of an account come from.
type Trunk struct {
	Name     string
	Line     int
	Settings Settings
	Profile  string // empty is [Standard]
	// Acknowledged are settings of which the file knows that nothing feeds them.
	Acknowledged []string
}

// A Plan is an interaction plan: the rules for inbound calls.
type Plan struct {
	Name     string
	Line     int
	Rules    []rules.PlanRule
	Settings Settings
}

// A Queue is where callers wait.
type Queue struct {
	Name     string
	Line     int
	Settings Settings
}

// A Flow is an IVR flow.
type Flow struct {
	Name     string
	Line     int
	Settings Settings
}

// A User is one who may do what others may not.
type User struct {
	Name     string
	Line     int
	Settings Settings
}

// Settings are the named flags that a section of a file gives, by key.
type Settings map[string]Given

// A Given is the value of a setting and where it stands.
type Given struct {
	Word string
	Line int
}

func (s Settings) is(key, word string) bool { return s[key].Word == word }

// Version names the file by its content.
func (f *File) Version() string { return "file@" + f.hash }

// Account returns the account of that name, or nil.
func (f *File) Account(name string) *Account {
	for i := range f.Accounts {
		if f.Accounts[i].Name == name {
			return &f.Accounts[i]
		}
	}
	return nil
}

// Trunk returns the trunk of that name. One that is not declared says nothing.
func (a *Account) Trunk(name string) Trunk {
	for _, t := range a.Trunks {
		if t.Name == name {
			return t
		}
	}
	return Trunk{}
}

// Plan returns the plan of that name. One that is not declared has no rule.
func (a *Account) Plan(name string) Plan {
	for _, p := range a.Plans {
		if p.Name == name {
			return p
		}
	}
	return Plan{}
}

// name is a word of an enumeration, or its number.
func name(words []string, i int, what string) string {
	if i < 0 || i >= len(words) {
		return fmt.Sprintf("%s-%d", what, i)
	}
	return words[i]
}
