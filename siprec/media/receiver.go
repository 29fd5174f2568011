package media

import (
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"
)

// A Receiver is one recorded stream's pair of ports.
// Its methods may be called by any goroutine but not from within WriteRTP.
type Receiver struct {
	plane  *Plane
	pair   pair
	local  netip.AddrPort // of RTP
	leased uint16         // port to give back, or 0
	end    sync.Once

	mu       sync.Mutex
	flow     *flow
	armed    bool // the pair was told when to wake it, to wipe what waits
	draining bool
	next     *dueReport // nil before the first Expect
	silent   bool       // no report may be sent any more
}

func newReceiver(p *Plane, pair pair, leased uint16) *Receiver {
	local := pair.local()
	return &Receiver{plane: p, pair: pair, local: local, leased: leased, flow: newFlow(p.cfg.Log, local.Port())}
}

// RTPAddr is where RTP is received. Its port is even.
func (r *Receiver) RTPAddr() netip.AddrPort { return r.local }

// RTCPAddr is where RTCP is received: the port after that of RTP.
func (r *Receiver) RTCPAddr() netip.AddrPort {
	return netip.AddrPortFrom(r.local.Addr(), r.local.Port()+1)
}

// Expect says from where packets are announced to come. Each offer renews it.
// Before the first call no source is adopted. From it on receiver reports leave,
// which keep the bindings of NATs too while nothing comes (RFC 7866 §8.1.6).
func (r *Receiver) Expect(e Expected) {
	if e.At.IsZero() {
		e.At = r.plane.cfg.Now()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.flow.latch.offered {
		r.pair.poll() // what came under the offer before is judged by that one
	}
	r.flow.expect(e)
	if r.next == nil && !r.silent {
		r.next = &dueReport{receiver: r, place: -1}
		r.plane.reports.add(r.next, r.plane.cfg.Now().Add(firstReport()))
	}
}

// Attach hands packets to s from now on; nil forgets them. A sink before gets what
// arrived until now; without one, s gets what has arrived and was not read. When
// Attach returns, WriteRTP of the sink before is not running and will not be called
// again. Packets that waited for their source to be adopted are wiped.
func (r *Receiver) Attach(s Sink) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.flow.sink != nil {
		r.pair.poll()
	}
	r.flow.attach(s)
}

// Stats is what was counted so far.
func (r *Receiver) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.flow.stats
}

// lastHeard is the SSRC of the last packet of the stream, or of the one before if none
// came; false when none came to that either.
func (r *Receiver) lastHeard() (ssrc uint32, heard bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l := &r.flow.latch; l.source.IsValid() {
		return l.ssrc, true
	} else if !l.former.until.IsZero() {
		return l.former.ssrc, true
	}
	return 0, false
}

// Contributors are the sources that the stream is said to be mixed of, in the order
// in which they came, at most 64; none when it is not mixed or nobody says so.
func (r *Receiver) Contributors() []Contributor {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.flow.mixed.all()
}

// Sources are the SSRCs of the stream in the order in which they came, at most 64.
func (r *Receiver) Sources() []Source {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.flow.sources.all(r.flow.mixed.said)
}

// Rollover is the highest rollover counter of the sender, 0 without SRTP (RFC 3711
// §3.3.1): what a later process needs to know besides the keys.
func (r *Receiver) Rollover() uint32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.flow.keys.rollover()
}

// Drain reads what the kernel has queued by now, delivers it, says BYE by RTCP
// where reports were sent, and closes both ports. When it returns, all of that has
// been delivered and WriteRTP will not be called again.
func (r *Receiver) Drain() {
	r.end.Do(func() {
		r.mu.Lock()
		r.draining = true
		r.mu.Unlock()
		r.pair.drain()
		r.finish(true)
		r.pair.close()
		r.plane.ended(r)
	})
}

