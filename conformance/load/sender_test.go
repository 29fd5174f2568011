package load

import (
	"encoding/binary"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
)

var loopback = netip.MustParseAddr("127.0.0.1")

// catcher is a socket of the test.
func catcher(t testing.TB) (*net.UDPConn, *address) {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, newAddress(c.LocalAddr().(*net.UDPAddr).AddrPort())
}

func startSender(t testing.TB, c *code, lanes int) *sender {
	t.Helper()
	s, err := newSender(c, loopback, lanes, 20*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPacketsOfAStream(t *testing.T) {
	c := testCode(t)
	s := startSender(t, c, 2)
	conn, to := catcher(t)
	st := &stream{number: 3, call: new(call), to: to, ssrc: 0x8000fffe, limit: 4, done: make(chan struct{})}
	began := time.Now()
	s.add(1, st)
	b := make([]byte, 2048)
	for i := range 4 {
		n, from, err := conn.ReadFromUDPAddrPort(b)
		if err != nil {
			t.Fatal(err)
		}
		if from.Port() != portOf(s.lanes[1].conn) {
			t.Errorf("packet %d is from another port", i)
		}
		want := binary.BigEndian.AppendUint16([]byte{0x80, 0}, uint16(0x7ffe+i))
		if i == 0 {
			want[1] = 0x80
		}
		want = binary.BigEndian.AppendUint32(want, 0x8000fffe+uint32(160*i))
		want = binary.BigEndian.AppendUint32(want, 0x8000fffe)
		want = append(want, c.payloads(3, i)...)
		if !slices.Equal(b[:n], want) {
			t.Errorf("packet %d is % x, want % x", i, b[:n], want)
		}
	}
	took := time.Since(began)
	<-st.done
	s.close()
	// A thread that is late at first catches up.
	if took < 60*time.Millisecond-s.late.worst-slot {
		t.Errorf("4 packets of 20 ms took %v, and were at most %v late", took, s.late.worst)
	}
	if st.next != 4 || s.sent.Load() != 4 || s.unsent != 0 {
		t.Errorf("%d of the stream, %d sent, %d not", st.next, s.sent.Load(), s.unsent)
	}
	if runtime.GOOS == "linux" && !s.known {
		t.Error("the thread's time is not known")
	}
}

// TestStreamsHaveTheirOwnPhase: as many streams as there are slots share none.
func TestStreamsHaveTheirOwnPhase(t *testing.T) {
	l := &lane{slots: make([][]*stream, 20)}
	s := &sender{lanes: []*lane{l}, waiting: make([][]*stream, 1)}
	for range 45 {
		s.waiting[0] = append(s.waiting[0], new(stream))
	}
	s.admit()
	total := 0
	for i, list := range l.slots {
		total += len(list)
		if len(list) < 2 || len(list) > 3 {
			t.Errorf("%d streams in slot %d", len(list), i)
		}
	}
	if total != 45 {
		t.Errorf("%d streams", total)
	}
}

// TestBurst sends more than one system call takes, one of them to where nothing can be
// sent.
func TestBurst(t *testing.T) {
	c := testCode(t)
	conn, to := catcher(t)
	if err := conn.SetReadBuffer(1 << 20); err != nil {
		t.Fatal(err)
	}
	out, _ := catcher(t)
	b, err := newBurst(out, burstPackets, 200)
	if err != nil {
		t.Fatal(err)
	}
	nowhere := newAddress(netip.MustParseAddrPort("127.0.0.1:0"))
	for i := range burstPackets {
		at := to
		if i == 7 {
			at = nowhere
		}
		room := b.room()
		c.write(room, 1, i)
		b.add(room[:160], at)
	}
	if !b.full() || b.packets() != burstPackets {
		t.Errorf("%d packets, full is %t", b.packets(), b.full())
	}
	if unsent, err := b.flush(); unsent != 1 || err == nil || b.packets() != 0 {
		t.Errorf("%d unsent, %v, %d left", unsent, err, b.packets())
	}
	buf := make([]byte, 2048)
	for _, i := range upTo(burstPackets, 7) {
		n, err := conn.Read(buf)
		if err != nil || !slices.Equal(buf[:n], c.payloads(1, i)) {
			t.Fatalf("packet %d: %d octets, %v", i, n, err)
		}
	}
}

func TestStreamsEndWhenAskedAndWithTheSender(t *testing.T) {
	c := testCode(t)
	s := startSender(t, c, 1)
	_, to := catcher(t)
	var list []*stream
	for i := range 3 {
		list = append(list, &stream{number: i, call: new(call), to: to, done: make(chan struct{})})
		s.add(0, list[i])
	}
	list[1].stop.Store(true)
	<-list[1].done
	s.close()
	for _, st := range list {
		<-st.done
	}
}

func TestLateness(t *testing.T) {
	var a, b lateness
	a.note(-time.Millisecond, 90) // a clock that is read early
	a.note(1500*time.Microsecond, 8)
	b.note(30*time.Millisecond, 1)
	b.note(7*time.Second, 1)
	a.join(&b)
	for p, want := range map[float64]time.Duration{
		0.5: time.Millisecond, 0.9: time.Millisecond, 0.95: 2 * time.Millisecond, 0.99: 31 * time.Millisecond, 1: 1001 * time.Millisecond,
	} {
		if got := a.quantile(p); got != want {
			t.Errorf("quantile %v is %v, want %v", p, got, want)
		}
	}
	if a.worst != 7*time.Second {
		t.Errorf("worst is %v", a.worst)
	}
	if got := new(lateness).quantile(0.99); got != 0 {
		t.Errorf("of nothing %v", got)
	}
}

// BenchmarkSend is the cost of a packet to a thread that sends 128 at a time, each to
// another socket, with what the kernel does to bring it there. Nobody reads: once the
// buffers are full the kernel throws packets away, which is a little cheaper.
func BenchmarkSend(b *testing.B) {
	c := testCode(b)
	for _, protected := range []bool{false, true} {
		name := "RTP"
		if protected {
			name = "SRTP"
		}
		b.Run(name, func(b *testing.B) {
			s := &sender{code: c, ticks: 160}
			conn, _ := catcher(b)
			l := &lane{conn: conn, slots: make([][]*stream, 1)}
			var err error
			if l.burst, err = newBurst(conn, burstPackets, headerOctets+c.words+tagRoom); err != nil {
				b.Fatal(err)
			}
			for i := range 10 * burstPackets {
				_, to := catcher(b)
				st := &stream{number: i, to: to, done: make(chan struct{})}
				if protected {
					key, err := src.NewIDs(uint64(i + 1)).SRTPKey(suite)
					if err != nil {
						b.Fatal(err)
					}
					if st.protect, err = src.NewProtector(key); err != nil {
						b.Fatal(err)
					}
				}
				l.slots[0] = append(l.slots[0], st)
			}
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			before, _ := threadTime()
			packets := 0
			for b.Loop() {
				s.turn(l, 0, time.Now())
				packets += 10 * burstPackets
			}
			after, known := threadTime()
			if s.unsent > 0 {
				b.Fatalf("%d unsent: %v", s.unsent, s.why)
			}
			if known {
				b.ReportMetric(microseconds(after-before)/float64(packets), "CPU-us/packet")
			}
		})
	}
}
