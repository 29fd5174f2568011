package load

import (
	"context"
	"time"
)

// pause waits; false says that the context ended.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// A pace lets so many go in a second.
type pace struct {
	began time.Time
	every time.Duration
	n     int
}

func newPace(rate float64) *pace {
	p := &pace{began: time.Now()}
	if rate > 0 {
		p.every = time.Duration(float64(time.Second) / rate)
	}
	return p
}

// wait returns when the next may go; false says that the context ended.
func (p *pace) wait(ctx context.Context) bool {
	at := p.began.Add(time.Duration(p.n) * p.every)
	p.n++
	if d := time.Until(at); d > 0 {
		return pause(ctx, d)
	}
	return ctx.Err() == nil
}
