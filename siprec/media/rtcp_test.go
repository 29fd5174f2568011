package media

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
)

// senderReportOf is an SR with CNAME, and BYE when asked for.
func senderReportOf(ssrc uint32, ntp uint64, rtp uint32, cname string, bye bool) []byte {
	b := []byte{0x80, typeSR, 0, 6}
	b = binary.BigEndian.AppendUint32(b, ssrc)
	b = binary.BigEndian.AppendUint64(b, ntp)
	b = binary.BigEndian.AppendUint32(b, rtp)
	b = append(b, 0, 0, 0, 5, 0, 0, 3, 32) // 5 packets, 800 octets
	chunk := binary.BigEndian.AppendUint32(nil, ssrc)
	chunk = append(chunk, 6, 3, 'a', 'b', 'c') // TOOL
	chunk = append(append(chunk, itemCNAME, byte(len(cname))), cname...)
	chunk = append(chunk, make([]byte, 4-len(chunk)%4)...)
	b = append(b, 0x81, typeSDES, 0, byte(len(chunk)/4))
	b = append(b, chunk...)
	if bye {
		b = append(b, 0x81, typeBYE, 0, 1)
		b = binary.BigEndian.AppendUint32(b, ssrc)
	}
	return b
}

// listening is a sink that keeps what reports say.
type listening struct {
	recorded
	told []string
}

func (l *listening) WriteSenderReport(r *SenderReport, cname string) {
	l.told = append(l.told, fmt.Sprintf("%d %d %d %v %s", r.SSRC, r.NTP, r.RTP, r.At.UnixMilli()-1_700_000_000_000, cname))
}

// A sink gets the sender reports about the SSRC whose packets come, with its CNAME, and
// those of nobody else; one that panics over them is detached.
func TestReportsReachTheSink(t *testing.T) {
	s := newScene(t)
	l := new(listening)
	s.f.attach(l)
	rtcp := netip.AddrPortFrom(exact.Addr(), exact.Port()+1)
	s.f.rtcp(senderReportOf(7, 1, 1, "alice", false), rtcp, s.at(0)) // whose packets will come is not known
	s.rtp(10, exact, 7, 1)
	s.f.rtcp(senderReportOf(7, 2, 3, "alice", false), rtcp, s.at(20))
	s.f.rtcp(senderReportOf(7, 4, 5, "", false), rtcp, s.at(30)) // as it said before
	s.f.rtcp(senderReportOf(8, 6, 7, "bob", false), rtcp, s.at(40))
	s.f.rtcp(senderReportOf(7, 8, 9, "mallory", false), unknown, s.at(50))
	both := append(senderReportOf(8, 6, 7, "bob", false), senderReportOf(7, 10, 11, "alice", false)...)
	s.f.rtp(both, exact, s.at(60))
	s.rtp(70, exact, 8, 1)
	s.f.rtcp(senderReportOf(8, 12, 13, "bob", false), rtcp, s.at(80))
	if want := []string{"7 2 3 20 alice", "7 4 5 30 alice", "7 10 11 60 alice", "8 12 13 80 bob"}; !slices.Equal(l.told, want) {
		t.Errorf("told %q, want %q", l.told, want)
	}
	s.f.attach(panickingReports{})
	s.f.rtcp(senderReportOf(8, 14, 15, "bob", false), rtcp, s.at(90))
	if got := s.f.stats; got.Panics != 1 || got.SenderReport.NTP != 14 || s.f.sink != nil {
		t.Errorf("stats %+v", got)
	}
}

