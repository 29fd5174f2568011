package media

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// recorded is a sink that keeps copies of what it was given.
type recorded struct {
	seqs     []uint16
	arrivals []time.Time
	payloads [][]byte
}

func (r *recorded) WriteRTP(p *Packet) {
	r.seqs = append(r.seqs, p.Header.SequenceNumber)
	r.arrivals = append(r.arrivals, p.Arrival)
	r.payloads = append(r.payloads, bytes.Clone(p.Payload))
}

// packet builds a PCMU packet whose payload names it.
func packet(t testing.TB, ssrc uint32, seq uint16) []byte {
	t.Helper()
	b, err := (&rtp.Packet{
		Header:  rtp.Header{Version: 2, SSRC: ssrc, SequenceNumber: seq, Timestamp: uint32(seq) * 160},
		Payload: bytes.Repeat([]byte{byte(seq)}, 160),
	}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// report is a receiver report without blocks (RFC 3550 §6.4.2).
var report = []byte{0x80, 201, 0, 1, 0, 0, 0, 1}

var (
	exact   = netip.MustParseAddrPort(srcExact)
	peer    = netip.MustParseAddrPort(srcPeer)
	unknown = netip.MustParseAddrPort(srcUnknown)
)

// scene drives a flow by milliseconds since an offer.
type scene struct {
	t    *testing.T
	f    *flow
	zero time.Time
	sink *recorded
	logs *observer.ObservedLogs
}

func newScene(t *testing.T) *scene {
	core, logs := observer.New(zap.WarnLevel)
	s := &scene{t: t, f: newFlow(zap.New(core), 40000), zero: time.Unix(1_700_000_000, 0), sink: &recorded{}, logs: logs}
	s.f.attach(s.sink)
	s.expect(0, offerExact)
	return s
}

func (s *scene) at(ms int) time.Time { return s.zero.Add(time.Duration(ms) * time.Millisecond) }

func (s *scene) expect(ms int, e *Expected) {
	offer := *e
	offer.At = s.at(ms)
	s.f.expect(offer)
}

func (s *scene) rtp(ms int, src netip.AddrPort, ssrc uint32, seq uint16) {
	s.f.rtp(packet(s.t, ssrc, seq), src, s.at(ms))
}

func (s *scene) wantDelivered(seqs ...uint16) {
	s.t.Helper()
	if !slices.Equal(s.sink.seqs, seqs) {
		s.t.Errorf("delivered %v, want %v", s.sink.seqs, seqs)
	}
}

func TestFlowDeliversWhatWaitedWithItsOwnInstants(t *testing.T) {
	s := newScene(t)
	s.rtp(10, exact, 1, 1)
	s.rtp(5000, exact, 1, 2)
	s.rtp(5100, peer, 2, 50) // the old source is live
	s.rtp(5120, peer, 2, 51)
	s.rtp(5250, peer, 2, 52) // and now silent for 250 ms
	s.rtp(5270, peer, 2, 53)
	s.wantDelivered(1, 2, 50, 51, 52, 53)
	want := []time.Time{s.at(10), s.at(5000), s.at(5100), s.at(5120), s.at(5250), s.at(5270)}
	if !slices.Equal(s.sink.arrivals, want) {
		t.Errorf("arrivals %v, want %v", s.sink.arrivals, want)
	}
	for i, p := range s.sink.payloads {
		if want := bytes.Repeat([]byte{byte(s.sink.seqs[i])}, 160); !bytes.Equal(p, want) {
			t.Errorf("payload %d is %x", i, p[:4])
		}
	}
	got := s.f.stats
	if got.Packets != 6 || got.Octets != 960 || got.Rebinds != 1 || got.Strangers != 0 ||
		got.Source != peer || !got.Last.Equal(s.at(5270)) || got.Flagged {
		t.Errorf("stats %+v", got)
	}
}

func TestFlowFlagsAnUnannouncedSource(t *testing.T) {
	s := newScene(t)
	for i := range 50 {
		s.rtp(20*(i+1), unknown, 1, uint16(i))
	}
	if len(s.sink.seqs) != 50 || !s.f.stats.Flagged || s.f.stats.Source != unknown {
		t.Errorf("%d delivered, stats %+v", len(s.sink.seqs), s.f.stats)
	}
	if n := s.logs.FilterMessageSnippet("not announced").Len(); n != 1 {
		t.Errorf("%d warnings, want 1", n)
	}
}

func TestFlowNeverMixesLiveSources(t *testing.T) {
	s := newScene(t)
	for i := range 500 {
		s.rtp(20*i, exact, 1, uint16(i))
		s.rtp(20*i+1, peer, 2, uint16(10000+i))
		s.rtp(20*i+2, unknown, 3, uint16(20000+i))
	}
	for _, seq := range s.sink.seqs {
		if seq >= 10000 {
			t.Fatalf("packet %d of another source was delivered", seq)
		}
	}
	s.f.settle(s.at(60_000))
	if got := s.f.stats; got.Packets != 500 || got.Strangers != 1000 || got.Rebinds != 0 {
		t.Errorf("stats %+v", got)
	}
	// One warning at once and none before 10 s are over, whoever sends.
	if n := s.logs.FilterMessageSnippet("second source").Len(); n != 1 {
		t.Errorf("%d warnings in 10 s, want 1", n)
	}
}

func TestFlowWipesWhatWaitedTooLong(t *testing.T) {
	tests := []struct {
		name string
		then func(*scene)
		want int // strangers
	}{
		{"a packet comes", func(s *scene) { s.rtp(5101, exact, 1, 3) }, 1},
		{"rtcp comes", func(s *scene) { s.f.rtcp(report, exact, s.at(6101)) }, 1},
		{"nothing comes", func(s *scene) { s.f.settle(s.at(6101)) }, 1},
		{"another sink", func(s *scene) { s.f.attach(&recorded{}) }, 1},
		{"no sink", func(s *scene) { s.f.attach(nil) }, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene(t)
			s.rtp(4090, exact, 1, 1)
			s.rtp(4100, peer, 2, 50)
			if len(s.f.waiters.list) != 1 {
				t.Fatal("nothing waits")
			}
			held := s.f.waiters.list[0].datagram
			tt.then(s)
			if !bytes.Equal(held, make([]byte, len(held))) {
				t.Error("the copy was not wiped")
			}
			if len(s.f.waiters.list) != 0 || s.f.stats.Strangers != uint64(tt.want) {
				t.Errorf("%d wait, %d strangers", len(s.f.waiters.list), s.f.stats.Strangers)
			}
		})
	}
}

func TestFlowHoldsNothingWithoutSink(t *testing.T) {
	s := newScene(t)
	s.f.attach(nil)
	s.rtp(10, exact, 1, 1)
	s.rtp(5000, exact, 1, 2)
	s.rtp(5010, peer, 2, 50)
	if n := len(s.f.waiters.list); n != 0 {
		t.Errorf("%d packets are held", n)
	}
	if got := s.f.stats; got.Packets != 2 || got.Strangers != 1 {
		t.Errorf("stats %+v", got)
	}
	s.f.attach(s.sink)
	s.rtp(5020, exact, 1, 3)
	s.wantDelivered(3)
}

func TestFlowSettlesAtTheEnd(t *testing.T) {
	s := newScene(t)
	s.rtp(10, exact, 1, 1)
	s.rtp(5000, exact, 1, 2)
	s.rtp(5100, unknown, 9, 90)
	s.rtp(5200, peer, 2, 50)
	s.rtp(5220, peer, 2, 51)
	s.f.settle(s.at(5249)) // the old source may still be there
	s.wantDelivered(1, 2)
	s.f.settle(s.at(5260))
	s.wantDelivered(1, 2, 50, 51)
}

func TestFlowOfferAdoptsWhatCameAhead(t *testing.T) {
	s := newScene(t)
	s.rtp(10, exact, 1, 1)
	s.rtp(5000, exact, 1, 2)
	s.rtp(5010, unknown, 2, 50)
	s.expect(5020, &Expected{RTP: unknown})
	s.rtp(5030, unknown, 2, 51)
	s.wantDelivered(1, 2, 50, 51)
	if s.f.stats.Flagged {
		t.Error("an announced source is flagged")
	}
}

// Shows 7866-8.1.1-02, 7866-8.3.1-03.
func TestFlowRTCP(t *testing.T) {
	s := newScene(t)
	s.f.rtcp(report, exact, s.at(1)) // of nobody who is adopted
	if !s.f.stats.Last.IsZero() {
		t.Error("rtcp of no adopted source counts as sign of life")
	}
	s.rtp(10, exact, 1, 1)
	other := netip.AddrPortFrom(exact.Addr(), exact.Port()+1)
	s.f.rtcp(report, other, s.at(5000))
	if !s.f.stats.Last.Equal(s.at(5000)) {
		t.Errorf("last %v after rtcp on its own port", s.f.stats.Last)
	}
	s.f.rtp(report, exact, s.at(6000)) // RFC 5761 §4: one port for both
	if !s.f.stats.Last.Equal(s.at(6000)) {
		t.Errorf("last %v after rtcp on the rtp port", s.f.stats.Last)
	}
	s.f.rtcp(report, peer, s.at(7000))
	if !s.f.stats.Last.Equal(s.at(6000)) {
		t.Error("rtcp of a stranger counts as sign of life")
	}
	s.f.rtcp(packet(t, 1, 2), exact, s.at(8000))
	if got := s.f.stats; got.RTCP != 4 || got.Malformed != 1 || got.Packets != 1 {
		t.Errorf("stats %+v", got)
	}
	s.wantDelivered(1)
}

type panicking struct{}

func (panicking) WriteRTP(*Packet) { panic("no audio in here") }

func TestFlowDetachesAPanickingSink(t *testing.T) {
	s := newScene(t)
	s.f.attach(panicking{})
	s.rtp(10, exact, 1, 1)
	s.rtp(30, exact, 1, 2)
	if got := s.f.stats; got.Panics != 1 || got.Packets != 2 {
		t.Errorf("stats %+v", got)
	}
	entries := s.logs.FilterMessageSnippet("panicked").All()
	if len(entries) != 1 || entries[0].ContextMap()["type"] != "string" {
		t.Errorf("log %v", entries)
	}
	s.f.attach(s.sink)
	s.rtp(50, exact, 1, 3)
	s.wantDelivered(3)
}

func TestWaitersRoom(t *testing.T) {
	strangers := 0
	lost := func(*waiter) { strangers++ }
	zero := time.Unix(1_700_000_000, 0)
	add := func(q *waiters, src netip.AddrPort, k rank, n, size int) {
		for i := range n {
			q.add(waiter{at: zero, source: src, rank: k, sequence: uint16(i), datagram: make([]byte, size)}, lost)
		}
	}
	tests := []struct {
		name          string
		fill          func(*waiters)
		peers, others int
		strangers     int
		newest        uint16 // of the peer
	}{
		{"unknown sources do not push a candidate out", func(q *waiters) {
			add(q, peer, candidate, 40, 172)
			add(q, unknown, unannounced, 1000, 172)
		}, 40, 24, 976, 39},
		{"a candidate pushes unknown sources out", func(q *waiters) {
			add(q, unknown, unannounced, 64, 172)
			add(q, peer, candidate, 10, 172)
		}, 10, 54, 10, 9},
		{"none for an unknown source beside candidates", func(q *waiters) {
			add(q, peer, candidate, 64, 172)
			add(q, unknown, unannounced, 1, 172)
		}, 64, 0, 1, 63},
		{"large packets", func(q *waiters) { add(q, peer, candidate, 64, maxMedia) }, 16, 0, 48, 63},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			strangers = 0
			var q waiters
			tt.fill(&q)
			peers, others, newest := 0, 0, uint16(0)
			for _, w := range q.list {
				if w.source != peer {
					others++
					continue
				}
				peers++
				newest = w.sequence
			}
			if peers != tt.peers || others != tt.others || strangers != tt.strangers || newest != tt.newest {
				t.Errorf("%d of the peer up to %d, %d of others, %d lost; want %d up to %d, %d, %d",
					peers, newest, others, strangers, tt.peers, tt.newest, tt.others, tt.strangers)
			}
			q.wipe(lost)
			if q.octets != 0 || q.list != nil {
				t.Errorf("%d octets in %d packets are left", q.octets, len(q.list))
			}
		})
	}
}

