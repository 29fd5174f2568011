package media

import (
	"net/netip"
	"testing"
)

func TestSocketDrain(t *testing.T) {
	for _, ip := range []netip.Addr{loopback4, loopback6} {
		t.Run(ip.String(), func(t *testing.T) {
			c, err := listenUDP(ip, 0)
			if err != nil {
				t.Skipf("no such address here: %v", err)
			}
			defer c.close()
			s := newSocket(c.conn, maxMedia, newPlane(t, Config{}).clock)
			src := newSender(t, ip.String())
			for i := range 100 {
				src.raw(c.local(), []byte{byte(i)})
			}
			src.settled()
			var got []byte
			s.drain(func(d *datagram) {
				if d.source != src.addr() {
					t.Errorf("source %v, want %v", d.source, src.addr())
				}
				got = append(got, d.data...)
			})
			if len(got) != 100 || got[99] != 99 {
				t.Errorf("%d datagrams of 100: %v", len(got), got)
			}
		})
	}
}

func TestReadDoesNotAllocate(t *testing.T) {
	for _, ip := range []netip.Addr{loopback4, loopback6} {
		t.Run(ip.String(), func(t *testing.T) {
			c, err := listenUDP(ip, 0)
			if err != nil {
				t.Skipf("no such address here: %v", err)
			}
			defer c.close()
			s := newSocket(c.conn, maxMedia, newPlane(t, Config{}).clock)
			src := newSender(t, ip.String())
			to, b := c.local(), packet(t, 1, 1)
			n := testing.AllocsPerRun(200, func() {
				src.raw(to, b)
				if _, err := s.read(); err != nil {
					t.Fatal(err)
				}
			})
			if n != 0 {
				t.Errorf("%v allocations for a datagram", n)
			}
		})
	}
}
