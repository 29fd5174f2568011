package media

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"
)

// maxReadErrors is how many reads in a row may fail before a reader gives up: an
// ICMP message fails one, a broken socket all.
const maxReadErrors = 100

// A Receiver is one recorded stream's pair of ports. Two goroutines read it, one
// for RTP and one for RTCP; with their buffers and stacks they take 18 KiB.
// Its methods may be called by any goroutine but not from within WriteRTP.
type Receiver struct {
	plane     *Plane
	log       *zap.Logger
	rtp, rtcp *socket
	local     netip.AddrPort // of RTP
	leased    uint16         // port to give back, or 0
	readers   sync.WaitGroup
	end       sync.Once

	mu       sync.Mutex
	flow     *flow
	armed    bool // the RTP socket has a deadline, to wipe what waits
	draining bool
	next     *dueReport // nil before the first Expect
	silent   bool       // no report may be sent any more
}

func newReceiver(p *Plane, rtp, rtcp *net.UDPConn, leased uint16) *Receiver {
	local := localAddr(rtp)
	log := p.cfg.Log.With(zap.Uint16("port", local.Port()))
	return &Receiver{
		plane:  p,
		log:    log,
		rtp:    newSocket(rtp, maxMedia, p.cfg.Now),
		rtcp:   newSocket(rtcp, maxControl, p.cfg.Now),
		local:  local,
		leased: leased,
		flow:   newFlow(log),
	}
}

func (r *Receiver) start() {
	r.readers.Go(func() { r.read(r.rtp, r.locked(r.takeRTP)) })
	r.readers.Go(func() { r.read(r.rtcp, r.locked(r.takeRTCP)) })
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
	r.flow.expect(e)
	if r.next == nil && !r.silent {
		r.next = &dueReport{receiver: r, place: -1}
		r.plane.reports.add(r.next, r.plane.cfg.Now().Add(firstReport()))
	}
}

// Attach hands packets that are read from now on to s; nil forgets them. When it
// returns, WriteRTP of the sink before is not running and will not be called
// again. Packets that waited for their source to be adopted are wiped.
func (r *Receiver) Attach(s Sink) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flow.attach(s)
}

// Stats is what was counted so far.
func (r *Receiver) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.flow.stats
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

// Drain reads what the kernel has queued by now, delivers it, says BYE by RTCP
// where reports were sent, and closes both ports. When it returns, all of that has been delivered and WriteRTP will not
// be called again.
func (r *Receiver) Drain() {
	r.end.Do(func() {
		r.wakeToDrain()
		r.readers.Wait()
		r.finish(true)
		_ = r.rtp.conn.Close()
		_ = r.rtcp.conn.Close()
		r.plane.ended(r)
	})
}

// wakeToDrain wakes both readers by a deadline that is over. It holds the lock,
// as [Receiver.wake] does, so that a reader never drains under that deadline.
func (r *Receiver) wakeToDrain() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.draining = true
	past := time.Unix(1, 0)
	_ = r.rtp.conn.SetReadDeadline(past)
	_ = r.rtcp.conn.SetReadDeadline(past)
}

// Close closes both ports without delivering what was not read. When it returns,
// WriteRTP will not be called again. After Drain it does nothing.
func (r *Receiver) Close() {
	r.end.Do(func() {
		r.sayBye()
		_ = r.rtp.conn.Close()
		_ = r.rtcp.conn.Close()
		r.readers.Wait()
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

// locked runs take under the lock and wipes the datagram after it: audio that nobody
// may keep, and the names in RTCP (RFC 3550 §6.5), do not stay in a buffer until
// the next datagram comes.
func (r *Receiver) locked(take func(datagram)) func(datagram) {
	return func(d datagram) {
		defer clear(d.data)
		r.mu.Lock()
		defer r.mu.Unlock()
		if d.truncated {
			r.flow.stats.Malformed++
			return
		}
		take(d)
	}
}

// read is the loop of one socket's goroutine.
func (r *Receiver) read(s *socket, take func(datagram)) {
	failed := 0
	for {
		d, err := s.read()
		switch {
		case err == nil:
			failed = 0
			take(d)
		case isDeadline(err):
			if r.wake(s) {
				s.drain(take)
				return
			}
		case errors.Is(err, net.ErrClosed):
			return
		default:
			if failed++; failed == maxReadErrors {
				r.log.Error("socket gave nothing but errors and is read no more", zap.Error(err))
				return
			}
		}
	}
}

// takeRTP handles a datagram of the RTP port.
func (r *Receiver) takeRTP(d datagram) {
	r.flow.rtp(d.data, d.source, d.at)
	if !r.armed && !r.draining && len(r.flow.waiters.list) > 0 {
		r.arm(d.at)
	}
}

// takeRTCP handles a datagram of the RTCP port.
func (r *Receiver) takeRTCP(d datagram) {
	r.flow.rtcp(d.data, d.source, d.at)
}

// wake handles a deadline that is over: the end of the receiver, which it
// reports, or of the time of packets that wait.
func (r *Receiver) wake(s *socket) (draining bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = s.conn.SetReadDeadline(time.Time{})
	if r.draining {
		return true
	}
	r.armed = false
	now := r.plane.cfg.Now()
	r.flow.settle(now)
	if len(r.flow.waiters.list) > 0 {
		r.arm(now)
	}
	return false
}

// arm sets the deadline at which the oldest packet that waits has waited for too
// long, so that it is wiped even when nothing else arrives.
func (r *Receiver) arm(now time.Time) {
	r.armed = true
	left := waitLimit - now.Sub(r.flow.waiters.list[0].at)
	// Deadlines are of the system's clock, whichever clock the plane has.
	_ = r.rtp.conn.SetReadDeadline(time.Now().Add(max(left, 0) + wakeSlack))
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
		r.log.Warn("rtcp report not protected, so not sent", zap.Error(err))
		return
	}
	s := r.rtcp
	if shared {
		s = r.rtp
	}
	if _, err := s.conn.WriteToUDPAddrPort(b, to); err == nil {
		r.flow.stats.Reports++
	}
}
