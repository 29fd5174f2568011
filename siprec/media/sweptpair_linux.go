package media

import (
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// sweepRounds is how many batches one socket gets in one sweep, so that a flood on
	// one does not keep the others waiting.
	sweepRounds = 8
	// drainRounds is the same where everything is to be read (see drainLimit).
	drainRounds = drainLimit / batchSize
)

// sweptPair is a pair whose sockets are swept. Its receiver's lock guards what is not
// of the rounds.
type sweptPair struct {
	sweeper   *sweeper
	receiver  *Receiver
	rtp, rtcp rawSocket
	due       time.Time   // the receiver wants to be woken; zero for never
	waits     atomic.Bool // it does
	done      bool        // nothing is to be read any more
	polls     [2]unix.PollFd

	rounds *rounds
	place  int // in rounds; -1 when it was taken out
}

func (p *sweptPair) local() netip.AddrPort { return p.rtp.local() }

func (p *sweptPair) start(r *Receiver) {
	p.receiver = r
	p.sweeper.assign(p)
}

func (p *sweptPair) wakeAt(t time.Time) {
	p.due = t
	p.waits.Store(!t.IsZero())
}

func (p *sweptPair) send(b []byte, to netip.AddrPort, shared bool) error {
	if shared {
		return p.rtp.send(b, to)
	}
	return p.rtcp.send(b, to)
}

func (p *sweptPair) poll() {
	if p.done {
		return
	}
	b := p.sweeper.borrow()
	defer p.sweeper.batches.Put(b)
	p.read(b, sweepRounds, true, true)
}

func (p *sweptPair) drain() {
	p.rounds.remove(p)
	b := p.sweeper.borrow()
	defer p.sweeper.batches.Put(b)
	p.receiver.mu.Lock()
	defer p.receiver.mu.Unlock()
	p.read(b, drainRounds, true, true)
	p.done = true
}

func (p *sweptPair) close() {
	if p.receiver != nil {
		p.rounds.remove(p)
		p.receiver.mu.Lock()
		defer p.receiver.mu.Unlock()
	}
	p.done = true
	p.rtp.close()
	p.rtcp.close()
}

// sweep reads the sockets to which something came. began is when the sweep began, by
// the system's clock.
func (p *sweptPair) sweep(b *batch, rtp, rtcp bool, began time.Time, f *findings) {
	p.receiver.mu.Lock()
	defer p.receiver.mu.Unlock()
	if p.done {
		return
	}
	n, dropped := p.read(b, sweepRounds, rtp, rtcp)
	f.datagrams += n
	f.dropped = f.dropped || dropped
	f.fullest = max(f.fullest, p.rtp.used(), p.rtcp.used())
	p.wake(began, f)
}

// wake wakes the receiver if that is due, and notes when it is.
func (p *sweptPair) wake(began time.Time, f *findings) {
	if !p.due.IsZero() && !began.Before(p.due) {
		p.wakeAt(time.Time{})
		p.receiver.wake()
	}
	if p.due.IsZero() {
		return
	}
	if left := max(p.due.Sub(began), 0); f.due < 0 || left < f.due {
		f.due = left
	}
}

// read reads the sockets that it is told to, each for at most so many batches, and says
// how many datagrams there were and whether the kernel dropped others.
func (p *sweptPair) read(b *batch, most int, rtp, rtcp bool) (n int, dropped bool) {
	r := p.receiver
	// Decryption needs room only while a packet is taken.
	r.flow.room = b.plain[:]
	before := r.flow.stats.Overrun
	p.rtp.found, p.rtcp.found = 0, 0
	if rtp {
		n = p.readSocket(&p.rtp, b, most, false)
	}
	if rtcp {
		n += p.readSocket(&p.rtcp, b, most, true)
	}
	r.flow.room = nil
	return n, r.flow.stats.Overrun != before
}

// readSocket reads one socket, for at most so many batches.
func (p *sweptPair) readSocket(s *rawSocket, b *batch, most int, control bool) (total int) {
	s.octets = 0
	for range most {
		n, errno := b.receive(s.fd)
		if errno != 0 {
			if errno == unix.EAGAIN || !p.mayRetry(s, errno) {
				break
			}
			continue
		}
		s.failed = 0
		p.take(s, b, n, control)
		total += n
		if n < batchSize {
			break
		}
	}
	return total
}

// mayRetry says whether a socket is read on although it gave an error, which may be an
// ICMP message about something that was sent. One that gives nothing but errors is done.
func (p *sweptPair) mayRetry(s *rawSocket, errno unix.Errno) bool {
	if s.failed > maxReadErrors {
		return false
	}
	if s.failed++; s.failed > maxReadErrors {
		p.receiver.brokenSocket(errno)
		return false
	}
	return true
}

// take gives the receiver the first n datagrams of a batch.
func (p *sweptPair) take(s *rawSocket, b *batch, n int, control bool) {
	i := p.sweeper.plane.clock()
	s.arrivals.read(i)
	longest := maxMedia
	if control {
		longest = maxControl
	}
	var d datagram
	for k := range n {
		said := b.said(k)
		d = datagram{
			data:    b.octets(k),
			source:  b.source(k),
			at:      s.arrivals.at(i, said.stamp, said.stamped),
			dropped: newlyDropped(&s.dropped, said),
		}
		d.truncated = len(d.data) > longest
		s.found, s.octets = s.found+1, s.octets+len(d.data)
		if control {
			p.receiver.takeRTCP(&d)
		} else {
			p.receiver.takeRTP(&d)
		}
	}
	b.ready(n)
}
