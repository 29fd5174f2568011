// Package check is what a conformance case is made of: its description, its
// outcome and the [T] by which it reports. Cases stand in a folder per RFC and a
// file per section; package conformance runs them.
package check

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
)

// Level is how strong a requirement is (RFC 2119).
type Level int

// The levels. Derived is a requirement that follows from others.
const (
	Must Level = iota + 1
	Should
	Derived
)

func (l Level) String() string {
	switch l {
	case Must:
		return "must"
	case Should:
		return "should"
	case Derived:
		return "derived"
	}
	return fmt.Sprintf("level %d", int(l))
}

// MarshalJSON writes the name.
func (l Level) MarshalJSON() ([]byte, error) { return json.Marshal(l.String()) }

// Outcome is how a case ended.
type Outcome int

// The outcomes. Fail blames the server, Error the suite, the network or the
// machine; they are never mixed.
const (
	Pass Outcome = iota + 1
	Fail
	Error
	Skip
)

func (o Outcome) String() string {
	switch o {
	case Pass:
		return "pass"
	case Fail:
		return "fail"
	case Error:
		return "error"
	case Skip:
		return "skip"
	}
	return fmt.Sprintf("outcome %d", int(o))
}

// MarshalJSON writes the name.
func (o Outcome) MarshalJSON() ([]byte, error) { return json.Marshal(o.String()) }

// A Case is one requirement with the black-box check of it.
type Case struct {
	ID string // for example "rfc7866/7.2/1"
	// Shows names what of requirements.tsv a server that passes has shown.
	Shows       []string
	Requirement string // in our words
	Section     string // for example "RFC 7866 §7.2"
	Level       Level
	Needs       []string // features the server must claim, else the case is skipped
	Run         func(ctx context.Context, t *T)
}

// A Target is the server under test.
type Target struct {
	Address    string // host:port
	Transport  string // "udp", "tcp" or "tls"
	RequestURI string // default: made from Address
	// TLS is whom to believe and what to show; default: the authorities of the system.
	TLS *tls.Config
}

// A Result is the outcome of one case.
type Result struct {
	ID          string        `json:"id"`
	Shows       []string      `json:"shows,omitempty"`
	Section     string        `json:"section"`
	Level       Level         `json:"level"`
	Requirement string        `json:"requirement"`
	Outcome     Outcome       `json:"outcome"`
	Messages    []string      `json:"messages,omitempty"`
	Duration    time.Duration `json:"duration_ns"`
	Trace       []string      `json:"trace,omitempty"` // of a case that did not pass
}

// maxTrace bounds the trace of a case, in messages.
const maxTrace = 200

// T is the hand of a running case. Its methods are called by the goroutine of
// the case only.
type T struct {
	target   Target
	outcome  Outcome
	messages []string
	cleanups []func()
	traceMu  sync.Mutex
	trace    []string
}

// Perform runs one case. The context bounds it; a panic is an Error.
func Perform(ctx context.Context, c Case, target Target) Result {
	t := &T{target: target, outcome: Pass}
	start := time.Now()
	t.guard(func() { c.Run(ctx, t) })
	for i := len(t.cleanups) - 1; i >= 0; i-- {
		t.guard(t.cleanups[i])
	}
	r := Result{
		ID: c.ID, Shows: c.Shows, Section: c.Section, Level: c.Level, Requirement: c.Requirement,
		Outcome: t.outcome, Messages: t.messages, Duration: time.Since(start),
	}
	if t.outcome == Fail || t.outcome == Error {
		r.Trace = t.trace
	}
	return r
}

// guard runs a function that may end its goroutine by Fatalf, or panic, and
// waits for it.
func (t *T) guard(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				t.note(Error, fmt.Sprintf("panic: %v\n%s", p, debug.Stack()))
			}
		}()
		f()
	}()
	<-done
}

// note keeps the worst outcome: Error before Fail before Skip before Pass.
func (t *T) note(o Outcome, message string) {
	t.messages = append(t.messages, message)
	if rank(o) > rank(t.outcome) {
		t.outcome = o
	}
}

func rank(o Outcome) int {
	switch o {
	case Error:
		return 3
	case Fail:
		return 2
	case Skip:
		return 1
	case Pass:
	}
	return 0
}

// Errorf says that the server is wrong; the case goes on.
func (t *T) Errorf(format string, args ...any) { t.note(Fail, fmt.Sprintf(format, args...)) }

// Fatalf says that the server is wrong and ends the case.
func (t *T) Fatalf(format string, args ...any) {
	t.Errorf(format, args...)
	runtime.Goexit()
}

// Skipf ends the case without a verdict.
func (t *T) Skipf(format string, args ...any) {
	t.note(Skip, fmt.Sprintf(format, args...))
	runtime.Goexit()
}

// Check ends the case when err is not nil. No response within the time is the
// server's fault, since the runner has reached it before; every other error is
// not.
func (t *T) Check(err error, what string) {
	switch {
	case err == nil:
		return
	case errors.Is(err, src.ErrNoResponse) && !errors.Is(err, context.Canceled):
		t.note(Fail, what+": "+err.Error())
	default:
		t.note(Error, what+": "+err.Error())
	}
	runtime.Goexit()
}

// Cleanup runs f after the case, last first.
func (t *T) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }

// Transport is "udp", "tcp" or "tls".
func (t *T) Transport() string { return t.target.Transport }

// Address is host:port of the server.
func (t *T) Address() string { return t.target.Address }

// TLS is a copy of what is believed and shown over "tls".
func (t *T) TLS() *tls.Config {
	if t.target.TLS == nil {
		return &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return t.target.TLS.Clone()
}

// Client opens an SRC before the server; it is closed after the case.
func (t *T) Client(ctx context.Context) *src.SRC {
	c, err := src.New(ctx, src.Config{
		Target: t.target.Address, Transport: t.target.Transport, TLS: t.target.TLS,
		T1: 200 * time.Millisecond, UserAgent: "siprec-conformance",
		Trace: func(dir src.Direction, at time.Time, text string) {
			t.traceMu.Lock()
			defer t.traceMu.Unlock()
			if len(t.trace) < maxTrace {
				t.trace = append(t.trace, at.UTC().Format("15:04:05.000 ")+dir.String()+"\n"+text)
			}
		},
	})
	t.Check(err, "open SRC")
	t.Cleanup(func() {
		if err := c.Close(); err != nil && !errors.Is(err, src.ErrClosed) {
			t.note(Error, "close SRC: "+err.Error())
		}
	})
	return c
}
