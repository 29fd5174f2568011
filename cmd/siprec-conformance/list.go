package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/load"
	"github.com/siprecd/siprecd/conformance/policy"
)

type listCommand struct {
	JSON     bool     `name:"json" help:"Write an array of objects instead of lines."`
	Sections []string `arg:"" optional:"" help:"List only these sections, for example rfc7866/7.2 or dialects; without any, all groups."`
}

func (c listCommand) list(w io.Writer) error {
	sections := c.Sections
	if len(sections) == 0 {
		sections = []string{conformance.Everything}
	}
	all, err := listable(sections)
	if err != nil {
		return err
	}
	cases, err := conformance.Choose(all, sections)
	if err != nil {
		return err
	}
	return listCases(w, cases, c.JSON)
}

// listable are the cases that sections may name; those of policy and load, which need
// flags to run, are there when they are named.
func listable(sections []string) ([]check.Case, error) {
	all := conformance.All()
	named := func(group string) bool {
		return slices.ContainsFunc(sections, func(s string) bool { return isOf(s, group) })
	}
	if named("policy") {
		list, err := scenarios(nil)
		if err != nil {
			return nil, err
		}
		all = append(all, policy.Cases(policy.Settings{}, list)...)
	}
	if named("load") {
		list, err := load.Cases(load.Settings{Calls: 20, Rate: 20, Duration: 5 * time.Second}) // as run has it
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}

// listed is a case as JSON.
type listed struct {
	ID          string      `json:"id"`
	Group       string      `json:"group"`
	Section     string      `json:"section"`
	Level       check.Level `json:"level"`
	Requirement string      `json:"requirement"`
	Needs       []string    `json:"needs,omitempty"`
	Shows       []string    `json:"shows,omitempty"`
	Alone       bool        `json:"alone,omitempty"`
}

// listCases writes a line for each case, or all of them as JSON.
func listCases(w io.Writer, cases []check.Case, asJSON bool) error {
	if asJSON {
		list := make([]listed, 0, len(cases))
		for _, c := range cases {
			list = append(list, listed{c.ID, c.Group(), c.Section, c.Level, c.Requirement, c.Needs, c.Shows, c.Alone})
		}
		return save("-", w, list)
	}
	for _, one := range cases {
		if _, err := fmt.Fprintf(w, "%-20s %-8s %-20s %s\n", one.ID, one.Level, one.Section, one.Requirement); err != nil {
			return err
		}
	}
	return nil
}

type profilesCommand struct {
	JSON bool `name:"json" help:"Write an object instead of lines."`
}

// list writes the profiles and the features.
func (c profilesCommand) list(w io.Writer) error {
	profiles, features := conformance.Profiles(), conformance.Features()
	if c.JSON {
		return save("-", w, map[string]any{"profiles": profiles, "features": features})
	}
	var b strings.Builder
	b.WriteString("Profiles, for --profile:\n")
	for _, p := range profiles {
		fmt.Fprintf(&b, "  %-12s %s: %s\n", p.Name, p.Says, strings.Join(p.Features, ", "))
	}
	b.WriteString("\nFeatures, for --features. A server that claims one\n")
	for _, f := range features {
		in := slices.IndexFunc(profiles, func(p conformance.Profile) bool { return slices.Contains(p.Features, f.Name) })
		where := "in no profile, as it is a matter of configuration"
		if !f.Setting {
			where = "from profile " + profiles[in].Name + " on"
		}
		fmt.Fprintf(&b, "  %-18s %s; %s\n", f.Name, f.Says, where)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
