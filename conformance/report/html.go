package report

import (
	_ "embed" // for the page
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
)

//go:embed page.html
var pageText string

// page is what the template is filled with.
type page struct {
	*conformance.Report
	Verdict, Colour  string
	Date, Took, Says string
	Groups           []group
	Problems         []problem
}

type group struct {
	conformance.Group
	Rows []row
}

// row is a case in the table of its group.
type row struct {
	check.Result
	Outcome string
	Took    string
	Why     string // of a case that was skipped
	Linked  bool   // to what is said of it further down
}

// Anchor is the name of the place where the case is told of in full.
func (r row) Anchor() string { return "case-" + strings.ReplaceAll(r.ID, "/", "-") }

// problem is a case that did not pass.
type problem struct {
	row
	Ladder   *ladder
	Messages []message
	Said     []string
}

// message is one in full.
type message struct {
	Number            int
	Time, Route, Text string
}

// HTML writes a report as one page, with everything in it: a table for each group, and
// of each case that failed or had an error what was said, a ladder, and all messages.
func HTML(w io.Writer, r *conformance.Report) error {
	t, err := template.New("page").Parse(pageText)
	if err != nil {
		return err
	}
	p := page{
		Report: r, Date: r.Started.UTC().Format("2006-01-02 15:04:05 UTC"), Took: r.Duration.Round(time.Millisecond).String(),
		Says: "everything",
	}
	if r.Features != nil {
		p.Says = strings.Join(r.Features, ", ")
	}
	p.Verdict, p.Colour = verdict(r)
	for _, g := range r.Groups {
		p.Groups = append(p.Groups, group{g, rows(g.Name, r.Results)})
	}
	for _, g := range p.Groups {
		for _, one := range g.Rows {
			if one.Linked {
				p.Problems = append(p.Problems, problemOf(one))
			}
		}
	}
	return t.Execute(w, p)
}

// verdict is the sentence at the top, and the outcome whose colour it has.
func verdict(r *conformance.Report) (text, colour string) {
	all := len(r.Results)
	switch {
	case r.Failed > 0:
		return fmt.Sprintf("The server failed %d of %d cases.", r.Failed, all), "fail"
	case r.Errors > 0:
		return fmt.Sprintf("%d of %d cases have no verdict.", r.Errors, all), "error"
	case r.Warned > 0:
		return fmt.Sprintf("The server failed nothing that it must do; %d of %d cases are warnings.", r.Warned, all), "warn"
	}
	return fmt.Sprintf("The server passed %d of %d cases, and failed none.", r.Passed, all), "pass"
}

func rows(group string, results []check.Result) []row {
	var out []row
	for _, r := range results {
		if r.Group() != group {
			continue
		}
		one := row{Result: r, Outcome: Outcome(r), Took: r.Duration.Round(time.Millisecond).String()}
		if r.Outcome == check.Skip {
			one.Why = visible(strings.Join(r.Messages, "; "))
		}
		one.Linked = r.Outcome == check.Fail || r.Outcome == check.Error
		out = append(out, one)
	}
	return out
}

func problemOf(one row) problem {
	p := problem{row: one}
	for _, m := range one.Result.Messages {
		p.Said = append(p.Said, visible(m))
	}
	if one.Runs > 1 {
		p.Said = append(p.Said, fmt.Sprintf("%d of %d runs passed.", one.PassedRuns, one.Runs))
	}
	if len(one.Trace) == 0 {
		return p
	}
	l := draw(one.Trace)
	p.Ladder = &l
	for i, m := range one.Trace {
		p.Messages = append(p.Messages, message{i + 1, l.Steps[i].Time, route(m), visible(m.Text)})
	}
	return p
}
