package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/siprecd/siprecd/rules/policy"
)

// policyCommand is what can be done with a policy file without a server.
type policyCommand struct {
	Check   policyCheckCommand   `cmd:"" help:"Find what is wrong in a policy file, and say in plain sentences what it means."`
	Explain policyExplainCommand `cmd:"" help:"Play scenarios under a policy file: who is recorded when, and why not."`
	Test    policyTestCommand    `cmd:"" help:"Play scenarios and compare what comes of them with what they expect."`
}

type policyCheckCommand struct {
	File string `arg:"" help:"Policy file." placeholder:"FILE"`
}

// Run prints what the file means. A file that cannot be used, and one with a
// setting that nothing feeds, is a failure.
func (c policyCheckCommand) Run(out streams) error {
	f, err := readPolicy(c.File, out)
	if err != nil {
		return err
	}
	if err := printMeaning(out, f); err != nil {
		return fmt.Errorf("writing what %s means: %w", c.File, err)
	}
	failing := 0
	for _, fed := range f.Feeds() {
		if fed.Fails() {
			failing++
		}
	}
	if failing > 0 {
		return fmt.Errorf("%s: settings that are never fed: %d; let a profile or the API deliver the facts, or acknowledge the settings at the trunk", c.File, failing)
	}
	return nil
}

// readPolicy reads a policy file and writes what is wrong with it, line by line.
func readPolicy(path string, out streams) (*policy.File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, usageError{fmt.Errorf("policy: %w", err)}
	}
	f, problems := policy.Read(text)
	for _, p := range problems {
		fmt.Fprintf(out.stderr, "%s:%v\n", path, p)
	}
	switch n := len(problems); n {
	case 0:
		return f, nil
	case 1:
		return nil, errors.New(path + ": 1 problem")
	default:
		return nil, fmt.Errorf("%s: %d problems", path, n)
	}
}

func printMeaning(out streams, f *policy.File) error {
	var b strings.Builder
	fmt.Fprintln(&b, f.Version())
	for _, m := range f.Meanings() {
		if m.Trunk == "" {
			fmt.Fprintf(&b, "\naccount %s, defaults of %v\n", m.Account, f.Account(m.Account).Preset)
		} else {
			fmt.Fprintf(&b, "\naccount %s, trunk %s\n", m.Account, m.Trunk)
		}
		for _, s := range m.Sentences {
			fmt.Fprintln(&b, "  "+s)
		}
		fmt.Fprintln(&b, "  records nothing on: "+strings.Join(m.Nothing, "; "))
	}
	fmt.Fprintln(&b, "\nwhere interactions belong")
	for _, s := range f.MappingSentences() {
		fmt.Fprintln(&b, "  "+s)
	}
	fmt.Fprintln(&b, "\nwhat the settings need to be told")
	table := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	for _, fed := range f.Feeds() {
		fmt.Fprintln(table, "  "+feedRow(fed))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprint(out.stdout, b.String())
	return err
}

// feedRow is a line of the table: where, which setting, whether it can be done.
func feedRow(fed policy.Fed) string {
	trunk := fed.Trunk
	if trunk == "" {
		trunk = "-"
	}
	var needs []string
	for _, n := range fed.Needs {
		needs = append(needs, n.String())
	}
	state := fed.Feed.String()
	switch {
	case fed.Fails():
		state += ": FAILS"
	case fed.Feed == policy.NeverFed:
		state += ", acknowledged"
	}
	return strings.Join([]string{fed.Account, trunk, fed.Setting + ": " + fed.Word, strings.Join(needs, "+"), state}, "\t")
}
