package scenario

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An Error is a line that cannot be read.
type Error struct {
	Line int
	Text string
}

// Error says where and what.
func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Text) }

// events are the names of the events with the number of their arguments, of
// which the last ones after the first number may be left out.
func events() map[string][2]int {
	return map[string][2]int{
		"in": {1, 1}, "out": {2, 2}, "int": {2, 2}, "unknown": {1, 1}, "direction": {1, 1}, "end": {0, 0}, "plan": {1, 1}, "menu": {1, 1},
		"record": {0, 1}, "dnr": {0, 1}, "plan-is": {1, 2}, "ivr+": {1, 1}, "ivr-": {1, 1}, "q+": {1, 1}, "q-": {1, 1}, "join": {1, 1}, "leave": {1, 1},
		"hold": {1, 1}, "retrieve": {1, 1}, "pause": {1, 1}, "resume": {1, 1}, "consult": {2, 2}, "dial": {2, 2},
		"ans": {1, 1}, "cend": {1, 1}, "alt": {1, 1}, "conf": {0, 0}, "xfer": {1, 1}, "bxfer": {2, 2}, "qxfer": {2, 2},
		"ask": {0, 0}, "yes": {0, 0}, "no": {0, 0}, "noans": {0, 0}, "withdraw": {0, 0}, "pyes": {1, 1}, "number": {2, 2},
		"urec+": {1, 1}, "urec-": {1, 1}, "sdp-": {0, 1}, "sdp+": {0, 1}, "nop": {0, 0}, "secure+": {1, 1}, "secure-": {1, 1},
	}
}

// EventNames are the words for what can happen, in the order of the alphabet.
func EventNames() []string { return slices.Sorted(maps.Keys(events())) }

// Parse reads scenarios. The error is an [*Error].
func Parse(text string) ([]Scenario, error) {
	var out []Scenario
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if id, ok := strings.CutPrefix(line, "scenario:"); ok {
			id = strings.TrimSpace(id)
			if id == "" || slices.ContainsFunc(out, func(s Scenario) bool { return s.ID == id }) {
				return nil, &Error{i + 1, fmt.Sprintf("scenario %q needs a name of its own", id)}
			}
			out = append(out, Scenario{ID: id, Line: i + 1})
			continue
		}
		if len(out) == 0 {
			return nil, &Error{i + 1, "want scenario: NAME first"}
		}
		if err := out[len(out)-1].read(line, i+1); err != nil {
			return nil, &Error{i + 1, err.Error()}
		}
	}
	for _, s := range out {
		if err := s.complete(); err != "" {
			return nil, &Error{s.Line, "scenario " + s.ID + " " + err}
		}
	}
	return out, nil
}

// complete says what is missing.
func (s *Scenario) complete() string {
	switch {
	case s.Title == "":
		return "has no title"
	case s.Class == 0:
		return "has no class"
	case s.Access != nil && s.Access.Asks == "":
		return "says not who asks"
	case s.Access != nil:
		return ""
	case s.Base == "":
		return "has no flags"
	case len(s.Events) == 0 || s.Events[len(s.Events)-1].Name != "end":
		return "does not end"
	case s.Want.Keep == "":
		return "says not what is kept"
	}
	return ""
}

// read takes one line into the scenario.
func (s *Scenario) read(line string, n int) error {
	if c := line[0]; c >= '0' && c <= '9' {
		return s.event(strings.Fields(line), n)
	}
	if name, value, ok := strings.Cut(line, ":"); ok && !strings.Contains(name, " ") {
		return s.header(name, strings.TrimSpace(value))
	}
	f := strings.Fields(line)
	switch f[0] {
	case "given", "asks", "expect":
		return s.access(f)
	default:
		return s.want(f)
	}
}

func (s *Scenario) header(name, value string) error {
	switch name {
	case "title":
		s.Title = value
	case "class":
		i := slices.Index(classes(), value)
		if i < 1 {
			return fmt.Errorf("unknown class %q: want one of %s", value, strings.Join(classes()[1:], ", "))
		}
		s.Class = Class(i)
	case "statements":
		s.Statements = strings.Fields(value)
	case "reason":
		s.Reason = value
	case "flags":
		f := strings.Fields(value)
		if len(f) == 0 || f[0] != "vonage" && f[0] != "genesys" && f[0] != "ours" {
			return fmt.Errorf("flags begin with vonage, genesys or ours, got %q", value)
		}
		flags, err := pairs(f[1:])
		s.Base, s.Flags = f[0], flags
		return err
	default:
		return fmt.Errorf("unknown heading %q", name)
	}
	return nil
}

func pairs(f []string) ([]Flag, error) {
	var out []Flag
	for _, text := range f {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("want NAME=VALUE, got %q", text)
		}
		out = append(out, Flag{name, value})
	}
	return out, nil
}

func (s *Scenario) event(f []string, n int) error {
	at, err := moment(f[0])
	if err != nil {
		return err
	}
	if len(f) < 2 {
		return fmt.Errorf("nothing happens at %s", f[0])
	}
	args, known := events()[f[1]]
	switch {
	case !known:
		return fmt.Errorf("unknown event %q: want one of %s", f[1], strings.Join(EventNames(), ", "))
	case len(f)-2 < args[0] || len(f)-2 > args[1]:
		return fmt.Errorf("event %s takes %d to %d arguments, got %d", f[1], args[0], args[1], len(f)-2)
	case len(s.Events) > 0 && s.Events[len(s.Events)-1].At > at:
		return fmt.Errorf("event at %s comes after a later one", f[0])
	case len(s.Events) > 0 && s.Events[len(s.Events)-1].Name == "end":
		return fmt.Errorf("event %s comes after the end", f[1])
	}
	s.Events = append(s.Events, Event{At: at, Name: f[1], Args: f[2:], Line: n})
	return nil
}

func moment(text string) (time.Duration, error) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v >= 0 && v <= 1e6) {
		return 0, fmt.Errorf("want seconds from the start, got %q", text)
	}
	return time.Duration(math.Round(v*1000)) * time.Millisecond, nil
}

func span(text string) (Span, error) {
	from, to, ok := strings.Cut(text, "-")
	if !ok {
		return Span{}, fmt.Errorf("want FROM-TO, got %q", text)
	}
	a, err := moment(from)
	if err != nil {
		return Span{}, err
	}
	b, err := moment(to)
	if err == nil && b <= a {
		err = fmt.Errorf("interval %q is empty", text)
	}
	return Span{a, b}, err
}
