//go:build !linux

package load

import (
	"net"
	"net/netip"
)

// An address is a destination.
type address struct{ to netip.AddrPort }

func newAddress(to netip.AddrPort) *address { return &address{to} }

// A burst is packets that leave one after the other.
type burst struct {
	conn  *net.UDPConn
	space []byte
	size  int
	list  [][]byte
	to    []*address
	most  int
}

func newBurst(c *net.UDPConn, packets, octets int) (*burst, error) {
	return &burst{conn: c, space: make([]byte, packets*octets), size: octets, most: packets}, nil
}

// room is where the next packet can be written.
func (b *burst) room() []byte {
	n := len(b.list)
	return b.space[n*b.size : (n+1)*b.size : (n+1)*b.size]
}

// add takes the packet that was written into room.
func (b *burst) add(packet []byte, to *address) {
	b.list, b.to = append(b.list, packet), append(b.to, to)
}

func (b *burst) full() bool   { return len(b.list) == b.most }
func (b *burst) packets() int { return len(b.list) }

// flush sends all, and says how many could not be sent, and why.
func (b *burst) flush() (unsent int, err error) {
	for i, p := range b.list {
		if _, bad := b.conn.WriteToUDPAddrPort(p, b.to[i].to); bad != nil {
			unsent, err = unsent+1, bad
		}
	}
	b.list, b.to = b.list[:0], b.to[:0]
	return unsent, err
}
