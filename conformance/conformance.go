// Package conformance is a conformance suite for Session Recording Servers
// (RFC 7866 and the RFCs below it). It meets a server from outside, by SIP and
// RTP, and shares no code with any: [All] lists the cases, [Run] runs them.
package conformance

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/rfc3261"
	"github.com/siprecd/siprecd/conformance/rfc3262"
	"github.com/siprecd/siprecd/conformance/rfc3264"
	"github.com/siprecd/siprecd/conformance/rfc3311"
	"github.com/siprecd/siprecd/conformance/rfc3581"
	"github.com/siprecd/siprecd/conformance/rfc4028"
	"github.com/siprecd/siprecd/conformance/rfc4568"
	"github.com/siprecd/siprecd/conformance/rfc5621"
	"github.com/siprecd/siprecd/conformance/rfc5761"
	"github.com/siprecd/siprecd/conformance/rfc7865"
	"github.com/siprecd/siprecd/conformance/rfc7866"
	"github.com/siprecd/siprecd/conformance/src"
)

// All lists every case of the suite.
func All() []check.Case {
	return slices.Concat(rfc3261.Cases(), rfc3262.Cases(), rfc3264.Cases(), rfc3311.Cases(), rfc3581.Cases(), rfc4028.Cases(),
		rfc4568.Cases(), rfc5621.Cases(), rfc5761.Cases(), rfc7865.Cases(), rfc7866.Cases())
}

// Options choose and watch a run.
type Options struct {
	Cases    []check.Case  // default All
	Prefixes []string      // run only cases whose ID begins with one of these; none: all
	Features []string      // what the server claims to support; nil: everything
	Timeout  time.Duration // per case; default 10 s
	// Progress sees each result as it comes.
	Progress func(check.Result)
}

// A Report is the outcome of a run.
type Report struct {
	Target    string         `json:"target"`
	Transport string         `json:"transport"`
	Started   time.Time      `json:"started"`
	Passed    int            `json:"passed"`
	Failed    int            `json:"failed"`
	Errors    int            `json:"errors"`
	Skipped   int            `json:"skipped"`
	Results   []check.Result `json:"results"`
}

// Run first asks the server for its options, then runs the cases one after the
// other. The error says that no case could be run: nothing was chosen, or the
// server does not respond at all.
func Run(ctx context.Context, target check.Target, opt Options) (*Report, error) {
	cases := opt.Cases
	if cases == nil {
		cases = All()
	}
	cases = choose(cases, opt.Prefixes)
	if len(cases) == 0 {
		return nil, fmt.Errorf("no case begins with %s", strings.Join(opt.Prefixes, " or "))
	}
	target.Transport = cmp.Or(target.Transport, "udp")
	timeout := cmp.Or(opt.Timeout, 10*time.Second)
	if err := reach(ctx, target, timeout); err != nil {
		return nil, fmt.Errorf("reach %s over %s: %w", target.Address, target.Transport, err)
	}
	r := &Report{Target: target.Address, Transport: target.Transport, Started: time.Now().UTC()}
	for _, c := range cases {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		r.add(runOne(ctx, c, target, opt.Features, timeout), opt.Progress)
	}
	return r, nil
}

func runOne(ctx context.Context, c check.Case, target check.Target, features []string, timeout time.Duration) check.Result {
	if features != nil {
		for _, need := range c.Needs {
			if !slices.Contains(features, need) {
				return check.Result{
					ID: c.ID, Shows: c.Shows, Section: c.Section, Level: c.Level, Requirement: c.Requirement,
					Outcome: check.Skip, Messages: []string{"feature not claimed: " + need},
				}
			}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return check.Perform(ctx, c, target)
}

func (r *Report) add(result check.Result, progress func(check.Result)) {
	r.Results = append(r.Results, result)
	switch result.Outcome {
	case check.Pass:
		r.Passed++
	case check.Fail:
		r.Failed++
	case check.Error:
		r.Errors++
	case check.Skip:
		r.Skipped++
	}
	if progress != nil {
		progress(result)
	}
}

// choose keeps the cases with one of the prefixes, in their order.
func choose(cases []check.Case, prefixes []string) []check.Case {
	if len(prefixes) == 0 {
		return cases
	}
	var out []check.Case
	for _, c := range cases {
		if slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(c.ID, p) }) {
			out = append(out, c)
		}
	}
	return out
}

// reach asks for any response to OPTIONS, so that silence in a case is the
// server's and not the network's.
func reach(ctx context.Context, target check.Target, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	c, err := src.New(ctx, src.Config{Target: target.Address, Transport: target.Transport, TLS: target.TLS})
	if err != nil {
		return err
	}
	_, err = c.Options(ctx, src.Request{RequestURI: target.RequestURI})
	if closing := c.Close(); err == nil && closing != nil {
		return closing
	}
	return err
}