// TestSenderReportBeforeItsPackets: what a sender report said is told back, also when it
// came before the first packet, and no longer when another SSRC follows.
// Shows 3550-6.4.1-01.
func TestSenderReportBeforeItsPackets(t *testing.T) {
	for _, c := range []struct {
		name string
		ssrc uint32 // of the packet behind it
		want uint32
	}{
		{"of this source", 7, 0x33445566},
		{"of another", 8, 0},
	} {
		s := newScene(t)
		rtcp := netip.AddrPortFrom(exact.Addr(), exact.Port()+1)
		s.f.rtcp(senderReportOf(7, 0x1122334455667788, 1, "alice", false), rtcp, s.at(0))
		s.rtp(10, exact, c.ssrc, 1)
		if b := s.f.control.reception.report(s.f.control.sender, s.at(20)); b == nil || b.ssrc != c.ssrc || b.lastSR != c.want {
			t.Errorf("%s: block %+v, want %08x", c.name, b, c.want)
		}
	}
	s := newScene(t)
	s.rtp(10, exact, 7, 1)
	s.f.rtcp(senderReportOf(7, 0x1122334455667788, 1, "alice", false), netip.AddrPortFrom(exact.Addr(), exact.Port()+1), s.at(20))
	s.rtp(30, exact, 9, 1)
	if b := s.f.control.reception.report(s.f.control.sender, s.at(40)); b == nil || b.lastSR != 0 {
		t.Errorf("another SSRC follows: block %+v", b)
	}
}

type panickingReports struct{ panicking }

func (panickingReports) WriteSenderReport(*SenderReport, string) { panic("no report in here") }

// Shows 7866-8.1.1-02, 7866-8.2.1.2-02.
func TestSenderReport(t *testing.T) {
	for _, suite := range append([]string{""}, src.SRTPSuites()...) {
		t.Run("suite "+suite, func(t *testing.T) {
			s := newScene(t)
			protect := func(b []byte) []byte { return b }
			media := protect
			if suite != "" {
				k, p := keys(t, 1, suite, 5)
				s.f.expect(Expected{RTP: exact, At: s.zero, SRTP: k})
				protect = p.RTCP
				media = func(b []byte) []byte { return p.RTP(b, fixedHeader) }
			}
			s.f.rtp(media(packet(t, 7, 1)), exact, s.at(0))
			from := netip.AddrPortFrom(exact.Addr(), exact.Port()+1)
			const ntp = (ntpEpoch+1_700_000_000)<<32 | 1<<31
			s.f.rtcp(protect(senderReportOf(7, ntp, 4711, "alice@192.0.2.1", true)), from, s.at(100))
			// Another SSRC is another stream, and its clock another.
			s.f.rtp(protect(senderReportOf(8, 99, 99, "mallory", false)), exact, s.at(200))
			st := s.f.stats
			want := SenderReport{SSRC: 7, NTP: ntp, RTP: 4711, At: s.at(100), Packets: 5, Octets: 800}
			if st.SenderReport != want || st.CNAME != "alice@192.0.2.1" || st.Byes != 1 || st.RTCP != 2 || st.AuthFailed != 0 {
				t.Errorf("stats %+v", st)
			}
			if got, want := st.SenderReport.Time(), time.Unix(1_700_000_000, 5e8).UTC(); !got.Equal(want) {
				t.Errorf("time %v, want %v", got, want)
			}
			if !st.Last.Equal(s.at(200)) {
				t.Errorf("last sign at %v", st.Last)
			}
			if suite == "" {
				return
			}
			tampered := protect(senderReportOf(7, 1, 1, "mallory", true))
			tampered[9] ^= 1
			s.f.rtcp(tampered, from, s.at(300))
			s.f.rtcp(senderReportOf(7, 1, 1, "mallory", true), from, s.at(300))
			if st := s.f.stats; st.AuthFailed != 2 || st.SenderReport != want || st.Byes != 1 || !st.Last.Equal(s.at(200)) {
				t.Errorf("stats after what is not authentic %+v", st)
			}
		})
	}
}

