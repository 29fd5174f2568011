package media

import (
	"errors"
	"net"
	"net/netip"
	"testing"
)

// TestOpenAtTakesTheSamePorts closes a plane and has another one take a pair of its
// ports, which is then not given to others.
func TestOpenAtTakesTheSamePorts(t *testing.T) {
	low := freeRange(t, 3)
	cfg := Config{PortMin: low, PortMax: low + 5}
	first, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var at netip.AddrPort
	for range 2 { // the second
		r, err := first.Open(loopback4)
		if err != nil {
			t.Fatal(err)
		}
		at = r.RTPAddr()
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	again, err := p.OpenAt(at)
	if err != nil || again.RTPAddr() != at {
		t.Fatalf("%v, %v, want %v", again, err, at)
	}
	sink := newMailbox()
	again.Expect(Expected{RTP: netip.AddrPortFrom(loopback4, 1), Candidates: []netip.Prefix{netip.PrefixFrom(loopback4, 32)}})
	again.Attach(sink)
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(packet(t, 7, 1)); err != nil {
		t.Fatal(err)
	}
	sink.want(t, 7, 1)

	if _, err := p.OpenAt(at); !errors.Is(err, ErrNoPorts) {
		t.Errorf("the same ports a second time: %v", err)
	}
	given := map[uint16]bool{at.Port(): true}
	for range 2 {
		r, err := p.Open(loopback4)
		if err != nil {
			t.Fatal(err)
		}
		if given[r.RTPAddr().Port()] {
			t.Errorf("port %d is given twice", r.RTPAddr().Port())
		}
		given[r.RTPAddr().Port()] = true
	}
	if _, err := p.Open(loopback4); !errors.Is(err, ErrNoPorts) {
		t.Errorf("a fourth pair of three: %v", err)
	}
	again.Close()
	if r, err := p.Open(loopback4); err != nil || r.RTPAddr() != at {
		t.Errorf("after it was given back: %v, %v", r, err)
	}
}

// TestOpenAtRefuses what cannot be bound, and leaves nothing behind.
func TestOpenAtRefuses(t *testing.T) {
	low := freeRange(t, 2)
	p, err := New(Config{PortMin: low, PortMax: low + 1})
	if err != nil {
		t.Fatal(err)
	}
	taken, err := listenUDP(loopback4, low)
	if err != nil {
		t.Fatal(err)
	}
	at := netip.AddrPortFrom(loopback4, low)
	if _, err := p.OpenAt(at); err == nil || errors.Is(err, ErrNoPorts) {
		t.Errorf("ports of another process: %v", err)
	}
	taken.close()
	if _, err := p.OpenAt(netip.AddrPortFrom(loopback4, low+1)); err == nil {
		t.Error("an odd port was taken")
	}
	// Beside the range: it was another when the SRC was told.
	if r, err := p.OpenAt(netip.AddrPortFrom(loopback4, low+2)); err != nil {
		t.Error(err)
	} else {
		r.Close()
	}
	if r, err := p.OpenAt(at); err != nil {
		t.Errorf("what was refused is still leased: %v", err)
	} else {
		r.Close()
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.OpenAt(at); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestSRTPGoesOnInAnotherProcess has a sender wrap its sequence numbers five times
// and go on to a receiver that knows the keys and what the counter was some wraps ago.
func TestSRTPGoesOnInAnotherProcess(t *testing.T) {
	k, p := keys(t, 1, "AES_CM_128_HMAC_SHA1_80")
	before := newSRTPScene(t, k)
	for range 5 {
		before.send(10, exact, p, 7, 0, 20000, 40000, 60000)
	}
	before.want(20, 0, 0)
	if got := before.f.keys.rollover(); got != 4 {
		t.Fatalf("rollover counter %d, want 4", got)
	}

	blind := newSRTPScene(t, k)
	known := srtpScene{newScene(t)}
	known.f.expect(Expected{RTP: exact, At: known.at(0), SRTP: k, Rollovers: []uint32{2, 3, 4}})
	known.offer(5, k) // as a later offer does not know them
	sent := p.RTP(packet(t, 7, 61000), fixedHeader)
	blind.f.rtp(append([]byte(nil), sent...), exact, blind.at(10))
	known.f.rtp(sent, exact, known.at(10))
	blind.want(0, 1, 0)
	known.want(1, 0, 0)
	known.send(20, exact, p, 7, 61001, 15, 16) // over the next wrap
	known.want(4, 0, 0)
}
