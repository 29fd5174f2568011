package pcap

import (
	"net/netip"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
)

// segment is the most that one packet of a TCP connection has, in octets: what fits an
// Ethernet frame.
const segment = 1400

// stream writes a message of a TCP connection in segments.
func (w *Writer) stream(p src.Packet, from, to netip.AddrPort) {
	c := w.connection(p)
	ours, theirs := &c.local, &c.remote
	if p.Direction == src.In {
		ours, theirs = theirs, ours
	}
	for rest := p.Data; len(rest) > 0; {
		n := min(len(rest), segment)
		flags := byte(flagACK)
		if n == len(rest) {
			flags |= flagPSH
		}
		w.packet(p.At, from, to, protocolTCP, tcp(from, to, *ours, *theirs, flags, rest[:n]))
		*ours += uint32(n)
		rest = rest[n:]
	}
}

// connection finds the state of a connection. A new one begins with a handshake, in
// which the suite is the client.
func (w *Writer) connection(p src.Packet) *connection {
	key := endpoints{p.Local, p.Remote}
	if c := w.conns[key]; c != nil {
		return c
	}
	if len(w.order) == maxConnections {
		delete(w.conns, w.order[0])
		w.order = w.order[1:]
	}
	c := &connection{local: 1000, remote: 5000}
	w.conns[key] = c
	w.order = append(w.order, key)
	w.handshake(p.At, key, c)
	return c
}

func (w *Writer) handshake(at time.Time, e endpoints, c *connection) {
	w.packet(at, e.local, e.remote, protocolTCP, tcp(e.local, e.remote, c.local, 0, flagSYN, nil))
	c.local++
	w.packet(at, e.remote, e.local, protocolTCP, tcp(e.remote, e.local, c.remote, c.local, flagSYN|flagACK, nil))
	c.remote++
	w.packet(at, e.local, e.remote, protocolTCP, tcp(e.local, e.remote, c.local, c.remote, flagACK, nil))
}