// TestReception compares what is reported with a reference that keeps everything.
// Shows 7866-8.1.1-01, 3550-A.3-01.
func TestReception(t *testing.T) {
	type arrival struct {
		seq   uint16
		stamp uint32
		ms    float64
	}
	tests := []struct {
		name    string
		packets []arrival
		highest uint32
		lost    int32
		share   uint8
	}{
		{"whole", []arrival{{10, 0, 0}, {11, 160, 20}, {12, 320, 40}}, 12, 0, 0},
		{"jitter", []arrival{{10, 0, 0}, {11, 160, 35}, {12, 320, 41}, {13, 480, 59}, {14, 640, 99}}, 14, 0, 0},
		{"one of four lost", []arrival{{10, 0, 0}, {11, 160, 20}, {13, 480, 60}}, 13, 1, 64},
		{"late and twice", []arrival{{10, 0, 0}, {12, 320, 40}, {11, 160, 41}, {12, 320, 42}}, 12, -1, 0},
		{"wrap", []arrival{{65534, math.MaxUint32 - 159, 0}, {65535, 0, 20}, {0, 160, 40}, {1, 320, 60}}, 1<<16 + 1, 0, 0},
		{"wrap and late", []arrival{{65534, 0, 0}, {0, 320, 40}, {65535, 160, 41}, {1, 480, 60}}, 1<<16 + 1, 0, 0},
		{"a jump that stays counts anew", []arrival{{10, 0, 0}, {30000, 160, 20}, {30001, 320, 40}, {30002, 480, 60}}, 30002, 0, 0},
		{"a stray one does not count", []arrival{{10, 0, 0}, {30000, 160, 20}, {11, 160, 20}}, 11, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r reception
			zero := time.Unix(1_700_000_000, 0)
			at := func(ms float64) time.Time { return zero.Add(time.Duration(ms * float64(time.Millisecond))) }
			var jitter float64
			for i, p := range tt.packets {
				r.note(7, p.seq, p.stamp, 8000, at(p.ms))
				if i > 0 {
					before := tt.packets[i-1]
					d := (p.ms-before.ms)*8 - float64(int32(p.stamp-before.stamp))
					jitter += (math.Abs(d) - jitter) / 16
				}
			}
			b := r.report(SenderReport{}, zero)
			if b == nil || b.highest != tt.highest || b.lost != tt.lost || b.fraction != tt.share || b.ssrc != 7 {
				t.Fatalf("block %+v, want highest %d, lost %d, fraction %d", b, tt.highest, tt.lost, tt.share)
			}
			if tt.name == "jitter" && math.Abs(float64(b.jitter)-jitter) > 1.5 {
				t.Errorf("jitter %d, reference %.1f", b.jitter, jitter)
			}
			if b.lastSR != 0 || b.delay != 0 {
				t.Errorf("sender report %+v where none came", b)
			}
			if r.report(SenderReport{}, zero) != nil {
				t.Error("a report although nothing came")
			}
		})
	}
}

// TestFractionIsOfTheInterval: the fraction is of what came since the report before,
// the number lost of all (RFC 3550 A.3).
// Shows 3550-A.3-01.
func TestFractionIsOfTheInterval(t *testing.T) {
	var r reception
	at := time.Unix(1_700_000_000, 0)
	for seq := range uint16(100) {
		if seq%2 == 0 {
			r.note(7, seq, uint32(seq)*160, 8000, at)
		}
	}
	if b := r.report(SenderReport{}, at); b.lost != 49 || b.fraction != 126 { // 49 of 99
		t.Errorf("first block %+v", b)
	}
	for seq := uint16(99); seq < 200; seq++ {
		r.note(7, seq, uint32(seq)*160, 8000, at)
	}
	sr := SenderReport{SSRC: 7, NTP: 0x1122334455667788, At: at}
	b := r.report(sr, at.Add(1500*time.Millisecond))
	if b.lost != 49 || b.fraction != 0 || b.lastSR != 0x33445566 || b.delay != 3*65536/2 {
		t.Errorf("second block %+v", b)
	}
}

// alarm is a clock whose calls are made by the test.
type alarm struct {
	mu    sync.Mutex
	now   time.Time
	calls map[*func()]time.Time
}

func newAlarm() *alarm {
	return &alarm{now: time.Unix(1_700_000_000, 0), calls: make(map[*func()]time.Time)}
}

func (a *alarm) Now() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.now
}

func (a *alarm) After(d time.Duration, f func()) func() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls[&f] = a.now.Add(d)
	return func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		_, pending := a.calls[&f]
		delete(a.calls, &f)
		return pending
	}
}

