package scenario

import (
	"fmt"
	"strconv"
)

// want reads what is expected.
func (s *Scenario) want(f []string) (err error) {
	w := &s.Want
	switch n := len(f); {
	case f[0] == "record" && n > 2:
		t := Track{Party: f[1]}
		t.Spans, err = readSpans(f[2:])
		w.Recorded = append(w.Recorded, t)
	case f[0] == "user" && n > 3:
		t := Track{Maker: f[1], Party: f[2]}
		t.Spans, err = readSpans(f[3:])
		w.User = append(w.User, t)
	case f[0] == "withhold" && n > 3:
		g := Gap{Party: f[1], Causes: f[3:]}
		g.Span, err = span(f[2])
		w.Withheld = append(w.Withheld, g)
	case f[0] == "keep" && n == 2:
		w.Keep, err = f[1], keepable(f[1])
	case f[0] == "keep" && n == 3 && f[1] == "user":
		w.KeepUser, err = f[2], keepable(f[2])
	case f[0] == "listen" && n > 1:
		w.Listen = f[1:]
	case f[0] == "refused" && n == 4:
		r := Refusal{What: f[2], By: f[3]}
		r.At, err = moment(f[1])
		w.Refused = append(w.Refused, r)
	default:
		return fmt.Errorf("cannot read a line of %d words that begins with %q", n, f[0])
	}
	return err
}

// keepable wants one of the words for what is kept.
func keepable(text string) error {
	if days, bad := strconv.Atoi(text); text != "forever" && text != "nothing" && text != "hold" && (bad != nil || days < 0) {
		return fmt.Errorf("keep forever, nothing, hold or a number of days, got %q", text)
	}
	return nil
}

func readSpans(f []string) ([]Span, error) {
	var out []Span
	for _, text := range f {
		s, err := span(text)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// access reads a question who may listen.
func (s *Scenario) access(f []string) (err error) {
	if s.Access == nil {
		s.Access = &Access{}
	}
	a := s.Access
	switch {
	case f[0] == "given":
		a.Given, err = pairs(f[1:])
	case f[0] == "asks" && len(f) > 1:
		a.Asks, a.Rights = f[1], f[2:]
	case f[0] == "expect" && len(f) == 2 && (f[1] == "allowed" || f[1] == "refused"):
		a.Allowed = f[1] == "allowed"
	default:
		err = fmt.Errorf("want asks WHO RIGHTS, or expect allowed or refused")
	}
	return err
}
