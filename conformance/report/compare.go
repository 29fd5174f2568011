package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/siprecd/siprecd/conformance"
)

// A Summary is what [Compare] needs of a report: its counts without its cases.
type Summary struct {
	Target    string `json:"target"`
	Transport string `json:"transport"`
	conformance.Tally
	Groups []conformance.Group `json:"groups"`
}

// ReadSummary reads a report that was written as JSON. One without groups is an error.
func ReadSummary(r io.Reader) (Summary, error) {
	var s Summary
	if err := json.NewDecoder(r).Decode(&s); err != nil {
		return s, fmt.Errorf("read report: %w", err)
	}
	if len(s.Groups) == 0 {
		return s, fmt.Errorf("read report: it has no groups of cases")
	}
	return s, nil
}

// Compare writes reports side by side as a table in Markdown: a line for each group, in
// the order in which they come, and a column for each report, headed by its transport. A
// group that a report has not is a dash.
func Compare(w io.Writer, all []Summary) error {
	var b strings.Builder
	b.WriteString("| group |")
	for _, s := range all {
		fmt.Fprintf(&b, " %s |", strings.ToUpper(s.Transport))
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(all)) + "\n")
	var names []string
	for _, s := range all {
		for _, g := range s.Groups {
			if !slices.Contains(names, g.Name) {
				names = append(names, g.Name)
			}
		}
	}
	for _, name := range names {
		fmt.Fprintf(&b, "| %s |", name)
		for _, s := range all {
			i := slices.IndexFunc(s.Groups, func(g conformance.Group) bool { return g.Name == name })
			if i < 0 {
				b.WriteString(" – |")
			} else {
				fmt.Fprintf(&b, " %s |", counts(s.Groups[i].Tally))
			}
		}
		b.WriteByte('\n')
	}
	b.WriteString("| **all** |")
	for _, s := range all {
		fmt.Fprintf(&b, " **%s** |", counts(s.Tally))
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

// counts is a tally in words, without what is 0 but for the passed.
func counts(t conformance.Tally) string {
	out := fmt.Sprintf("%d passed", t.Passed)
	for _, c := range []struct {
		n    int
		word string
	}{{t.Failed, "failed"}, {t.Warned, "warned"}, {t.Errors, "without a verdict"}, {t.Skipped, "skipped"}} {
		if c.n > 0 {
			out += fmt.Sprintf(", %d %s", c.n, c.word)
		}
	}
	return out
}