// pending is how many calls wait, and when the next is due.
func (a *alarm) pending() (n int, next time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, at := range a.calls {
		if d := at.Sub(a.now); n == 0 || d < next {
			next = d
		}
		n++
	}
	return n, next
}

// ring goes on to the next call and makes it.
func (a *alarm) ring() {
	_, next := a.pending()
	a.mu.Lock()
	a.now = a.now.Add(next)
	var due []func()
	for f, at := range a.calls {
		if !at.After(a.now) {
			due = append(due, *f)
			delete(a.calls, f)
		}
	}
	a.mu.Unlock()
	for _, f := range due {
		f()
	}
}

// reporting is a receiver with a source that hears what is reported.
type reporting struct {
	t           *testing.T
	clock       *alarm
	plane       *Plane
	r           *Receiver
	media, ctrl *sender
	box         mailbox
}

func newReporting(t *testing.T, cfg Config, e func(*reporting) Expected) *reporting {
	clock := newAlarm()
	cfg.Now, cfg.After = clock.Now, clock.After
	g := &reporting{t: t, clock: clock, plane: newPlane(t, cfg), box: newMailbox()}
	g.media, g.ctrl = newSender(t, "127.0.0.1"), newSender(t, "127.0.0.1")
	g.r = open(t, g.plane, loopback4)
	g.r.Expect(e(g))
	g.r.Attach(g.box)
	return g
}

// hear reads one datagram of the receiver.
func (g *reporting) hear(s *sender) []byte {
	g.t.Helper()
	if err := s.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		g.t.Fatal(err)
	}
	b := make([]byte, 2048)
	n, from, err := s.conn.ReadFromUDPAddrPort(b)
	if err != nil {
		g.t.Fatalf("no report came: %v", err)
	}
	if want := g.r.RTCPAddr(); s == g.ctrl && from != want {
		g.t.Errorf("report from %v, want %v", from, want)
	}
	return b[:n]
}

func (g *reporting) feed(seqs ...uint16) {
	g.media.rtp(g.r, 7, seqs...)
	g.box.want(g.t, 7, seqs...)
}

// scheduled is when the report is due that the reader planned with a packet.
func (g *reporting) scheduled() time.Duration {
	g.t.Helper()
	g.r.Stats() // the reader plans it before it lets go of the lock
	n, next := g.clock.pending()
	if n != 1 {
		g.t.Fatalf("%d timers, want 1", n)
	}
	return next
}

// Shows 7866-8.1.1-01, 7866-8.1.5.1-01, 7866-8.1.6-01, 7866-8.2.1.1-01, 7866-10-02, 3550-6.2-01, 3550-6.1-01.
func TestReceiverReports(t *testing.T) {
	eachReader(t, func(t *testing.T, cfg Config) {
		for _, suite := range append([]string{""}, src.SRTPSuites()...) {
			t.Run("suite "+suite, func(t *testing.T) {
				var k *SRTP
				var p, theirs *src.Protector
				if suite != "" {
					k, p = keys(t, 1, suite)
					theirs = protector(t, src.SRTPKey{Suite: suite, Key: k.Local.Key, Salt: k.Local.Salt})
				}
				g := newReporting(t, cfg, func(g *reporting) Expected {
					return Expected{RTP: g.media.addr(), RTCP: g.ctrl.addr(), Clocks: map[uint8]uint32{0: 8000}, SRTP: k}
				})
				for _, seq := range []uint16{65534, 65535, 1, 2} {
					raw := packet(t, 7, seq)
					if p != nil {
						raw = p.RTP(raw, fixedHeader)
					}
					g.media.raw(g.r.RTPAddr(), raw)
					g.box.want(t, 7, seq)
				}
				if next := g.scheduled(); next < firstInterval/2 || next >= firstInterval*3/2 {
					t.Errorf("first report after %v", next)
				}
				g.clock.ring()
				b := g.hear(g.ctrl)
				if theirs != nil {
					var err error
					if b, err = theirs.OpenRTCP(b); err != nil {
						t.Fatal(err)
					}
				}
				own := binary.BigEndian.Uint32(b[4:])
				want := []byte{0x81, typeRR, 0, 7}
				want = binary.BigEndian.AppendUint32(want, own)
				want = append(want, 0, 0, 0, 7, 51, 0, 0, 1, 0, 1, 0, 2) // SSRC, 1 of 5 lost, cycle 1 and 2
				if len(b) < 32 || !bytes.Equal(b[:20], want) || binary.BigEndian.Uint64(b[24:]) != 0 {
					t.Fatalf("report % x, want it to begin % x", b, want)
				}
				if got := parseRTCP(b, time.Time{}).names[own].cname; len(got) != 16 {
					t.Errorf("CNAME %q", got)
				}
				if st := g.r.Stats(); st.Reports != 1 {
					t.Errorf("%d reports", st.Reports)
				}
				if next := g.scheduled(); next < reportInterval/2 || next >= reportInterval*3/2 {
					t.Errorf("second report %v after the first", next)
				}
				g.r.Drain()
				last := g.hear(g.ctrl)
				if theirs != nil {
					last, _ = theirs.OpenRTCP(last)
				}
				if got := parseRTCP(last, time.Time{}).byes; !slices.Equal(got, []uint32{own}) {
					t.Errorf("BYE of %v, want %d", got, own)
				}
				if n, _ := g.clock.pending(); n != 0 {
					t.Errorf("%d timers are left", n)
				}
			})
		}
	})
}

