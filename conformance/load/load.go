package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// Config says what a server is to bear.
type Config struct {
	Target  check.Target
	Calls   int // recording sessions at a time, 1 or more
	Streams int // of a recording session, 1 to 16
	// Total is 0, or how many recording sessions there are one after the other,
	// at most Calls at a time, each for Duration. With 0 there are Calls, all of
	// which last until Duration after the last of them was set up.
	Total    int
	Duration time.Duration // above 0
	Ptime    time.Duration // of a packet: 5 to 60 ms, in whole ms; default 20 ms
	Rate     float64       // INVITEs in a second, above 0
	EndRate  float64       // BYEs in a second, without Total; 0 is all at once
	SRTP     bool          // AES_CM_128_HMAC_SHA1_80 by SDES (RFC 4568)
	// Files is the folder in which the server puts its WAV files, which are looked
	// for until Wait after the last BYE. When empty, no file is looked at.
	Files string
	Wait  time.Duration
	// Missing is the part of the packets, 0 to 1, that may be in no file.
	Missing float64
	// SetUp is the time in which 99 of 100 INVITEs have to be answered; 0 is any.
	SetUp time.Duration
	// ServerPID is the process of the server, when it is on this machine and its
	// use of the machine is to be measured. Linux only.
	ServerPID int
	// Floor is a program that receives the same load and does nothing but to
	// write it down, measured after the server; see [Floor].
	Floor *Floor
	// Progress is told what happens. It may be nil.
	Progress func(string)
}

const (
	// UsuallyLate and MaxLate bound how late the generator may be itself: all but 1 in
	// 100 packets leave at most UsuallyLate after their instant, and none more than
	// MaxLate.
	UsuallyLate = 50 * time.Millisecond
	// MaxLate is the bound for every packet.
	MaxLate = 500 * time.Millisecond
	// lateShare is the part of the packets for which UsuallyLate counts.
	lateShare = 0.99
	// threadPackets is how many packets in a second one thread is for.
	threadPackets = 50_000
)

func (c *Config) check() error {
	if c.Ptime == 0 {
		c.Ptime = 20 * time.Millisecond
	}
	calls := max(c.Calls, c.Total)
	switch {
	case c.Calls < 1:
		return fmt.Errorf("%d calls at a time", c.Calls)
	case c.Total < 0:
		return fmt.Errorf("%d calls in all", c.Total)
	case c.Streams < 1 || c.Streams > 16:
		return fmt.Errorf("%d streams are not 1 to 16", c.Streams)
	case calls*c.Streams > maxNumber:
		return fmt.Errorf("%d calls of %d streams are more than can be told apart", calls, c.Streams)
	case c.Ptime < 5*time.Millisecond || c.Ptime > 60*time.Millisecond || c.Ptime%time.Millisecond != 0:
		return fmt.Errorf("ptime %v is not 5 to 60 ms in whole ms", c.Ptime)
	case c.Duration < c.Ptime:
		return fmt.Errorf("duration %v is less than a packet", c.Duration)
	case c.Duration/c.Ptime > maxNumber/2:
		return fmt.Errorf("duration %v has more packets than can be told apart", c.Duration)
	case !(c.Rate > 0) || c.EndRate < 0 || c.EndRate != c.EndRate:
		return fmt.Errorf("%v calls set up and %v ended in a second", c.Rate, c.EndRate)
	case !(c.Missing >= 0 && c.Missing <= 1):
		return fmt.Errorf("%v of the packets missing is not a part of them", c.Missing)
	case c.SetUp < 0:
		return fmt.Errorf("set-up in %v is negative", c.SetUp)
	case c.Wait < 0:
		return fmt.Errorf("wait %v is negative", c.Wait)
	}
	return nil
}

// calls is how many there will be.
func (c *Config) calls() int {
	if c.Total > 0 {
		return c.Total
	}
	return c.Calls
}

// runner is one run. The goroutine of Run owns it; calls share what mu guards.
type runner struct {
	cfg     Config
	code    *code
	src     *src.SRC
	senders []*sender
	calls   []*call
	server  *meter
	report  *Report

	mu      sync.Mutex
	streams []*stream // by number; nil until it is sent
	ports   map[uint16]bool
}

// Run loads the server and returns what it came to. The error says that there was
// no run: the configuration cannot be, or the server does not respond at all.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	c, err := newCode(rand.IntN(maxNumber), int(cfg.Ptime/time.Millisecond)*8)
	if err != nil {
		return nil, err
	}
	r := &runner{
		cfg: cfg, code: c, streams: make([]*stream, cfg.calls()*cfg.Streams), ports: make(map[uint16]bool),
		report: newReport(cfg),
	}
	if r.src, err = r.reach(ctx); err != nil {
		return nil, fmt.Errorf("reach %s over %s: %w", cfg.Target.Address, cfg.Target.Transport, err)
	}
	defer r.src.Close() // it holds nothing that could be lost
	if r.server, err = newMeter(cfg.ServerPID); err != nil {
		return nil, fmt.Errorf("measure the server: %w", err)
	}
	before, counted := udpCounters()
	began := time.Now()
	if err := r.drive(ctx); err != nil {
		return nil, err
	}
	if after, ok := udpCounters(); ok && counted {
		r.report.Kernel = after.since(before)
	}
	if err := r.look(ctx, began); err != nil {
		return nil, err
	}
	r.server.mark("files finished")
	r.report.Server = r.server.result(r)
	if cfg.Floor != nil && ctx.Err() == nil {
		r.say("the floor program under the same load")
		if r.report.Floor, err = r.floor(ctx); err != nil {
			return nil, fmt.Errorf("floor program: %w", err)
		}
	}
	r.report.judge(r.calls, ctx.Err())
	return r.report, nil
}

