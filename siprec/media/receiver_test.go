package media

import (
	"bytes"
	"net/netip"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

func TestReceiverDelivers(t *testing.T) {
	eachReader(t, func(t *testing.T, cfg Config) {
		for _, ip := range []netip.Addr{loopback4, loopback6} {
			t.Run(ip.String(), func(t *testing.T) {
				p := newPlane(t, cfg)
				r := open(t, p, ip)
				if rtp, rtcp := r.RTPAddr(), r.RTCPAddr(); rtp.Addr() != ip || rtp.Port()%2 != 0 || rtcp.Port() != rtp.Port()+1 {
					t.Errorf("rtp %v, rtcp %v", rtp, rtcp)
				}
				src := newSender(t, ip.String())
				box := newMailbox()
				r.Expect(Expected{RTP: src.addr()})
				r.Attach(box)
				for seq := range uint16(20) {
					before := time.Now()
					src.rtp(r, 7, seq)
					a := box.next(t)
					if a.ssrc != 7 || a.seq != seq || a.source != src.addr() ||
						!bytes.Equal(a.payload, bytes.Repeat([]byte{byte(seq)}, 160)) {
						t.Fatalf("packet %d came as %+v", seq, a)
					}
					// The slack is for a test that loses the processor between two
					// readings of the clock.
					if after := time.Now(); a.at.After(after) || a.at.Before(before.Add(-200*time.Millisecond)) {
						t.Errorf("arrival %v, sent between %v and %v", a.at, before, after)
					}
				}
				src.raw(r.RTCPAddr(), report)
				src.settled()
				r.Drain()
				if st := r.Stats(); st.Packets != 20 || st.Octets != 3200 || st.RTCP != 1 || st.Source != src.addr() ||
					st.Malformed+st.Strangers+st.Rebinds != 0 || st.Flagged {
					t.Errorf("stats %+v", st)
				}
			})
		}
	})
}

func TestArrivalIsStampedByTheKernel(t *testing.T) {
	eachReader(t, func(t *testing.T, cfg Config) {
		if runtime.GOOS != "linux" {
			t.Skip("the kernel's stamps are used on Linux only")
		}
		r := open(t, newPlane(t, cfg), loopback4)
		src := newSender(t, "127.0.0.1")
		g := newGate()
		r.Expect(Expected{RTP: src.addr()})
		r.Attach(g)
		src.rtp(r, 1, 1)
		<-g.reached
		src.rtp(r, 1, 2)
		sent := time.Now()
		close(g.opened)
		g.want(t, 1, 1)
		// It was not read before the gate was open, so only a stamp can be earlier.
		if a := g.next(t); a.at.After(sent) {
			t.Errorf("arrival %v after it was sent", a.at.Sub(sent))
		}
	})
}

func TestReceiverLosesNothing(t *testing.T) {
	eachReader(t, func(t *testing.T, cfg Config) {
		const batch, batches = 100, 200
		r := open(t, newPlane(t, cfg), loopback4)
		src := newSender(t, "127.0.0.1")
		a := &acker{batch: batch, acks: make(chan struct{}, batches)}
		r.Expect(Expected{RTP: src.addr()})
		r.Attach(a)
		seq := uint16(0)
		for i := range batches {
			for range batch {
				src.rtp(r, 1, seq)
				seq++
			}
			if i == 0 {
				continue // so that one batch is always on its way
			}
			select {
			case <-a.acks:
			case <-time.After(patience):
				t.Fatalf("batch %d was not delivered: %+v", i, r.Stats())
			}
		}
		src.settled()
		r.Drain()
		if a.got != batch*batches || a.disorder != 0 {
			t.Errorf("%d of %d delivered, %d out of order", a.got, batch*batches, a.disorder)
		}
	})
}

// guarded is a sink that must not be called once it was replaced.
type guarded struct {
	replaced atomic.Bool
	late     *atomic.Int64
	total    *atomic.Int64
	acks     chan struct{}
}

func (g *guarded) WriteRTP(*Packet) {
	if g.replaced.Load() {
		g.late.Add(1)
	}
	g.total.Add(1)
	runtime.Gosched()
	if g.replaced.Load() {
		g.late.Add(1)
	}
	g.acks <- struct{}{}
}

func TestAttachWhilePacketsArrive(t *testing.T) {
	eachReader(t, func(t *testing.T, cfg Config) {
		const packets = 3000
		r := open(t, newPlane(t, cfg), loopback4)
		src := newSender(t, "127.0.0.1")
		r.Expect(Expected{RTP: src.addr()})
		var late, total atomic.Int64
		acks := make(chan struct{}, packets)
		attach := func(old *guarded) *guarded {
			g := &guarded{late: &late, total: &total, acks: acks}
			r.Attach(g)
			if old != nil {
				old.replaced.Store(true)
			}
			return g
		}
		current := attach(nil)

		done := make(chan struct{})
		go func() {
			defer close(done)
			for seq := range uint16(packets) {
				src.rtp(r, 1, seq)
				if seq >= 50 {
					<-acks
				}
			}
		}()
		for swapping := true; swapping; {
			select {
			case <-done:
				swapping = false
			default:
				current = attach(current)
			}
		}
		src.settled()
		r.Drain()
		if late.Load() != 0 || total.Load() != packets {
			t.Errorf("%d calls of a replaced sink, %d of %d packets delivered", late.Load(), total.Load(), packets)
		}
	})
}

func TestAttachNilForgets(t *testing.T) {
	eachReader(t, func(t *testing.T, cfg Config) {
		r := open(t, newPlane(t, cfg), loopback4)
		src := newSender(t, "127.0.0.1")
		box := newMailbox()
		r.Expect(Expected{RTP: src.addr()})
		r.Attach(box)
		src.rtp(r, 1, 1)
		box.want(t, 1, 1)
		r.Attach(nil)
		src.rtp(r, 1, 2, 3)
		src.settled()
		r.Drain()
		if n := len(box); n != 0 {
			t.Errorf("%d packets delivered to a detached sink", n)
		}
		if st := r.Stats(); st.Packets != 3 {
			t.Errorf("stats %+v", st)
		}
	})
}

func TestDrainDeliversWhatIsQueued(t *testing.T) {
	eachReader(t, func(t *testing.T, cfg Config) {
		const packets = 500
		r := open(t, newPlane(t, cfg), loopback4)
		src := newSender(t, "127.0.0.1")
		g := newGate()
		r.Expect(Expected{RTP: src.addr()})
		r.Attach(g)
		src.rtp(r, 1, 0)
		<-g.reached
		for seq := range uint16(packets - 1) {
			src.rtp(r, 1, seq+1)
		}
		src.settled()
		done := make(chan struct{})
		go func() {
			defer close(done)
			r.Drain()
		}()
		close(g.opened)
		<-done
		if len(g.mailbox) != packets {
			t.Fatalf("%d of %d delivered", len(g.mailbox), packets)
		}
		// The port is closed: what is sent now reaches nobody.
		_, _ = src.conn.WriteToUDPAddrPort(packet(t, 1, packets), r.RTPAddr())
		r.Drain()
		r.Close()
		if len(g.mailbox) != packets {
			t.Error("a packet came after Drain")
		}
	})
}

func TestReceiverCountsMalformed(t *testing.T) {
	eachReader(t, func(t *testing.T, cfg Config) {
		r := open(t, newPlane(t, cfg), loopback4)
		src := newSender(t, "127.0.0.1")
		box := newMailbox()
		r.Expect(Expected{RTP: src.addr()})
		r.Attach(box)
		src.raw(r.RTPAddr(), nil)
		src.raw(r.RTPAddr(), []byte("\r\n\r\n"))
		src.raw(r.RTPAddr(), octets(t, "a0 08 0102 00000003 00000004 aa03"))
		src.raw(r.RTPAddr(), append(packet(t, 1, 1), make([]byte, maxMedia)...))
		src.raw(r.RTCPAddr(), packet(t, 1, 1))
		src.raw(r.RTCPAddr(), append(octets(t, "80 c9 0001 00000001"), make([]byte, maxControl)...))
		src.rtp(r, 1, 2)
		box.want(t, 1, 2)
		longest := packet(t, 1, 3)
		longest = append(longest, make([]byte, maxMedia-len(longest))...)
		src.raw(r.RTPAddr(), longest)
		box.want(t, 1, 3)
		src.settled()
		r.Drain()
		if st := r.Stats(); st.Malformed != 6 || st.Packets != 2 || st.RTCP != 0 {
			t.Errorf("stats %+v", st)
		}
	})
}

func TestReceiverSurvivesAPanic(t *testing.T) {
	eachReader(t, func(t *testing.T, cfg Config) {
		w := warnings{zapcore.NewNopCore(), make(chan string, 10)}
		cfg.Log = zap.New(w)
		r := open(t, newPlane(t, cfg), loopback4)
		src := newSender(t, "127.0.0.1")
		r.Expect(Expected{RTP: src.addr()})
		r.Attach(panicking{})
		src.rtp(r, 1, 1)
		<-w.seen
		box := newMailbox()
		r.Attach(box)
		src.rtp(r, 1, 2)
		box.want(t, 1, 2)
		if st := r.Stats(); st.Panics != 1 || st.Packets != 2 {
			t.Errorf("stats %+v", st)
		}
	})
}

// BenchmarkLoopback is the cost of sending a packet and receiving it.
func BenchmarkLoopback(b *testing.B) {
	p := newPlane(b, Config{})
	r := open(b, p, loopback4)
	src := newSender(b, "127.0.0.1")
	const batch = 64
	a := &acker{batch: batch, acks: make(chan struct{}, 1)}
	r.Expect(Expected{RTP: src.addr()})
	r.Attach(a)
	datagram, to := packet(b, 1, 1), r.RTPAddr()
	b.ReportAllocs()
	sent := 0
	for b.Loop() {
		src.raw(to, datagram)
		if sent++; sent%batch == 0 {
			<-a.acks
		}
	}
}

// BenchmarkOpenClose is the cost of a receiver's life.
func BenchmarkOpenClose(b *testing.B) {
	p := newPlane(b, Config{})
	b.ReportAllocs()
	for b.Loop() {
		open(b, p, loopback4).Close()
	}
}
