package media

import (
	"net/netip"
	"slices"
	"time"
)

const (
	waitLimit   = time.Second // how long a packet waits for its source to be adopted
	waitPackets = 64          // how many wait: 1.28 s of packets of 20 ms
	waitOctets  = 64 << 10    // and how much, so that strangers cannot fill the memory
)

// A waiter is a packet whose source is not adopted yet.
type waiter struct {
	at       time.Time
	source   netip.AddrPort
	rank     rank
	ssrc     uint32
	sequence uint16
	datagram []byte // a copy of its own
}

// waiters holds packets in the order of arrival. It wipes whatever it lets go.
type waiters struct {
	list   []waiter
	octets int
}

// add lets a packet wait. When there is no room, those of the least vouched for
// sources go first, the oldest of them before the others; lost is called for
// each that went, which may be the new one.
func (q *waiters) add(w waiter, lost func(*waiter)) {
	for len(q.list) == waitPackets || len(q.list) > 0 && q.octets+len(w.datagram) > waitOctets {
		worst := 0
		for i := range q.list {
			if q.list[i].rank < q.list[worst].rank {
				worst = i
			}
		}
		if q.list[worst].rank > w.rank {
			clear(w.datagram)
			lost(&w)
			return
		}
		q.drop(worst, lost)
	}
	q.list = append(q.list, w)
	q.octets += len(w.datagram)
}

// expire wipes what has waited for longer than waitLimit.
func (q *waiters) expire(now time.Time, lost func(*waiter)) {
	for len(q.list) > 0 && now.Sub(q.list[0].at) > waitLimit {
		q.drop(0, lost)
	}
	q.tidy()
}

// wipe forgets all.
func (q *waiters) wipe(lost func(*waiter)) {
	for len(q.list) > 0 {
		q.drop(len(q.list)-1, lost)
	}
	q.tidy()
}

// release gives the packets of a source away, in the order of arrival, and wipes
// them.
func (q *waiters) release(src netip.AddrPort, give func(*waiter)) {
	for i := 0; i < len(q.list); {
		if q.list[i].source == src {
			q.drop(i, give)
			continue
		}
		i++
	}
	q.tidy()
}

// drop takes a packet out, shows it and wipes it.
func (q *waiters) drop(i int, show func(*waiter)) {
	w := q.list[i]
	q.list = slices.Delete(q.list, i, i+1)
	q.octets -= len(w.datagram)
	show(&w)
	clear(w.datagram)
}

// tidy gives the room back: few streams ever need it.
func (q *waiters) tidy() {
	if len(q.list) == 0 {
		q.list = nil
	}
}
