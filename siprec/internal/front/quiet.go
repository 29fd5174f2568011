package front

import (
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

const (
	// linesPerSecond bounds what a stranger can have a server log, for each kind of
	// line.
	linesPerSecond = 10
	quietWindow    = time.Second
)

// A Quiet is a log for what anybody who reaches the server can cause: of each message
// it takes the first 10 in a second, leaves the rest out, and tells how many those were
// when the second is over. Its methods may be called by any goroutine.
type Quiet struct {
	*zap.Logger
	limit *lineLimit
}

// NewQuiet makes one that writes to a log. after calls f after d and returns what keeps
// it from that.
func NewQuiet(log *zap.Logger, now func() time.Time, after func(d time.Duration, f func()) (stop func() bool)) *Quiet {
	limit := &lineLimit{log: log, now: now, after: after, kinds: make(map[string]*lineKind)}
	return &Quiet{limit: limit, Logger: log.WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core {
		return quietCore{core, limit}
	}))}
}

// Close tells at once what was left out, and leaves out nothing more.
func (q *Quiet) Close() { q.limit.close() }

// A quietCore asks its limit before it takes a line.
type quietCore struct {
	zapcore.Core
	limit *lineLimit
}

func (c quietCore) With(fields []zapcore.Field) zapcore.Core {
	return quietCore{c.Core.With(fields), c.limit}
}

func (c quietCore) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if !c.Enabled(entry.Level) || !c.limit.take(entry) {
		return checked
	}
	return c.Core.Check(entry, checked)
}

// A lineLimit counts lines by their message. Messages are constants of the program, so
// there are few.
type lineLimit struct {
	log   *zap.Logger
	now   func() time.Time
	after func(d time.Duration, f func()) (stop func() bool)

	mu     sync.Mutex
	closed bool
	kinds  map[string]*lineKind
}

// A lineKind is what one second had of a message.
type lineKind struct {
	level        zapcore.Level
	begun        time.Time
	taken, left  int
	stopTellings func() bool // set while lines were left out that nobody was told of
}

func (l *lineLimit) take(entry zapcore.Entry) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return true
	}
	now := l.now()
	k := l.kinds[entry.Message]
	if k == nil || k.left == 0 && now.Sub(k.begun) >= quietWindow {
		k = &lineKind{level: entry.Level, begun: now}
		l.kinds[entry.Message] = k
	}
	if k.taken < linesPerSecond {
		k.taken++
		return true
	}
	if k.left++; k.left == 1 {
		k.stopTellings = l.after(k.begun.Add(quietWindow).Sub(now), func() { l.tell(entry.Message, k) })
	}
	return false
}

// tell logs how many lines a second had too many.
func (l *lineLimit) tell(message string, k *lineKind) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kinds[message] == k {
		delete(l.kinds, message)
		l.log.Log(k.level, "lines left out", zap.String("of", message), zap.Int("lines", k.left))
	}
}

func (l *lineLimit) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for message, k := range l.kinds {
		delete(l.kinds, message)
		if k.left > 0 {
			k.stopTellings()
			l.log.Log(k.level, "lines left out", zap.String("of", message), zap.Int("lines", k.left))
		}
	}
}
