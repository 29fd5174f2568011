// Package report writes what came of a run of the suite: as a table for a terminal, as
// JUnit XML for build servers, and as one HTML page for people, which needs no other
// file and no script.
package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
)

// Outcome is the word for a result: that of its outcome, or "warn" for a failed SHOULD
// that counts as a warning.
func Outcome(r check.Result) string {
	if r.Warning {
		return "warn"
	}
	return r.Outcome.String()
}

// Table writes a line with counts for each group and for all, and then the IDs of the
// cases that did not pass and were not skipped, and the hint.
func Table(w io.Writer, r *conformance.Report) error {
	width := len("group")
	for _, g := range r.Groups {
		width = max(width, len(g.Name))
	}
	var b strings.Builder
	line := func(name string, columns ...any) {
		fmt.Fprintf(&b, "%-*s", width, name)
		for _, c := range columns {
			fmt.Fprintf(&b, " %7v", c)
		}
		b.WriteByte('\n')
	}
	line("group", "passed", "failed", "warned", "errors", "skipped")
	for _, g := range append(r.Groups, conformance.Group{Name: "all", Tally: r.Tally}) {
		line(g.Name, g.Passed, g.Failed, g.Warned, g.Errors, g.Skipped)
	}
	for _, list := range []struct{ outcome, title string }{{"fail", "failed:"}, {"warn", "warned:"}, {"error", "without a verdict:"}} {
		var ids []string
		for _, result := range r.Results {
			if Outcome(result) == list.outcome {
				ids = append(ids, result.ID)
			}
		}
		if len(ids) > 0 {
			fmt.Fprintf(&b, "%s %s\n", list.title, strings.Join(ids, " "))
		}
	}
	if r.Hint != "" {
		b.WriteString(r.Hint + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// visible is text as a page or an XML file can show it: control characters are written
// as their pictures, line ends as line feeds.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < 0x20:
			return 0x2400 + r
		case r == 0x7f:
			return 0x2421
		}
		return r
	}, strings.ReplaceAll(text, "\r\n", "\n"))
}
