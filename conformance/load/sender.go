package load

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
)

const (
	// slot is how far apart the instants are at which a sender sends. The streams
	// of a sender are spread over the slots of a packet's length.
	slot = time.Millisecond
	// burstPackets is how many packets go out with one system call at most.
	burstPackets = 128
	// headerOctets is an RTP header without extensions (RFC 3550 §5.1).
	headerOctets = 12
	// tagRoom takes the authentication tag of SRTP (RFC 3711 §4.2).
	tagRoom = 16
)

// A stream is one recorded stream as it is sent. Its sender owns it from add until
// done is closed.
type stream struct {
	number  int // in its packets
	call    *call
	to      *address
	ssrc    uint32
	protect *src.Protector // nil: plain RTP

	next  int         // number of the next packet; after done, how many there were
	limit int         // it ends after so many; 0 is never
	stop  atomic.Bool // it ends at its next turn
	done  chan struct{}
}

// A lane is the streams that leave from one socket.
type lane struct {
	conn  *net.UDPConn
	rtcp  *net.UDPConn
	burst *burst
	slots [][]*stream
}

// A sender is one thread that sends.
type sender struct {
	code  *code
	lanes []*lane
	ticks uint32 // of the RTP clock for a packet

	mu      sync.Mutex
	waiting [][]*stream // by lane
	some    atomic.Bool
	closing atomic.Bool
	ended   chan struct{}

	sent    atomic.Int64 // packets
	reports atomic.Int64 // RTCP datagrams that came
	late    lateness
	unsent  int
	why     error
	cpu     time.Duration // of the thread
	known   bool          // cpu is
	readers sync.WaitGroup
}

// newSender binds a pair of ports for each m-line and starts the thread.
func newSender(c *code, local netip.Addr, lanes int, ptime time.Duration) (*sender, error) {
	s := &sender{
		code: c, ticks: uint32(c.words), waiting: make([][]*stream, lanes), ended: make(chan struct{}),
	}
	for range lanes {
		conn, rtcp, err := pair(local)
		if err != nil {
			s.free()
			return nil, fmt.Errorf("bind ports to send from: %w", err)
		}
		l := &lane{conn: conn, rtcp: rtcp, slots: make([][]*stream, ptime/slot)}
		s.lanes = append(s.lanes, l)
		if l.burst, err = newBurst(conn, burstPackets, headerOctets+c.words+tagRoom); err != nil {
			s.free()
			return nil, err
		}
		s.readers.Go(func() { s.hear(rtcp) })
	}
	go s.run()
	return s, nil
}

// pair binds an even port for RTP and the next for RTCP (RFC 3550 §11).
func pair(ip netip.Addr) (rtp, rtcp *net.UDPConn, err error) {
	for range 64 {
		if rtp, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, 0))); err != nil {
			return nil, nil, err
		}
		if port := portOf(rtp); port%2 == 0 {
			if rtcp, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, port+1))); err == nil {
				return rtp, rtcp, nil
			}
		}
		err = errors.Join(err, rtp.Close())
	}
	return nil, nil, errors.Join(errors.New("no free pair of ports"), err)
}

func portOf(c *net.UDPConn) uint16 { return c.LocalAddr().(*net.UDPAddr).AddrPort().Port() }

// hear counts what comes to a port for RTCP, so that reports find an open one.
func (s *sender) hear(c *net.UDPConn) {
	b := make([]byte, 2048)
	for {
		if _, _, err := c.ReadFromUDPAddrPort(b); err != nil {
			return
		}
		s.reports.Add(1)
	}
}

// add has a stream sent from a lane until it has reached its limit or is stopped.
func (s *sender) add(lane int, st *stream) {
	s.mu.Lock()
	s.waiting[lane] = append(s.waiting[lane], st)
	s.mu.Unlock()
	s.some.Store(true)
}

// close ends the thread and waits for it. Streams that are left end.
func (s *sender) close() {
	s.closing.Store(true)
	<-s.ended
	s.free()
}

func (s *sender) free() {
	for _, l := range s.lanes {
		// They hold nothing that could be lost.
		_ = l.conn.Close()
		_ = l.rtcp.Close()
	}
	s.readers.Wait()
}

