package policy

import (
	"fmt"
	"strings"
)

// MappingSentences say how interactions find their account, in the order in which
// the rules are tried.
func (f *File) MappingSentences() []string {
	var said []string
	for _, r := range f.Mapping {
		said = append(said, r.Sentence())
	}
	for _, r := range f.Mapping {
		if r.conditions() == 0 {
			return said
		}
	}
	last := "What no rule places belongs to account " + DefaultAccount
	if f.Account(DefaultAccount) == nil {
		last += ", which this file does not have: nothing of it is recorded"
	}
	return append(said, last+"; an alarm is raised.")
}

// Sentence says which interactions a rule places where.
func (r Rule) Sentence() string {
	var when []string
	add := func(what string, values []string) {
		if len(values) > 0 {
			when = append(when, what+" "+strings.Join(values, " or "))
		}
	}
	add("whose certificate names", r.Certificate)
	add("that come in on listener", r.Listener)
	var networks []string
	for _, p := range r.Address {
		networks = append(networks, p.String())
	}
	add("that come from", networks)
	add("for the Request-URI", r.RequestURI)
	add("in which was dialled", r.Dialled)
	add("of which the API says", r.API)
	for _, h := range r.Header {
		add("with header field "+h.Name+" being", h.Value)
	}
	for _, h := range r.Field {
		add("with extension field "+h.Name+" being", h.Value)
	}
	which := "All interactions"
	if len(when) > 0 {
		which = "Interactions " + strings.Join(when, ", ")
	}
	where := "account " + r.Account
	if r.Trunk != "" {
		where += ", trunk " + r.Trunk
	}
	if r.Plan != "" {
		where += ", plan " + r.Plan
	}
	return fmt.Sprintf("%s belong to %s.", which, where)
}