// TestReportsBeforeTheSource: a stream on which nothing ever comes has its reports, from
// the RTP port where RTP and RTCP share one, and a BYE.
// Shows 7866-8.1.6-01, 7866-10-02.
func TestReportsBeforeTheSource(t *testing.T) {
	eachReader(t, func(t *testing.T, cfg Config) {
		for _, mux := range []bool{false, true} {
			g := newReporting(t, cfg, func(g *reporting) Expected {
				return Expected{RTP: g.media.addr(), RTCP: g.ctrl.addr(), Mux: mux,
					Candidates: []netip.Prefix{netip.PrefixFrom(loopback4, 32)}}
			})
			to := g.ctrl
			if mux {
				to = g.media
			}
			began := g.clock.Now()
			for range 8 {
				g.clock.ring()
				b := g.hear(to)
				if own := binary.BigEndian.Uint32(b[4:]); b[0] != 0x80 || b[1] != typeRR || parseRTCP(b, time.Time{}).names[own].cname == "" {
					t.Errorf("mux %v: report % x", mux, b)
				}
			}
			if took := g.clock.Now().Sub(began); took > firstInterval*3/2+7*reportInterval*3/2 {
				t.Errorf("mux %v: 8 reports in %v", mux, took)
			}
			g.r.Drain()
			if len(parseRTCP(g.hear(to), time.Time{}).byes) != 1 {
				t.Errorf("mux %v: no BYE", mux)
			}
		}
	})
}

// TestReportsAreNamed: the CNAME that a receiver is told stands in its reports, and stays
// when a later offer tells it again.
// Shows 7866-8.1.5.1-01, 3550-6.5.1-01.
func TestReportsAreNamed(t *testing.T) {
	s := newScene(t)
	named := Expected{RTP: exact}
	named.CNAME = "srs-of-this-one"
	for range 2 {
		s.f.expect(named)
		b := s.f.control.compound(s.at(0), false)
		if got := parseRTCP(b, s.at(0)).names[s.f.control.own].cname; got != named.CNAME {
			t.Errorf("CNAME %q", got)
		}
	}
}

