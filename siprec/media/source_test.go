package media

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// Shows 7866-8.1.3-01, 7866-8.3.1-03.
func TestSources(t *testing.T) {
	moved := netip.AddrPortFrom(exact.Addr(), exact.Port()+10)
	named := func(s *scene, ssrc uint32, cname string) {
		s.f.rtcp(senderReportOf(ssrc, 1, 1, cname, false), exact, s.at(1000))
	}
	leaves := func(s *scene, ssrc uint32) {
		s.f.rtcp(senderReportOf(ssrc, 1, 1, "", true), exact, s.at(1000))
	}
	follows := func(s *scene) { s.rtp(5000, exact, 8, 1) }
	tests := []struct {
		name string
		do   func(s *scene) // after SSRC 7 has sent
		want Change
	}{
		{"nothing tells", follows, ChangeUnknown},
		{"one CNAME", func(s *scene) { named(s, 7, "x"); follows(s); named(s, 8, "x") }, ChangeRestart},
		{"two CNAMEs", func(s *scene) { named(s, 7, "x"); follows(s); named(s, 8, "y") }, ChangeOther},
		{"a CNAME and none", func(s *scene) { named(s, 7, "x"); follows(s) }, ChangeUnknown},
		{"BYE", func(s *scene) { leaves(s, 7); follows(s) }, ChangeBye},
		{"BYE of another", func(s *scene) { leaves(s, 9); follows(s) }, ChangeUnknown},
		{"an offer", func(s *scene) { s.expect(4500, offerExact); follows(s) }, ChangeOffer},
		{"an offer long ago", func(s *scene) { s.expect(2500, offerExact); follows(s) }, ChangeUnknown},
		{"another address", func(s *scene) { s.rtp(5000, moved, 8, 1) }, ChangeAddress},
		{"collision", func(s *scene) {
			s.f.control.own = 7
			s.rtp(4990, exact, 7, 2)
			follows(s)
		}, ChangeCollision},
		{"both send", func(s *scene) {
			follows(s)
			for i := range 40 {
				s.rtp(5020+20*i, exact, 7+uint32(i%2), uint16(10+i))
			}
		}, ChangeTogether},
		{"a late packet is no return", func(s *scene) {
			follows(s)
			s.rtp(5010, exact, 7, 2)
			for i := range 40 {
				s.rtp(5020+20*i, exact, 8, uint16(10+i))
			}
		}, ChangeUnknown},
		{"the first comes back when the second has left", func(s *scene) {
			follows(s)
			s.rtp(5300, exact, 7, 2)
			s.rtp(5320, exact, 7, 3)
		}, ChangeUnknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene(t)
			s.rtp(0, exact, 7, 1)
			tt.do(s)
			got := s.f.sources.all(s.f.mixed.said)
			if len(got) != 2 || got[0].Change != "" || got[1].Change != tt.want {
				t.Fatalf("sources %+v, want the second by %q", got, tt.want)
			}
			if got[0].SSRC != 7 || got[1].SSRC != 8 || !got[0].At.Equal(s.at(0)) || !got[1].At.Equal(s.at(5000)) || got[0].Address != exact {
				t.Errorf("sources %+v", got)
			}
			if n := got[0].Packets + got[1].Packets; n != s.f.stats.Packets {
				t.Errorf("%d packets, want %d", n, s.f.stats.Packets)
			}
		})
	}
}

// TestSourcesAreBounded: SSRCs without end take no memory, and the log tells of no
// more than are kept.
func TestSourcesAreBounded(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	f := newFlow(zap.New(core), 40000)
	f.expect(Expected{RTP: exact, At: time.Unix(1_700_000_000, 0)})
	b := packet(t, 1, 1)
	for i := range uint32(3 * maxSources) {
		binary.BigEndian.PutUint32(b[8:], 1000+i)
		f.rtp(b, exact, time.Unix(1_700_000_010, int64(i)))
	}
	if got := f.sources.all(nil); len(got) != maxSources || logs.FilterMessage("ssrc changed").Len() != maxSources-1 {
		t.Errorf("%d sources, %d lines", len(got), logs.Len())
	}
}