func (r *runner) say(format string, args ...any) {
	if r.cfg.Progress != nil {
		r.cfg.Progress(fmt.Sprintf(format, args...))
	}
}

// reach opens the SRC and asks for any response to OPTIONS, so that silence later is
// the server's.
func (r *runner) reach(ctx context.Context) (*src.SRC, error) {
	t := r.cfg.Target
	c, err := src.New(ctx, src.Config{Target: t.Address, Transport: t.Transport, TLS: t.TLS, Credentials: t.Credentials, UserAgent: "siprec-conformance-load"})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := c.Options(ctx, src.Request{RequestURI: t.RequestURI}); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// start makes as many threads as the load needs, at most one for each processor.
func (r *runner) start() error {
	rate := float64(r.cfg.Calls*r.cfg.Streams) / r.cfg.Ptime.Seconds()
	threads := min(max(1, int(rate/threadPackets+0.999)), runtime.NumCPU())
	for range threads {
		s, err := newSender(r.code, r.src.Local().Addr(), r.cfg.Streams, r.cfg.Ptime)
		if err != nil {
			r.stop()
			return err
		}
		r.senders = append(r.senders, s)
	}
	return nil
}

// stop ends the threads and returns what they say of themselves.
func (r *runner) stop() Sending {
	out := Sending{Threads: len(r.senders), AllowedMS: milliseconds(UsuallyLate), MaxAllowedMS: milliseconds(MaxLate)}
	var late lateness
	known := true
	cpu := time.Duration(0)
	for _, s := range r.senders {
		s.close()
		late.join(&s.late)
		out.Packets += s.sent.Load()
		out.Reports += s.reports.Load()
		out.Unsent += s.unsent
		if s.why != nil {
			out.Why = s.why.Error()
		}
		cpu, known = cpu+s.cpu, known && s.known
	}
	if known && out.Packets > 0 {
		out.CPU = microseconds(cpu) / float64(out.Packets)
	}
	out.P50MS, out.P99MS = milliseconds(late.quantile(0.5)), milliseconds(late.quantile(lateShare))
	out.WorstMS = milliseconds(late.worst)
	r.senders = nil
	return out
}

// sent is how many packets have left.
func (r *runner) sent() (n int64) {
	for _, s := range r.senders {
		n += s.sent.Load()
	}
	return n
}

// drive is the load itself.
func (r *runner) drive(ctx context.Context) error {
	if err := r.start(); err != nil {
		return err
	}
	defer r.stop()
	r.server.mark("before")
	if r.cfg.Total > 0 {
		r.follow(ctx)
	} else {
		r.hold(ctx)
	}
	r.server.mark("ended")
	r.report.Sending = r.stop()
	return nil
}

// hold sets all calls up, lets them last, and ends them.
func (r *runner) hold(ctx context.Context) {
	var up, over sync.WaitGroup
	pace := newPace(r.cfg.Rate)
	r.say("setting %d recording sessions up, %v in a second", r.cfg.Calls, r.cfg.Rate)
	for i := range r.cfg.Calls {
		if !pace.wait(ctx) {
			break
		}
		c := r.newCall(i)
		up.Add(1)
		over.Go(func() { r.live(ctx, c, up.Done) })
	}
	up.Wait()
	r.say("all are up; %v from now", r.cfg.Duration)
	r.drops()
	lost := r.report.Dropped
	before := r.sent()
	r.server.mark("up")
	pause(ctx, r.cfg.Duration)
	r.server.steady = r.sent() - before
	r.server.mark("held")
	r.drops()
	if now := r.report.Dropped; lost != nil && now != nil {
		r.server.steady -= *now - *lost
	}
	r.say("ending them")
	pace = newPace(r.cfg.EndRate)
	for _, c := range r.calls {
		pace.wait(ctx)
		close(c.end)
	}
	over.Wait()
}

// follow has one call after the other, so many at a time.
func (r *runner) follow(ctx context.Context) {
	var over sync.WaitGroup
	places := make(chan struct{}, r.cfg.Calls)
	pace := newPace(r.cfg.Rate)
	r.say("%d recording sessions, %d at a time", r.cfg.Total, r.cfg.Calls)
	tenth := max(1, r.cfg.Total/10)
	for i := range r.cfg.Total {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
		}
		if !pace.wait(ctx) {
			break
		}
		if i > 0 && i%tenth == 0 {
			r.server.mark(fmt.Sprintf("%d begun", i))
			r.say("%d begun", i)
		}
		c := r.newCall(i)
		over.Go(func() {
			defer func() { <-places }()
			r.live(ctx, c, func() {})
		})
	}
	over.Wait()
}

func (r *runner) newCall(i int) *call {
	c := &call{number: i, end: make(chan struct{})}
	r.calls = append(r.calls, c)
	return c
}

// drops reads what the kernel dropped at the ports of the server, while they are
// open.
func (r *runner) drops() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n, ok := socketDrops(r.ports); ok {
		r.report.Dropped = &n
	}
}
