package media

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func needSweep(t testing.TB) {
	t.Helper()
	if !canSweep() {
		t.Skip("recvmmsg is not to be had here")
	}
}

// unswept is a receiver that is read by the test alone.
func unswept(t testing.TB, ip netip.Addr) (*Receiver, *sweptPair) {
	t.Helper()
	needSweep(t)
	plane := newPlane(t, Config{Reader: ReaderSweep})
	bound, err := plane.reader.bind(ip, 0)
	if err != nil {
		t.Skipf("no such address here: %v", err)
	}
	p, _ := bound.(*sweptPair)
	t.Cleanup(func() {
		p.rtp.close()
		p.rtcp.close()
	})
	p.receiver = newReceiver(plane, p, 0)
	return p.receiver, p
}

// TestBatch reads several batches in one go: who sent what, in order, with nothing left
// behind in the buffers, and no more than asked for.
func TestBatch(t *testing.T) {
	for _, ip := range []netip.Addr{loopback4, loopback6} {
		t.Run(ip.String(), func(t *testing.T) {
			r, p := unswept(t, ip)
			src := newSender(t, ip.String())
			var got recorded
			r.Expect(Expected{RTP: src.addr()})
			r.Attach(&got)
			const sent = 2*batchSize + 5
			for seq := range uint16(sent) {
				src.rtp(r, 7, seq)
			}
			src.raw(r.RTCPAddr(), report)
			src.settled()
			b := newBatch()
			if n, dropped := p.read(b, 2, true, true); n != 2*batchSize+1 || dropped {
				t.Errorf("%d datagrams, dropped %v", n, dropped)
			}
			if n, _ := p.read(b, 2, true, true); n != 5 {
				t.Errorf("%d datagrams are left, want 5", n)
			}
			if n, _ := p.read(b, 2, true, true); n != 0 {
				t.Errorf("%d datagrams from nowhere", n)
			}
			for i, seq := range got.seqs {
				if int(seq) != i || !bytes.Equal(got.payloads[i], bytes.Repeat([]byte{byte(i)}, 160)) {
					t.Fatalf("packet %d is %d: %x", i, seq, got.payloads[i][:4])
				}
			}
			if st := r.Stats(); len(got.seqs) != sent || st.Source != src.addr() || st.RTCP != 1 || st.Malformed != 0 {
				t.Errorf("%d packets, stats %+v", len(got.seqs), st)
			}
			if !slices.IsSortedFunc(got.arrivals, time.Time.Compare) {
				t.Error("the packets of a batch did not arrive in order")
			}
			if slices.Max(b.data[:]) != 0 {
				t.Error("what was read is still in the buffer")
			}
		})
	}
}

// TestBatchKeepsArrivals: packets of one batch arrived when they came, not when they
// were read.
func TestBatchKeepsArrivals(t *testing.T) {
	r, p := unswept(t, loopback4)
	src := newSender(t, "127.0.0.1")
	var got recorded
	r.Expect(Expected{RTP: src.addr()})
	r.Attach(&got)
	var sent []time.Time
	for seq := range uint16(5) {
		src.rtp(r, 7, seq)
		sent = append(sent, time.Now())
		for time.Since(sent[seq]) < 3*time.Millisecond {
			continue
		}
	}
	src.settled()
	p.read(newBatch(), 1, true, true)
	for i, at := range got.arrivals {
		// 1 ms for what the readings of the clocks are apart.
		if late := at.Sub(sent[i]); late > time.Millisecond {
			t.Errorf("packet %d arrived %v after it was sent", i, late)
		}
	}
	if len(got.arrivals) != 5 {
		t.Errorf("%d packets", len(got.arrivals))
	}
}

