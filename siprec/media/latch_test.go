package media

import (
	"net/netip"
	"testing"
	"time"
)

// step is one thing that happens to a latch: an offer or a packet, so many
// milliseconds after the start.
type step struct {
	ms    int
	offer *Expected // an offer; its At is set from ms
	from  string    // a packet
	ssrc  uint32
	seq   uint16
	want  verdict
}

var (
	srcExact    = "198.51.100.10:20000" // in the SDP
	srcSameHost = "198.51.100.10:20444" // its host, another port
	srcPeer     = "192.0.2.20:31000"    // the signalling peer
	srcPeer2    = "192.0.2.20:31002"
	srcUnknown  = "203.0.113.99:40000"
	srcUnknown2 = "203.0.113.98:40000"

	offerExact = &Expected{
		RTP:        netip.MustParseAddrPort(srcExact),
		Candidates: []netip.Prefix{netip.MustParsePrefix("192.0.2.20/32")},
	}
	offerPeer2 = &Expected{
		RTP:        netip.MustParseAddrPort(srcPeer2),
		Candidates: []netip.Prefix{netip.MustParsePrefix("192.0.2.20/32")},
	}
	// offerNone is what remains of c=0.0.0.0 from an unconfigured network.
	offerNone = &Expected{}
)

// Shows 7866-8.1.3-01.
func TestLatch(t *testing.T) {
	tests := []struct {
		name    string
		steps   []step
		source  string
		flagged bool
	}{
		{"nothing is adopted before an offer", []step{
			{ms: 0, from: srcExact, ssrc: 1, seq: 1, want: wait},
			{ms: 5000, from: srcExact, ssrc: 1, seq: 2, want: wait},
		}, "", false},
		{"the announced source at once", []step{
			{ms: 0, offer: offerExact},
			{ms: 10, from: srcExact, ssrc: 1, seq: 1, want: adopt},
			{ms: 30, from: srcExact, ssrc: 1, seq: 2, want: deliver},
		}, srcExact, false},
		{"the announced host from another port at once", []step{
			{ms: 0, offer: offerExact},
			{ms: 10, from: srcSameHost, ssrc: 1, seq: 1, want: adopt},
		}, srcSameHost, false},
		{"the signalling peer at once", []step{
			{ms: 0, offer: offerExact},
			{ms: 10, from: srcPeer, ssrc: 1, seq: 1, want: adopt},
		}, srcPeer, false},
		{"the announced source replaces the signalling peer within 2 s of the offer", []step{
			{ms: 0, offer: offerExact},
			{ms: 10, from: srcPeer, ssrc: 1, seq: 1, want: adopt},
			{ms: 1990, from: srcPeer, ssrc: 1, seq: 99, want: deliver},
			{ms: 2000, from: srcExact, ssrc: 2, seq: 1, want: adopt},
			{ms: 2001, from: srcPeer, ssrc: 1, seq: 100, want: wait},
		}, srcExact, false},
		{"but waits for its silence later", []step{
			{ms: 0, offer: offerExact},
			{ms: 10, from: srcPeer, ssrc: 1, seq: 1, want: adopt},
			{ms: 2100, from: srcPeer, ssrc: 1, seq: 99, want: deliver},
			{ms: 2110, from: srcExact, ssrc: 2, seq: 1, want: wait},
			{ms: 2349, from: srcExact, ssrc: 2, seq: 2, want: wait},
			{ms: 2350, from: srcExact, ssrc: 2, seq: 3, want: adopt},
		}, srcExact, false},
		{"an unknown source waits for 1 s and is flagged", []step{
			{ms: 0, offer: offerExact},
			{ms: 999, from: srcUnknown, ssrc: 1, seq: 1, want: wait},
			{ms: 1000, from: srcUnknown, ssrc: 1, seq: 2, want: adopt},
			{ms: 1020, from: srcUnknown, ssrc: 1, seq: 3, want: deliver},
		}, srcUnknown, true},
		{"an unknown source where nothing is announced", []step{
			{ms: 0, offer: offerNone},
			{ms: 20, from: srcUnknown, ssrc: 1, seq: 1, want: wait},
			{ms: 1020, from: srcUnknown, ssrc: 1, seq: 51, want: adopt},
		}, srcUnknown, true},
		{"never an unknown one once a known one sent", []step{
			{ms: 0, offer: offerExact},
			{ms: 10, from: srcExact, ssrc: 1, seq: 1, want: adopt},
			{ms: 9000, from: srcUnknown, ssrc: 7, seq: 1, want: wait},
			{ms: 9010, from: srcUnknown, ssrc: 1, seq: 2, want: wait}, // not even as a continuation
		}, srcExact, false},
		{"an unknown one after the next offer, when none of the known sends", []step{
			{ms: 0, offer: offerExact},
			{ms: 10, from: srcExact, ssrc: 1, seq: 1, want: adopt},
			{ms: 5000, offer: offerExact},
			{ms: 5999, from: srcUnknown, ssrc: 7, seq: 1, want: wait},
			{ms: 6000, from: srcUnknown, ssrc: 7, seq: 2, want: adopt},
		}, srcUnknown, true},
		{"the announced source beats a flagged one at any time", []step{
			{ms: 0, offer: offerExact},
			{ms: 1000, from: srcUnknown, ssrc: 1, seq: 1, want: adopt},
			{ms: 60000, from: srcUnknown, ssrc: 1, seq: 2, want: deliver},
			{ms: 60001, from: srcExact, ssrc: 2, seq: 1, want: adopt},
			{ms: 60002, from: srcUnknown, ssrc: 1, seq: 3, want: wait},
			{ms: 61002, from: srcUnknown, ssrc: 1, seq: 4, want: wait},
		}, srcExact, true},
		{"so does the signalling peer", []step{
			{ms: 0, offer: offerExact},
			{ms: 1000, from: srcUnknown, ssrc: 1, seq: 1, want: adopt},
			{ms: 60000, from: srcUnknown, ssrc: 1, seq: 2, want: deliver},
			{ms: 60001, from: srcPeer, ssrc: 2, seq: 1, want: adopt},
		}, srcPeer, true},
		{"two unknown live sources are not mixed", []step{
			{ms: 0, offer: offerNone},
			{ms: 1000, from: srcUnknown, ssrc: 1, seq: 1, want: adopt},
			{ms: 1010, from: srcUnknown2, ssrc: 2, seq: 1, want: wait},
			{ms: 1200, from: srcUnknown, ssrc: 1, seq: 2, want: deliver},
			{ms: 1449, from: srcUnknown2, ssrc: 2, seq: 2, want: wait},
			{ms: 1450, from: srcUnknown2, ssrc: 2, seq: 3, want: adopt},
		}, srcUnknown2, true},
		{"SSRC and sequence continue", []step{
			{ms: 0, offer: offerExact},
			{ms: 5000, from: srcExact, ssrc: 1, seq: 65535, want: adopt},
			{ms: 5010, from: srcPeer, ssrc: 1, seq: 0, want: adopt},
			{ms: 5030, from: srcPeer2, ssrc: 1, seq: 64, want: adopt},
		}, srcPeer2, false},
		{"the same, a repeated or a far sequence number does not continue", []step{
			{ms: 0, offer: offerExact},
			{ms: 5000, from: srcExact, ssrc: 1, seq: 100, want: adopt},
			{ms: 5010, from: srcPeer, ssrc: 1, seq: 100, want: wait},
			{ms: 5010, from: srcPeer, ssrc: 1, seq: 99, want: wait},
			{ms: 5010, from: srcPeer, ssrc: 1, seq: 165, want: wait},
			{ms: 5010, from: srcPeer, ssrc: 2, seq: 101, want: wait},
		}, srcExact, false},
		{"a late packet does not take the sequence back", []step{
			{ms: 0, offer: offerExact},
			{ms: 5000, from: srcExact, ssrc: 1, seq: 100, want: adopt},
			{ms: 5001, from: srcExact, ssrc: 1, seq: 60, want: deliver},
			{ms: 5010, from: srcPeer, ssrc: 1, seq: 100, want: wait},
		}, srcExact, false},
		{"a live candidate does not give way to another", []step{
			{ms: 0, offer: offerExact},
			{ms: 10, from: srcPeer, ssrc: 1, seq: 1, want: adopt},
			{ms: 20, from: srcPeer2, ssrc: 2, seq: 1, want: wait},
			{ms: 259, from: srcPeer2, ssrc: 2, seq: 2, want: wait},
			{ms: 260, from: srcPeer2, ssrc: 2, seq: 3, want: adopt},
		}, srcPeer2, false},
		{"an offer explains one change to another candidate", []step{
			{ms: 0, offer: offerNoSDP()},
			{ms: 10, from: srcPeer, ssrc: 1, seq: 1, want: adopt},
			{ms: 9990, from: srcPeer, ssrc: 1, seq: 499, want: deliver},
			{ms: 10000, offer: offerNoSDP()},
			{ms: 10010, from: srcPeer, ssrc: 1, seq: 500, want: deliver},
			{ms: 10020, from: srcPeer2, ssrc: 2, seq: 1, want: adopt},
			{ms: 10030, from: srcPeer, ssrc: 1, seq: 501, want: wait}, // its tail
			{ms: 10040, from: srcPeer2, ssrc: 2, seq: 2, want: deliver},
		}, srcPeer2, false},
		{"an offer that moves the stream", []step{
			{ms: 0, offer: offerExact},
			{ms: 10, from: srcExact, ssrc: 1, seq: 1, want: adopt},
			{ms: 9990, from: srcExact, ssrc: 1, seq: 499, want: deliver},
			{ms: 9995, from: srcPeer2, ssrc: 2, seq: 1, want: wait}, // ahead of its offer
			{ms: 10000, offer: offerPeer2},
			{ms: 10010, from: srcExact, ssrc: 1, seq: 500, want: deliver},
			{ms: 10015, from: srcPeer2, ssrc: 2, seq: 2, want: adopt},
			{ms: 10030, from: srcExact, ssrc: 1, seq: 501, want: wait},
		}, srcPeer2, false},
		{"an offer that changes nothing lets no candidate in beside a live source", []step{
			{ms: 0, offer: offerExact},
			{ms: 10, from: srcExact, ssrc: 1, seq: 1, want: adopt},
			{ms: 9990, from: srcExact, ssrc: 1, seq: 499, want: deliver},
			{ms: 10000, offer: offerExact},
			{ms: 10010, from: srcPeer, ssrc: 2, seq: 1, want: wait},
			{ms: 10020, from: srcExact, ssrc: 1, seq: 500, want: deliver},
		}, srcExact, false},
		{"an adopted source that no offer knows any more is flagged after 1 s", []step{
			{ms: 0, offer: offerExact},
			{ms: 10, from: srcPeer, ssrc: 1, seq: 1, want: adopt},
			{ms: 5000, offer: offerNone},
			{ms: 5500, from: srcPeer, ssrc: 1, seq: 2, want: deliver},
			{ms: 6000, from: srcPeer, ssrc: 1, seq: 3, want: deliver},
		}, srcPeer, true},
		{"a new SSRC of the adopted source is the source's own affair", []step{
			{ms: 0, offer: offerExact},
			{ms: 10, from: srcExact, ssrc: 1, seq: 1, want: adopt},
			{ms: 30, from: srcExact, ssrc: 2, seq: 900, want: deliver},
			{ms: 5000, from: srcExact, ssrc: 2, seq: 901, want: deliver},
			{ms: 5010, from: srcPeer, ssrc: 2, seq: 902, want: adopt},
		}, srcPeer, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var l latch
			zero := time.Unix(1_700_000_000, 0)
			for i, s := range tt.steps {
				at := zero.Add(time.Duration(s.ms) * time.Millisecond)
				if s.offer != nil {
					e := *s.offer
					e.At = at
					l.expect(e)
					continue
				}
				if got := l.judge(netip.MustParseAddrPort(s.from), s.ssrc, s.seq, at); got != s.want {
					t.Fatalf("step %d, %s at %d ms: verdict %d, want %d", i, s.from, s.ms, got, s.want)
				}
			}
			var want netip.AddrPort
			if tt.source != "" {
				want = netip.MustParseAddrPort(tt.source)
			}
			if l.source != want || l.flagged != tt.flagged {
				t.Errorf("source %v flagged %v, want %v %v", l.source, l.flagged, want, tt.flagged)
			}
		})
	}
}

