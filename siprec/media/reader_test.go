package media

import (
	"net/netip"
	"runtime"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// TestPacketsToARestingPort: what comes to a port after its stream has ended is not
// heard of by the next stream on it.
func TestPacketsToARestingPort(t *testing.T) {
	eachReader(t, func(t *testing.T, cfg Config) {
		lowest := freeRange(t, 1)
		clock := newFakeClock()
		cfg.PortMin, cfg.PortMax, cfg.Now = lowest, lowest+1, clock.now
		p := newPlane(t, cfg)
		src := newSender(t, "127.0.0.1")
		before := open(t, p, loopback4)
		before.Expect(Expected{RTP: src.addr()})
		src.rtp(before, 7, 1)
		src.settled()
		before.Drain()
		// On its way when the stream ended, and still while the port rests.
		for seq := range uint16(50) {
			_, _ = src.conn.WriteToUDPAddrPort(packet(t, 7, 2+seq), before.RTPAddr())
			_, _ = src.conn.WriteToUDPAddrPort(report, before.RTCPAddr())
		}
		src.settled()
		clock.advance(DefaultRest)
		after := open(t, p, loopback4)
		if after.RTPAddr() != before.RTPAddr() {
			t.Fatalf("ports %v and %v", before.RTPAddr(), after.RTPAddr())
		}
		box := newMailbox()
		after.Expect(Expected{RTP: src.addr()})
		after.Attach(box)
		src.rtp(after, 8, 1)
		src.settled()
		after.Drain()
		box.want(t, 8, 1)
		if st := after.Stats(); len(box) != 0 || st.Packets != 1 || st.RTCP != 0 || st.Strangers != 0 {
			t.Errorf("%d more packets, stats %+v", len(box), st)
		}
	})
}

// TestAllAddresses: on all addresses of IPv6 IPv4 comes in as what it is, and reports go
// back to it.
func TestAllAddresses(t *testing.T) {
	eachReader(t, func(t *testing.T, cfg Config) {
		r := open(t, newPlane(t, cfg), netip.IPv6Unspecified())
		if r.RTPAddr().Addr() != netip.IPv6Unspecified() {
			t.Errorf("bound to %v", r.RTPAddr())
		}
		for _, ip := range []netip.Addr{loopback4, loopback6} {
			src := newSender(t, ip.String())
			box := newMailbox()
			r.Expect(Expected{RTP: src.addr()})
			r.Attach(box)
			to := netip.AddrPortFrom(ip, r.RTPAddr().Port())
			src.raw(to, packet(t, 7, 1))
			if a := box.next(t); a.source != src.addr() {
				t.Errorf("source %v, want %v", a.source, src.addr())
			}
			g := reporting{t: t, r: r}
			r.mu.Lock()
			err := r.pair.send(report, src.addr(), true)
			r.mu.Unlock()
			if err != nil {
				t.Errorf("send to %v: %v", src.addr(), err)
				continue
			}
			if b := g.hear(src); len(b) != len(report) {
				t.Errorf("%d octets came back", len(b))
			}
		}
	})
}

// TestICMPErrors: that nobody listens where reports go costs no packet.
func TestICMPErrors(t *testing.T) {
	eachReader(t, func(t *testing.T, cfg Config) {
		r := open(t, newPlane(t, cfg), loopback4)
		src, gone := newSender(t, "127.0.0.1"), newSender(t, "127.0.0.1")
		box := newMailbox()
		r.Expect(Expected{RTP: src.addr()})
		r.Attach(box)
		_ = gone.conn.Close()
		for seq := range uint16(5) {
			r.mu.Lock()
			_ = r.pair.send(report, gone.addr(), true)
			r.mu.Unlock()
			src.rtp(r, 7, seq)
		}
		box.want(t, 7, 0, 1, 2, 3, 4)
	})
}

// TestOverrun: every packet is delivered or counted as lost, however busy the machine.
func TestOverrun(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells what it dropped")
	}
	eachReader(t, func(t *testing.T, cfg Config) {
		cfg.ReadBuffer = 4096
		w := warnings{zapcore.NewNopCore(), make(chan string, 100)}
		cfg.Log = zap.New(w)
		r := open(t, newPlane(t, cfg), loopback4)
		src := newSender(t, "127.0.0.1")
		g := newGate()
		r.Expect(Expected{RTP: src.addr()})
		r.Attach(g)
		src.rtp(r, 7, 0)
		<-g.reached
		const sent = 200
		for seq := range uint16(sent) {
			src.rtp(r, 7, 1+seq)
		}
		close(g.opened)
		// One after the other, until one behind the loss is delivered: then there is
		// room, and the next one tells of all that was lost.
		last := uint16(sent)
		for through := false; !through; {
			last++
			src.rtp(r, 7, last)
			for waiting := true; waiting && !through; {
				select {
				case a := <-g.mailbox:
					through = a.seq > sent
				case <-time.After(2 * longestSweep):
					waiting = false
				}
			}
		}
		last++
		src.rtp(r, 7, last)
		src.settled()
		r.Drain()
		st := r.Stats()
		if st.Overrun == 0 || st.Packets+st.Overrun != uint64(last)+1 || len(w.seen) != 1 {
			t.Errorf("stats %+v for %d packets, %d warnings", st, last+1, len(w.seen))
		}
	})
}
