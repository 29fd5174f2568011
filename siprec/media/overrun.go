package media

import (
	"sync"
	"time"

	"go.uber.org/zap"
)

// overruns is what all receivers lost because their receive buffers were full. When one
// loses packets many may, so there is one line of the log for all of them.
type overruns struct {
	mu      sync.Mutex
	packets uint64    // since the last line
	toldAt  time.Time // zero before the first
}

// note counts packets that a port lost, and tells of all that were lost at most every
// 10 s.
func (o *overruns) note(n uint32, port uint16, at time.Time, log *zap.Logger) {
	o.mu.Lock()
	o.packets += uint64(n)
	lost := o.packets
	told := !o.toldAt.IsZero() && at.Sub(o.toldAt).Abs() < reportEvery
	if !told {
		o.packets, o.toldAt = 0, at
	}
	o.mu.Unlock()
	if !told {
		log.Error("packets were lost: receive buffers of ports were full, the machine is too busy",
			zap.Uint64("packets", lost), zap.Uint16("port", port))
	}
}