// FuzzFlow gives a flow two datagrams from a source that is adopted, one that
// waits and one that is unknown.
func FuzzFlow(f *testing.F) {
	f.Add(packet(f, 1, 1), report)
	f.Add([]byte{}, []byte{0x80})
	f.Add(octets(f, "b1 88 0102 00000003 00000004 00000005 12340001 22222222 aabb 02 02"), octets(f, "81 c8 ffff 00000001"))
	f.Add(octets(f, "0001 0000 2112a442 000000000000000000000000"), packet(f, 2, 65535))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		s := newScene(t)
		total := 0
		for i, b := range [][]byte{one, two, one} {
			for _, src := range []netip.AddrPort{exact, peer, unknown} {
				in := bytes.Clone(b)
				s.f.rtp(in, src, s.at(400*i))
				if !bytes.Equal(in, b) {
					t.Fatal("the datagram was changed")
				}
				s.f.rtcp(in, src, s.at(400*i))
				total += 2
			}
		}
		s.f.settle(s.at(10_000))
		st := s.f.stats
		if got := st.Packets + st.Strangers + st.Malformed + st.RTCP; got != uint64(total) {
			t.Fatalf("%d datagrams counted of %d: %+v", got, total, st)
		}
		if st.Packets != uint64(len(s.sink.seqs)) {
			t.Fatalf("%d packets counted, %d delivered", st.Packets, len(s.sink.seqs))
		}
	})
}

