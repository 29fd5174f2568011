package load

import (
	"context"
	"fmt"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
)

// Settings are the sizes of the load that cases of the suite put on a server.
type Settings struct {
	Calls    int           // recording sessions at a time, 1 or more
	Rate     float64       // INVITEs in a second, above 0
	Duration time.Duration // how long they last, at least a packet of 20 ms
	Missing  float64       // part of the packets that may be in no file, 0 to 1
	// SetUp is the time in which 99 of 100 INVITEs have to be answered; 0 is any.
	SetUp time.Duration
	// Files, Wait and ServerPID are as in [Config].
	Files     string
	Wait      time.Duration
	ServerPID int
}

// turnover is how many times as many recording sessions there are as at a time, in the
// case in which one follows the other, and brief how long each is.
const (
	turnover = 4
	brief    = time.Second
)

// Cases are the loads of the group load, each alone. The error says which setting
// cannot be.
func Cases(s Settings) ([]check.Case, error) {
	held := Config{Calls: s.Calls, Streams: 2, Duration: s.Duration, Rate: s.Rate, EndRate: s.Rate, Files: s.Files, Wait: s.Wait, ServerPID: s.ServerPID}
	held.Missing, held.SetUp = s.Missing, s.SetUp
	burst, srtp, follow := held, held, held
	burst.EndRate = 0
	srtp.SRTP = true
	follow.Total, follow.Duration, follow.EndRate = turnover*s.Calls, min(s.Duration, brief), 0
	list := []struct {
		id, requirement string
		cfg             Config
	}{
		{"load/held/1", fmt.Sprintf("%d recording sessions, %g of them set up in a second, are up at the same time, go on and end.", s.Calls, s.Rate), held},
		{"load/held/2", fmt.Sprintf("%d recording sessions of SRTP are up at the same time, go on and end.", s.Calls), srtp},
		{"load/burst/1", fmt.Sprintf("%d recording sessions end at once.", s.Calls), burst},
		{"load/turnover/1", fmt.Sprintf("%d recording sessions follow each other, %d at a time.", turnover*s.Calls, s.Calls), follow},
	}
	var cases []check.Case
	for _, one := range list {
		if err := one.cfg.check(); err != nil {
			return nil, fmt.Errorf("group load: %w", err)
		}
		cases = append(cases, check.Case{
			ID: one.id, Section: "load", Level: check.Derived, Alone: true, Timeout: one.cfg.longest(), Requirement: one.requirement,
			Run: func(ctx context.Context, t *check.T) { one.cfg.run(ctx, t) },
		})
	}
	return cases, nil
}

// longest is how long a run may take, with a minute for what goes slowly.
func (c Config) longest() time.Duration {
	calls := float64(c.calls())
	ending := 0.0
	if c.EndRate > 0 {
		ending = calls / c.EndRate
	}
	turns := time.Duration(1)
	if c.Total > 0 {
		turns = time.Duration(c.Total/c.Calls + 1)
	}
	return time.Duration((calls/c.Rate+ending)*float64(time.Second)) + turns*c.Duration + c.Wait + time.Minute
}

// run loads the server and tells what it came to.
func (c Config) run(ctx context.Context, t *check.T) {
	c.Target = check.Target{Address: t.Address(), Transport: t.Transport(), RequestURI: t.RequestURI(), TLS: t.TLS()}
	r, err := Run(ctx, c)
	t.Check(err, "load the server")
	r.figures(t)
	switch r.Outcome {
	case check.Fail:
		for _, reason := range r.Reasons {
			t.Errorf("%s", reason)
		}
	case check.Error:
		for _, reason := range r.Reasons {
			t.Unsure("%s", reason)
		}
	}
}

// mostMemory is the resident size at the first mark, and the greatest of all.
func (s *Server) mostMemory() string {
	var first, most int64
	for i, m := range s.Marks {
		if most = max(most, m.RSS); i == 0 {
			first = m.RSS
		}
	}
	return fmt.Sprintf("%.1f MiB at most, %.1f MiB before", float64(most)/(1<<20), float64(first)/(1<<20))
}

// figures notes what was measured.
func (r *Report) figures(t *check.T) {
	t.Figure("recording sessions", fmt.Sprintf("%d of %d", r.Up, r.Total))
	t.Figure("set-up p50", fmt.Sprintf("%.1f ms", r.SetUp.P50))
	t.Figure("set-up p99", fmt.Sprintf("%.1f ms", r.SetUp.P99))
	t.Figure("set-up rate", fmt.Sprintf("%.1f in a second", r.SetUpRate))
	t.Figure("packets sent", fmt.Sprint(r.Sending.Packets))
	t.Figure("generator late p99", fmt.Sprintf("%.1f ms", r.Sending.P99MS))
	if f := r.Files; f != nil {
		t.Figure("recorded", fmt.Sprintf("%.4f %%", 100*f.Recorded))
		t.Figure("BYE to file p99", fmt.Sprintf("%.0f ms", f.ToFile.P99))
	}
	if r.Dropped != nil {
		t.Figure("dropped at the ports", fmt.Sprintf("%d packets", *r.Dropped))
	}
	if s := r.Server; s != nil {
		t.Figure("CPU of the server", cost(s.Whole)+" a packet")
		t.Figure("memory of the server", s.mostMemory())
		t.Figure("descriptors of the server", fmt.Sprint(s.Descriptors))
	}
}