// run is the thread.
func (s *sender) run() {
	// Not unlocked again: the thread ends with its goroutine, and its priority with it.
	runtime.LockOSThread()
	defer close(s.ended)
	preferThread()
	base := time.Now()
	for tick := 0; ; tick++ {
		due := base.Add(time.Duration(tick) * slot)
		sleepUntil(due)
		if s.some.Load() {
			s.admit()
		}
		over := s.closing.Load()
		for _, l := range s.lanes {
			if over {
				l.abandon()
				continue
			}
			s.turn(l, tick, due)
		}
		if over {
			break
		}
	}
	s.admit()
	for _, l := range s.lanes {
		l.abandon()
	}
	s.cpu, s.known = threadTime()
}

// admit puts new streams where the fewest are.
func (s *sender) admit() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.some.Store(false)
	for i, list := range s.waiting {
		l := s.lanes[i]
		for _, st := range list {
			least := 0
			for k := range l.slots {
				if len(l.slots[k]) < len(l.slots[least]) {
					least = k
				}
			}
			l.slots[least] = append(l.slots[least], st)
		}
		s.waiting[i] = nil
	}
}

func (l *lane) abandon() {
	for i, list := range l.slots {
		for _, st := range list {
			close(st.done)
		}
		l.slots[i] = nil
	}
}

// turn sends a packet of each stream of the slot of a tick.
func (s *sender) turn(l *lane, tick int, due time.Time) {
	list := l.slots[tick%len(l.slots)]
	for i := 0; i < len(list); {
		st := list[i]
		if st.stop.Load() || st.limit > 0 && st.next == st.limit {
			list[i] = list[len(list)-1]
			list = list[:len(list)-1]
			close(st.done)
			continue
		}
		l.burst.add(s.packet(st, l.burst.room()), st.to)
		st.next++
		if l.burst.full() {
			s.flush(l, due)
		}
		i++
	}
	l.slots[tick%len(l.slots)] = list
	s.flush(l, due)
}

// packet writes the next packet of a stream.
func (s *sender) packet(st *stream, b []byte) []byte {
	b = b[:headerOctets+s.code.words]
	b[0], b[1] = 0x80, 0 // version 2, PCMU
	if st.next == 0 {
		b[1] = 0x80 // the marker of a first packet (RFC 3551 §4.1)
	}
	// The first number is below 32768, so that a first packet that is lost does not
	// mislead who counts rollovers (RFC 3711 §3.3.1).
	binary.BigEndian.PutUint16(b[2:], uint16(st.ssrc)&0x7fff+uint16(st.next))
	binary.BigEndian.PutUint32(b[4:], st.ssrc+uint32(st.next)*s.ticks)
	binary.BigEndian.PutUint32(b[8:], st.ssrc)
	s.code.write(b[headerOctets:], st.number, st.next)
	if st.protect != nil {
		b = append(b[:0], st.protect.RTP(b, headerOctets)...)
	}
	return b
}

func (s *sender) flush(l *lane, due time.Time) {
	n := l.burst.packets()
	if n == 0 {
		return
	}
	s.late.note(time.Since(due), n)
	unsent, err := l.burst.flush()
	if unsent > 0 {
		s.unsent, s.why = s.unsent+unsent, err
	}
	s.sent.Add(int64(n - unsent))
}

// A lateness counts packets by how late they left, in milliseconds; the last place
// is for all that were later.
type lateness struct {
	count [1001]int
	worst time.Duration
}

func (l *lateness) note(d time.Duration, packets int) {
	l.worst = max(l.worst, d)
	l.count[min(max(d.Milliseconds(), 0), int64(len(l.count)-1))] += packets
}

func (l *lateness) join(o *lateness) {
	l.worst = max(l.worst, o.worst)
	for i, n := range o.count {
		l.count[i] += n
	}
}

// quantile is how late packets were at most, but for a part of them: the p-th
// quantile, 0 to 1, rounded up to the millisecond.
func (l *lateness) quantile(p float64) time.Duration {
	total := 0
	for _, n := range l.count {
		total += n
	}
	seen := 0
	for ms, n := range l.count {
		if seen += n; n > 0 && float64(seen) >= p*float64(total) {
			return min(time.Duration(ms+1)*time.Millisecond, l.worst)
		}
	}
	return l.worst
}