// offerNoSDP announces no address but has the signalling peer as candidate.
func offerNoSDP() *Expected { return &Expected{Candidates: offerExact.Candidates} }

func TestLatchReadsMappedAndZonedAddresses(t *testing.T) {
	var l latch
	l.expect(Expected{
		RTP:        netip.MustParseAddrPort("[::ffff:192.0.2.1]:4000"),
		Candidates: []netip.Prefix{netip.MustParsePrefix("fe80::/10")},
	})
	if k := l.rankOf(netip.MustParseAddrPort("192.0.2.1:4000")); k != announced {
		t.Errorf("rank of the plain form of a mapped address: %d, want %d", k, announced)
	}
	if k := l.rankOf(netip.MustParseAddrPort("[fe80::1%eth0]:4000")); k != candidate {
		t.Errorf("rank of an address with a zone: %d, want %d", k, candidate)
	}
}

// TestFormerUse: what a port was used for is not taken until the port would have rested,
// and does not speak for others; a source that the offer names by its port is taken.
func TestFormerUse(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(1_700_000_000+int64(s), 0) }
	named := netip.MustParseAddrPort("192.0.2.1:4000")
	other := netip.MustParseAddrPort("192.0.2.1:5000")
	stranger := netip.MustParseAddrPort("198.51.100.1:6000")
	fresh := func() *latch {
		l := &latch{former: formerUse{ssrc: 7, until: at(30)}}
		l.expect(Expected{RTP: named, At: at(0)})
		return l
	}
	for _, tt := range []struct {
		name string
		src  netip.AddrPort
		ssrc uint32
		at   int
		want verdict
	}{
		{"the former SSRC", other, 7, 5, wait},
		{"after the rest", other, 7, 30, adopt},
		{"another SSRC", other, 8, 0, adopt},
		{"from the port that is offered", named, 7, 0, adopt},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := fresh().judge(tt.src, tt.ssrc, 1, at(tt.at)); got != tt.want {
				t.Errorf("verdict %d, want %d", got, tt.want)
			}
		})
	}
	l := fresh()
	l.judge(other, 7, 1, at(1))
	if got := l.judge(stranger, 9, 1, at(2)); got != adopt {
		t.Errorf("a stranger that is alone: verdict %d", got)
	}
}