// TestReportsGoTo holds who gets reports, and that nobody else does.
// Shows 7866-8.1.8-01, 3550-6.2-01.
func TestReportsGoTo(t *testing.T) {
	stranger := netip.MustParseAddrPort("203.0.113.9:7000")
	odd := func(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr(), a.Port()+1) }
	away := netip.AddrPortFrom(exact.Addr(), 999)
	inNet := netip.AddrPortFrom(peer.Addr(), 888)
	tests := []struct {
		name   string
		offer  Expected
		source netip.AddrPort // of RTP; invalid for none
		rtcp   netip.AddrPort // where RTCP came from; invalid for none
		want   netip.AddrPort // invalid for none
		shared bool
	}{
		{"nobody sent", Expected{RTP: exact}, netip.AddrPort{}, netip.AddrPort{}, netip.AddrPort{}, false},
		{"nobody sent, port after that of the SDP", Expected{RTP: inNet, Candidates: offerExact.Candidates}, netip.AddrPort{}, netip.AddrPort{}, odd(inNet), false},
		{"nobody sent, a=rtcp", Expected{RTP: inNet, RTCP: netip.AddrPortFrom(inNet.Addr(), 777), Candidates: offerExact.Candidates}, netip.AddrPort{}, netip.AddrPort{}, netip.AddrPortFrom(inNet.Addr(), 777), false},
		{"nobody sent, a=rtcp of a stranger", Expected{RTP: inNet, RTCP: stranger, Candidates: offerExact.Candidates}, netip.AddrPort{}, netip.AddrPort{}, netip.AddrPort{}, false},
		{"nobody sent, SDP of a stranger", Expected{RTP: stranger, Candidates: offerExact.Candidates}, netip.AddrPort{}, netip.AddrPort{}, netip.AddrPort{}, false},
		{"nobody sent, mux", Expected{RTP: inNet, Mux: true, Candidates: offerExact.Candidates}, netip.AddrPort{}, netip.AddrPort{}, inNet, true},
		{"nobody sent, mux, SDP of a stranger", Expected{RTP: stranger, Mux: true, Candidates: offerExact.Candidates}, netip.AddrPort{}, netip.AddrPort{}, netip.AddrPort{}, false},
		{"nobody sent, no address in the SDP", Expected{Candidates: offerExact.Candidates}, netip.AddrPort{}, netip.AddrPort{}, netip.AddrPort{}, false},
		{"nobody sent RTP, symmetric", Expected{RTP: inNet, Candidates: offerExact.Candidates}, netip.AddrPort{}, odd(odd(inNet)), odd(odd(inNet)), false},
		{"nobody sent RTP, RTCP of a stranger", Expected{RTP: inNet, Candidates: offerExact.Candidates}, netip.AddrPort{}, away, odd(inNet), false},
		{"port after that of the SDP", Expected{RTP: exact}, exact, netip.AddrPort{}, odd(exact), false},
		{"a=rtcp", Expected{RTP: exact, RTCP: away}, exact, netip.AddrPort{}, away, false},
		{"a=rtcp of a stranger", Expected{RTP: exact, RTCP: stranger}, exact, netip.AddrPort{}, netip.AddrPort{}, false},
		{"a=rtcp of a configured network", Expected{RTP: exact, RTCP: inNet, Candidates: offerExact.Candidates}, exact, netip.AddrPort{}, inNet, false},
		{"symmetric", Expected{RTP: exact, RTCP: away}, exact, odd(odd(exact)), odd(odd(exact)), false},
		{"RTCP of a stranger does not count", Expected{RTP: exact}, exact, stranger, odd(exact), false},
		{"mux", Expected{RTP: exact, Mux: true}, exact, netip.AddrPort{}, exact, true},
		{"SDP of a stranger, RTP of the peer", Expected{RTP: stranger, Candidates: offerExact.Candidates}, peer, netip.AddrPort{}, netip.AddrPort{}, false},
		{"source nobody vouches for", Expected{RTP: exact}, unknown, netip.AddrPort{}, netip.AddrPort{}, false},
		{"nor with mux", Expected{RTP: exact, Mux: true}, unknown, unknown, netip.AddrPort{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene(t)
			s.expect(0, &tt.offer)
			if tt.source.IsValid() {
				s.rtp(1500, tt.source, 7, 1)
			}
			if tt.rtcp.IsValid() {
				s.f.rtcp(senderReportOf(7, 1, 1, "x", false), tt.rtcp, s.at(1600))
			}
			to, shared := s.f.reportTo()
			if to != tt.want || shared != tt.shared {
				t.Errorf("reports go to %v, shared %v; want %v, %v", to, shared, tt.want, tt.shared)
			}
		})
	}
}

