package siprec

import "time"

// A Clock tells the time and calls back later. The transaction timers of the
// SIP stack are not driven by it.
type Clock interface {
	Now() time.Time
	AfterFunc(d time.Duration, f func()) Timer
}

// A Timer is one pending call of a Clock.
type Timer interface {
	// Stop keeps the call from being made; false when it was made already.
	Stop() bool
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) AfterFunc(d time.Duration, f func()) Timer { return time.AfterFunc(d, f) }
