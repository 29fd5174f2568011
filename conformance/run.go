package conformance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
)

// Options choose and watch a run.
type Options struct {
	Cases    []check.Case  // default All
	Sections []string      // as for Choose; none: all of Cases, or without these the groups of the RFCs
	Features []string      // what the server claims to support; nil: everything but settings
	Timeout  time.Duration // of a case that names no longer one; default 10 s
	Await    time.Duration // how long to ask again while the server cannot be reached; default not at all
	Parallel int           // cases at a time, except those that run alone; default 4
	Repeat   int           // runs of each case, one after the other; default 1
	Strict   bool          // a failed SHOULD is a failure, and no warning
	// Begin sees each case before it runs, and Progress each result as it comes.
	// They are called one at a time.
	Begin    func(check.Case)
	Progress func(check.Result)
}

// complete puts the defaults in.
func (o Options) complete() (Options, error) {
	if o.Timeout < 0 || o.Await < 0 || o.Parallel < 0 || o.Repeat < 0 {
		return o, fmt.Errorf("timeout %s, wait %s, %d cases at a time or %d runs are below 0", o.Timeout, o.Await, o.Parallel, o.Repeat)
	}
	o.Timeout = cmp.Or(o.Timeout, 10*time.Second)
	o.Parallel = cmp.Or(o.Parallel, 4)
	o.Repeat = cmp.Or(o.Repeat, 1)
	if o.Begin == nil {
		o.Begin = func(check.Case) {}
	}
	if o.Progress == nil {
		o.Progress = func(check.Result) {}
	}
	var err error
	if len(o.Sections) > 0 || o.Cases == nil {
		if o.Cases == nil {
			o.Cases = All()
		}
		o.Cases, err = Choose(o.Cases, o.Sections)
	}
	if err == nil && len(o.Cases) == 0 {
		err = errors.New("no case is chosen")
	}
	return o, err
}

// Missing is the first feature that the case needs and the server does not claim; empty
// when there is none and the case is run.
func (o Options) Missing(c check.Case) string {
	claimed := o.Features
	if claimed == nil {
		claimed = full()
	}
	for _, need := range c.Needs {
		if !slices.Contains(claimed, need) {
			return need
		}
	}
	return ""
}

// Run first asks the server for its options, then runs the cases: some at a time,
// then those that run alone. The results are in the order of the cases. The error says
// that no case could be run, since none was chosen or the server does not respond at
// all; or that ctx ended, and then the report holds the cases that were done.
func Run(ctx context.Context, target check.Target, opt Options) (*Report, error) {
	opt, err := opt.complete()
	if err != nil {
		return nil, err
	}
	target.Transport = cmp.Or(target.Transport, "udp")
	server, err := await(ctx, opt.Await, func() (string, error) { return reach(ctx, target, opt.Timeout) })
	if err != nil {
		return nil, err
	}
	r := &Report{
		Suite: version(), Target: target.Address, Transport: target.Transport, Server: server, Features: opt.Features, Strict: opt.Strict,
		Started: time.Now().UTC(),
	}
	heard := invites{said: target.Credentials != nil}
	target.Packets = heard.watch(target.Packets)
	run := &runner{target: target, opt: opt, results: make([]*check.Result, len(opt.Cases))}
	run.all(ctx)
	r.Duration = time.Since(r.Started)
	for _, result := range run.results {
		if result != nil {
			r.add(*result)
		}
	}
	r.Hint = cmp.Or(run.hint(), heard.hint())
	return r, ctx.Err()
}

// runner runs the cases of one Run.
type runner struct {
	target check.Target
	opt    Options

	mu        sync.Mutex // of Begin, Progress and what follows
	results   []*check.Result
	gone      string // the case in which the server ceased to answer; empty while it does
	firstGone string // the first of them
}

// all runs the cases that may share the server, long ones first, then the others.
func (r *runner) all(ctx context.Context) {
	var long, short, alone []int
	for i, c := range r.opt.Cases {
		switch {
		case c.Alone:
			alone = append(alone, i)
		case c.Lasts || c.Timeout > r.opt.Timeout:
			long = append(long, i)
		default:
			short = append(short, i)
		}
	}
	next := make(chan int)
	var hands sync.WaitGroup
	for range r.opt.Parallel {
		hands.Go(func() {
			for i := range next {
				r.one(ctx, i)
			}
		})
	}
	for _, i := range slices.Concat(long, short) {
		next <- i
	}
	close(next)
	hands.Wait()
	for _, i := range alone {
		r.one(ctx, i)
	}
}

// one runs a case as often as it is asked for. What ctx has cut short has no result.
func (r *runner) one(ctx context.Context, i int) {
	if ctx.Err() != nil {
		return
	}
	c := r.opt.Cases[i]
	if c.LooksAtFiles() && r.target.Observer == nil {
		r.done(i, c.Skipped("nobody says where the files of the server are"))
		return
	}
	if c.SaysPassword() && r.target.Credentials == nil {
		r.done(i, c.Skipped("nobody says a user name and password for the server (--user and --password-file)"))
		return
	}
	if missing := r.opt.Missing(c); missing != "" {
		r.done(i, c.Skipped("feature not claimed: "+missing))
		return
	}
	if lost := r.lost(ctx); lost != "" && ctx.Err() == nil {
		r.done(i, c.Undecided("the server does not answer since "+lost))
		return
	}
	r.mu.Lock()
	r.opt.Begin(c)
	r.mu.Unlock()
	var result check.Result
	for n := range r.opt.Repeat {
		next := r.perform(ctx, c)
		if ctx.Err() != nil {
			return
		}
		if n == 0 {
			result = next
		} else {
			result = worst(result, next)
		}
		if r.opt.Repeat > 1 {
			result.Runs = n + 1
			if next.Outcome == check.Pass {
				result.PassedRuns++
			}
		}
	}
	r.notice(ctx, result)
	result.Warning = result.Outcome == check.Fail && result.Level == check.Should && !r.opt.Strict
	r.done(i, result)
}

func (r *runner) perform(ctx context.Context, c check.Case) check.Result {
	limit := max(c.Timeout, r.opt.Timeout)
	if c.Lasts {
		limit += cmp.Or(r.target.Duration, check.DefaultDuration)
	}
	if c.LooksAtFiles() {
		limit += r.target.Observer.Wait()
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return check.Perform(ctx, c, r.target)
}

// worst is the first of two runs unless the second is worse; it lasted as long as both.
func worst(first, second check.Result) check.Result {
	out := first
	if second.Outcome.Worse(first.Outcome) {
		out = second
		out.Runs, out.PassedRuns = first.Runs, first.PassedRuns
	}
	out.Started, out.Duration = first.Started, first.Duration+second.Duration
	return out
}

func (r *runner) done(i int, result check.Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results[i] = &result
	r.opt.Progress(result)
}
