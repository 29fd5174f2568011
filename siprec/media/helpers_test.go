package media

import (
	"bytes"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap/zapcore"
)

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

// eachReader runs a test with each way to read sockets.
func eachReader(t *testing.T, test func(t *testing.T, cfg Config)) {
	t.Helper()
	for _, reader := range []Reader{ReaderSweep, ReaderSimple} {
		t.Run(string(reader), func(t *testing.T) { test(t, Config{Reader: reader}) })
	}
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
