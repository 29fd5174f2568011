package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
)

type runCommand struct {
	reachFlags  `embed:""`
	reportFlags `embed:""`
	fileFlags   `embed:""`
	policyFlags `embed:""`
	loadFlags   `embed:""`
	Timeout     time.Duration `default:"10s" help:"Time for each case, above 0; some have more by themselves."`
	Await       time.Duration `help:"Ask a server that cannot be reached again for so long, as one that is just being started; by default it is asked once."`
	Duration    time.Duration `default:"20s" help:"How long recording sessions last in cases that are about their length, 1s or more."`
	Parallel    int           `default:"4" help:"Cases at a time, 1 or more."`
	Repeat      int           `default:"1" help:"Runs of each case, 1 or more; the worst counts."`
	Strict      bool          `help:"Count a failed SHOULD as a failure, and not as a warning."`
	DryRun      bool          `help:"List the cases that would be run, and those that would be skipped, and send nothing."`
	Profile     string        `help:"Named set of claimed features: core, common or full; the command profiles lists them. Without it and without --features everything is claimed." placeholder:"NAME"`
	Features    []string      `help:"Claimed features, besides those of the profile; cases that need another are skipped." placeholder:"NAME"`
	Sections    []string      `arg:"" optional:"" help:"Run only these: a group (rfc7866, dialects), a section (rfc7866/7.2), a case (rfc7866/7.2/1), or all. Without any, the groups of the RFCs."`
}

// check refuses values that are out of range.
func (c runCommand) check() error {
	switch {
	case c.Timeout <= 0:
		return fmt.Errorf("timeout %s is not above 0", c.Timeout)
	case c.Await < 0:
		return fmt.Errorf("a wait of %s for the server is below 0", c.Await)
	case c.Duration < time.Second:
		return fmt.Errorf("duration %s is less than 1s", c.Duration)
	case c.Parallel < 1:
		return fmt.Errorf("%d cases at a time are fewer than 1", c.Parallel)
	case c.Repeat < 1:
		return fmt.Errorf("%d runs of each case are fewer than 1", c.Repeat)
	case c.DryRun && !c.none():
		return errors.New("a dry run has nothing to report: --json, --junit, --html and --pcap are for real ones")
	}
	return nil
}

// options are those of the run that the flags describe.
func (c runCommand) options() (o conformance.Options, err error) {
	o = conformance.Options{Timeout: c.Timeout, Await: c.Await, Parallel: c.Parallel, Repeat: c.Repeat, Strict: c.Strict}
	if o.Features, err = conformance.Claim(c.Profile, c.Features); err != nil {
		return o, err
	}
	if o.Features, err = c.fileFlags.claim(o.Features, c.Features); err != nil {
		return o, err
	}
	if o.Features, err = c.loginFlags.claim(o.Features); err != nil {
		return o, err
	}
	o.Cases, err = c.choose()
	return o, err
}

func (c runCommand) run(ctx context.Context, stdout io.Writer) (int, error) {
	target, err := c.target()
	if err != nil {
		return 0, err
	}
	target.Duration = c.Duration
	if target.Observer, err = c.observer(); err != nil {
		return 0, err
	}
	if err := c.check(); err != nil {
		return 0, err
	}
	opt, err := c.options()
	if err != nil {
		return 0, err
	}
	if c.DryRun {
		return exitPassed, rehearse(stdout, opt)
	}
	return c.perform(ctx, target, opt, stdout)
}

// rehearse lists what would be run.
func rehearse(w io.Writer, opt conformance.Options) error {
	for _, one := range opt.Cases {
		verb := "run"
		if missing := opt.Missing(one); missing != "" {
			verb = "skip"
		}
		if _, err := fmt.Fprintf(w, "%-4s  ", verb); err != nil {
			return err
		}
		if err := listCases(w, []check.Case{one}, false); err != nil {
			return err
		}
	}
	return nil
}

// perform runs the cases and writes the reports, also of a run that was interrupted.
func (c runCommand) perform(ctx context.Context, target check.Target, opt conformance.Options, stdout io.Writer) (int, error) {
	reports, err := c.open(stdout)
	if err != nil {
		return 0, err
	}
	reports.watch(&target)
	shown := newProgress(reports.lines(), len(opt.Cases))
	opt.Begin, opt.Progress = shown.begin, shown.result
	done, interrupted := conformance.Run(ctx, target, opt)
	if done == nil {
		return 0, errors.Join(interrupted, reports.discard())
	}
	if err := errors.Join(shown.end(done), reports.finish(done)); err != nil {
		return 0, err
	}
	if interrupted != nil {
		return exitError, nil
	}
	return exitCode(done.Tally), nil
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