func TestFlowDoesNotAllocate(t *testing.T) {
	f, b, at := benchFlow(t)
	if n := testing.AllocsPerRun(1000, func() { f.rtp(b, exact, at) }); n != 0 {
		t.Errorf("%v allocations for a packet", n)
	}
}

type discard struct{ n int }

func (d *discard) WriteRTP(*Packet) { d.n++ }

func benchFlow(tb testing.TB) (*flow, []byte, time.Time) {
	f := newFlow(zap.NewNop(), 40000)
	f.attach(&discard{})
	at := time.Now()
	f.expect(Expected{RTP: exact, Candidates: offerExact.Candidates, At: at})
	return f, packet(tb, 1, 1), at
}

// BenchmarkFlow is the cost of a packet without the kernel.
func BenchmarkFlow(b *testing.B) {
	f, datagram, at := benchFlow(b)
	b.ReportAllocs()
	for b.Loop() {
		f.rtp(datagram, exact, at)
	}
}

// BenchmarkFlowStranger is the cost of a packet that waits in vain beside a live
// source.
func BenchmarkFlowStranger(b *testing.B) {
	f, datagram, at := benchFlow(b)
	f.rtp(datagram, exact, at)
	stranger := packet(b, 2, 1)
	b.ReportAllocs()
	for b.Loop() {
		f.rtp(stranger, peer, at)
	}
}
