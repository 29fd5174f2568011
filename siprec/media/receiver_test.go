package media

import (
	"bytes"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	loopback4 = netip.MustParseAddr("127.0.0.1")
	loopback6 = netip.MustParseAddr("::1")
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// arrived is a copy of a packet.
type arrived struct {
	ssrc    uint32
	seq     uint16
	payload []byte
	at      time.Time
	source  netip.AddrPort
}

// mailbox is a sink that sends copies to a channel with room for all of a test.
type mailbox chan arrived

func newMailbox() mailbox { return make(mailbox, 4096) }

func (m mailbox) WriteRTP(p *Packet) {
	m <- arrived{p.Header.SSRC, p.Header.SequenceNumber, bytes.Clone(p.Payload), p.Arrival, p.Source}
}

func (m mailbox) next(t *testing.T) arrived {
	t.Helper()
	select {
	case a := <-m:
		return a
	case <-time.After(patience):
		t.Fatal("no packet was delivered")
		return arrived{}
	}
}

func (m mailbox) want(t *testing.T, ssrc uint32, seqs ...uint16) {
	t.Helper()
	for _, seq := range seqs {
		if a := m.next(t); a.ssrc != ssrc || a.seq != seq {
			t.Fatalf("packet %d of SSRC %d, want %d of %d", a.seq, a.ssrc, seq, ssrc)
		}
	}
}

// fakeClock stands still until it is told to go on. It tells of each reading, so
// that a test knows when a datagram was dated.
type fakeClock struct {
	mu   sync.Mutex
	t    time.Time
	read chan struct{}
}

func newFakeClock() *fakeClock {
	return &fakeClock{t: time.Unix(1_700_000_000, 0), read: make(chan struct{}, 4096)}
}

func (c *fakeClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read <- struct{}{}
	return c.t
}

// instant is the time without a trace of the reading.
func (c *fakeClock) instant() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

// dated runs send and waits until the one datagram that it sends was dated.
func (c *fakeClock) dated(t *testing.T, send func()) {
	t.Helper()
	for len(c.read) > 0 {
		<-c.read
	}
	send()
	select {
	case <-c.read:
	case <-time.After(patience):
		t.Fatal("the datagram was not read")
	}
}

func (c *fakeClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func newPlane(t testing.TB, cfg Config) *Plane {
	t.Helper()
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func open(t testing.TB, p *Plane, ip netip.Addr) *Receiver {
	t.Helper()
	r, err := p.Open(ip)
	if err != nil {
		if ip.Is6() {
			t.Skipf("no IPv6 here: %v", err)
		}
		t.Fatal(err)
	}
	return r
}

// sender is a source of packets.
type sender struct {
	t    testing.TB
	conn *net.UDPConn
}

func newSender(t testing.TB, ip string) *sender {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(ip)})
	if err != nil {
		t.Skipf("cannot send from %s: %v", ip, err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &sender{t, conn}
}

func (s *sender) addr() netip.AddrPort { return localAddr(s.conn) }

func (s *sender) raw(to netip.AddrPort, b []byte) {
	s.t.Helper()
	if _, err := s.conn.WriteToUDPAddrPort(b, to); err != nil {
		s.t.Fatal(err)
	}
}

func (s *sender) rtp(r *Receiver, ssrc uint32, seqs ...uint16) {
	s.t.Helper()
	for _, seq := range seqs {
		s.raw(r.RTPAddr(), packet(s.t, ssrc, seq))
	}
}

func TestReceiverDelivers(t *testing.T) {
	for _, ip := range []netip.Addr{loopback4, loopback6} {
		t.Run(ip.String(), func(t *testing.T) {
			p := newPlane(t, Config{})
			r := open(t, p, ip)
			if rtp, rtcp := r.RTPAddr(), r.RTCPAddr(); rtp.Addr() != ip || rtp.Port()%2 != 0 || rtcp.Port() != rtp.Port()+1 {
				t.Errorf("rtp %v, rtcp %v", rtp, rtcp)
			}
			src := newSender(t, ip.String())
			box := newMailbox()
			r.Expect(Expected{RTP: src.addr()})
			r.Attach(box)
			for seq := range uint16(100) {
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
			r.Drain()
			if st := r.Stats(); st.Packets != 100 || st.Octets != 16000 || st.RTCP != 1 || st.Source != src.addr() ||
				st.Malformed+st.Strangers+st.Rebinds != 0 || st.Flagged {
				t.Errorf("stats %+v", st)
			}
		})
	}
}

// gate is a sink that holds the reader at its first packet until it is opened.
type gate struct {
	mailbox
	reached, opened chan struct{}
	once            sync.Once
}

func newGate() *gate {
	return &gate{mailbox: newMailbox(), reached: make(chan struct{}), opened: make(chan struct{})}
}

func (g *gate) WriteRTP(p *Packet) {
	g.once.Do(func() {
		close(g.reached)
		<-g.opened
	})
	g.mailbox.WriteRTP(p)
}

func TestArrivalIsStampedByTheKernel(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the kernel's stamps are used on Linux only")
	}
	r := open(t, newPlane(t, Config{}), loopback4)
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
}

// acker is a sink that acknowledges every batch of packets.
type acker struct {
	batch, got int
	next       uint16
	disorder   int
	acks       chan struct{}
}

func (a *acker) WriteRTP(p *Packet) {
	if p.Header.SequenceNumber != a.next {
		a.disorder++
	}
	a.next = p.Header.SequenceNumber + 1
	if a.got++; a.got%a.batch == 0 {
		a.acks <- struct{}{}
	}
}

func TestReceiverLosesNothing(t *testing.T) {
	const batch, batches = 100, 200
	r := open(t, newPlane(t, Config{}), loopback4)
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
	r.Drain()
	if a.got != batch*batches || a.disorder != 0 {
		t.Errorf("%d of %d delivered, %d out of order", a.got, batch*batches, a.disorder)
	}
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
	const packets = 3000
	r := open(t, newPlane(t, Config{}), loopback4)
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
	r.Drain()
	if late.Load() != 0 || total.Load() != packets {
		t.Errorf("%d calls of a replaced sink, %d of %d packets delivered", late.Load(), total.Load(), packets)
	}
}

func TestAttachNilForgets(t *testing.T) {
	r := open(t, newPlane(t, Config{}), loopback4)
	src := newSender(t, "127.0.0.1")
	box := newMailbox()
	r.Expect(Expected{RTP: src.addr()})
	r.Attach(box)
	src.rtp(r, 1, 1)
	box.want(t, 1, 1)
	r.Attach(nil)
	src.rtp(r, 1, 2, 3)
	r.Drain()
	if n := len(box); n != 0 {
		t.Errorf("%d packets delivered to a detached sink", n)
	}
	if st := r.Stats(); st.Packets != 3 {
		t.Errorf("stats %+v", st)
	}
}

func TestDrainDeliversWhatIsQueued(t *testing.T) {
	const packets = 500
	r := open(t, newPlane(t, Config{}), loopback4)
	src := newSender(t, "127.0.0.1")
	g := newGate()
	r.Expect(Expected{RTP: src.addr()})
	r.Attach(g)
	src.rtp(r, 1, 0)
	<-g.reached
	for seq := range uint16(packets - 1) {
		src.rtp(r, 1, seq+1)
	}
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
}

func TestSocketDrain(t *testing.T) {
	for _, ip := range []netip.Addr{loopback4, loopback6} {
		t.Run(ip.String(), func(t *testing.T) {
			conn, err := listen(ip, 0)
			if err != nil {
				t.Skipf("no such address here: %v", err)
			}
			defer conn.Close()
			s := newSocket(conn, maxMedia, time.Now)
			src := newSender(t, ip.String())
			for i := range 100 {
				src.raw(localAddr(conn), []byte{byte(i)})
			}
			var got []byte
			s.drain(func(d datagram) {
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

func TestReceiverCountsMalformed(t *testing.T) {
	r := open(t, newPlane(t, Config{}), loopback4)
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
	r.Drain()
	if st := r.Stats(); st.Malformed != 6 || st.Packets != 2 || st.RTCP != 0 {
		t.Errorf("stats %+v", st)
	}
}

func TestReceiverLatches(t *testing.T) {
	clock := newFakeClock()
	r := open(t, newPlane(t, Config{Now: clock.now}), loopback4)
	announcedSrc := newSender(t, "127.0.0.1")
	otherPort := newSender(t, "127.0.0.1")
	otherHost := newSender(t, "127.0.0.2")
	box := newMailbox()
	r.Attach(box)
	r.Expect(Expected{RTP: announcedSrc.addr(), At: clock.instant()})

	// Nobody who is announced sends, so after a second a stranger is taken.
	clock.dated(t, func() { otherHost.rtp(r, 9, 1) })
	clock.advance(990 * time.Millisecond)
	clock.dated(t, func() { otherHost.rtp(r, 9, 2) })
	clock.advance(20 * time.Millisecond)
	otherHost.rtp(r, 9, 3)
	box.want(t, 9, 2, 3) // the first is too old by now
	if st := r.Stats(); !st.Flagged || st.Source != otherHost.addr() {
		t.Errorf("stats %+v", st)
	}

	// Until the announced source comes, although the stranger is live.
	clock.advance(10 * time.Second)
	otherHost.rtp(r, 9, 4)
	announcedSrc.rtp(r, 1, 100)
	otherHost.rtp(r, 9, 5)
	announcedSrc.rtp(r, 1, 101)
	box.want(t, 9, 4)
	box.want(t, 1, 100, 101)

	// Another port of its host waits until it is silent.
	otherPort.rtp(r, 2, 500)
	announcedSrc.rtp(r, 1, 102)
	box.want(t, 1, 102)
	clock.advance(260 * time.Millisecond)
	otherPort.rtp(r, 2, 501)
	box.want(t, 2, 500, 501)
	if st := r.Stats(); st.Source != otherPort.addr() || st.Rebinds != 2 || st.Strangers != 1 {
		t.Errorf("stats %+v", st)
	}

	// SSRC and sequence go on: at once.
	announcedSrc.rtp(r, 2, 502)
	box.want(t, 2, 502)
	r.Drain()
	if st := r.Stats(); st.Source != announcedSrc.addr() || st.Rebinds != 3 || len(box) != 0 {
		t.Errorf("stats %+v, %d too many", st, len(box))
	}
}

func TestReceiverFollowsAnOfferAfterHold(t *testing.T) {
	clock := newFakeClock()
	r := open(t, newPlane(t, Config{Now: clock.now}), loopback4)
	before, after := newSender(t, "127.0.0.1"), newSender(t, "127.0.0.1")
	box := newMailbox()
	r.Attach(box)
	r.Expect(Expected{RTP: before.addr(), At: clock.instant()})
	before.rtp(r, 1, 1)
	box.want(t, 1, 1)

	// On hold, then resumed from another port, while the tail of the first is
	// still on its way.
	clock.advance(time.Minute)
	before.rtp(r, 1, 2)
	r.Expect(Expected{At: clock.instant()})
	clock.advance(100 * time.Millisecond)
	before.rtp(r, 1, 3)
	after.rtp(r, 2, 50)
	box.want(t, 1, 2, 3)
	r.Expect(Expected{RTP: after.addr(), At: clock.instant()})
	after.rtp(r, 2, 51)
	before.rtp(r, 1, 4)
	after.rtp(r, 2, 52)
	box.want(t, 2, 50, 51, 52)
	r.Drain()
	if st := r.Stats(); st.Rebinds != 1 || st.Flagged || len(box) != 0 {
		t.Errorf("stats %+v, %d too many", st, len(box))
	}
}

// warnings is a log core that tells a channel of each warning.
type warnings struct {
	zapcore.Core
	seen chan string
}

func (w warnings) Enabled(l zapcore.Level) bool               { return l >= zapcore.WarnLevel }
func (w warnings) With([]zapcore.Field) zapcore.Core          { return w }
func (w warnings) Write(zapcore.Entry, []zapcore.Field) error { return nil }
func (w warnings) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if w.Enabled(e.Level) {
		w.seen <- e.Message
	}
	return ce
}

func TestReaderWipesWhatWaitsWithoutTraffic(t *testing.T) {
	w := warnings{zapcore.NewNopCore(), make(chan string, 10)}
	r := open(t, newPlane(t, Config{Log: zap.New(w)}), loopback4)
	src, stranger := newSender(t, "127.0.0.1"), newSender(t, "127.0.0.2")
	box := newMailbox()
	r.Attach(box)
	r.Expect(Expected{RTP: src.addr()})
	src.rtp(r, 1, 1)
	stranger.rtp(r, 2, 1)
	box.want(t, 1, 1)
	select {
	case <-w.seen: // the reader woke by itself
	case <-time.After(patience):
		t.Fatal("what waits was not wiped")
	}
	if st := r.Stats(); st.Strangers != 1 {
		t.Errorf("stats %+v", st)
	}
	src.rtp(r, 1, 2) // and reads on
	box.want(t, 1, 2)
}

func TestReceiverSurvivesAPanic(t *testing.T) {
	w := warnings{zapcore.NewNopCore(), make(chan string, 10)}
	r := open(t, newPlane(t, Config{Log: zap.New(w)}), loopback4)
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
}

func TestReadDoesNotAllocate(t *testing.T) {
	for _, ip := range []netip.Addr{loopback4, loopback6} {
		t.Run(ip.String(), func(t *testing.T) {
			conn, err := listen(ip, 0)
			if err != nil {
				t.Skipf("no such address here: %v", err)
			}
			defer conn.Close()
			s := newSocket(conn, maxMedia, time.Now)
			src := newSender(t, ip.String())
			to, b := localAddr(conn), packet(t, 1, 1)
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