// TestOneTimerForAllReceivers: reports of many receivers come from one timer, which
// ends with them.
// Shows 3550-6.2-01.
func TestOneTimerForAllReceivers(t *testing.T) {
	eachReader(t, func(t *testing.T, cfg Config) {
		clock := newAlarm()
		cfg.Now, cfg.After = clock.Now, clock.After
		plane := newPlane(t, cfg)
		var rs []*Receiver
		var ends []*sender
		for range 20 {
			r, s, box := open(t, plane, loopback4), newSender(t, "127.0.0.1"), newMailbox()
			r.Expect(Expected{RTP: s.addr(), Mux: true})
			r.Attach(box)
			s.rtp(r, 7, 1)
			box.want(t, 7, 1)
			r.Stats() // the reader plans a report before it lets go of the lock
			rs, ends = append(rs, r), append(ends, s)
		}
		planned := func() (n int) {
			plane.reports.mu.Lock()
			defer plane.reports.mu.Unlock()
			return len(plane.reports.queue)
		}
		if planned() != len(rs) {
			t.Fatalf("%d plans for %d receivers", planned(), len(rs))
		}
		began := clock.Now()
		for clock.Now().Sub(began) < 2*reportInterval {
			if n, _ := clock.pending(); n != 1 {
				t.Fatalf("%d timers, want 1", n)
			}
			clock.ring()
		}
		for i, r := range rs {
			if n := r.Stats().Reports; n < 1 || n > 4 {
				t.Errorf("receiver %d sent %d reports in 10 s", i, n)
			}
			g := reporting{t: t, r: r}
			g.hear(ends[i])
			r.Close()
		}
		if n, _ := clock.pending(); n != 0 || planned() != 0 {
			t.Errorf("%d timers and %d plans are left", n, planned())
		}
	})
}

// TestPlaneCloseEndsReports closes a plane whose receivers have reports to send.
func TestPlaneCloseEndsReports(t *testing.T) {
	eachReader(t, func(t *testing.T, cfg Config) {
		g := newReporting(t, cfg, func(g *reporting) Expected { return Expected{RTP: g.media.addr()} })
		g.feed(1)
		g.scheduled()
		if err := g.plane.Close(); err != nil {
			t.Fatal(err)
		}
		if n, _ := g.clock.pending(); n != 0 {
			t.Errorf("%d timers are left", n)
		}
	})
}

// FuzzRTCP looks for panics, and for reports that are not as long as they say.
// Shows 7866-8.1.5-01, 7866-8.2.2-02, 3550-6.2-01.
func FuzzRTCP(f *testing.F) {
	f.Add(senderReportOf(7, 1, 1, "x", true), uint16(1), uint32(2))
	f.Add([]byte{0x81, typeSDES, 0, 1, 0, 0, 0, 7}, uint16(65535), uint32(1))
	f.Add([]byte{0x9f, typeBYE, 0, 0}, uint16(0), uint32(0))
	f.Fuzz(func(t *testing.T, b []byte, seq uint16, stamp uint32) {
		before := bytes.Clone(b)
		h := parseRTCP(b, time.Time{})
		if !bytes.Equal(b, before) {
			t.Fatal("the datagram was changed")
		}
		if len(h.reports)*28+len(h.byes)*4 > len(b) {
			t.Fatalf("%d reports and %d byes in %d octets", len(h.reports), len(h.byes), len(b))
		}
		var r reception
		at := time.Unix(1_700_000_000, 0)
		for i := range b {
			r.note(7, seq+uint16(b[i]), stamp*uint32(i), 8000, at.Add(time.Duration(b[i])*time.Millisecond))
		}
		c := newControl()
		c.reception = r
		sent := c.compound(at, true)
		again := parseRTCP(sent, at)
		if len(again.byes) != 1 || again.byes[0] != c.own || again.names[c.own].cname != c.cname || len(sent)%4 != 0 {
			t.Fatalf("% x is read as %+v", sent, again)
		}
	})
}
