package check

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
)

// T is the hand of a running case. Its methods are called by the goroutine of
// the case only.
type T struct {
	target   Target
	outcome  Outcome
	messages []string
	figures  []Figure
	cleanups []func()
	trace    trace
}

// Perform runs one case. The context bounds it; a panic is an Error.
func Perform(ctx context.Context, c Case, target Target) Result {
	t := &T{target: target, outcome: Pass}
	start := time.Now()
	t.guard(func() { c.Run(ctx, t) })
	if end, ok := ctx.Deadline(); ok && ctx.Err() != nil && t.outcome == Fail {
		t.note(Fail, fmt.Sprintf("The %s of this case were over. A server that is right and slow needs a longer timeout.", end.Sub(start).Round(100*time.Millisecond)))
	}
	for i := len(t.cleanups) - 1; i >= 0; i-- {
		t.guard(t.cleanups[i])
	}
	r := c.result()
	r.Outcome, r.Messages, r.Figures = t.outcome, t.messages, t.figures
	r.Started, r.Duration = start.UTC(), time.Since(start)
	if t.outcome == Fail || t.outcome == Error {
		r.Trace, r.LeftOut = t.trace.list()
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
	if o.Worse(t.outcome) {
		t.outcome = o
	}
}

// Worse orders the outcomes: Error before Fail before Skip before Pass.
func (o Outcome) Worse(than Outcome) bool { return rank(o) > rank(than) }

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

// Unsure says that something other than the server kept the case from a verdict; the
// case goes on.
func (t *T) Unsure(format string, args ...any) { t.note(Error, fmt.Sprintf(format, args...)) }

// Skipf ends the case without a verdict.
func (t *T) Skipf(format string, args ...any) {
	t.note(Skip, fmt.Sprintf(format, args...))
	runtime.Goexit()
}

// Check ends the case when err is not nil. No response within the time is the
// server's fault, since the runner has reached it before, and so is a connection that
// ended within the case, and an answer without a port or a key for what was offered; every
// other error is not.
func (t *T) Check(err error, what string) {
	if err == nil {
		return
	}
	message := what + ": " + strings.TrimPrefix(err.Error(), what+": ")
	blamed := errors.Is(err, src.ErrNoResponse) || errors.Is(err, src.ErrClosed) || errors.Is(err, src.ErrNoKey) || errors.Is(err, src.ErrNoDestination)
	if blamed && !errors.Is(err, context.Canceled) {
		t.note(Fail, message)
	} else {
		t.note(Error, message)
	}
	runtime.Goexit()
}

// Cleanup runs f after the case, last first.
func (t *T) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }

// Transport is "udp", "tcp" or "tls".
func (t *T) Transport() string { return t.target.Transport }

// RequestURI is what requests outside dialogs are sent to; empty is what an SRC makes of
// the address.
func (t *T) RequestURI() string { return t.target.RequestURI }

// Address is host:port of the server.
func (t *T) Address() string { return t.target.Address }

// TLS is a copy of what is believed and shown over "tls".
func (t *T) TLS() *tls.Config {
	if t.target.TLS == nil {
		return &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return t.target.TLS.Clone()
}

// Credentials are the user name and password for the server; nil when nobody gave any.
func (t *T) Credentials() *src.Credentials { return t.target.Credentials }

// Duration is how long a recording session lasts where its length is what is tested,
// as the user asked for it.
func (t *T) Duration() time.Duration { return cmp.Or(t.target.Duration, DefaultDuration) }

// Figure notes something that was measured; value has its unit.
func (t *T) Figure(name, value string) { t.figures = append(t.figures, Figure{name, value}) }

// Packet puts into the trace what a case sent or received by a socket of its own. It
// may be called by several goroutines.
func (t *T) Packet(p src.Packet) {
	t.trace.add(p)
	if t.target.Packets != nil {
		t.target.Packets(p)
	}
}

// linger is how long the ports of a case are kept from others: servers say goodbye by
// RTCP some time after the BYE.
const linger = 2 * time.Second

// Client opens an SRC before the server; it is closed after the case.
func (t *T) Client(ctx context.Context) *src.SRC {
	c, err := src.New(ctx, src.Config{
		Target: t.target.Address, Transport: t.target.Transport, TLS: t.target.TLS,
		T1: 200 * time.Millisecond, UserAgent: "siprec-conformance", Packets: t.Packet, Linger: linger,
		Credentials: t.target.Credentials,
	})
	t.Check(err, "open SRC")
	t.Cleanup(func() {
		if err := c.Close(); err != nil && !errors.Is(err, src.ErrClosed) {
			t.note(Error, "close SRC: "+err.Error())
		}
	})
	return c
}
