// Package check is what a conformance case is made of: its description, its
// outcome and the [T] by which it reports. Cases stand in a folder per RFC and a
// file per section; package conformance runs them.
package check

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance/observe"
	"github.com/siprecd/siprecd/conformance/src"
)

// Level is how strong a requirement is (RFC 2119).
type Level int

// The levels. Derived is a requirement that follows from others.
const (
	Must Level = iota + 1
	Should
	Derived
)

func (l Level) String() string {
	switch l {
	case Must:
		return "must"
	case Should:
		return "should"
	case Derived:
		return "derived"
	}
	return fmt.Sprintf("level %d", int(l))
}

// MarshalJSON writes the name.
func (l Level) MarshalJSON() ([]byte, error) { return json.Marshal(l.String()) }

// Outcome is how a case ended.
type Outcome int

// The outcomes. Fail blames the server, Error the suite, the network or the
// machine; they are never mixed.
const (
	Pass Outcome = iota + 1
	Fail
	Error
	Skip
)

func (o Outcome) String() string {
	switch o {
	case Pass:
		return "pass"
	case Fail:
		return "fail"
	case Error:
		return "error"
	case Skip:
		return "skip"
	}
	return fmt.Sprintf("outcome %d", int(o))
}

// MarshalJSON writes the name.
func (o Outcome) MarshalJSON() ([]byte, error) { return json.Marshal(o.String()) }

// A Case is one requirement with the black-box check of it.
type Case struct {
	ID string // for example "rfc7866/7.2/1"
	// Shows names what of requirements.tsv a server that passes has shown.
	Shows       []string
	Requirement string // in our words
	Section     string // for example "RFC 7866 §7.2"
	Level       Level
	Needs       []string // features the server must claim, else the case is skipped
	// Alone keeps other cases away while this one runs: it floods the server, or
	// takes it to a limit that they would feel.
	Alone bool
	// Timeout bounds a case that takes longer than others; 0 is the runner's, which
	// is also the least.
	Timeout time.Duration
	// Lasts says that the case takes Target.Duration, besides its Timeout.
	Lasts bool
	Run   func(ctx context.Context, t *T)
}

// Files is the feature of cases that look at the files which the server wrote.
const Files = "files"

// Password is the feature of cases that say the right user name and password, those of
// [Target.Credentials].
const Password = "password"

// SaysPassword says whether the case needs [Password].
func (c Case) SaysPassword() bool { return slices.Contains(c.Needs, Password) }

// LooksAtFiles says whether the case needs [Files].
func (c Case) LooksAtFiles() bool { return slices.Contains(c.Needs, Files) }

// Group is the part of an ID in front of the first slash: "rfc7866", "dialects".
func (c Case) Group() string { return group(c.ID) }

func group(id string) string {
	name, _, _ := strings.Cut(id, "/")
	return name
}

// result is that of a case which has not run.
func (c Case) result() Result {
	return Result{ID: c.ID, Shows: c.Shows, Section: c.Section, Level: c.Level, Requirement: c.Requirement, Needs: c.Needs}
}

// Skipped is the result of a case that is not run, and why.
func (c Case) Skipped(why string) Result {
	r := c.result()
	r.Outcome, r.Messages = Skip, []string{why}
	return r
}

// Undecided is the result of a case that cannot be run, and why: an error.
func (c Case) Undecided(why string) Result {
	r := c.result()
	r.Outcome, r.Messages = Error, []string{why}
	return r
}

// A Target is the server under test.
type Target struct {
	Address    string // host:port
	Transport  string // "udp", "tcp" or "tls"
	RequestURI string // default: made from Address
	// TLS is whom to believe and what to show; default: the authorities of the system.
	TLS *tls.Config
	// Credentials answer the challenges of a server that asks for a password (RFC 3261
	// §22); nil: nobody does, and the cases that need the feature password are skipped.
	Credentials *src.Credentials
	// Duration is how long cases go on that look at long recording sessions; 0 is
	// DefaultDuration.
	Duration time.Duration
	// Observer finds the files that the server wrote; nil: nobody looks, and the cases
	// that need the feature files are skipped.
	Observer *observe.Observer
	// Packets sees what cases send and receive, from several goroutines at a time;
	// nil: nobody does.
	Packets func(src.Packet)
}

// DefaultDuration is how long a recording session lasts where its length is what is
// tested.
const DefaultDuration = 20 * time.Second

// A Result is the outcome of one case, or the worst of several runs of it.
type Result struct {
	ID          string        `json:"id"`
	Shows       []string      `json:"shows,omitempty"`
	Section     string        `json:"section"`
	Level       Level         `json:"level"`
	Requirement string        `json:"requirement"`
	Needs       []string      `json:"needs,omitempty"`
	Outcome     Outcome       `json:"outcome"`
	Warning     bool          `json:"warning,omitempty"` // failed, and counted as a warning only
	Messages    []string      `json:"messages,omitempty"`
	Figures     []Figure      `json:"figures,omitempty"`
	Started     time.Time     `json:"started,omitzero"`
	Duration    time.Duration `json:"duration_ns"`
	Runs        int           `json:"runs,omitempty"`           // when there were several
	PassedRuns  int           `json:"passed_runs,omitempty"`    // of these
	Trace       []Message     `json:"trace,omitempty"`          // of a case that failed, or had an error
	LeftOut     int           `json:"trace_left_out,omitempty"` // packets that the trace has no room for
}

// Group is the part of the ID in front of the first slash.
func (r Result) Group() string { return group(r.ID) }

// A Figure is something that was measured, with its unit.
type Figure struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}
