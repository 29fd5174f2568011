// Package rfc3550 checks how a Session Recording Server takes RTP, as far as its reports
// by RTCP tell it (RFC 3550).
package rfc3550

import (
	"context"
	"slices"
	"time"

	"github.com/pion/rtp"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// Cases lists the cases in the order of the sections.
func Cases() []check.Case {
	return slices.Concat(section5(), section6(), blocks(), section7(), section8(), section11(), audio())
}

const (
	// count is how many packets a case sends.
	count = 40
	// patience bounds cases that wait for more than one report: a report may leave
	// 7.5 s after the one before (RFC 3550 §6.2).
	patience = 30 * time.Second
)

// rtcp is the feature that all cases need but those of the SDP.
func rtcp() []string { return []string{"rtcp"} }

// stream opens a recording session and returns the stream of its first m-line.
func stream(ctx context.Context, t *check.T, codecs ...src.Codec) *src.Stream {
	t.OverUDP()
	d := t.Open(ctx, src.Request{Streams: src.TwoParties(codecs...)})
	t.Answer(d)
	return d.Stream(0)
}

// script is what is sent of one source, about as fast as receive buffers take it: packets
// of 20 ms of G.711, numbered from first on, each as change makes it.
func script(ssrc uint32, first uint16, change func(i int, p *src.ScriptPacket)) []src.ScriptPacket {
	packets := make([]src.ScriptPacket, count)
	for i := range packets {
		p := &packets[i]
		p.Offset = time.Duration(i) * 50 * time.Microsecond
		p.Header = rtp.Header{Version: 2, SSRC: ssrc, SequenceNumber: first + uint16(i), Timestamp: 1000 + uint32(i)*160}
		p.Payload = slices.Repeat([]byte{0xff}, 160)
		change(i, p)
	}
	return packets
}

// received sends a script and fails unless the server has all of it but the lost
// packets.
func received(ctx context.Context, t *check.T, st *src.Stream, packets []src.ScriptPacket, lost int) src.ReceptionReport {
	t.Check(st.Script(ctx, packets), "send RTP")
	r := t.Reception(ctx, st)
	if last := packets[len(packets)-1].Header.SequenceNumber; uint16(r.Highest) != last {
		t.Errorf("the highest sequence number is reported as %d, the last packet has %d", uint16(r.Highest), last)
	}
	if r.Lost != lost {
		t.Errorf("%d packets are reported as lost, %d were not sent or sent twice", r.Lost, lost)
	}
	return r
}
