package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/report"
)

// progress shows how a run goes on: a line for each case, or on a terminal a line that
// changes, with those above it that are worth keeping.
type progress struct {
	w       io.Writer
	columns int // of the terminal; 0: it is none
	total   int
	done    int
	bad     int      // failed, or without a verdict
	running []string // IDs
}

// newProgress shows a run of some cases. A writer that is a terminal gets the line that
// changes.
func newProgress(w io.Writer, total int) *progress {
	return &progress{w: w, columns: columnsOf(w), total: total}
}

// The escape sequences that are used: to the begin of the line and erase it, colours.
const (
	eraseLine = "\r\x1b[K"
	noColour  = "\x1b[0m"
)

// colour is the escape sequence for the word of an outcome.
func colour(outcome string) string {
	switch outcome {
	case "pass":
		return "\x1b[32m"
	case "fail", "error":
		return "\x1b[31m"
	case "warn":
		return "\x1b[33m"
	}
	return "\x1b[2m"
}

func (p *progress) begin(c check.Case) {
	p.running = append(p.running, c.ID)
	p.status()
}

func (p *progress) result(r check.Result) {
	p.done++
	p.running = slices.DeleteFunc(p.running, func(id string) bool { return id == r.ID })
	if r.Outcome == check.Error || r.Outcome == check.Fail && !r.Warning {
		p.bad++
	}
	if p.columns == 0 || r.Outcome == check.Fail || r.Outcome == check.Error {
		p.keep(r)
	}
	p.status()
}

// keep writes the lines of a result that stay.
func (p *progress) keep(r check.Result) {
	word := fmt.Sprintf("%-5s", report.Outcome(r))
	if p.columns > 0 {
		word = eraseLine + colour(report.Outcome(r)) + word + noColour
	}
	fmt.Fprintf(p.w, "%s %-20s %6d ms  %s\n", word, r.ID, r.Duration.Milliseconds(), r.Requirement+figures(r))
	if r.Outcome != check.Pass {
		for _, m := range r.Messages {
			fmt.Fprintf(p.w, "      %s\n", strings.ReplaceAll(m, "\n", "\n      "))
		}
	}
	if r.Runs > 1 && r.PassedRuns < r.Runs && r.Outcome != check.Skip {
		fmt.Fprintf(p.w, "      %d of %d runs passed\n", r.PassedRuns, r.Runs)
	}
}

// figures are what was measured, behind the requirement.
func figures(r check.Result) string {
	var all []string
	for _, f := range r.Figures {
		all = append(all, f.Name+" "+f.Value)
	}
	if len(all) == 0 {
		return ""
	}
	return " [" + strings.Join(all, ", ") + "]"
}

// status writes the line that changes.
func (p *progress) status() {
	if p.columns == 0 {
		return
	}
	line := fmt.Sprintf("%d of %d", p.done, p.total)
	if p.bad > 0 {
		line += fmt.Sprintf(", %d bad", p.bad)
	}
	if len(p.running) > 0 {
		line += ": " + strings.Join(p.running, " ")
	}
	if len(line) >= p.columns {
		line = line[:p.columns-1]
	}
	fmt.Fprint(p.w, eraseLine+line)
}

// end takes the line away and writes the summary.
func (p *progress) end(r *conformance.Report) error {
	if p.columns > 0 {
		fmt.Fprint(p.w, eraseLine)
	}
	if n := len(r.Results); n < p.total {
		fmt.Fprintf(p.w, "interrupted: %d of %d cases were done\n", n, p.total)
	}
	if err := report.Table(p.w, r); err != nil {
		return err
	}
	_, err := fmt.Fprintf(p.w, "%d passed, %d failed, %d warned, %d errors, %d skipped\n", r.Passed, r.Failed, r.Warned, r.Errors, r.Skipped)
	return err
}
