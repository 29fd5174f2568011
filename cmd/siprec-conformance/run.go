package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
)

type runCommand struct {
	reachFlags `embed:""`
	JSON       string        `name:"json" help:"Write the report to this file as JSON, with the messages of cases that did not pass; - is standard output." placeholder:"FILE"`
	Timeout    time.Duration `default:"10s" help:"Time for each case, above 0; some have more by themselves."`
	Duration   time.Duration `default:"20s" help:"How long recording sessions last in cases that are about their length, 1s or more."`
	Parallel   int           `default:"4" help:"Cases at a time, 1 or more."`
	Repeat     int           `default:"1" help:"Runs of each case, 1 or more; the worst counts."`
	Strict     bool          `help:"Count a failed SHOULD as a failure, and not as a warning."`
	DryRun     bool          `help:"List the cases that would be run, and do nothing."`
	Profile    string        `help:"Named set of claimed features: core, common or full; profiles lists them. Without it and without --features everything is claimed." placeholder:"NAME"`
	Features   []string      `help:"Claimed features, besides those of the profile; cases that need another are skipped." placeholder:"NAME"`
	Sections   []string      `arg:"" optional:"" help:"Run only these: a group (rfc7866, dialects), a section (rfc7866/7.2), a case (rfc7866/7.2/1), or all. Without any, the groups of the RFCs."`
}

// check refuses values that are out of range.
func (c runCommand) check() error {
	switch {
	case c.Timeout <= 0:
		return fmt.Errorf("timeout %s is not above 0", c.Timeout)
	case c.Duration < time.Second:
		return fmt.Errorf("duration %s is less than 1s", c.Duration)
	case c.Parallel < 1:
		return fmt.Errorf("%d cases at a time are fewer than 1", c.Parallel)
	case c.Repeat < 1:
		return fmt.Errorf("%d runs of each case are fewer than 1", c.Repeat)
	}
	return nil
}

func (c runCommand) run(ctx context.Context, stdout io.Writer) (int, error) {
	target, err := c.target()
	if err != nil {
		return 0, err
	}
	if err := c.check(); err != nil {
		return 0, err
	}
	target.Duration = c.Duration
	cases, err := conformance.Choose(conformance.All(), c.Sections)
	if err != nil {
		return 0, err
	}
	features, err := conformance.Claim(c.Profile, c.Features)
	if err != nil {
		return 0, err
	}
	if c.DryRun {
		return exitPassed, listCases(stdout, cases, c.JSON == "-")
	}
	progress := stdout
	if c.JSON == "-" {
		progress = io.Discard
	}
	report, err := conformance.Run(ctx, target, conformance.Options{
		Cases: cases, Features: features, Timeout: c.Timeout, Parallel: c.Parallel, Repeat: c.Repeat, Strict: c.Strict,
		Progress: func(r check.Result) { show(progress, r) },
	})
	if err != nil {
		return 0, err
	}
	fmt.Fprintf(progress, "%d passed, %d failed, %d warned, %d errors, %d skipped\n",
		report.Passed, report.Failed, report.Warned, report.Errors, report.Skipped)
	if err := save(c.JSON, stdout, report); err != nil {
		return 0, err
	}
	return exitCode(report.Tally), nil
}

func exitCode(t conformance.Tally) int {
	switch {
	case t.Failed > 0:
		return exitFailed
	case t.Errors > 0:
		return exitError
	}
	return exitPassed
}

func show(w io.Writer, r check.Result) {
	outcome := r.Outcome.String()
	if r.Warning {
		outcome = "warn"
	}
	fmt.Fprintf(w, "%-5s %-20s %6d ms  %s\n", outcome, r.ID, r.Duration.Milliseconds(), r.Requirement)
	if r.Outcome == check.Pass {
		return
	}
	for _, m := range r.Messages {
		fmt.Fprintf(w, "      %s\n", strings.ReplaceAll(m, "\n", "\n      "))
	}
}

func save(path string, stdout io.Writer, report any) error {
	if path == "" {
		return nil
	}
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	text = append(text, '\n')
	if path == "-" {
		_, err = stdout.Write(text)
		return err
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
