package media

import (
	"fmt"
	"net/netip"
	"time"
)

// A Reader is how a [Plane] reads its sockets. What arrives is the same.
type Reader string

const (
	// ReaderSweep has a few goroutines go round all sockets every 20 to 200 ms and
	// take many datagrams in one system call: half the processor time for each
	// packet, and hardly any memory for each socket. It needs Linux; elsewhere, and
	// where a sandbox has no recvmmsg, ReaderSimple is used in its place.
	ReaderSweep Reader = "sweep"
	// ReaderSimple has a goroutine for each socket, which reads a datagram as it
	// arrives. It needs nothing of the system.
	ReaderSimple Reader = "simple"
)

// A socketReader binds pairs of ports and reads them.
type socketReader interface {
	// bind opens the port and the next one on ip; 0 is any even one of the system
	// and the next.
	bind(ip netip.Addr, port uint16) (pair, error)
	// close waits for what the reader runs. All pairs are closed by then.
	close()
}

// A pair is the two sockets of a receiver. Its methods are called under the lock of
// the receiver but for start and those that say so.
type pair interface {
	// local is the address of the RTP socket.
	local() netip.AddrPort
	// start gives the receiver what arrives from now on, under its lock.
	start(r *Receiver)
	// poll gives the receiver what has arrived by now, if the reader lets it lie.
	poll()
	// wakeAt has the receiver woken at an instant of the system's clock, or a little
	// later. One call takes the place of the one before.
	wakeAt(t time.Time)
	// send sends a datagram from the RTCP socket or, shared, from the RTP socket.
	send(b []byte, to netip.AddrPort, shared bool) error
	// drain gives the receiver what has arrived by now and reads no more. It is
	// called without the lock, once.
	drain()
	// close closes both sockets, and reads no more when it returns. It is called
	// without the lock, once, or before start.
	close()
}

// A boundSocket is a UDP socket that a reader has opened.
type boundSocket interface {
	local() netip.AddrPort
	close()
}

// bindPair binds an even port and the next with listen. Port 0 is any even one.
func bindPair[S boundSocket](listen func(port uint16) (S, error), port uint16) (rtp, rtcp S, err error) {
	if port == 0 {
		return bindAny(listen)
	}
	var none S
	if rtp, err = listen(port); err != nil {
		return none, none, err
	}
	if rtcp, err = listen(port + 1); err != nil {
		rtp.close()
		return none, none, err
	}
	return rtp, rtcp, nil
}

// anyTries is how often the system is asked for a port whose neighbour is free.
const anyTries = 64

// bindAny binds a pair that the system chooses: one port, even or odd, and its
// neighbour.
func bindAny[S boundSocket](listen func(port uint16) (S, error)) (rtp, rtcp S, err error) {
	var none S
	for range anyTries {
		one, listenErr := listen(0)
		if listenErr != nil {
			return none, none, listenErr
		}
		port := one.local().Port()
		other, listenErr := listen(port ^ 1)
		switch {
		case listenErr != nil:
			err = listenErr
			one.close()
		case port%2 == 0:
			return one, other, nil
		default:
			return other, one, nil
		}
	}
	return none, none, fmt.Errorf("%w: %w", ErrNoPorts, err)
}
