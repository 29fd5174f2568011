package main

import (
	"fmt"
	"io"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
)

type listCommand struct {
	Sections []string `arg:"" optional:"" help:"List only these sections, for example rfc7866/7.2 or dialects; without any, all groups."`
}

func (c listCommand) list(w io.Writer) error {
	sections := c.Sections
	if len(sections) == 0 {
		sections = []string{conformance.Everything}
	}
	cases, err := conformance.Choose(conformance.All(), sections)
	if err != nil {
		return err
	}
	return listCases(w, cases)
}

// listCases writes a line for each case.
func listCases(w io.Writer, cases []check.Case) error {
	for _, one := range cases {
		if _, err := fmt.Fprintf(w, "%-20s %-8s %-20s %s\n", one.ID, one.Level, one.Section, one.Requirement); err != nil {
			return err
		}
	}
	return nil
}