// TestSweptPacketsAreJudgedByTheirTime: what lies in the socket when an offer or another
// sink comes belongs to those before.
func TestSweptPacketsAreJudgedByTheirTime(t *testing.T) {
	r, _ := unswept(t, loopback4)
	src := newSender(t, "127.0.0.1")
	var first, second recorded
	r.Attach(&first)
	r.Expect(Expected{RTP: src.addr()})
	src.rtp(r, 7, 1)
	src.settled()
	k, p := keys(t, 1, "AES_CM_128_HMAC_SHA1_80")
	r.Expect(Expected{RTP: src.addr(), SRTP: k})
	src.raw(r.RTPAddr(), p.RTP(packet(t, 7, 2), fixedHeader))
	src.settled()
	r.Attach(&second)
	src.raw(r.RTPAddr(), p.RTP(packet(t, 7, 3), fixedHeader))
	src.settled()
	r.Attach(nil)
	src.raw(r.RTPAddr(), p.RTP(packet(t, 7, 4), fixedHeader))
	src.settled()
	r.Attach(&second)
	r.mu.Lock()
	r.pair.poll()
	r.mu.Unlock()
	if !slices.Equal(first.seqs, []uint16{1, 2}) || !slices.Equal(second.seqs, []uint16{3, 4}) {
		t.Errorf("the first sink got %v, the second %v", first.seqs, second.seqs)
	}
	if st := r.Stats(); st.AuthFailed != 0 {
		t.Errorf("stats %+v", st)
	}
}

func TestSweepDoesNotAllocate(t *testing.T) {
	r, p := unswept(t, loopback4)
	src := newSender(t, "127.0.0.1")
	r.Expect(Expected{RTP: src.addr()})
	r.Attach(&tally{})
	b, c := newBatch(), circle{}
	c.fill([]*sweptPair{p})
	to, one := r.RTPAddr(), packet(t, 7, 1)
	// The first packet plans a report.
	src.raw(to, one)
	found := c.sweep(b).datagrams
	n := testing.AllocsPerRun(200, func() {
		src.raw(to, one)
		src.raw(to, one)
		found += c.sweep(b).datagrams
	})
	src.settled()
	if found += c.sweep(b).datagrams; n != 0 || found < 400 {
		t.Errorf("%v allocations for two datagrams, %d read", n, found)
	}
}

// TestSweepRests: there is no goroutine, and so nothing wakes up, while there is no
// receiver.
func TestSweepRests(t *testing.T) {
	needSweep(t)
	plane := newPlane(t, Config{Reader: ReaderSweep, Threads: 3})
	s, _ := plane.reader.(*sweeper)
	active := func() (n int) {
		for _, r := range s.rounds {
			r.mu.Lock()
			if r.active {
				n++
			}
			r.mu.Unlock()
		}
		return n
	}
	for range 3 {
		if n := active(); n != 0 {
			t.Errorf("%d goroutines without a receiver", n)
		}
		rs := []*Receiver{open(t, plane, loopback4), open(t, plane, loopback4)}
		if n := active(); n != 2 {
			t.Errorf("%d goroutines for 2 receivers", n)
		}
		rs[0].Close()
		rs[1].Drain()
		s.close() // ends when they end
	}
}

// TestSweepOfClosedDescriptors opens and closes receivers while others open sockets of
// their own, which get the numbers that became free: no datagram of theirs may be taken
// away.
func TestSweepOfClosedDescriptors(t *testing.T) {
	needSweep(t)
	plane := newPlane(t, Config{Reader: ReaderSweep})
	stay := open(t, plane, loopback4) // keeps a sweep running
	defer stay.Close()
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				r, err := plane.Open(loopback4)
				if err != nil {
					t.Error(err)
					return
				}
				r.Attach(&tally{})
				if r.RTPAddr().Port()%4 == 0 {
					r.Drain()
				}
				r.Close()
			}
		})
	}
	for range 2000 {
		s, err := listenRaw(loopback4, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.send([]byte("mine"), s.local()); err != nil {
			t.Fatal(err)
		}
		poll := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}
		if n, err := unix.Poll(poll, int(patience.Milliseconds())); n != 1 && err != unix.EINTR {
			t.Fatalf("a datagram was taken away: %v", err)
		}
		s.close()
	}
	close(done)
	wg.Wait()
}

// TestSweepGivesUpABrokenSocket: a descriptor that gives nothing but errors is not read
// for ever.
func TestSweepGivesUpABrokenSocket(t *testing.T) {
	_, p := unswept(t, loopback4)
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pipe[1])
	p.rtp.close()
	p.rtp.fd = pipe[0] // no socket; closed with the pair
	b := newBatch()
	for range 3 {
		if n, _ := p.read(b, drainRounds, true, true); n != 0 {
			t.Errorf("%d datagrams from a pipe", n)
		}
	}
	if p.rtp.failed != maxReadErrors+1 {
		t.Errorf("%d errors in a row, want an end after %d", p.rtp.failed, maxReadErrors)
	}
}

