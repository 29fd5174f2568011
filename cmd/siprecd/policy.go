package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/policy"
)

// policyCommand is what can be done with a policy file without a server.
type policyCommand struct {
	Check    policyCheckCommand    `cmd:"" help:"Find what is wrong in a policy file, and say in plain sentences what it means."`
	Explain  policyExplainCommand  `cmd:"" help:"Play scenarios under a policy file: who is recorded when, and why not."`
	Versions policyVersionsCommand `cmd:"" help:"List every version of the policy file that a server published, or print one."`
	Test     policyTestCommand     `cmd:"" help:"Play scenarios and compare what comes of them with what they expect."`
}

type policyCheckCommand struct {
	File      string `arg:"" help:"Policy file." placeholder:"FILE"`
	Directory string `help:"YAML file that says who is an agent and what is inside, as of siprecd explain: it tells who is who." placeholder:"FILE"`
}

// Run prints what the file means. A file that cannot be used, and one with a
// setting that nothing feeds, is a failure.
func (c policyCheckCommand) Run(out streams) error {
	f, err := readPolicy(c.File, out)
	if err != nil {
		return err
	}
	if c.Directory != "" {
		d, err := checkDirectory(c.Directory, out)
		if err != nil {
			return err
		}
		f = f.Knowing(d)
	}
	if err := printMeaning(out, c.File, f); err != nil {
		return fmt.Errorf("writing what %s means: %w", c.File, err)
	}
	return unfed(out, c.File, f)
}

// checkDirectory reads a directory and writes all that is wrong with it.
func checkDirectory(path string, out streams) (rules.Directory, error) {
	d, err := loadDirectory(path)
	var wrong directoryError
	if !errors.As(err, &wrong) {
		if err != nil {
			err = usageError{err}
		}
		return d, err
	}
	for _, line := range wrong {
		fmt.Fprintln(out.stderr, line)
	}
	return d, problems(path, len(wrong))
}

// unfed writes what is never fed, and what to write where to acknowledge it.
func unfed(out streams, path string, f *policy.File) error {
	failing := f.Unfed()
	if len(failing) == 0 {
		return nil
	}
	for _, u := range failing {
		where, part := "account "+u.Account, "account "+u.Account
		if u.Trunk != "" {
			where, part = where+", trunk "+u.Trunk, "trunk "+u.Trunk
		} else if len(f.Account(u.Account).Trunks) > 0 {
			where += ", calls on no trunk"
		}
		for _, m := range u.Missing {
			fmt.Fprintf(out.stderr, "%s:%d: %s: nothing tells %s\n", path, u.Line, where, m)
		}
		by := "a profile deliver it"
		if slices.Contains(u.Facts, policy.FactRole) {
			by += ", and a directory of addresses (--directory) the role"
		}
		fmt.Fprintf(out.stderr, "%s:%d: let %s, or acknowledge it by this key of %s:\n    %s\n", path, u.Line, by, part, u.Acknowledge)
	}
	return fmt.Errorf("%s: settings are in force that are never fed", path)
}

// problems is the error for a file of which the problems were written.
func problems(path string, n int) error {
	if n == 1 {
		return errors.New(path + ": 1 problem")
	}
	return fmt.Errorf("%s: %d problems", path, n)
}

// readPolicy reads a policy file and writes what is wrong with it, line by line.
func readPolicy(path string, out streams) (*policy.File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, usageError{fmt.Errorf("policy: %w", err)}
	}
	f, wrong := policy.Read(text)
	for _, p := range wrong {
		fmt.Fprintf(out.stderr, "%s:%v\n", path, p)
	}
	if f.Unread() {
		fmt.Fprintf(out.stderr, "%s: once what cannot be read is mended, the parts in which it stands are looked through for contradictions\n", path)
	}
	if len(wrong) > 0 {
		return nil, problems(path, len(wrong))
	}
	return f, nil
}

func printMeaning(out streams, path string, f *policy.File) error {
	var b strings.Builder
	fmt.Fprintln(&b, f.Version())
	for _, m := range f.Meanings() {
		switch {
		case m.OffTrunk:
			fmt.Fprintf(&b, "\naccount %s, calls on no trunk\n", m.Account)
		case m.Trunk == "":
			fmt.Fprintf(&b, "\naccount %s, defaults of %v\n", m.Account, f.Account(m.Account).Preset)
		default:
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
	for _, c := range f.Conditions() {
		fmt.Fprintf(table, "  mapping\tline %d\t%s\t-\t%s\n", c.Line, c.Text, c.State)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if remarks := f.Remarks(); len(remarks) > 0 {
		fmt.Fprintln(&b, "\nwhat may not be meant")
		for _, r := range remarks {
			fmt.Fprintf(&b, "  %s:%v\n", path, r)
		}
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
	for _, n := range fed.Directory {
		state += fmt.Sprintf(" (%v: from the directory)", n)
	}
	switch {
	case fed.Fails():
		state += ": FAILS"
	case fed.Feed == policy.NeverFed:
		state += ", acknowledged"
	}
	return strings.Join([]string{fed.Account, trunk, fed.Setting + ": " + fed.Word, strings.Join(needs, "+"), state}, "\t")
}