// Close closes both ports without delivering what was not read. When it returns,
// WriteRTP will not be called again. After Drain it does nothing.
func (r *Receiver) Close() {
	r.end.Do(func() {
		r.sayBye()
		r.pair.close()
		r.finish(false)
		r.plane.ended(r)
	})
}

// finish lets go of what waits and of the keys.
func (r *Receiver) finish(settle bool) {
	r.mu.Lock()
	if settle {
		r.flow.settle(r.plane.cfg.Now())
	}
	r.flow.attach(nil)
	r.mu.Unlock()
	r.sayBye()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flow.keys.wipe()
}

// takeRTP handles a datagram of the RTP port, under the lock, and wipes it: audio that
// nobody may keep does not stay in a buffer until the next datagram comes.
func (r *Receiver) takeRTP(d *datagram) {
	defer clear(d.data)
	if !r.sound(d) {
		return
	}
	r.flow.rtp(d.data, d.source, d.at)
	if !r.armed && !r.draining && len(r.flow.waiters.list) > 0 {
		r.arm(d.at)
	}
}

// takeRTCP is takeRTP for the RTCP port: there are names in RTCP (RFC 3550 §6.5).
func (r *Receiver) takeRTCP(d *datagram) {
	defer clear(d.data)
	if r.sound(d) {
		r.flow.rtcp(d.data, d.source, d.at)
	}
}

// sound counts what the kernel dropped before a datagram, and says whether that is
// whole.
func (r *Receiver) sound(d *datagram) bool {
	if d.dropped > 0 {
		r.flow.stats.Overrun += uint64(d.dropped)
		r.plane.overruns.note(d.dropped, r.local.Port(), d.at, r.plane.cfg.Log)
	}
	if d.truncated {
		r.flow.stats.Malformed++
	}
	return !d.truncated
}

// brokenSocket tells of a socket that cannot be read.
func (r *Receiver) brokenSocket(err error) {
	r.flow.logger().Error("socket gave nothing but errors and is read no more", zap.Error(err))
}

// wake is called by the pair, under the lock, when the time of packets that wait may be
// over.
func (r *Receiver) wake() {
	r.armed = false
	now := r.plane.cfg.Now()
	r.flow.settle(now)
	if len(r.flow.waiters.list) > 0 {
		r.arm(now)
	}
}

// arm has the pair wake the receiver when the oldest packet that waits has waited for
// too long, so that it is wiped even when nothing else arrives.
func (r *Receiver) arm(now time.Time) {
	r.armed = true
	left := waitLimit - now.Sub(r.flow.waiters.list[0].at)
	// The pair wakes by the system's clock, whichever clock the plane has.
	r.pair.wakeAt(time.Now().Add(max(left, 0) + wakeSlack))
}

// wakeSlack is how much later than due packets that wait are looked at, so that
// they are due then.
const wakeSlack = 10 * time.Millisecond

// reportDue sends a report and plans the next. It is called by the schedule.
func (r *Receiver) reportDue(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.silent {
		return
	}
	r.send(now, false)
	r.plane.reports.add(r.next, now.Add(nextReport()))
}

// sayBye sends the last report, if there was one before (RFC 3550 §6.3.7).
func (r *Receiver) sayBye() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.silent {
		return
	}
	r.silent = true
	if r.next != nil {
		r.plane.reports.remove(r.next)
	}
	if r.flow.stats.Reports > 0 {
		r.send(r.plane.cfg.Now(), true)
	}
}

// send sends a report. One that cannot be sent is one that was lost on the way.
func (r *Receiver) send(now time.Time, last bool) {
	to, shared := r.flow.reportTo()
	if !to.IsValid() {
		return
	}
	b, err := r.flow.keys.seal(r.flow.control.compound(now, last))
	if err != nil {
		r.flow.logger().Warn("rtcp report not protected, so not sent", zap.Error(err))
		return
	}
	if r.pair.send(b, to, shared) == nil {
		r.flow.stats.Reports++
	}
}
