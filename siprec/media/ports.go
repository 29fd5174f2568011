package media

import (
	"fmt"
	"time"
)

// ports hands out the even ports of a range, the longest rested first. It binds
// nothing and reads no clock.
type ports struct {
	rest time.Duration
	// free is a ring of those not in use, in the order in which they came back.
	free  []restingPort
	first int
	count int
}

type restingPort struct {
	port  uint16
	since time.Time // zero when it was never used
	ssrc  uint32    // last received there
	heard bool      // ssrc is set
}

// A formerUse is what a port was used for that has not rested long enough: its SSRC
// may send on, as its sender need not know that nobody listens any more.
type formerUse struct {
	ssrc  uint32
	until time.Time // when the port will have rested
}

// newPorts takes the even ports of [lowest, highest] whose odd neighbour is in
// the range too (RFC 3550 §11).
func newPorts(lowest, highest uint16, rest time.Duration) (*ports, error) {
	p := &ports{rest: rest}
	for n := int(lowest) + int(lowest)%2; n+1 <= int(highest); n += 2 {
		if n > 0 {
			p.free = append(p.free, restingPort{port: uint16(n)})
		}
	}
	if len(p.free) == 0 {
		return nil, fmt.Errorf("port range %d to %d holds no pair of an even port and the next", lowest, highest)
	}
	p.count = len(p.free)
	return p, nil
}

// take gives the longest rested port. rested is false when it has not rested for
// as long as wanted: the range is too small. ok is false when all are in use.
func (p *ports) take(now time.Time) (r restingPort, rested, ok bool) {
	if p.count == 0 {
		return r, false, false
	}
	r = p.free[p.first]
	p.first = (p.first + 1) % len(p.free)
	p.count--
	return r, r.since.IsZero() || now.Sub(r.since) >= p.rest, true
}

// former is what a port was used for; zero when nothing came to it.
func (p *ports) former(r restingPort) (f formerUse) {
	if r.heard {
		f = formerUse{ssrc: r.ssrc, until: r.since.Add(p.rest)}
	}
	return f
}

// put takes a port back, to rest.
func (p *ports) put(r restingPort) {
	p.free[(p.first+p.count)%len(p.free)] = r
	p.count++
}

// takeThis takes one port out of those that are free; false when it is not among them.
func (p *ports) takeThis(port uint16) bool {
	place := func(i int) *restingPort { return &p.free[(p.first+i)%len(p.free)] }
	for i := range p.count {
		if place(i).port != port {
			continue
		}
		for ; i+1 < p.count; i++ {
			*place(i) = *place(i + 1)
		}
		p.count--
		return true
	}
	return false
}