// TestAddresses are those of the kernel in both directions.
func TestAddresses(t *testing.T) {
	needSweep(t)
	four, six := &rawSocket{}, &rawSocket{six: true}
	for _, tt := range []struct {
		s    *rawSocket
		to   string
		want unix.Sockaddr // nil: an error
	}{
		{four, "192.0.2.1:7000", &unix.SockaddrInet4{Port: 7000, Addr: [4]byte{192, 0, 2, 1}}},
		{four, "[::ffff:192.0.2.1]:7000", &unix.SockaddrInet4{Port: 7000, Addr: [4]byte{192, 0, 2, 1}}},
		{four, "[2001:db8::1]:7000", nil},
		{six, "[2001:db8::1]:7000", &unix.SockaddrInet6{Port: 7000, Addr: [16]byte{0x20, 1, 0xd, 0xb8, 15: 1}}},
		{six, "192.0.2.1:7000", &unix.SockaddrInet6{Port: 7000, Addr: [16]byte{10: 255, 255, 192, 0, 2, 1}}},
		{six, "[fe80::1%2]:7000", &unix.SockaddrInet6{Port: 7000, ZoneId: 2, Addr: [16]byte{0xfe, 0x80, 15: 1}}},
		{six, "[fe80::1%lo]:7000", &unix.SockaddrInet6{Port: 7000, ZoneId: 1, Addr: [16]byte{0xfe, 0x80, 15: 1}}},
		{six, "[fe80::1%nowhere]:7000", nil},
	} {
		got, err := tt.s.sockaddr(netip.MustParseAddrPort(tt.to))
		if (err == nil) != (tt.want != nil) || err == nil && !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s is %+v, %v; want %+v", tt.to, got, err, tt.want)
		}
	}
	b := newBatch()
	port := networkOrder(7000)
	for _, tt := range []struct {
		name unix.RawSockaddrInet6
		want string
	}{
		{unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: port, Addr: [16]byte{0x20, 1, 0xd, 0xb8, 15: 1}, Scope_id: 9}, "[2001:db8::1]:7000"},
		{unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: port, Addr: [16]byte{10: 255, 255, 192, 0, 2, 1}}, "192.0.2.1:7000"},
		{unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: port, Addr: [16]byte{0xfe, 0x80, 15: 1}, Scope_id: 12}, "[fe80::1%12]:7000"},
		{unix.RawSockaddrInet6{Family: unix.AF_INET, Port: port, Flowinfo: binary.NativeEndian.Uint32([]byte{192, 0, 2, 1})}, "192.0.2.1:7000"},
		{unix.RawSockaddrInet6{Family: unix.AF_UNIX}, "invalid AddrPort"},
	} {
		b.names[0] = tt.name
		if got := b.source(0).String(); got != tt.want {
			t.Errorf("source %s, want %s", got, tt.want)
		}
	}
}

// BenchmarkSweepIdle is what a receiver to which nothing comes costs in a sweep. There
// are five in a second.
func BenchmarkSweepIdle(b *testing.B) {
	needSweep(b)
	plane := newPlane(b, Config{Reader: ReaderSweep})
	const pairs = 1000
	list := make([]*sweptPair, pairs)
	for i := range list {
		bound, err := plane.reader.bind(loopback4, 0)
		if err != nil {
			b.Fatal(err)
		}
		list[i], _ = bound.(*sweptPair)
		list[i].receiver = newReceiver(plane, list[i], 0)
		defer func() {
			list[i].rtp.close()
			list[i].rtcp.close()
		}()
	}
	var c circle
	c.fill(list)
	room := newBatch()
	b.ReportAllocs()
	n, used := 0, processor(b)
	for b.Loop() {
		c.sweep(room)
		n++
	}
	b.ReportMetric(float64((processor(b)-used).Nanoseconds())/float64(n*pairs), "cpu-ns/receiver")
}
