// Package scenario is the format in which people write down what the rules must
// do: timed events, and of whom audio is then kept, when, and why not. It reads
// and writes text and knows nothing of the engine.
//
//	scenario: hold-1
//	title: The agent holds and retrieves
//	class: own
//	statements: V-40 V-41
//	flags: vonage plan=all hold=action
//
//	0 in C
//	0 join A
//	20 hold A
//	40 retrieve A
//	60 end
//
//	record A 0-20 40-60
//	record C 0-20 40-60
//	withhold A 20-40 hold
//	withhold C 20-40 hold
//	keep forever
//	listen permission
//
// Times are seconds from the start; intervals are half open. The first letter of
// a party says who it is: A agent, S supervisor, U user, C customer, X external,
// N an agent's phone reached by a typed number, Z of unknown role. A line that
// begins with # is a comment. An access scenario has the lines given, asks and
// expect instead of events. User recordings are kept forever unless a line like
// "keep user 30" says otherwise.
package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Scenario is one of them.
type Scenario struct {
	ID         string
	Title      string
	Class      Class
	Statements []string // ids of the statements that it shows
	Reason     string   // of our choice, where the class is not Seed
	Base       string   // product whose defaults count: vonage, genesys, ours
	Flags      []Flag
	Events     []Event
	Want       Outcome
	Access     *Access // of an access scenario
	Line       int     // where it begins
}

// A Class says where what is expected comes from.
type Class int

// The classes: stated by a product; follows directly; products are silent and we
// chose; beyond them; our own interplay of several.
const (
	Seed Class = iota + 1
	Implied
	Silent
	Beyond
	Own
)

func classes() []string { return []string{"", "seed", "implied", "silent", "beyond", "own"} }

// String returns the name of the class.
func (c Class) String() string {
	if c < Seed || c > Own {
		return "class-" + strconv.Itoa(int(c))
	}
	return classes()[c]
}

// A Flag is a setting that differs from the base.
type Flag struct{ Name, Value string }

// An Event is what happens at a time.
type Event struct {
	At   time.Duration // from the start
	Name string
	Args []string
	Line int
}

// A Span is a half-open time.
type Span struct{ From, To time.Duration }

// String writes the span in seconds.
func (s Span) String() string { return seconds(s.From) + "-" + seconds(s.To) }

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }

// An Outcome is what comes of a scenario, one line for each fact: see Lines.
type Outcome struct {
	Recorded []Track
	Withheld []Gap
	User     []Track // user recordings
	Keep     string  // forever, nothing, hold, or a number of days
	KeepUser string  // the same of user recordings; empty is forever
	Listen   []string
	Refused  []Refusal
}

// A Track is what is recorded of a party, in the recording of Maker if that is a
// user recording.
type Track struct {
	Maker, Party string
	Spans        []Span
}

// A Gap is a time in which a party is on the call and not recorded.
type Gap struct {
	Party  string
	Span   Span
	Causes []string
}

// A Refusal is a command that was refused.
type Refusal struct {
	At       time.Duration
	What, By string
}

// Lines are the facts in one order, so that two outcomes can be compared.
func (o Outcome) Lines() []string {
	var out []string
	for _, t := range o.Recorded {
		out = append(out, "record "+t.Party+spans(t.Spans))
	}
	for _, t := range o.User {
		out = append(out, "user "+t.Maker+" "+t.Party+spans(t.Spans))
	}
	for _, g := range o.Withheld {
		causes := slices.Clone(g.Causes)
		slices.Sort(causes)
		out = append(out, fmt.Sprintf("withhold %s %v %s", g.Party, g.Span, strings.Join(causes, " ")))
	}
	for _, r := range o.Refused {
		out = append(out, fmt.Sprintf("refused %s %s %s", seconds(r.At), r.What, r.By))
	}
	out = append(out, "keep "+o.Keep)
	if o.KeepUser != "" && o.KeepUser != "forever" {
		out = append(out, "keep user "+o.KeepUser)
	}
	if len(o.Listen) > 0 {
		listen := slices.Clone(o.Listen)
		slices.Sort(listen)
		out = append(out, "listen "+strings.Join(listen, " "))
	}
	slices.Sort(out)
	return out
}

func spans(in []Span) string {
	var b strings.Builder
	for _, s := range in {
		b.WriteString(" " + s.String())
	}
	return b.String()
}

// An Access is a question who may listen.
type Access struct {
	Given   []Flag // what is known of the recording
	Asks    string
	Rights  []string // inbound, outbound
	Allowed bool
}
